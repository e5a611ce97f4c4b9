#include "ca/keys/openssl_fault.h"

#include <openssl/err.h>

enum fault_code
openssl_fault_set_at(struct fault *fault, enum fault_code code, const char *file, int line, const char *what)
{
	/* The first error is the cause, those after it only say which callers gave up. */
	unsigned long error = ERR_get_error();
	ERR_clear_error();
	if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE)
		return fault_set_at(fault, FAULT_MEMORY, file, line, "%s: out of memory", what);
	const char *reason = ERR_reason_error_string(error);
	if (reason == NULL)
		return fault_set_at(fault, code, file, line, "%s", what);
	return fault_set_at(fault, code, file, line, "%s: %s", what, reason);
}
