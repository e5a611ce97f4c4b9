/*
 * restore: brings a service back from a backup, or lets one go on whose database is older than what was published: see
 * ca/commands/restore_commands for what changes. The backup is opened, held against itself and prepared beside its place before anything
 * that is there is touched; a crash on the way leaves what was there, or a directory that the server refuses until restore ran again.
 */
#ifndef API_CLI_RESTORE_H
#define API_CLI_RESTORE_H

#include "api/cli/backup_archive.h"

struct restore_request {
	const char *data;               /* the data directory: new, empty, or one whose database is lost or older */
	const char *file;
	const char *master_key;         /* the file with it; NULL: as the server finds it, else from the backup */
	struct sealed_secret secret;
};

/*
 * What the directory has already stays (settings, keys, certificate, token); what it lacks comes from the backup; the database always does.
 * One that was there is kept beside it, as cadastre.db.before-restore. warnings: sentences for a person, each with its newline.
 * Faults: those of sealed_file; CONFLICT (the directory holds other things, or a database that is in order), EPOCH (it belongs to another
 * instance), LOCKED, KEY (another master key), CONFIG, CLOCK, DATABASE, DISK, IO.
 */
CHECKED enum fault_code restore_run(const struct restore_request *request, struct backup_about *ret_about, struct bytes *warnings,
	struct fault *fault);

/* Reads the whole backup and says what it is of; writes nothing. Faults: those of sealed_file. */
CHECKED enum fault_code restore_check(const char *file, const struct sealed_secret *secret, struct backup_about *ret_about,
	struct fault *fault);

/* The database's files were put back by hand: the same without a backup. Faults: as above. */
CHECKED enum fault_code restore_in_place(const char *data, const char *master_key, struct fault *fault);

#endif
