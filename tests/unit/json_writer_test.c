#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "api/server/json_writer.h"
#include "tests/unit/scratch.h"

static void
json_writer__writes_documents(void **state)
{
	AUTO_CLEAR(struct spool, spool_clear) spool = SPOOL_INIT(-1);
	struct json_writer writer;
	(void)state;
	json_writer_begin(&writer, &spool);
	json_writer_object(&writer, NULL);
	json_writer_text(&writer, "text", "a\"b");
	json_writer_text(&writer, "none", NULL);
	json_writer_array(&writer, "list");
	json_writer_number(&writer, NULL, INT64_MIN);
	json_writer_object(&writer, NULL);
	json_writer_end(&writer);
	json_writer_array(&writer, NULL);
	json_writer_end(&writer);
	json_writer_end(&writer);
	json_writer_truth(&writer, "yes", true);
	json_writer_instant(&writer, "at", 1767225600);
	json_writer_instant(&writer, "never", 0);
	json_writer_hex(&writer, "hash", SPAN("\x00\xAB", 2));
	json_writer_hex(&writer, "nothing", SPAN(NULL, 0));
	json_writer_json(&writer, "as_it_is", "{\"x\":1}");
	json_writer_end(&writer);
	assert_int_equal(json_writer_check(&writer, NULL), FAULT_NONE);
	assert_string_equal(bytes_text(&spool.memory),
		"{\"text\":\"a\\\"b\",\"none\":null,\"list\":[-9223372036854775808,{},[]],\"yes\":true,"
		"\"at\":\"2026-01-01T00:00:00Z\",\"never\":null,\"hash\":\"00ab\",\"nothing\":null,\"as_it_is\":{\"x\":1}}");
}

static void
check_text(const char *text, const char *expected)
{
	AUTO_CLEAR(struct spool, spool_clear) spool = SPOOL_INIT(-1);
	struct json_writer writer;
	json_writer_begin(&writer, &spool);
	json_writer_text(&writer, NULL, text);
	assert_int_equal(json_writer_check(&writer, NULL), FAULT_NONE);
	assert_string_equal(bytes_text(&spool.memory), expected);
}

static void
json_writer__escapes_and_mends(void **state)
{
	(void)state;
	check_text("", "\"\"");
	check_text("\\ / \b\f\n\r\t\x01\x1f\x7f", "\"\\\\ / \\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\"");
	check_text("ä€😀", "\"ä€😀\"");
	check_text("a\xff" "b\xc3", "\"a\xef\xbf\xbd" "b\xef\xbf\xbd\"");
	check_text("\xc0\x80\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

/* Whatever bytes come, another parser reads the answer. */
static void
json_writer__is_always_json(void **state)
{
	char text[4] = "";
	(void)state;
	for (unsigned i = 1; i < 0x10000; i++) {
		AUTO_CLEAR(struct spool, spool_clear) spool = SPOOL_INIT(-1);
		struct json_writer writer;
		text[0] = (char)(i & 0xff);
		text[1] = (char)(i >> 8);
		json_writer_begin(&writer, &spool);
		json_writer_text(&writer, NULL, text);
		json_t *json = json_loadb((const char *)spool.memory.data, spool.memory.length, JSON_DECODE_ANY, NULL);
		if (json == NULL)
			fail_msg("%04x: %s", i, bytes_text(&spool.memory));
		json_decref(json);
	}
}

static void
json_writer__remembers_a_failure(void **state)
{
	AUTO_CLEAR(struct spool, spool_clear) spool = SPOOL_INIT(-1);
	struct json_writer writer;
	struct fault fault = FAULT_INIT;
	char text[1001];
	(void)state;
	memset(text, 'x', 1000);
	text[1000] = '\0';
	json_writer_begin(&writer, &spool);
	json_writer_array(&writer, NULL);
	for (int i = 0; i < 100; i++)
		json_writer_text(&writer, NULL, text); /* more than stays in memory, and no directory for a file */
	json_writer_end(&writer);
	assert_int_equal(json_writer_check(&writer, &fault), FAULT_IO);
	assert_int_equal(fault.code, FAULT_IO);
	assert_int_equal(json_writer_check(&writer, NULL), FAULT_IO);
}

static void
nest_too_deep(void *argument)
{
	AUTO_CLEAR(struct spool, spool_clear) spool = SPOOL_INIT(-1);
	struct json_writer writer;
	(void)argument;
	json_writer_begin(&writer, &spool);
	for (int i = 0; i <= JSON_WRITER_DEPTH; i++)
		json_writer_array(&writer, NULL);
}

static void
end_too_often(void *argument)
{
	AUTO_CLEAR(struct spool, spool_clear) spool = SPOOL_INIT(-1);
	struct json_writer writer;
	(void)argument;
	json_writer_begin(&writer, &spool);
	json_writer_end(&writer);
}

static void
json_writer__dies_of_wrong_use(void **state)
{
	(void)state;
	assert_true(scratch_dies(nest_too_deep, NULL));
	assert_true(scratch_dies(end_too_often, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_writer__writes_documents),
		cmocka_unit_test(json_writer__escapes_and_mends),
		cmocka_unit_test(json_writer__is_always_json),
		cmocka_unit_test(json_writer__remembers_a_failure),
		cmocka_unit_test(json_writer__dies_of_wrong_use),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
