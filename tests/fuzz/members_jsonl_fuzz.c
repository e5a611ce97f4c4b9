/* members_jsonl_read(): what it gives can be a member: a handle, a canonical set, payloads that are payloads. */
#include <string.h>

#include "ca/feeds/members_jsonl.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

static enum fault_code
take(void *argument, const struct member_line *member, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) blob = BYTES_INIT;
	(void)argument;
	INVARIANT(member->id[0] != '\0' && strlen(member->id) <= FEED_ID_MAX && strpbrk(member->id, "/.:") == NULL);
	INVARIANT(member->line > 0);
	for (size_t i = 0; i < member->payloads_count; i++)
		INVARIANT(payload_check(&member->payloads[i], fault) == FAULT_NONE);
	return resource_set_encode(member->resources, &blob, fault);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_CLEAR(struct fuzz_file, fuzz_file_clear) file = fuzz_file_new(data, size);
	struct fault fault = FAULT_INIT;
	if (members_jsonl_read(file.path, take, NULL, &fault) != FAULT_NONE)
		INVARIANT(strncmp(fault.message, "line ", 5) == 0);
	return 0;
}
