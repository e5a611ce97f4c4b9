#include "tests/support/sample_repository.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/base/base64.h"
#include "ca/base/digest.h"
#include "ca/base/memory.h"
#include "db/connection.h"

static void
must(enum fault_code code, const struct fault *fault, const char *what)
{
	if (code == FAULT_NONE)
		return;
	(void)fprintf(stderr, "sample_repository: %s: %s (%s:%d)\n", what, fault->message, fault->file, fault->line);
	abort();
}

/* xorshift64*: the same on every machine. */
uint64_t
sample_repository_random(struct sample_repository *sample, uint64_t below)
{
	sample->random ^= sample->random >> 12;
	sample->random ^= sample->random << 25;
	sample->random ^= sample->random >> 27;
	return (sample->random * UINT64_C(2685821657736338717) >> 11) % below;
}

static enum fault_code
run_sql(struct db_connection *connection, void *argument, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_prepare(connection, "sample", argument, &stmt, fault));
	return stmt_run(stmt, fault);
}

void
sample_repository_run(struct sample_repository *sample, const char *sql)
{
	struct fault fault = FAULT_INIT;
	must(db_write(sample->db, run_sql, (void *)(uintptr_t)sql, &fault), &fault, sql);
}

int64_t
sample_repository_number(struct sample_repository *sample, const char *sql)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct fault fault = FAULT_INIT;
	bool row = false;
	must(db_reader_acquire(sample->db, &connection, &fault), &fault, sql);
	must(stmt_prepare(connection, "sample", sql, &stmt, &fault), &fault, sql);
	must(stmt_step(stmt, &row, &fault), &fault, sql);
	return row ? stmt_int(stmt, "n") : -1;
}

static void
insert_first_rows(struct sample_repository *sample)
{
	sample_repository_run(sample, "INSERT INTO repositories (repository_id, rrdp_uri, rsync_uri, session) VALUES (1, '"
		SAMPLE_REPOSITORY_RRDP "', '" SAMPLE_REPOSITORY_RSYNC "', '" SAMPLE_REPOSITORY_SESSION "')");
	sample_repository_run(sample, "INSERT INTO cas (ca_id, handle, kind, repository_id, directory, created_at) "
		"VALUES (1, 'ta', 'ta', 1, 'ta/', 0)");
	sample_repository_run(sample,
		"INSERT INTO keys (key_id, ca_id, spki, key_identifier, created_at) VALUES (1, 1, x'00', x'01', 0)");
}

void
sample_repository_open(struct sample_repository *sample, const char *path, uint64_t seed)
{
	struct fault fault = FAULT_INIT;
	AUTO(char, free) file = NULL;
	AUTO(char, free) data = NULL;
	*sample = (struct sample_repository){ .random = seed * 2 + 1, .looked_at = 1 };
	must(memory_printf(&file, &fault, "%s/cadastre.db", path), &fault, path);
	must(memory_printf(&data, &fault, "%s/data", path), &fault, path);
	must(memory_copy_string(path, &sample->path, &fault), &fault, path);
	bool fresh = access(file, F_OK) != 0;
	if (mkdir(data, 0755) != 0 && errno != EEXIST)
		abort();
	sample->directory = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(db_open(file, fresh, &sample->db, &fault), &fault, file);
	if (fresh)
		insert_first_rows(sample);
	int64_t cut_at = sample_repository_number(sample, "SELECT cut_at AS n FROM repositories");
	clock_init_hand(&sample->clock, cut_at != 0 ? cut_at : SAMPLE_REPOSITORY_AT);
	sample->settings = (struct publisher_settings){
		.deltas_max = 250,
		.delta_age_max_s = 86400,
		.file_grace_s = 7200,
		.file_budget = INT64_C(1) << 40,
		.tree_grace_s = 7200,
		.tree_links_max = 1000000,
	};
	sample_repository_restart(sample);
}

void
sample_repository_restart(struct sample_repository *sample)
{
	struct fault fault = FAULT_INIT;
	publisher_free(MOVE(sample->publisher));
	must(publisher_new(sample->db, sample->directory, &sample->clock, &sample->settings, &sample->publisher, &fault), &fault,
		"publisher");
}

void
sample_repository_site(const struct sample_repository *sample, struct site *ret_site)
{
	struct site_exchange *exchange;
	INVARIANT(memory_new(1, sizeof *exchange, &exchange, NULL) == FAULT_NONE);
	INVARIANT(pthread_mutex_init(&exchange->mutex, NULL) == 0);
	*ret_site = (struct site){
		.db = sample->db,
		.directory = sample->directory,
		.clock = &sample->clock,
		.settings = sample->settings,
		.repository_id = 1,
		.exchange = exchange,
	};
}

struct sample_staging {
	char path[128];
	char kind[8];           /* "": it leaves */
	struct bytes der;
	uint8_t hash[SHA256_SIZE];
};

/* What is below "2/" is of the second repository. */
static int64_t
repository_of(const char *path)
{
	return strncmp(path, "2/", 2) == 0 ? 2 : 1;
}

void
sample_repository_open_second(struct sample_repository *sample)
{
	sample_repository_run(sample, "INSERT INTO repositories (repository_id, rrdp_uri, rsync_uri, session) VALUES (2, '"
		SAMPLE_REPOSITORY_RRDP "2/', '" SAMPLE_REPOSITORY_RSYNC "', '" SAMPLE_REPOSITORY_SESSION_2 "')");
}

/* As the reconciler: what was never published goes without a trace, what was leaves with the next cut. */
static enum fault_code
withdraw(struct db_connection *connection, const struct sample_staging *staging, int64_t now_at, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) drop = NULL;
	AUTO(struct stmt, stmt_done) leave = NULL;
	TRY(stmt_prepare(connection, "sample_drop", "DELETE FROM objects WHERE repository_id = :repository_id AND path = :path "
		"AND withdrawing = 0 AND withdrawn_serial IS NULL AND published_serial IS NULL", &drop, fault));
	stmt_bind_int(drop, ":repository_id", repository_of(staging->path));
	stmt_bind_text(drop, ":path", staging->path);
	TRY(stmt_run(drop, fault));
	TRY(stmt_prepare(connection, "sample_leave", "UPDATE objects SET withdrawing = 1, revoked_at = :now_at "
		"WHERE repository_id = :repository_id AND path = :path AND withdrawing = 0 AND withdrawn_serial IS NULL", &leave, fault));
	stmt_bind_int(leave, ":repository_id", repository_of(staging->path));
	stmt_bind_text(leave, ":path", staging->path);
	stmt_bind_int(leave, ":now_at", now_at);
	return stmt_run(leave, fault);
}

static enum fault_code
stage_one(struct db_connection *connection, const struct sample_staging *staging, int64_t now_at, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) object = NULL;
	AUTO(struct stmt, stmt_done) bytes = NULL;
	TRY(withdraw(connection, staging, now_at, fault));
	if (staging->kind[0] == '\0')
		return FAULT_NONE;
	TRY(stmt_prepare(connection, "sample_object",
		"INSERT INTO objects (repository_id, ca_id, key_id, kind, path, hash, size, "
		"not_before_at, not_after_at, modified_at) VALUES (:repository_id, 1, 1, :kind, :path, :hash, :size, 0, 0, :now_at)", &object,
			fault));
	stmt_bind_int(object, ":repository_id", repository_of(staging->path));
	stmt_bind_text(object, ":kind", staging->kind);
	stmt_bind_text(object, ":path", staging->path);
	stmt_bind_blob(object, ":hash", SPAN(staging->hash, SHA256_SIZE));
	stmt_bind_int(object, ":size", (int64_t)staging->der.length);
	stmt_bind_int(object, ":now_at", now_at);
	TRY(stmt_run(object, fault));
	TRY(stmt_prepare(connection, "sample_bytes", "INSERT INTO object_bytes (object_id, der) VALUES (:object_id, :der)",
		&bytes, fault));
	stmt_bind_int(bytes, ":object_id", stmt_inserted_id(connection));
	stmt_bind_blob(bytes, ":der", bytes_span(&staging->der));
	return stmt_run(bytes, fault);
}

static enum fault_code
stage(struct db_connection *connection, void *argument, struct fault *fault)
{
	const struct sample_repository *sample = argument;
	for (size_t i = 0; i < sample->staged_count; i++)
		TRY(stage_one(connection, &sample->staged[i], clock_now(&sample->clock), fault));
	return FAULT_NONE;
}

static void
forget_staged(struct sample_repository *sample)
{
	for (size_t i = 0; i < sample->staged_count; i++)
		bytes_clear(&sample->staged[i].der);
	sample->staged_count = 0;
}

void
sample_repository_stage(struct sample_repository *sample)
{
	struct fault fault = FAULT_INIT;
	if (sample->staged_count == 0)
		return;
	must(db_write(sample->db, stage, sample, &fault), &fault, "stage");
	forget_staged(sample);
}

static struct sample_staging *
add_staging(struct sample_repository *sample, const char *path, const char *kind)
{
	struct fault fault = FAULT_INIT;
	must(memory_reserve(&sample->staged, &sample->staged_capacity, sample->staged_count + 1, sizeof *sample->staged, &fault),
		&fault, path);
	struct sample_staging *staging = &sample->staged[sample->staged_count++];
	*staging = (struct sample_staging){ .der = BYTES_INIT };
	(void)snprintf(staging->path, sizeof staging->path, "%s", path);
	(void)snprintf(staging->kind, sizeof staging->kind, "%s", kind);
	return staging;
}

void
sample_repository_put(struct sample_repository *sample, const char *path, const char *kind, size_t size)
{
	struct fault fault = FAULT_INIT;
	struct sample_staging *staging = add_staging(sample, path, kind);
	must(bytes_reserve(&staging->der, size, &fault), &fault, path);
	while (staging->der.length < size)
		staging->der.data[staging->der.length++] = (uint8_t)sample_repository_random(sample, 256);
	must(digest_sha256(bytes_span(&staging->der), staging->hash, &fault), &fault, path);
}

void
sample_repository_remove(struct sample_repository *sample, const char *path)
{
	(void)add_staging(sample, path, "");
}

void
sample_repository_close(struct sample_repository *sample)
{
	publisher_free(sample->publisher);
	db_close(sample->db);
	forget_staged(sample);
	free(sample->staged);
	descriptor_close(&sample->directory);
	free(sample->path);
	*sample = (struct sample_repository){ .directory = -1 };
}

static enum fault_code
cut(struct db_connection *connection, void *argument, struct fault *fault)
{
	static const char *const steps[] = {
		/* Of the first also where nothing changes; of the second only where something does. */
		"UPDATE repositories SET serial = serial + 1, cut_at = (SELECT CAST(:now_at AS INTEGER)) WHERE repository_id = 1 "
		"OR EXISTS (SELECT 1 FROM objects o WHERE o.repository_id = repositories.repository_id AND (o.published_serial IS NULL "
		"	OR (o.withdrawing = 1 AND o.withdrawn_serial IS NULL)))",
		"UPDATE objects SET published_serial = (SELECT serial FROM repositories r WHERE r.repository_id = objects.repository_id) "
		"WHERE published_serial IS NULL AND :now_at > 0",
		"UPDATE objects SET withdrawn_serial = (SELECT serial FROM repositories r WHERE r.repository_id = objects.repository_id) "
		"WHERE withdrawing = 1 AND withdrawn_serial IS NULL AND :now_at > 0",
		"INSERT INTO cuts (repository_id, serial, cut_at, random) "
		"SELECT repository_id, serial, :now_at, lower(hex(randomblob(16))) FROM repositories WHERE cut_at = :now_at",
	};
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		AUTO(struct stmt, stmt_done) stmt = NULL;
		TRY(stmt_prepare(connection, "sample_cut", steps[i], &stmt, fault));
		stmt_bind_int(stmt, ":now_at", *(const int64_t *)argument);
		TRY(stmt_run(stmt, fault));
	}
	return FAULT_NONE;
}

int64_t
sample_repository_cut(struct sample_repository *sample, int64_t later_s)
{
	struct fault fault = FAULT_INIT;
	int64_t now_at = clock_now(&sample->clock) + later_s;
	sample_repository_stage(sample);
	clock_hand_set(&sample->clock, now_at);
	must(db_write(sample->db, cut, &now_at, &fault), &fault, "cut");
	return sample_repository_number(sample, "SELECT sum(serial) AS n FROM repositories");
}

void
sample_repository_state(struct sample_repository *sample, int64_t serial, struct sample_state *ret_state)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct fault fault = FAULT_INIT;
	size_t capacity = 0;
	bool row = false;
	*ret_state = (struct sample_state){ .count = 0 };
	must(db_reader_acquire(sample->db, &connection, &fault), &fault, "state");
	must(stmt_prepare(connection, "sample_state", "SELECT path, hash, size, modified_at, kind = 'ta' AS ta FROM objects "
		"WHERE repository_id = :repository_id AND published_serial <= :serial AND (withdrawn_serial IS NULL OR withdrawn_serial > :serial) "
		"ORDER BY path", &stmt,
		&fault), &fault, "state");
	stmt_bind_int(stmt, ":repository_id", sample->looked_at);
	stmt_bind_int(stmt, ":serial", serial);
	for (;;) {
		must(stmt_step(stmt, &row, &fault), &fault, "state");
		if (!row)
			return;
		must(memory_reserve(&ret_state->objects, &capacity, ret_state->count + 1, sizeof *ret_state->objects, &fault),
			&fault, "state");
		struct sample_object *object = &ret_state->objects[ret_state->count++];
		(void)snprintf(object->path, sizeof object->path, "%s", stmt_text(stmt, "path"));
		hex_encode(stmt_blob(stmt, "hash"), object->hash);
		object->size = stmt_int(stmt, "size");
		object->modified_at = stmt_int(stmt, "modified_at");
		object->trust_anchor = stmt_int(stmt, "ta") != 0;
	}
}

void
sample_repository_free_state(struct sample_state *state)
{
	free(state->objects);
	*state = (struct sample_state){ .count = 0 };
}
