#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ca/lint/lint.h"

static void
lint_uri__takes_what_all_validators_take(void **state)
{
	(void)state;
	static const char *const rsync[] = {
		"rsync://rpki.example/repo/", "rsync://rpki.example/repo/a.cer", "rsync://rpki.example:8873/repo/ta/ta.cer",
		"rsync://a/b/c",
		"rsync://localhost:65535/repo/", "rsync://127.0.0.1/repo/", "rsync://r-1.example/a.b/c_d-e~f/x!$&'()*+,;=:.roa",
		"rsync://RPKI.Example/repo/A/",
	};
	static const char *const https[] = {
		"https://rrdp.example/", "https://rrdp.example/rrdp/notification.xml", "https://127.0.0.1:1/x",
		"https://a:8443/rrdp/",
	};
	for (size_t i = 0; i < sizeof rsync / sizeof rsync[0]; i++) {
		if (!lint_uri(rsync[i], "rsync") || lint_uri(rsync[i], "https"))
			fail_msg("%s is refused, or taken for https", rsync[i]);
	}
	for (size_t i = 0; i < sizeof https / sizeof https[0]; i++) {
		if (!lint_uri(https[i], "https") || lint_uri(https[i], "rsync"))
			fail_msg("%s is refused, or taken for rsync", https[i]);
	}
}

static void
lint_uri__refuses_what_some_validator_does(void **state)
{
	(void)state;
	static const char *const uris[] = {
		"", "rsync", "rsync:", "rsync:/", "rsync://", "rsync:///", "rsync:///repo/a", "rsync://rpki.example",
		"rsync://rpki.example/",
		"rsync://rpki.example/repo", "RSYNC://rpki.example/repo/", "rsync:rpki.example/repo/",
		"http://rpki.example/repo/",
		"ftp://rpki.example/repo/", "rsyncs://rpki.example/repo/", " rsync://rpki.example/repo/",
		"rsync://rpki.example//a",
		"rsync://rpki.example/repo//a", "rsync://rpki.example/repo/a//", "rsync://rpki.example/repo/.",
		"rsync://rpki.example/repo/..",
		"rsync://rpki.example/repo/./a", "rsync://rpki.example/repo/../a", "rsync://rpki.example/../repo/",
		"rsync://rpki.example/./repo/",
		"rsync://rpki.example/repo/.hidden", "rsync://rpki.example/repo/a b", "rsync://rpki.example/repo/a\tb",
		"rsync://rpki.example/repo/a\nb", "rsync://rpki.example/repo/a\x7f", "rsync://rpki.example/repo/\xc3\xa4",
		"rsync://rpki.example/repo/a?b",
		"rsync://rpki.example/repo/a#b", "rsync://rpki.example/repo/a@b", "rsync://rpki.example/repo/[a]",
		"rsync://rpki.example/repo/a\\b",
		"rsync://rpki.example/repo/a\"b", "rsync://rpki.example/repo/<a>", "rsync://rpki.example/repo/a^b",
		"rsync://rpki.example/repo/a`b",
		"rsync://rpki.example/repo/{a}", "rsync://rpki.example/repo/a|b", "rsync://rpki.example/repo/%2e%2e/a",
		"rsync://user@rpki.example/repo/",
		"rsync://rpki.example:/repo/", "rsync://rpki.example:0/repo/", "rsync://rpki.example:0873/repo/",
		"rsync://rpki.example:65536/repo/",
		"rsync://rpki.example:99999999999/repo/", "rsync://rpki.example:8a/repo/", "rsync://rpki.example:1:2/repo/",
		"rsync://:873/repo/",
		"rsync://[2001:db8::1]/repo/", "rsync://.example/repo/", "rsync://rpki..example/repo/",
		"rsync://rpki.example./repo/",
		"rsync://-rpki.example/repo/", "rsync://rpki-.example/repo/", "rsync://rpki.-example/repo/",
		"rsync://rpki.example-/repo/",
		"rsync://rpki_x.example/repo/", "rsync://rpki.example%00/repo/",
	};
	for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++) {
		if (lint_uri(uris[i], "rsync") || lint_uri(uris[i], "https"))
			fail_msg("%s is taken", uris[i]);
	}
	assert_false(lint_uri("https://rrdp.example", "https"));
	assert_false(lint_uri("http://rrdp.example/", "http"));
	assert_false(lint_uri("rsync://rpki.example/repo/", ""));
}

static void
lint_uri__has_a_greatest_length(void **state)
{
	(void)state;
	char uri[2050] = "rsync://rpki.example/repo/";
	size_t length = strlen(uri);
	memset(uri + length, 'a', sizeof uri - length);
	uri[2048] = '\0';
	assert_true(lint_uri(uri, "rsync"));
	uri[2048] = 'a';
	uri[2049] = '\0';
	assert_false(lint_uri(uri, "rsync"));
	char host[300] = "rsync://";
	memset(host + 8, 'a', 253);
	memcpy(host + 8 + 253, "/a/b", 5);
	assert_true(lint_uri(host, "rsync"));
	memset(host + 8, 'a', 254);
	memcpy(host + 8 + 254, "/a/b", 5);
	assert_false(lint_uri(host, "rsync"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lint_uri__takes_what_all_validators_take),
		cmocka_unit_test(lint_uri__refuses_what_some_validator_does),
		cmocka_unit_test(lint_uri__has_a_greatest_length),
	};
	return cmocka_run_group_tests_name("lint_uri", tests, NULL, NULL);
}
