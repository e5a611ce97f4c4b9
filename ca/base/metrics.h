/*
 * metrics: numbers that the server counts or measures, printed in the Prometheus text format. All names stand in metrics.def.
 *
 * Threads: safe, without locks.
 */
#ifndef CA_BASE_METRICS_H
#define CA_BASE_METRICS_H

#include <stdint.h>

#include "ca/base/bytes.h"

enum metric {
#define METRIC(id, name, kind, help) METRIC_##id,
#include "ca/base/metrics.def"
#undef METRIC
	METRICS
};

void metrics_add(enum metric metric, int64_t n);   /* counters */
void metrics_set(enum metric metric, int64_t n);   /* gauges */
int64_t metrics_get(enum metric metric);

/* Appends all of them with # HELP and # TYPE lines. Faults: MEMORY. */
CHECKED enum fault_code metrics_print(struct bytes *text, struct fault *fault);

#endif
