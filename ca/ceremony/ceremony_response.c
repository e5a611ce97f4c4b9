#include "ca/ceremony/ceremony_response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/base64.h"
#include "ca/base/instant.h"
#include "ca/base/memory.h"

#define WHAT "response"

enum fault_code
ceremony_response_new(struct ceremony_response **ret_response, struct fault *fault)
{
	return memory_new(1, sizeof **ret_response, ret_response, fault);
}

void
ceremony_response_free(struct ceremony_response *response)
{
	if (response == NULL)
		return;
	for (size_t i = 0; i < CEREMONY_OBJECTS_MAX; i++)
		bytes_clear(&response->objects[i].der);
	free(response);
}

static enum fault_code
print_body(const struct ceremony_response *response, struct bytes *text, struct fault *fault)
{
	char request[2 * SHA256_SIZE + 1], ta_key[2 * KEY_IDENTIFIER_SIZE + 1], signed_at[INSTANT_TEXT];
	hex_encode(SPAN(response->request, sizeof response->request), request);
	hex_encode(SPAN(response->ta_key, sizeof response->ta_key), ta_key);
	instant_rfc3339(response->signed_at, signed_at);
	TRY(bytes_printf(text, fault,
		CEREMONY_RESPONSE_TITLE "\nnumber: %lld\nrequest: %s\ninstance: %s\nta-key: %s\nsigned: %s\ncrl-number: %llu\n"
		"manifest-number: %llu\n", (long long)response->number, request, response->instance, ta_key, signed_at,
		(unsigned long long)response->crl_number, (unsigned long long)response->manifest_number));
	for (size_t i = 0; i < response->objects_count; i++) {
		const struct ceremony_object *object = &response->objects[i];
		TRY(bytes_printf(text, fault, "object: %s %s ", object_kind_text(object->kind), object->name));
		TRY(base64_append(text, bytes_span(&object->der), fault));
		TRY(bytes_append_text(text, "\n", fault));
	}
	return FAULT_NONE;
}

enum fault_code
ceremony_response_seal(const struct ceremony_response *response, struct signer *signer, struct span handle, struct bytes *ret_file,
	struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) file = BYTES_INIT;
	TRY(print_body(response, &file, fault));
	TRY(sealed_text_seal(&file, signer, handle, fault));
	if (file.length > SEALED_TEXT_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "the response would have more than %d bytes", SEALED_TEXT_MAX);
	bytes_swap(ret_file, &file);
	return FAULT_NONE;
}

static bool
copy_word(struct span word, char *ret_text, size_t size)
{
	if (word.length >= size)
		return false;
	memcpy(ret_text, word.data, word.length);
	ret_text[word.length] = '\0';
	return true;
}

static enum fault_code
parse_object(struct sealed_lines *lines, struct ceremony_response *response, struct fault *fault)
{
	struct span value, words[3];
	char kind[8];
	if (response->objects_count == CEREMONY_OBJECTS_MAX)
		return sealed_lines_fault(lines, fault, "too many objects");
	struct ceremony_object *object = &response->objects[response->objects_count++];
	TRY(sealed_lines_take(lines, "object", &value, fault));
	if (!sealed_words(value, words, 3) || !copy_word(words[0], kind, sizeof kind) || !object_kind_parse(kind, &object->kind) ||
		!copy_word(words[1], object->name, sizeof object->name))
		return sealed_lines_fault(lines, fault, "not an object's kind, name and bytes");
	enum fault_code code = base64_decode((const char *)words[2].data, words[2].length, &object->der, fault);
	return code == FAULT_MALFORMED ? sealed_lines_fault(lines, fault, "not base64") : code;
}

static enum fault_code
parse_head(struct sealed_lines *lines, struct ceremony_response *response, struct fault *fault)
{
	int64_t crl_number, manifest_number;
	TRY(sealed_lines_number(lines, "number", 1, INT64_MAX, &response->number, fault));
	TRY(sealed_lines_hex(lines, "request", response->request, sizeof response->request, fault));
	TRY(sealed_lines_text(lines, "instance", response->instance, sizeof response->instance, fault));
	TRY(sealed_lines_hex(lines, "ta-key", response->ta_key, sizeof response->ta_key, fault));
	TRY(sealed_lines_instant(lines, "signed", &response->signed_at, fault));
	TRY(sealed_lines_number(lines, "crl-number", 1, INT64_MAX, &crl_number, fault));
	TRY(sealed_lines_number(lines, "manifest-number", 1, INT64_MAX, &manifest_number, fault));
	response->crl_number = (uint64_t)crl_number;
	response->manifest_number = (uint64_t)manifest_number;
	return FAULT_NONE;
}

enum fault_code
ceremony_response_parse(struct span file, struct span spki, struct ceremony_response **ret_response, struct fault *fault)
{
	AUTO(struct ceremony_response, ceremony_response_free) response = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) printed = BYTES_INIT;
	struct sealed_text text;
	struct sealed_lines lines;
	TRY(sealed_text_open(file, CEREMONY_RESPONSE_TITLE, WHAT, &text, &lines, fault));
	TRY(ceremony_response_new(&response, fault));
	TRY(parse_head(&lines, response, fault));
	while (sealed_lines_next_is(&lines, "object"))
		TRY(parse_object(&lines, response, fault));
	TRY(sealed_lines_end(&lines, fault));
	TRY(print_body(response, &printed, fault));
	TRY(sealed_text_compare(&text, &printed, WHAT, fault));
	TRY(sealed_text_check(&text, spki, WHAT, fault));
	*ret_response = MOVE(response);
	return FAULT_NONE;
}
