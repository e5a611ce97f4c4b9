/* tal: trust anchor locators (RFC 8630 §2) as text. */
#ifndef CA_DER_TAL_H
#define CA_DER_TAL_H

#include "ca/base/bytes.h"
#include "ca/base/fault.h"

/* Comment line, https URI, rsync URI, empty line, base64 of the key in lines of 64. Faults: MEMORY. */
CHECKED enum fault_code tal_print(const char *https_uri, const char *rsync_uri, struct span spki, struct bytes *ret_text,
	struct fault *fault);

#endif
