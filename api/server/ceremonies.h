/* ceremonies: what the engine gives back of ceremonies of an offline trust anchor, to handlers and to commands without a server. */
#ifndef API_SERVER_CEREMONIES_H
#define API_SERVER_CEREMONIES_H

#include <stdint.h>

#include "ca/base/bytes.h"

struct ceremonies_request {
	int64_t number;
	char fingerprint[80];           /* of the key that signed the file */
	struct bytes file;              /* owned by the caller */
};

struct ceremonies_installed {
	int64_t number;
	int64_t due_at, ends_at;        /* the next ceremony is due; what this one brought ends */
};

#endif
