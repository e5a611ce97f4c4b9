#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ca/base/digest.h"
#include "publish/rrdp_xml.h"
#include "tests/support/rrdp_reader.h"

#define SESSION "0d1c2b3a-4f5e-4d7c-8b9a-a0b1c2d3e4f5"
#define HASH "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff"
#define HEAD "<?xml version=\"1.0\" encoding=\"US-ASCII\"?>\n"
#define RRDP "xmlns=\"http://www.ripe.net/rpki/rrdp\" version=\"1\" session_id=\"" SESSION "\""

static const uint8_t hash[SHA256_SIZE] = {
	0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13,
		0x14, 0x15,
	0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0xff,
};

static struct span
some_hash(void)
{
	return SPAN(hash, SHA256_SIZE);
}

static void
expect(struct bytes *text, const char *expected)
{
	assert_string_equal(bytes_text(text), expected);
	bytes_reset(text);
}

static void
rrdp_xml__writes_documents(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	(void)state;
	assert_int_equal(rrdp_xml_open(&text, RRDP_NOTIFICATION, SESSION, 7, NULL), FAULT_NONE);
	expect(&text,
		HEAD "<notification xmlns=\"http://www.ripe.net/rpki/rrdp\" version=\"1\" session_id=\"" SESSION
		"\" serial=\"7\">\n");
	assert_int_equal(rrdp_xml_open(&text, RRDP_SNAPSHOT, SESSION, INT64_MAX, NULL), FAULT_NONE);
	expect(&text, HEAD "<snapshot xmlns=\"http://www.ripe.net/rpki/rrdp\" version=\"1\" session_id=\"" SESSION
		"\" serial=\"9223372036854775807\">\n");
	assert_int_equal(rrdp_xml_open(&text, RRDP_DELTA, SESSION, 1, NULL), FAULT_NONE);
	expect(&text,
		HEAD "<delta xmlns=\"http://www.ripe.net/rpki/rrdp\" version=\"1\" session_id=\"" SESSION "\" serial=\"1\">\n");
	assert_int_equal(rrdp_xml_close(&text, RRDP_NOTIFICATION, NULL), FAULT_NONE);
	assert_int_equal(rrdp_xml_close(&text, RRDP_SNAPSHOT, NULL), FAULT_NONE);
	assert_int_equal(rrdp_xml_close(&text, RRDP_DELTA, NULL), FAULT_NONE);
	expect(&text, "</notification>\n</snapshot>\n</delta>\n");
}

static void
rrdp_xml__writes_elements(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	(void)state;
	assert_int_equal(rrdp_xml_publish(&text, "rsync://h/r/", "a/b.roa", SPAN(NULL, 0), SPAN("abcd", 4), NULL), FAULT_NONE);
	expect(&text, "<publish uri=\"rsync://h/r/a/b.roa\">YWJjZA==</publish>\n");
	assert_int_equal(rrdp_xml_publish(&text, "rsync://h/r/", "a/b.roa", some_hash(), SPAN("", 0), NULL), FAULT_NONE);
	expect(&text, "<publish uri=\"rsync://h/r/a/b.roa\" hash=\"" HASH "\"></publish>\n");
	assert_int_equal(rrdp_xml_withdraw(&text, "rsync://h/r/", "a/b.roa", some_hash(), NULL), FAULT_NONE);
	expect(&text, "<withdraw uri=\"rsync://h/r/a/b.roa\" hash=\"" HASH "\"/>\n");
	assert_int_equal(rrdp_xml_name_snapshot(&text, "https://h/rrdp/", "s/snapshot.xml", some_hash(), NULL), FAULT_NONE);
	expect(&text, "<snapshot uri=\"https://h/rrdp/s/snapshot.xml\" hash=\"" HASH "\"/>\n");
	assert_int_equal(rrdp_xml_name_delta(&text, 12, "https://h/rrdp/", "s/delta.xml", some_hash(), NULL), FAULT_NONE);
	expect(&text, "<delta serial=\"12\" uri=\"https://h/rrdp/s/delta.xml\" hash=\"" HASH "\"/>\n");
}

static void
rrdp_xml__escapes_uris(void **state)
{
	static const char path[] = "a?b=1&c=<2>'\"&amp;";
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	AUTO_CLEAR(struct rrdp_document, rrdp_reader_clear) document = { .count = 0 };
	(void)state;
	assert_int_equal(rrdp_xml_open(&text, RRDP_DELTA, SESSION, 3, NULL), FAULT_NONE);
	assert_int_equal(rrdp_xml_withdraw(&text, "rsync://h/&/", path, some_hash(), NULL), FAULT_NONE);
	assert_int_equal(rrdp_xml_close(&text, RRDP_DELTA, NULL), FAULT_NONE);
	assert_null(rrdp_reader_parse(bytes_span(&text), &document));
	assert_string_equal(document.elements[0].uri, "rsync://h/&/a?b=1&c=<2>'\"&amp;");
}

static void
rrdp_xml__refuses_what_no_uri_holds(void **state)
{
	static const char *const paths[] = { " ", "a b", "a\tb", "a\nb", "\x7f", "\xc3\xa4", "a\x01" };
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	struct fault fault = FAULT_INIT;
	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		assert_int_equal(rrdp_xml_publish(&text, "rsync://h/", paths[i], SPAN(NULL, 0), SPAN("a", 1), &fault),
			FAULT_DATABASE);
		assert_int_equal(rrdp_xml_withdraw(&text, paths[i], "a.roa", some_hash(), &fault), FAULT_DATABASE);
	}
}

static void
rrdp_xml__refuses_other_hashes(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	(void)state;
	assert_int_equal(rrdp_xml_withdraw(&text, "rsync://h/", "a.roa", SPAN(hash, 31), NULL), FAULT_DATABASE);
	assert_int_equal(rrdp_xml_withdraw(&text, "rsync://h/", "a.roa", SPAN(NULL, 0), NULL), FAULT_DATABASE);
	assert_int_equal(rrdp_xml_publish(&text, "rsync://h/", "a.roa", SPAN(hash, 20), SPAN("a", 1), NULL), FAULT_DATABASE);
	assert_int_equal(rrdp_xml_name_snapshot(&text, "https://h/", "a.xml", SPAN("", 0), NULL), FAULT_DATABASE);
	assert_int_equal(rrdp_xml_name_delta(&text, 1, "https://h/", "a.xml", SPAN("", 0), NULL), FAULT_DATABASE);
}

/* The reader that all other tests trust. */
#define SNAPSHOT(inner) HEAD "<snapshot " RRDP " serial=\"1\">" inner "</snapshot>"
#define DELTA(inner) HEAD "<delta " RRDP " serial=\"1\">" inner "</delta>"

static const char *const well_formed[] = {
	SNAPSHOT(""),
	SNAPSHOT("\n<publish uri=\"rsync://h/a\">YQ==</publish>\n"),
	DELTA("<withdraw hash=\"" HASH "\"\turi=\"rsync://h/a\" />"),
};

static const char *const malformed[] = {
	"",
	HEAD,
	SNAPSHOT("") "x",
	SNAPSHOT("") "<",
	"<snapshot/>",
	"\xef\xbb\xbf" SNAPSHOT(""),
	SNAPSHOT("<!-- a -->"),
	SNAPSHOT("text"),
	SNAPSHOT("<publish uri=\"rsync://h/a\">YQ=</publish>"),
	SNAPSHOT("<publish uri=\"rsync://h/a\">Y Q==</publish>"),
	SNAPSHOT("<publish uri=\"rsync://h/a\">YQ==</withdraw>"),
	SNAPSHOT("<publish uri=\"rsync://h/a\" hash=\"" HASH "\">YQ==</publish>"),
	SNAPSHOT("<publish uri=\"rsync://h/a\" tag=\"x\">YQ==</publish>"),
	SNAPSHOT("<publish uri=\"rsync://h/a\" uri=\"rsync://h/a\">YQ==</publish>"),
	SNAPSHOT("<publish uri=\"rsync://h/&nbsp;\">YQ==</publish>"),
	SNAPSHOT("<publish uri=\"\">YQ==</publish>"),
	SNAPSHOT("<publish>YQ==</publish>"),
	SNAPSHOT("<publish uri=\"rsync://h/\xc3\xa4\">YQ==</publish>"),
	SNAPSHOT("<withdraw uri=\"rsync://h/a\" hash=\"" HASH "\"/>"),
	DELTA("<withdraw uri=\"rsync://h/a\"/>"),
	DELTA("<withdraw uri=\"rsync://h/a\" hash=\"00\"/>"),
	DELTA("<withdraw uri=\"rsync://h/a\" hash=\"" HASH "\"></withdraw>"),
	DELTA("<delta serial=\"1\" uri=\"rsync://h/a\" hash=\"" HASH "\"/>"),
	"<?xml version=\"1.0\"?><!DOCTYPE a><snapshot/>",
	HEAD "<snapshot xmlns=\"http://www.ripe.net/rpki/rrdp\" version=\"2\" session_id=\"" SESSION "\" serial=\"1\">"
		"</snapshot>",
	HEAD "<snapshot " RRDP " serial=\"0\"></snapshot>",
	HEAD "<snapshot " RRDP " serial=\"01\"></snapshot>",
	HEAD "<snapshot xmlns=\"http://www.ripe.net/rpki/rrdp\" version=\"1\" "
		"session_id=\"0d1c2b3a-4f5e-1d7c-8b9a-a0b1c2d3e4f5\" serial=\"1\">"
		"</snapshot>",
	HEAD "<snapshot xmlns=\"urn:other\" version=\"1\" session_id=\"" SESSION "\" serial=\"1\"></snapshot>",
};

static void
rrdp_xml__reader_is_strict(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof well_formed / sizeof *well_formed; i++) {
		AUTO_CLEAR(struct rrdp_document, rrdp_reader_clear) document = { .count = 0 };
		assert_null(rrdp_reader_parse(SPAN(well_formed[i], strlen(well_formed[i])), &document));
	}
	for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
		AUTO_CLEAR(struct rrdp_document, rrdp_reader_clear) document = { .count = 0 };
		if (rrdp_reader_parse(SPAN(malformed[i], strlen(malformed[i])), &document) == NULL)
			fail_msg("accepted: %s", malformed[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rrdp_xml__writes_documents),
		cmocka_unit_test(rrdp_xml__writes_elements),
		cmocka_unit_test(rrdp_xml__escapes_uris),
		cmocka_unit_test(rrdp_xml__refuses_what_no_uri_holds),
		cmocka_unit_test(rrdp_xml__refuses_other_hashes),
		cmocka_unit_test(rrdp_xml__reader_is_strict),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
