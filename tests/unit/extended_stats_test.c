#include "ca/feeds/extended_stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ca/base/bytes.h"
#include "tests/unit/feed_file.h"
#include "tests/unit/scratch.h"

#define FIXTURE "tests/vectors/feeds/extended-stats.txt"

/* What a reading gave: "id@line ranges…" a line. */
struct taken {
	char text[4096];
	size_t holders, ranges, stop_at;
};

static void
print_ranges(char *text, size_t room, const struct resource_set *set)
{
	size_t length = 0;
	char range[RANGE_TEXT];
	for (size_t i = 0; i < set->asns_count; i++) {
		resource_set_asn_text(&set->asns[i], range);
		length += (size_t)snprintf(text + length, room - length, " %s", range);
	}
	for (enum address_family family = FAMILY_IPV4; family <= FAMILY_IPV6; family += 2) {
		const struct address_ranges *ranges = resource_set_addresses(set, family);
		for (size_t i = 0; i < ranges->count; i++) {
			resource_set_address_text(family, &ranges->items[i], range);
			length += (size_t)snprintf(text + length, room - length, " %s", range);
		}
	}
}

static enum fault_code
take(void *argument, const struct stats_holder *holder, struct fault *fault)
{
	struct taken *taken = argument;
	size_t length = strlen(taken->text);
	taken->ranges += resource_set_ranges(holder->resources);
	if (++taken->holders == taken->stop_at)
		return fault_set(fault, FAULT_BUSY, "enough");
	if (length < sizeof taken->text - 512) {
		length += (size_t)snprintf(taken->text + length, sizeof taken->text - length, "%s@%u", holder->id,
			(unsigned)holder->line);
		print_ranges(taken->text + length, sizeof taken->text - length - 2, holder->resources);
		strcat(taken->text, "\n");
	}
	return FAULT_NONE;
}

static void
extended_stats__groups_records_by_holder(void **state)
{
	struct taken taken = { .stop_at = 0 };
	struct fault fault = FAULT_INIT;
	(void)state;
	assert_int_equal(extended_stats_read(FIXTURE, take, &taken, &fault), FAULT_NONE);
	assert_string_equal(taken.text,
		"HOLDER-A@7 AS64496-AS64511 192.0.2.0-192.0.2.130 203.0.113.128/25 2001:db8::/33\n"
		"holder_b@9 AS65536 192.0.2.131/32 2001:db8:8000::/33\n"
		"C@15 198.51.100.0/24 203.0.113.0/25\n");
}

static void
extended_stats__reads_gzip(void **state)
{
	struct taken plain = { .stop_at = 0 }, packed = { .stop_at = 0 };
	const char *path = scratch_path(state, "stats.gz");
	char text[8192];
	FILE *file = fopen(FIXTURE, "rb");
	assert_non_null(file);
	size_t length = fread(text, 1, sizeof text, file);
	fclose(file);
	feed_file_write_gzip(path, text, length);
	assert_int_equal(extended_stats_read(FIXTURE, take, &plain, NULL), FAULT_NONE);
	assert_int_equal(extended_stats_read(path, take, &packed, NULL), FAULT_NONE);
	assert_string_equal(plain.text, packed.text);
}

static void
extended_stats__passes_on_the_fault_of_its_taker(void **state)
{
	struct taken taken = { .stop_at = 2 };
	struct fault fault = FAULT_INIT;
	(void)state;
	assert_int_equal(extended_stats_read(FIXTURE, take, &taken, &fault), FAULT_BUSY);
	assert_string_equal(fault.message, "enough");
	assert_int_equal(taken.holders, 2);
}

static void
extended_stats__a_file_without_holders_is_fine(void **state)
{
	struct taken taken = { .stop_at = 0 };
	const char *path = scratch_path(state, "stats");
	feed_file_write(path, "2|example|20260101|0||20260101|+0100\n");
	assert_int_equal(extended_stats_read(path, take, &taken, NULL), FAULT_NONE);
	feed_file_write(path,
		"2.3|example|20260101|1|00000000|20260101|-0400\nexample|*|asn|*|1|summary\nexample|ZZ|asn|1|1||reserved|");
	assert_int_equal(extended_stats_read(path, take, &taken, NULL), FAULT_NONE);
	assert_int_equal(taken.holders, 0);
}

static void
extended_stats__the_nros_file_has_many_registries(void **state)
{
	struct taken taken = { .stop_at = 0 };
	const char *path = scratch_path(state, "stats");
	feed_file_write(path,
		"2|nro|20260101|2|19700101|20260101|+0000\nnro|*|asn|*|2|summary\narin|US|asn|1|1|20000101|assigned|a|e-stats\n"
		"apnic|JP|asn|2|1|20000101|assigned|b|e-stats\n");
	assert_int_equal(extended_stats_read(path, take, &taken, NULL), FAULT_NONE);
	assert_string_equal(taken.text, "a@3 AS1\nb@4 AS2\n");
}

#define VERSION "2|example|20260101|1|19840101|20260101|+0000\n"
#define SUMMARY(kind) "example|*|" kind "|*|1|summary\n"
#define ASNS VERSION SUMMARY("asn")
#define IPV4 VERSION SUMMARY("ipv4")
#define IPV6 VERSION SUMMARY("ipv6")

static const struct {
	const char *text;
	enum fault_code code;
	const char *message;
} bad[] = {
	{ "", FAULT_MALFORMED, "line 1: the file has no version line" },
	{ "# nothing\n\n", FAULT_MALFORMED, "line 2: the file has no version line" },
	{ "hello\n", FAULT_MALFORMED, "line 1: this is no version line of extended statistics" },
	{ "{\"roas\":[]}\n", FAULT_MALFORMED, "line 1: this is no version line" },
	{ "3|example|20260101|1|19840101|20260101|+0000\n", FAULT_MALFORMED, "line 1: this is no version line" },
	{ "2|example|20260101|1|19840101|20260101\n", FAULT_MALFORMED, "line 1: this is no version line" },
	{ "2||20260101|1|19840101|20260101|+0000\n", FAULT_MALFORMED, "line 1: the version line names no registry" },
	{ "2|example|20260101|many|19840101|20260101|+0000\n", FAULT_MALFORMED, "line 1: \"many\" is no number of records" },
	{ "2|example|20260101|-1|19840101|20260101|+0000\n", FAULT_MALFORMED, "line 1: \"-1\" is no number of records" },
	{ "2|example|20260101|1|19841301|20260101|+0000\n", FAULT_MALFORMED, "line 1: the version line has no dates" },
	{ "example|ZZ|asn|1|1||allocated|a\n", FAULT_MALFORMED, "line 1: this is no version line" },
	{ VERSION "example|ZZ|asn|1|1||allocated|a\n", FAULT_MALFORMED, "line 2: the file has no summary line for asn" },
	{ VERSION "example|*|dns|*|1|summary\n", FAULT_INVALID, "line 2: \"dns\" is not asn, ipv4 or ipv6" },
	{ VERSION "other|*|asn|*|1|summary\n", FAULT_INVALID, "line 2: \"other\" is not the registry of this file, \"example\"" },
	{ ASNS SUMMARY("asn"), FAULT_INVALID, "line 3: a second summary line for asn" },
	{ VERSION "example|*|asn|*|x|summary\n", FAULT_MALFORMED, "line 2: \"x\" is no number of records" },
	/* Cut short: counts tell. */
	{ ASNS, FAULT_MALFORMED, "line 2: the file ends after 0 asn records, and its summary line tells of 1: it is not "
		"complete" },
	{ "2|example|20260101|2|19840101|20260101|+0000\n" SUMMARY("asn") "example|ZZ|asn|1|1||allocated|a\n", FAULT_MALFORMED,
		"line 3: the file ends after 1 records, and its version line tells of 2" },
	{ ASNS "example|ZZ|asn|1|1||allocated|a\nexample|ZZ|asn|2|1||allo", FAULT_INVALID, "line 4: \"allo\" is not allocated" },
	{ ASNS "example|ZZ|asn|1|1||allocated|a\nexample|ZZ|asn|2", FAULT_MALFORMED, "line 4: 4 columns, not 8" },
	{ ASNS "example|ZZ|asn|1|1||allocated|a\nexample|ZZ|asn|2|1||allocated|b\n", FAULT_MALFORMED,
	"line 4: the file ends after 2 asn" },
	/* Columns. */
	{ ASNS "other|ZZ|asn|1|1||allocated|a\n", FAULT_INVALID, "line 3: \"other\" is not the registry of this file" },
	{ ASNS "example|Z|asn|1|1||allocated|a\n", FAULT_INVALID, "line 3: \"Z\" is no country code" },
	{ ASNS "example|zz|asn|1|1||allocated|a\n", FAULT_INVALID, "line 3: \"zz\" is no country code" },
	{ ASNS "example|ZZ|asn|1|1|20260230|allocated|a\n", FAULT_INVALID, "line 3: \"20260230\" is no date, YYYYMMDD" },
	{ ASNS "example|ZZ|asn|1|1|2026-01-01|allocated|a\n", FAULT_INVALID, "line 3: \"2026-01-01\" is no date" },
	{ ASNS "example|ZZ|asn|1|1|20261301|allocated|a\n", FAULT_INVALID, "line 3: \"20261301\" is no date" },
	{ ASNS "example|ZZ|as|1|1||allocated|a\n", FAULT_INVALID, "line 3: \"as\" is not asn, ipv4 or ipv6" },
	{ ASNS "example|ZZ|asn|1|1||legacy|a\n", FAULT_INVALID, "line 3: \"legacy\" is not allocated, assigned, available or "
	"reserved" },
	{ ASNS "example|ZZ|asn|1|1||allocated|\n", FAULT_INVALID, "line 3: no opaque id" },
	{ ASNS "example|ZZ|asn|1|1||allocated\n", FAULT_INVALID, "line 3: no opaque id" },
	{ ASNS "example|ZZ|asn|1|1||allocated|a b\n", FAULT_INVALID, "line 3: the opaque id \"a b\" can't be a handle" },
	{ ASNS "example|ZZ|asn|1|1||allocated|../etc\n", FAULT_INVALID, "line 3: the opaque id \"../etc\" can't be a handle" },
	/* Values. */
	{ ASNS "example|ZZ|asn|x|1||allocated|a\n", FAULT_INVALID, "line 3: " },
	{ ASNS "example|ZZ|asn|4294967296|1||allocated|a\n", FAULT_INVALID, "line 3: " },
	{ ASNS "example|ZZ|asn|1|0||allocated|a\n", FAULT_INVALID, "line 3: \"0\" is not how many AS numbers there can be from 1 "
	"on" },
	{ ASNS "example|ZZ|asn|4294967295|2||allocated|a\n", FAULT_INVALID, "line 3: \"2\" is not how many AS numbers" },
	{ ASNS "example|ZZ|asn|1|99999999999999999999||allocated|a\n", FAULT_INVALID,
	"line 3: \"99999999999999999999\" is not how" },
	{ IPV4 "example|ZZ|ipv4|192.0.2|256||allocated|a\n", FAULT_INVALID, "line 3: " },
	{ IPV4 "example|ZZ|ipv4|192.0.2.0|||allocated|a\n", FAULT_INVALID, "line 3: \"\" is not how many addresses" },
	{ IPV4 "example|ZZ|ipv4|192.0.2.0|0||allocated|a\n", FAULT_INVALID, "line 3: \"0\" is not how many addresses" },
	{ IPV4 "example|ZZ|ipv4|255.255.255.0|257||allocated|a\n", FAULT_INVALID, "line 3: \"257\" is not how many addresses" },
	{ IPV4 "example|ZZ|ipv4|0.0.0.0|4294967297||allocated|a\n", FAULT_INVALID, "line 3: \"4294967297\" is not how" },
	{ IPV4 "example|ZZ|ipv4|2001:db8::|32||allocated|a\n", FAULT_INVALID, "line 3: 2001:db8:: is no IPv4 address" },
	{ IPV6 "example|ZZ|ipv6|2001:db8::|129||allocated|a\n", FAULT_INVALID, "line 3: " },
	{ IPV6 "example|ZZ|ipv6|2001:db8::1|32||allocated|a\n", FAULT_INVALID, "line 3: " },
	{ IPV6 "example|ZZ|ipv6|192.0.2.0|24||allocated|a\n", FAULT_INVALID, "line 3: 192.0.2.0/24 is no IPv6 prefix" },
	{ IPV6 "example|ZZ|ipv6|2001:db8::|||allocated|a\n", FAULT_INVALID, "line 3: " },
	{ IPV6 "example|ZZ|ipv6|2001:db8::|32 ||allocated|a\n", FAULT_INVALID, "line 3: " },
};

static void
extended_stats__names_the_line_of_what_is_wrong(void **state)
{
	const char *path = scratch_path(state, "stats");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct taken taken = { .stop_at = 0 };
		struct fault fault = FAULT_INIT;
		feed_file_write(path, bad[i].text);
		enum fault_code code = extended_stats_read(path, take, &taken, &fault);
		if (code != bad[i].code || strncmp(fault.message, bad[i].message, strlen(bad[i].message)) != 0)
			fail_msg("%s gave %s: %s", bad[i].text, fault_type(code), fault.message);
		assert_int_equal(taken.holders, 0);
		assert_int_equal(extended_stats_read(path, take, &taken, NULL), bad[i].code);
	}
}

static void
extended_stats__holders_dont_overlap(void **state)
{
	struct taken taken = { .stop_at = 0 };
	struct fault fault = FAULT_INIT;
	const char *path = scratch_path(state, "stats");
	feed_file_write(path,
		"2|example|20260101|3||20260101|+0000\nexample|*|ipv4|*|3|summary\nexample|ZZ|ipv4|10.0.0.0|65536||allocated|a\n"
		"example|ZZ|ipv4|10.0.1.0|256||allocated|a\nexample|ZZ|ipv4|10.0.255.255|2||allocated|b\n");
	assert_int_equal(extended_stats_read(path, take, &taken, &fault), FAULT_INVALID);
	assert_string_equal(fault.message, "line 5: 10.0.255.255-10.1.0.0 overlaps with 10.0.0.0/16 of another holder in line 3");
	assert_int_equal(taken.holders, 0);
	/* With itself one may overlap. */
	feed_file_write(path,
		"2|example|20260101|2||20260101|+0000\nexample|*|ipv4|*|2|summary\nexample|ZZ|ipv4|10.0.0.0|65536||allocated|a\n"
		"example|ZZ|ipv4|10.0.1.0|256||allocated|a\n");
	assert_int_equal(extended_stats_read(path, take, &taken, &fault), FAULT_NONE);
	assert_string_equal(taken.text, "a@3 10.0.0.0/16\n");
}

static void
extended_stats__bounds_what_it_reads(void **state)
{
	struct taken taken = { .stop_at = 0 };
	struct fault fault = FAULT_INIT;
	const char *path = scratch_path(state, "stats");
	char text[STATS_LINE_MAX + 64] = VERSION;
	memset(text + strlen(text), '#', STATS_LINE_MAX + 1);
	feed_file_write_bytes(path, text, sizeof text);
	assert_int_equal(extended_stats_read(path, take, &taken, &fault), FAULT_TOO_LARGE);
	assert_int_equal(strncmp(fault.message, "line 2: ", 8), 0);
	feed_file_write_bytes(path, "\x1f\x8b\x08\x00rubbish", 11);
	assert_int_equal(extended_stats_read(path, take, &taken, &fault), FAULT_MALFORMED);
	feed_file_write_bytes(path, VERSION "exa\0mple", sizeof VERSION + 8);
	assert_int_equal(extended_stats_read(path, take, &taken, &fault), FAULT_MALFORMED);
	assert_int_equal(extended_stats_read(scratch_path(state, "absent"), take, &taken, &fault), FAULT_NOT_FOUND);
}

static void
extended_stats__reads_afrinic(void **state)
{
	struct taken taken = { .stop_at = 0 };
	struct fault fault = FAULT_INIT;
	const char *path = feed_file_real("delegated-afrinic-extended-20250720.txt.gz");
	(void)state;
	if (path == NULL)
		return;
	if (extended_stats_read(path, take, &taken, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	assert_int_equal(taken.holders, 2748);
	assert_int_equal(taken.ranges, 8797);
}

#define CASE(name) cmocka_unit_test_setup_teardown(extended_stats__##name, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(groups_records_by_holder),
		CASE(reads_gzip),
		CASE(passes_on_the_fault_of_its_taker),
		CASE(a_file_without_holders_is_fine),
		CASE(the_nros_file_has_many_registries),
		CASE(names_the_line_of_what_is_wrong),
		CASE(holders_dont_overlap),
		CASE(bounds_what_it_reads),
		CASE(reads_afrinic),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
