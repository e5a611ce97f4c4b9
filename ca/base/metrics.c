#include "ca/base/metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define SERIES_LIMIT 100                         /* the largest series_max */
#define BUCKETS_MAX 16

struct metric_kind {
	const char *name, *type, *help;
};

static const struct metric_kind kinds[METRICS] = {
#define METRIC(id, name, type, help) [METRIC_##id] = { name, type, help },
#include "ca/base/metrics.def"
};

static const struct family_kind {
	struct metric_kind kind;
	const char *label;
	size_t series_max;
} family_kinds[METRIC_FAMILIES] = {
#define METRIC_FAMILY(id, name, label, series_max, help) [METRIC_FAMILY_##id] = { { name, "gauge", help }, label, series_max },
#include "ca/base/metrics.def"
};

static const struct histogram_kind {
	struct metric_kind kind;
	int64_t bounds_ms[BUCKETS_MAX];          /* rising; ended by 0 */
} histogram_kinds[METRIC_HISTOGRAMS] = {
#define METRIC_HISTOGRAM(id, name, help, ...) [METRIC_HISTOGRAM_##id] = { { name, "histogram", help }, { __VA_ARGS__ } },
#include "ca/base/metrics.def"
};

static int64_t values[METRICS];

/* One gauge of a family. */
struct series {
	char value[METRICS_LABEL_MAX + 1];
	int64_t n;
	bool set;                                /* since the family's begin */
};

static struct family {
	struct series series[SERIES_LIMIT];
	size_t count;
} families[METRIC_FAMILIES];
static pthread_mutex_t families_mutex = PTHREAD_MUTEX_INITIALIZER;

static struct histogram {
	int64_t buckets[BUCKETS_MAX];            /* each counts its own alone; the last that is used: beyond all bounds */
	int64_t sum_ms;
} histograms[METRIC_HISTOGRAMS];

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

/* Families. */

void
metrics_family_begin(enum metric_family which)
{
	struct family *family = &families[which];
	pthread_mutex_lock(&families_mutex);
	for (size_t i = 0; i < family->count; i++)
		family->series[i].set = false;
	pthread_mutex_unlock(&families_mutex);
}

/* The series of that value, a new one, or one that this round has not set: its CA is well again. NULL: there is no room. */
static struct series *
find_series(struct family *family, size_t series_max, const char *value)
{
	struct series *free_one = NULL;
	for (size_t i = 0; i < family->count; i++) {
		if (strcmp(family->series[i].value, value) == 0)
			return &family->series[i];
		if (!family->series[i].set)
			free_one = &family->series[i];
	}
	return family->count < series_max ? &family->series[family->count++] : free_one;
}

/* Between two characters of UTF-8. */
static void
cut(const char *value, char ret_value[METRICS_LABEL_MAX + 1])
{
	size_t length = strlen(value);
	if (length > METRICS_LABEL_MAX)
		for (length = METRICS_LABEL_MAX; length > 0 && ((unsigned char)value[length] & 0xc0) == 0x80;)
			length--;
	memcpy(ret_value, value, length);
	ret_value[length] = '\0';
}

void
metrics_family_set(enum metric_family which, const char *label, int64_t n)
{
	struct family *family = &families[which];
	char value[METRICS_LABEL_MAX + 1];
	cut(label, value);
	INVARIANT(family_kinds[which].series_max <= SERIES_LIMIT);
	pthread_mutex_lock(&families_mutex);
	struct series *series = find_series(family, family_kinds[which].series_max, value);
	if (series != NULL) {
		memcpy(series->value, value, sizeof value);
		series->n = n;
		series->set = true;
	}
	pthread_mutex_unlock(&families_mutex);
	if (series == NULL)
		metrics_add(METRIC_SERIES_LEFT_OUT, 1);
}

void
metrics_family_end(enum metric_family which)
{
	struct family *family = &families[which];
	size_t kept = 0;
	pthread_mutex_lock(&families_mutex);
	for (size_t i = 0; i < family->count; i++)
		if (family->series[i].set)
			family->series[kept++] = family->series[i];
	family->count = kept;
	pthread_mutex_unlock(&families_mutex);
}

/* Histograms. */

void
metrics_observe(enum metric_histogram histogram, int64_t duration_ms)
{
	const int64_t *bounds_ms = histogram_kinds[histogram].bounds_ms;
	size_t bucket = 0;
	if (duration_ms < 0)
		duration_ms = 0;
	INVARIANT(bounds_ms[BUCKETS_MAX - 1] == 0);
	while (bounds_ms[bucket] != 0 && duration_ms > bounds_ms[bucket])
		bucket++;
	(void)__atomic_add_fetch(&histograms[histogram].sum_ms, duration_ms, __ATOMIC_RELAXED);
	(void)__atomic_add_fetch(&histograms[histogram].buckets[bucket], 1, __ATOMIC_RELAXED);
}

int64_t
metrics_observed(enum metric_histogram histogram)
{
	int64_t count = 0;
	for (size_t i = 0; i < BUCKETS_MAX; i++)
		count += __atomic_load_n(&histograms[histogram].buckets[i], __ATOMIC_RELAXED);
	return count;
}

/* Printing. */

static enum fault_code
print_head(const struct metric_kind *kind, struct bytes *text, struct fault *fault)
{
	return bytes_printf(text, fault, "# HELP %s %s\n# TYPE %s %s\n", kind->name, kind->help, kind->name, kind->type);
}

/* A label's value: backslash, quote and line feed are escaped, all else stands as it is. */
static enum fault_code
print_escaped(const char *value, struct bytes *text, struct fault *fault)
{
	for (; *value != '\0'; value++) {
		if (*value == '\\' || *value == '"')
			TRY(bytes_append(text, (const char[]){ '\\', *value }, 2, fault));
		else if (*value == '\n')
			TRY(bytes_append_text(text, "\\n", fault));
		else
			TRY(bytes_append(text, value, 1, fault));
	}
	return FAULT_NONE;
}

static enum fault_code
print_series(const struct family_kind *kind, const struct family *family, struct bytes *text, struct fault *fault)
{
	for (size_t i = 0; i < family->count; i++) {
		TRY(bytes_printf(text, fault, "%s{%s=\"", kind->kind.name, kind->label));
		TRY(print_escaped(family->series[i].value, text, fault));
		TRY(bytes_printf(text, fault, "\"} %" PRId64 "\n", family->series[i].n));
	}
	return FAULT_NONE;
}

static enum fault_code
print_family(enum metric_family which, struct bytes *text, struct fault *fault)
{
	struct family *family = &families[which];
	TRY(print_head(&family_kinds[which].kind, text, fault));
	pthread_mutex_lock(&families_mutex);
	enum fault_code code = print_series(&family_kinds[which], family, text, fault);
	pthread_mutex_unlock(&families_mutex);
	return code;
}

/* Buckets are printed as what they and all smaller ones counted, in seconds; _count is read with them, so that they agree. */
static enum fault_code
print_histogram(enum metric_histogram which, struct bytes *text, struct fault *fault)
{
	const struct histogram_kind *kind = &histogram_kinds[which];
	const char *name = kind->kind.name;
	int64_t count = 0, sum_ms = __atomic_load_n(&histograms[which].sum_ms, __ATOMIC_RELAXED);
	TRY(print_head(&kind->kind, text, fault));
	for (size_t i = 0;; i++) {
		count += __atomic_load_n(&histograms[which].buckets[i], __ATOMIC_RELAXED);
		if (kind->bounds_ms[i] == 0)
			break;
		TRY(bytes_printf(text, fault, "%s_bucket{le=\"%" PRId64 ".%03" PRId64 "\"} %" PRId64 "\n", name, kind->bounds_ms[i] / 1000,
			kind->bounds_ms[i] % 1000, count));
	}
	TRY(bytes_printf(text, fault, "%s_bucket{le=\"+Inf\"} %" PRId64 "\n", name, count));
	return bytes_printf(text, fault, "%s_sum %" PRId64 ".%03" PRId64 "\n%s_count %" PRId64 "\n", name, sum_ms / 1000, sum_ms % 1000,
		name, count);
}

enum fault_code
metrics_print(struct bytes *text, struct fault *fault)
{
	for (enum metric metric = 0; metric < METRICS; metric++) {
		TRY(print_head(&kinds[metric], text, fault));
		TRY(bytes_printf(text, fault, "%s %" PRId64 "\n", kinds[metric].name, metrics_get(metric)));
	}
	for (enum metric_family family = 0; family < METRIC_FAMILIES; family++)
		TRY(print_family(family, text, fault));
	for (enum metric_histogram histogram = 0; histogram < METRIC_HISTOGRAMS; histogram++)
		TRY(print_histogram(histogram, text, fault));
	return FAULT_NONE;
}
