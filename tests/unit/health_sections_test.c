#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "api/server/health_sections.h"
#include "ca/base/metrics.h"
#include "tests/unit/registry.h"

#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)

static int64_t largest; /* repository_size_max; 0: as it is by default */

/* A report on the registry as it is, at that time after REGISTRY_NOW. To be freed; valid for one report. */
static json_t *
report(struct registry *registry, int64_t after_s, bool *ret_ready)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	AUTO(struct health, health_free) health = NULL;
	clock_hand_set(&registry->clock, REGISTRY_NOW + after_s);
	assert_int_equal(config_default(&config, NULL), FAULT_NONE);
	config.repository_size_max = largest != 0 ? largest : config.repository_size_max;
	assert_int_equal(health_new(registry->db, &registry->clock, &health, NULL), FAULT_NONE);
	health_sections_add(health, &config);
	*ret_ready = health_tell(health, &text);
	assert_null(strstr(bytes_text(&text), "alpha")); /* anybody may read it */
	json_t *json = json_loads(bytes_text(&text), JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	return json;
}

static int64_t
number(const json_t *json, const char *section, const char *name)
{
	const json_t *value = json_object_get(json_object_get(json_object_get(json, "sections"), section), name);
	if (!json_is_integer(value))
		fail_msg("no number %s.%s", section, name);
	return json_integer_value(value);
}

/* What the finding of that kind says under a key; "none". */
static const char *
finding_of(const json_t *json, const char *kind, const char *key)
{
	static char text[256];
	size_t index;
	json_t *finding;
	json_array_foreach(json_object_get(json, "findings"), index, finding) {
		if (strcmp(json_string_value(json_object_get(finding, "kind")), kind) == 0) {
			(void)snprintf(text, sizeof text, "%s", json_string_value(json_object_get(finding, key)));
			return text;
		}
	}
	return "none";
}

static const char *
level_of(const json_t *json, const char *kind)
{
	return finding_of(json, kind, "level");
}

static void
assert_level(struct registry *registry, int64_t after_s, const char *kind, const char *level)
{
	bool ready;
	json_t *json = report(registry, after_s, &ready);
	if (strcmp(level_of(json, kind), level) != 0)
		fail_msg("%s after %" PRId64 " s: %s, not %s", kind, after_s, level_of(json, kind), level);
	assert_int_equal(ready, strcmp(level, "failure") != 0);
	json_decref(json);
}

static void
health_sections__expiry_is_the_worse_the_less_is_left(void **state)
{
	static const struct { int64_t left_s, margin_s, min_s; int level; } cases[] = {
		{ 12 * HOUR, 12 * HOUR, 4 * HOUR, -1 }, { 6 * HOUR, 12 * HOUR, 4 * HOUR, -1 },
		{ 6 * HOUR - 1, 12 * HOUR, 4 * HOUR, HEALTH_NOTE }, { 5 * HOUR, 12 * HOUR, 4 * HOUR, HEALTH_NOTE },
		{ 9 * HOUR / 2 - 1, 12 * HOUR, 4 * HOUR, HEALTH_WARNING }, { 4 * HOUR, 12 * HOUR, 4 * HOUR, HEALTH_WARNING },
		{ 4 * HOUR - 1, 12 * HOUR, 4 * HOUR, HEALTH_FAILURE }, { 0, 12 * HOUR, 0, HEALTH_FAILURE }, { -DAY, 12 * HOUR, 0, HEALTH_FAILURE },
		{ 1, 12 * HOUR, 0, HEALTH_WARNING }, { 14 * DAY, 28 * DAY, 4 * HOUR, -1 }, { 14 * DAY - 1, 28 * DAY, 4 * HOUR, HEALTH_NOTE },
		{ 10 * DAY, 28 * DAY, 4 * HOUR, HEALTH_WARNING }, { 3 * HOUR, HOUR, 4 * HOUR, HEALTH_FAILURE },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum health_level level = HEALTH_LEVELS;
		bool found = health_sections_expiry_level(cases[i].left_s, cases[i].margin_s, cases[i].min_s, &level);
		if (found != (cases[i].level >= 0) || (found && (int)level != cases[i].level))
			fail_msg("case %zu", i);
	}
}

static void
health_sections__lateness_grows(void **state)
{
	static const struct { int64_t late_s, allowed_s, max_s; int level; } cases[] = {
		{ 0, 1200, 3 * HOUR, -1 }, { 1200, 1200, 3 * HOUR, -1 }, { 1201, 1200, 3 * HOUR, HEALTH_NOTE },
		{ 3 * HOUR / 2 - 1, 1200, 3 * HOUR, HEALTH_NOTE }, { 3 * HOUR / 2, 1200, 3 * HOUR, HEALTH_WARNING },
		{ 3 * HOUR, 1200, 3 * HOUR, HEALTH_FAILURE }, { 700, 1200, 600, HEALTH_FAILURE }, { -5, 0, 600, -1 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum health_level level = HEALTH_LEVELS;
		bool found = health_sections_late_level(cases[i].late_s, cases[i].allowed_s, cases[i].max_s, &level);
		if (found != (cases[i].level >= 0) || (found && (int)level != cases[i].level))
			fail_msg("case %zu", i);
	}
}

static void
health_sections__tell_of_what_waits(void **state)
{
	struct registry *registry = *state;
	bool ready;
	registry_sql(registry, "UPDATE cas SET changed_at = NULL");
	(void)registry_member_id(registry, "alpha", "192.0.2.0/24");
	(void)registry_member_id(registry, "alpha-2", "198.51.100.0/24");
	registry_sql(registry, "UPDATE cas SET changed_at = changed_at + 50 WHERE handle = 'alpha-2'");
	json_t *json = report(registry, 100, &ready);
	assert_true(ready);
	assert_int_equal(number(json, "queue", "cas"), 2);
	assert_int_equal(number(json, "queue", "oldest_s"), 100);
	assert_int_equal(metrics_get(METRIC_CAS_DUE), 2);
	assert_int_equal(metrics_get(METRIC_QUEUE_OLDEST), 100);
	json_decref(json);
	assert_level(registry, 60 + 1800, "queue-old", "none");
	assert_level(registry, 60 + 1801, "queue-old", "warning");
	/* What an operator holds back, or can't be done, waits for somebody, not for the server. */
	registry_sql(registry, "UPDATE cas SET held_at = 1 WHERE handle = 'alpha'; UPDATE cas SET set_aside_at = 1 WHERE handle = 'alpha-2'");
	json = report(registry, 100, &ready);
	assert_int_equal(number(json, "queue", "cas"), 0);
	assert_int_equal(number(json, "queue", "held"), 1);
	assert_int_equal(number(json, "queue", "oldest_s"), 0);
	json_decref(json);
}

/* Not ready hours before anything expires. */
static void
health_sections__renewals_that_nobody_runs_are_told(void **state)
{
	struct registry *registry = *state;
	bool ready;
	(void)registry_member_id(registry, "alpha", "192.0.2.0/24");
	registry_sql(registry, "UPDATE cas SET renew_at = %" PRId64 " WHERE handle = 'alpha'", REGISTRY_NOW);
	assert_level(registry, -HOUR, "overdue", "none");
	assert_level(registry, 35 * 60, "overdue", "none");
	assert_level(registry, 40 * 60, "overdue", "note");
	assert_level(registry, 2 * HOUR, "overdue", "warning");
	assert_level(registry, 3 * HOUR, "overdue", "failure");
	json_t *json = report(registry, 3 * HOUR, &ready);
	assert_int_equal(number(json, "renewals", "due"), 1);
	assert_int_equal(number(json, "renewals", "overdue"), 1);
	assert_int_equal(number(json, "renewals", "late_s"), 3 * HOUR);
	json_decref(json);
	registry_sql(registry, "UPDATE cas SET set_aside_at = 1 WHERE handle = 'alpha'");
	assert_level(registry, 3 * HOUR, "overdue", "none");
}

static void
insert_object(struct registry *registry, int64_t ca_id, const char *kind, int64_t left_s, const char *published)
{
	static int names;
	registry_sql(registry, "INSERT OR IGNORE INTO keys (key_id, ca_id, spki, key_identifier, created_at) VALUES (%" PRId64 ", %" PRId64
		", x'', x'%08x', 1); INSERT INTO objects (repository_id, ca_id, key_id, kind, path, hash, size, not_before_at, not_after_at, "
		"modified_at, published_serial) VALUES (1, %" PRId64 ", %" PRId64 ", '%s', 'object-%d', x'', 1, 1, %" PRId64 ", 1, %s)", ca_id, ca_id,
		(unsigned)ca_id, ca_id, ca_id, kind, ++names, REGISTRY_NOW + left_s, published);
}

static void
health_sections__objects_that_expire_are_told(void **state)
{
	struct registry *registry = *state;
	int64_t alpha = registry_member_id(registry, "alpha", "192.0.2.0/24"), beta = registry_member_id(registry, "beta", "");
	bool ready;
	insert_object(registry, alpha, "mft", 30 * HOUR, "1");
	insert_object(registry, beta, "mft", 40 * HOUR, "1");
	insert_object(registry, beta, "roa", 100 * DAY, "1");
	insert_object(registry, beta, "roa", HOUR, "NULL"); /* staged: nobody has seen it */
	json_t *json = report(registry, 0, &ready);
	const json_t *expiry = json_object_get(json_object_get(json, "sections"), "expiry");
	assert_int_equal(json_object_size(expiry), 2);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(expiry, "mft"), "left_s")), 30 * HOUR);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(expiry, "roa"), "left_s")), 100 * DAY);
	json_decref(json);
	assert_level(registry, 24 * HOUR, "expiry-mft", "none");
	assert_level(registry, 25 * HOUR, "expiry-mft", "note");
	assert_level(registry, 26 * HOUR, "expiry-mft", "warning");
	assert_level(registry, 26 * HOUR + 1, "expiry-mft", "failure");
	assert_level(registry, 31 * HOUR, "expiry-mft", "failure");
	/* One that is set aside expires alone. */
	registry_sql(registry, "UPDATE cas SET set_aside_at = 1, set_aside_reason = 'alpha' WHERE handle = 'alpha'");
	assert_level(registry, 31 * HOUR, "expiry-mft", "none");
	assert_level(registry, 31 * HOUR, "set-aside", "warning");
	registry_sql(registry, "UPDATE objects SET withdrawn_serial = 2 WHERE ca_id = %" PRId64, beta);
	json = report(registry, 31 * HOUR, &ready);
	assert_int_equal(json_object_size(json_object_get(json_object_get(json, "sections"), "expiry")), 0);
	json_decref(json);
}

/* A member's is a warning; one above others takes all of them along. */
static void
health_sections__cas_set_aside_are_told(void **state)
{
	struct registry *registry = *state;
	bool ready;
	(void)registry_member_id(registry, "alpha", "192.0.2.0/24");
	assert_level(registry, 0, "set-aside", "none");
	registry_sql(registry, "UPDATE cas SET set_aside_at = 7, set_aside_reason = 'a \"key\" of alpha' WHERE handle = 'alpha'");
	assert_level(registry, 0, "set-aside", "warning");
	assert_int_equal(metrics_get(METRIC_CAS_SET_ASIDE), 1);
	registry_sql(registry, "UPDATE cas SET set_aside_at = 7 WHERE kind = 'issuing'");
	assert_level(registry, 0, "parent-set-aside", "failure");
	json_t *json = report(registry, 0, &ready);
	assert_string_equal(json_string_value(json_object_get(json, "trouble")), "parent-set-aside");
	assert_int_equal(number(json, "set_aside", "cas"), 2);
	json_decref(json);
}

static void
health_sections__cuts_that_dont_reach_the_disk_are_told(void **state)
{
	struct registry *registry = *state;
	registry_sql(registry, "UPDATE repositories SET serial = 5, cut_at = %" PRId64 ", notified_serial = 5, rsync_serial = 5", REGISTRY_NOW);
	assert_level(registry, 30 * DAY, "rrdp-late", "none");
	registry_sql(registry, "UPDATE repositories SET serial = 6");
	assert_level(registry, 600, "rrdp-late", "none");
	assert_level(registry, 601, "rrdp-late", "note");
	assert_level(registry, 3 * HOUR, "rrdp-late", "failure");
	registry_sql(registry, "UPDATE repositories SET notified_serial = 6, rsync_at = %" PRId64, REGISTRY_NOW);
	assert_level(registry, 2 * HOUR + 1200, "rsync-late", "none");
	assert_level(registry, 2 * HOUR + 1201, "rsync-late", "note");
	assert_level(registry, 6 * HOUR, "rsync-late", "failure");
}

/* Not while it is as large as settings let it become, nor a little larger; but long before validators stop. */
static void
health_sections__a_snapshot_that_grows_is_told_in_time(void **state)
{
	static const struct { int64_t size; const char *level; } cases[] = {
		{ 750000001, "none" }, { 825000000, "none" }, { 825000001, "warning" }, { 1200000000, "warning" },
	};
	struct registry *registry = *state;
	bool ready;
	registry_sql(registry, "UPDATE repositories SET serial = 1, notified_serial = 1, rsync_serial = 1;"
		" INSERT INTO cuts (repository_id, serial, cut_at, random) VALUES (1, 1, 1, '')");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		registry_sql(registry, "UPDATE cuts SET snapshot_size = %" PRId64, cases[i].size);
		assert_level(registry, 0, "snapshot-large", cases[i].level);
	}
	/* The remedy isn't cut off, also with the longest name. */
	registry_sql(registry, "UPDATE cuts SET snapshot_size = 1; INSERT INTO repositories (repository_id, rrdp_uri, rsync_uri,"
		" session, serial, notified_serial, rsync_serial) SELECT 100, rrdp_uri, rsync_uri, session, 1, 1, 1 FROM repositories;"
		" INSERT INTO cuts (repository_id, serial, cut_at, random, snapshot_size) VALUES (100, 1, 1, '', 2147000000)");
	json_t *json = report(registry, 0, &ready);
	assert_string_equal(finding_of(json, "snapshot-large", "detail"), "repository 100: its snapshot has 2147 MB; validators stop at 1,000 (FORT) "
		"or 2,147: lower roa_aggregate_above, or transfer large members' resources to new members in another repository");
	json_decref(json);
}

/* Where the settings let a snapshot come near to what validators take. */
static void
health_sections__no_setting_hides_a_snapshot_that_is_too_large(void **state)
{
	struct registry *registry = *state;
	largest = 1000000000;
	registry_sql(registry, "UPDATE repositories SET serial = 1, notified_serial = 1, rsync_serial = 1;"
		" INSERT INTO cuts (repository_id, serial, cut_at, random, snapshot_size) VALUES (1, 1, 1, '', 950000000)");
	assert_level(registry, 0, "snapshot-large", "none");
	registry_sql(registry, "UPDATE cuts SET snapshot_size = 950000001");
	assert_level(registry, 0, "snapshot-large", "warning");
	largest = 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, registry_setup, registry_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(health_sections__expiry_is_the_worse_the_less_is_left),
		cmocka_unit_test(health_sections__lateness_grows),
		CASE(health_sections__tell_of_what_waits),
		CASE(health_sections__renewals_that_nobody_runs_are_told),
		CASE(health_sections__objects_that_expire_are_told),
		CASE(health_sections__cas_set_aside_are_told),
		CASE(health_sections__cuts_that_dont_reach_the_disk_are_told),
		CASE(health_sections__a_snapshot_that_grows_is_told_in_time),
		CASE(health_sections__no_setting_hides_a_snapshot_that_is_too_large),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
