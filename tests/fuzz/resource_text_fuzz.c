/*
 * Resources as text, as the API and the command line take them: what is taken prints as text that is taken again and means the
 * same.
 */
#include <stdlib.h>
#include <string.h>

#include "ca/resources/resource_list.h"
#include "ca/resources/resource_range.h"
#include "tests/fuzz/fuzz.h"

static enum fault_code
print(void *argument, const struct resource_range *range, size_t index, struct fault *fault)
{
	char text[RANGE_TEXT];
	(void)index;
	resource_range_text(range, text);
	return bytes_printf(argument, fault, "%s ", text);
}

static void
try_list(const char *text)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) again = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) printed = BYTES_INIT;
	if (resource_list_parse(text, &set, NULL) != FAULT_NONE)
		return;
	INVARIANT(resource_range_each(&set, print, &printed, NULL) == FAULT_NONE);
	INVARIANT(resource_set_empty(&set) || resource_list_parse(bytes_text(&printed), &again, NULL) == FAULT_NONE);
	INVARIANT(resource_set_equal(&set, &again));
}

static void
try_item(const char *text)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	char printed[PREFIX_TEXT];
	struct prefix prefix, again;
	uint32_t asn;
	(void)!asn_parse(text, &asn, NULL);
	(void)!resource_set_parse_asns(&set, text, NULL);
	(void)!resource_set_parse_addresses(&set, FAMILY_IPV4, text, NULL);
	(void)!resource_set_parse_addresses(&set, FAMILY_IPV6, text, NULL);
	INVARIANT(resource_set_normalise(&set, NULL) == FAULT_NONE);
	if (prefix_parse(text, &prefix, NULL) != FAULT_NONE)
		return;
	prefix_text(&prefix, printed);
	INVARIANT(prefix_parse(printed, &again, NULL) == FAULT_NONE);
	INVARIANT(prefix_compare(&prefix, &again) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(char, free) text = calloc(1, size + 1);
	INVARIANT(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	try_list(text);
	try_item(text);
	return 0;
}
