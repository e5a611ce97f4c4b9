#include "ca/ceremony/sealed_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/base64.h"
#include "ca/base/instant.h"
#include "ca/base/memory.h"
#include "ca/keys/signature.h"
#include "ca/resources/resource_list.h"

#define SIGNATURE_NAME "signature: "
#define SIGNATURE_TEXT BASE64_LENGTH(RSA_SIGNATURE_SIZE)
#define SIGNATURE_LINE (sizeof SIGNATURE_NAME - 1 + SIGNATURE_TEXT + 1)
#define DIGITS_MAX 18

/* ---- the whole ---- */

static enum fault_code
check_characters(struct span file, const char *what, struct fault *fault)
{
	size_t line = 1;
	for (size_t i = 0; i < file.length; i++) {
		if (file.data[i] == '\n')
			line++;
		else if (file.data[i] < 0x20 || file.data[i] > 0x7e)
			return fault_set(fault, FAULT_MALFORMED, "the %s, line %zu: the character 0x%02x has no place in it", what, line,
				file.data[i]);
	}
	return FAULT_NONE;
}

static enum fault_code
read_signature(struct span file, const char *what, struct sealed_text *ret_text, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) signature = BYTES_INIT;
	const char *line = (const char *)file.data + file.length - SIGNATURE_LINE;
	if (line[-1] != '\n' || file.data[file.length - 1] != '\n' || memcmp(line, SIGNATURE_NAME, sizeof SIGNATURE_NAME - 1) != 0 ||
		base64_decode(line + sizeof SIGNATURE_NAME - 1, SIGNATURE_TEXT, &signature, NULL) != FAULT_NONE ||
		signature.length != RSA_SIGNATURE_SIZE)
		return fault_set(fault, FAULT_MALFORMED, "the %s doesn't end with its signature: it is cut off, or something was added", what);
	ret_text->body = SPAN(file.data, file.length - SIGNATURE_LINE);
	memcpy(ret_text->signature, signature.data, sizeof ret_text->signature);
	return FAULT_NONE;
}

enum fault_code
sealed_text_open(struct span file, const char *title, const char *what, struct sealed_text *ret_text, struct sealed_lines *ret_lines,
	struct fault *fault)
{
	size_t length = strlen(title);
	if (file.length > SEALED_TEXT_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "the %s has more than %d bytes", what, SEALED_TEXT_MAX);
	if (file.length < length + 1 || memcmp(file.data, title, length) != 0 || file.data[length] != '\n')
		return fault_set(fault, FAULT_MALFORMED, "this is no %s: the first line of one is \"%s\"", what, title);
	TRY(check_characters(file, what, fault));
	if (file.length < length + 1 + SIGNATURE_LINE)
		return fault_set(fault, FAULT_MALFORMED, "the %s is cut off", what);
	TRY(read_signature(file, what, ret_text, fault));
	*ret_lines = (struct sealed_lines){
		.what = what, .at = (const char *)file.data + length + 1, .end = (const char *)ret_text->body.data + ret_text->body.length,
		.number = 1,
	};
	return FAULT_NONE;
}

enum fault_code
sealed_text_check(const struct sealed_text *text, struct span spki, const char *what, struct fault *fault)
{
	enum fault_code code = signature_check(spki, text->body, text->signature, fault);
	return code != FAULT_INVALID ? code :
		fault_set(fault, FAULT_INVALID, "the %s was altered, or somebody else signed it: its signature doesn't fit", what);
}

enum fault_code
sealed_text_compare(const struct sealed_text *text, const struct bytes *printed, const char *what, struct fault *fault)
{
	return span_equal(text->body, bytes_span(printed)) ? FAULT_NONE :
		fault_set(fault, FAULT_MALFORMED, "the %s is not in the form that cadastre writes", what);
}

enum fault_code
sealed_text_seal(struct bytes *text, struct signer *signer, struct span handle, struct fault *fault)
{
	uint8_t signature[RSA_SIGNATURE_SIZE];
	TRY(signer_sign(signer, handle, bytes_span(text), signature, fault));
	TRY(bytes_append_text(text, SIGNATURE_NAME, fault));
	TRY(base64_append(text, SPAN(signature, sizeof signature), fault));
	return bytes_append_text(text, "\n", fault);
}

/* ---- lines ---- */

bool
sealed_lines_next_is(const struct sealed_lines *lines, const char *name)
{
	size_t length = strlen(name), left = (size_t)(lines->end - lines->at);
	return left > length + 2 && memcmp(lines->at, name, length) == 0 && lines->at[length] == ':' && lines->at[length + 1] == ' ';
}

enum fault_code
sealed_lines_take(struct sealed_lines *lines, const char *name, struct span *ret_value, struct fault *fault)
{
	lines->number++;
	if (!sealed_lines_next_is(lines, name))
		return fault_set(fault, FAULT_MALFORMED, "the %s, line %zu: \"%s: …\" should stand here", lines->what, lines->number, name);
	const char *value = lines->at + strlen(name) + 2;
	const char *end = memchr(value, '\n', (size_t)(lines->end - value));
	INVARIANT(end != NULL);                  /* the body ends with a newline */
	*ret_value = SPAN(value, (size_t)(end - value));
	lines->at = end + 1;
	return FAULT_NONE;
}

enum fault_code
sealed_lines_text(struct sealed_lines *lines, const char *name, char *ret_text, size_t size, struct fault *fault)
{
	struct span value;
	TRY(sealed_lines_take(lines, name, &value, fault));
	if (value.length >= size)
		return sealed_lines_fault(lines, fault, "too long");
	memcpy(ret_text, value.data, value.length);
	ret_text[value.length] = '\0';
	return FAULT_NONE;
}

enum fault_code
sealed_lines_number(struct sealed_lines *lines, const char *name, int64_t min, int64_t max, int64_t *ret_number, struct fault *fault)
{
	struct span value;
	TRY(sealed_lines_take(lines, name, &value, fault));
	if (!sealed_word_number(value, ret_number) || *ret_number < min || *ret_number > max)
		return fault_set(fault, FAULT_MALFORMED, "the %s, line %zu: not a number from %lld to %lld", lines->what, lines->number,
			(long long)min, (long long)max);
	return FAULT_NONE;
}

enum fault_code
sealed_lines_instant(struct sealed_lines *lines, const char *name, int64_t *ret_at, struct fault *fault)
{
	struct span value;
	TRY(sealed_lines_take(lines, name, &value, fault));
	return sealed_word_instant(value, ret_at) ? FAULT_NONE : sealed_lines_fault(lines, fault, "not a time such as 2026-11-23T23:16:00Z");
}

enum fault_code
sealed_lines_hex(struct sealed_lines *lines, const char *name, uint8_t *ret_octets, size_t length, struct fault *fault)
{
	struct span value;
	uint8_t found = 0;
	TRY(sealed_lines_take(lines, name, &value, fault));
	return sealed_word_hex(value, ret_octets, length, &found) && found == length ? FAULT_NONE :
		fault_set(fault, FAULT_MALFORMED, "the %s, line %zu: not %zu hexadecimal digits", lines->what, lines->number, 2 * length);
}

enum fault_code
sealed_lines_base64(struct sealed_lines *lines, const char *name, struct bytes *ret_data, struct fault *fault)
{
	struct span value;
	TRY(sealed_lines_take(lines, name, &value, fault));
	enum fault_code code = base64_decode((const char *)value.data, value.length, ret_data, fault);
	return code == FAULT_MALFORMED ? sealed_lines_fault(lines, fault, "not base64") : code;
}

enum fault_code
sealed_lines_resources(struct sealed_lines *lines, const char *name, struct resource_set *ret_set, struct fault *fault)
{
	struct span value;
	TRY(sealed_lines_take(lines, name, &value, fault));
	enum fault_code code = sealed_resources_parse(value, ret_set, fault);
	return code == FAULT_INVALID ? sealed_lines_fault(lines, fault, "not a list of resources") : code;
}

enum fault_code
sealed_lines_end(const struct sealed_lines *lines, struct fault *fault)
{
	return lines->at == lines->end ? FAULT_NONE :
		fault_set(fault, FAULT_MALFORMED, "the %s, line %zu: this line has no place here", lines->what, lines->number + 1);
}

/* ---- words ---- */

bool
sealed_words(struct span value, struct span *ret_words, size_t count)
{
	const uint8_t *at = value.data, *end = value.data + value.length;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *space = i + 1 < count && at < end ? memchr(at, ' ', (size_t)(end - at)) : NULL;
		const uint8_t *stop = space != NULL ? space : end;
		if (stop == at || (space == NULL && i + 1 < count))
			return false;
		ret_words[i] = SPAN(at, (size_t)(stop - at));
		at = space != NULL ? space + 1 : end;
	}
	return true;
}

bool
sealed_word_number(struct span word, int64_t *ret_number)
{
	int64_t number = 0;
	if (word.length == 0 || word.length > DIGITS_MAX)
		return false;
	for (size_t i = 0; i < word.length; i++) {
		if (word.data[i] < '0' || word.data[i] > '9')
			return false;
		number = number * 10 + (word.data[i] - '0');
	}
	*ret_number = number;
	return true;
}

bool
sealed_word_instant(struct span word, int64_t *ret_at)
{
	char text[INSTANT_TEXT];
	if (word.length >= sizeof text)
		return false;
	memcpy(text, word.data, word.length);
	text[word.length] = '\0';
	return instant_parse_rfc3339(text, ret_at);
}

bool
sealed_word_hex(struct span word, uint8_t *ret_octets, size_t size, uint8_t *ret_length)
{
	char text[2 * 64 + 1];
	if (word.length == 0 || word.length % 2 != 0 || word.length / 2 > size || word.length >= sizeof text)
		return false;
	memcpy(text, word.data, word.length);
	text[word.length] = '\0';
	*ret_length = (uint8_t)(word.length / 2);
	return hex_decode(text, ret_octets, word.length / 2);
}

/* ---- resources ---- */

static enum fault_code
print_addresses(const struct resource_set *set, enum address_family family, struct bytes *text, const char **separator, struct fault *fault)
{
	const struct address_ranges *ranges = resource_set_addresses(set, family);
	char item[RANGE_TEXT];
	for (size_t i = 0; i < ranges->count; i++) {
		resource_set_address_text(family, &ranges->items[i], item);
		TRY(bytes_printf(text, fault, "%s%s", *separator, item));
		*separator = ", ";
	}
	return FAULT_NONE;
}

enum fault_code
sealed_resources_print(const struct resource_set *set, struct bytes *text, struct fault *fault)
{
	const char *separator = "";
	char item[RANGE_TEXT];
	if (resource_set_empty(set))
		return bytes_append_text(text, "none", fault);
	for (size_t i = 0; i < set->asns_count; i++) {
		resource_set_asn_text(&set->asns[i], item);
		TRY(bytes_printf(text, fault, "%s%s", separator, item));
		separator = ", ";
	}
	TRY(print_addresses(set, FAMILY_IPV4, text, &separator, fault));
	return print_addresses(set, FAMILY_IPV6, text, &separator, fault);
}

enum fault_code
sealed_resources_parse(struct span text, struct resource_set *ret_set, struct fault *fault)
{
	AUTO(char, free) copy = NULL;
	TRY(memory_copy(text.data, text.length, &copy, fault));
	if (strcmp(copy, "none") == 0) {
		resource_set_clear(ret_set);
		return FAULT_NONE;
	}
	return resource_list_parse(copy, ret_set, fault);
}
