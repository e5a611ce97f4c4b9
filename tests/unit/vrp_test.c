#include "ca/feeds/vrp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ca/feeds/vrp_csv.h"
#include "tests/unit/feed_file.h"
#include "tests/unit/scratch.h"

struct taken {
	char text[2048];
	size_t payloads, stop_at;
	uint32_t last_line;
};

static enum fault_code
take(void *argument, const struct payload *payload, uint32_t line, struct fault *fault)
{
	struct taken *taken = argument;
	size_t length = strlen(taken->text);
	char text[PAYLOAD_TEXT];
	if (++taken->payloads == taken->stop_at)
		return fault_set(fault, FAULT_BUSY, "enough");
	taken->last_line = line;
	payload_text(payload, text);
	if (length < sizeof taken->text - 200)
		(void)snprintf(taken->text + length, sizeof taken->text - length, "%u: %s\n", (unsigned)line, text);
	return FAULT_NONE;
}

static void
expect(const char *path, const char *expected)
{
	struct taken taken = { .stop_at = 0 };
	struct fault fault = FAULT_INIT;
	if (vrp_read(path, take, &taken, &fault) != FAULT_NONE)
		fail_msg("%s: %s", path, fault.message);
	assert_string_equal(taken.text, expected);
}

static void
vrp__reads_what_each_validator_writes(void **state)
{
	(void)state;
	expect("tests/vectors/feeds/vrps-rpki-client.json",
		"11: AS64496 192.0.2.0/24\n12: AS64496 192.0.2.0/24-28\n13: AS4294967295 2001:db8::/32-128\n14: AS0 0.0.0.0/0\n");
	expect("tests/vectors/feeds/vrps-routinator.json", "1: AS64496 192.0.2.0/24\n1: AS64497 2001:db8::/32-48\n");
	expect("tests/vectors/feeds/vrps-routinator.csv", "2: AS64496 192.0.2.0/24\n3: AS64497 2001:db8::/32-48\n");
	expect("tests/vectors/feeds/vrps-rpki-client.csv", "2: AS64496 192.0.2.0/24\n3: AS64497 2001:db8::/32-48\n");
	expect("tests/vectors/feeds/vrps-fort.csv", "2: AS64496 192.0.2.0/24\n3: AS64497 2001:db8::/32-48\n");
}

static void
vrp__tells_json_from_csv_by_its_content(void **state)
{
	const char *path = scratch_path(state, "vrps");
	char blanks[1024];
	memset(blanks, '\n', sizeof blanks);
	(void)snprintf(blanks + sizeof blanks - 32, 32, " {\"roas\":[]}");
	feed_file_write(path, blanks);
	expect(path, "");
	feed_file_write_gzip(path, "{\"roas\":[{\"asn\":1,\"prefix\":\"::/0\",\"maxLength\":0}]}", 50);
	expect(path, "1: AS1 ::/0\n");
	feed_file_write(path, "ASN,Prefix,Max prefix length\n1,::/0,0");
	expect(path, "2: AS1 ::/0\n");
}

#define ROAS(element) "{\n\"roas\":[\n" element "]}"
#define PAYLOAD(asn, prefix, max_length) ROAS("{\"asn\":" asn ",\"prefix\":" prefix ",\"maxLength\":" max_length "}")
#define CSV(line) "ASN,IP Prefix,Max Length,Trust Anchor\n" line "\n"

static const struct {
	const char *text;
	enum fault_code code;
	const char *message;
} bad[] = {
	/* JSON. */
	{ "{}", FAULT_MALFORMED, "line 1: the document has no array \"roas\"" },
	{ "{\"roas\":{}}", FAULT_MALFORMED, "line 1: \"roas\" is no array" },
	{ "{\"roas\":null}", FAULT_MALFORMED, "line 1: \"roas\" is no array" },
	{ "{\"roas\":[],\n\"roas\":[]}", FAULT_MALFORMED, "line 2: a second \"roas\"" },
	{ "{\"roas\":[", FAULT_MALFORMED, "line 1: the document ends in its middle" },
	{ "{\"roas\":[]", FAULT_MALFORMED, "line 1: the document ends in its middle" },
	{ ROAS("1"), FAULT_INVALID, "line 3: a payload is no JSON object" },
	{ ROAS("null"), FAULT_INVALID, "line 3: a payload is no JSON object" },
	{ ROAS("[]"), FAULT_INVALID, "line 3: a payload is no JSON object" },
	{ ROAS("{}"), FAULT_INVALID, "line 3: a payload has no \"asn\" that is a number or text" },
	{ ROAS("{\"asn\":1}"), FAULT_INVALID, "line 3: a payload has no \"prefix\" that is text" },
	{ ROAS("{\"asn\":1,\"prefix\":\"::/0\"}"), FAULT_INVALID, "line 3: a payload has no \"maxLength\" that is a number" },
	{ PAYLOAD("-1", "\"::/0\"", "0"), FAULT_INVALID, "line 3: -1 is no AS number" },
	{ PAYLOAD("4294967296", "\"::/0\"", "0"), FAULT_INVALID, "line 3: 4294967296 is no AS number" },
	{ PAYLOAD("1.5", "\"::/0\"", "0"), FAULT_INVALID, "line 3: a payload has no \"asn\"" },
	{ PAYLOAD("\"AS1.5\"", "\"::/0\"", "0"), FAULT_INVALID, "line 3: " },
	{ PAYLOAD("1", "\"192.0.2.1/24\"", "24"), FAULT_INVALID, "line 3: 192.0.2.1/24 has bits set behind its length" },
	{ PAYLOAD("1", "\"192.0.2.0\"", "24"), FAULT_INVALID, "line 3: " },
	{ PAYLOAD("1", "\"192.0.2.0/33\"", "33"), FAULT_INVALID, "line 3: " },
	{ PAYLOAD("1", "24", "24"), FAULT_INVALID, "line 3: a payload has no \"prefix\"" },
	{ PAYLOAD("1", "\"192.0.2.0/24\"", "23"), FAULT_INVALID, "line 3: maxLength 23 is not from 24" },
	{ PAYLOAD("1", "\"192.0.2.0/24\"", "33"), FAULT_INVALID, "line 3: maxLength 33 is not from 24" },
	{ PAYLOAD("1", "\"192.0.2.0/24\"", "280"), FAULT_INVALID, "line 3: a payload has no \"maxLength\"" },
	{ PAYLOAD("1", "\"192.0.2.0/24\"", "\"24\""), FAULT_INVALID, "line 3: a payload has no \"maxLength\"" },
	/* CSV, or nothing of the kind. */
	{ "", FAULT_MALFORMED, "line 1: the file is empty" },
	{ "\n", FAULT_MALFORMED, "line 1: this is neither JSON nor a header line" },
	{ "[]", FAULT_MALFORMED, "line 1: this is neither JSON nor a header line" },
	{ "AS1,192.0.2.0/24,24,example\n", FAULT_MALFORMED, "line 1: this is neither JSON nor a header line" },
	{ "ASN,IP Prefix,Max Length\n", FAULT_MALFORMED, "line 1: this is neither JSON nor a header line" },
	{ "2|example|20260101|0||20260101|+0000\n", FAULT_MALFORMED, "line 1: this is neither JSON nor a header line" },
	{ CSV("AS1,192.0.2.0/24,24"), FAULT_MALFORMED, "line 2: not 4 columns as in the header line" },
	{ CSV("AS1,192.0.2.0/24,24,a,b"), FAULT_MALFORMED, "line 2: not 4 columns" },
	{ CSV("AS1,192.0.2.0/24,24,a,b,c,d,e,f,g,h"), FAULT_MALFORMED, "line 2: not 4 columns" },
	{ CSV("AS1,192.0.2.0/24,24,a\n"), FAULT_MALFORMED, "line 3: not 4 columns" },
	{ CSV("AS1,192.0.2.0/24,24,a\nAS1,192.0.2.0/2"), FAULT_MALFORMED, "line 3: not 4 columns" },
	{ CSV("ASX,192.0.2.0/24,24,a"), FAULT_INVALID, "line 2: " },
	{ CSV("\"AS1\",192.0.2.0/24,24,a"), FAULT_INVALID, "line 2: " },
	{ CSV("AS1,192.0.2.0/24 ,24,a"), FAULT_INVALID, "line 2: " },
	{ CSV("AS1,192.0.2.1/24,24,a"), FAULT_INVALID, "line 2: 192.0.2.1/24 has bits set" },
	{ CSV("AS1,192.0.2.0/24,,a"), FAULT_INVALID, "line 2: \"\" is no maxLength" },
	{ CSV("AS1,192.0.2.0/24,024,a"), FAULT_INVALID, "line 2: \"024\" is no maxLength" },
	{ CSV("AS1,192.0.2.0/24,999,a"), FAULT_INVALID, "line 2: 999 is no maxLength" },
	{ CSV("AS1,192.0.2.0/24,23,a"), FAULT_INVALID, "line 2: maxLength 23 is not from 24" },
};

static void
vrp__names_the_line_of_what_is_wrong(void **state)
{
	const char *path = scratch_path(state, "vrps");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct taken taken = { .stop_at = 0 };
		struct fault fault = FAULT_INIT;
		feed_file_write(path, bad[i].text);
		enum fault_code code = vrp_read(path, take, &taken, &fault);
		if (code != bad[i].code || strncmp(fault.message, bad[i].message, strlen(bad[i].message)) != 0)
			fail_msg("%s gave %s: %s", bad[i].text, fault_type(code), fault.message);
		assert_int_equal(vrp_read(path, take, &taken, NULL), bad[i].code);
	}
}

static void
vrp__passes_on_the_fault_of_its_taker(void **state)
{
	static const char *const paths[] = { "tests/vectors/feeds/vrps-rpki-client.json",
		"tests/vectors/feeds/vrps-rpki-client.csv" };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct taken taken = { .stop_at = 2 };
		struct fault fault = FAULT_INIT;
		assert_int_equal(vrp_read(paths[i], take, &taken, &fault), FAULT_BUSY);
		assert_string_equal(fault.message, "enough");
	}
}

static void
vrp__files_that_cant_be_read(void **state)
{
	struct taken taken = { .stop_at = 0 };
	const char *path = scratch_path(state, "vrps");
	char text[VRP_CSV_LINE_MAX + 64];
	assert_int_equal(vrp_read(path, take, &taken, NULL), FAULT_NOT_FOUND);
	feed_file_write_bytes(path, "\x1f\x8b\x08\x00rubbish", 11);
	assert_int_equal(vrp_read(path, take, &taken, NULL), FAULT_MALFORMED);
	memset(text, 'x', sizeof text);
	feed_file_write_bytes(path, text, sizeof text);
	assert_int_equal(vrp_read(path, take, &taken, NULL), FAULT_TOO_LARGE);
}

static void
vrp__reads_real_ones(void **state)
{
	static const struct {
		const char *name;
		size_t payloads;
	} files[] = { { "vrps-afrinic-20250720.json.gz", 26326 }, { "vrps-ripe-20250720.json.gz", 300988 } };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct taken taken = { .stop_at = 0 };
		const char *path = feed_file_real(files[i].name);
		if (path == NULL)
			continue;
		assert_int_equal(vrp_read(path, take, &taken, NULL), FAULT_NONE);
		assert_int_equal(taken.payloads, files[i].payloads);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(vrp__##name, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(reads_what_each_validator_writes),
		CASE(tells_json_from_csv_by_its_content),
		CASE(names_the_line_of_what_is_wrong),
		CASE(passes_on_the_fault_of_its_taker),
		CASE(files_that_cant_be_read),
		CASE(reads_real_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
