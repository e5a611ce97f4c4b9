/* crl_decode(): what is taken must be encodable again. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "ca/der/crl.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_CLEAR(struct crl, crl_clear) crl = CRL_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) tbs = BYTES_INIT;
	if (crl_decode(SPAN(data, size), &crl, NULL) != FAULT_NONE)
		return 0;
	struct crl_fields fields = {
		.issuer = crl.issuer,
		.number = crl.number,
		.this_update_at = crl.this_update_at,
		.next_update_at = crl.next_update_at,
		.revocations = crl.revocations,
		.revocations_count = crl.revocations_count,
	};
	memcpy(fields.authority_key, crl.authority_key, KEY_IDENTIFIER_SIZE);
	INVARIANT(crl_encode_tbs(&fields, &tbs, NULL) == FAULT_NONE);
	return 0;
}
