#include "tests/support/measures.h"

#include <stdio.h>
#include <stdlib.h>

#include "ca/base/memory.h"

enum fault_code
measures_add(struct measures *measures, double value, struct fault *fault)
{
	TRY(memory_reserve(&measures->values, &measures->capacity, measures->count + 1, sizeof *measures->values, fault));
	measures->values[measures->count++] = value;
	return FAULT_NONE;
}

static int
compare_values(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

double
measures_quantile(struct measures *measures, double share)
{
	if (measures->count == 0)
		return 0;
	qsort(measures->values, measures->count, sizeof *measures->values, compare_values);
	size_t place = (size_t)((double)measures->count * share + 0.999999);
	return measures->values[place < 1 ? 0 : place > measures->count ? measures->count - 1 : place - 1];
}

double
measures_mean(const struct measures *measures)
{
	double sum = 0;
	for (size_t i = 0; i < measures->count; i++)
		sum += measures->values[i];
	return measures->count > 0 ? sum / (double)measures->count : 0;
}

void
measures_clear(struct measures *measures)
{
	free(measures->values);
	*measures = MEASURES_INIT;
}

void
measures_print(const char *name, double value, const char *unit)
{
	printf("%s %.6g %s\n", name, value, unit);
	(void)fflush(stdout);
}

void
measures_print_times(const char *name, struct measures *measures)
{
	char full[100];
	(void)snprintf(full, sizeof full, "%s_median_ms", name);
	measures_print(full, measures_quantile(measures, 0.5), "ms");
	(void)snprintf(full, sizeof full, "%s_p99_ms", name);
	measures_print(full, measures_quantile(measures, 0.99), "ms");
}

int
measures_fail(const struct fault *fault)
{
	fprintf(stderr, "bench: %s (%s:%d)\n", fault->message, fault->file, fault->line);
	return EXIT_FAILURE;
}

size_t
measures_argument(const char *text, size_t max)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);
	if (end != text && *end == '\0' && number >= 1 && number <= max)
		return number;
	fprintf(stderr, "bench: \"%s\" is no number from 1 to %zu\n", text, max);
	exit(2);
}
