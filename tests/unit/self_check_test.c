#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/server/self_check.h"
#include "ca/base/atomic_file.h"
#include "ca/base/metrics.h"
#include "tests/support/served.h"

#define CASE(name) cmocka_unit_test_setup_teardown(name, served_open, served_close)

static struct config config;

static struct self_check *
new_check(struct served *served)
{
	struct self_check *check = NULL;
	WORLD_OK(self_check_new(served->world->db, served->directory, &served->world->clock, &config, &check,
		fault));
	return check;
}

/* Its section of what the server tells of itself. */
static json_t *
tell(struct served *served, struct self_check *check, bool well)
{
	AUTO(struct health, health_free) health = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	WORLD_OK(health_new(served->world->db, &served->world->clock, &health, fault));
	health_add(health, "check", self_check_tell, check);
	assert_int_equal(health_tell(health, &text), well);
	json_t *json = json_loads(bytes_text(&text), 0, NULL);
	assert_non_null(json);
	json_t *section = json_incref(json_object_get(json_object_get(json, "sections"), "check"));
	json_decref(json);
	return section;
}

static json_int_t
number(struct self_check *check, const char *name)
{
	json_t *json = NULL;
	WORLD_OK(self_check_json(check, &json, fault));
	json_int_t value = json_integer_value(json_object_get(json, name));
	json_decref(json);
	return value;
}

static void
self_check__has_nothing_to_tell_at_first(void **state)
{
	AUTO(struct self_check, self_check_free) check = new_check(*state);
	json_t *json = NULL, *told = tell(*state, check, true);
	assert_true(json_is_null(json_object_get(told, "checked_at")));
	json_decref(told);
	assert_int_equal(self_check_json(check, &json, NULL), FAULT_NOT_FOUND);
}

static void
self_check__tells_what_it_found(void **state)
{
	AUTO(struct self_check, self_check_free) check = new_check(*state);
	WORLD_OK(self_check_once(check, true, fault));
	json_t *told = tell(*state, check, true);
	assert_int_equal(json_integer_value(json_object_get(told, "findings")), 0);
	assert_true(json_integer_value(json_object_get(json_object_get(told, "expires_in_s"), "mft")) > 100000);
	assert_true(json_is_string(json_object_get(told, "all_checked_at")));
	json_decref(told);
	assert_int_equal(number(check, "payloads"), 3);
	assert_int_equal(number(check, "rsync_serial"), 3);
	assert_int_equal(metrics_get(METRIC_FINDINGS), 0);
	assert_true(metrics_get(METRIC_CHECKED_ALL_AT) > WORLD_START);
}

/* After a cut only CAs with a new manifest are read again, but the numbers are those of all. */
static void
self_check__looks_at_what_changed(void **state)
{
	struct served *served = *state;
	AUTO(struct self_check, self_check_free) check = new_check(served);
	WORLD_OK(self_check_once(check, true, fault));
	world_change_roas(served->world, served->alpha, "203.0.113.0/24", NULL);
	served_publish_rrdp(served);
	WORLD_OK(self_check_once(check, false, fault));
	assert_int_equal(number(check, "serial"), 4);
	assert_int_equal(number(check, "payloads"), 4);
	assert_int_equal(number(check, "findings_total"), 0);
	WORLD_OK(self_check_once(check, false, fault));
	assert_int_equal(number(check, "payloads"), 4);
	WORLD_OK(self_check_once(check, true, fault));
	assert_int_equal(number(check, "payloads"), 4);
}

/* A ROA that expires is seen though its CA is known: then it isn't trusted any more. */
static void
self_check__sees_what_was_right_expire(void **state)
{
	struct served *served = *state;
	AUTO(struct self_check, self_check_free) check = new_check(served);
	WORLD_OK(self_check_once(check, true, fault));
	clock_hand_set(&served->world->clock, WORLD_START + INT64_C(400) * 86400);
	WORLD_OK(self_check_once(check, false, fault));
	assert_true(number(check, "severe_total") > 3);
	assert_int_equal(number(check, "payloads"), 0);
}

/* What is severe counts once it was found twice in a row, and no longer than it is there. */
static void
self_check__is_sure_before_it_raises_alarm(void **state)
{
	struct served *served = *state;
	AUTO(struct self_check, self_check_free) check = new_check(served);
	AUTO_CLEAR(struct bytes, bytes_clear) tal = BYTES_INIT;
	WORLD_OK(self_check_once(check, true, fault));
	WORLD_OK(atomic_file_read(served->directory, "ta/ta.tal", 65536, &tal, fault));
	assert_int_equal(unlinkat(served->directory, "ta/ta.tal", 0), 0);
	WORLD_OK(self_check_once(check, true, fault));
	json_decref(tell(served, check, true));
	WORLD_OK(self_check_once(check, true, fault));
	json_decref(tell(served, check, false));
	assert_int_equal(metrics_get(METRIC_FINDINGS_SEVERE), 1);
	WORLD_OK(atomic_file_put(served->directory, "ta/ta.tal", bytes_span(&tal), 0644, ATOMIC_FILE_KEEP_TIME, fault));
	WORLD_OK(self_check_once(check, true, fault));
	json_decref(tell(served, check, true));
	assert_int_equal(metrics_get(METRIC_FINDINGS_SEVERE), 0);
}

/* A file's time in rsync is looked at again after the next serial, too: it isn't right because nobody looked. */
static void
self_check__keeps_what_it_found_in_rsync(void **state)
{
	struct served *served = *state;
	AUTO(struct self_check, self_check_free) check = new_check(served);
	struct timespec times[2] = { { .tv_sec = WORLD_START }, { .tv_sec = WORLD_START } };
	assert_int_equal(utimensat(served->directory, "rsync/current/ta/ta.cer", times, 0), 0);
	WORLD_OK(self_check_once(check, true, fault));
	assert_int_equal(number(check, "findings_total"), 1);
	world_change_roas(served->world, served->alpha, "203.0.113.0/24", NULL);
	served_publish_rrdp(served);
	WORLD_OK(self_check_once(check, false, fault));
	assert_int_equal(number(check, "serial"), 4);
	assert_int_equal(number(check, "findings_total"), 1);
}

static void
self_check__tells_that_it_cant_look(void **state)
{
	struct served *served = *state;
	AUTO(struct db, db_close) db = world_empty_database(served->world);
	AUTO(struct self_check, self_check_free) check = NULL;
	WORLD_OK(self_check_new(db, served->directory, &served->world->clock, &config, &check, fault));
	assert_int_equal(self_check_once(check, true, NULL), FAULT_NOT_FOUND);
	AUTO(struct health, health_free) health = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	WORLD_OK(health_new(served->world->db, &served->world->clock, &health, fault));
	health_add(health, "check", self_check_tell, check);
	assert_true(health_tell(health, &text));
	assert_non_null(strstr(bytes_text(&text), "\"failing\""));
}

static void
self_check__runs_by_itself_and_stops(void **state)
{
	AUTO(struct self_check, self_check_free) check = new_check(*state);
	json_t *json = NULL;
	WORLD_OK(self_check_start(check, fault));
	for (int i = 0; i < 600 && self_check_json(check, &json, NULL) != FAULT_NONE; i++) {
		self_check_wake(check);
		(void)usleep(50000);
	}
	assert_non_null(json);
	json_decref(json);
}

static int
setup(void **state)
{
	(void)state;
	return config_default(&config, NULL) == FAULT_NONE ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	config_clear(&config);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(self_check__has_nothing_to_tell_at_first),
		CASE(self_check__tells_what_it_found),
		CASE(self_check__looks_at_what_changed),
		CASE(self_check__sees_what_was_right_expire),
		CASE(self_check__is_sure_before_it_raises_alarm),
		CASE(self_check__keeps_what_it_found_in_rsync),
		CASE(self_check__tells_that_it_cant_look),
		CASE(self_check__runs_by_itself_and_stops),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
