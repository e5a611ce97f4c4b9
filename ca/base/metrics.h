/*
 * metrics: numbers that the server counts or measures, printed in the Prometheus text format (version 0.0.4). All names stand in
 * metrics.def: single numbers, families of numbers told apart by a label, histograms of durations.
 *
 * Threads: safe. Single numbers and histograms take no lock; families take one.
 */
#ifndef CA_BASE_METRICS_H
#define CA_BASE_METRICS_H

#include <stdint.h>

#include "ca/base/bytes.h"

enum metric {
#define METRIC(id, name, kind, help) METRIC_##id,
#include "ca/base/metrics.def"
	METRICS
};

enum metric_family {
#define METRIC_FAMILY(id, name, label, series_max, help) METRIC_FAMILY_##id,
#include "ca/base/metrics.def"
	METRIC_FAMILIES
};

enum metric_histogram {
#define METRIC_HISTOGRAM(id, name, help, ...) METRIC_HISTOGRAM_##id,
#include "ca/base/metrics.def"
	METRIC_HISTOGRAMS
};

#define METRICS_LABEL_MAX 127                    /* bytes of a label's value; what is longer is cut */

void metrics_add(enum metric metric, int64_t n);   /* counters */
void metrics_set(enum metric metric, int64_t n);   /* gauges */
int64_t metrics_get(enum metric metric);

/*
 * A family's gauges, told apart by the label's value (UTF-8; escaped when printed). What was not set between begin and end is gone
 * after the end. A family holds its series_max at most: further ones are left out and counted in METRIC_SERIES_LEFT_OUT, so that no
 * number of CAs makes the answer endless. One thread at a time between begin and end of the same family.
 */
void metrics_family_begin(enum metric_family family);
void metrics_family_set(enum metric_family family, const char *value, int64_t n); /* also alone: adds or replaces one */
void metrics_family_end(enum metric_family family);

/* Counts a duration. Negative ones (a clock that went back) count as 0. */
void metrics_observe(enum metric_histogram histogram, int64_t duration_ms);
int64_t metrics_observed(enum metric_histogram histogram); /* how many were counted */

/* Appends all of them with # HELP and # TYPE lines. Faults: MEMORY. */
CHECKED enum fault_code metrics_print(struct bytes *text, struct fault *fault);

#endif
