/*
 * restore_commands: lets a database go on that is older than what was published from it. What validators may have seen since is unknown,
 * so nothing that they compare can come twice: the epoch rises, RRDP has a new session, manifest and CRL numbers are raised by more than
 * there can have been, thisUpdate is later than any, the trust anchor's certificate is made anew where its key is here, all CAs are due.
 *
 * What was issued since is not in the database: it is on no manifest any more, so no validator takes it; it can't be revoked by serial.
 */
#ifndef CA_COMMANDS_RESTORE_COMMANDS_H
#define CA_COMMANDS_RESTORE_COMMANDS_H

#include "ca/commands/command.h"

/* Numbers rise by the seconds since the backup (a CA makes one manifest a second at most) and by this. */
#define RESTORE_MARGIN 3600

struct restore_terms {
	int64_t epoch;                  /* higher than any before */
	int64_t backup_at;              /* when the database was as it is */
	const char *source;             /* for the audit: "a backup", "the database that was there" */
};

/* One transaction, with nobody else at work. Faults: CLOCK (backup_at lies ahead: the clock is wrong), CRYPTO, DATABASE, DISK. */
CHECKED enum fault_code restore_renumber(const struct command_context *context, const struct actor *actor, const struct restore_terms *terms,
	struct fault *fault);

#endif
