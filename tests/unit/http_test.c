#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <curl/curl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "api/cli/tls_certificate.h"
#include "api/server/upload.h"
#include "ca/base/atomic_file.h"
#include "ca/base/log.h"
#include "ca/base/memory.h"
#include "ca/base/metrics.h"
#include "tests/unit/service.h"

/* What a server has to stand from its clients: connections are made by hand here, so that they can misbehave. */

struct client {
	int socket;
	gnutls_session_t session;
	gnutls_certificate_credentials_t credentials;
};

static int
connect_to(const struct service *service)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)http_server_port(service->server)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
	return fd;
}

/* false: the server didn't want to. */
static bool
client_open(struct client *client, const struct service *service, const char *priorities)
{
	client->socket = connect_to(service);
	assert_int_equal(gnutls_init(&client->session, GNUTLS_CLIENT), 0);
	assert_int_equal(gnutls_certificate_allocate_credentials(&client->credentials), 0);
	assert_int_equal(gnutls_priority_set_direct(client->session, priorities, NULL), 0);
	assert_int_equal(gnutls_credentials_set(client->session, GNUTLS_CRD_CERTIFICATE, client->credentials), 0);
	assert_int_equal(gnutls_server_name_set(client->session, GNUTLS_NAME_DNS, "localhost", 9), 0);
	gnutls_transport_set_int(client->session, client->socket);
	gnutls_handshake_set_timeout(client->session, 10000);
	int error;
	do
		error = gnutls_handshake(client->session);
	while (error < 0 && !gnutls_error_is_fatal(error));
	return error == 0;
}

static void
client_close(struct client *client)
{
	gnutls_deinit(client->session);
	gnutls_certificate_free_credentials(client->credentials);
	close(client->socket);
}

static void
say(struct client *client, const char *text)
{
	assert_int_equal(gnutls_record_send(client->session, text, strlen(text)), strlen(text));
}

/* All that comes until the server closes, or until `enough` was seen. */
static void
hear(struct client *client, const char *enough, char *text, size_t size)
{
	size_t length = 0;
	text[0] = '\0';
	while (length + 1 < size && (enough == NULL || strstr(text, enough) == NULL)) {
		struct pollfd poll_for = { .fd = client->socket, .events = POLLIN };
		if (gnutls_record_check_pending(client->session) == 0 && poll(&poll_for, 1, 15000) != 1)
			fail_msg("the server says nothing after: %s", text);
		ssize_t got = gnutls_record_recv(client->session, text + length, size - length - 1);
		if (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED)
			continue;
		if (got <= 0)
			return;
		length += (size_t)got;
		text[length] = '\0';
	}
}

/* One request as text and everything that comes back. */
static void
check_exchange(struct service *service, const char *request, const char *expected)
{
	struct client client;
	char text[16384];
	assert_true(client_open(&client, service, "NORMAL"));
	say(&client, request);
	hear(&client, expected, text, sizeof text);
	if (strstr(text, expected) == NULL)
		fail_msg("%s\nis answered with\n%s\ninstead of\n%s", request, text, expected);
	client_close(&client);
}

static int
setup(void **state)
{
	int result = service_setup(state);
	struct service *service = *state;
	if (result == 0)
		service->config.request_timeout_s = 1;
	return result;
}

static void
http__refuses_what_could_hide_a_request(void **state)
{
	struct service *service = *state;
	service_listen(service);
	check_exchange(service, "GET /health/live HTTP/1.1\r\n\r\n", "the header field Host is missing");
	check_exchange(service, "GET /health/live HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"the header field Host is given twice");
	check_exchange(service,
		"POST /api/v1/cas HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding must be chunked, without a Content-Length");
	check_exchange(service, "POST /api/v1/cas HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 400");
	check_exchange(service, "POST /api/v1/cas HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
		"the header field Content-Length is given twice");
	check_exchange(service,
		"GET /health/live HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
		"the header field Authorization is given twice");
}

static void
http__survives_what_is_no_http(void **state)
{
	struct service *service = *state;
	static const char *const requests[] = { "\r\n\r\n\r\n", "nonsense\r\n\r\n", "GET\r\n\r\n", "GET  HTTP/1.1\r\n\r\n",
		"GET / HTTP/9.9\r\n\r\n", "GET /health/live HTTP/1.1\r\nHost a\r\n\r\n", "\x16\x03\x01\x02",
		"GET /health/live HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
		"POST /api/v1/cas HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" };
	service_listen(service);
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		struct client client;
		assert_true(client_open(&client, service, "NORMAL"));
		say(&client, requests[i]);
		assert_int_equal(gnutls_bye(client.session, GNUTLS_SHUT_WR), 0);
		client_close(&client);
	}
	int bare = connect_to(service);
	assert_int_equal(write(bare, "GET / HTTP/1.0\r\n\r\n", 18), 18);
	close(bare);
	check_exchange(service, "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n", "{\"live\":true}");
}

static void
http__takes_several_requests_on_a_connection(void **state)
{
	struct service *service = *state;
	struct client client;
	char text[16384];
	service_listen(service);
	assert_true(client_open(&client, service, "NORMAL"));
	for (int i = 0; i < 3; i++) {
		say(&client, "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n");
		hear(&client, "{\"live\":true}", text, sizeof text);
		assert_null(strstr(text, "Connection: close"));
		say(&client, "GET /health/ready HTTP/1.1\r\nHost: a\r\n\r\n");
		hear(&client, "\"ready\":true", text, sizeof text);
		say(&client, "POST /api/v1/cas HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
		hear(&client, "Send a valid token", text, sizeof text);
	}
	client_close(&client);
}

/* rpki-client 9.7 takes a length in a 304 for that of a body, and dies of it. */
static void
http__tells_no_length_of_what_it_does_not_send(void **state)
{
	struct service *service = *state;
	struct client client;
	char text[16384];
	service_listen(service);
	const struct timespec times[2] = { { .tv_sec = 1767225600 }, { .tv_sec = 1767225600 } };
	assert_true(mkdirat(service->directory, "rrdp", 0700) == 0 || errno == EEXIST);
	int fd = openat(service->directory, "rrdp/notification.xml", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "<notification/>", 15), 15);
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
	assert_true(client_open(&client, service, "NORMAL"));
	for (int i = 0; i < 2; i++) {
		say(&client, "GET /rrdp/notification.xml HTTP/1.1\r\nHost: a\r\n"
			"If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n");
		hear(&client, "\r\n\r\n", text, sizeof text);
		assert_non_null(strstr(text, "HTTP/1.1 304"));
		const char *length = strstr(text, "Content-Length:");
		assert_true(length == NULL || strncmp(length, "Content-Length: 0\r\n", 19) == 0);
		assert_null(strstr(text, "Transfer-Encoding"));
	}
	client_close(&client);
}

static void
http__waits_for_no_one(void **state)
{
	struct service *service = *state;
	static const char *const beginnings[] = { "", "GET /heal", "GET /health/live HTTP/1.1\r\nHost: a\r\nX: ",
		"POST /api/v1/cas/alpha/roas HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{" };
	char text[4096];
	service_listen(service);
	for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
		struct client client;
		assert_true(client_open(&client, service, "NORMAL"));
		if (beginnings[i][0] != '\0')
			say(&client, beginnings[i]);
		hear(&client, NULL, text, sizeof text); /* ends when the server closes */
		client_close(&client);
	}
}

/* A byte now and then does not keep a connection: the time is that of the whole request. */
static void
http__is_not_held_by_a_drip(void **state)
{
	struct service *service = *state;
	struct client client;
	service_listen(service);
	assert_true(client_open(&client, service, "NORMAL"));
	say(&client, "GET /health/live HTTP/1.1\r\nHost: a\r\nX: ");
	bool open = true;
	for (int i = 0; open && i < 50; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
		open = gnutls_record_send(client.session, "x", 1) == 1;
	}
	assert_false(open);
	client_close(&client);
}

static void
http__bounds_connections_of_an_address(void **state)
{
	struct service *service = *state;
	struct client clients[4];
	service->config.connections_per_address = 3;
	service->config.request_timeout_s = 30;
	service_listen(service);
	for (int i = 0; i < 3; i++)
		assert_true(client_open(&clients[i], service, "NORMAL"));
	assert_false(client_open(&clients[3], service, "NORMAL"));
	for (int i = 0; i < 4; i++)
		client_close(&clients[i]);
}

static void
http__speaks_modern_tls_only(void **state)
{
	struct service *service = *state;
	struct client client;
	service_listen(service);
	assert_false(client_open(&client, service, "NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0"));
	client_close(&client);
	assert_true(client_open(&client, service, "NORMAL:-VERS-ALL:+VERS-TLS1.2"));
	client_close(&client);
	assert_true(client_open(&client, service, "NORMAL:-VERS-ALL:+VERS-TLS1.3"));
	client_close(&client);
}

/* The serial number of the certificate that a client is shown. */
static bool
shows(const struct service *service, const struct bytes *pem)
{
	struct client client;
	gnutls_x509_crt_t expected;
	gnutls_datum_t der;
	const gnutls_datum_t text = { pem->data, (unsigned)pem->length };
	assert_true(client_open(&client, service, "NORMAL"));
	unsigned count = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(client.session, &count);
	assert_int_equal(count, 1);
	assert_int_equal(gnutls_x509_crt_init(&expected), 0);
	assert_int_equal(gnutls_x509_crt_import(expected, &text, GNUTLS_X509_FMT_PEM), 0);
	assert_int_equal(gnutls_x509_crt_export2(expected, GNUTLS_X509_FMT_DER, &der), 0);
	bool same = der.size == chain[0].size && memcmp(der.data, chain[0].data, der.size) == 0;
	gnutls_free(der.data);
	gnutls_x509_crt_deinit(expected);
	client_close(&client);
	return same;
}

static void
http__takes_a_new_certificate_while_it_runs(void **state)
{
	struct service *service = *state;
	AUTO_CLEAR(struct bytes, bytes_clear) certificate = BYTES_INIT, key = BYTES_INIT;
	static const char *const names[] = { "localhost" };
	service_listen(service);
	assert_int_equal(tls_certificate_make(names, 1, time(NULL), &certificate, &key, NULL), FAULT_NONE);
	assert_false(shows(service, &certificate));
	log_set_level(LOG_ERROR);
	assert_int_equal(atomic_file_put(service->directory, service->config.tls_key, bytes_span(&key), 0600,
				 ATOMIC_FILE_KEEP_TIME, NULL),
		FAULT_NONE);
	assert_int_equal(atomic_file_put(service->directory, service->config.tls_certificate, bytes_span(&certificate), 0600,
		ATOMIC_FILE_KEEP_TIME, NULL), FAULT_NONE);
	bool taken = false;
	for (int i = 0; !taken && i < 50; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
		taken = shows(service, &certificate);
	}
	assert_true(taken);
}

static void
http__says_why_it_does_not_start(void **state)
{
	struct service *service = *state;
	struct http_server *second = NULL;
	struct fault fault = FAULT_INIT;
	char listen[32];
	service_listen(service);
	(void)snprintf(listen, sizeof listen, "127.0.0.1:%d", http_server_port(service->server));
	assert_int_equal(config_set_text(&service->config.listen, listen, NULL), FAULT_NONE);
	assert_int_equal(http_server_start(&service->config, service->directory, service->dispatcher, &second, &fault),
		FAULT_CONFLICT);
	assert_non_null(strstr(fault.message, "is in use by another program"));
	assert_int_equal(unlinkat(service->directory, service->config.tls_key, 0), 0);
	assert_int_equal(http_server_start(&service->config, service->directory, service->dispatcher, &second, &fault),
		FAULT_CONFIG);
	assert_null(second);
}

/* What a kill cut off is gone after the next start; an import that waits is not. */
static void
http__cleans_up_at_start(void **state)
{
	struct service *service = *state;
	assert_int_equal(atomic_file_make_directories(service->directory, UPLOAD_DIRECTORY, 0700, NULL), FAULT_NONE);
	assert_int_equal(atomic_file_put(service->directory, UPLOAD_DIRECTORY "/00.part", SPAN("x", 1), 0600,
				 ATOMIC_FILE_KEEP_TIME, NULL),
		FAULT_NONE);
	assert_int_equal(atomic_file_put(service->directory, UPLOAD_DIRECTORY "/id", SPAN("x", 1), 0600, ATOMIC_FILE_KEEP_TIME,
				 NULL),
		FAULT_NONE);
	service_listen(service);
	assert_int_equal(faccessat(service->directory, UPLOAD_DIRECTORY "/00.part", F_OK, 0), -1);
	assert_int_equal(faccessat(service->directory, UPLOAD_DIRECTORY "/id", F_OK, 0), 0);
}

/* An upload that its client gives up leaves no file. */
static void
http__forgets_uploads_that_are_given_up(void **state)
{
	struct service *service = *state;
	struct client client;
	char head[512];
	service_listen(service);
	assert_true(client_open(&client, service, "NORMAL"));
	(void)snprintf(head, sizeof head,
		"POST /api/v1/import/roas HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n"
		"Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n",
		service->tokens[BY_OPERATOR]);
	char text[4096];
	say(&client, head);
	hear(&client, "100 Continue", text, sizeof text);
	say(&client, "some of it");
	client_close(&client);
	bool gone = false;
	for (int i = 0; !gone && i < 100; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
		gone = unlinkat(service->directory, UPLOAD_DIRECTORY, AT_REMOVEDIR) == 0; /* works when it is empty */
	}
	assert_true(gone);
	assert_string_equal(service->submitted, "");
}

/* Stopping while requests come: what was begun is answered, and nobody waits for who is slow. */

struct asker {
	struct service *service;
	atomic_bool stop;
	atomic_int answers, wrong;
	pthread_t thread;
};

static void *
ask_on(void *argument)
{
	struct asker *asker = argument;
	while (!asker->stop) {
		ANSWER answer = service_fetch(asker->service, BY_MEMBER, "GET /api/v1/cas/alpha/roas", NULL, SPAN(NULL, 0));
		if (answer == NULL)
			break;
		asker->answers++;
		asker->wrong += answer->status != 200 && answer->status != 503;
	}
	return NULL;
}

static void
http__stops_in_order(void **state)
{
	struct service *service = *state;
	struct asker asker = { .service = service };
	struct client slow;
	service->config.request_timeout_s = 30;
	service_listen(service);
	assert_true(client_open(&slow, service, "NORMAL"));
	say(&slow, "GET /health/live HTTP/1.1\r\nHost: ");
	assert_int_equal(pthread_create(&asker.thread, NULL, ask_on, &asker), 0);
	while (asker.answers < 5)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	struct timespec before, after;
	clock_gettime(CLOCK_MONOTONIC, &before);
	http_server_stop(service->server, 500);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true(after.tv_sec - before.tv_sec < 10);
	service->server = NULL;
	asker.stop = true;
	pthread_join(asker.thread, NULL);
	assert_int_equal(asker.wrong, 0);
	client_close(&slow);
}

static void
http__counts_what_it_answers(void **state)
{
	struct service *service = *state;
	service_listen(service);
	int64_t all = metrics_get(METRIC_REQUESTS), refused = metrics_get(METRIC_REQUESTS_REFUSED);
	ANSWER good = service_fetch(service, BY_NOBODY, "GET /health/live", NULL, SPAN(NULL, 0));
	ANSWER bad = service_fetch(service, BY_NOBODY, "GET /nothing", NULL, SPAN(NULL, 0));
	assert_non_null(good);
	assert_non_null(bad);
	assert_int_equal(metrics_get(METRIC_REQUESTS), all + 2);
	assert_int_equal(metrics_get(METRIC_REQUESTS_REFUSED), refused + 1);
}

static int
start_curl(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN); /* clients here write to servers that have closed */
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1;
}

static int
stop_curl(void **state)
{
	(void)state;
	curl_global_cleanup();
	return 0;
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, service_teardown)
	const struct CMUnitTest tests[] = {
		CASE(http__refuses_what_could_hide_a_request),
		CASE(http__survives_what_is_no_http),
		CASE(http__takes_several_requests_on_a_connection),
		CASE(http__tells_no_length_of_what_it_does_not_send),
		CASE(http__waits_for_no_one),
		CASE(http__is_not_held_by_a_drip),
		CASE(http__bounds_connections_of_an_address),
		CASE(http__speaks_modern_tls_only),
		CASE(http__takes_a_new_certificate_while_it_runs),
		CASE(http__says_why_it_does_not_start),
		CASE(http__cleans_up_at_start),
		CASE(http__forgets_uploads_that_are_given_up),
		CASE(http__stops_in_order),
		CASE(http__counts_what_it_answers),
	};
	return cmocka_run_group_tests(tests, start_curl, stop_curl);
}
