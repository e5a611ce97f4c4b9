/* ceremony_ledger_parse(), and the public file: neither takes what it would not have written. */
#include "ca/base/base64.h"
#include "ca/ceremony/offline_anchor.h"
#include "tests/fuzz/fuzz.h"

/* The trust anchor's key of the seeds. */
static const char ta_key[] =
	"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAwmLk6X+kit486GncccNdxCHq5o/UqFr5mUgG8dJe6g6+yzTS06pqKZC7"
	"DhUY1EAIM4XZdpLFD24d+TADZDyZYoekAPBRp08HRpAGXQ3bvQaA1iTg+OavVXV4HFz3k3oDwOA4IuZz5VWA5fo9FYnA8lUSGkQp"
	"eQ+FBfN+tEiZpr7uqTO8LU5epSLcmx4ZF1HwNXgDWl7IiiJqgnDqX3v9jvocZdjBpXnAR7dOoJ6WINod/VDcwPARhSkf29uU9k4F"
	"Gk30NVCjqq6AonmASPH8Pmp58aOs0yqY2JEhiY3eG+YJ8C6d/pLh1tzAN/feFcAD++Tz8t6SZ/SV6EDi+QZOfQIDAQAB";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(struct ceremony_ledger, ceremony_ledger_free) ledger = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) spki = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) public_key = BYTES_INIT;
	INVARIANT(base64_decode(ta_key, sizeof ta_key - 1, &spki, NULL) == FAULT_NONE);
	if (ceremony_ledger_parse(SPAN(data, size), bytes_span(&spki), &ledger, NULL) == FAULT_NONE)
		INVARIANT(ledger->number >= 0 && ledger->ta_key.length > 0);
	if (offline_anchor_public_parse(SPAN(data, size), &public_key, NULL) == FAULT_NONE)
		INVARIANT(public_key.length > 0);
	return 0;
}
