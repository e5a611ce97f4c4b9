#include "ca/feeds/members_jsonl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/feed_file.h"
#include "tests/unit/scratch.h"

struct taken {
	char text[2048];
	size_t members, ranges, payloads, held, stop_at;
};

static enum fault_code
take(void *argument, const struct member_line *member, struct fault *fault)
{
	struct taken *taken = argument;
	size_t length = strlen(taken->text);
	if (++taken->members == taken->stop_at)
		return fault_set(fault, FAULT_BUSY, "enough");
	taken->ranges += resource_set_ranges(member->resources);
	taken->payloads += member->payloads_count;
	for (size_t i = 0; i < member->payloads_count; i++)
		taken->held += resource_set_holds_prefix(member->resources, &member->payloads[i].prefix);
	if (length < sizeof taken->text - 200)
		(void)snprintf(taken->text + length, sizeof taken->text - length, "%s@%u %zu ranges %zu payloads\n", member->id,
			(unsigned)member->line, resource_set_ranges(member->resources), member->payloads_count);
	return FAULT_NONE;
}

static void
members_jsonl__gives_one_member_a_line(void **state)
{
	struct taken taken = { .stop_at = 0 };
	struct fault fault = FAULT_INIT;
	(void)state;
	if (members_jsonl_read("tests/vectors/feeds/members.jsonl", take, &taken, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	assert_string_equal(taken.text,
		"HOLDER-A@1 4 ranges 3 payloads\npfx-198-51-100-0-24@3 1 ranges 2 payloads\nnothing@4 0 ranges 0 payloads\n");
	assert_int_equal(taken.held, 4);
}

static enum fault_code
take_registry(void *argument, const struct member_line *member, struct fault *fault)
{
	char *text = argument;
	(void)fault;
	strcat(strcat(text, member->registry), ";");
	return FAULT_NONE;
}

static void
members_jsonl__says_whose_registry_it_is(void **state)
{
	struct fault fault = FAULT_INIT;
	char text[256] = "";
	const char *path = scratch_path(state, "members");
	feed_file_write(path, "{\"id\":\"a\",\"rir\":\"ripe-ncc\",\"asn\":[],\"ipv4\":[],\"ipv6\":[],\"roas\":[]}\n"
		"{\"id\":\"b\",\"asn\":[],\"ipv4\":[],\"ipv6\":[],\"roas\":[]}\n");
	assert_int_equal(members_jsonl_read(path, take_registry, text, &fault), FAULT_NONE);
	assert_string_equal(text, "ripe-ncc;;");
	static const char *const bad[] = { "17", "null", "[]", "[\"afrinic\"]", "\"\"", "\"AFRINIC\"", "\"a b\"",
		"\"abcdefghijklmnopqrstuvwxyzabcdef\"", "\"x\",\"rir\":\"x\"" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char line[256];
		(void)snprintf(line, sizeof line, "{\"id\":\"a\",\"rir\":%s,\"asn\":[],\"ipv4\":[],\"ipv6\":[],\"roas\":[]}\n", bad[i]);
		feed_file_write(path, line);
		enum fault_code code = members_jsonl_read(path, take_registry, text, &fault);
		if (code != FAULT_INVALID || strncmp(fault.message, "line 1: ", 8) != 0)
			fail_msg("%s: %s", line, code == FAULT_NONE ? "taken" : fault.message);
	}
}

#define LINE(id, asn, ipv4, ipv6, roas) "{\"id\":" id ",\"asn\":[" asn "],\"ipv4\":[" ipv4 "],\"ipv6\":[" ipv6 "],\"roas\":[" roas "]}\n"
#define GOOD LINE("\"a\"", "1", "\"192.0.2.0/24\"", "", "")

static const struct {
	const char *text;
	enum fault_code code;
	const char *message;
} bad[] = {
	{ "", FAULT_MALFORMED, "line 1: the file is empty" },
	{ "\n \n", FAULT_MALFORMED, "line 1: the file is empty" },
	{ GOOD "hello\n", FAULT_MALFORMED, "line 2: the document is no JSON object" },
	{ GOOD "[]\n", FAULT_MALFORMED, "line 2: the document is no JSON object" },
	{ GOOD "{}\n", FAULT_INVALID, "line 2: no \"id\"" },
	{ "{\"id\":\"a\",\"asn\":[],\"ipv4\":[],\"ipv6\":[]}\n", FAULT_INVALID, "line 1: no \"roas\"" },
	{ "{\"id\":\"a\",\"asn\":[],\"ipv4\":[],\"roas\":[]}\n", FAULT_INVALID, "line 1: no \"ipv6\"" },
	{ "{\"id\":\"a\",\"asn\":{},\"ipv4\":[],\"ipv6\":[],\"roas\":[]}\n", FAULT_INVALID, "line 1: \"asn\" is no array" },
	{ "{\"id\":[],\"asn\":[],\"ipv4\":[],\"ipv6\":[],\"roas\":[]}\n", FAULT_INVALID, "line 1: \"id\" is an array" },
	{ "{\"id\":\"a\",\"asn\":[],\"asn\":[],\"ipv4\":[],\"ipv6\":[],\"roas\":[]}\n", FAULT_INVALID,
	"line 1: a second \"asn\"" },
	{ "{\"id\":\"a\",\"id\":\"b\",\"asn\":[],\"ipv4\":[],\"ipv6\":[],\"roas\":[]}\n", FAULT_INVALID,
	"line 1: a second \"id\"" },
	{ GOOD "{\"id\":\"b\",\"asn\":[", FAULT_MALFORMED, "line 2: the document ends in its middle" },
	{ GOOD GOOD, FAULT_INVALID, "line 2: the id \"a\" stands in line 1 already" },
	{ LINE("\"a:b\"", "", "", "", "") LINE("\"a/b\"", "", "", "", ""), FAULT_INVALID,
	"line 2: the id \"a-b\" stands in line 1 already" },
	{ LINE("7", "", "", "", ""), FAULT_INVALID, "line 1: \"id\" is no text" },
	{ LINE("\"\"", "", "", "", ""), FAULT_INVALID, "line 1: no handle can be made of the id \"\"" },
	{ LINE("\"a b\"", "", "", "", ""), FAULT_INVALID, "line 1: no handle can be made of the id \"a b\"" },
	{ LINE("\"\\u00e4\"", "", "", "", ""), FAULT_INVALID, "line 1: no handle can be made of the id" },
	{ LINE("\"a\"", "-1", "", "", ""), FAULT_INVALID, "line 1: an element of \"asn\" is no AS number" },
	{ LINE("\"a\"", "4294967296", "", "", ""), FAULT_INVALID, "line 1: an element of \"asn\" is no AS number" },
	{ LINE("\"a\"", "\"9-1\"", "", "", ""), FAULT_INVALID, "line 1: " },
	{ LINE("\"a\"", "null", "", "", ""), FAULT_INVALID, "line 1: an element of \"asn\" is no AS number" },
	{ LINE("\"a\"", "", "1", "", ""), FAULT_INVALID, "line 1: an element of \"ipv4\" is no text" },
	{ LINE("\"a\"", "", "\"2001:db8::/32\"", "", ""), FAULT_INVALID, "line 1: 2001:db8::/32 is no IPv4 prefix" },
	{ LINE("\"a\"", "", "\"192.0.2.9/24\"", "", ""), FAULT_INVALID, "line 1: 192.0.2.9/24 has bits set" },
	{ LINE("\"a\"", "", "", "\"192.0.2.0/24\"", ""), FAULT_INVALID, "line 1: 192.0.2.0/24 is no IPv6 prefix" },
	{ LINE("\"a\"", "", "", "", "{\"asn\":1}"), FAULT_INVALID, "line 1: a payload has no \"prefix\"" },
	{ LINE("\"a\"", "", "", "", "7"), FAULT_INVALID, "line 1: a payload is no JSON object" },
	{ GOOD LINE("\"b\"", "", "\"192.0.2.128/25\"", "", ""), FAULT_INVALID,
		"line 2: 192.0.2.128/25 overlaps with 192.0.2.0/24 of another holder in line 1" },
	{ GOOD "\n" LINE("\"b\"", "\"1\"", "", "", ""), FAULT_INVALID,
	"line 3: AS1 overlaps with AS1 of another holder in line 1" },
};

static void
members_jsonl__names_the_line_of_what_is_wrong(void **state)
{
	const char *path = scratch_path(state, "members");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct taken taken = { .stop_at = 0 };
		struct fault fault = FAULT_INIT;
		feed_file_write(path, bad[i].text);
		enum fault_code code = members_jsonl_read(path, take, &taken, &fault);
		if (code != bad[i].code || strncmp(fault.message, bad[i].message, strlen(bad[i].message)) != 0)
			fail_msg("%s gave %s: %s", bad[i].text, fault_type(code), fault.message);
		assert_int_equal(members_jsonl_read(path, take, &taken, NULL), bad[i].code);
	}
}

static void
members_jsonl__passes_on_the_fault_of_its_taker(void **state)
{
	struct taken taken = { .stop_at = 2 };
	struct fault fault = FAULT_INIT;
	(void)state;
	assert_int_equal(members_jsonl_read("tests/vectors/feeds/members.jsonl", take, &taken, &fault), FAULT_BUSY);
	assert_string_equal(fault.message, "enough");
}

static void
members_jsonl__bounds_ids(void **state)
{
	struct taken taken = { .stop_at = 0 };
	const char *path = scratch_path(state, "members");
	char text[512];
	for (int length = FEED_ID_MAX; length <= FEED_ID_MAX + 1; length++) {
		(void)snprintf(text, sizeof text, "{\"id\":\"%0*d\",\"asn\":[],\"ipv4\":[],\"ipv6\":[],\"roas\":[]}\n", length,
			7);
		feed_file_write(path, text);
		assert_int_equal(members_jsonl_read(path, take, &taken, NULL), length == FEED_ID_MAX ?
			FAULT_NONE : FAULT_INVALID);
	}
}

static void
members_jsonl__reads_real_ones(void **state)
{
	static const struct {
		const char *name;
		size_t members, payloads;
	} files[] = { { "members-afrinic.jsonl.gz", 2748, 26326 }, { "members-ripencc.jsonl.gz", 30959, 300476 } };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct taken taken = { .stop_at = 0 };
		struct fault fault = FAULT_INIT;
		const char *path = feed_file_real(files[i].name);
		if (path == NULL)
			continue;
		if (members_jsonl_read(path, take, &taken, &fault) != FAULT_NONE)
			fail_msg("%s: %s", path, fault.message);
		assert_int_equal(taken.members, files[i].members);
		assert_int_equal(taken.payloads, files[i].payloads);
		assert_int_equal(taken.held, files[i].payloads);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(members_jsonl__##name, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(gives_one_member_a_line),
		CASE(says_whose_registry_it_is),
		CASE(names_the_line_of_what_is_wrong),
		CASE(passes_on_the_fault_of_its_taker),
		CASE(bounds_ids),
		CASE(reads_real_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
