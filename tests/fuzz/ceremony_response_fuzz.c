/* ceremony_response_parse(): whatever is taken is signed by the trust anchor, and bounded. */
#include "ca/base/base64.h"
#include "ca/ceremony/ceremony_response.h"
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
	AUTO(struct ceremony_response, ceremony_response_free) response = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) spki = BYTES_INIT;
	struct fault fault = FAULT_INIT;
	INVARIANT(base64_decode(ta_key, sizeof ta_key - 1, &spki, NULL) == FAULT_NONE);
	enum fault_code code = ceremony_response_parse(SPAN(data, size), bytes_span(&spki), &response, &fault);
	INVARIANT((code == FAULT_NONE) == (response != NULL));
	INVARIANT(code == FAULT_NONE || fault.message[0] != '\0');
	if (response != NULL)
		INVARIANT(response->number > 0 && response->objects_count <= CEREMONY_OBJECTS_MAX);
	return 0;
}
