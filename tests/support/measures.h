/*
 * measures: what a benchmark measured: a list of numbers, what is in its middle and near its end, and how figures are printed.
 *
 * A figure is one line "name value unit" on standard output; scripts/bench adds aims and makes the table. Threads: one a list.
 */
#ifndef TESTS_SUPPORT_MEASURES_H
#define TESTS_SUPPORT_MEASURES_H

#include <stddef.h>
#include <stdint.h>

#include "ca/base/fault.h"

struct measures {
	double *values;
	size_t count, capacity;
};

#define MEASURES_INIT ((struct measures){ .values = NULL })

CHECKED enum fault_code measures_add(struct measures *measures, double value, struct fault *fault);
/* The smallest value that so much (0 to 1) of all don't exceed: 0.5 the median. Sorts them. 0 of none. */
double measures_quantile(struct measures *measures, double share);
double measures_mean(const struct measures *measures);
void measures_clear(struct measures *measures);

/* Prints one figure. */
void measures_print(const char *name, double value, const char *unit);
/* "<name>_median_ms" and "<name>_p99_ms" of milliseconds. */
void measures_print_times(const char *name, struct measures *measures);
/* Says on standard error why a program can't measure. Returns its exit code. */
int measures_fail(const struct fault *fault);

/* A number of a command line, from 1 to max. Ends the program if it is none. */
size_t measures_argument(const char *text, size_t max);

#endif
