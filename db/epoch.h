/*
 * epoch: tells an older copy of the database, an emptied or a foreign one, from the one that was worked on last, by a file beside it (and
 * a copy of that on another disk, if the operator wants one). What was published from a newer state must never be followed by an older
 * one: validators would see manifest numbers fall, serials come twice, ROAs vanish.
 *
 * The file says: which instance, which epoch (it rises with each restore), the last serial and audit entry. It is written after a cut is
 * committed and before the first byte of it is published, so it is never ahead of the right database, and a database that is behind it
 * is an older one. A crash at any instant leaves the file equal or behind, which is fine. No file at all is refused as well: only the
 * database of a release before this was kept has epoch 0, and gets its file.
 *
 * Threads: one at a time.
 */
#ifndef DB_EPOCH_H
#define DB_EPOCH_H

#include <stdbool.h>
#include <stdint.h>

#include "db/db.h"

#define EPOCH_FILE "epoch"              /* in the data directory */
#define EPOCH_ELSEWHERE_MAX 4096

struct epoch_mark {
	char uuid[37];
	int64_t epoch;
	int64_t serial, cut_at;         /* of the last cut */
	int64_t audit_id;               /* last entry of the audit */
};

/* What the database is now. Faults: EPOCH (it is empty), DATABASE. */
CHECKED enum fault_code epoch_read_database(struct db_connection *connection, struct epoch_mark *ret_mark, struct fault *fault);

/*
 * Reads a file. *ret_elsewhere gets the path of the copy that was kept when it was written, "" for none; may be NULL. Faults: NOT_FOUND,
 * EPOCH (it is none), IO.
 */
CHECKED enum fault_code epoch_read_file(int directory, const char *path, struct epoch_mark *ret_mark,
	char ret_elsewhere[EPOCH_ELSEWHERE_MAX], struct fault *fault);

/* The file's text and back; elsewhere NULL: none. parse changes the text, into which *ret_elsewhere points; false: it is none. */
CHECKED enum fault_code epoch_print(const struct epoch_mark *mark, const char *elsewhere, struct bytes *text, struct fault *fault);
bool epoch_parse(char *text, struct epoch_mark *ret_mark, const char **ret_elsewhere);

/* Pure. Faults: EPOCH, saying how the database is older than, or another than, the file at path says. */
CHECKED enum fault_code epoch_compare(const struct epoch_mark *database, const struct epoch_mark *file, const char *path, struct fault *fault);

struct epoch;

/*
 * Holds the database against DIR/epoch and against the copy elsewhere ("" or NULL: none is kept), then brings both up to date. Both are
 * borrowed. Faults: EPOCH (older, emptied, foreign; a file is missing: with what to do), DISK, IO, DATABASE.
 */
CHECKED enum fault_code epoch_open(struct db *db, int directory, const char *elsewhere, struct epoch **ret_epoch, struct fault *fault);
/* Before anything of a new cut is published. Faults: DISK, IO, DATABASE. */
CHECKED enum fault_code epoch_record(struct epoch *epoch, struct fault *fault);
/* Records the last audit entry too; a failure is logged only. NULL is harmless. */
void epoch_close(struct epoch *epoch);
SCOPED(struct epoch, epoch_close)

/* Puts the files there, whatever they say now: for init and restore alone. elsewhere as above. Faults: DISK, IO, MEMORY. */
CHECKED enum fault_code epoch_write(int directory, const char *elsewhere, const struct epoch_mark *mark, struct fault *fault);

#endif
