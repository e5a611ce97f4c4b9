#include "ca/der/template.h"

#include <limits.h>
#include <openssl/err.h>
#include <string.h>

#include "ca/base/memory.h"
#include "ca/keys/openssl_fault.h"

static void
openssl_free(unsigned char *memory)
{
	OPENSSL_free(memory);
}
SCOPED(unsigned char, openssl_free)

static void
store_pointer(void *ret_pointer, void *pointer)
{
	memcpy(ret_pointer, &pointer, sizeof pointer);
}

enum fault_code
template_new(const ASN1_ITEM *item, void *ret_value, struct fault *fault)
{
	ASN1_VALUE *value = ASN1_item_new(item);
	if (value == NULL)
		return openssl_fault_set(fault, FAULT_MEMORY, "building an ASN.1 value");
	store_pointer(ret_value, value);
	return FAULT_NONE;
}

enum fault_code
template_append(void *stack, const ASN1_ITEM *item, void *ret_value, struct fault *fault)
{
	ASN1_VALUE *value = NULL;
	TRY(template_new(item, &value, fault));
	if (OPENSSL_sk_push(stack, value) == 0) {
		ASN1_item_free(value, item);
		return openssl_fault_set(fault, FAULT_MEMORY, "building an ASN.1 value");
	}
	store_pointer(ret_value, value);
	return FAULT_NONE;
}

enum fault_code
template_encode(const void *value, const ASN1_ITEM *item, struct bytes *ret_der, struct fault *fault)
{
	AUTO(unsigned char, openssl_free) encoded = NULL;
	int length = ASN1_item_i2d(value, &encoded, item);
	if (length <= 0)
		return openssl_fault_set(fault, FAULT_CRYPTO, "encoding an ASN.1 value");
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	TRY(bytes_append(&der, encoded, (size_t)length, fault));
	bytes_swap(ret_der, &der);
	return FAULT_NONE;
}

static bool
encodes_to(const ASN1_VALUE *value, const ASN1_ITEM *item, struct span der)
{
	AUTO(unsigned char, openssl_free) encoded = NULL;
	int length = ASN1_item_i2d(value, &encoded, item);
	return length > 0 && span_equal(SPAN(encoded, (size_t)length), der);
}

enum fault_code
template_decode(struct span der, const ASN1_ITEM *item, const char *what, void *ret_value, struct fault *fault)
{
	if (der.length == 0 || der.length > LONG_MAX)
		return fault_set(fault, FAULT_MALFORMED, "%s: no DER", what);
	const unsigned char *at = der.data;
	ASN1_VALUE *value = ASN1_item_d2i(NULL, &at, (long)der.length, item);
	if (value == NULL)
		return openssl_fault_set(fault, FAULT_MALFORMED, what);
	size_t left = (size_t)(der.data + der.length - at);
	if (left > 0 || !encodes_to(value, item, der)) {
		ASN1_item_free(value, item);
		ERR_clear_error();
		if (left > 0)
			return fault_set(fault, FAULT_MALFORMED, "%s: %zu bytes behind the end", what, left);
		return fault_set(fault, FAULT_MALFORMED, "%s: not DER", what);
	}
	store_pointer(ret_value, value);
	return FAULT_NONE;
}

void
template_set_object(ASN1_OBJECT **object, int nid)
{
	ASN1_OBJECT_free(*object);
	*object = OBJ_nid2obj(nid); /* OpenSSL's own, never freed */
	INVARIANT(*object != NULL);
}

enum fault_code
template_set_octets(ASN1_STRING *string, const void *octets, size_t length, struct fault *fault)
{
	INVARIANT(length <= INT_MAX);
	if (ASN1_STRING_set(string, octets, (int)length) != 1)
		return openssl_fault_set(fault, FAULT_MEMORY, "building an ASN.1 string");
	return FAULT_NONE;
}

enum fault_code
template_set_bits(ASN1_BIT_STRING *string, const uint8_t *octets, size_t bits, struct fault *fault)
{
	size_t length = (bits + 7) / 8;
	unsigned unused = (unsigned)(8 * length - bits);
	TRY(template_set_octets(string, octets, length, fault));
	if (unused > 0) /* DER: unused bits are 0 (X.690 §11.2.1) */
		string->data[length - 1] = (unsigned char)(string->data[length - 1] & (0xffU << unused));
	/* Otherwise OpenSSL would take zeros off the end, as for a list of named bits. */
	string->flags = (string->flags & ~(ASN1_STRING_FLAG_BITS_LEFT | 7L)) | ASN1_STRING_FLAG_BITS_LEFT | (long)unused;
	return FAULT_NONE;
}

size_t
template_bits(const ASN1_BIT_STRING *string)
{
	size_t unused = (string->flags & ASN1_STRING_FLAG_BITS_LEFT) != 0 ? (size_t)(string->flags & 7) : 0;
	return 8 * (size_t)ASN1_STRING_length(string) - unused;
}

struct span
template_octets(const ASN1_STRING *string)
{
	return SPAN(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

enum fault_code
template_text(const ASN1_STRING *string, const char *what, char **ret_text, struct fault *fault)
{
	struct span octets = template_octets(string);
	for (size_t i = 0; i < octets.length; i++)
		if (octets.data[i] < ' ' || octets.data[i] > '~')
			return fault_set(fault, FAULT_MALFORMED, "%s: octet %02x in a text", what, octets.data[i]);
	return memory_copy(octets.data, octets.length, ret_text, fault);
}

static int
parameter_type(int nid)
{
	return nid == NID_sha256 ? V_ASN1_UNDEF : V_ASN1_NULL;
}

enum fault_code
template_set_algorithm(X509_ALGOR *algorithm, int nid, struct fault *fault)
{
	if (X509_ALGOR_set0(algorithm, OBJ_nid2obj(nid), parameter_type(nid), NULL) != 1)
		return openssl_fault_set(fault, FAULT_MEMORY, "building an algorithm identifier");
	return FAULT_NONE;
}

enum fault_code
template_check_algorithm(const X509_ALGOR *algorithm, int nid, const char *what, struct fault *fault)
{
	const ASN1_OBJECT *object;
	int type;
	X509_ALGOR_get0(&object, &type, NULL, algorithm);
	if (OBJ_obj2nid(object) != nid || type != parameter_type(nid))
		return fault_set(fault, FAULT_MALFORMED, "%s is not %s as RFC 7935 §2 has it", what, OBJ_nid2ln(nid));
	return FAULT_NONE;
}
