#include "ca/der/common_name.h"

#include <string.h>

#include "ca/base/memory.h"

#define LENGTH_MAX 64 /* ub-common-name, RFC 5280 A.1 */

ASN1_SEQUENCE(name_attribute) = {
	ASN1_SIMPLE(name_attribute, type, ASN1_OBJECT),
	ASN1_SIMPLE(name_attribute, value, ASN1_PRINTABLESTRING),
} static_ASN1_SEQUENCE_END(name_attribute)

ASN1_ITEM_TEMPLATE(name_part) =
	ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SET_OF, 0, name_part, name_attribute)
static_ASN1_ITEM_TEMPLATE_END(name_part)

ASN1_ITEM_TEMPLATE(common_name) =
	ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, common_name, name_part)
ASN1_ITEM_TEMPLATE_END(common_name)

/* X.680 §41.4 */
static bool
printable(const char *text, size_t length)
{
	static const char characters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?";
	return length > 0 && length <= LENGTH_MAX && strspn(text, characters) == length;
}

enum fault_code
common_name_set(common_name *name, const char *text, struct fault *fault)
{
	size_t length = text == NULL ? 0 : strlen(text);
	if (length == 0 || !printable(text, length))
		return fault_set(fault, FAULT_INVALID, "a CommonName is 1 to %d characters of a PrintableString (RFC 6487 §4.4)",
			LENGTH_MAX);
	name_part *part = NULL;
	name_attribute *attribute = NULL;
	TRY(template_append(name, ASN1_ITEM_rptr(name_part), &part, fault));
	TRY(template_append(part, ASN1_ITEM_rptr(name_attribute), &attribute, fault));
	template_set_object(&attribute->type, NID_commonName);
	return template_set_octets(attribute->value, text, length, fault);
}

enum fault_code
common_name_get(common_name *name, const char *what, char **ret_text, struct fault *fault)
{
	/* RFC 6487 §4.4, §4.5: one CommonName; see the header for serialNumber. */
	if (sk_name_part_num(name) != 1 || sk_name_attribute_num(sk_name_part_value(name, 0)) != 1)
		return fault_set(fault, FAULT_MALFORMED, "%s is not one CommonName alone", what);
	const name_attribute *attribute = sk_name_attribute_value(sk_name_part_value(name, 0), 0);
	if (OBJ_obj2nid(attribute->type) != NID_commonName)
		return fault_set(fault, FAULT_MALFORMED, "%s is not a CommonName", what);
	AUTO(char, free) text = NULL;
	TRY(template_text(attribute->value, what, &text, fault));
	if (!printable(text, strlen(text)))
		return fault_set(fault, FAULT_MALFORMED, "%s is not 1 to %d characters of a PrintableString", what, LENGTH_MAX);
	*ret_text = MOVE(text);
	return FAULT_NONE;
}
