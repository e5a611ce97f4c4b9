/*
 * payload: what a ROA authorises: an origin AS, a prefix, a maxLength (RFC 9582). Pure values.
 */
#ifndef CA_RESOURCES_PAYLOAD_H
#define CA_RESOURCES_PAYLOAD_H

#include <stdint.h>

#include "ca/base/fault.h"
#include "ca/resources/prefix.h"

struct payload {
	uint32_t asn;
	struct prefix prefix;
	uint8_t max_length;      /* always told: the prefix's own length where the ROA leaves it out */
};

/* AS, then prefix (family, address, length), then max_length: the order of RFC 9582 §4.3.3 within one ROA. */
int payload_compare(const struct payload *a, const struct payload *b);

/* prefix.length ≤ max_length ≤ 32 or 128. Faults: INVALID with the reason. */
CHECKED enum fault_code payload_check(const struct payload *payload, struct fault *fault);

#define PAYLOAD_TEXT 96
/* "AS64496 192.0.2.0/24-25"; "AS64496 192.0.2.0/24" where maxLength is the prefix's own. */
void payload_text(const struct payload *payload, char text[PAYLOAD_TEXT]);

#endif
