/* payload_json: {"asn": 64496, "prefix": "192.0.2.0/24", "maxLength": 24, …}, a payload as validators print it. Pure. */
#ifndef CA_FEEDS_PAYLOAD_JSON_H
#define CA_FEEDS_PAYLOAD_JSON_H

#include <jansson.h>

#include "ca/base/fault.h"
#include "ca/resources/payload.h"

/*
 * asn: a number, or text as asn_parse() takes it. Members that have other names are passed over. Faults: INVALID, with what is
 * wrong.
 */
CHECKED enum fault_code payload_json_read(const json_t *value, struct payload *ret_payload, struct fault *fault);

#endif
