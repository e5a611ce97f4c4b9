#include "ca/lint/lint_internal.h"

enum fault_code
lint_algorithm_read(struct der_reader *reader, enum lint_oid oid, bool null_parameters, const char *what, struct fault *fault)
{
	struct der_reader algorithm;
	TRY(der_reader_enter(reader, DER_SEQUENCE, what, &algorithm, fault));
	TRY(lint_oid_read(&algorithm, oid, what, fault));
	/* RFC 4055 §5: RSA's parameters are NULL and have to be there; RFC 5754 §2: those of SHA-256 in CMS are left out. */
	if (null_parameters)
		TRY(der_reader_null(&algorithm, what, fault));
	return der_reader_end(&algorithm, what, fault);
}
