/*
 * rrdp_xml: the text of RRDP files (RFC 8182 §3.5): US-ASCII, one element a line, the same bytes for the same input.
 *
 * Each function appends to a text that the caller owns and may empty at any time in between. Pure. Faults: MEMORY, and
 * DATABASE for a URI that can't stand in such a file.
 */
#ifndef PUBLISH_RRDP_XML_H
#define PUBLISH_RRDP_XML_H

#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"

enum rrdp_root { RRDP_NOTIFICATION, RRDP_SNAPSHOT, RRDP_DELTA };

CHECKED enum fault_code rrdp_xml_open(struct bytes *text, enum rrdp_root root, const char *session, int64_t serial,
	struct fault *fault);
CHECKED enum fault_code rrdp_xml_close(struct bytes *text, enum rrdp_root root, struct fault *fault);

/*
 * <publish>: in a snapshot, or in a delta; replaced_hash: of what stood at that URI before (RFC 8182 §3.5.3.3), data NULL:
 * nothing.
 */
CHECKED enum fault_code rrdp_xml_publish(struct bytes *text, const char *base_uri, const char *path, struct span replaced_hash,
	struct span object, struct fault *fault);
CHECKED enum fault_code rrdp_xml_withdraw(struct bytes *text, const char *base_uri, const char *path, struct span hash,
	struct fault *fault);

/* <snapshot> and <delta> of a notification (RFC 8182 §3.5.1.3). */
CHECKED enum fault_code rrdp_xml_name_snapshot(struct bytes *text, const char *base_uri, const char *path, struct span hash,
	struct fault *fault);
CHECKED enum fault_code rrdp_xml_name_delta(struct bytes *text, int64_t serial, const char *base_uri, const char *path,
	struct span hash, struct fault *fault);

#endif
