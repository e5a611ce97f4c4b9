#include "ca/jobs/cut.h"

#include "ca/base/base64.h"
#include "ca/base/randomness.h"
#include "ca/jobs/guard.h"
#include "ca/plan/timing.h"
#include "db/stmt.h"

/* Octets of the part of a serial's URIs that nobody guesses (publication-server BCP). */
#define RANDOM_SIZE 16

static enum fault_code
look(struct db_connection *connection, int64_t repository_id, struct cut_position *ret_position, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) repository = NULL;
	AUTO(struct stmt, stmt_done) waiting = NULL;
	AUTO(struct stmt, stmt_done) blockers = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_CUT_REPOSITORY, &repository, fault));
	stmt_bind_int(repository, ":repository_id", repository_id);
	TRY(stmt_step(repository, &row, fault));
	if (!row)
		return fault_set(fault, FAULT_NOT_FOUND, "there is no repository %lld", (long long)repository_id);
	*ret_position = (struct cut_position){
		.serial = stmt_int(repository, "serial"),
		.cut_at = stmt_int(repository, "cut_at"),
		.notified_serial = stmt_int(repository, "notified_serial"),
		.notified_at = stmt_int(repository, "notified_at"),
		.rsync_serial = stmt_int(repository, "rsync_serial"),
		.rsync_at = stmt_int(repository, "rsync_at"),
	};
	TRY(stmt_start(connection, QUERY_CUT_WAITING, &waiting, fault));
	stmt_bind_int(waiting, ":repository_id", repository_id);
	TRY(stmt_step(waiting, &row, fault));
	ret_position->waiting = stmt_int(waiting, "waiting") != 0;
	TRY(stmt_start(connection, QUERY_CUT_BLOCKERS, &blockers, fault));
	TRY(stmt_step(blockers, &row, fault));
	ret_position->blocked = stmt_int(blockers, "n") > 0;
	return FAULT_NONE;
}

enum fault_code
cut_look(struct db *db, int64_t repository_id, struct cut_position *ret_position, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	TRY(db_reader_acquire(db, &connection, fault));
	return look(connection, repository_id, ret_position, fault);
}

struct cut {
	int64_t repository_id, now_at;
	int64_t serial;                  /* made; 0: none */
};

/* Runs one of the cut's statements with those of its parameters that it has. */
static enum fault_code
run(struct db_connection *connection, enum query query, const struct cut *cut, bool serial, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, query, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", cut->repository_id);
	if (serial)
		stmt_bind_int(stmt, ":serial", cut->serial);
	return stmt_run(stmt, fault);
}

static enum fault_code
insert_cut(struct db_connection *connection, const struct cut *cut, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) serial = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	uint8_t octets[RANDOM_SIZE];
	char random[2 * RANDOM_SIZE + 1];
	TRY(randomness_fill(octets, sizeof octets, fault));
	hex_encode(SPAN(octets, sizeof octets), random);
	TRY(stmt_start(connection, QUERY_CUT_SERIAL, &serial, fault));
	stmt_bind_int(serial, ":repository_id", cut->repository_id);
	stmt_bind_int(serial, ":now_at", cut->now_at);
	TRY(stmt_run(serial, fault));
	TRY(stmt_start(connection, QUERY_CUT_INSERT, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", cut->repository_id);
	stmt_bind_int(stmt, ":serial", cut->serial);
	stmt_bind_int(stmt, ":now_at", cut->now_at);
	stmt_bind_text(stmt, ":random", random);
	return stmt_run(stmt, fault);
}

/* Groups of changes of which nobody waits any more, and the transfers among them, are out with this serial. */
static enum fault_code
end_groups(struct db_connection *connection, int64_t repository_id, int64_t serial, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) groups = NULL;
	AUTO(struct stmt, stmt_done) transfers = NULL;
	TRY(stmt_start(connection, QUERY_CUT_GROUPS, &groups, fault));
	TRY(stmt_run(groups, fault));
	TRY(stmt_start(connection, QUERY_CUT_TRANSFERS, &transfers, fault));
	stmt_bind_int(transfers, ":repository_id", repository_id);
	stmt_bind_int(transfers, ":serial", serial);
	return stmt_run(transfers, fault);
}

static enum fault_code
make(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct cut *cut = argument;
	struct cut_position position;
	TRY(look(connection, cut->repository_id, &position, fault));
	/* Changes that took each other back leave nothing to publish: what is out has them. */
	if (!position.waiting)
		return end_groups(connection, cut->repository_id, position.serial, fault);
	if (position.blocked)
		return fault_set(fault, FAULT_BUSY, "a parent's manifest has to be issued first");
	/* A cut under a clock that was ahead holds up nobody. */
	if (cut->now_at <= position.cut_at && !timing_never_was(position.cut_at, cut->now_at))
		return fault_set(fault, FAULT_CLOCK, "the clock is not past the last cut yet: %lld s to go",
			(long long)(position.cut_at - cut->now_at + 1));
	cut->serial = position.serial + 1;
	TRY(guard_count(connection, cut->repository_id, cut->now_at, fault));
	/* Numbers are committed here, before any byte leaves the process (RFC 9286 §4.2.1, RFC 9829). */
	TRY(run(connection, QUERY_CUT_KEYS, cut, false, fault));
	TRY(run(connection, QUERY_CUT_WITHDRAW, cut, true, fault));
	TRY(run(connection, QUERY_CUT_PUBLISH, cut, true, fault));
	TRY(end_groups(connection, cut->repository_id, cut->serial, fault));
	return insert_cut(connection, cut, fault);
}

enum fault_code
cut_make(struct db *db, int64_t repository_id, const struct clock *clock, int64_t *ret_serial, struct fault *fault)
{
	struct cut cut = { .repository_id = repository_id, .now_at = clock_now(clock) };
	TRY(db_write(db, make, &cut, fault));
	*ret_serial = cut.serial;
	return FAULT_NONE;
}
