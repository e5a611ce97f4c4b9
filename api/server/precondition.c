#include "api/server/precondition.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ca/base/instant.h"

void
precondition_tag(int64_t version, char tag[PRECONDITION_TAG])
{
	(void)snprintf(tag, PRECONDITION_TAG, "\"%" PRId64 "\"", version);
}

void
precondition_tag_states(int64_t version, uint64_t digest, char tag[PRECONDITION_TAG])
{
	(void)snprintf(tag, PRECONDITION_TAG, "\"%" PRId64 "-%016" PRIx64 "\"", version, digest);
}

/* RFC 9110 §8.8.3: [ W/ ] DQUOTE *etagc DQUOTE. Takes one off *field; the tag with its quotes goes to *ret_tag. */
static bool
take_tag(const char **field, bool *ret_weak, const char **ret_tag, size_t *ret_length)
{
	const char *at = *field;
	*ret_weak = strncmp(at, "W/", 2) == 0;
	if (*ret_weak)
		at += 2;
	if (*at != '"')
		return false;
	const char *end = strchr(at + 1, '"');
	if (end == NULL)
		return false;
	for (const char *byte = at + 1; byte < end; byte++) {
		if ((unsigned char)*byte <= ' ' || *byte == '\x7f')
			return false;
	}
	*ret_tag = at;
	*ret_length = (size_t)(end + 1 - at);
	*field = end + 1;
	return true;
}

static const char *
skip_space(const char *text)
{
	return text + strspn(text, " \t");
}

typedef bool (*tag_test)(const char *candidate, size_t length, const void *wanted);

/* Both with their quotes. */
static bool
is_tag(const char *candidate, size_t length, const void *wanted)
{
	const char *tag = wanted;
	return length == strlen(tag) && memcmp(candidate, tag, length) == 0;
}

/* "7" or "7-…". */
static bool
is_version(const char *candidate, size_t length, const void *wanted)
{
	char tag[PRECONDITION_TAG];
	precondition_tag(*(const int64_t *)wanted, tag);
	size_t stem = strlen(tag) - 1;
	return length > stem && memcmp(candidate, tag, stem) == 0 && (candidate[stem] == '"' || candidate[stem] == '-');
}

/*
 * Does a tag of the list pass the test? weak: weak tags count as well. Empty elements are allowed (§5.6.1.2). false: it is no
 * list.
 */
static bool
find_tag(const char *field, bool weak, tag_test test, const void *wanted, bool *ret_found)
{
	size_t elements = 0;
	*ret_found = false;
	for (const char *at = skip_space(field); *at != '\0'; at = skip_space(at)) {
		if (*at == ',') {
			at++;
			continue;
		}
		bool is_weak;
		const char *candidate;
		size_t length;
		if (!take_tag(&at, &is_weak, &candidate, &length))
			return false;
		elements++;
		if ((weak || !is_weak) && test(candidate, length, wanted))
			*ret_found = true;
		at = skip_space(at);
		if (*at != ',' && *at != '\0')
			return false;
	}
	return elements > 0;
}

bool
precondition_any(const char *field)
{
	if (field == NULL)
		return false;
	const char *at = skip_space(field);
	return *at == '*' && *skip_space(at + 1) == '\0';
}

enum fault_code
precondition_match(const char *field, int64_t version, bool *ret_matches, struct fault *fault)
{
	bool found = true;
	if (field != NULL && !precondition_any(field) && !find_tag(field, false, is_version, &version, &found))
		return fault_set(fault, FAULT_MALFORMED, "If-Match must be * or entity tags such as \"7\", with the quotes");
	*ret_matches = found;
	return FAULT_NONE;
}

bool
precondition_unchanged(const char *field, const char *tag)
{
	bool found;
	return field != NULL && (precondition_any(field) || (find_tag(field, true, is_tag, tag, &found) && found));
}

bool
precondition_not_modified(const char *field, int64_t modified_at)
{
	int64_t since_at;
	return field != NULL && instant_parse_http(field, &since_at) && modified_at == since_at;
}

/* RFC 9110 §12.4.2: a weight of 0 in any spelling means no. */
static bool
weight_is_zero(const char *parameters, size_t length)
{
	const char *end = parameters + length;
	const char *at = memchr(parameters, '=', length);
	if (at == NULL)
		return false;
	at++;
	at += strspn(at, " \t");
	if (at >= end || *at != '0')
		return false;
	at++;
	if (at < end && *at == '.')
		at++;
	while (at < end && *at == '0')
		at++;
	return at >= end || strchr(" \t;", *at) != NULL;
}

bool
precondition_takes_gzip(const char *field)
{
	if (field == NULL)
		return false;
	bool any = false;
	for (const char *at = field; *at != '\0'; at += *at == ',') {
		at = skip_space(at);
		size_t length = strcspn(at, ","), name = strcspn(at, ",; \t");
		bool refused = weight_is_zero(at, length);
		if ((name == 4 && strncasecmp(at, "gzip", 4) == 0) || (name == 6 && strncasecmp(at, "x-gzip", 6) == 0))
			return !refused;
		if (name == 1 && *at == '*')
			any = !refused;
		at += length;
	}
	return any;
}
