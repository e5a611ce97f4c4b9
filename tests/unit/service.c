#include "tests/unit/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "api/cli/tls_certificate.h"
#include "api/server/upload.h"
#include "ca/base/atomic_file.h"
#include "ca/base/memory.h"
#include "tests/unit/scratch.h"

#define STOP_MS 2000

static bool
tell_ready(void *engine, struct bytes *json)
{
	const struct service *service = engine;
	assert_int_equal(bytes_append_text(json, service->ready ? "{\"trouble\":null}" : "{\"trouble\":\"clock\"}", NULL),
		FAULT_NONE);
	return service->ready;
}

static void
note_import(void *engine, const char *id)
{
	struct service *service = engine;
	(void)snprintf(service->submitted, sizeof service->submitted, "%s", id);
}

static void
make_token(struct service *service, enum service_token token, const char *name, enum role role, int64_t ca_id, int64_t expires_at)
{
	char id[TOKEN_ID_SIZE];
	if (token_create(&service->registry->context, &registry_admin, name, role, ca_id, expires_at, id, service->tokens[token],
		&service->registry->fault) != FAULT_NONE)
		fail_msg("%s", service->registry->fault.message);
	if (token == BY_REVOKED)
		assert_int_equal(token_revoke(&service->registry->context, &registry_admin, ca_id, id, NULL), FAULT_NONE);
}

static void
make_tokens(struct service *service)
{
	make_token(service, BY_READER, "reader", ROLE_MEMBER_READ, service->alpha_id, 0);
	make_token(service, BY_MEMBER, "member", ROLE_MEMBER, service->alpha_id, 0);
	make_token(service, BY_STRANGER, "stranger", ROLE_MEMBER, service->beta_id, 0);
	make_token(service, BY_OPERATOR, "operator", ROLE_OPERATOR, 0, 0);
	make_token(service, BY_ADMIN, "admin", ROLE_ADMIN, 0, 0);
	make_token(service, BY_EXPIRED, "expired", ROLE_MEMBER, service->alpha_id, REGISTRY_NOW + 1);
	make_token(service, BY_REVOKED, "revoked", ROLE_MEMBER, service->alpha_id, 0);
	(void)snprintf(service->tokens[BY_FORGER], TOKEN_TEXT, "cadastre_0123456789abcdef_%043d", 0);
	clock_hand_set(&service->registry->clock, REGISTRY_NOW + 10);
}

static void
make_files(struct service *service)
{
	static const char *const names[] = { "localhost", "127.0.0.1" };
	AUTO_CLEAR(struct bytes, bytes_clear) certificate = BYTES_INIT, key = BYTES_INIT;
	assert_int_equal(tls_certificate_make(names, 2, time(NULL), &certificate, &key, NULL), FAULT_NONE);
	assert_int_equal(atomic_file_put(service->directory, service->config.tls_certificate, bytes_span(&certificate), 0600,
		ATOMIC_FILE_KEEP_TIME, NULL), FAULT_NONE);
	assert_int_equal(atomic_file_put(service->directory, service->config.tls_key, bytes_span(&key), 0600,
				 ATOMIC_FILE_KEEP_TIME, NULL),
		FAULT_NONE);
	assert_int_equal(atomic_file_make_directories(service->directory, "rrdp", 0755, NULL), FAULT_NONE);
	assert_int_equal(atomic_file_put(service->directory, "rrdp/notification.xml", SPAN("<notification/>", 15), 0644,
				 REGISTRY_NOW, NULL),
		FAULT_NONE);
}

static enum fault_code
tell_check(void *engine, json_t **ret_json, struct fault *fault)
{
	const struct service *service = engine;
	if (!service->checked)
		return fault_set(fault, FAULT_NOT_FOUND, "no check was made yet");
	*ret_json = json_pack("{s:b,s:i}", "right", 1, "findings_total", 0);
	return FAULT_NONE;
}

int
service_setup(void **state)
{
	struct service *service = calloc(1, sizeof *service);
	assert_non_null(service);
	if (scratch_setup(&service->scratch) != 0 || registry_setup(&service->registry_state) != 0)
		return -1;
	service->registry = service->registry_state;
	service->directory = open(service->scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	service->ready = true;
	assert_int_equal(config_default(&service->config, NULL), FAULT_NONE);
	assert_int_equal(config_set_text(&service->config.listen, "127.0.0.1:0", NULL), FAULT_NONE);
	service->config.rate_limit = service->config.rate_burst = 1000000;
	service->config.failure_limit = service->config.failure_burst = 1000000;
	service->config.workers = 4;
	service->config.http_threads = 2;
	service->alpha_id = registry_member_id(service->registry, "alpha", "AS64496-AS64511 192.0.2.0/24 2001:db8::/32");
	service->beta_id = registry_member_id(service->registry, "beta", "AS64512 198.51.100.0/24");
	make_tokens(service);
	make_files(service);
	service->registry->context.wake = NULL; /* it counts, for one thread */
	service->context = (struct handler_context){
		.db = service->registry->db, .commands = &service->registry->context, .config = &service->config,
		.confirmable_clock = &service->registry->clock,
		.clock = &service->registry->clock, .data_directory = service->directory, .engine = service, .ready = tell_ready,
		.import_submitted = note_import, .check = tell_check,
	};
	assert_int_equal(dispatcher_new(&service->context, &service->dispatcher, NULL), FAULT_NONE);
	*state = service;
	return 0;
}

int
service_teardown(void **state)
{
	struct service *service = *state;
	http_server_stop(service->server, STOP_MS);
	dispatcher_free(service->dispatcher);
	config_clear(&service->config);
	close(service->directory);
	int result = registry_teardown(&service->registry_state) + scratch_teardown(&service->scratch);
	free(service);
	return result;
}

void
service_listen(struct service *service)
{
	struct fault fault = FAULT_INIT;
	if (http_server_start(&service->config, service->directory, service->dispatcher, &service->server, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
}

void
service_answer_free(struct service_answer *answer)
{
	if (answer == NULL)
		return;
	bytes_clear(&answer->headers);
	bytes_clear(&answer->body);
	json_decref(answer->json);
	free(answer);
}

static struct service_answer *
new_answer(void)
{
	struct service_answer *answer;
	assert_int_equal(memory_new(1, sizeof *answer, &answer, NULL), FAULT_NONE);
	return answer;
}

/* Whatever calls itself JSON must be JSON. */
static void
parse_json(struct service_answer *answer)
{
	const char *type = service_header(answer, "Content-Type");
	if (type == NULL || strstr(type, "json") == NULL || answer->body.length == 0)
		return;
	answer->json = json_loadb((const char *)answer->body.data, answer->body.length, JSON_REJECT_DUPLICATES, NULL);
	if (answer->json == NULL)
		fail_msg("no JSON: %s", bytes_text(&answer->body));
}

/* "Name: value" apart; the value begins behind the space. */
typedef void (*field_fn)(void *argument, const char *name, const char *value);

static void
each_field(const char *fields, field_fn give, void *argument)
{
	AUTO(char, free) copy = strdup(fields == NULL ? "" : fields);
	char *rest = copy;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		char *value = strstr(line, ": ");
		if (value == NULL)
			continue;
		*value = '\0';
		give(argument, line, value + 2);
	}
}

static void
give_to_request(void *argument, const char *name, const char *value)
{
	assert_int_equal(request_add_header(argument, name, value, NULL), FAULT_NONE);
}

static void
take_reply(struct service_answer *answer, const struct reply *reply)
{
	answer->status = reply->status;
	for (size_t i = 0; i < reply->headers_count; i++)
		assert_int_equal(bytes_printf(&answer->headers, NULL, "%s: %s\n", reply->headers[i].name,
					 reply->headers[i].value),
			FAULT_NONE);
	int fd = reply->fd >= 0 ? reply->fd : reply->body.fd;
	if (reply->constant != NULL)
		assert_int_equal(bytes_append_text(&answer->body, reply->constant, NULL), FAULT_NONE);
	else if (fd < 0)
		assert_int_equal(bytes_append(&answer->body, reply->body.memory.data, reply->body.memory.length, NULL),
			FAULT_NONE);
	else {
		size_t length = (size_t)reply_length(reply);
		assert_int_equal(bytes_reserve(&answer->body, length + 1, NULL), FAULT_NONE);
		assert_int_equal(pread(fd, answer->body.data, length, 0), length);
		answer->body.length = length;
		answer->body.data[length] = '\0';
	}
}

/* Method and target of "GET /path". */
static const char *
split(const char *what, char method[16])
{
	const char *space = strchr(what, ' ');
	assert_non_null(space);
	(void)snprintf(method, 16, "%.*s", (int)(space - what), what);
	return space + 1;
}

static void
run(struct service *service, struct request *request, struct reply *reply, const char *body)
{
	bool upload = (dispatcher_needs(request) & ROUTER_TAKES_UPLOAD) != 0;
	if (upload && !dispatcher_admit(service->dispatcher, request, reply))
		return;
	if (upload && body != NULL)
		assert_int_equal(upload_write(&request->upload, body, strlen(body), INT64_MAX, NULL), FAULT_NONE);
	else if (body != NULL)
		assert_int_equal(bytes_append_text(&request->body, body, NULL), FAULT_NONE);
	dispatcher_run(service->dispatcher, request, reply);
}

struct service_answer *
service_ask(struct service *service, enum service_token token, const char *what, const char *fields, const char *body)
{
	struct request request = REQUEST_INIT;
	AUTO_CLEAR(struct reply, reply_clear) reply = REPLY_INIT(service->directory);
	struct service_answer *answer = new_answer();
	char method[16], authorization[TOKEN_TEXT + 16];
	const char *target = split(what, method);
	assert_int_equal(request_begin(&request, NULL), FAULT_NONE);
	request_set_method(&request, method);
	if (request_set_target(&request, target, NULL) != FAULT_NONE)
		fail_msg("%s", target);
	if (token != BY_NOBODY) {
		(void)snprintf(authorization, sizeof authorization, "Bearer %s", service->tokens[token]);
		give_to_request(&request, "Authorization", authorization);
	}
	each_field(fields, give_to_request, &request);
	if (body != NULL && request.content_type == NULL)
		give_to_request(&request, "Content-Type", "application/json");
	run(service, &request, &reply, body);
	take_reply(answer, &reply);
	parse_json(answer);
	request_clear(&request, service->directory);
	return answer;
}

/* Over HTTPS. */

static size_t
take_bytes(char *data, size_t size, size_t count, void *argument)
{
	return bytes_append(argument, data, size * count, NULL) == FAULT_NONE ? size * count : 0;
}

/* Of interim answers (100 Continue) nothing is kept. */
static size_t
take_field(char *data, size_t size, size_t count, void *argument)
{
	struct bytes *headers = argument;
	size_t length = size * count;
	if (length >= 5 && strncmp(data, "HTTP/", 5) == 0)
		bytes_reset(headers);
	while (length > 0 && (data[length - 1] == '\r' || data[length - 1] == '\n'))
		length--;
	return bytes_printf(headers, NULL, "%.*s\n", (int)length, data) == FAULT_NONE ? size * count : 0;
}

static void
give_to_curl(void *argument, const char *name, const char *value)
{
	struct curl_slist **list = argument;
	char line[TOKEN_TEXT + 8192];
	(void)snprintf(line, sizeof line, "%s: %s", name, value);
	*list = curl_slist_append(*list, line);
}

static struct curl_slist *
make_fields(const struct service *service, enum service_token token, const char *fields, bool body)
{
	struct curl_slist *list = NULL;
	char authorization[TOKEN_TEXT + 16];
	if (token != BY_NOBODY) {
		(void)snprintf(authorization, sizeof authorization, "Bearer %s", service->tokens[token]);
		give_to_curl(&list, "Authorization", authorization);
	}
	each_field(fields, give_to_curl, &list);
	if (body && (fields == NULL || strcasestr(fields, "Content-Type:") == NULL))
		give_to_curl(&list, "Content-Type", "application/json");
	if (fields == NULL || strcasestr(fields, "Expect:") == NULL)
		list = curl_slist_append(list, "Expect:");
	return list;
}

static void
set_request(CURL *curl, struct service *service, const char *what, struct span body)
{
	char method[16], url[8192], authority[4096];
	const char *target = split(what, method);
	(void)snprintf(url, sizeof url, "https://localhost:%d%s", http_server_port(service->server), target);
	(void)snprintf(authority, sizeof authority, "%s/%s", (const char *)service->scratch, service->config.tls_certificate);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_CAINFO, authority);
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL); /* reading the system's takes longer than the request */
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	if (strcmp(method, "HEAD") == 0)
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	if (body.data != NULL) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.length);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)body.data);
	}
}

struct service_answer *
service_fetch(struct service *service, enum service_token token, const char *what, const char *fields, struct span body)
{
	AUTO(struct service_answer, service_answer_free) answer = new_answer();
	long status = 0;
	CURL *curl = curl_easy_init();
	struct curl_slist *list = make_fields(service, token, fields, body.data != NULL);
	set_request(curl, service, what, body);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer->body);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_field);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer->headers);
	CURLcode code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	answer->status = (int)status;
	curl_slist_free_all(list);
	curl_easy_cleanup(curl);
	if (code != CURLE_OK) {
		print_message("%s: %s\n", what, curl_easy_strerror(code));
		return NULL;
	}
	parse_json(answer);
	return MOVE(answer);
}

const char *
service_header(const struct service_answer *answer, const char *name)
{
	static _Thread_local char value[1024];
	size_t length = strlen(name);
	for (const char *line = bytes_text(&answer->headers); *line != '\0'; line += strcspn(line, "\n") + 1) {
		if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
			(void)snprintf(value, sizeof value, "%.*s", (int)strcspn(line + length + 2, "\n"), line + length + 2);
			return value;
		}
	}
	return NULL;
}

/* One step of a path: a name, or an index in brackets. */
static const json_t *
step(const json_t *json, const char **path)
{
	char name[64];
	if (**path == '[') {
		char *end;
		size_t index = strtoul(*path + 1, &end, 10);
		*path = end + 1;
		return json_array_get(json, index);
	}
	*path += **path == '.';
	size_t length = strcspn(*path, ".[");
	(void)snprintf(name, sizeof name, "%.*s", (int)length, *path);
	*path += length;
	return json_object_get(json, name);
}

const char *
service_text(const struct service_answer *answer, const char *path)
{
	static _Thread_local char texts[4][1024];
	static _Thread_local size_t next;
	char *text = texts[next++ % 4];
	const json_t *json = answer->json;
	while (json != NULL && *path != '\0')
		json = step(json, &path);
	if (json == NULL)
		return "(none)";
	if (json_is_string(json))
		(void)snprintf(text, sizeof texts[0], "%s", json_string_value(json));
	else if (json_is_array(json))
		(void)snprintf(text, sizeof texts[0], "%zu", json_array_size(json));
	else {
		AUTO(char, free) dumped = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
		(void)snprintf(text, sizeof texts[0], "%s", dumped);
	}
	return text;
}
