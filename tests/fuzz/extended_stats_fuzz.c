/* extended_stats_read(): what it gives can be a member: a handle, and a canonical set that overlaps with no other holder's. */
#include <string.h>

#include "ca/feeds/extended_stats.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

static enum fault_code
take(void *argument, const struct stats_holder *holder, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) common = RESOURCE_SET_INIT;
	struct resource_set *all = argument;
	INVARIANT(holder->id[0] != '\0' && strlen(holder->id) <= FEED_ID_MAX && strchr(holder->id, '/') == NULL);
	INVARIANT(holder->line > 0);
	INVARIANT(!resource_set_empty(holder->resources));
	TRY(resource_set_intersection(all, holder->resources, &common, fault));
	INVARIANT(resource_set_empty(&common));
	return resource_set_union(all, holder->resources, all, fault);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) all = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct fuzz_file, fuzz_file_clear) file = fuzz_file_new(data, size);
	struct fault fault = FAULT_INIT;
	if (extended_stats_read(file.path, take, &all, &fault) != FAULT_NONE)
		INVARIANT(strncmp(fault.message, "line ", 5) == 0);
	return 0;
}
