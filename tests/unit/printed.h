/* printed: what a function of the command line prints. */
#ifndef TESTS_UNIT_PRINTED_H
#define TESTS_UNIT_PRINTED_H

#include <jansson.h>

/* What it prints on the standard output about this JSON text; valid until the next call. The case has a scratch directory. */
const char *printed(void **state, void (*function)(const json_t *value), const char *json);

#endif
