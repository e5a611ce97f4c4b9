#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
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

/* Three lines each: # HELP name words, # TYPE name counter or gauge, name value. Names end as Prometheus' conventions want. */
static void
metrics__print_follows_the_text_format(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	assert_int_equal(bytes_append_text(&text, "before\n", NULL), FAULT_NONE);
	metrics_set(METRIC_PUBLISHED_AT, INT64_C(253402300799));
	assert_int_equal(metrics_print(&text, NULL), FAULT_NONE);
	char *rest = NULL;
	assert_string_equal(strtok_r((char *)text.data, "\n", &rest), "before");
	for (enum metric metric = 0; metric < METRICS; metric++) {
		const char *help = strtok_r(NULL, "\n", &rest), *type = strtok_r(NULL, "\n", &rest);
		const char *value = strtok_r(NULL, "\n", &rest);
		assert_non_null(value);
		size_t length = strcspn(value, " ");
		assert_int_equal(strspn(value, "abcdefghijklmnopqrstuvwxyz_"), length);
		assert_memory_equal(value, "cadastre_", 9);
		assert_memory_equal(help, "# HELP ", 7);
		assert_memory_equal(help + 7, value, length + 1);
		assert_memory_equal(type, "# TYPE ", 7);
		assert_memory_equal(type + 7, value, length + 1);
		bool counter = strcmp(type + 7 + length + 1, "counter") == 0;
		assert_true(counter || strcmp(type + 7 + length + 1, "gauge") == 0);
		assert_true(counter == (memcmp(value + length - 6, "_total", 6) == 0));
		char *end;
		assert_int_equal(strtoll(value + length, &end, 10), metrics_get(metric));
		assert_int_equal(*end, '\0');
	}
	assert_null(strtok_r(NULL, "\n", &rest));
	metrics_set(METRIC_PUBLISHED_AT, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metrics__count_and_measure),
		cmocka_unit_test(metrics__no_count_is_lost_between_threads),
		cmocka_unit_test(metrics__print_follows_the_text_format),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
