#include "ca/jobs/latency.h"

#include <string.h>

#include "ca/base/metrics.h"

void
latency_reconciled(struct latency *latency, int64_t changed_at)
{
	if (latency->count < LATENCY_MAX)
		latency->changed_at[latency->count++] = changed_at;
}

void
latency_cut(struct latency *latency, int64_t serial)
{
	latency->serial = serial;
	latency->cut_count = latency->count;
}

void
latency_notified(struct latency *latency, int64_t serial, int64_t notified_at)
{
	int64_t longest_s = 0;
	if (latency->serial == 0 || serial < latency->serial)
		return;
	for (size_t i = 0; i < latency->cut_count; i++) {
		int64_t waited_s = notified_at > latency->changed_at[i] ? notified_at - latency->changed_at[i] : 0;
		metrics_observe(METRIC_HISTOGRAM_PUBLICATION_LATENCY, waited_s * 1000);
		longest_s = waited_s > longest_s ? waited_s : longest_s;
	}
	if (latency->cut_count > 0)
		metrics_set(METRIC_LATENCY, longest_s);
	latency->count -= latency->cut_count;
	memmove(latency->changed_at, latency->changed_at + latency->cut_count, latency->count * sizeof *latency->changed_at);
	latency->cut_count = 0;
	latency->serial = 0;
}
