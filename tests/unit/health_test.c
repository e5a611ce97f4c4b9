#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "api/server/health.h"
#include "ca/base/metrics.h"
#include "tests/unit/registry.h"

/* What a section of the test is to do. */
struct part {
	enum fault_code code;
	enum health_level level;
	const char *kind;               /* NULL: finds nothing */
	bool breaks_off;                /* fails in the middle of what it writes */
	bool too_long;                  /* more than stays in memory */
	int finds;                      /* so many more of them */
	int asked;
};

static enum fault_code
tell_part(void *self, struct health_report *report, struct fault *fault)
{
	struct part *part = self;
	part->asked++;
	assert_non_null(report->reader);
	json_writer_instant(report->json, "now_at", report->now_at);
	if (part->breaks_off) {
		json_writer_array(report->json, "open");
		return fault_set(fault, FAULT_DATABASE, "/var/lib/cadastre/cadastre.db: broken");
	}
	for (int i = 0; part->too_long && i < 10000; i++)
		json_writer_text(report->json, "text", "more than a report may be");
	if (part->kind != NULL)
		health_find(report, part->level, part->kind, "%d of \"these\"", 3);
	for (int i = 0; i < part->finds; i++)
		health_find(report, HEALTH_NOTE, "more", "%0300d", i);
	return FAULT_NONE;
}

static struct health *
new_health(void **state, struct part *parts, size_t count)
{
	static const char *const names[] = { "first", "second", "third" };
	struct registry *registry = *state;
	struct health *health;
	assert_int_equal(health_new(registry->db, &registry->clock, &health, NULL), FAULT_NONE);
	for (size_t i = 0; i < count; i++)
		health_add(health, names[i], tell_part, &parts[i]);
	return health;
}

static json_t *
told(struct health *health, bool *ret_ready)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	*ret_ready = health_tell(health, &text);
	json_t *json = json_loads(bytes_text(&text), JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	return json;
}

static const json_t *
finding(const json_t *json, size_t index)
{
	return json_array_get(json_object_get(json, "findings"), index);
}

static void
health__puts_sections_together(void **state)
{
	struct part parts[] = { { .level = HEALTH_NOTE, .kind = "so" }, { .level = HEALTH_WARNING, .kind = "late" } };
	struct health *health = new_health(state, parts, 2);
	bool ready;
	json_t *json = told(health, &ready);
	assert_true(ready);
	assert_true(json_is_null(json_object_get(json, "trouble")));
	json_t *sections = json_object_get(json, "sections");
	assert_int_equal(json_object_size(sections), 2);
	assert_string_equal(json_string_value(json_object_get(json_object_get(sections, "second"), "now_at")), "2026-01-01T00:00:00Z");
	assert_int_equal(json_array_size(json_object_get(json, "findings")), 2);
	assert_string_equal(json_string_value(json_object_get(finding(json, 1), "level")), "warning");
	assert_string_equal(json_string_value(json_object_get(finding(json, 1), "section")), "second");
	assert_string_equal(json_string_value(json_object_get(finding(json, 1), "detail")), "3 of \"these\"");
	assert_int_equal(metrics_get(METRIC_READY), 1);
	json_decref(json);
	health_free(health);
}

static void
health__is_not_ready_when_a_section_says_so(void **state)
{
	struct part parts[] = { { .level = HEALTH_WARNING, .kind = "late" }, { .level = HEALTH_FAILURE, .kind = "expiry" },
		{ .level = HEALTH_FAILURE, .kind = "clock" } };
	struct health *health = new_health(state, parts, 3);
	bool ready;
	json_t *json = told(health, &ready);
	assert_false(ready);
	assert_string_equal(json_string_value(json_object_get(json, "trouble")), "expiry");
	assert_int_equal(metrics_get(METRIC_READY), 0);
	json_decref(json);
	health_free(health);
}

/* Its words may name what nobody should know; the others are still told of. */
static void
health__a_section_that_fails_tells_only_its_kind(void **state)
{
	struct part parts[] = { { .breaks_off = true }, { .too_long = true }, { .kind = NULL } };
	struct health *health = new_health(state, parts, 3);
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	bool ready;
	assert_false(health_tell(health, &text));
	assert_null(strstr(bytes_text(&text), "/var"));
	json_t *json = told(health, &ready);
	json_t *sections = json_object_get(json, "sections");
	assert_true(json_is_null(json_object_get(sections, "first")));
	assert_true(json_is_null(json_object_get(sections, "second")));
	assert_true(json_is_object(json_object_get(sections, "third")));
	assert_string_equal(json_string_value(json_object_get(json, "trouble")), "database");
	json_decref(json);
	health_free(health);
}

static void
health__bounds_what_is_found(void **state)
{
	struct part parts[] = { { .finds = HEALTH_FINDINGS_MAX + 5 } };
	struct health *health = new_health(state, parts, 1);
	bool ready;
	json_t *json = told(health, &ready);
	assert_true(ready);
	assert_int_equal(json_array_size(json_object_get(json, "findings")), HEALTH_FINDINGS_MAX);
	assert_int_equal(strlen(json_string_value(json_object_get(finding(json, 0), "detail"))), 199);
	json_decref(json);
	health_free(health);
}

/* Anybody may ask, as often as they like: the sections are asked once. */
static void
health__asks_its_sections_at_most_once_a_second(void **state)
{
	struct part parts[] = { { .kind = NULL } };
	struct health *health = new_health(state, parts, 1);
	bool ready;
	int64_t begin_ms = clock_monotonic_ms();
	for (int i = 0; i < 20; i++)
		json_decref(told(health, &ready));
	assert_true(parts[0].asked <= 1 + (clock_monotonic_ms() - begin_ms) / 1000);
	health_look(health);
	assert_true(parts[0].asked >= 2);
	health_free(health);
}

static void
health__looks_on_a_thread_of_its_own(void **state)
{
	struct part parts[] = { { .kind = NULL } };
	struct health *health = new_health(state, parts, 1);
	assert_int_equal(health_start(health, NULL), FAULT_NONE);
	health_stop(health);
	assert_int_equal(parts[0].asked, 1);
	health_free(health);
	health_stop(NULL);
	health_free(NULL);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, registry_setup, registry_teardown)
	const struct CMUnitTest tests[] = {
		CASE(health__puts_sections_together),
		CASE(health__is_not_ready_when_a_section_says_so),
		CASE(health__a_section_that_fails_tells_only_its_kind),
		CASE(health__bounds_what_is_found),
		CASE(health__asks_its_sections_at_most_once_a_second),
		CASE(health__looks_on_a_thread_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
