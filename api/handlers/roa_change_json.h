/*
 * roa_change_json: the body of a change of ROAs, {"added":[…],"removed":[…]}, as entries and complaints.
 *
 * Threads: as the documents.
 */
#ifndef API_HANDLERS_ROA_CHANGE_JSON_H
#define API_HANDLERS_ROA_CHANGE_JSON_H

#include <jansson.h>

#include "ca/base/fault.h"
#include "ca/commands/roa_commands.h"

/* The well-formed entries of one list. */
struct roa_change_entries {
	struct roa_entry *items;
	size_t count;
};

struct roa_change_lists {
	struct roa_change_entries added, removed;
};

#define ROA_CHANGE_LISTS_INIT ((struct roa_change_lists){ .added = { NULL, 0 } })
void roa_change_json_clear(struct roa_change_lists *lists);

/*
 * Takes what is well-formed (comments are borrowed from the document) and complains of all the rest. *ret_lists must be
 * ROA_CHANGE_LISTS_INIT. Faults: TOO_LARGE (more than ROA_CHANGES_MAX entries), MEMORY.
 */
CHECKED enum fault_code roa_change_json_read(json_t *document, struct roa_change_lists *ret_lists, struct complaints *complaints,
	struct fault *fault);

/* A list of ROAs to be added by itself, the value of a field `list` (static text). *ret_entries: items NULL; to be freed. Faults as above. */
CHECKED enum fault_code roa_change_json_read_added(json_t *array, const char *list, struct roa_change_entries *ret_entries,
	struct complaints *complaints, struct fault *fault);
void roa_change_json_clear_entries(struct roa_change_entries *entries);

#endif
