/* resource_complaints: what is wrong with the resources that a request names, range by range. Pure but for the complaints. */
#ifndef CA_COMMANDS_RESOURCE_COMPLAINTS_H
#define CA_COMMANDS_RESOURCE_COMPLAINTS_H

#include "ca/commands/command.h"
#include "ca/resources/resource_range.h"

/* What a request calls the three lists of a set of resources. */
struct resource_lists {
	const char *asns, *ipv4, *ipv6;                 /* static text */
};

extern const struct resource_lists resource_lists_whole;  /* "resources.asns", … */
extern const struct resource_lists resource_lists_add;    /* "add.asns", … */
extern const struct resource_lists resource_lists_remove; /* "remove.asns", … */

const char *resource_lists_name(const struct resource_lists *lists, enum resource_kind kind);

/*
 * A complaint "<range> <words>" for each range of `wrong`, which is a part of `asked`: its index is that of the range of `asked` that it
 * lies in. Both are canonical; one pass over them. Faults: MEMORY.
 */
CHECKED enum fault_code resource_complaints_add(struct complaints *complaints, const struct resource_lists *lists,
	const struct resource_set *asked, const struct resource_set *wrong, const char *words, struct fault *fault);

#endif
