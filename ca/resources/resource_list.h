/* resource_list: resources of all kinds in one line of text, as people give them on a command line. Pure. */
#ifndef CA_RESOURCES_RESOURCE_LIST_H
#define CA_RESOURCES_RESOURCE_LIST_H

#include "ca/base/fault.h"
#include "ca/resources/resource_set.h"

/* "AS64496-AS64511, 192.0.2.0/24 2001:db8::/32": items parted by commas or spaces. Faults: INVALID (which item and why), MEMORY. */
CHECKED enum fault_code resource_list_parse(const char *text, struct resource_set *ret_set, struct fault *fault);

#endif
