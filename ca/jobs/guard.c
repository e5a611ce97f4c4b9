#include "ca/jobs/guard.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ca/audit/audit.h"
#include "ca/base/base64.h"
#include "ca/base/digest.h"
#include "ca/base/metrics.h"
#include "db/stmt.h"

#define ADDRESS_MAX 16
#define DETAIL_SIZE 200
#define ROWS_SHARE 10
/* Losses are added up over so long: what reaches the cuts in small parts is caught as well. */
#define WINDOW_S 3600

struct toll {
	int64_t repository_id, now_at;       /* the first: what is of all stands with it */
	int64_t payloads, cas;               /* that are out */
	int64_t payloads_before, cas_before, before_at; /* at the window's begin */
	int64_t payloads_in, cas_in, payloads_out, cas_out; /* by the change, made anew or not */
	int64_t payloads_lost, cas_lost;
	char code[GUARD_CODE_SIZE];
	bool accepted, known;                /* by an operator; refused before */
};

static enum fault_code
read_totals(struct db_connection *connection, struct toll *toll, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_GUARD_TOTALS, &stmt, fault));
	TRY(stmt_step(stmt, &row, fault));
	if (!row)
		return fault_set(fault, FAULT_NOT_FOUND, "there is no repository");
	toll->repository_id = stmt_int(stmt, "repository_id");
	toll->payloads = stmt_int(stmt, "payloads");
	toll->cas = stmt_int(stmt, "cas");
	toll->payloads_before = stmt_int(stmt, "payloads_before");
	toll->cas_before = stmt_int(stmt, "cas_before");
	toll->before_at = stmt_int(stmt, "before_at");
	if (toll->before_at > toll->now_at || toll->before_at <= toll->now_at - WINDOW_S) {
		toll->payloads_before = toll->payloads;
		toll->cas_before = toll->cas;
		toll->before_at = toll->now_at;
	}
	return FAULT_NONE;
}

static enum fault_code
step_to_change(struct stmt *stmt, struct toll *toll, struct fault *fault)
{
	bool row;
	TRY(stmt_step(stmt, &row, fault));
	toll->payloads_in = stmt_int(stmt, "payloads_in");
	toll->payloads_out = stmt_int(stmt, "payloads_out");
	toll->cas_in = stmt_int(stmt, "cas_in");
	toll->cas_out = stmt_int(stmt, "cas_out");
	return FAULT_NONE;
}

static enum fault_code
read_change(struct db_connection *connection, struct toll *toll, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_GUARD_CHANGE_ALL, &stmt, fault));
	return step_to_change(stmt, toll, fault);
}

static bool
above_share(const struct guard_settings *settings, int64_t lost, int64_t before)
{
	return lost * 100 > before * settings->share_percent;
}

/* lost: by this cut; the totals tell what the window's cuts lost together. */
static bool
too_many(const struct guard_settings *settings, const struct toll *toll, int64_t payloads_lost, int64_t cas_lost)
{
	int64_t payloads_after = toll->payloads + toll->payloads_in - toll->payloads_out;
	int64_t cas_after = toll->cas + toll->cas_in - toll->cas_out;
	if (payloads_lost > 0 && (above_share(settings, payloads_lost, toll->payloads) ||
		above_share(settings, toll->payloads_before - payloads_after, toll->payloads_before)))
		return true;
	return cas_lost > 0 && toll->cas >= GUARD_CAS_MIN && (above_share(settings, cas_lost, toll->cas) ||
		above_share(settings, toll->cas_before - cas_after, toll->cas_before));
}

static enum fault_code
add_payloads(struct db_connection *connection, struct toll *toll, struct digest *digest, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_GUARD_PAYLOADS_LOST, &stmt, fault));
	for (;;) {
		char line[128], address[2 * ADDRESS_MAX + 1];
		bool row;
		TRY(stmt_step(stmt, &row, fault));
		if (!row)
			return FAULT_NONE;
		struct span octets = stmt_blob(stmt, "address");
		if (octets.length > ADDRESS_MAX)
			return fault_set(fault, FAULT_DATABASE, "a payload's address has %zu octets", octets.length);
		hex_encode(octets, address);
		int length = snprintf(line, sizeof line, "%" PRId64 " %s/%" PRId64 "-%" PRId64 "\n", stmt_int(stmt, "asn"), address,
			stmt_int(stmt, "prefix_length"), stmt_int(stmt, "max_length"));
		TRY(digest_update(digest, line, (size_t)length, fault));
		toll->payloads_lost++;
	}
}

static enum fault_code
add_cas(struct db_connection *connection, struct toll *toll, struct digest *digest, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_GUARD_CAS_LOST, &stmt, fault));
	for (;;) {
		char line[32];
		bool row;
		TRY(stmt_step(stmt, &row, fault));
		if (!row)
			return FAULT_NONE;
		int length = snprintf(line, sizeof line, "CA %" PRId64 "\n", stmt_int(stmt, "subject_ca_id"));
		TRY(digest_update(digest, line, (size_t)length, fault));
		toll->cas_lost++;
	}
}

/* The same losses have the same code, whatever else waits; any other loss has another. */
static enum fault_code
name_losses(struct db_connection *connection, struct toll *toll, struct fault *fault)
{
	AUTO(struct digest, digest_free) digest = NULL;
	uint8_t hash[SHA256_SIZE];
	TRY(digest_new(&digest, fault));
	TRY(add_payloads(connection, toll, digest, fault));
	TRY(add_cas(connection, toll, digest, fault));
	TRY(digest_finish(digest, hash, fault));
	hex_encode(SPAN(hash, (GUARD_CODE_SIZE - 1) / 2), toll->code);
	return FAULT_NONE;
}

static enum fault_code
look_up_refusal(struct db_connection *connection, struct toll *toll, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_GUARD_REFUSAL, &stmt, fault));
	TRY(stmt_step(stmt, &row, fault));
	toll->known = row && strcmp(stmt_text(stmt, "code"), toll->code) == 0;
	toll->accepted = toll->known && !stmt_null(stmt, "accepted_at");
	return FAULT_NONE;
}

static enum fault_code
look(struct db *db, const struct guard_settings *settings, struct toll *toll, bool *ret_refused, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	*ret_refused = false;
	TRY(db_reader_acquire(db, &connection, fault));
	TRY(read_totals(connection, toll, fault));
	/* Not switched off by the first part of a loss. */
	if (toll->payloads < settings->payloads_min && toll->payloads_before < settings->payloads_min)
		return FAULT_NONE;
	TRY(read_change(connection, toll, fault));
	if (!too_many(settings, toll, toll->payloads_out, toll->cas_out))
		return FAULT_NONE;
	/* Only now is it worth to tell what is lost from what is made anew. */
	TRY(name_losses(connection, toll, fault));
	if (!too_many(settings, toll, toll->payloads_lost, toll->cas_lost))
		return FAULT_NONE;
	TRY(look_up_refusal(connection, toll, fault));
	*ret_refused = !toll->accepted;
	return FAULT_NONE;
}

static void
describe(const struct toll *toll, char ret_words[DETAIL_SIZE])
{
	(void)snprintf(ret_words, DETAIL_SIZE, "%" PRId64 " of %" PRId64 " payloads and %" PRId64 " of %" PRId64 " CAs", toll->payloads_lost,
		toll->payloads, toll->cas_lost, toll->cas);
}

static enum fault_code
write_refusal(struct db_connection *connection, void *argument, struct fault *fault)
{
	const struct toll *toll = argument;
	const struct actor engine = { .name = "cadastre", .role = ROLE_ADMIN };
	AUTO(struct stmt, stmt_done) stmt = NULL;
	char losses[DETAIL_SIZE], detail[DETAIL_SIZE + 64];
	TRY(stmt_start(connection, QUERY_GUARD_REFUSE, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", toll->repository_id);
	stmt_bind_text(stmt, ":code", toll->code);
	stmt_bind_int(stmt, ":now_at", toll->now_at);
	stmt_bind_int(stmt, ":payloads", toll->payloads);
	stmt_bind_int(stmt, ":payloads_lost", toll->payloads_lost);
	stmt_bind_int(stmt, ":cas", toll->cas);
	stmt_bind_int(stmt, ":cas_lost", toll->cas_lost);
	TRY(stmt_run(stmt, fault));
	describe(toll, losses);
	(void)snprintf(detail, sizeof detail, "code %s: would lose %s", toll->code, losses);
	struct audit_event event = { .action = "publication.refuse", .outcome = fault_type(FAULT_GUARD), .detail = detail };
	return audit_write(connection, toll->now_at, &engine, &event, fault);
}

enum fault_code
guard_check(struct db *db, const struct guard_settings *settings, const struct clock *clock, struct fault *fault)
{
	struct toll toll = { .now_at = clock_now(clock) };
	char losses[DETAIL_SIZE];
	bool refused = false;
	if (settings->share_percent > 0)
		TRY(look(db, settings, &toll, &refused, fault));
	metrics_set(METRIC_PUBLICATION_REFUSED, refused);
	if (!refused)
		return FAULT_NONE;
	if (!toll.known)
		TRY(db_write(db, write_refusal, &toll, fault));
	describe(&toll, losses);
	return fault_set(fault, FAULT_GUARD, "the next serial would lose %s, more than %" PRId64 " %%: nothing is published until the change "
		"is taken back or accepted: cadastre publication accept %s", losses, settings->share_percent, toll.code);
}

static bool
missing(int64_t counted, int64_t now)
{
	return (counted - now) * ROWS_SHARE > counted;
}

enum fault_code
guard_check_rows(struct db *db, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(db_reader_acquire(db, &connection, fault));
	TRY(stmt_start(connection, QUERY_GUARD_ROWS, &stmt, fault));
	TRY(stmt_step(stmt, &row, fault));
	int64_t payloads_counted = stmt_int(stmt, "payloads_counted"), cas_counted = stmt_int(stmt, "cas_counted");
	int64_t objects_counted = stmt_int(stmt, "objects_counted"), payloads = stmt_int(stmt, "payloads"), cas = stmt_int(stmt, "cas");
	int64_t objects = stmt_int(stmt, "objects");
	if (!missing(payloads_counted, payloads) && !missing(cas_counted, cas) && !missing(objects_counted, objects))
		return FAULT_NONE;
	return fault_set(fault, FAULT_EPOCH, "the last serial had %" PRId64 " payloads, %" PRId64 " CAs and %" PRId64 " objects, the "
		"database has %" PRId64 ", %" PRId64 " and %" PRId64 ": rows are missing and nothing is published from it. Restore a "
		"backup with `cadastre restore FILE --data DIR`; if it is right after all, `cadastre restore --in-place --data DIR`",
		payloads_counted, cas_counted, objects_counted, payloads, cas, objects);
}

/* What one repository has after the cut. */
static enum fault_code
count_repository(struct db_connection *connection, int64_t repository_id, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) change = NULL;
	AUTO(struct stmt, stmt_done) count = NULL;
	struct toll toll = { .repository_id = repository_id };
	TRY(stmt_start(connection, QUERY_GUARD_CHANGE, &change, fault));
	stmt_bind_int(change, ":repository_id", repository_id);
	TRY(step_to_change(change, &toll, fault));
	TRY(stmt_start(connection, QUERY_GUARD_COUNT, &count, fault));
	stmt_bind_int(count, ":repository_id", repository_id);
	stmt_bind_int(count, ":payloads_more", toll.payloads_in - toll.payloads_out);
	stmt_bind_int(count, ":cas_more", toll.cas_in - toll.cas_out);
	return stmt_run(count, fault);
}

static enum fault_code
count_repositories(struct db_connection *connection, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_CUT_REPOSITORIES, &stmt, fault));
	for (;;) {
		bool row;
		TRY(stmt_step(stmt, &row, fault));
		if (!row)
			return FAULT_NONE;
		TRY(count_repository(connection, stmt_int(stmt, "repository_id"), fault));
	}
}

/* What was accepted is not held against the next cut. */
static enum fault_code
store_before(struct db_connection *connection, const struct toll *toll, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	int64_t payloads_after = toll->payloads + toll->payloads_in - toll->payloads_out;
	int64_t cas_after = toll->cas + toll->cas_in - toll->cas_out;
	TRY(stmt_start(connection, QUERY_GUARD_BEFORE, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", toll->repository_id);
	stmt_bind_int(stmt, ":payloads_before", toll->accepted ? payloads_after : toll->payloads_before);
	stmt_bind_int(stmt, ":cas_before", toll->accepted ? cas_after : toll->cas_before);
	stmt_bind_int(stmt, ":before_at", toll->before_at);
	return stmt_run(stmt, fault);
}

enum fault_code
guard_count(struct db_connection *connection, int64_t now_at, struct fault *fault)
{
	struct toll toll = { .now_at = now_at };
	AUTO(struct stmt, stmt_done) refusal = NULL;
	AUTO(struct stmt, stmt_done) forget = NULL;
	bool row;
	TRY(read_totals(connection, &toll, fault));
	TRY(read_change(connection, &toll, fault));
	TRY(stmt_start(connection, QUERY_GUARD_REFUSAL, &refusal, fault));
	TRY(stmt_step(refusal, &row, fault));
	toll.accepted = row && !stmt_null(refusal, "accepted_at");
	TRY(count_repositories(connection, fault));
	TRY(store_before(connection, &toll, fault));
	stmt_done(MOVE(refusal));
	TRY(stmt_start(connection, QUERY_GUARD_FORGET, &forget, fault));
	return stmt_run(forget, fault);
}
