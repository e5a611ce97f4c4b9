#include "api/cli/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/server/config.h"
#include "api/server/engine.h"
#include "ca/base/base64.h"
#include "ca/base/clock.h"
#include "ca/base/memory.h"
#include "ca/keys/master_key.h"
#include "db/online_copy.h"
#include "db/data_lock.h"
#include "db/stmt.h"

#define COPY ENGINE_TEMPORARY "/backup.db"
#define BUFFER_SIZE 65536

struct backup {
	const struct backup_request *request;
	int directory;
	struct config config;
	struct data_lock *lock;              /* of DIR/tmp: one backup at a time */
	struct secret *master_key;
	struct backup_about about;
	int database;                        /* the copy, without a name any more */
};

static void
backup_clear(struct backup *backup)
{
	descriptor_close(&backup->directory);
	descriptor_close(&backup->database);
	config_clear(&backup->config);
	data_lock_free(backup->lock);
	secret_free(backup->master_key);
}

/* ---- what it is made of ---- */

static enum fault_code
check_file(const struct backup_request *request, struct fault *fault)
{
	AUTO_CLEAR(int, descriptor_close) fd = open(request->file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	enum sealed_method method;
	if (fd < 0 && errno == ENOENT)
		return FAULT_NONE;
	if (fd < 0)
		return fault_set_errno(fault, errno, "%s", request->file);
	if (sealed_reader_method(fd, &method, NULL) != FAULT_NONE)
		return fault_set(fault, FAULT_CONFLICT, "%s is there already and is no backup: it is left as it is", request->file);
	return FAULT_NONE;
}

static enum fault_code
open_data(struct backup *backup, struct fault *fault)
{
	AUTO(char, free) settings = NULL;
	AUTO_CLEAR(int, descriptor_close) temporary = -1;
	const char *data = backup->request->data;
	backup->directory = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (backup->directory < 0)
		return errno == ENOENT ? fault_set(fault, FAULT_NOT_FOUND, "there is no directory %s", data) :
			fault_set_errno(fault, errno, "opening %s", data);
	TRY(memory_printf(&settings, fault, "%s/%s", data, CONFIG_FILE));
	TRY(config_load(settings, &backup->config, fault));
	TRY(atomic_file_make_directories(backup->directory, ENGINE_TEMPORARY, 0700, fault));
	temporary = openat(backup->directory, ENGINE_TEMPORARY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (temporary < 0)
		return fault_set_errno(fault, errno, "opening %s/" ENGINE_TEMPORARY, data);
	enum fault_code code = data_lock_take(temporary, &backup->lock, fault);
	return code == FAULT_LOCKED ? fault_set(fault, code, "another backup of %s is being made", data) : code;
}

/* Runs on the copy: a backup that its own master key doesn't open would be worth nothing. */
static enum fault_code
inspect(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct backup *backup = argument;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	uint8_t fingerprint[32];
	bool row;
	TRY(epoch_read_database(connection, &backup->about.mark, fault));
	TRY(master_key_fingerprint(backup->master_key, fingerprint, fault));
	TRY(stmt_start(connection, QUERY_TREE_INSTANCE, &stmt, fault));
	TRY(stmt_step(stmt, &row, fault));
	if (!row || !span_equal(stmt_blob(stmt, "master_key_fingerprint"), SPAN(fingerprint, sizeof fingerprint)))
		return fault_set(fault, FAULT_KEY, "this is not the master key that the keys in the database are stored under");
	return FAULT_NONE;
}

/* The copy loses its name at once, so that nothing is left of it however this ends. */
static enum fault_code
copy_database(struct backup *backup, struct fault *fault)
{
	AUTO(char, free) from = NULL;
	AUTO(char, free) to = NULL;
	struct clock clock;
	clock_init(&clock);
	TRY(memory_printf(&from, fault, "%s/%s", backup->request->data, ENGINE_DATABASE));
	TRY(memory_printf(&to, fault, "%s/%s", backup->request->data, COPY));
	if (unlink(to) != 0 && errno != ENOENT)
		return fault_set_errno(fault, errno, "removing what is left of an earlier backup, %s", to);
	backup->about.made_at = clock_now(&clock);
	TRY(online_copy_make(from, to, inspect, backup, fault));
	backup->database = open(to, O_RDONLY | O_CLOEXEC);
	if (backup->database < 0 || unlink(to) != 0)
		return fault_set_errno(fault, errno, "%s", to);
	return FAULT_NONE;
}

/* ---- how it is written ---- */

static enum fault_code
put_bytes(struct sealed_writer *writer, enum backup_part part, struct span content, struct fault *fault)
{
	TRY(backup_archive_put(writer, part, (int64_t)content.length, fault));
	return sealed_writer_write(writer, content.data, content.length, fault);
}

/* A file that isn't there is left out, but for the settings. One that lies outside the data directory is the operator's own to keep. */
static enum fault_code
put_file(const struct backup *backup, struct sealed_writer *writer, enum backup_part part, const char *path, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	if (path[0] == '/')
		return FAULT_NONE;
	enum fault_code code = atomic_file_read(backup->directory, path, (size_t)BACKUP_FILE_MAX, &content, fault);
	if (code == FAULT_NOT_FOUND && part != BACKUP_SETTINGS)
		return FAULT_NONE;
	if (code == FAULT_NONE)
		code = put_bytes(writer, part, bytes_span(&content), fault);
	secret_wipe(content.data, content.length);
	return code;
}

static enum fault_code
put_about(const struct backup *backup, struct sealed_writer *writer, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	TRY(backup_archive_print_about(&backup->about, &text, fault));
	return put_bytes(writer, BACKUP_ABOUT, bytes_span(&text), fault);
}

static enum fault_code
put_master_key(const struct backup *backup, struct sealed_writer *writer, struct fault *fault)
{
	char text[2 * MASTER_KEY_SIZE + 1];
	hex_encode(SPAN(backup->master_key->data, backup->master_key->length), text);
	text[sizeof text - 1] = '\n';
	enum fault_code code = put_bytes(writer, BACKUP_MASTER_KEY, SPAN(text, sizeof text), fault);
	secret_wipe(text, sizeof text);
	return code;
}

static enum fault_code
put_database(const struct backup *backup, struct sealed_writer *writer, struct fault *fault)
{
	AUTO(char, free) buffer = NULL;
	struct stat status;
	int64_t left;
	if (fstat(backup->database, &status) != 0)
		return fault_set_errno(fault, errno, "the copy of the database");
	TRY(memory_new(BUFFER_SIZE, 1, &buffer, fault));
	TRY(backup_archive_put(writer, BACKUP_DATABASE, status.st_size, fault));
	for (left = status.st_size; left > 0;) {
		ssize_t n = read(backup->database, buffer, left < BUFFER_SIZE ? (size_t)left : BUFFER_SIZE);
		if (n <= 0)
			return fault_set_errno(fault, n == 0 ? EIO : errno, "reading the copy of the database");
		TRY(sealed_writer_write(writer, buffer, (size_t)n, fault));
		left -= n;
	}
	return FAULT_NONE;
}

static enum fault_code
write_file(const struct backup *backup, struct fault *fault)
{
	AUTO_CLEAR(struct atomic_file, atomic_file_clear) file = ATOMIC_FILE_INIT;
	AUTO(struct sealed_writer, sealed_writer_free) writer = NULL;
	TRY(atomic_file_open(&file, AT_FDCWD, backup->request->file, 0600, fault));
	TRY(sealed_writer_new(&file, &backup->request->secret, &writer, fault));
	TRY(put_about(backup, writer, fault));
	TRY(put_file(backup, writer, BACKUP_SETTINGS, CONFIG_FILE, fault));
	TRY(put_master_key(backup, writer, fault));
	TRY(put_file(backup, writer, BACKUP_TLS_CERTIFICATE, backup->config.tls_certificate, fault));
	TRY(put_file(backup, writer, BACKUP_TLS_KEY, backup->config.tls_key, fault));
	TRY(put_file(backup, writer, BACKUP_TOKEN, "admin.token", fault));
	TRY(put_file(backup, writer, BACKUP_TAL, "ta/ta.tal", fault));
	TRY(put_database(backup, writer, fault));
	TRY(backup_archive_end(writer, fault));
	return atomic_file_commit(&file, ATOMIC_FILE_KEEP_TIME, fault);
}

enum fault_code
backup_run(const struct backup_request *request, struct backup_about *ret_about, struct fault *fault)
{
	AUTO_CLEAR(struct backup, backup_clear) backup = { .request = request, .directory = -1, .database = -1, .config = CONFIG_INIT };
	TRY(check_file(request, fault));
	TRY(open_data(&backup, fault));
	if (request->master_key != NULL)
		TRY(master_key_load(AT_FDCWD, request->master_key, &backup.master_key, fault));
	else
		TRY(master_key_load(backup.directory, backup.config.master_key, &backup.master_key, fault));
	TRY(copy_database(&backup, fault));
	TRY(write_file(&backup, fault));
	*ret_about = backup.about;
	return FAULT_NONE;
}
