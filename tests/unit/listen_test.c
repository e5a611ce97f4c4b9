#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/server/listen.h"

static void
listen__understands_addresses(void **state)
{
	struct listen_address address;
	char text[INET6_ADDRSTRLEN];
	(void)state;
	assert_int_equal(listen_parse("192.0.2.1:8443", &address, NULL), FAULT_NONE);
	const struct sockaddr_in *in = (const struct sockaddr_in *)&address.address;
	assert_int_equal(in->sin_family, AF_INET);
	assert_int_equal(ntohs(in->sin_port), 8443);
	assert_string_equal(inet_ntop(AF_INET, &in->sin_addr, text, sizeof text), "192.0.2.1");
	assert_int_equal(listen_parse("[2001:db8::1]:0", &address, NULL), FAULT_NONE);
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address.address;
	assert_int_equal(in6->sin6_family, AF_INET6);
	assert_int_equal(ntohs(in6->sin6_port), 0);
	assert_string_equal(inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text), "2001:db8::1");
	assert_int_equal(listen_parse("localhost:65535", &address, NULL), FAULT_NONE);
	assert_int_equal(address.address.ss_family, AF_INET);
	assert_int_equal(listen_parse("*:443", &address, NULL), FAULT_NONE);
	assert_int_equal(address.address.ss_family, AF_INET6);
}

static void
listen__refuses_the_rest(void **state)
{
	static const char *const wrong[] = { "", ":", ":8443", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:-1",
		"127.0.0.1:65536", "127.0.0.1: 1", "127.0.0.1:+1", "127.0.0.1:000001", "256.0.0.1:1", "127.1:1", "::1:8443",
		"[::1]", "[::1:8443", "[127.0.0.1]:1", "example.net:8443", "[fe80::1%eth0]:1", "[]:1",
		"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:1" };
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct listen_address address;
		struct fault fault = FAULT_INIT;
		if (listen_parse(wrong[i], &address, &fault) != FAULT_INVALID)
			fail_msg("%s was taken", wrong[i]);
		assert_true(fault.message[0] != '\0');
	}
}

static void
listen__tells_its_port_and_that_one_is_taken(void **state)
{
	int first = -1, second = -1, port = 0, other = 0;
	char text[32];
	struct fault fault = FAULT_INIT;
	(void)state;
	assert_int_equal(listen_open("127.0.0.1:0", &first, &port, NULL), FAULT_NONE);
	assert_true(port > 0);
	(void)snprintf(text, sizeof text, "127.0.0.1:%d", port);
	assert_int_equal(listen_open(text, &second, &other, &fault), FAULT_CONFLICT);
	assert_non_null(strstr(fault.message, "is in use by another program"));
	assert_int_equal(second, -1);
	close(first);
}

static void
listen__refuses_an_address_of_another_machine(void **state)
{
	int fd = -1, port = 0;
	struct fault fault = FAULT_INIT;
	(void)state;
	assert_int_equal(listen_open("192.0.2.1:0", &fd, &port, &fault), FAULT_INVALID);
	assert_non_null(strstr(fault.message, "not an address of this machine"));
}

static void
listen__takes_all_addresses(void **state)
{
	int fd = -1, port = 0;
	(void)state;
	assert_int_equal(listen_open("*:0", &fd, &port, NULL), FAULT_NONE);
	int client = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(connect(client, (const struct sockaddr *)&to, sizeof to), 0);
	close(client);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listen__understands_addresses),
		cmocka_unit_test(listen__refuses_the_rest),
		cmocka_unit_test(listen__tells_its_port_and_that_one_is_taken),
		cmocka_unit_test(listen__refuses_an_address_of_another_machine),
		cmocka_unit_test(listen__takes_all_addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
