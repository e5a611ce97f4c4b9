#include "ca/commands/registry_feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ca/resources/resource_range.h"
#include "tests/unit/feed_file.h"
#include "tests/unit/scratch.h"

#define LINE(id, rest) "{\"id\":\"" id "\"" rest ",\"ipv4\":[],\"ipv6\":[],\"roas\":[]}\n"
#define HEAD(records) "2|afrinic|20260801|" records "|00000000|20260801|00000\n"

static const char *
print(const struct registry_feed *feed)
{
	static char text[2048];
	(void)snprintf(text, sizeof text, "%s:", feed->registry);
	for (size_t i = 0; i < feed->count; i++) {
		size_t length = strlen(text);
		(void)snprintf(text + length, sizeof text - length, " %s@%u(%zu)", feed->holders[i].id, (unsigned)feed->holders[i].line,
			resource_set_ranges(&feed->holders[i].resources));
	}
	return text;
}

static void
registry_feed__reads_either_format_packed_or_not(void **state)
{
	static const char stats[] = HEAD("4") "afrinic|*|asn|*|2|summary\nafrinic|*|ipv4|*|2|summary\n# a comment\n"
		"afrinic|ZA|asn|64496|2|20260101|allocated|F1\nafrinic|ZA|ipv4|192.0.2.0|256|20260101|assigned|F2\n"
		"afrinic|ZA|asn|64500|1|20260101|allocated|F1\nafrinic||ipv4|10.0.0.0|256||available|\n";
	static const char lines[] = LINE("a", ",\"rir\":\"afrinic\",\"asn\":[1,2]") "\n" LINE("b", ",\"rir\":\"afrinic\",\"asn\":[]");
	static const char no_registry[] = " \n" LINE("a", ",\"asn\":[1]");
	const struct {
		const char *text, *result;
	} files[] = {
		{ stats, "afrinic: F1@5(2) F2@6(1)" },
		{ lines, "afrinic: a@1(1) b@3(0)" },
		{ no_registry, ": a@2(1)" },
	};
	const char *path = scratch_path(state, "feed");
	for (size_t i = 0; i < 2 * sizeof files / sizeof *files; i++) {
		AUTO_CLEAR(struct registry_feed, registry_feed_clear) feed = REGISTRY_FEED_INIT;
		struct fault fault = FAULT_INIT;
		const char *text = files[i / 2].text;
		if (i % 2 == 0)
			feed_file_write(path, text);
		else
			feed_file_write_gzip(path, text, strlen(text));
		if (registry_feed_read(path, &feed, &fault) != FAULT_NONE)
			fail_msg("%s: %s", text, fault.message);
		assert_string_equal(print(&feed), files[i / 2].result);
	}
}

static void
registry_feed__refuses_what_is_not_whole(void **state)
{
	static const struct {
		const char *text;
		enum fault_code code;
		const char *message;
	} bad[] = {
		{ "", FAULT_MALFORMED, "line 1: the file is empty" },
		{ " \n\n", FAULT_MALFORMED, "line 1: the file is empty" },
		{ "<html>404</html>\n", FAULT_MALFORMED, "line 1: this is no version line" },
		{ HEAD("0"), FAULT_MALFORMED, "the file names no holder at all" },
		{ HEAD("1") "afrinic|*|ipv4|*|1|summary\nafrinic||ipv4|10.0.0.0|256||available|\n", FAULT_MALFORMED,
			"the file names no holder at all" },
		{ HEAD("2") "afrinic|*|asn|*|1|summary\nafrinic|ZA|asn|1|1||allocated|A\n", FAULT_MALFORMED,
			"line 3: the file ends after 1 records" },
		{ HEAD("1") "afrinic|*|asn|*|2|summary\nafrinic|ZA|asn|1|1||allocated|A\n", FAULT_MALFORMED, "line 3: " },
		{ HEAD("1") "apnic|ZA|asn|1|1||allocated|A\n", FAULT_INVALID, "line 2: \"apnic\" is not the registry of this file" },
		{ HEAD("2") "afrinic|*|asn|*|2|summary\nafrinic|ZA|asn|1|2||allocated|A\nafrinic|ZA|asn|2|1||allocated|B\n",
			FAULT_INVALID,
			"line 4: AS2 overlaps with AS1-AS2 of another holder in line 3" },
		{ LINE("a", ",\"asn\":[1]") LINE("b", ",\"asn\":[1]"), FAULT_INVALID, "line 2: AS1 overlaps with AS1" },
		{ LINE("a", ",\"asn\":[1]") LINE("a", ",\"asn\":[2]"), FAULT_INVALID, "line 2: the id \"a\" stands in line 1" },
		{ LINE("a", ",\"rir\":\"x\",\"asn\":[1]") LINE("b", ",\"rir\":\"y\",\"asn\":[2]"), FAULT_INVALID,
			"line 2: its registry is \"y\", in the lines before \"x\"" },
		{ LINE("a", ",\"rir\":\"x\",\"asn\":[1]") LINE("b", ",\"asn\":[2]"), FAULT_INVALID, "line 2: its registry is \"\"" },
		{ "{\"id\":\"a\",\"asn\":[1],", FAULT_MALFORMED, "line 1: " },
	};
	const char *path = scratch_path(state, "feed");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct registry_feed feed = REGISTRY_FEED_INIT;
		struct fault fault = FAULT_INIT;
		feed_file_write(path, bad[i].text);
		enum fault_code code = registry_feed_read(path, &feed, &fault);
		if (code != bad[i].code || strncmp(fault.message, bad[i].message, strlen(bad[i].message)) != 0)
			fail_msg("%s gave %s: %s", bad[i].text, code == FAULT_NONE ? "nothing" : fault_type(code), fault.message);
		assert_true(feed.count == 0 && feed.holders == NULL);
	}
	struct registry_feed feed = REGISTRY_FEED_INIT;
	assert_int_equal(registry_feed_read(scratch_path(state, "absent"), &feed, NULL), FAULT_NOT_FOUND);
}

static void
registry_feed__refuses_a_gzip_file_that_was_cut(void **state)
{
	static const char text[] = LINE("a", ",\"asn\":[1]") LINE("b", ",\"asn\":[2]");
	const char *path = scratch_path(state, "feed");
	struct registry_feed feed = REGISTRY_FEED_INIT;
	uint8_t bytes[512];
	feed_file_write_gzip(path, text, strlen(text));
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	size_t length = fread(bytes, 1, sizeof bytes, file);
	assert_int_equal(fclose(file), 0);
	feed_file_write_bytes(path, bytes, length - 9);
	assert_int_equal(registry_feed_read(path, &feed, NULL), FAULT_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(registry_feed__reads_either_format_packed_or_not, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(registry_feed__refuses_what_is_not_whole, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(registry_feed__refuses_a_gzip_file_that_was_cut, scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
