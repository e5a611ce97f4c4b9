#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "api/cli/init_uri.h"

#define RRDP "https://rrdp.example.net/rrdp/"
#define RSYNC "rsync://rsync.example.net/repo/"

static void
init_uri__refuses_wrong_ones(void **state)
{
	static const struct { const char *rrdp, *rsync, *option; } wrong[] = {
		{ "", RSYNC, "--rrdp-uri" }, { "/", RSYNC, "--rrdp-uri" }, { "https://", RSYNC, "--rrdp-uri" },
		{ "https:///rrdp/", RSYNC, "--rrdp-uri" }, { "https://host", RSYNC, "--rrdp-uri" },
		{ "https://host/rrdp", RSYNC, "--rrdp-uri" }, { "http://host/rrdp/", RSYNC, "--rrdp-uri" },
		{ "rsync://host/rrdp/", RSYNC, "--rrdp-uri" }, { "host/rrdp/", RSYNC, "--rrdp-uri" },
		{ "https://host/a b/", RSYNC, "--rrdp-uri" }, { "https://host/a\n/", RSYNC, "--rrdp-uri" },
		{ "https://host/\xc3\xa9/", RSYNC, "--rrdp-uri" }, { "https://:443/rrdp/", RSYNC, "--rrdp-uri" },
		/* Validators take no brackets. */
		{ "https://[2001:db8::1]/rrdp/", RSYNC, "--rrdp-uri" }, { RRDP, "rsync://[2001:db8::1]:8873/repo/", "--rsync-uri" },
		{ RRDP, "", "--rsync-uri" }, { RRDP, "rsync://", "--rsync-uri" }, { RRDP, "rsync://host/repo", "--rsync-uri" },
		{ RRDP, "https://host/repo/", "--rsync-uri" }, { RRDP, "rsync://host/", "--rsync-uri" },
		{ RRDP, "rsync://host//", "--rsync-uri" }, { RRDP, "rsync://ho\"st/repo/", "--rsync-uri" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) warnings = BYTES_INIT;
		struct fault fault = FAULT_INIT;
		if (init_uri_check(wrong[i].rrdp, wrong[i].rsync, &warnings, &fault) != FAULT_INVALID)
			fail_msg("%s %s was taken", wrong[i].rrdp, wrong[i].rsync);
		if (strstr(fault.message, wrong[i].option) == NULL)
			fail_msg("%s %s: %s", wrong[i].rrdp, wrong[i].rsync, fault.message);
	}
}

static void
init_uri__has_a_bound(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) warnings = BYTES_INIT;
	char uri[302] = "https://host/";
	(void)state;
	memset(uri + strlen(uri), 'a', sizeof uri - 1 - strlen(uri));
	uri[300] = '/';
	assert_int_equal(strlen(uri), 301);
	assert_int_equal(init_uri_check(uri, RSYNC, &warnings, NULL), FAULT_INVALID);
	strcpy(uri + 299, "/");
	assert_int_equal(init_uri_check(uri, RSYNC, &warnings, NULL), FAULT_NONE);
}

static void
init_uri__warns_of_what_some_validators_refuse(void **state)
{
	static const struct { const char *rrdp, *what; } cases[] = {
		{ "https://localhost/rrdp/", "localhost" }, { "https://localhost:8443/rrdp/", "localhost" },
		{ "https://192.0.2.1/rrdp/", "an IP address" }, { "https://192.0.2.1:8443/rrdp/", "an IP address" },
		{ "https://rrdp.example.net:8443/rrdp/", "a port" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) warnings = BYTES_INIT;
		assert_int_equal(init_uri_check(cases[i].rrdp, RSYNC, &warnings, NULL), FAULT_NONE);
		const char *text = bytes_text(&warnings);
		if (strstr(text, cases[i].what) == NULL || strstr(text, "--rrdp-uri") != text)
			fail_msg("%s: %s", cases[i].rrdp, text);
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	}
}

static void
init_uri__warns_of_neither_or_both(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) none = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) both = BYTES_INIT;
	(void)state;
	assert_int_equal(init_uri_check(RRDP, RSYNC, &none, NULL), FAULT_NONE);
	assert_string_equal(bytes_text(&none), "");
	assert_int_equal(init_uri_check("https://localhost/rrdp/", "rsync://localhost:8873/repo/", &both, NULL), FAULT_NONE);
	assert_non_null(strstr(bytes_text(&both), "--rrdp-uri"));
	assert_non_null(strstr(bytes_text(&both), "\n--rsync-uri"));
}

static void
init_uri__takes_them_apart(void **state)
{
	static const struct { const char *uri, *host, *module; int origin; } cases[] = {
		{ "rsync://host/repo/", "host", "repo", 12 }, { "rsync://host:8873/repo/deeper/", "host", "repo", 17 },
		{ "rsync://[2001:db8::1]:8873/m/", "2001:db8::1", "m", 26 }, { "rsync://[2001:db8::1]/m/", "2001:db8::1", "m", 21 },
	};
	char text[INIT_HOST_SIZE];
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		init_uri_host(cases[i].uri, text);
		assert_string_equal(text, cases[i].host);
		init_uri_module(cases[i].uri, text);
		assert_string_equal(text, cases[i].module);
		assert_int_equal(init_uri_origin_length(cases[i].uri), cases[i].origin);
	}
}

static void
init_uri__knows_who_listens(void **state)
{
	static const struct { const char *listen, *host; } cases[] = {
		{ "127.0.0.1:8443", "127.0.0.1" }, { "[2001:db8::1]:8443", "2001:db8::1" }, { "localhost:1", "localhost" },
		{ "*:8443", "" }, { "0.0.0.0:8443", "" }, { "[::]:8443", "" },
	};
	char host[INIT_HOST_SIZE];
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		init_uri_listen_host(cases[i].listen, host);
		assert_string_equal(host, cases[i].host);
	}
}

static enum fault_code
unwrap(const char *text, struct bytes *ret_der)
{
	AUTO_CLEAR(struct bytes, bytes_clear) file = BYTES_INIT;
	assert_int_equal(bytes_append_text(&file, text, NULL), FAULT_NONE);
	return init_uri_unwrap_pem(&file, ret_der, NULL);
}

static void
init_uri__unwraps_pem(void **state)
{
	static const char *const wrong[] = {
		"-----BEGIN CERTIFICATE-----\nAAAA\n", "-----BEGIN CERTIFICATE-----\nA!AA\n-----END CERTIFICATE-----\n",
		"-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n",
	};
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) none = BYTES_INIT;
		assert_int_equal(unwrap(wrong[i], &none), FAULT_MALFORMED);
	}
	assert_int_equal(unwrap("a comment\n-----BEGIN CERTIFICATE-----\r\nY2Vy\r\ndA==\r\n-----END CERTIFICATE-----\r\n", &der),
		FAULT_NONE);
	assert_true(span_equal(bytes_span(&der), SPAN("cert", 4)));
	/* What is no PEM is taken as DER. */
	bytes_reset(&der);
	assert_int_equal(unwrap("0\x82", &der), FAULT_NONE);
	assert_true(span_equal(bytes_span(&der), SPAN("0\x82", 2)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_uri__refuses_wrong_ones),
		cmocka_unit_test(init_uri__has_a_bound),
		cmocka_unit_test(init_uri__warns_of_what_some_validators_refuse),
		cmocka_unit_test(init_uri__warns_of_neither_or_both),
		cmocka_unit_test(init_uri__takes_them_apart),
		cmocka_unit_test(init_uri__knows_who_listens),
		cmocka_unit_test(init_uri__unwraps_pem),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
