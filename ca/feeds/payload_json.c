#include "ca/feeds/payload_json.h"

static enum fault_code
read_asn(const json_t *value, uint32_t *ret_asn, struct fault *fault)
{
	if (json_is_string(value))
		return asn_parse(json_string_value(value), ret_asn, fault);
	if (!json_is_integer(value))
		return fault_set(fault, FAULT_INVALID, "a payload has no \"asn\" that is a number or text");
	json_int_t asn = json_integer_value(value);
	if (asn < 0 || asn > (json_int_t)ASN_MAX)
		return fault_set(fault, FAULT_INVALID, "%" JSON_INTEGER_FORMAT " is no AS number", asn);
	*ret_asn = (uint32_t)asn;
	return FAULT_NONE;
}

enum fault_code
payload_json_read(const json_t *value, struct payload *ret_payload, struct fault *fault)
{
	struct payload payload;
	const json_t *prefix = json_object_get(value, "prefix"), *max_length = json_object_get(value, "maxLength");
	if (!json_is_object(value))
		return fault_set(fault, FAULT_INVALID, "a payload is no JSON object");
	TRY(read_asn(json_object_get(value, "asn"), &payload.asn, fault));
	if (!json_is_string(prefix))
		return fault_set(fault, FAULT_INVALID, "a payload has no \"prefix\" that is text");
	TRY(prefix_parse(json_string_value(prefix), &payload.prefix, fault));
	json_int_t length = json_integer_value(max_length);
	if (!json_is_integer(max_length) || length < 0 || length > UINT8_MAX)
		return fault_set(fault, FAULT_INVALID, "a payload has no \"maxLength\" that is a number up to 128");
	payload.max_length = (uint8_t)length;
	TRY(payload_check(&payload, fault));
	*ret_payload = payload;
	return FAULT_NONE;
}
