/* resources_json: {"asns":["AS64496-AS64511"],"ipv4":["192.0.2.0/24"],"ipv6":[]}, both ways. Threads: as the documents. */
#ifndef API_HANDLERS_RESOURCES_JSON_H
#define API_HANDLERS_RESOURCES_JSON_H

#include <jansson.h>

#include "api/server/json_writer.h"
#include "ca/base/fault.h"
#include "ca/commands/command.h"
#include "ca/commands/resource_complaints.h"
#include "ca/resources/resource_set.h"

/*
 * object: the value of a field "resources". A family that is left out is empty. Complains of every entry that is none.
 * *ret_set must be RESOURCE_SET_INIT; canonical afterwards. Faults: TOO_LARGE, MEMORY.
 */
CHECKED enum fault_code resources_json_read(json_t *object, struct resource_set *ret_set, struct complaints *complaints,
	struct fault *fault);

/* The same for a field of another name: `lists` is what complaints call its entries. */
CHECKED enum fault_code resources_json_read_lists(json_t *object, const struct resource_lists *lists, struct resource_set *ret_set,
	struct complaints *complaints, struct fault *fault);

/* Writes a member of that name. */
void resources_json_write(struct json_writer *writer, const char *name, const struct resource_set *set);

#endif
