#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after what it needs */
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "ca/base/base64.h"
#include "ca/base/memory.h"
#include "db/connection.h"
#include "publish/rrdp_xml.h"
#include "tests/support/forge.h"
#include "tests/support/rrdp_reader.h"

#define RRDP_URI "https://rrdp.example.net/rrdp/"
#define RSYNC_URI "rsync://rsync.example.net/repo/"

static void
copy_tree(const char *from, const char *to)
{
	int status;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)execlp("cp", "cp", "-a", from, to, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void
directory_of(struct forge *forge, const char *where, char ret_directory[80])
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	char sql[200];
	bool row;
	(void)snprintf(sql, sizeof sql, "SELECT directory FROM cas WHERE %s", where);
	WORLD_OK(db_reader_acquire(forge->served->world->db, &connection, fault));
	WORLD_OK(stmt_prepare(connection, "forge", sql, &stmt, fault));
	WORLD_OK(stmt_step(stmt, &row, fault));
	assert_true(row);
	(void)snprintf(ret_directory, 80, "%s", stmt_text(stmt, "directory"));
}

const char *
forge_rrdp_path(struct forge *forge, int64_t serial, const char *name)
{
	static char path[256];
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	WORLD_OK(db_reader_acquire(forge->served->world->db, &connection, fault));
	WORLD_OK(stmt_prepare(connection, "forge", "SELECT session, random FROM repositories JOIN cuts USING (repository_id) "
		"WHERE cuts.serial = :serial", &stmt, fault));
	stmt_bind_int(stmt, ":serial", serial);
	WORLD_OK(stmt_step(stmt, &row, fault));
	assert_true(row);
	(void)snprintf(path, sizeof path, "rrdp/%s/%lld/%s/%s", stmt_text(stmt, "session"), (long long)serial, stmt_text(stmt, "random"),
		name);
	return path;
}

static int64_t
last_serial(struct forge *forge)
{
	struct check_repository repository;
	WORLD_OK(check_view_repository(forge->served->world->db, forge->served->world->repository_id, &repository, fault));
	return repository.notified_serial;
}

static void
read_objects(struct forge *forge)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	struct rrdp_document document;
	forge_read_file(forge, forge_rrdp_path(forge, last_serial(forge), "snapshot.xml"), &text);
	assert_null(rrdp_reader_parse(bytes_span(&text), &document));
	for (size_t i = 0; i < document.count; i++)
		(void)forge_add(forge, document.elements[i].uri + sizeof RSYNC_URI - 1, bytes_span(&document.elements[i].object));
	rrdp_reader_clear(&document);
}

void
forge_open(struct forge *forge, struct served *served)
{
	*forge = (struct forge){ .served = served, .now_at = clock_now(&served->world->clock) };
	(void)snprintf(forge->path, sizeof forge->path, "%s/forged", served->world->directory);
	copy_tree(served->path, forge->path);
	forge->directory = open(forge->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(forge->directory >= 0);
	directory_of(forge, "handle = 'alpha'", forge->alpha);
	directory_of(forge, "handle = 'beta'", forge->beta);
	directory_of(forge, "kind = 'issuing'", forge->issuing);
	directory_of(forge, "kind = 'online'", forge->online);
	directory_of(forge, "kind = 'ta'", forge->ta);
	read_objects(forge);
}

void
forge_close(struct forge *forge)
{
	for (size_t i = 0; i < forge->count; i++)
		bytes_clear(&forge->objects[i].der);
	(void)close(forge->directory);
	WORLD_OK(atomic_file_remove_tree(AT_FDCWD, forge->path, fault));
}

struct forge_object *
forge_find(struct forge *forge, const char *directory, const char *ending)
{
	for (size_t i = 0; i < forge->count; i++) {
		const char *path = forge->objects[i].path;
		size_t length = strlen(path), end = strlen(ending);
		if (strncmp(path, directory, strlen(directory)) == 0 && length > end && strcmp(path + length - end, ending) == 0)
			return &forge->objects[i];
	}
	fail_msg("there is no %s in %s", ending, directory);
	return NULL;
}

struct forge_object *
forge_add(struct forge *forge, const char *path, struct span der)
{
	assert_true(forge->count < sizeof forge->objects / sizeof *forge->objects);
	struct forge_object *object = &forge->objects[forge->count++];
	*object = (struct forge_object){ .der = BYTES_INIT };
	(void)snprintf(object->path, sizeof object->path, "%s", path);
	WORLD_OK(bytes_append(&object->der, der.data, der.length, fault));
	return object;
}

void
forge_remove(struct forge *forge, struct forge_object *object)
{
	bytes_clear(&object->der);
	*object = forge->objects[--forge->count];
}

static void
write_rrdp(struct forge *forge, const char *path, struct span content)
{
	char directory[256];
	(void)snprintf(directory, sizeof directory, "%s", path);
	*strrchr(directory, '/') = '\0';
	WORLD_OK(atomic_file_make_directories(forge->directory, directory, 0755, fault));
	forge_write_file(forge, path, content);
}

void
forge_write(struct forge *forge)
{
	AUTO_CLEAR(struct bytes, bytes_clear) snapshot = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) notification = BYTES_INIT;
	struct check_repository repository;
	uint8_t hash[SHA256_SIZE];
	WORLD_OK(check_view_repository(forge->served->world->db, forge->served->world->repository_id, &repository, fault));
	const char *path = forge_rrdp_path(forge, repository.notified_serial, "snapshot.xml");
	WORLD_OK(rrdp_xml_open(&snapshot, RRDP_SNAPSHOT, repository.session, repository.notified_serial, fault));
	for (size_t i = 0; i < forge->count; i++)
		WORLD_OK(rrdp_xml_publish(&snapshot, RSYNC_URI, forge->objects[i].path, SPAN(NULL, 0), bytes_span(&forge->objects[i].der),
			fault));
	WORLD_OK(rrdp_xml_close(&snapshot, RRDP_SNAPSHOT, fault));
	write_rrdp(forge, path, bytes_span(&snapshot));
	WORLD_OK(digest_sha256(bytes_span(&snapshot), hash, fault));
	WORLD_OK(rrdp_xml_open(&notification, RRDP_NOTIFICATION, repository.session, repository.notified_serial, fault));
	WORLD_OK(rrdp_xml_name_snapshot(&notification, RRDP_URI, path + sizeof "rrdp", SPAN(hash, SHA256_SIZE), fault));
	WORLD_OK(rrdp_xml_close(&notification, RRDP_NOTIFICATION, fault));
	forge_write_file(forge, "rrdp/notification.xml", bytes_span(&notification));
}

void
forge_read_file(struct forge *forge, const char *path, struct bytes *ret_content)
{
	WORLD_OK(atomic_file_read(forge->directory, path, 1 << 24, ret_content, fault));
}

void
forge_write_file(struct forge *forge, const char *path, struct span content)
{
	char packed[300];
	/* What it was packed into isn't that any more. */
	(void)snprintf(packed, sizeof packed, "%s.gz", path);
	assert_true(unlinkat(forge->directory, packed, 0) == 0 || errno == ENOENT);
	/* Nothing waits for the disk here: hundreds are written. */
	assert_true(unlinkat(forge->directory, path, 0) == 0 || errno == ENOENT);
	int fd = openat(forge->directory, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content.data, content.length), content.length);
	assert_int_equal(close(fd), 0);
}

void
forge_replace(struct forge *forge, const char *path, const char *from, const char *to)
{
	AUTO_CLEAR(struct bytes, bytes_clear) before = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) after = BYTES_INIT;
	forge_read_file(forge, path, &before);
	const char *text = bytes_text(&before), *at = strstr(text, from);
	if (at == NULL)
		fail_msg("%s doesn't say %s", path, from);
	WORLD_OK(bytes_append(&after, text, (size_t)(at - text), fault));
	WORLD_OK(bytes_append_text(&after, to, fault));
	WORLD_OK(bytes_append_text(&after, at + strlen(from), fault));
	forge_write_file(forge, path, bytes_span(&after));
}

void
forge_rehash(struct forge *forge, int64_t serial, const char *name, struct span before)
{
	AUTO_CLEAR(struct bytes, bytes_clear) after = BYTES_INIT;
	uint8_t hash[SHA256_SIZE];
	char old_text[65], new_text[65];
	forge_read_file(forge, forge_rrdp_path(forge, serial, name), &after);
	WORLD_OK(digest_sha256(before, hash, fault));
	hex_encode(SPAN(hash, SHA256_SIZE), old_text);
	WORLD_OK(digest_sha256(bytes_span(&after), hash, fault));
	hex_encode(SPAN(hash, SHA256_SIZE), new_text);
	forge_replace(forge, "rrdp/notification.xml", old_text, new_text);
}
