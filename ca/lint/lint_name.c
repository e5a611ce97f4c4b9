#include <string.h>

#include "ca/lint/lint_internal.h"

/* RFC 6481 §2.2 and IANA's registry of RPKI repository name schemes; what stands on manifests has no manifest among it. */
static const char *const extensions[LINT_NAME_KINDS][7] = {
	[LINT_NAME_LISTED] = { "cer", "crl", "roa", "asa", "gbr", "tak", NULL },
	[LINT_NAME_SIGNED] = { "mft", "roa", "asa", "gbr", "tak", NULL },
	[LINT_NAME_MANIFEST] = { "mft", NULL },
	[LINT_NAME_CRL] = { "crl", NULL },
	[LINT_NAME_ROA] = { "roa", NULL },
};

static bool
stem_character(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* RFC 9286 §4.2.2: one or more of [A-Za-z0-9_-], a dot, an extension of three letters. */
bool
lint_name_is(struct span name, enum lint_name_kind kind)
{
	if (name.length < 5 || name.length > LINT_NAME_MAX || name.data[name.length - 4] != '.')
		return false;
	for (size_t i = 0; i < name.length - 4; i++) {
		if (!stem_character(name.data[i]))
			return false;
	}
	for (const char *const *extension = extensions[kind]; *extension != NULL; extension++) {
		if (memcmp(name.data + name.length - 3, *extension, 3) == 0)
			return true;
	}
	return false;
}

bool
lint_object_name(const char *name)
{
	return lint_name_is(SPAN(name, strnlen(name, LINT_NAME_MAX + 1)), LINT_NAME_LISTED);
}

enum fault_code
lint_name_read(struct der_reader *reader, const char *what, struct span *ret_common_name, struct fault *fault)
{
	struct der_reader name, relative, attribute;
	struct der_element value;
	TRY(der_reader_enter(reader, DER_SEQUENCE, what, &name, fault));
	TRY(der_reader_enter(&name, DER_SET, what, &relative, fault));
	TRY(der_reader_enter(&relative, DER_SEQUENCE, what, &attribute, fault));
	TRY(lint_oid_read(&attribute, LINT_OID_COMMON_NAME, what, fault));
	TRY(der_reader_take(&attribute, DER_PRINTABLE_STRING, what, &value, fault));
	TRY(der_reader_end(&attribute, what, fault));
	TRY(der_reader_end(&relative, what, fault));
	TRY(der_reader_end(&name, what, fault));
	TRY(LINT_RULE(value.contents.length >= 1 && value.contents.length <= LINT_COMMON_NAME_MAX, fault,
		"%s: CommonName hasn't 1 to %d characters (RFC 5280 appendix A.1)", what, LINT_COMMON_NAME_MAX));
	*ret_common_name = value.contents;
	return FAULT_NONE;
}

bool
lint_name_is_text(struct span common_name, const char *text)
{
	return text != NULL && span_equal(common_name, SPAN(text, strlen(text)));
}

bool
lint_name_is_identifier(struct span common_name, const uint8_t identifier[SHA1_SIZE])
{
	static const char digits[2][17] = { "0123456789abcdef", "0123456789ABCDEF" };
	if (common_name.length != 2 * (size_t)SHA1_SIZE)
		return false;
	bool equal[2] = { true, true };
	for (size_t i = 0; i < common_name.length; i++) {
		unsigned digit = i % 2 == 0 ? identifier[i / 2] >> 4 : identifier[i / 2] & 0x0fU;
		for (size_t letters = 0; letters < 2; letters++)
			equal[letters] = equal[letters] && common_name.data[i] == (uint8_t)digits[letters][digit];
	}
	return equal[0] || equal[1];
}
