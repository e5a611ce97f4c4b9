#include "ca/resources/resource_list.h"

#include <string.h>

#include "ca/base/memory.h"

#define SEPARATORS ", \t\r\n"

static enum fault_code
parse_item(struct resource_set *set, const char *item, struct fault *fault)
{
	if (strchr(item, ':') != NULL)
		return resource_set_parse_addresses(set, FAMILY_IPV6, item, fault);
	if (strchr(item, '.') != NULL)
		return resource_set_parse_addresses(set, FAMILY_IPV4, item, fault);
	return resource_set_parse_asns(set, item, fault);
}

enum fault_code
resource_list_parse(const char *text, struct resource_set *ret_set, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	AUTO(char, free) copy = NULL;
	char *rest;
	TRY(memory_copy_string(text, &copy, fault));
	for (char *item = strtok_r(copy, SEPARATORS, &rest); item != NULL; item = strtok_r(NULL, SEPARATORS, &rest))
		TRY(parse_item(&set, item, fault));
	TRY(resource_set_normalise(&set, fault));
	if (resource_set_empty(&set))
		return fault_set(fault, FAULT_INVALID, "the list names no resources");
	resource_set_clear(ret_set);
	*ret_set = set;
	set = RESOURCE_SET_INIT;
	return FAULT_NONE;
}
