#include "api/handlers/registry_upload.h"

#include "ca/base/memory.h"

/* Readers of files take paths, and the server knows the data directory by its descriptor. */
enum fault_code
registry_upload_path(const struct exchange *exchange, char **ret_path, struct fault *fault)
{
	const struct request_upload *upload = &exchange->request->upload;
	if (upload->size == 0)
		return fault_set(fault, FAULT_MALFORMED, "the body is empty; it must be the registry's file");
	return memory_printf(ret_path, fault, "/proc/self/fd/%d/%s", exchange->context->data_directory, upload->name);
}
