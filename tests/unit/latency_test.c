#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ca/base/metrics.h"
#include "ca/jobs/latency.h"

static int64_t
observed(void)
{
	return metrics_observed(METRIC_HISTOGRAM_PUBLICATION_LATENCY);
}

static void
latency__counts_what_a_serial_brought_once(void **state)
{
	static struct latency latency;
	int64_t before = observed();
	(void)state;
	latency_notified(&latency, 7, 100);
	latency_reconciled(&latency, 100);
	latency_reconciled(&latency, 40);
	latency_cut(&latency, 8);
	latency_reconciled(&latency, 105); /* for the next one */
	latency_notified(&latency, 7, 110); /* the one before */
	assert_int_equal(observed(), before);
	latency_notified(&latency, 8, 111);
	assert_int_equal(observed(), before + 2);
	assert_int_equal(metrics_get(METRIC_LATENCY), 71);
	latency_notified(&latency, 8, 200);
	assert_int_equal(observed(), before + 2);
	latency_cut(&latency, 9);
	latency_notified(&latency, 12, 104); /* a clock that went back */
	assert_int_equal(observed(), before + 3);
	assert_int_equal(metrics_get(METRIC_LATENCY), 0);
	assert_int_equal(latency.count, 0);
}

static void
latency__is_bounded(void **state)
{
	static struct latency latency;
	int64_t before = observed();
	(void)state;
	for (int i = 0; i < LATENCY_MAX + 10; i++)
		latency_reconciled(&latency, i);
	latency_cut(&latency, 1);
	latency_reconciled(&latency, 5);
	latency_notified(&latency, 1, LATENCY_MAX);
	assert_int_equal(observed(), before + LATENCY_MAX);
	assert_int_equal(latency.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(latency__counts_what_a_serial_brought_once),
		cmocka_unit_test(latency__is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
