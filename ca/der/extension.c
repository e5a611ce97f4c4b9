#include "ca/der/extension.h"

#include <openssl/x509v3.h>
#include <string.h>

ASN1_SEQUENCE(extension) = {
	ASN1_SIMPLE(extension, id, ASN1_OBJECT),
	ASN1_OPT(extension, critical, ASN1_FBOOLEAN),
	ASN1_SIMPLE(extension, value, ASN1_OCTET_STRING),
} ASN1_SEQUENCE_END(extension)

SCOPED(AUTHORITY_KEYID, AUTHORITY_KEYID_free)
SCOPED(ASN1_OCTET_STRING, ASN1_OCTET_STRING_free)

enum fault_code
extension_append(STACK_OF(extension) *extensions, int nid, bool critical, struct span value, struct fault *fault)
{
	extension *added = NULL;
	TRY(template_append(extensions, ASN1_ITEM_rptr(extension), &added, fault));
	template_set_object(&added->id, nid);
	added->critical = critical ? 0xff : 0;
	return template_set_octets(added->value, value.data, value.length, fault);
}

static enum fault_code
get_identifier(const ASN1_OCTET_STRING *octets, const char *what, uint8_t ret_identifier[KEY_IDENTIFIER_SIZE],
	struct fault *fault)
{
	struct span identifier = template_octets(octets);
	if (identifier.length != KEY_IDENTIFIER_SIZE)
		return fault_set(fault, FAULT_MALFORMED, "%s has %zu octets, not the %d of a SHA-1", what, identifier.length,
			KEY_IDENTIFIER_SIZE);
	memcpy(ret_identifier, identifier.data, KEY_IDENTIFIER_SIZE);
	return FAULT_NONE;
}

enum fault_code
extension_encode_authority_key(const uint8_t identifier[KEY_IDENTIFIER_SIZE], struct bytes *ret_value, struct fault *fault)
{
	AUTO(AUTHORITY_KEYID, AUTHORITY_KEYID_free) key = NULL;
	TRY(template_new(ASN1_ITEM_rptr(AUTHORITY_KEYID), &key, fault));
	TRY(template_new(ASN1_ITEM_rptr(ASN1_OCTET_STRING), &key->keyid, fault));
	TRY(template_set_octets(key->keyid, identifier, KEY_IDENTIFIER_SIZE, fault));
	return template_encode(key, ASN1_ITEM_rptr(AUTHORITY_KEYID), ret_value, fault);
}

enum fault_code
extension_decode_authority_key(struct span value, uint8_t ret_identifier[KEY_IDENTIFIER_SIZE], struct fault *fault)
{
	AUTO(AUTHORITY_KEYID, AUTHORITY_KEYID_free) key = NULL;
	TRY(template_decode(value, ASN1_ITEM_rptr(AUTHORITY_KEYID), "AuthorityKeyIdentifier", &key, fault));
	/* RFC 6487 §4.8.3: the keyIdentifier alone. */
	if (key->keyid == NULL || key->issuer != NULL || key->serial != NULL)
		return fault_set(fault, FAULT_MALFORMED, "AuthorityKeyIdentifier is not a keyIdentifier alone (RFC 6487 §4.8.3)");
	return get_identifier(key->keyid, "AuthorityKeyIdentifier", ret_identifier, fault);
}

enum fault_code
extension_encode_subject_key(const uint8_t identifier[KEY_IDENTIFIER_SIZE], struct bytes *ret_value, struct fault *fault)
{
	AUTO(ASN1_OCTET_STRING, ASN1_OCTET_STRING_free) key = NULL;
	TRY(template_new(ASN1_ITEM_rptr(ASN1_OCTET_STRING), &key, fault));
	TRY(template_set_octets(key, identifier, KEY_IDENTIFIER_SIZE, fault));
	return template_encode(key, ASN1_ITEM_rptr(ASN1_OCTET_STRING), ret_value, fault);
}

enum fault_code
extension_decode_subject_key(struct span value, uint8_t ret_identifier[KEY_IDENTIFIER_SIZE], struct fault *fault)
{
	AUTO(ASN1_OCTET_STRING, ASN1_OCTET_STRING_free) key = NULL;
	TRY(template_decode(value, ASN1_ITEM_rptr(ASN1_OCTET_STRING), "SubjectKeyIdentifier", &key, fault));
	return get_identifier(key, "SubjectKeyIdentifier", ret_identifier, fault);
}
