/* tls_certificate: makes the self-signed certificate that a new server starts with (EC P-256, ten years). Its own key, never a CA's. */
#ifndef API_CLI_TLS_CERTIFICATE_H
#define API_CLI_TLS_CERTIFICATE_H

#include <stddef.h>
#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"

/* names: host names and IP addresses, for subjectAltName; the first is the CommonName. PEM texts. Faults: CRYPTO, INVALID, MEMORY. */
CHECKED enum fault_code tls_certificate_make(const char *const *names, size_t count, int64_t now_at, struct bytes *ret_certificate,
	struct bytes *ret_key, struct fault *fault);

#endif
