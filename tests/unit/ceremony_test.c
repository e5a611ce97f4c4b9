#include "ca/jobs/ceremony.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* after what it needs */
#include <cmocka.h>

#include "ca/ceremony/ceremony_sign.h"
#include "ca/jobs/cut.h"
#include "ca/views/views.h"
#include "db/connection.h"
#include "db/stmt.h"
#include "tests/support/world.h"

#define DAY INT64_C(86400)

/* A world whose trust anchor's key was carried away: what is left of it is here. */
struct away {
	struct world *world;
	void *state;
	struct bytes handle, spki;
	struct ceremony_ledger *ledger;
};

static void
carry_away(struct away *away)
{
	struct db_connection *connection;
	struct stmt *stmt;
	bool row;
	WORLD_OK(db_reader_acquire(away->world->db, &connection, fault));
	WORLD_OK(stmt_prepare(connection, "a test", "SELECT handle, spki FROM keys WHERE ca_id = 1", &stmt, fault));
	WORLD_OK(stmt_step(stmt, &row, fault));
	struct span handle = stmt_blob(stmt, "handle"), spki = stmt_blob(stmt, "spki");
	WORLD_OK(bytes_append(&away->handle, handle.data, handle.length, fault));
	WORLD_OK(bytes_append(&away->spki, spki.data, spki.length, fault));
	stmt_done(stmt);
	db_reader_release(connection);
	world_sql(away->world, "UPDATE keys SET handle = NULL WHERE ca_id = 1");
	WORLD_OK(ceremony_ledger_new(&away->ledger, fault));
	WORLD_OK(bytes_append(&away->ledger->ta_key, away->spki.data, away->spki.length, fault));
}

static struct away away;

static int
setup(void **state)
{
	away = (struct away){ .world = NULL };
	assert_int_equal(world_open(&away.state), 0);
	away.world = away.state;
	*state = &away;
	return 0;
}

static int
setup_offline(void **state)
{
	setup(state);
	carry_away(&away);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	bytes_clear(&away.handle);
	bytes_clear(&away.spki);
	ceremony_ledger_free(away.ledger);
	return world_close(&away.state);
}

static struct ceremony_context
context_of(struct world *world)
{
	return (struct ceremony_context){
		.db = world->db, .clock = &world->clock, .signer = world->signer, .timing = &world->reconcile.settings.timing,
	};
}

static void
later(int64_t s)
{
	clock_hand_set(&away.world->clock, clock_now(&away.world->clock) + s);
}

static int64_t
ask(int64_t after, struct bytes *ret_file)
{
	struct ceremony_context context = context_of(away.world);
	struct ceremony_made made = { .file = BYTES_INIT };
	WORLD_OK(ceremony_request_make(&context, &world_actor, after, &made, fault));
	bytes_swap(ret_file, &made.file);
	bytes_clear(&made.file);
	return made.number;
}

static void
answer(const struct bytes *asked, struct bytes *ret_file)
{
	AUTO(struct ceremony_request, ceremony_request_free) request = NULL;
	struct ceremony_anchor anchor = {
		.signer = away.world->signer, .pool = away.world->pool, .handle = bytes_span(&away.handle), .spki = bytes_span(&away.spki),
	};
	int64_t now_at = clock_now(&away.world->clock);
	WORLD_OK(ceremony_request_parse(bytes_span(asked), &request, fault));
	WORLD_OK(ceremony_check(request, away.ledger, NULL, now_at, fault));
	WORLD_OK(ceremony_sign(&anchor, request, away.ledger, now_at, ret_file, fault));
}

static enum fault_code
install(const struct bytes *file, struct fault *fault)
{
	struct ceremony_context context = context_of(away.world);
	struct ceremony_done done;
	return ceremony_response_install(&context, &world_actor, bytes_span(file), &done, fault);
}

static void
must_refuse(const struct bytes *file, enum fault_code expected, const char *words)
{
	struct fault fault = FAULT_INIT;
	int64_t objects = world_number(away.world, "SELECT count(*) AS it FROM objects");
	enum fault_code code = install(file, &fault);
	if (code != expected || strstr(fault.message, words) == NULL)
		fail_msg("fault %d, \"%s\", instead of %d, \"%s\"", (int)code, fault.message, (int)expected, words);
	assert_int_equal(world_number(away.world, "SELECT count(*) AS it FROM objects"), objects);
}

static void
hold(void)
{
	AUTO_CLEAR(struct bytes, bytes_clear) asked = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) answered = BYTES_INIT;
	later(1);
	ask(0, &asked);
	answer(&asked, &answered);
	WORLD_OK(install(&answered, fault));
}

/* Cuts until nothing more is due now. */
static int64_t
cut_all(void)
{
	int64_t serials = 0;
	for (int i = 0; i < 20; i++) {
		if (world_cut(away.world) == 0)
			return serials;
		serials++;
	}
	fail_msg("there is no end to what is due");
	return 0;
}

static struct ta_row
look(void)
{
	struct db_connection *connection;
	struct ta_row row;
	WORLD_OK(db_reader_acquire(away.world->db, &connection, fault));
	WORLD_OK(ta_view_get(connection, clock_now(&away.world->clock), &row, fault));
	db_reader_release(connection);
	return row;
}

#define LIVE "FROM objects WHERE published_serial IS NOT NULL AND withdrawn_serial IS NULL AND ca_id = 1"

/* ---- cases ---- */

static void
ceremony__where_the_key_is_here_there_is_none(void **state)
{
	struct ceremony_context context = context_of(away.world);
	struct ceremony_made made = { .file = BYTES_INIT };
	struct ceremony_done done;
	(void)state;
	assert_int_equal(ceremony_request_make(&context, &world_actor, 0, &made, NULL), FAULT_CONFLICT);
	assert_int_equal(ceremony_response_install(&context, &world_actor, SPAN("x", 1), &done, NULL), FAULT_CONFLICT);
	assert_int_equal(look().urgency, TA_ONLINE);
}

static void
ceremony__the_first_brings_what_was_missing(void **state)
{
	(void)state;
	int64_t ca_id = world_add_member(away.world, "alpha", "192.0.2.0/24, AS64496");
	world_change_roas(away.world, ca_id, "192.0.2.0/24", NULL);
	/* All but the trust anchor's part is there already; nothing is set aside, and nothing is due again and again. */
	cut_all();
	assert_int_equal(world_number(away.world, "SELECT count(*) AS it FROM cas WHERE set_aside_at IS NOT NULL"), 0);
	assert_int_equal(world_number(away.world, "SELECT count(*) AS it " LIVE), 0);
	assert_int_equal(world_number(away.world, "SELECT count(*) AS it FROM objects WHERE kind = 'roa' AND published_serial > 0"), 1);
	assert_int_equal(look().urgency, TA_DUE);
	hold();
	assert_int_not_equal(cut_all(), 0);
	assert_int_equal(world_number(away.world, "SELECT count(*) AS it " LIVE), 4);
	assert_int_equal(world_number(away.world, "SELECT crl_number * 100 + manifest_number AS it FROM keys WHERE ca_id = 1"), 101);
	struct ta_row row = look();
	assert_int_equal(row.urgency, TA_OK);
	assert_int_equal(row.number, 1);
	assert_int_equal(row.pending, 0);
	assert_int_equal(world_number(away.world, "SELECT count(*) AS it FROM audit WHERE action = 'ta.install' AND outcome = 'done'"), 1);
}

static void
ceremony__everything_is_replaced_and_revoked(void **state)
{
	(void)state;
	hold();
	cut_all();
	later(60 * DAY);
	hold();
	cut_all();
	assert_int_equal(world_number(away.world, "SELECT count(*) AS it " LIVE), 4);
	assert_int_equal(world_number(away.world, "SELECT crl_number * 100 + manifest_number AS it FROM keys WHERE ca_id = 1"), 202);
	/* The first certificate of the online CA and the first manifest. */
	assert_int_equal(away.ledger->entries_count, 6);
	assert_int_equal(world_number(away.world, "SELECT count(*) AS it FROM objects WHERE key_id = 1 AND kind <> 'ta' AND revoked_at IS NOT NULL "
		"AND serial IS NOT NULL"), 2);
	assert_int_equal(look().number, 2);
}

/* The clocks of the two machines may differ by minutes: what comes must still be later than what validators have seen. */
static void
ceremony__asks_for_what_is_later_than_all_that_was_seen(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) asked = BYTES_INIT;
	AUTO(struct ceremony_request, ceremony_request_free) first = NULL;
	AUTO(struct ceremony_request, ceremony_request_free) second = NULL;
	(void)state;
	hold();
	cut_all();
	int64_t this_update_at = world_number(away.world, "SELECT this_update_at AS it FROM keys WHERE ca_id = 1");
	assert_true(this_update_at > 0);
	later(60);
	ask(0, &asked);
	WORLD_OK(ceremony_request_parse(bytes_span(&asked), &first, fault));
	assert_int_equal(first->not_before_at, this_update_at);
	assert_int_equal(ceremony_check(first, away.ledger, NULL, this_update_at, NULL), FAULT_CLOCK);
	/* A clock that was ahead has shown nobody anything. */
	world_sql(away.world, "UPDATE keys SET this_update_at = this_update_at + 100000 WHERE ca_id = 1");
	ask(0, &asked);
	WORLD_OK(ceremony_request_parse(bytes_span(&asked), &second, fault));
	assert_int_equal(second->not_before_at, this_update_at - TIMING_BACKDATE_S);
}

static void
ceremony__between_two_everything_else_goes_on(void **state)
{
	(void)state;
	int64_t ca_id = world_add_member(away.world, "alpha", "192.0.2.0/24, AS64496");
	hold();
	cut_all();
	int64_t ends_at = world_number(away.world, "SELECT max(not_after_at) AS it FROM objects WHERE subject_ca_id = 2");
	for (int day = 0; day < 85; day += 5) {
		later(5 * DAY);
		cut_all();
	}
	world_change_roas(away.world, ca_id, "192.0.2.0/24", NULL);
	assert_int_equal(cut_all(), 1);
	assert_int_equal(world_number(away.world, "SELECT max(not_after_at) AS it FROM objects WHERE subject_ca_id = 2"), ends_at);
	/* It never came due: there was nothing that only another machine could have done. */
	assert_true(ends_at > clock_now(&away.world->clock) + 28 * DAY);
	assert_int_equal(world_number(away.world, "SELECT count(*) AS it FROM cas WHERE set_aside_at IS NOT NULL"), 0);
}

static void
ceremony__the_next_one_becomes_more_urgent(void **state)
{
	(void)state;
	hold();
	cut_all();
	later(40 * DAY);
	assert_int_equal(look().urgency, TA_OK);
	later(8 * DAY);
	assert_int_equal(look().urgency, TA_SOON);
	assert_non_null(strstr(look().reason, "in 11 days"));
	later(12 * DAY);
	assert_int_equal(look().urgency, TA_DUE);
	assert_non_null(strstr(look().reason, "29 are left"));
	later(24 * DAY);
	assert_int_equal(look().urgency, TA_OVERDUE);
	assert_non_null(strstr(look().reason, "in 5 days"));
	later(6 * DAY);
	assert_int_equal(look().urgency, TA_OVERDUE);
	assert_non_null(strstr(look().reason, "has ended"));
	hold();
	assert_int_equal(look().urgency, TA_OK);
}

static void
ceremony__replayed_stale_and_foreign_responses_are_refused(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) first = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) second = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) old = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) new = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) nothing = BYTES_INIT;
	(void)state;
	must_refuse(&nothing, FAULT_MALFORMED, "this is no response");
	assert_int_equal(ask(0, &first), 1);
	must_refuse(&first, FAULT_MALFORMED, "this is no response");
	answer(&first, &old);
	assert_int_equal(ask(0, &second), 2);
	must_refuse(&old, FAULT_CONFLICT, "stale: it answers request 1, and the one that waits is 2");
	later(1);
	answer(&second, &new);
	later(-1);
	must_refuse(&new, FAULT_CLOCK, "has not reached");
	later(1);
	WORLD_OK(install(&new, fault));
	must_refuse(&new, FAULT_CONFLICT, "request 2 was installed already");
	must_refuse(&old, FAULT_CONFLICT, "no request waits");
	cut_all();
	must_refuse(&new, FAULT_CONFLICT, "request 2 was installed already");
	/* The same database elsewhere is another instance. */
	assert_int_equal(ask(7, &first), 8);
	later(1);
	answer(&first, &old);
	world_sql(away.world, "UPDATE ta_ceremonies SET request = x'00' WHERE number = 8");
	must_refuse(&old, FAULT_MALFORMED, "this is no request");
}

static void
ceremony__a_response_that_was_never_cut_is_replaced_without_a_trace(void **state)
{
	(void)state;
	hold();
	hold();
	cut_all();
	assert_int_equal(world_number(away.world, "SELECT count(*) AS it FROM objects WHERE ca_id = 1"), 4);
	/* Its numbers were used up all the same: the offline machine has given them. */
	assert_int_equal(world_number(away.world, "SELECT crl_number * 100 + manifest_number AS it FROM keys WHERE ca_id = 1"), 202);
}

/* A key roll of the online CA goes from ceremony to ceremony, and no certificate ever points at what is gone. */
static void
ceremony__carries_a_key_roll_of_the_online_ca(void **state)
{
	char sql[160];
	int64_t ca_id = world_add_member(away.world, "alpha", "192.0.2.0/24, AS64496");
	(void)state;
	world_change_roas(away.world, ca_id, "192.0.2.0/24", NULL);
	hold();
	cut_all();
	(void)snprintf(sql, sizeof sql, "UPDATE cas SET roll_at = %lld, changed_at = 1, version = version + 1 WHERE ca_id = 2",
		(long long)clock_now(&away.world->clock));
	world_sql(away.world, sql);
	later(1);
	cut_all();
	assert_int_equal(world_number(away.world, "SELECT count(*) AS it FROM keys WHERE ca_id = 2 AND state = 'staged'"), 1);
	assert_int_equal(look().urgency, TA_DUE);
	assert_non_null(strstr(look().reason, "a new key of the online CA"));
	/* However long it waits: without a certificate it doesn't take over. */
	later(20 * DAY);
	cut_all();
	assert_int_equal(world_number(away.world, "SELECT count(*) AS it FROM keys WHERE ca_id = 2 AND state = 'retired'"), 0);
	hold();
	cut_all();
	assert_int_equal(look().urgency, TA_OK);
	assert_int_equal(world_number(away.world, "SELECT count(*) AS it " LIVE " AND kind = 'cer'"), 2);
	later(2 * DAY);
	cut_all();
	assert_int_equal(world_number(away.world, "SELECT count(*) AS it FROM keys WHERE ca_id = 2 AND state = 'retired'"), 1);
	/* Nothing hangs from it any more, but its certificate still stands: so do its CRL and manifest. */
	later(30 * DAY);
	cut_all();
	assert_int_equal(world_number(away.world, "SELECT count(*) AS it FROM keys WHERE ca_id = 2 AND state = 'retired'"), 1);
	assert_int_equal(world_number(away.world, "SELECT count(*) AS it FROM objects WHERE ca_id = 2 AND kind = 'mft' AND published_serial > 0 "
		"AND withdrawn_serial IS NULL"), 2);
	hold();
	cut_all();
	later(60);
	cut_all();
	assert_int_equal(world_number(away.world, "SELECT count(*) AS it " LIVE " AND kind = 'cer'"), 1);
	assert_int_equal(world_number(away.world, "SELECT count(*) AS it FROM keys WHERE ca_id = 2 AND state = 'destroyed'"), 1);
	assert_int_equal(world_number(away.world, "SELECT count(*) AS it FROM objects WHERE ca_id = 2 AND kind = 'mft' AND published_serial > 0 "
		"AND withdrawn_serial IS NULL"), 1);
}

int
main(void)
{
#define OFFLINE(name) cmocka_unit_test_setup_teardown(name, setup_offline, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ceremony__where_the_key_is_here_there_is_none, setup, teardown),
		OFFLINE(ceremony__the_first_brings_what_was_missing),
		OFFLINE(ceremony__everything_is_replaced_and_revoked),
		OFFLINE(ceremony__asks_for_what_is_later_than_all_that_was_seen),
		OFFLINE(ceremony__between_two_everything_else_goes_on),
		OFFLINE(ceremony__the_next_one_becomes_more_urgent),
		OFFLINE(ceremony__replayed_stale_and_foreign_responses_are_refused),
		OFFLINE(ceremony__a_response_that_was_never_cut_is_replaced_without_a_trace),
		OFFLINE(ceremony__carries_a_key_roll_of_the_online_ca),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
