/*
 * URIs that every validator takes. rpki-client wants letters, digits and punctuation, no segment that begins with a dot, and at
 * most 2048 characters; Routinator takes none of "#<>?@[\]^`{|} and refuses empty and dot segments. The percent sign is left out
 * as well: rsync takes it literally and others don't, and %2e is a dot in disguise.
 */
#include <string.h>

#include "ca/lint/lint_internal.h"

static bool
alphanumeric(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool
path_character(char c)
{
	return alphanumeric(c) || (c != '\0' && strchr("!$&'()*+,-./:;=_~", c) != NULL);
}

/* Labels of letters, digits and inner hyphens with single dots between them (IPv4 addresses are such), then perhaps a port. */
static bool
authority_correct(const char *authority, size_t length)
{
	size_t host = 0;
	for (char before = '.'; host < length && authority[host] != ':'; before = authority[host++]) {
		char c = authority[host];
		bool label_begins = before == '.', label_ends = before != '.' && before != '-';
		if (!alphanumeric(c) && !(c == '-' && !label_begins) && !(c == '.' && label_ends))
			return false;
	}
	if (host == 0 || host > 253 || authority[host - 1] == '.' || authority[host - 1] == '-')
		return false;
	if (host == length)
		return true;
	unsigned port = 0;
	for (size_t i = host + 1; i < length; i++) {
		if (authority[i] < '0' || authority[i] > '9' || (port = port * 10 + (unsigned)(authority[i] - '0')) > 65535)
			return false;
	}
	return port > 0 && authority[host + 1] != '0';
}

/* No empty segment but the last, and none that begins with a dot. `path` stands on its first '/'. */
static bool
path_correct(const char *path)
{
	for (const char *at = path; *at != '\0'; at++) {
		if (!path_character(*at) || (at[0] == '/' && (at[1] == '/' || at[1] == '.')))
			return false;
	}
	return true;
}

bool
lint_uri(const char *uri, const char *scheme)
{
	size_t prefix = strlen(scheme);
	bool rsync = strcmp(scheme, "rsync") == 0;
	if (!rsync && strcmp(scheme, "https") != 0)
		return false;
	if (strnlen(uri, LINT_URI_MAX + 1) > LINT_URI_MAX)
		return false;
	if (strncmp(uri, scheme, prefix) != 0 || strncmp(uri + prefix, "://", 3) != 0)
		return false;
	const char *authority = uri + prefix + 3;
	size_t length = strcspn(authority, "/");
	const char *path = authority + length;
	if (!authority_correct(authority, length) || *path != '/' || !path_correct(path))
		return false;
	/* RFC 5781 §2: rsync://authority/module/path; there is nothing to fetch above a module. */
	return !rsync || strchr(path + 1, '/') != NULL;
}

bool
lint_uri_is_directory(const char *uri)
{
	return uri != NULL && lint_uri(uri, "rsync") && uri[strlen(uri) - 1] == '/';
}

bool
lint_uri_is_in(const char *uri, const char *directory, enum lint_name_kind kind)
{
	if (uri == NULL || !lint_uri(uri, "rsync") || !lint_uri_is_directory(directory))
		return false;
	size_t length = strlen(directory);
	return strncmp(uri, directory, length) == 0 && lint_name_is(SPAN(uri + length, strlen(uri + length)), kind);
}

enum fault_code
lint_uri_read(struct der_reader *reader, const char *wanted, const char *scheme, const char *what, struct fault *fault)
{
	struct der_element uri;
	TRY(der_reader_take(reader, DER_CONTEXT(6), what, &uri, fault));
	bool equal = wanted != NULL && span_equal(uri.contents, SPAN(wanted, strlen(wanted)));
	TRY(LINT_RULE(equal, fault, "%s isn't %.200s", what, wanted != NULL ? wanted : "to be there"));
	return LINT_RULE(lint_uri(wanted, scheme), fault, "%s isn't an %s URI that all validators take", what, scheme);
}
