#include "ca/ceremony/ceremony_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/base64.h"
#include "ca/base/instant.h"
#include "ca/base/memory.h"
#include "ca/lint/lint.h"

#define WHAT "request"
#define NUMBER_MAX INT64_C(999999999999)         /* with room to rise */

enum fault_code
ceremony_request_new(struct ceremony_request **ret_request, struct fault *fault)
{
	return memory_new(1, sizeof **ret_request, ret_request, fault);
}

void
ceremony_request_free(struct ceremony_request *request)
{
	if (request == NULL)
		return;
	bytes_clear(&request->request_key);
	resource_set_clear(&request->resources);
	for (size_t i = 0; i < CEREMONY_CHILDREN_MAX; i++) {
		bytes_clear(&request->children[i].spki);
		resource_set_clear(&request->children[i].resources);
	}
	free(request->revocations);
	free(request);
}

enum fault_code
ceremony_fingerprint(struct span spki, char ret_text[CEREMONY_FINGERPRINT_SIZE], struct fault *fault)
{
	uint8_t hash[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];
	size_t length = 0;
	TRY(digest_sha256(spki, hash, fault));
	hex_encode(SPAN(hash, sizeof hash), hex);
	for (size_t i = 0; i < 2 * SHA256_SIZE; i += 4) {
		if (i > 0)
			ret_text[length++] = ' ';
		memcpy(ret_text + length, hex + i, 4);
		length += 4;
	}
	ret_text[length] = '\0';
	return FAULT_NONE;
}

/* ---- printing ---- */

static enum fault_code
print_blob(struct bytes *text, const char *name, const struct bytes *blob, struct fault *fault)
{
	TRY(bytes_printf(text, fault, "%s: ", name));
	TRY(base64_append(text, bytes_span(blob), fault));
	return bytes_append_text(text, "\n", fault);
}

static enum fault_code
print_server(const struct ceremony_request *request, struct bytes *text, struct fault *fault)
{
	char created[INSTANT_TEXT], ta_key[2 * KEY_IDENTIFIER_SIZE + 1];
	instant_rfc3339(request->created_at, created);
	hex_encode(SPAN(request->ta_key, sizeof request->ta_key), ta_key);
	TRY(bytes_printf(text, fault, CEREMONY_REQUEST_TITLE "\nnumber: %lld\ncreated: %s\ninstance: %s\n", (long long)request->number,
		created, request->instance));
	TRY(print_blob(text, "request-key", &request->request_key, fault));
	return bytes_printf(text, fault, "ta-key: %s\nrsync-uri: %s\ndirectory: %s\nnotification-uri: %s\n", ta_key, request->rsync_uri,
		request->directory, request->notification_uri);
}

static enum fault_code
print_anchor(const struct ceremony_request *request, struct bytes *text, struct fault *fault)
{
	char not_before[INSTANT_TEXT];
	instant_rfc3339(request->not_before_at, not_before);
	TRY(bytes_append_text(text, "resources: ", fault));
	TRY(sealed_resources_print(&request->resources, text, fault));
	return bytes_printf(text, fault, "\nvalid-seconds: %lld\nlater-than: %s\ncrl-number: %llu\nmanifest-number: %llu\n",
		(long long)request->valid_s, not_before, (unsigned long long)request->crl_number,
		(unsigned long long)request->manifest_number);
}

static enum fault_code
print_child(const struct ceremony_child *child, struct bytes *text, struct fault *fault)
{
	TRY(print_blob(text, "child-key", &child->spki, fault));
	TRY(bytes_printf(text, fault, "child-directory: %s\nchild-valid-seconds: %lld\nchild-resources: ", child->directory,
		(long long)child->valid_s));
	TRY(sealed_resources_print(&child->resources, text, fault));
	return bytes_append_text(text, "\n", fault);
}

static enum fault_code
print_body(const struct ceremony_request *request, struct bytes *text, struct fault *fault)
{
	TRY(print_server(request, text, fault));
	TRY(print_anchor(request, text, fault));
	for (size_t i = 0; i < request->children_count; i++)
		TRY(print_child(&request->children[i], text, fault));
	for (size_t i = 0; i < request->revocations_count; i++) {
		const struct ceremony_revocation *revocation = &request->revocations[i];
		char serial[2 * SERIAL_MAX + 1], revoked[INSTANT_TEXT], not_after[INSTANT_TEXT];
		hex_encode(SPAN(revocation->serial.octets, revocation->serial.length), serial);
		instant_rfc3339(revocation->revoked_at, revoked);
		instant_rfc3339(revocation->not_after_at, not_after);
		TRY(bytes_printf(text, fault, "revoke: %s %s %s\n", serial, revoked, not_after));
	}
	return FAULT_NONE;
}

enum fault_code
ceremony_request_seal(struct ceremony_request *request, struct signer *signer, struct span handle, struct bytes *ret_file,
	struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) file = BYTES_INIT;
	TRY(print_body(request, &file, fault));
	TRY(sealed_text_seal(&file, signer, handle, fault));
	TRY(digest_sha256(bytes_span(&file), request->digest, fault));
	bytes_swap(ret_file, &file);
	return FAULT_NONE;
}

/* ---- parsing ---- */

/* "0a/f3…/": below the repository, and nowhere else. */
static bool
directory_right(const char *directory)
{
	size_t length = strlen(directory);
	return length > 1 && directory[0] != '/' && directory[length - 1] == '/' &&
		strspn(directory, "0123456789abcdefghijklmnopqrstuvwxyz_-/") == length && strstr(directory, "//") == NULL;
}

static bool
uuid_right(const char *text)
{
	size_t length = strlen(text);
	for (size_t i = 0; i < length; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash ? text[i] != '-' : strchr("0123456789abcdef", text[i]) == NULL)
			return false;
	}
	return length == CEREMONY_INSTANCE_SIZE - 1;
}

static enum fault_code
parse_server(struct sealed_lines *lines, struct ceremony_request *request, struct fault *fault)
{
	TRY(sealed_lines_number(lines, "number", 1, NUMBER_MAX, &request->number, fault));
	TRY(sealed_lines_instant(lines, "created", &request->created_at, fault));
	TRY(sealed_lines_text(lines, "instance", request->instance, sizeof request->instance, fault));
	if (!uuid_right(request->instance))
		return sealed_lines_fault(lines, fault, "not a UUID");
	TRY(sealed_lines_base64(lines, "request-key", &request->request_key, fault));
	TRY(sealed_lines_hex(lines, "ta-key", request->ta_key, sizeof request->ta_key, fault));
	TRY(sealed_lines_text(lines, "rsync-uri", request->rsync_uri, sizeof request->rsync_uri, fault));
	if (!lint_uri(request->rsync_uri, "rsync") || request->rsync_uri[strlen(request->rsync_uri) - 1] != '/')
		return sealed_lines_fault(lines, fault, "not the rsync URI of a repository");
	TRY(sealed_lines_text(lines, "directory", request->directory, sizeof request->directory, fault));
	if (!directory_right(request->directory))
		return sealed_lines_fault(lines, fault, "not a directory of a repository");
	TRY(sealed_lines_text(lines, "notification-uri", request->notification_uri, sizeof request->notification_uri, fault));
	return lint_uri(request->notification_uri, "https") ? FAULT_NONE : sealed_lines_fault(lines, fault, "not an https URI");
}

static enum fault_code
parse_anchor(struct sealed_lines *lines, struct ceremony_request *request, struct fault *fault)
{
	int64_t crl_number, manifest_number;
	TRY(sealed_lines_resources(lines, "resources", &request->resources, fault));
	if (resource_set_empty(&request->resources))
		return sealed_lines_fault(lines, fault, "a trust anchor holds something");
	TRY(sealed_lines_number(lines, "valid-seconds", CEREMONY_VALID_MIN_S, CEREMONY_VALID_MAX_S, &request->valid_s, fault));
	TRY(sealed_lines_instant(lines, "later-than", &request->not_before_at, fault));
	TRY(sealed_lines_number(lines, "crl-number", 1, NUMBER_MAX, &crl_number, fault));
	TRY(sealed_lines_number(lines, "manifest-number", 1, NUMBER_MAX, &manifest_number, fault));
	request->crl_number = (uint64_t)crl_number;
	request->manifest_number = (uint64_t)manifest_number;
	return FAULT_NONE;
}

static enum fault_code
parse_child(struct sealed_lines *lines, struct ceremony_request *request, struct fault *fault)
{
	uint8_t identifier[KEY_IDENTIFIER_SIZE];
	if (request->children_count == CEREMONY_CHILDREN_MAX)
		return sealed_lines_fault(lines, fault, "too many keys to certify");
	struct ceremony_child *child = &request->children[request->children_count++];
	TRY(sealed_lines_base64(lines, "child-key", &child->spki, fault));
	if (certificate_key_identifier(bytes_span(&child->spki), identifier, NULL) != FAULT_NONE)
		return sealed_lines_fault(lines, fault, "not the public half of an RSA key of 2048 bits");
	TRY(sealed_lines_text(lines, "child-directory", child->directory, sizeof child->directory, fault));
	if (!directory_right(child->directory))
		return sealed_lines_fault(lines, fault, "not a directory of a repository");
	TRY(sealed_lines_number(lines, "child-valid-seconds", CEREMONY_VALID_MIN_S, CEREMONY_VALID_MAX_S, &child->valid_s, fault));
	return sealed_lines_resources(lines, "child-resources", &child->resources, fault);
}

static enum fault_code
parse_revocation(struct sealed_lines *lines, struct ceremony_request *request, struct fault *fault)
{
	struct span value, words[3];
	if (request->revocations_count == CEREMONY_REVOCATIONS_MAX)
		return sealed_lines_fault(lines, fault, "too many serial numbers to revoke");
	TRY(memory_reserve(&request->revocations, &request->revocations_capacity, request->revocations_count + 1,
		sizeof *request->revocations, fault));
	struct ceremony_revocation *revocation = &request->revocations[request->revocations_count++];
	*revocation = (struct ceremony_revocation){ .revoked_at = 0 };
	TRY(sealed_lines_take(lines, "revoke", &value, fault));
	return sealed_words(value, words, 3) &&
		sealed_word_hex(words[0], revocation->serial.octets, SERIAL_MAX, &revocation->serial.length) &&
		sealed_word_instant(words[1], &revocation->revoked_at) && sealed_word_instant(words[2], &revocation->not_after_at) ?
		FAULT_NONE : sealed_lines_fault(lines, fault, "not a serial number, when it was revoked and when it ends");
}

enum fault_code
ceremony_request_parse(struct span file, struct ceremony_request **ret_request, struct fault *fault)
{
	AUTO(struct ceremony_request, ceremony_request_free) request = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) printed = BYTES_INIT;
	struct sealed_text text;
	struct sealed_lines lines;
	TRY(sealed_text_open(file, CEREMONY_REQUEST_TITLE, WHAT, &text, &lines, fault));
	TRY(ceremony_request_new(&request, fault));
	TRY(parse_server(&lines, request, fault));
	TRY(parse_anchor(&lines, request, fault));
	while (sealed_lines_next_is(&lines, "child-key"))
		TRY(parse_child(&lines, request, fault));
	while (sealed_lines_next_is(&lines, "revoke"))
		TRY(parse_revocation(&lines, request, fault));
	TRY(sealed_lines_end(&lines, fault));
	TRY(print_body(request, &printed, fault));
	TRY(sealed_text_compare(&text, &printed, WHAT, fault));
	TRY(sealed_text_check(&text, bytes_span(&request->request_key), WHAT, fault));
	TRY(digest_sha256(file, request->digest, fault));
	*ret_request = MOVE(request);
	return FAULT_NONE;
}
