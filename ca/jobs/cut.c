#include "ca/jobs/cut.h"

#include "ca/base/base64.h"
#include "ca/base/randomness.h"
#include "ca/jobs/guard.h"
#include "ca/plan/timing.h"
#include "db/stmt.h"

/* Octets of the part of a serial's URIs that nobody guesses (publication-server BCP). */
#define RANDOM_SIZE 16

static enum fault_code
look_anew(struct db_connection *connection, struct cut_position *position, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	if (position->serial != 0)
		return FAULT_NONE;
	TRY(stmt_start(connection, QUERY_CUT_ANEW, &stmt, fault));
	TRY(stmt_step(stmt, &row, fault));
	position->anew = stmt_int(stmt, "anew") != 0;
	return FAULT_NONE;
}

static enum fault_code
look(struct db_connection *connection, struct cut_position *ret_position, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) repositories = NULL;
	AUTO(struct stmt, stmt_done) waiting = NULL;
	AUTO(struct stmt, stmt_done) blockers = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_CUT_POSITION, &repositories, fault));
	TRY(stmt_step(repositories, &row, fault));
	if (stmt_int(repositories, "repositories") == 0)
		return fault_set(fault, FAULT_NOT_FOUND, "there is no repository");
	*ret_position = (struct cut_position){
		.serial = stmt_int(repositories, "serial"),
		.cut_at = stmt_int(repositories, "cut_at"),
		.notified_serial = stmt_int(repositories, "notified_serial"),
		.notified_at = stmt_int(repositories, "notified_at"),
		.rsync_serial = stmt_int(repositories, "rsync_serial"),
		.rsync_at = stmt_int(repositories, "rsync_at"),
	};
	TRY(look_anew(connection, ret_position, fault));
	TRY(stmt_start(connection, QUERY_CUT_WAITING_ANYWHERE, &waiting, fault));
	TRY(stmt_step(waiting, &row, fault));
	ret_position->waiting = stmt_int(waiting, "waiting") != 0;
	TRY(stmt_start(connection, QUERY_CUT_BLOCKERS, &blockers, fault));
	TRY(stmt_step(blockers, &row, fault));
	ret_position->blocked = stmt_int(blockers, "n") > 0;
	return FAULT_NONE;
}

enum fault_code
cut_look(struct db *db, struct cut_position *ret_position, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	TRY(db_reader_acquire(db, &connection, fault));
	return look(connection, ret_position, fault);
}

/* Of one repository; of all together while `total` is added up. */
struct cut {
	int64_t repository_id, now_at;
	int64_t serial;                  /* that is being made */
	int64_t total;                   /* of the serials made; 0: none */
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

/* Groups of changes of which nobody waits any more, and the transfers among them, are out with the serials that there are now. */
static enum fault_code
end_groups(struct db_connection *connection, struct fault *fault)
{
	static const enum query queries[] = { QUERY_CUT_GROUPS, QUERY_CUT_TRANSFERS };
	for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
		AUTO(struct stmt, stmt_done) stmt = NULL;
		TRY(stmt_start(connection, queries[i], &stmt, fault));
		TRY(stmt_run(stmt, fault));
	}
	return FAULT_NONE;
}

static enum fault_code
is_waiting(struct db_connection *connection, int64_t repository_id, bool *ret_waiting, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_CUT_WAITING, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", repository_id);
	TRY(stmt_step(stmt, &row, fault));
	*ret_waiting = stmt_int(stmt, "waiting") != 0;
	return FAULT_NONE;
}

/* A repository in which nothing waits keeps its serial: a delta without elements is not allowed (RFC 8182 §3.5.3.3). */
static enum fault_code
cut_repository(struct db_connection *connection, struct cut *cut, struct fault *fault)
{
	bool waiting = false;
	TRY(is_waiting(connection, cut->repository_id, &waiting, fault));
	if (!waiting)
		return FAULT_NONE;
	/* Numbers are committed here, before any byte leaves the process (RFC 9286 §4.2.1, RFC 9829). */
	TRY(run(connection, QUERY_CUT_KEYS, cut, false, fault));
	TRY(run(connection, QUERY_CUT_WITHDRAW, cut, true, fault));
	TRY(run(connection, QUERY_CUT_PUBLISH, cut, true, fault));
	cut->total++;
	return insert_cut(connection, cut, fault);
}

static enum fault_code
cut_repositories(struct db_connection *connection, struct cut *cut, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_CUT_REPOSITORIES, &stmt, fault));
	for (;;) {
		bool row;
		TRY(stmt_step(stmt, &row, fault));
		if (!row)
			return FAULT_NONE;
		cut->repository_id = stmt_int(stmt, "repository_id");
		cut->serial = stmt_int(stmt, "serial") + 1;
		TRY(cut_repository(connection, cut, fault));
	}
}

static enum fault_code
make(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct cut *cut = argument;
	struct cut_position position;
	TRY(look(connection, &position, fault));
	/* Changes that took each other back leave nothing to publish: what is out has them. */
	if (!position.waiting)
		return end_groups(connection, fault);
	if (position.blocked)
		return fault_set(fault, FAULT_BUSY, "a parent's manifest has to be issued first");
	/* A cut under a clock that was ahead holds up nobody. */
	if (cut->now_at <= position.cut_at && !timing_never_was(position.cut_at, cut->now_at))
		return fault_set(fault, FAULT_CLOCK, "the clock is not past the last cut yet: %lld s to go",
			(long long)(position.cut_at - cut->now_at + 1));
	TRY(guard_count(connection, cut->now_at, fault));
	TRY(cut_repositories(connection, cut, fault));
	cut->total += position.serial;
	return end_groups(connection, fault);
}

enum fault_code
cut_make(struct db *db, const struct clock *clock, int64_t *ret_serial, struct fault *fault)
{
	struct cut cut = { .now_at = clock_now(clock) };
	TRY(db_write(db, make, &cut, fault));
	*ret_serial = cut.total;
	return FAULT_NONE;
}
