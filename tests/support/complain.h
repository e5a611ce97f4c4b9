/* complain: how checks say what is wrong: they return NULL, or words that are valid until the next complaint. Threads: one. */
#ifndef TESTS_SUPPORT_COMPLAIN_H
#define TESTS_SUPPORT_COMPLAIN_H

#include "ca/base/fault.h"

const char *complain(const char *format, ...) PRINTF_LIKE(1, 2);

/* Returns what another check said, if it said something. */
#define CHECK(call)                             \
	do {                                    \
		const char *wrong_ = (call);    \
		if (wrong_ != NULL)             \
			return wrong_;          \
	} while (0)

#endif
