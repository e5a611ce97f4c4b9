#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/metrics.h"

static void
metrics__count_and_measure(void **state)
{
	(void)state;
	int64_t before = metrics_get(METRIC_SIGNATURES);
	metrics_add(METRIC_SIGNATURES, 1);
	metrics_add(METRIC_SIGNATURES, 41);
	assert_int_equal(metrics_get(METRIC_SIGNATURES), before + 42);
	metrics_set(METRIC_SERIAL, 7);
	metrics_set(METRIC_SERIAL, 8);
	assert_int_equal(metrics_get(METRIC_SERIAL), 8);
	metrics_set(METRIC_SERIAL, 0);
}

static void *
count(void *argument)
{
	(void)argument;
	for (int i = 0; i < 10000; i++)
		metrics_add(METRIC_REQUESTS, 1);
	return NULL;
}

static void
metrics__no_count_is_lost_between_threads(void **state)
{
	(void)state;
	pthread_t threads[4];
	int64_t before = metrics_get(METRIC_REQUESTS);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count, NULL), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(metrics_get(METRIC_REQUESTS), before + 40000);
}

/* A strict reader of the text format: what it doesn't know fails the case. */

struct sample {
	char name[128];
	char label[64], value[512];     /* of its only label, unescaped; empty: it has none */
	double number;
};

#define SAMPLES_MAX 1000
struct reader {
	const char *rest;
	struct sample samples[SAMPLES_MAX];
	size_t count;
};

static void
take_word(struct reader *reader, const char *word)
{
	if (strncmp(reader->rest, word, strlen(word)) != 0)
		fail_msg("\"%s\" expected at \"%.60s\"", word, reader->rest);
	reader->rest += strlen(word);
}

static void
take_name(struct reader *reader, char *ret_name, size_t size)
{
	size_t length = strspn(reader->rest, "abcdefghijklmnopqrstuvwxyz_");
	assert_in_range(length, 1, size - 1);
	memcpy(ret_name, reader->rest, length);
	ret_name[length] = '\0';
	reader->rest += length;
}

static void
take_label(struct reader *reader, struct sample *sample)
{
	size_t length = 0;
	take_word(reader, "{");
	take_name(reader, sample->label, sizeof sample->label);
	take_word(reader, "=\"");
	for (; *reader->rest != '"'; reader->rest++) {
		char c = *reader->rest;
		assert_true(c != '\n' && c != '\0' && length < sizeof sample->value - 1);
		if (c == '\\') {
			c = *++reader->rest;
			assert_true(c == '\\' || c == '"' || c == 'n');
			c = c == 'n' ? '\n' : c;
		}
		sample->value[length++] = c;
	}
	sample->value[length] = '\0';
	take_word(reader, "\"}");
}

static void
take_sample(struct reader *reader, const char *family)
{
	struct sample *sample = &reader->samples[reader->count++];
	assert_true(reader->count <= SAMPLES_MAX);
	*sample = (struct sample){ .number = 0 };
	take_name(reader, sample->name, sizeof sample->name);
	assert_memory_equal(sample->name, family, strlen(family));
	if (*reader->rest == '{')
		take_label(reader, sample);
	take_word(reader, " ");
	size_t length = strspn(reader->rest, "-0123456789.");
	char *end;
	sample->number = strtod(reader->rest, &end);
	assert_ptr_equal(end, reader->rest + length);
	reader->rest = end;
	take_word(reader, "\n");
	for (size_t i = 0; i + 1 < reader->count; i++)
		if (strcmp(reader->samples[i].name, sample->name) == 0 && strcmp(reader->samples[i].value, sample->value) == 0)
			fail_msg("%s{%s} is there twice", sample->name, sample->value);
}

/* Cumulative buckets with rising bounds, the last +Inf and equal to _count; then _sum. */
static void
check_histogram(const struct reader *reader, size_t first, const char *family)
{
	size_t last = reader->count - 3;
	double before = -1, bound = -1;
	for (size_t i = first; i <= last; i++) {
		const struct sample *sample = &reader->samples[i];
		assert_string_equal(sample->name + strlen(family), "_bucket");
		assert_string_equal(sample->label, "le");
		assert_true(sample->number >= before);
		assert_true(i == last ? strcmp(sample->value, "+Inf") == 0 : strtod(sample->value, NULL) > bound);
		before = sample->number;
		bound = strtod(sample->value, NULL);
	}
	assert_string_equal(reader->samples[last + 1].name + strlen(family), "_sum");
	assert_string_equal(reader->samples[last + 2].name + strlen(family), "_count");
	assert_true(reader->samples[last + 2].number == before);
}

/* # HELP name words, # TYPE name kind, then its samples. Names end as Prometheus' conventions want. */
static void
take_family(struct reader *reader)
{
	char name[128], again[128], type[32];
	size_t first = reader->count;
	take_word(reader, "# HELP ");
	take_name(reader, name, sizeof name);
	assert_memory_equal(name, "cadastre_", 9);
	take_word(reader, " ");
	size_t length = strcspn(reader->rest, "\n\\");
	assert_true(length > 1 && reader->rest[length] == '\n' && reader->rest[length - 1] == '.');
	reader->rest += length;
	take_word(reader, "\n# TYPE ");
	take_name(reader, again, sizeof again);
	assert_string_equal(again, name);
	take_word(reader, " ");
	take_name(reader, type, sizeof type);
	take_word(reader, "\n");
	while (*reader->rest != '#' && *reader->rest != '\0')
		take_sample(reader, name);
	bool total = strlen(name) > 6 && strcmp(name + strlen(name) - 6, "_total") == 0;
	assert_true(total == (strcmp(type, "counter") == 0));
	if (strcmp(type, "histogram") == 0) {
		check_histogram(reader, first, name);
		return;
	}
	assert_true(total || strcmp(type, "gauge") == 0);
	for (size_t i = first; i < reader->count; i++)
		assert_string_equal(reader->samples[i].name, name);
}

static struct reader *
read_all(void)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	struct reader *reader = calloc(1, sizeof *reader);
	assert_non_null(reader);
	assert_int_equal(metrics_print(&text, NULL), FAULT_NONE);
	assert_int_equal(text.data[text.length - 1], '\n');
	for (reader->rest = bytes_text(&text); *reader->rest != '\0';)
		take_family(reader);
	return reader;
}

/* A number that was printed; -1: it was not. */
static double
number(const struct reader *reader, const char *name, const char *value)
{
	for (size_t i = 0; i < reader->count; i++)
		if (strcmp(reader->samples[i].name, name) == 0 && strcmp(reader->samples[i].value, value) == 0)
			return reader->samples[i].number;
	return -1;
}

static void
metrics__print_follows_the_text_format(void **state)
{
	(void)state;
	metrics_set(METRIC_PUBLISHED_AT, INT64_C(253402300799));
	struct reader *reader = read_all();
	assert_true(number(reader, "cadastre_publication_written_timestamp_seconds", "") == 253402300799.0);
	assert_true(number(reader, "cadastre_signatures_total", "") == (double)metrics_get(METRIC_SIGNATURES));
	assert_true(reader->count >= METRICS);
	free(reader);
	metrics_set(METRIC_PUBLISHED_AT, 0);
}

static void
metrics__labels_are_escaped(void **state)
{
	static const char *const values[] = { "plain", "a\"b", "a\\b", "a\nb", "\\n", "\"} 1\ncadastre_forged 7", "\xc3\xa9", "",
		"{le=\"1\"}" };
	(void)state;
	metrics_family_begin(METRIC_FAMILY_SET_ASIDE);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		metrics_family_set(METRIC_FAMILY_SET_ASIDE, values[i], (int64_t)i + 1);
	metrics_family_end(METRIC_FAMILY_SET_ASIDE);
	struct reader *reader = read_all();
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		assert_true(number(reader, "cadastre_set_aside_timestamp_seconds", values[i]) == (double)i + 1);
	assert_true(number(reader, "cadastre_forged", "") == -1);
	free(reader);
}

static void
metrics__a_family_holds_what_was_set_last(void **state)
{
	(void)state;
	metrics_family_begin(METRIC_FAMILY_EXPIRY);
	metrics_family_set(METRIC_FAMILY_EXPIRY, "mft", 5);
	metrics_family_set(METRIC_FAMILY_EXPIRY, "mft", -6);
	metrics_family_set(METRIC_FAMILY_EXPIRY, "roa", 7);
	metrics_family_end(METRIC_FAMILY_EXPIRY);
	struct reader *reader = read_all();
	assert_true(number(reader, "cadastre_expiry_seconds", "mft") == -6);
	assert_true(number(reader, "cadastre_expiry_seconds", "roa") == 7);
	free(reader);
	metrics_family_begin(METRIC_FAMILY_EXPIRY);
	metrics_family_set(METRIC_FAMILY_EXPIRY, "roa", 8);
	metrics_family_end(METRIC_FAMILY_EXPIRY);
	reader = read_all();
	assert_true(number(reader, "cadastre_expiry_seconds", "mft") == -1);
	assert_true(number(reader, "cadastre_expiry_seconds", "roa") == 8);
	free(reader);
}

/* However many CAs there are, the answer stays small; and those of a round before make room. */
static void
metrics__a_family_is_bounded(void **state)
{
	char value[400];
	(void)state;
	for (int round = 0; round < 2; round++) {
		int64_t left_out = metrics_get(METRIC_SERIES_LEFT_OUT);
		metrics_family_begin(METRIC_FAMILY_SET_ASIDE);
		for (int i = 0; i < 130; i++) {
			(void)snprintf(value, sizeof value, "ca-%d-%d", round, i);
			metrics_family_set(METRIC_FAMILY_SET_ASIDE, value, i);
		}
		metrics_family_end(METRIC_FAMILY_SET_ASIDE);
		assert_int_equal(metrics_get(METRIC_SERIES_LEFT_OUT), left_out + 30);
		struct reader *reader = read_all();
		(void)snprintf(value, sizeof value, "ca-%d-99", round);
		assert_true(number(reader, "cadastre_set_aside_timestamp_seconds", value) == 99);
		free(reader);
	}
	metrics_family_begin(METRIC_FAMILY_SET_ASIDE);
	metrics_family_end(METRIC_FAMILY_SET_ASIDE);
	/* A long value is cut, not within a character. */
	memset(value, 'x', 126);
	(void)snprintf(value + 126, sizeof value - 126, "\xc3\xa9 and more");
	metrics_family_set(METRIC_FAMILY_SET_ASIDE, value, 3);
	metrics_family_set(METRIC_FAMILY_SET_ASIDE, value, 4);
	struct reader *reader = read_all();
	value[126] = '\0';
	assert_true(number(reader, "cadastre_set_aside_timestamp_seconds", value) == 4);
	free(reader);
}

static void
metrics__histograms_count_into_buckets(void **state)
{
	static const int64_t durations_ms[] = { 0, -5000, 1000, 1001, 2500, 21600000, 21600001, INT64_C(1) << 40 };
	(void)state;
	int64_t before = metrics_observed(METRIC_HISTOGRAM_PUBLICATION_LATENCY);
	assert_int_equal(before, 0);
	for (size_t i = 0; i < sizeof durations_ms / sizeof *durations_ms; i++)
		metrics_observe(METRIC_HISTOGRAM_PUBLICATION_LATENCY, durations_ms[i]);
	assert_int_equal(metrics_observed(METRIC_HISTOGRAM_PUBLICATION_LATENCY), 8);
	struct reader *reader = read_all();
	const char *bucket = "cadastre_publication_latency_seconds_bucket";
	assert_true(number(reader, bucket, "1.000") == 3);
	assert_true(number(reader, bucket, "2.000") == 4);
	assert_true(number(reader, bucket, "5.000") == 5);
	assert_true(number(reader, bucket, "3600.000") == 5);
	assert_true(number(reader, bucket, "21600.000") == 6);
	assert_true(number(reader, bucket, "+Inf") == 8);
	assert_true(number(reader, "cadastre_publication_latency_seconds_count", "") == 8);
	free(reader);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metrics__count_and_measure),
		cmocka_unit_test(metrics__no_count_is_lost_between_threads),
		cmocka_unit_test(metrics__print_follows_the_text_format),
		cmocka_unit_test(metrics__labels_are_escaped),
		cmocka_unit_test(metrics__a_family_holds_what_was_set_last),
		cmocka_unit_test(metrics__a_family_is_bounded),
		cmocka_unit_test(metrics__histograms_count_into_buckets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
