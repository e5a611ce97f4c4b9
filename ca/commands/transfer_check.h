/* transfer_check: whether a transfer may be made. Part of transfer_commands: inside the transaction that makes it. */
#ifndef CA_COMMANDS_TRANSFER_CHECK_H
#define CA_COMMANDS_TRANSFER_CHECK_H

#include "ca/commands/transfer_commands.h"

/* A side, as it is loaded. */
struct transfer_party {
	struct transfer_side side;                      /* side.ca_id 0: another registry, or not found */
	char handle[HANDLE_MAX + 1];                    /* as asked for, or of side.ca_id */
	int64_t parent_id, roas_count;
	int64_t roas_more;                              /* that it has afterwards */
	bool roas_changed;
};

/* A transfer on its way through the writer. */
struct transfer_run {
	const struct command_context *context;
	const struct actor *actor;
	struct transfer_request request;
	struct complaints *complaints;
	struct transfer_effect *effect;
	int64_t now_at;
	int64_t transfer_id;                            /* when completing; else once it is recorded */
	bool completing;
	struct transfer_party from, to;
	bool invalid, overlaps;                         /* kinds of complaints that there are, beside those of a side's state */
	size_t roas_added;
	bool dry_run_done;                              /* all went well, nothing is to be kept */
};

/*
 * Loads both sides (by side.ca_id where that is set, else by the request's handles), complains of all that is in the way, and works
 * out what each holds afterwards. Faults as of transfer_create(), but for those of ROAs.
 */
CHECKED enum fault_code transfer_check(struct db_connection *connection, struct transfer_run *run, struct fault *fault);

#endif
