/*
 * roll_commands: the wish for a new key (RFC 6489), of one CA or of all whose key has an age. Staging it, taking over, retiring and
 * destroying the old one are the reconciler's, each when its time has come: nothing more is to be asked for.
 */
#ifndef CA_COMMANDS_ROLL_COMMANDS_H
#define CA_COMMANDS_ROLL_COMMANDS_H

#include "ca/commands/command.h"

#define ROLL_STAGING_DEFAULT (-1)                       /* as the settings say */
#define ROLL_STAGING_MAX INT64_C(31536000)
#define ROLL_PER_HOUR_MAX 100000

/*
 * staging_s: how long the new key is published before it takes over; 0 for a key that may be compromised. Faults: NOT_FOUND; INVALID;
 * CONFLICT (it is rolling or about to; the trust anchor's key stands in TALs).
 */
CHECKED enum fault_code roll_start(const struct command_context *context, const struct actor *actor, int64_t ca_id, int64_t staging_s,
	struct fault *fault);

struct roll_campaign {
	int64_t older_than_s;                           /* keys at least so old: not those of CAs that are rolling already */
	int64_t per_hour;                               /* so many CAs an hour, the oldest keys first */
	int64_t staging_s;
};

/* *ret_count: how many will roll; *ret_last_at: when the last of them begins. Faults: INVALID. */
CHECKED enum fault_code roll_start_all(const struct command_context *context, const struct actor *actor,
	const struct roll_campaign *campaign, int64_t *ret_count, int64_t *ret_last_at, struct fault *fault);

#endif
