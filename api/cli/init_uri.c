#include "api/cli/init_uri.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "ca/base/base64.h"
#include "ca/lint/lint.h"

/* Room for the longest path below a base URI: directory, name, and RRDP's session, serial and random part. */
#define BASE_URI_MAX 300

/* The text between scheme:// and the next slash. */
static struct span
authority(const char *uri)
{
	const char *start = strstr(uri, "://");
	start = start != NULL ? start + 3 : uri;
	return SPAN(start, strcspn(start, "/"));
}

int
init_uri_origin_length(const char *uri)
{
	struct span part = authority(uri);
	return (int)((const char *)part.data - uri) + (int)part.length;
}

static void
host_of(struct span part, char ret_host[INIT_HOST_SIZE])
{
	const char *text = (const char *)part.data;
	size_t length = part.length;
	if (length > 0 && text[0] == '[') {
		const char *end = memchr(text, ']', length);
		text++;
		length = end != NULL ? (size_t)(end - text) : length - 1;
	} else {
		const char *colon = memchr(text, ':', length);
		length = colon != NULL ? (size_t)(colon - text) : length;
	}
	(void)snprintf(ret_host, INIT_HOST_SIZE, "%.*s", (int)length, text);
}

void
init_uri_host(const char *uri, char ret_host[INIT_HOST_SIZE])
{
	host_of(authority(uri), ret_host);
}

void
init_uri_listen_host(const char *listen, char ret_host[INIT_HOST_SIZE])
{
	host_of(SPAN(listen, strlen(listen)), ret_host);
	if (strcmp(ret_host, "*") == 0 || strcmp(ret_host, "0.0.0.0") == 0 || strcmp(ret_host, "::") == 0)
		ret_host[0] = '\0';
}

void
init_uri_module(const char *rsync_uri, char ret_module[INIT_HOST_SIZE])
{
	const char *path = rsync_uri + init_uri_origin_length(rsync_uri) + 1;
	(void)snprintf(ret_module, INIT_HOST_SIZE, "%.*s", (int)strcspn(path, "/"), path);
}

static enum fault_code
check_shape(const char *uri, const char *option, const char *scheme, struct fault *fault)
{
	size_t length = strlen(uri);
	char host[INIT_HOST_SIZE];
	init_uri_host(uri, host);
	if (!lint_uri(uri, scheme) || host[0] == '\0' || uri[length - 1] != '/')
		return fault_set(fault, FAULT_INVALID, "--%s must be like %s://host/%s/ and end with a slash: %.200s", option, scheme,
			strcmp(scheme, "https") == 0 ? "rrdp" : "repo", uri);
	if (length > BASE_URI_MAX)
		return fault_set(fault, FAULT_INVALID, "--%s is longer than %d characters", option, BASE_URI_MAX);
	return FAULT_NONE;
}

static enum fault_code
warn(const char *uri, const char *option, struct bytes *warnings, struct fault *fault)
{
	unsigned char address[16];
	char host[INIT_HOST_SIZE];
	struct span part = authority(uri);
	init_uri_host(uri, host);
	bool literal = inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
	const char *what = literal ? "an IP address" : strcmp(host, "localhost") == 0 ? "localhost" :
		memchr(part.data, ':', part.length) != NULL ? "a port" : NULL;
	if (what == NULL)
		return FAULT_NONE;
	return bytes_printf(warnings, fault,
		"--%s names %s: some validators (Routinator, by default) refuse such URIs. Fine for tests only.\n",
		option, what);
}

enum fault_code
init_uri_check(const char *rrdp_uri, const char *rsync_uri, struct bytes *warnings, struct fault *fault)
{
	char module[INIT_HOST_SIZE];
	TRY(check_shape(rrdp_uri, "rrdp-uri", "https", fault));
	TRY(check_shape(rsync_uri, "rsync-uri", "rsync", fault));
	init_uri_module(rsync_uri, module);
	if (module[0] == '\0')
		return fault_set(fault, FAULT_INVALID, "--rsync-uri must name a module: rsync://host/repo/");
	TRY(warn(rrdp_uri, "rrdp-uri", warnings, fault));
	return warn(rsync_uri, "rsync-uri", warnings, fault);
}

enum fault_code
init_uri_unwrap_pem(const struct bytes *file, struct bytes *ret_der, struct fault *fault)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	const char *start = strstr(bytes_text(file), begin);
	if (start == NULL)
		return bytes_append(ret_der, file->data, file->length, fault);
	start += sizeof begin - 1;
	const char *stop = strstr(start, end);
	if (stop == NULL)
		return fault_set(fault, FAULT_MALFORMED, "the PEM certificate has no end line");
	for (; start < stop; start++)
		if (strchr(" \r\n\t", *start) == NULL)
			TRY(bytes_append(&text, start, 1, fault));
	return base64_decode(bytes_text(&text), text.length, ret_der, fault);
}
