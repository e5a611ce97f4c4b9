#include "api/server/request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/server/upload.h"
#include "api/server/utf8.h"
#include "ca/base/base64.h"
#include "ca/base/memory.h"
#include "ca/base/randomness.h"
#include "ca/base/secret.h"

/* The header fields that are kept. */
static const struct field {
	const char *name;
	size_t offset;
	bool list;                      /* may stand several times: "a, b" means the same (RFC 9110 §5.3) */
} fields[] = {
	{ "Authorization", offsetof(struct request, authorization), false },
	{ "Content-Type", offsetof(struct request, content_type), false },
	{ "If-Match", offsetof(struct request, if_match), true },
	{ "If-None-Match", offsetof(struct request, if_none_match), true },
	{ "If-Modified-Since", offsetof(struct request, if_modified_since), false },
	{ "Accept-Encoding", offsetof(struct request, accept_encoding), true },
	{ "Host", offsetof(struct request, host), false },
	{ "Expect", offsetof(struct request, expect), false },
	{ "Content-Length", offsetof(struct request, content_length), false },
	{ "Transfer-Encoding", offsetof(struct request, transfer_encoding), false },
};

#define FIELDS (sizeof fields / sizeof fields[0])

/* Fields that proxies add: with one of them a request from the loopback address may come from anywhere. */
static const char *const proxy_fields[] = { "Forwarded", "Via", "X-Forwarded-For", "X-Real-IP", "X-Forwarded-Host",
	"X-Forwarded-Proto" };

static char **
value_of(struct request *request, const struct field *field)
{
	return (char **)((uintptr_t)request + field->offset);
}

void
request_clear(struct request *request, int data_directory)
{
	if (request->authorization != NULL)
		secret_wipe(request->authorization, strlen(request->authorization));
	for (size_t i = 0; i < FIELDS; i++)
		free(*value_of(request, &fields[i]));
	free(request->text);
	bytes_clear(&request->body);
	upload_discard(&request->upload, data_directory);
	*request = REQUEST_INIT;
}

enum fault_code
request_begin(struct request *request, struct fault *fault)
{
	return randomness_uuid(request->id, fault);
}

void
request_set_method(struct request *request, const char *method)
{
	static const struct {
		const char *word;
		enum request_method method;
	} methods[] = {
		{ "GET", METHOD_GET },
		{ "HEAD", METHOD_GET },
		{ "POST", METHOD_POST },
		{ "PATCH", METHOD_PATCH },
		{ "DELETE", METHOD_DELETE },
	};
	request->method = METHOD_OTHER;
	request->head = strcmp(method, "HEAD") == 0;
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		if (strcmp(method, methods[i].word) == 0)
			request->method = methods[i].method;
	}
}

void
request_set_peer(struct request *request, const struct sockaddr *address)
{
	struct request_peer peer = { .family = FAMILY_IPV4 };
	if (address != NULL && address->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, address, sizeof in);
		memcpy(peer.address.bytes, &in.sin_addr, 4);
		peer.loopback = peer.address.bytes[0] == 127;
	} else if (address != NULL && address->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, address, sizeof in6);
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
			memcpy(peer.address.bytes, in6.sin6_addr.s6_addr + 12, 4);
			peer.loopback = peer.address.bytes[0] == 127;
		} else {
			peer.family = FAMILY_IPV6;
			memcpy(peer.address.bytes, &in6.sin6_addr, 16);
			peer.loopback = IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
		}
	}
	request->peer = peer;
}

/* Decodes [text, text + length) in place, ends it with a NUL (there is room: a delimiter stood there). */
static enum fault_code
decode(char *text, size_t length, struct fault *fault)
{
	size_t kept = 0;
	for (size_t i = 0; i < length; i++, kept++) {
		text[kept] = text[i];
		if (text[i] != '%')
			continue;
		uint8_t byte;
		const char digits[3] = { length - i > 1 ? text[i + 1] : '\0', length - i > 2 ? text[i + 2] : '\0', '\0' };
		if (!hex_decode(digits, &byte, 1))
			return fault_set(fault, FAULT_MALFORMED, "a %% in the address is not followed by two hexadecimal digits");
		if (byte == 0)
			return fault_set(fault, FAULT_MALFORMED, "the address contains %%00");
		text[kept] = (char)byte;
		i += 2;
	}
	text[kept] = '\0';
	if (!utf8_valid(text, kept))
		return fault_set(fault, FAULT_MALFORMED, "the address is not UTF-8");
	return FAULT_NONE;
}

static enum fault_code
split_path(struct request *request, char *path, struct fault *fault)
{
	for (char *rest = path; rest != NULL;) {
		char *segment = strsep(&rest, "/");
		if (request->segments_count == REQUEST_SEGMENTS_MAX)
			return fault_set(fault, FAULT_NOT_FOUND, "there is nothing at this address");
		TRY(decode(segment, strlen(segment), fault));
		request->segments[request->segments_count++] = segment;
	}
	return FAULT_NONE;
}

static enum fault_code
split_query(struct request *request, char *query, struct fault *fault)
{
	for (char *rest = query; rest != NULL;) {
		char *name = strsep(&rest, "&");
		if (*name == '\0')
			continue;
		char *value = name + strcspn(name, "=");
		if (*value == '=')
			*value++ = '\0';
		TRY(decode(name, strlen(name), fault));
		TRY(decode(value, strlen(value), fault));
		if (*name == '\0')
			return fault_set(fault, FAULT_MALFORMED, "a query parameter has no name");
		if (request_parameter(request, name) != NULL)
			return fault_set(fault, FAULT_MALFORMED, "the query parameter %.100s is given twice", name);
		if (request->parameters_count == REQUEST_PARAMETERS_MAX)
			return fault_set(fault, FAULT_MALFORMED, "there are more than %d query parameters",
				REQUEST_PARAMETERS_MAX);
		request->parameters[request->parameters_count++] = (struct request_parameter){ name, value };
	}
	return FAULT_NONE;
}

/* RFC 9112 §3.2.2: a server takes the absolute form too. Where the path begins; NULL when there is none. */
static const char *
path_of(const char *target)
{
	static const char *const schemes[] = { "https://", "http://" };
	for (size_t i = 0; i < 2; i++) {
		if (strncasecmp(target, schemes[i], strlen(schemes[i])) == 0)
			return strchr(target + strlen(schemes[i]), '/');
	}
	return *target == '/' ? target : NULL;
}

enum fault_code
request_set_target(struct request *request, const char *target, struct fault *fault)
{
	if (strlen(target) > REQUEST_TARGET_MAX)
		return fault_set(fault, FAULT_HEADERS, "the address is longer than %d bytes", REQUEST_TARGET_MAX);
	const char *path = path_of(target);
	if (path == NULL)
		return fault_set(fault, FAULT_MALFORMED, "the address does not begin with /");
	free(request->text);
	request->text = NULL;
	request->segments_count = request->parameters_count = 0;
	TRY(memory_copy_string(path + 1, &request->text, fault));
	char *query = strchr(request->text, '?');
	if (query != NULL)
		*query++ = '\0';
	TRY(split_path(request, request->text, fault));
	return query == NULL ? FAULT_NONE : split_query(request, query, fault);
}

static enum fault_code
keep_field(const struct field *field, char **value, const char *text, struct fault *fault)
{
	if (*value == NULL)
		return memory_copy_string(text, value, fault);
	if (!field->list)
		return fault_set(fault, FAULT_MALFORMED, "the header field %s is given twice", field->name);
	char *joined;
	TRY(memory_printf(&joined, fault, "%s, %s", *value, text));
	free(*value);
	*value = joined;
	return FAULT_NONE;
}

enum fault_code
request_add_header(struct request *request, const char *name, const char *value, struct fault *fault)
{
	request->header_fields++;
	request->header_bytes += strlen(name) + strlen(value);
	if (request->header_fields > REQUEST_HEADER_FIELDS_MAX)
		return fault_set(fault, FAULT_HEADERS, "there are more than %d header fields", REQUEST_HEADER_FIELDS_MAX);
	if (request->header_bytes > REQUEST_HEADERS_MAX)
		return fault_set(fault, FAULT_HEADERS, "the header fields are larger than %d bytes together",
			REQUEST_HEADERS_MAX);
	for (size_t i = 0; i < FIELDS; i++) {
		if (strcasecmp(name, fields[i].name) == 0)
			return keep_field(&fields[i], value_of(request, &fields[i]), value, fault);
	}
	for (size_t i = 0; i < sizeof proxy_fields / sizeof proxy_fields[0]; i++)
		request->forwarded = request->forwarded || strcasecmp(name, proxy_fields[i]) == 0;
	return FAULT_NONE;
}

enum fault_code
request_check_head(const struct request *request, const char *version, int64_t *ret_length, struct fault *fault)
{
	const char *length = request->content_length;
	if (strcmp(version, "HTTP/1.1") == 0 && request->host == NULL)
		return fault_set(fault, FAULT_MALFORMED, "the header field Host is missing");
	/* RFC 9112 §6.3: two lengths are how one request is smuggled inside another. */
	if (request->transfer_encoding != NULL && (length != NULL || strcasecmp(request->transfer_encoding, "chunked") != 0))
		return fault_set(fault, FAULT_MALFORMED, "Transfer-Encoding must be chunked, without a Content-Length");
	if (request->transfer_encoding != NULL) {
		*ret_length = -1;
		return FAULT_NONE;
	}
	errno = 0;
	long long number = length == NULL ? 0 : strtoll(length, NULL, 10);
	if (length != NULL && (*length == '\0' || strspn(length, "0123456789") != strlen(length) || errno != 0))
		return fault_set(fault, FAULT_MALFORMED, "the Content-Length is not a number");
	*ret_length = number;
	return FAULT_NONE;
}

const char *
request_parameter(const struct request *request, const char *name)
{
	for (size_t i = 0; i < request->parameters_count; i++) {
		if (strcmp(request->parameters[i].name, name) == 0)
			return request->parameters[i].value;
	}
	return NULL;
}

enum fault_code
request_parameter_number(const struct request *request, const char *name, int64_t min, int64_t max, int64_t initial,
	int64_t *ret_number, struct fault *fault)
{
	const char *text = request_parameter(request, name);
	if (text == NULL) {
		*ret_number = initial;
		return FAULT_NONE;
	}
	errno = 0;
	long long number = strtoll(text, NULL, 10);
	/* strtoll() takes spaces and signs, we don't. */
	if (*text == '\0' || strspn(text, "0123456789") != strlen(text) || errno != 0 || number < min || number > max)
		return fault_set(fault, FAULT_INVALID, "%s must be a number from %" PRId64 " to %" PRId64, name, min, max);
	*ret_number = number;
	return FAULT_NONE;
}

enum fault_code
request_parameter_truth(const struct request *request, const char *name, bool *ret_truth, struct fault *fault)
{
	const char *text = request_parameter(request, name);
	if (text != NULL && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return fault_set(fault, FAULT_INVALID, "%s must be true or false", name);
	*ret_truth = text != NULL && strcmp(text, "true") == 0;
	return FAULT_NONE;
}
