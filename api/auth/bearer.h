/* bearer: the token in an Authorization header field (RFC 6750 §2.1). Pure. */
#ifndef API_AUTH_BEARER_H
#define API_AUTH_BEARER_H

#include "ca/base/fault.h"

/* *ret_token is borrowed from the field. Faults: UNAUTHORIZED (no field, another scheme, no token or one of impossible form). */
CHECKED enum fault_code bearer_token(const char *field, const char **ret_token, struct fault *fault);

#endif
