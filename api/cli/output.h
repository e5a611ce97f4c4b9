/* output: what a command prints: the server's JSON for machines, tables (libsmartcols) for people. */
#ifndef API_CLI_OUTPUT_H
#define API_CLI_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>

#include "ca/base/fault.h"

struct output_column {
	const char *key;        /* member of each row; "a.b" for a member of a member; NULL ends a list */
	const char *title;
	bool right;             /* numbers stand at the right */
};

void output_json(const json_t *value);
/* rows: an array of objects. Faults: MEMORY. */
CHECKED enum fault_code output_table(const struct output_column *columns, const json_t *rows, struct fault *fault);
/* One object, a line for each column. */
void output_record(const struct output_column *columns, const json_t *record);

#endif
