#include "ca/base/metrics.h"

#include <inttypes.h>

struct metric_kind {
	const char *name, *type, *help;
};

static const struct metric_kind kinds[METRICS] = {
#define METRIC(id, name, type, help) [METRIC_##id] = { name, type, help },
#include "ca/base/metrics.def"
#undef METRIC
};

static int64_t values[METRICS];

void
metrics_add(enum metric metric, int64_t n)
{
	(void)__atomic_add_fetch(&values[metric], n, __ATOMIC_RELAXED);
}

void
metrics_set(enum metric metric, int64_t n)
{
	__atomic_store_n(&values[metric], n, __ATOMIC_RELAXED);
}

int64_t
metrics_get(enum metric metric)
{
	return __atomic_load_n(&values[metric], __ATOMIC_RELAXED);
}

enum fault_code
metrics_print(struct bytes *text, struct fault *fault)
{
	for (enum metric metric = 0; metric < METRICS; metric++) {
		const struct metric_kind *kind = &kinds[metric];
		TRY(bytes_printf(text, fault, "# HELP %s %s\n# TYPE %s %s\n%s %" PRId64 "\n", kind->name, kind->help, kind->name,
			kind->type, kind->name, metrics_get(metric)));
	}
	return FAULT_NONE;
}
