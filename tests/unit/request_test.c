#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "api/server/request.h"

static enum fault_code
target(struct request *request, const char *text)
{
	request_clear(request, -1);
	return request_set_target(request, text, NULL);
}

static void
request__splits_path_and_query(void **state)
{
	struct request request = REQUEST_INIT;
	(void)state;
	assert_int_equal(target(&request, "/api/v1/cas?limit=10&after=a%2Db&flag"), FAULT_NONE);
	assert_int_equal(request.segments_count, 3);
	assert_string_equal(request.segments[0], "api");
	assert_string_equal(request.segments[2], "cas");
	assert_int_equal(request.parameters_count, 3);
	assert_string_equal(request_parameter(&request, "limit"), "10");
	assert_string_equal(request_parameter(&request, "after"), "a-b");
	assert_string_equal(request_parameter(&request, "flag"), "");
	assert_null(request_parameter(&request, "LIMIT"));
	request_clear(&request, -1);
}

static void
request__decodes_once_and_keeps_what_was_escaped(void **state)
{
	struct request request = REQUEST_INIT;
	(void)state;
	assert_int_equal(target(&request, "/a%2Fb/%2e%2E/%252F/%3F%26?x=%26%3D%252B+"), FAULT_NONE);
	assert_int_equal(request.segments_count, 4);
	assert_string_equal(request.segments[0], "a/b");
	assert_string_equal(request.segments[1], "..");
	assert_string_equal(request.segments[2], "%2F");
	assert_string_equal(request.segments[3], "?&");
	assert_string_equal(request_parameter(&request, "x"), "&=%2B+");
	request_clear(&request, -1);
}

static void
request__keeps_empty_segments(void **state)
{
	struct request request = REQUEST_INIT;
	(void)state;
	assert_int_equal(target(&request, "/"), FAULT_NONE);
	assert_int_equal(request.segments_count, 1);
	assert_string_equal(request.segments[0], "");
	assert_int_equal(target(&request, "//a/"), FAULT_NONE);
	assert_int_equal(request.segments_count, 3);
	assert_string_equal(request.segments[0], "");
	assert_string_equal(request.segments[2], "");
	request_clear(&request, -1);
}

static void
request__takes_the_absolute_form(void **state)
{
	struct request request = REQUEST_INIT;
	(void)state;
	assert_int_equal(target(&request, "HTTPS://localhost:8443/health/live"), FAULT_NONE);
	assert_int_equal(request.segments_count, 2);
	assert_string_equal(request.segments[1], "live");
	assert_int_equal(target(&request, "https://localhost"), FAULT_MALFORMED);
	request_clear(&request, -1);
}

static void
request__refuses_broken_targets(void **state)
{
	static const struct {
		const char *target;
		enum fault_code code;
	} cases[] = {
		{ "", FAULT_MALFORMED },
		{ "*", FAULT_MALFORMED },
		{ "api", FAULT_MALFORMED },
		{ "ftp://h/a", FAULT_MALFORMED },
		{ "/%", FAULT_MALFORMED },
		{ "/%4", FAULT_MALFORMED },
		{ "/%4g", FAULT_MALFORMED },
		{ "/%%", FAULT_MALFORMED },
		{ "/%00", FAULT_MALFORMED },
		{ "/a%00b", FAULT_MALFORMED },
		{ "/%ff", FAULT_MALFORMED },
		{ "/%C0%80", FAULT_MALFORMED },
		{ "/%ED%A0%80", FAULT_MALFORMED },
		{ "/?a=%", FAULT_MALFORMED },
		{ "/?%00=1", FAULT_MALFORMED },
		{ "/?a=1&a=2", FAULT_MALFORMED },
		{ "/?a=1&%61=2", FAULT_MALFORMED },
		{ "/?=1", FAULT_MALFORMED },
		{ "/?a=\xff", FAULT_MALFORMED },
		{ "/?a&b&c&d&e&f&g&h&i", FAULT_MALFORMED },
		{ "/1/2/3/4/5/6/7/8/9", FAULT_NOT_FOUND },
	};
	struct request request = REQUEST_INIT;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if (target(&request, cases[i].target) != cases[i].code)
			fail_msg("%s", cases[i].target);
	}
	assert_int_equal(target(&request, "/?&&a&&"), FAULT_NONE);
	assert_int_equal(request.parameters_count, 1);
	request_clear(&request, -1);
}

static void
request__bounds_the_target(void **state)
{
	struct request request = REQUEST_INIT;
	char text[REQUEST_TARGET_MAX + 2];
	(void)state;
	memset(text, 'a', sizeof text);
	text[0] = '/';
	text[REQUEST_TARGET_MAX] = '\0';
	assert_int_equal(target(&request, text), FAULT_NONE);
	text[REQUEST_TARGET_MAX] = 'a';
	text[REQUEST_TARGET_MAX + 1] = '\0';
	assert_int_equal(target(&request, text), FAULT_HEADERS);
	request_clear(&request, -1);
}

static void
request__knows_methods(void **state)
{
	static const struct {
		const char *word;
		enum request_method method;
		bool head;
	} cases[] = {
		{ "GET", METHOD_GET, false },
		{ "HEAD", METHOD_GET, true },
		{ "POST", METHOD_POST, false },
		{ "PATCH", METHOD_PATCH, false },
		{ "DELETE", METHOD_DELETE, false },
		{ "PUT", METHOD_OTHER, false },
		{ "get", METHOD_OTHER, false },
		{ "", METHOD_OTHER, false },
	};
	struct request request = REQUEST_INIT;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		request_set_method(&request, cases[i].word);
		assert_int_equal(request.method, cases[i].method);
		assert_int_equal(request.head, cases[i].head);
	}
}

static void
check_peer(const char *text, enum address_family family, bool loopback)
{
	struct request request = REQUEST_INIT;
	struct sockaddr_storage address = { .ss_family = AF_INET6 };
	if (inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)&address)->sin6_addr) != 1) {
		address.ss_family = AF_INET;
		assert_int_equal(inet_pton(AF_INET, text, &((struct sockaddr_in *)&address)->sin_addr), 1);
	}
	request_set_peer(&request, (const struct sockaddr *)&address);
	assert_int_equal(request.peer.family, family);
	assert_int_equal(request.peer.loopback, loopback);
}

static void
request__knows_loopback_peers(void **state)
{
	struct request request = REQUEST_INIT;
	(void)state;
	check_peer("127.0.0.1", FAMILY_IPV4, true);
	check_peer("127.255.255.254", FAMILY_IPV4, true);
	check_peer("128.0.0.1", FAMILY_IPV4, false);
	check_peer("::1", FAMILY_IPV6, true);
	check_peer("::2", FAMILY_IPV6, false);
	check_peer("::ffff:127.0.0.1", FAMILY_IPV4, true);
	check_peer("::ffff:192.0.2.1", FAMILY_IPV4, false);
	request_set_peer(&request, NULL);
	assert_false(request.peer.loopback);
}

static void
request__keeps_header_fields(void **state)
{
	struct request request = REQUEST_INIT;
	(void)state;
	assert_int_equal(request_add_header(&request, "authorization", "Bearer x", NULL), FAULT_NONE);
	assert_int_equal(request_add_header(&request, "IF-MATCH", "\"1\"", NULL), FAULT_NONE);
	assert_int_equal(request_add_header(&request, "If-Match", "\"2\"", NULL), FAULT_NONE);
	assert_int_equal(request_add_header(&request, "Cookie", "a=b", NULL), FAULT_NONE);
	assert_string_equal(request.authorization, "Bearer x");
	assert_string_equal(request.if_match, "\"1\", \"2\"");
	assert_null(request.if_none_match);
	assert_false(request.forwarded);
	assert_int_equal(request_add_header(&request, "Authorization", "Bearer y", NULL), FAULT_MALFORMED);
	assert_int_equal(request_add_header(&request, "x-forwarded-for", "192.0.2.1", NULL), FAULT_NONE);
	assert_true(request.forwarded);
	request_clear(&request, -1);
}

static void
request__bounds_header_fields(void **state)
{
	struct request request = REQUEST_INIT;
	AUTO(char, free) large = calloc(1, REQUEST_HEADERS_MAX + 1);
	(void)state;
	memset(large, 'a', REQUEST_HEADERS_MAX);
	assert_int_equal(request_add_header(&request, "A", large, NULL), FAULT_HEADERS);
	request_clear(&request, -1);
	for (int i = 0; i < REQUEST_HEADER_FIELDS_MAX; i++)
		assert_int_equal(request_add_header(&request, "A", "b", NULL), FAULT_NONE);
	assert_int_equal(request_add_header(&request, "A", "b", NULL), FAULT_HEADERS);
	request_clear(&request, -1);
}

struct head_case {
	const char *version, *host, *length, *encoding;
	enum fault_code code;
	int64_t expected;
};

static void
check_head(const struct head_case *head)
{
	struct request request = REQUEST_INIT;
	const struct {
		const char *name, *value;
	} fields[] = { { "Host", head->host }, { "Content-Length", head->length }, { "Transfer-Encoding", head->encoding } };
	int64_t length = -2;
	for (size_t i = 0; i < 3; i++) {
		if (fields[i].value != NULL)
			assert_int_equal(request_add_header(&request, fields[i].name, fields[i].value, NULL), FAULT_NONE);
	}
	assert_int_equal(request_check_head(&request, head->version, &length, NULL), head->code);
	if (head->code == FAULT_NONE)
		assert_int_equal(length, head->expected);
	request_clear(&request, -1);
}

static void
request__knows_where_a_body_ends(void **state)
{
	static const struct head_case cases[] = {
		{ "HTTP/1.1", "h", NULL, NULL, FAULT_NONE, 0 },
		{ "HTTP/1.1", NULL, NULL, NULL, FAULT_MALFORMED, 0 },
		{ "HTTP/1.0", NULL, NULL, NULL, FAULT_NONE, 0 },
		{ "HTTP/1.1", "h", "17", NULL, FAULT_NONE, 17 },
		{ "HTTP/1.1", "h", NULL, "Chunked", FAULT_NONE, -1 },
		{ "HTTP/1.1", "h", "17", "chunked", FAULT_MALFORMED, 0 },
		{ "HTTP/1.1", "h", NULL, "gzip, chunked", FAULT_MALFORMED, 0 },
		{ "HTTP/1.1", "h", "", NULL, FAULT_MALFORMED, 0 },
		{ "HTTP/1.1", "h", "-1", NULL, FAULT_MALFORMED, 0 },
		{ "HTTP/1.1", "h", "0x10", NULL, FAULT_MALFORMED, 0 },
		{ "HTTP/1.1", "h", "99999999999999999999", NULL, FAULT_MALFORMED, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		check_head(&cases[i]);
}

static void
request__reads_numbers_and_truths(void **state)
{
	static const char *const wrong[] = { "0", "1001", "-1", "+5", " 5", "5 ", "", "0x5", "1e2", "99999999999999999999",
		"5a" };
	struct request request = REQUEST_INIT;
	char text[64];
	int64_t number = 0;
	bool truth = true;
	(void)state;
	assert_int_equal(target(&request, "/?limit=1000&a=true&b=false&c=TRUE"), FAULT_NONE);
	assert_int_equal(request_parameter_number(&request, "limit", 1, 1000, 7, &number, NULL), FAULT_NONE);
	assert_int_equal(number, 1000);
	assert_int_equal(request_parameter_number(&request, "other", 1, 1000, 7, &number, NULL), FAULT_NONE);
	assert_int_equal(number, 7);
	assert_int_equal(request_parameter_truth(&request, "b", &truth, NULL), FAULT_NONE);
	assert_false(truth);
	assert_int_equal(request_parameter_truth(&request, "a", &truth, NULL), FAULT_NONE);
	assert_true(truth);
	assert_int_equal(request_parameter_truth(&request, "d", &truth, NULL), FAULT_NONE);
	assert_false(truth);
	assert_int_equal(request_parameter_truth(&request, "c", &truth, NULL), FAULT_INVALID);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		(void)snprintf(text, sizeof text, "/?limit=%s", wrong[i]);
		assert_int_equal(target(&request, text), FAULT_NONE);
		if (request_parameter_number(&request, "limit", 1, 1000, 7, &number, NULL) != FAULT_INVALID)
			fail_msg("%s was taken", wrong[i]);
	}
	request_clear(&request, -1);
}

static void
request__ids_differ(void **state)
{
	struct request a = REQUEST_INIT, b = REQUEST_INIT;
	(void)state;
	assert_int_equal(request_begin(&a, NULL), FAULT_NONE);
	assert_int_equal(request_begin(&b, NULL), FAULT_NONE);
	assert_int_equal(strlen(a.id), REQUEST_ID_SIZE - 1);
	assert_string_not_equal(a.id, b.id);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request__splits_path_and_query),
		cmocka_unit_test(request__decodes_once_and_keeps_what_was_escaped),
		cmocka_unit_test(request__keeps_empty_segments),
		cmocka_unit_test(request__takes_the_absolute_form),
		cmocka_unit_test(request__refuses_broken_targets),
		cmocka_unit_test(request__bounds_the_target),
		cmocka_unit_test(request__knows_methods),
		cmocka_unit_test(request__knows_loopback_peers),
		cmocka_unit_test(request__keeps_header_fields),
		cmocka_unit_test(request__bounds_header_fields),
		cmocka_unit_test(request__knows_where_a_body_ends),
		cmocka_unit_test(request__reads_numbers_and_truths),
		cmocka_unit_test(request__ids_differ),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
