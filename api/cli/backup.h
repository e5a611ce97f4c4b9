/*
 * backup: makes one encrypted file of all that a service needs to live again: the database with its keys, the master key that opens them,
 * settings, TLS certificate and key (where they lie in the data directory), the administrator's token, the TAL. Beside a running server:
 * it takes no lock and holds nobody up. What is published is not in it: that is made anew from the database.
 */
#ifndef API_CLI_BACKUP_H
#define API_CLI_BACKUP_H

#include "api/cli/backup_archive.h"

struct backup_request {
	const char *data;               /* the data directory */
	const char *master_key;         /* the file with it; NULL: as the server finds it */
	const char *file;               /* to be written, in one piece or not at all */
	struct sealed_secret secret;
};

/*
 * Faults: CONFLICT (file is there and no backup), LOCKED (another backup is being made), NOT_FOUND, KEY (no or another master key), DATABASE (it
 * is damaged: there is no backup of that), DISK, IO.
 */
CHECKED enum fault_code backup_run(const struct backup_request *request, struct backup_about *ret_about, struct fault *fault);

#endif
