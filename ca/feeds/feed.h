/* feed: what all readers of outside files share: limits, how they hand out payloads, how they say where a fault is. */
#ifndef CA_FEEDS_FEED_H
#define CA_FEEDS_FEED_H

#include <inttypes.h>
#include <stdint.h>

#include "ca/base/fault.h"
#include "ca/resources/payload.h"

#define FEED_BYTES_MAX UINT64_C(4294967295)     /* of one file, unpacked: so a line's number has 32 bits */
#define FEED_ID_MAX 100                         /* bytes of a holder's id */
#define FEED_REGISTRY_SIZE 32                   /* a registry's name, as "afrinic", and a NUL */

/* Takes one payload of a file. Ends the reading when it returns a fault, which is passed on as it is. */
typedef enum fault_code (*feed_payload_fn)(void *argument, const struct payload *payload, uint32_t line, struct fault *fault);

/* Says in which line something failed: TRY(feed_line(read_it(…, fault), line, fault)); */
static inline enum fault_code
feed_line(enum fault_code code, uint32_t line, struct fault *fault)
{
	if (code != FAULT_NONE)
		(void)fault_prefix(fault, "line %" PRIu32 ": ", line);
	return code;
}

#endif
