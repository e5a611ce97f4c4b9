#include "api/cli/restore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/cli/rsyncd_conf.h"
#include "api/server/config.h"
#include "api/server/engine.h"
#include "ca/base/clock.h"
#include "ca/base/log.h"
#include "ca/base/memory.h"
#include "ca/commands/restore_commands.h"
#include "ca/commands/tree_commands.h"
#include "ca/keys/master_key.h"
#include "db/online_copy.h"
#include "db/data_lock.h"
#include "db/stmt.h"

#define STAGING "restore.tmp"
#define BEFORE ENGINE_DATABASE ".before-restore"
#define BUFFER_SIZE 65536

static const struct actor local_actor = { .name = "local", .role = ROLE_ADMIN };

struct restore {
	const char *data, *master_key_file;
	int directory;
	bool made;                           /* the directory was not there before */
	bool lock_made;
	struct data_lock *lock;
	struct config config;
	struct secret *master_key;
	struct clock clock;
	struct backup_about about;
	bool has[BACKUP_PARTS];
	bool noted;                          /* there is an epoch file */
	struct epoch_mark note;              /* what it says */
	struct bytes *warnings;
};

#define RESTORE_INIT ((struct restore){ .directory = -1, .config = CONFIG_INIT })

static void
restore_clear(struct restore *restore)
{
	descriptor_close(&restore->directory);
	data_lock_free(restore->lock);
	config_clear(&restore->config);
	secret_free(restore->master_key);
}

/* ---- reading a backup ---- */

struct source {
	int fd;
	struct sealed_reader *sealed;
	struct backup_reader reader;
};

#define SOURCE_INIT ((struct source){ .fd = -1 })

static void
source_clear(struct source *source)
{
	sealed_reader_free(source->sealed);
	descriptor_close(&source->fd);
}

static enum fault_code
read_bytes(struct source *source, int64_t size, struct bytes *content, struct fault *fault)
{
	TRY(bytes_reserve(content, (size_t)size + 1, fault));
	for (;;) {
		uint8_t buffer[512];
		size_t n;
		TRY(backup_archive_read(&source->reader, buffer, sizeof buffer, &n, fault));
		if (n == 0)
			return FAULT_NONE;
		TRY(bytes_append(content, buffer, n, fault));
	}
}

/* The first part, always. */
static enum fault_code
read_about(struct source *source, struct backup_about *about, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	enum backup_part part;
	int64_t size = 0;
	TRY(backup_archive_next(&source->reader, &part, &size, fault));
	INVARIANT(part == BACKUP_ABOUT);
	TRY(read_bytes(source, size, &text, fault));
	return backup_archive_parse_about(&text, about, fault);
}

static enum fault_code
source_open(struct source *source, const char *file, const struct sealed_secret *secret, struct backup_about *about, struct fault *fault)
{
	source->fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (source->fd < 0)
		return errno == ENOENT ? fault_set(fault, FAULT_NOT_FOUND, "there is no file %s", file) : fault_set_errno(fault, errno, "%s", file);
	enum fault_code code = sealed_reader_new(source->fd, secret, &source->sealed, fault);
	source->reader.sealed = source->sealed;
	if (code == FAULT_NONE)
		code = read_about(source, about, fault);
	if (code != FAULT_NONE)
		(void)fault_prefix(fault, "%.200s: ", file);
	return code;
}

/* ---- the data directory ---- */

static enum fault_code
look_around(const char *data, bool *ret_absent, bool *ret_empty, bool *ret_ours, struct fault *fault)
{
	static const char *const ours[] = { CONFIG_FILE, ENGINE_DATABASE, EPOCH_FILE, STAGING };
	DIR *stream = opendir(data);
	const struct dirent *entry;
	*ret_absent = stream == NULL && errno == ENOENT;
	*ret_empty = true;
	*ret_ours = false;
	if (stream == NULL)
		return *ret_absent ? FAULT_NONE : fault_set_errno(fault, errno, "opening %s", data);
	while ((entry = readdir(stream)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		*ret_empty = false;
		for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
			*ret_ours = *ret_ours || strcmp(entry->d_name, ours[i]) == 0;
	}
	(void)closedir(stream);
	return FAULT_NONE;
}

static enum fault_code
open_directory(struct restore *restore, struct fault *fault)
{
	bool empty, ours;
	TRY(look_around(restore->data, &restore->made, &empty, &ours, fault));
	if (!empty && !ours)
		return fault_set(fault, FAULT_CONFLICT, "%s holds something else than a data directory of Cadastre's", restore->data);
	if (restore->made)
		TRY(atomic_file_make_directories(AT_FDCWD, restore->data, 0700, fault));
	restore->directory = open(restore->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (restore->directory < 0 || ((restore->made || empty) && fchmod(restore->directory, 0700) != 0))
		return fault_set_errno(fault, errno, "opening %s", restore->data);
	restore->lock_made = empty;
	return data_lock_take(restore->directory, &restore->lock, fault);
}

static enum fault_code
read_note(struct restore *restore, struct fault *fault)
{
	struct fault own = FAULT_INIT;
	enum fault_code code = epoch_read_file(restore->directory, EPOCH_FILE, &restore->note, NULL, &own);
	restore->noted = code == FAULT_NONE;
	if (code == FAULT_NONE || code == FAULT_NOT_FOUND)
		return FAULT_NONE;
	if (code != FAULT_EPOCH) {
		*fault = own;
		return code;
	}
	return bytes_printf(restore->warnings, fault, "The file \"" EPOCH_FILE "\" was damaged; it is written anew.\n");
}

static enum fault_code
check_instance(const struct restore *restore, const char *uuid, struct fault *fault)
{
	if (restore->noted && strcmp(restore->note.uuid, uuid) != 0)
		return fault_set(fault, FAULT_EPOCH, "%s belongs to instance %s, this is one of %s: take another directory, or move what is "
			"there away", restore->data, restore->note.uuid, uuid);
	return FAULT_NONE;
}

static enum fault_code
read_mark(struct db_connection *connection, void *argument, struct fault *fault)
{
	return epoch_read_database(connection, argument, fault);
}

/* A database that is whole and as new as the epoch file says would lose what came after the backup. */
static enum fault_code
check_present_database(const struct restore *restore, struct fault *fault)
{
	AUTO(char, free) path = NULL;
	struct epoch_mark mark;
	TRY(memory_printf(&path, fault, "%s/%s", restore->data, ENGINE_DATABASE));
	if (!restore->noted || online_copy_check(path, read_mark, &mark, NULL) != FAULT_NONE ||
		epoch_compare(&mark, &restore->note, EPOCH_FILE, NULL) != FAULT_NONE)
		return FAULT_NONE;
	return fault_set(fault, FAULT_CONFLICT, "the database in %s is in order (serial %" PRId64 "): what came after the backup would be lost. "
		"If you mean that, move %s away first", restore->data, mark.serial, ENGINE_DATABASE);
}

/* ---- extracting ---- */

static enum fault_code
extract_part(struct restore *restore, struct source *source, enum backup_part part, struct fault *fault)
{
	AUTO_CLEAR(struct atomic_file, atomic_file_clear) file = ATOMIC_FILE_INIT;
	AUTO(char, free) path = NULL;
	AUTO(uint8_t, free) buffer = NULL;
	bool public = part == BACKUP_TLS_CERTIFICATE || part == BACKUP_TAL;
	TRY(memory_printf(&path, fault, STAGING "/%s", backup_archive_name(part)));
	TRY(memory_new(BUFFER_SIZE, 1, &buffer, fault));
	TRY(atomic_file_open(&file, restore->directory, path, public ? 0644 : 0600, fault));
	for (;;) {
		size_t n;
		TRY(backup_archive_read(&source->reader, buffer, BUFFER_SIZE, &n, fault));
		if (n == 0)
			break;
		TRY(atomic_file_write(&file, buffer, n, fault));
	}
	secret_wipe(buffer, BUFFER_SIZE);
	restore->has[part] = true;
	return atomic_file_commit(&file, ATOMIC_FILE_KEEP_TIME, fault);
}

/* Up to the authenticated end of the backup. */
static enum fault_code
extract(struct restore *restore, struct source *source, struct fault *fault)
{
	TRY(atomic_file_remove_tree(restore->directory, STAGING, fault));
	TRY(atomic_file_make_directories(restore->directory, STAGING, 0700, fault));
	for (;;) {
		enum backup_part part;
		int64_t size = 0;
		TRY(backup_archive_next(&source->reader, &part, &size, fault));
		if (part == BACKUP_PARTS)
			return FAULT_NONE;
		TRY(extract_part(restore, source, part, fault));
	}
}

/* ---- holding it together ---- */

static bool
is_there(const struct restore *restore, const char *path)
{
	struct stat status;
	return fstatat(restore->directory, path, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

static enum fault_code
load_settings(struct restore *restore, struct fault *fault)
{
	AUTO(char, free) path = NULL;
	const char *between = is_there(restore, CONFIG_FILE) ? "" : STAGING "/";
	TRY(memory_printf(&path, fault, "%s/%s%s", restore->data, between, CONFIG_FILE));
	return config_load(path, &restore->config, fault);
}

/* The one that the server will find goes before the backup's. */
static enum fault_code
load_master_key(struct restore *restore, struct fault *fault)
{
	struct fault own = FAULT_INIT;
	if (restore->master_key_file != NULL)
		return master_key_load(AT_FDCWD, restore->master_key_file, &restore->master_key, fault);
	enum fault_code code = master_key_load(restore->directory, restore->config.master_key, &restore->master_key, &own);
	bool absent = code == FAULT_KEY && !is_there(restore, restore->config.master_key);
	if (!absent || !restore->has[BACKUP_MASTER_KEY]) {
		if (fault != NULL && code != FAULT_NONE)
			*fault = own;
		return code;
	}
	return master_key_load(restore->directory, STAGING "/master.key", &restore->master_key, fault);
}

static enum fault_code
check_database(const struct restore *restore, struct db *db, struct fault *fault)
{
	struct tree_instance instance;
	uint8_t fingerprint[32];
	TRY(tree_instance_get(db, &instance, fault));
	TRY(check_instance(restore, instance.uuid, fault));
	TRY(master_key_fingerprint(restore->master_key, fingerprint, fault));
	if (memcmp(fingerprint, instance.master_key_fingerprint, sizeof fingerprint) != 0)
		return fault_set(fault, FAULT_KEY, "the master key of %s is not the one that the keys in this database are stored under: move it "
			"away, and the backup's is taken", restore->data);
	if (strcmp(instance.rrdp_uri, restore->config.rrdp_uri) != 0 || strcmp(instance.rsync_uri, restore->config.rsync_uri) != 0)
		return fault_set(fault, FAULT_CONFIG, "the settings in %s have other URIs than this database: %s and %s", restore->data,
			instance.rrdp_uri, instance.rsync_uri);
	return FAULT_NONE;
}

/* Brings the schema forward, too. at: when the database was as it is; 0: at its last cut. */
static enum fault_code
prepare_database(struct restore *restore, const char *path, int64_t at, const char *what, struct epoch_mark *ret_mark, struct fault *fault)
{
	AUTO(struct db, db_close) db = NULL;
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	struct epoch_mark mark;
	TRY(online_copy_check(path, read_mark, &mark, fault));
	TRY(db_open(path, false, &db, fault));
	TRY(check_database(restore, db, fault));
	int64_t highest = restore->noted && restore->note.epoch > mark.epoch ? restore->note.epoch : mark.epoch;
	struct command_context context = { .db = db, .clock = &restore->clock };
	struct restore_terms terms = { .epoch = (highest > 0 ? highest : 1) + 1, .backup_at = at != 0 ? at : mark.cut_at, .source = what };
	TRY(restore_renumber(&context, &local_actor, &terms, fault));
	TRY(db_reader_acquire(db, &connection, fault));
	return epoch_read_database(connection, ret_mark, fault);
}

/* ---- putting it in place ---- */

static enum fault_code
move(const struct restore *restore, const char *from, const char *to, struct fault *fault)
{
	if (renameat(restore->directory, from, restore->directory, to) != 0)
		return fault_set_errno(fault, errno, "moving %s to %s", from, to);
	return atomic_file_sync_parent(restore->directory, to, fault);
}

static enum fault_code
make_parents(const struct restore *restore, const char *path, struct fault *fault)
{
	AUTO(char, free) parents = NULL;
	TRY(memory_copy_string(path, &parents, fault));
	char *slash = strrchr(parents, '/');
	if (slash == NULL)
		return FAULT_NONE;
	*slash = '\0';
	return atomic_file_make_directories(restore->directory, parents, 0755, fault);
}

/* What is there stays. */
static enum fault_code
put_part(const struct restore *restore, enum backup_part part, const char *path, struct fault *fault)
{
	AUTO(char, free) staged = NULL;
	if (is_there(restore, path))
		return FAULT_NONE;
	if (!restore->has[part])
		return bytes_printf(restore->warnings, fault, "%s is missing and not in the backup: put it there before you start the server.\n",
			path);
	if (path[0] == '/')
		path = backup_archive_name(part);
	TRY(memory_printf(&staged, fault, STAGING "/%s", backup_archive_name(part)));
	TRY(make_parents(restore, path, fault));
	return move(restore, staged, path, fault);
}

/* systemd hands a credential over to the server alone: where the key in use came from there, there is no file to write. */
static enum fault_code
put_master_key(const struct restore *restore, struct fault *fault)
{
	AUTO(struct secret, secret_free) found = NULL;
	if (restore->master_key_file != NULL ||
		master_key_load(restore->directory, restore->config.master_key, &found, NULL) == FAULT_NONE)
		return FAULT_NONE;
	TRY(bytes_printf(restore->warnings, fault, "The backup's master key is in %s now: move it, if your server takes it from elsewhere.\n",
		restore->config.master_key[0] == '/' ? "master.key" : restore->config.master_key));
	return put_part(restore, BACKUP_MASTER_KEY, restore->config.master_key, fault);
}

/* Its log belongs to it; the new one must never meet it. */
static enum fault_code
put_old_database_aside(const struct restore *restore, struct fault *fault)
{
	static const char *const endings[] = { "-wal", "" };
	(void)unlinkat(restore->directory, ENGINE_DATABASE "-shm", 0);
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		AUTO(char, free) from = NULL;
		AUTO(char, free) to = NULL;
		TRY(memory_printf(&from, fault, ENGINE_DATABASE "%s", endings[i]));
		TRY(memory_printf(&to, fault, BEFORE "%s", endings[i]));
		if (is_there(restore, from))
			TRY(move(restore, from, to, fault));
	}
	return FAULT_NONE;
}

static enum fault_code
put_directories(const struct restore *restore, struct fault *fault)
{
	static const struct {
		const char *name;
		mode_t mode;
	} directories[] = { { "rrdp", 0755 }, { "rsync", 0755 }, { "ta", 0755 }, { ENGINE_IMPORTS, 0700 }, { ENGINE_TEMPORARY, 0700 } };
	for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
		TRY(atomic_file_make_directories(restore->directory, directories[i].name, directories[i].mode, fault));
	if (is_there(restore, "rsyncd.conf"))
		return FAULT_NONE;
	return rsyncd_conf_write(restore->directory, restore->data, restore->config.rsync_uri, fault);
}

static enum fault_code
put_all(const struct restore *restore, const struct epoch_mark *mark, struct fault *fault)
{
	TRY(put_directories(restore, fault));
	TRY(put_part(restore, BACKUP_SETTINGS, CONFIG_FILE, fault));
	TRY(put_part(restore, BACKUP_TLS_CERTIFICATE, restore->config.tls_certificate, fault));
	TRY(put_part(restore, BACKUP_TLS_KEY, restore->config.tls_key, fault));
	TRY(put_part(restore, BACKUP_TOKEN, "admin.token", fault));
	TRY(put_part(restore, BACKUP_TAL, "ta/ta.tal", fault));
	TRY(put_master_key(restore, fault));
	if (is_there(restore, STAGING "/" ENGINE_DATABASE "-wal"))
		return fault_set(fault, FAULT_DISK, "the restored database could not be finished: is the disk full?");
	TRY(put_old_database_aside(restore, fault));
	TRY(move(restore, STAGING "/" ENGINE_DATABASE, ENGINE_DATABASE, fault));
	/* Last: a database that is ahead of the file is taken, so a crash before this is none to the operator. */
	TRY(epoch_write(restore->directory, restore->config.epoch_file, mark, fault));
	return atomic_file_remove_tree(restore->directory, STAGING, fault);
}

static enum fault_code
fill(struct restore *restore, struct source *source, struct fault *fault)
{
	AUTO(char, free) database = NULL;
	struct epoch_mark mark;
	TRY(read_note(restore, fault));
	TRY(check_instance(restore, restore->about.mark.uuid, fault));
	TRY(check_present_database(restore, fault));
	TRY(extract(restore, source, fault));
	TRY(load_settings(restore, fault));
	TRY(load_master_key(restore, fault));
	TRY(memory_printf(&database, fault, "%s/" STAGING "/%s", restore->data, ENGINE_DATABASE));
	TRY(prepare_database(restore, database, restore->about.made_at, "a backup", &mark, fault));
	return put_all(restore, &mark, fault);
}

/* Nothing of what was tried is left. */
static void
give_up(const struct restore *restore)
{
	struct fault fault = FAULT_INIT;
	if (restore->directory < 0 || restore->lock == NULL)
		return;
	if (atomic_file_remove_tree(restore->directory, STAGING, &fault) != FAULT_NONE)
		log_fault(LOG_WARNING, &fault, "cleaning up");
	if (restore->lock_made && !is_there(restore, CONFIG_FILE))
		(void)unlinkat(restore->directory, "lock", 0);
	if (restore->made)
		(void)rmdir(restore->data);
}

enum fault_code
restore_run(const struct restore_request *request, struct backup_about *ret_about, struct bytes *warnings, struct fault *fault)
{
	AUTO_CLEAR(struct restore, restore_clear) restore = RESTORE_INIT;
	AUTO_CLEAR(struct source, source_clear) source = SOURCE_INIT;
	restore.data = request->data;
	restore.master_key_file = request->master_key;
	restore.warnings = warnings;
	clock_init(&restore.clock);
	TRY(source_open(&source, request->file, &request->secret, &restore.about, fault));
	enum fault_code code = open_directory(&restore, fault);
	if (code == FAULT_NONE)
		code = fill(&restore, &source, fault);
	if (code != FAULT_NONE)
		give_up(&restore);
	else
		*ret_about = restore.about;
	return code;
}

enum fault_code
restore_check(const char *file, const struct sealed_secret *secret, struct backup_about *ret_about, struct fault *fault)
{
	AUTO_CLEAR(struct source, source_clear) source = SOURCE_INIT;
	AUTO(uint8_t, free) buffer = NULL;
	struct backup_about about;
	enum backup_part part = BACKUP_ABOUT;
	TRY(memory_new(BUFFER_SIZE, 1, &buffer, fault));
	TRY(source_open(&source, file, secret, &about, fault));
	while (part != BACKUP_PARTS) {
		int64_t size;
		TRY(backup_archive_next(&source.reader, &part, &size, fault));
		for (size_t n = 1; part != BACKUP_PARTS && n > 0;)
			TRY(backup_archive_read(&source.reader, buffer, BUFFER_SIZE, &n, fault));
	}
	secret_wipe(buffer, BUFFER_SIZE);
	*ret_about = about;
	return FAULT_NONE;
}

enum fault_code
restore_in_place(const char *data, const char *master_key, struct fault *fault)
{
	AUTO_CLEAR(struct restore, restore_clear) restore = RESTORE_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) warnings = BYTES_INIT;
	AUTO(char, free) database = NULL;
	struct epoch_mark mark;
	bool absent, empty, ours;
	restore.data = data;
	restore.master_key_file = master_key;
	restore.warnings = &warnings;
	clock_init(&restore.clock);
	TRY(look_around(data, &absent, &empty, &ours, fault));
	if (!ours)
		return fault_set(fault, FAULT_NOT_FOUND, "%s is no data directory of Cadastre's", data);
	TRY(open_directory(&restore, fault));
	TRY(read_note(&restore, fault));
	TRY(load_settings(&restore, fault));
	TRY(load_master_key(&restore, fault));
	TRY(memory_printf(&database, fault, "%s/%s", data, ENGINE_DATABASE));
	TRY(prepare_database(&restore, database, 0, "the database that was put in place", &mark, fault));
	return epoch_write(restore.directory, restore.config.epoch_file, &mark, fault);
}
