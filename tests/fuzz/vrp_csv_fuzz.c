/* vrp_csv_read(): every payload that it gives is one, and prints as text that is taken again. */
#include <string.h>

#include "ca/feeds/vrp_csv.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

static enum fault_code
take(void *argument, const struct payload *payload, uint32_t line, struct fault *fault)
{
	char text[PREFIX_TEXT];
	struct prefix prefix;
	(void)argument;
	INVARIANT(line > 0);
	INVARIANT(payload_check(payload, fault) == FAULT_NONE);
	prefix_text(&payload->prefix, text);
	INVARIANT(prefix_parse(text, &prefix, fault) == FAULT_NONE);
	INVARIANT(prefix_compare(&prefix, &payload->prefix) == 0);
	return FAULT_NONE;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_CLEAR(struct fuzz_file, fuzz_file_clear) file = fuzz_file_new(data, size);
	struct fault fault = FAULT_INIT;
	if (vrp_csv_read(file.path, take, NULL, &fault) != FAULT_NONE)
		INVARIANT(strncmp(fault.message, "line ", 5) == 0);
	return 0;
}
