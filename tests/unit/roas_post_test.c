#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "ca/commands/roa_commands.h"
#include "tests/unit/service.h"

#define ROAS "/api/v1/cas/alpha/roas"

static struct service_answer *
post(struct service *service, enum service_token token, const char *query, const char *fields, const char *body)
{
	char what[128];
	(void)snprintf(what, sizeof what, "POST " ROAS "%s", query);
	return service_ask(service, token, what, fields, body);
}

/* The errors of an answer as lines "added[2].prefix: reason". */
static const char *
errors_of(const struct service_answer *answer)
{
	static char text[65536];
	size_t length = 0, index;
	json_t *error;
	text[0] = '\0';
	json_array_foreach(json_object_get(answer->json, "errors"), index, error) {
		const char *list = json_string_value(json_object_get(error, "list")),
			   *field = json_string_value(json_object_get(error, "field"));
		length += (size_t)snprintf(text + length, sizeof text - length, "%s[%lld].%s: %s\n", list == NULL ? "" : list,
			(long long)json_integer_value(json_object_get(error, "index")), field == NULL ? "" : field,
			json_string_value(json_object_get(error, "reason")));
	}
	return text;
}

static void
check_errors(struct service *service, const char *body, const char *errors)
{
	int64_t version = registry_number(service->registry, "SELECT roas_version AS it FROM cas WHERE handle = 'alpha'");
	ANSWER answer = post(service, BY_MEMBER, "", NULL, body);
	if (answer->status != 400 || strcmp(errors_of(answer), errors) != 0)
		fail_msg("%s: %d\n%s\ninstead of\n%s", body, answer->status, errors_of(answer), errors);
	assert_int_equal(registry_number(service->registry, "SELECT roas_version AS it FROM cas WHERE handle = 'alpha'"),
		version);
}

static void
roas_post__adds_and_tells_what_it_understood(void **state)
{
	struct service *service = *state;
	ANSWER answer = post(service, BY_MEMBER, "", NULL,
		"{\"added\":[{\"asn\":64497,\"prefix\":\"2001:db8::/32\",\"max_length\":48,\"comment\":\"a \\\"word\\\"\"},"
		"{\"asn\":\"AS64496\",\"prefix\":\"192.0.2.0/24\"}]}");
	assert_int_equal(answer->status, 200);
	assert_string_equal(service_text(answer, "version"), "1");
	assert_string_equal(service_text(answer, "added"), "2");
	assert_string_equal(service_text(answer, "removed"), "0");
	assert_string_equal(service_header(answer, "ETag"), "\"1\"");
	assert_string_equal(service_text(answer, "accepted[0].prefix"), "192.0.2.0/24");
	assert_string_equal(service_text(answer, "accepted[0].max_length"), "24");
	assert_string_equal(service_text(answer, "accepted[0].comment"), "null");
	assert_string_equal(service_text(answer, "accepted[1].max_length"), "48");
	ANSWER list = service_ask(service, BY_READER, "GET " ROAS, NULL, NULL);
	assert_string_equal(service_text(list, "roas"), "2");
	assert_string_equal(service_text(list, "roas[0].asn"), "64496");
	assert_string_equal(service_text(list, "roas[0].max_length"), "24");
	assert_string_equal(service_text(list, "roas[0].status"), "pending");
	assert_string_not_equal(service_text(list, "roas[0].reason"), "(none)");
	assert_string_equal(service_text(list, "roas[1].comment"), "a \"word\"");
	assert_string_equal(service_text(list, "version"), "1");
}

static void
roas_post__removes(void **state)
{
	struct service *service = *state;
	ANSWER first = post(service, BY_MEMBER, "", NULL,
		"{\"added\":[{\"asn\":64496,\"prefix\":\"192.0.2.0/24\",\"max_length\":null,\"comment\":null},"
		"{\"asn\":0,\"prefix\":\"192.0.2.0/25\"}]}");
	ANSWER second = post(service, BY_OPERATOR, "", NULL,
		"{\"removed\":[{\"asn\":64496,\"prefix\":\"192.0.2.0/24\"}]}");
	assert_int_equal(first->status, 200);
	assert_int_equal(second->status, 200);
	assert_string_equal(service_text(second, "removed"), "1");
	assert_string_equal(service_text(second, "version"), "2");
	assert_string_equal(service_text(second, "accepted"), "0");
}

static void
roas_post__cancels_what_is_in_both_lists(void **state)
{
	struct service *service = *state;
	ANSWER answer = post(service, BY_MEMBER, "", NULL,
		"{\"added\":[{\"asn\":64496,\"prefix\":\"192.0.2.0/24\"},{\"asn\":64497,\"prefix\":\"192.0.2.0/24\"}],"
		"\"removed\":[{\"asn\":\"64496\",\"prefix\":\"192.0.2.0/24\",\"max_length\":24}]}");
	assert_int_equal(answer->status, 200);
	assert_string_equal(service_text(answer, "added"), "1");
	assert_string_equal(service_text(answer, "removed"), "0");
}

static void
roas_post__changes_nothing_when_asked_for_nothing(void **state)
{
	struct service *service = *state;
	static const char *const bodies[] = { "{}", "{\"added\":[]}", "{\"added\":[],\"removed\":[]}" };
	for (size_t i = 0; i < 3; i++) {
		ANSWER answer = post(service, BY_MEMBER, "", NULL, bodies[i]);
		assert_int_equal(answer->status, 200);
		assert_string_equal(service_text(answer, "version"), "0");
	}
}

static void
roas_post__names_what_is_malformed(void **state)
{
	check_errors(*state, "{\"added\":[{\"asn\":-1,\"prefix\":\"192.0.2.0/24\"}]}",
		"added[0].asn: -1 is not an AS number: they go from 0 to 4294967295\n");
	check_errors(*state, "{\"added\":[{\"asn\":4294967296,\"prefix\":\"192.0.2.0/24\"}]}",
		"added[0].asn: 4294967296 is not an AS number: they go from 0 to 4294967295\n");
	check_errors(*state, "{\"added\":[{\"prefix\":\"192.0.2.0/24\"}]}", "added[0].asn: is missing\n");
	check_errors(*state, "{\"added\":[{\"asn\":64496}]}", "added[0].prefix: is missing\n");
	check_errors(*state, "{\"added\":[{\"asn\":64496.0,\"prefix\":17}]}",
		"added[0].asn: must be a whole number or a text, but is a number with a fraction\n"
		"added[0].prefix: must be a text, but is a whole number\n");
	check_errors(*state,
		"{\"added\":[{\"asn\":64496,\"prefix\":\"192.0.2.0/24\",\"max_length\":\"24\",\"comment\":5,\"maxLength\":24}]}",
		"added[0].max_length: must be a whole number, but is a text\n"
		"added[0].comment: must be a text, but is a whole number\n"
		"added[0].maxLength: unknown field\n");
	check_errors(*state, "{\"removed\":[{\"asn\":64496,\"prefix\":\"192.0.2.0/24\",\"comment\":\"x\"}]}",
		"removed[0].comment: unknown field\n");
	check_errors(*state, "{\"added\":[17,null,[]]}",
		"added[0].: must be an object, but is a whole number\nadded[1].: must be an object, but is null\n"
		"added[2].: must be an object, but is an array\n");
	check_errors(*state, "{\"added\":{},\"removed\":null,\"other\":1}",
		"[0].added: must be an array, but is an object\n[0].removed: must be an array, but is null\n"
		"[0].other: unknown field\n");
	check_errors(*state, "[]", "[0].: must be an object, but is an array\n");
	check_errors(*state, "{\"added\":[{\"asn\":64496,\"prefix\":\"192.0.2.0/24\",\"comment\":\"a\\nb\"}]}",
		"added[0].comment: contains a control character\n");
}

static void
roas_post__names_what_does_not_fit(void **state)
{
	struct service *service = *state;
	ANSWER answer = post(service, BY_MEMBER, "", NULL,
		"{\"added\":[{\"asn\":64496,\"prefix\":\"192.0.2.1/24\"},{\"asn\":64496,\"prefix\":\"192.0.2.0/"
		"24\",\"max_length\":23},"
		"{\"asn\":64496,\"prefix\":\"192.0.2.0/24\",\"max_length\":33},{\"asn\":64496,\"prefix\":\"2001:db8::/"
		"32\",\"max_length\":129},"
		"{\"asn\":\"ASx\",\"prefix\":\"x\",\"max_length\":-1}]}");
	assert_int_equal(answer->status, 400);
	assert_string_equal(service_text(answer, "errors_total"), "6");
	assert_string_equal(service_text(answer, "errors[0].field"), "prefix");
	assert_non_null(strstr(service_text(answer, "errors[0].reason"), "192.0.2.0/24"));
	assert_string_equal(service_text(answer, "errors[1].field"), "max_length");
	assert_string_equal(service_text(answer, "errors[2].field"), "max_length");
	assert_string_equal(service_text(answer, "errors[3].reason"), "129 is not a prefix length");
	assert_string_equal(service_text(answer, "errors[4].field"), "asn");
	assert_string_equal(service_text(answer, "errors[5].field"), "prefix");
}

/* Malformed entries and those that are only wrong are told in one answer, in order. */
static void
roas_post__names_every_faulty_entry_at_once(void **state)
{
	struct service *service = *state;
	ANSWER first = post(service, BY_MEMBER, "", NULL,
		"{\"added\":[{\"asn\":64496,\"prefix\":\"192.0.2.0/24\"}]}");
	assert_int_equal(first->status, 200);
	ANSWER answer = post(service, BY_MEMBER, "", NULL,
		"{\"added\":[{\"asn\":64496,\"prefix\":\"203.0.113.0/"
		"24\"},{\"asn\":64496,\"prefix\":\"bad\"},{\"asn\":64496,\"prefix\":\"192.0.2.0/24\"},"
		"{\"asn\":65535,\"prefix\":\"192.0.2.0/25\"},{\"asn\":1,\"prefix\":\"192.0.2.0/"
		"26\"},{\"asn\":1,\"prefix\":\"192.0.2.0/26\"}],"
		"\"removed\":[{\"asn\":64499,\"prefix\":\"192.0.2.0/24\"},{\"asn\":true,\"prefix\":\"192.0.2.0/24\"}]}");
	assert_int_equal(answer->status, 400);
	const char *errors = errors_of(answer);
	static const char *const order[] = { "added[0].prefix: AS64496 203.0.113.0/24 is not within",
		"added[1].prefix: ", "added[2].: ", "is there already", "added[3].asn: ", "added[5].: ", "twice",
		"removed[0].: ", "is not there", "removed[1].asn: must be a whole number or a text, but is true" };
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
		const char *at = strstr(errors, order[i]);
		if (at == NULL)
			fail_msg("%s is not in its place in %s", order[i], errors_of(answer));
		errors = at;
	}
	assert_string_equal(service_text(answer, "errors_total"), "7");
	assert_int_equal(registry_number(service->registry, "SELECT count(*) AS it FROM roas"), 1);
	assert_string_equal(registry_text(service->registry, "SELECT outcome AS it FROM audit ORDER BY audit_id DESC LIMIT 1"),
		"invalid");
}

static void
roas_post__lets_staff_name_reserved_numbers(void **state)
{
	struct service *service = *state;
	const char *body = "{\"added\":[{\"asn\":23456,\"prefix\":\"192.0.2.0/24\"}]}";
	ANSWER member = post(service, BY_MEMBER, "", NULL, body);
	ANSWER staff = post(service, BY_OPERATOR, "", NULL, body);
	assert_int_equal(member->status, 400);
	assert_int_equal(staff->status, 200);
}

static void
roas_post__tries_without_keeping(void **state)
{
	struct service *service = *state;
	ANSWER answer = post(service, BY_MEMBER, "?dry_run=true", NULL,
		"{\"added\":[{\"asn\":64496,\"prefix\":\"192.0.2.0/24\",\"comment\":\"x\"}]}");
	assert_int_equal(answer->status, 200);
	assert_string_equal(service_text(answer, "roas"), "1");
	assert_string_equal(service_text(answer, "roas[0].max_length"), "24");
	assert_string_equal(service_text(answer, "roas[0].status"), "pending");
	assert_string_equal(service_text(answer, "version"), "1");
	assert_null(service_header(answer, "ETag"));
	assert_int_equal(registry_number(service->registry, "SELECT count(*) AS it FROM roas"), 0);
	ANSWER refused = post(service, BY_MEMBER, "?dry_run=true", NULL,
		"{\"added\":[{\"asn\":64496,\"prefix\":\"203.0.113.0/24\"}]}");
	assert_int_equal(refused->status, 400);
	ANSWER unclear = post(service, BY_MEMBER, "?dry_run=yes", NULL, "{}");
	assert_int_equal(unclear->status, 400);
	ANSWER real = post(service, BY_MEMBER, "?dry_run=false", NULL, "{}");
	assert_string_equal(service_text(real, "added"), "0");
}

static void
roas_post__honours_if_match(void **state)
{
	struct service *service = *state;
	static const struct {
		const char *field;
		int status;
	} cases[] = {
		{ "If-Match: \"1\"", 412 },
		{ "If-Match: W/\"0\"", 412 },
		{ "If-Match: 0", 400 },
		{ "If-Match: \"0\"", 200 },
		{ "If-Match: \"0\"", 412 },
		{ "If-Match: \"5\", \"1\"", 200 },
		{ "If-Match: *", 200 },
		{ "If-Match: \"3-00ff\"", 200 },
		{ "If-Match: \"3\"", 412 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char body[128];
		(void)snprintf(body, sizeof body, "{\"added\":[{\"asn\":%zu,\"prefix\":\"192.0.2.0/24\"}]}", i);
		ANSWER answer = post(service, BY_MEMBER, "", cases[i].field, body);
		if (answer->status != cases[i].status)
			fail_msg("%s: %s", cases[i].field, bytes_text(&answer->body));
	}
}

static void
roas_post__bounds_a_change(void **state)
{
	struct service *service = *state;
	AUTO_CLEAR(struct bytes, bytes_clear) body = BYTES_INIT;
	assert_int_equal(bytes_append_text(&body, "{\"added\":[{}", NULL), FAULT_NONE);
	for (int i = 0; i < ROA_CHANGES_MAX; i++)
		assert_int_equal(bytes_append_text(&body, ",{}", NULL), FAULT_NONE);
	assert_int_equal(bytes_append_text(&body, "]}", NULL), FAULT_NONE);
	ANSWER answer = post(service, BY_MEMBER, "", NULL, bytes_text(&body));
	assert_int_equal(answer->status, 413);
	assert_non_null(strstr(service_text(answer, "detail"), "20001 entries"));
}

/* A list that isn't settled has a tag of its own, so that whoever waits for "published" is told when it comes. */
static void
roas_post__is_seen_by_conditional_gets(void **state)
{
	struct service *service = *state;
	char tag[128], field[160];
	ANSWER empty = service_ask(service, BY_MEMBER, "GET " ROAS, NULL, NULL);
	assert_string_equal(service_header(empty, "ETag"), "\"0\"");
	ANSWER same = service_ask(service, BY_MEMBER, "GET " ROAS, "If-None-Match: \"0\"", NULL);
	assert_int_equal(same->status, 304);
	ANSWER change = post(service, BY_MEMBER, "", NULL,
		"{\"added\":[{\"asn\":64496,\"prefix\":\"192.0.2.0/24\"}]}");
	assert_int_equal(change->status, 200);
	ANSWER waiting = service_ask(service, BY_MEMBER, "GET " ROAS, "If-None-Match: \"1\", \"0\"", NULL);
	assert_int_equal(waiting->status, 200);
	(void)snprintf(tag, sizeof tag, "%s", service_header(waiting, "ETag"));
	assert_true(strncmp(tag, "\"1-", 3) == 0);
	(void)snprintf(field, sizeof field, "If-None-Match: %s", tag);
	ANSWER still = service_ask(service, BY_MEMBER, "GET " ROAS, field, NULL);
	assert_int_equal(still->status, 304);
	assert_string_equal(service_header(still, "ETag"), tag);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(roas_post__adds_and_tells_what_it_understood, service_setup, service_teardown),
		cmocka_unit_test_setup_teardown(roas_post__removes, service_setup, service_teardown),
		cmocka_unit_test_setup_teardown(roas_post__cancels_what_is_in_both_lists, service_setup, service_teardown),
		cmocka_unit_test_setup_teardown(roas_post__changes_nothing_when_asked_for_nothing, service_setup,
			service_teardown),
		cmocka_unit_test_setup_teardown(roas_post__names_what_is_malformed, service_setup, service_teardown),
		cmocka_unit_test_setup_teardown(roas_post__names_what_does_not_fit, service_setup, service_teardown),
		cmocka_unit_test_setup_teardown(roas_post__names_every_faulty_entry_at_once, service_setup, service_teardown),
		cmocka_unit_test_setup_teardown(roas_post__lets_staff_name_reserved_numbers, service_setup, service_teardown),
		cmocka_unit_test_setup_teardown(roas_post__tries_without_keeping, service_setup, service_teardown),
		cmocka_unit_test_setup_teardown(roas_post__honours_if_match, service_setup, service_teardown),
		cmocka_unit_test_setup_teardown(roas_post__bounds_a_change, service_setup, service_teardown),
		cmocka_unit_test_setup_teardown(roas_post__is_seen_by_conditional_gets, service_setup, service_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
