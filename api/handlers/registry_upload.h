/* registry_upload: where the file of a registry is that came with a request. */
#ifndef API_HANDLERS_REGISTRY_UPLOAD_H
#define API_HANDLERS_REGISTRY_UPLOAD_H

#include "api/handlers/handler.h"

/*
 * A path by which the upload can be read as long as the request lives, to be freed; the file goes with the request. Faults:
 * MALFORMED (the body is empty), MEMORY.
 */
CHECKED enum fault_code registry_upload_path(const struct exchange *exchange, char **ret_path, struct fault *fault);

#endif
