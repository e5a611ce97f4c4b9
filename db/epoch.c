#include "db/epoch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/atomic_file.h"
#include "ca/base/instant.h"
#include "ca/base/log.h"
#include "ca/base/memory.h"
#include "db/stmt.h"

#define FIRST_LINE "cadastre-epoch 1"
#define FILE_LIMIT 8192
#define UUID_LENGTH 36
#define WAY_OUT "restore a backup with `cadastre restore FILE --data DIR`; if this database is the right one after all, " \
	"`cadastre restore --in-place --data DIR`"

struct epoch {
	struct db *db;
	int directory;
	const char *elsewhere;          /* NULL: no copy is kept */
	struct epoch_mark written;
};

/* ---- the database's mark ---- */

enum fault_code
epoch_read_database(struct db_connection *connection, struct epoch_mark *ret_mark, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_EPOCH_MARK, &stmt, fault));
	TRY(stmt_step(stmt, &row, fault));
	if (!row)
		return fault_set(fault, FAULT_EPOCH, "the database is empty: nothing is published from it; " WAY_OUT);
	const char *uuid = stmt_text(stmt, "uuid");
	if (strlen(uuid) != UUID_LENGTH)
		return fault_set(fault, FAULT_EPOCH, "the database doesn't say which instance it is: " WAY_OUT);
	*ret_mark = (struct epoch_mark){
		.epoch = stmt_int(stmt, "epoch"), .serial = stmt_int(stmt, "serial"), .cut_at = stmt_int(stmt, "cut_at"),
		.audit_id = stmt_int(stmt, "audit_id"),
	};
	memcpy(ret_mark->uuid, uuid, sizeof ret_mark->uuid);
	return FAULT_NONE;
}

static enum fault_code
read_database(struct db *db, struct epoch_mark *ret_mark, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	TRY(db_reader_acquire(db, &connection, fault));
	return epoch_read_database(connection, ret_mark, fault);
}

/* ---- the file ---- */

/* "name value\n" at *text: gives the value, ended in place, and goes on behind it. */
static char *
take_line(char **text, const char *name)
{
	size_t length = strlen(name);
	char *end = strchr(*text, '\n');
	if (end == NULL || strncmp(*text, name, length) != 0 || (*text)[length] != ' ')
		return NULL;
	char *value = *text + length + 1;
	*end = '\0';
	*text = end + 1;
	return value;
}

static bool
take_number(char **text, const char *name, int64_t *ret_number)
{
	const char *value = take_line(text, name);
	if (value == NULL || value[0] == '\0' || strlen(value) > 18 || strspn(value, "0123456789") != strlen(value))
		return false;
	*ret_number = strtoll(value, NULL, 10);
	return true;
}

bool
epoch_parse(char *text, struct epoch_mark *ret_mark, const char **ret_elsewhere)
{
	const char *version = take_line(&text, "cadastre-epoch");
	const char *uuid = version != NULL && strcmp(version, "1") == 0 ? take_line(&text, "uuid") : NULL;
	if (uuid == NULL || strlen(uuid) != UUID_LENGTH || strspn(uuid, "0123456789abcdef-") != UUID_LENGTH)
		return false;
	memcpy(ret_mark->uuid, uuid, sizeof ret_mark->uuid);
	if (!take_number(&text, "epoch", &ret_mark->epoch) || !take_number(&text, "serial", &ret_mark->serial) ||
		!take_number(&text, "cut_at", &ret_mark->cut_at) || !take_number(&text, "audit", &ret_mark->audit_id))
		return false;
	*ret_elsewhere = take_line(&text, "elsewhere");
	return *ret_elsewhere != NULL && strlen(*ret_elsewhere) < EPOCH_ELSEWHERE_MAX && *text == '\0';
}

enum fault_code
epoch_read_file(int directory, const char *path, struct epoch_mark *ret_mark, char ret_elsewhere[EPOCH_ELSEWHERE_MAX], struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	struct epoch_mark mark = { .epoch = 0 };
	const char *elsewhere;
	enum fault_code code = atomic_file_read(directory, path, FILE_LIMIT, &content, fault);
	if (code != FAULT_NONE && code != FAULT_TOO_LARGE)
		return code;
	bool whole = code == FAULT_NONE && content.length > 0 && strlen(bytes_text(&content)) == content.length;
	if (!whole || !epoch_parse((char *)content.data, &mark, &elsewhere))
		return fault_set(fault, FAULT_EPOCH, "%.200s is damaged: it doesn't say how new the database has to be; " WAY_OUT, path);
	*ret_mark = mark;
	if (ret_elsewhere != NULL)
		(void)snprintf(ret_elsewhere, EPOCH_ELSEWHERE_MAX, "%s", elsewhere);
	return FAULT_NONE;
}

enum fault_code
epoch_print(const struct epoch_mark *mark, const char *elsewhere, struct bytes *text, struct fault *fault)
{
	return bytes_printf(text, fault,
		FIRST_LINE "\nuuid %s\nepoch %" PRId64 "\nserial %" PRId64 "\ncut_at %" PRId64 "\naudit %" PRId64 "\nelsewhere %s\n",
		mark->uuid, mark->epoch, mark->serial, mark->cut_at, mark->audit_id, elsewhere != NULL ? elsewhere : "");
}

enum fault_code
epoch_write(int directory, const char *elsewhere, const struct epoch_mark *mark, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	if (elsewhere != NULL && elsewhere[0] == '\0')
		elsewhere = NULL;
	TRY(epoch_print(mark, elsewhere, &text, fault));
	/* The copy first: the one here says that there is one. */
	if (elsewhere != NULL)
		TRY(atomic_file_put(directory, elsewhere, bytes_span(&text), 0600, ATOMIC_FILE_KEEP_TIME, fault));
	return atomic_file_put(directory, EPOCH_FILE, bytes_span(&text), 0600, ATOMIC_FILE_KEEP_TIME, fault);
}

/* ---- one against the other ---- */

/* Epoch 0 is the first, before any file was written. */
static int64_t
epoch_of(const struct epoch_mark *mark)
{
	return mark->epoch == 0 ? 1 : mark->epoch;
}

enum fault_code
epoch_compare(const struct epoch_mark *database, const struct epoch_mark *file, const char *path, struct fault *fault)
{
	char database_at[INSTANT_TEXT], file_at[INSTANT_TEXT];
	instant_rfc3339(database->cut_at, database_at);
	instant_rfc3339(file->cut_at, file_at);
	if (strcmp(database->uuid, file->uuid) != 0)
		return fault_set(fault, FAULT_EPOCH, "this is the database of another instance, %s: %.100s belongs to %s. Nothing is published "
			"from it; bring the right one back, or " WAY_OUT, database->uuid, path, file->uuid);
	if (epoch_of(database) > epoch_of(file))
		return FAULT_NONE;
	if (epoch_of(database) < epoch_of(file))
		return fault_set(fault, FAULT_EPOCH, "the database is older than the last restore: its epoch is %" PRId64 ", %.100s says %" PRId64
			". Nothing is published from it; " WAY_OUT, epoch_of(database), path, epoch_of(file));
	if (database->serial < file->serial)
		return fault_set(fault, FAULT_EPOCH, "the database is an older copy: its last serial is %" PRId64 " of %s, %.100s says %" PRId64
			" of %s. Nothing is published from it; " WAY_OUT, database->serial, database_at, path, file->serial, file_at);
	if (database->audit_id < file->audit_id)
		return fault_set(fault, FAULT_EPOCH, "the database is an older copy: its last change is number %" PRId64 ", %.100s says %" PRId64
			". Nothing is published from it; " WAY_OUT, database->audit_id, path, file->audit_id);
	return FAULT_NONE;
}

struct evidence {
	bool here, there;               /* which files there are */
	char kept[EPOCH_ELSEWHERE_MAX]; /* where a copy was kept, as the file here says */
};

static enum fault_code
look_at(int directory, const char *path, const struct epoch_mark *database, char *kept, bool *ret_found, struct fault *fault)
{
	struct epoch_mark file;
	struct fault own = FAULT_INIT;
	enum fault_code code = epoch_read_file(directory, path, &file, kept, &own);
	*ret_found = code == FAULT_NONE;
	if (code == FAULT_NOT_FOUND)
		return FAULT_NONE;
	if (code != FAULT_NONE) {
		if (fault != NULL)
			*fault = own;
		return code;
	}
	return epoch_compare(database, &file, path, fault);
}

static enum fault_code
check(const struct epoch *epoch, const struct epoch_mark *database, struct fault *fault)
{
	AUTO(struct evidence, free) evidence = NULL;
	TRY(memory_new(1, sizeof *evidence, &evidence, fault));
	TRY(look_at(epoch->directory, EPOCH_FILE, database, evidence->kept, &evidence->here, fault));
	if (epoch->elsewhere != NULL)
		TRY(look_at(epoch->directory, epoch->elsewhere, database, NULL, &evidence->there, fault));
	if (evidence->here && epoch->elsewhere != NULL && !evidence->there && strcmp(evidence->kept, epoch->elsewhere) == 0)
		return fault_set(fault, FAULT_EPOCH, "%.200s is missing: is its disk mounted? Without it an older copy of this directory can't be "
			"told from the right one. Bring it back; if it is lost, `cadastre restore --in-place --data DIR`", epoch->elsewhere);
	if (evidence->here || evidence->there || database->epoch == 0)
		return FAULT_NONE;
	return fault_set(fault, FAULT_EPOCH, "the file \"" EPOCH_FILE "\" is missing from the data directory, so this may be an older database: "
		"nothing is published from it. Bring the file back, or " WAY_OUT);
}

static enum fault_code
begin(struct db_connection *connection, void *argument, struct fault *fault)
{
	(void)argument;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_EPOCH_BEGIN, &stmt, fault));
	return stmt_run(stmt, fault);
}

/* Both are brought up to date now: what can't be written shall be known at the start. */
static enum fault_code
write_now(struct epoch *epoch, struct epoch_mark *mark, struct fault *fault)
{
	bool first = mark->epoch == 0;
	mark->epoch = epoch_of(mark);
	TRY(epoch_write(epoch->directory, epoch->elsewhere, mark, fault));
	epoch->written = *mark;
	return first ? db_write(epoch->db, begin, NULL, fault) : FAULT_NONE;
}

enum fault_code
epoch_open(struct db *db, int directory, const char *elsewhere, struct epoch **ret_epoch, struct fault *fault)
{
	AUTO(struct epoch, free) epoch = NULL;
	struct epoch_mark mark;
	TRY(memory_new(1, sizeof *epoch, &epoch, fault));
	epoch->db = db;
	epoch->directory = directory;
	epoch->elsewhere = elsewhere != NULL && elsewhere[0] != '\0' ? elsewhere : NULL;
	TRY(read_database(db, &mark, fault));
	TRY(check(epoch, &mark, fault));
	TRY(write_now(epoch, &mark, fault));
	*ret_epoch = MOVE(epoch);
	return FAULT_NONE;
}

enum fault_code
epoch_record(struct epoch *epoch, struct fault *fault)
{
	struct epoch_mark mark;
	TRY(read_database(epoch->db, &mark, fault));
	if (mark.epoch == epoch->written.epoch && mark.serial == epoch->written.serial)
		return FAULT_NONE;
	TRY(epoch_write(epoch->directory, epoch->elsewhere, &mark, fault));
	epoch->written = mark;
	return FAULT_NONE;
}

void
epoch_close(struct epoch *epoch)
{
	struct fault fault = FAULT_INIT;
	struct epoch_mark mark;
	if (epoch == NULL)
		return;
	enum fault_code code = read_database(epoch->db, &mark, &fault);
	if (code == FAULT_NONE && (mark.serial != epoch->written.serial || mark.audit_id != epoch->written.audit_id))
		code = epoch_write(epoch->directory, epoch->elsewhere, &mark, &fault);
	if (code != FAULT_NONE)
		log_fault(LOG_WARNING, &fault, "noting how new the database is");
	free(epoch);
}
