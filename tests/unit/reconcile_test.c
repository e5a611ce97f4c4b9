#include "ca/jobs/reconcile.h"

#include <fcntl.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* after what it needs */
#include <cmocka.h>

#include "ca/base/atomic_file.h"
#include "ca/commands/ca_commands.h"
#include "ca/commands/roa_commands.h"
#include "ca/commands/tree_commands.h"
#include "ca/der/certificate.h"
#include "ca/jobs/cut.h"
#include "ca/keys/software_signer.h"
#include "ca/resources/resource_list.h"
#include "ca/views/views.h"
#include "db/stmt.h"
#include "tests/support/fixed_keys.h"

#define START INT64_C(1795478400)
#define DAY INT64_C(86400)

/* A whole CA engine without threads, files or HTTP, on a clock by hand. */
struct world {
	char directory[64];
	struct db *db;
	struct clock clock;
	struct signer *signer;
	struct key_pool *pool;
	struct workers *workers;
	struct reconcile reconcile;
	struct command_context context;
	int64_t repository_id;
};

static const struct actor actor = { .name = "test", .role = ROLE_ADMIN };

#define OK(call)                                                                        \
	do {                                                                            \
		struct fault ok_fault_ = FAULT_INIT;                                    \
		struct fault *fault = &ok_fault_;                                       \
		if ((call) != FAULT_NONE)                                               \
			fail_msg("%s: %s (%s:%d)", #call, fault->message, fault->file, fault->line); \
	} while (0)

static void
make_key(struct world *world, struct bytes *handle, struct bytes *spki, struct tree_key *ret_key)
{
	OK(signer_generate(world->signer, handle, spki, fault));
	ret_key->handle = bytes_span(handle);
	ret_key->spki = bytes_span(spki);
	OK(certificate_key_identifier(ret_key->spki, ret_key->identifier, fault));
}

static void
make_tree(struct world *world)
{
	struct bytes handles[3] = { BYTES_INIT, BYTES_INIT, BYTES_INIT }, spkis[3] = { BYTES_INIT, BYTES_INIT, BYTES_INIT };
	struct resource_set all = RESOURCE_SET_INIT;
	struct tree_instance instance;
	OK(resource_set_all(&all, fault));
	struct tree_request request = {
		.rrdp_uri = "https://rrdp.example.net/rrdp/", .rsync_uri = "rsync://rsync.example.net/repo/", .resources = &all,
	};
	make_key(world, &handles[0], &spkis[0], &request.ta);
	make_key(world, &handles[1], &spkis[1], &request.online);
	make_key(world, &handles[2], &spkis[2], &request.issuing);
	OK(tree_create(&world->context, &actor, &request, fault));
	OK(tree_instance_get(world->db, &instance, fault));
	world->repository_id = instance.repository_id;
	for (size_t i = 0; i < 3; i++) {
		bytes_clear(&handles[i]);
		bytes_clear(&spkis[i]);
	}
	resource_set_clear(&all);
}

static int
world_open(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	struct secret *master_key;
	char path[96];
	assert_non_null(world);
	(void)snprintf(world->directory, sizeof world->directory, "/tmp/reconcile-test-XXXXXX");
	assert_non_null(mkdtemp(world->directory));
	(void)snprintf(path, sizeof path, "%s/db", world->directory);
	clock_init_hand(&world->clock, START);
	OK(db_open(path, true, &world->db, fault));
	OK(secret_new(32, &master_key, fault));
	OK(software_signer_new(master_key, rsa_key_source(), &world->signer, fault));
	OK(key_pool_new(fixed_keys_source(), 0, 0, &world->pool, fault));
	OK(workers_new("signer", 2, 1, &world->workers, fault));
	world->reconcile = (struct reconcile){
		.db = world->db, .clock = &world->clock, .signers = world->workers,
		.issue = { .signer = world->signer, .pool = world->pool },
		.settings = { .timing = timing_default, .layout = roa_layout_default },
	};
	world->reconcile.issue.settings = &world->reconcile.settings;
	world->context = (struct command_context){ .db = world->db, .clock = &world->clock };
	make_tree(world);
	*state = world;
	return 0;
}

static int
world_close(void **state)
{
	struct world *world = *state;
	workers_free(world->workers);
	key_pool_free(world->pool);
	signer_free(world->signer);
	db_close(world->db);
	OK(atomic_file_remove_tree(AT_FDCWD, world->directory, fault));
	free(world);
	return 0;
}

/* One round and a cut, a second later than the one before. Returns the serial. */
static int64_t
round_and_cut(struct world *world)
{
	struct reconcile_result result = { 0 };
	int64_t serial;
	clock_hand_set(&world->clock, clock_now(&world->clock) + 1);
	OK(reconcile_members(&world->reconcile, NULL, &result, fault));
	OK(reconcile_parents(&world->reconcile, &result, fault));
	OK(cut_make(world->db, world->repository_id, &world->clock, &serial, fault));
	return serial;
}

static int64_t
add_member(struct world *world, const char *handle, const char *resources)
{
	struct resource_set set = RESOURCE_SET_INIT;
	struct complaints complaints = COMPLAINTS_INIT;
	int64_t ca_id;
	OK(resource_list_parse(resources, &set, fault));
	OK(ca_create(&world->context, &actor, handle, &set, &complaints, &ca_id, fault));
	resource_set_clear(&set);
	complaints_clear(&complaints);
	return ca_id;
}

static void
change_roas(struct world *world, int64_t ca_id, const char *add, const char *remove)
{
	struct roa_entry added = { .payload = { .asn = 64496 } }, removed = { .payload = { .asn = 64496 } };
	struct complaints complaints = COMPLAINTS_INIT;
	int64_t version;
	if (add != NULL) {
		OK(prefix_parse(add, &added.payload.prefix, fault));
		added.payload.max_length = added.payload.prefix.length;
	}
	if (remove != NULL) {
		OK(prefix_parse(remove, &removed.payload.prefix, fault));
		removed.payload.max_length = removed.payload.prefix.length;
	}
	struct roa_change change = {
		.added = &added, .added_count = add != NULL, .removed = &removed, .removed_count = remove != NULL,
	};
	OK(roas_change(&world->context, &actor, ca_id, &change, NULL, NULL, &complaints, &version, fault));
	complaints_clear(&complaints);
}

/* Counts rows: of objects in the state at the last serial, by kind; and of those that are staged. */
struct counts {
	int64_t cer, crl, mft, roa, ta;
};

static struct counts
published(struct world *world)
{
	static const struct { const char *kind; size_t at; } kinds[] = {
		{ "cer", offsetof(struct counts, cer) }, { "crl", offsetof(struct counts, crl) }, { "mft", offsetof(struct counts, mft) },
		{ "roa", offsetof(struct counts, roa) }, { "ta", offsetof(struct counts, ta) },
	};
	struct counts counts = { 0 };
	struct db_connection *connection;
	OK(db_reader_acquire(world->db, &connection, fault));
	for (int64_t ca_id = 1; ca_id < 40; ca_id++) {
		struct stmt *stmt;
		bool row;
		OK(stmt_start(connection, QUERY_RECONCILE_OBJECTS, &stmt, fault));
		stmt_bind_int(stmt, ":ca_id", ca_id);
		for (;;) {
			OK(stmt_step(stmt, &row, fault));
			if (!row)
				break;
			for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
				if (strcmp(stmt_text(stmt, "kind"), kinds[i].kind) == 0 && !stmt_null(stmt, "published_serial"))
					++*(int64_t *)((char *)&counts + kinds[i].at);
		}
		stmt_done(stmt);
	}
	db_reader_release(connection);
	return counts;
}

static void
assert_counts(struct world *world, int64_t cer, int64_t lists, int64_t roa)
{
	struct counts counts = published(world);
	assert_int_equal(counts.cer, cer);
	assert_int_equal(counts.crl, lists);
	assert_int_equal(counts.mft, lists);
	assert_int_equal(counts.roa, roa);
}

static void
reconcile__the_first_cut_brings_the_tree(void **state)
{
	struct world *world = *state;
	assert_int_equal(round_and_cut(world), 1);
	assert_counts(world, 2, 3, 0);
	assert_int_equal(round_and_cut(world), 0);
}

static void
reconcile__a_member_and_its_roas_come_in_one_cut(void **state)
{
	struct world *world = *state;
	int64_t ca_id = add_member(world, "member", "192.0.2.0/24, AS64496");
	change_roas(world, ca_id, "192.0.2.0/25", NULL);
	assert_int_equal(round_and_cut(world), 1);
	assert_counts(world, 3, 4, 1);
	change_roas(world, ca_id, "192.0.2.128/25", "192.0.2.0/25");
	assert_int_equal(round_and_cut(world), 2);
	assert_counts(world, 3, 4, 1);
	assert_int_equal(round_and_cut(world), 0);
}

static void
reconcile__what_never_was_published_leaves_no_trace(void **state)
{
	struct world *world = *state;
	struct reconcile_result result = { 0 };
	int64_t ca_id = add_member(world, "member", "192.0.2.0/24");
	assert_int_equal(round_and_cut(world), 1);
	change_roas(world, ca_id, "192.0.2.0/25", NULL);
	clock_hand_set(&world->clock, clock_now(&world->clock) + 1);
	OK(reconcile_members(&world->reconcile, NULL, &result, fault));
	change_roas(world, ca_id, NULL, "192.0.2.0/25");
	assert_int_equal(round_and_cut(world), 2);
	assert_counts(world, 3, 4, 0);
}

static void
reconcile__lost_resources_take_roas_along_and_give_them_back(void **state)
{
	struct world *world = *state;
	struct resource_set less = RESOURCE_SET_INIT, more = RESOURCE_SET_INIT;
	struct complaints complaints = COMPLAINTS_INIT;
	int64_t ca_id = add_member(world, "member", "192.0.2.0/24, 198.51.100.0/24");
	change_roas(world, ca_id, "192.0.2.0/24", NULL);
	change_roas(world, ca_id, "198.51.100.0/24", NULL);
	assert_int_equal(round_and_cut(world), 1);
	assert_counts(world, 3, 4, 2);
	OK(resource_list_parse("198.51.100.0/24", &less, fault));
	OK(ca_set_resources(&world->context, &actor, ca_id, &less, &complaints, fault));
	assert_int_equal(round_and_cut(world), 2);
	assert_counts(world, 3, 4, 1);
	OK(resource_list_parse("192.0.2.0/24, 198.51.100.0/24", &more, fault));
	OK(ca_set_resources(&world->context, &actor, ca_id, &more, &complaints, fault));
	assert_int_equal(round_and_cut(world), 3);
	assert_counts(world, 3, 4, 2);
	resource_set_clear(&less);
	resource_set_clear(&more);
	complaints_clear(&complaints);
}

static void
reconcile__a_member_that_goes_takes_everything_along(void **state)
{
	struct world *world = *state;
	int64_t ca_id = add_member(world, "member", "192.0.2.0/24"), found;
	change_roas(world, ca_id, "192.0.2.0/24", NULL);
	assert_int_equal(round_and_cut(world), 1);
	OK(ca_delete(&world->context, &actor, ca_id, fault));
	assert_int_equal(round_and_cut(world), 2);
	assert_counts(world, 2, 3, 0);
	struct db_connection *connection;
	OK(db_reader_acquire(world->db, &connection, fault));
	assert_int_equal(ca_view_find(connection, "member", &found, NULL), FAULT_NOT_FOUND);
	db_reader_release(connection);
	add_member(world, "member", "192.0.2.0/24");
	assert_int_equal(round_and_cut(world), 3);
	assert_counts(world, 3, 4, 0);
}

/* Four hundred days in steps of six hours, with nothing but renewals: every object on hand is always current. */
static void
reconcile__renews_by_itself_for_400_days(void **state)
{
	struct world *world = *state;
	int64_t ca_id = add_member(world, "member", "192.0.2.0/24");
	change_roas(world, ca_id, "192.0.2.0/24", NULL);
	assert_int_equal(round_and_cut(world), 1);
	for (int64_t hour = 0; hour < 400 * 24; hour += 6) {
		clock_hand_set(&world->clock, START + hour * 3600 + 10);
		(void)round_and_cut(world);
		for (int64_t id = 1; id <= ca_id; id++) {
			struct db_connection *connection;
			struct stmt *stmt;
			bool row;
			OK(db_reader_acquire(world->db, &connection, fault));
			OK(stmt_start(connection, QUERY_RECONCILE_OBJECTS, &stmt, fault));
			stmt_bind_int(stmt, ":ca_id", id);
			for (;;) {
				OK(stmt_step(stmt, &row, fault));
				if (!row)
					break;
				assert_true(stmt_int(stmt, "not_after_at") > clock_now(&world->clock) + 6 * 3600);
			}
			stmt_done(stmt);
			db_reader_release(connection);
		}
	}
	assert_counts(world, 3, 4, 1);
}

/* A key that can't be opened sets its CA aside; the others go on. */
static void
reconcile__one_ca_set_aside_leaves_the_others_alone(void **state)
{
	struct world *world = *state;
	int64_t good = add_member(world, "good", "192.0.2.0/24"), bad = add_member(world, "bad", "198.51.100.0/24");
	assert_int_equal(round_and_cut(world), 1);
	/* Its row was altered: the handle no longer opens. */
	char command[256];
	(void)snprintf(command, sizeof command, "sqlite3 %s/db \"UPDATE keys SET handle = x'00' WHERE ca_id = %lld\"", world->directory,
		(long long)bad);
	assert_int_equal(system(command), 0);
	change_roas(world, bad, "198.51.100.0/24", NULL);
	change_roas(world, good, "192.0.2.0/24", NULL);
	assert_int_equal(round_and_cut(world), 2);
	assert_counts(world, 4, 5, 1);
	OK(ca_repair(&world->context, &actor, bad, fault));
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
	const struct CMUnitTest tests[] = {
		CASE(reconcile__the_first_cut_brings_the_tree),
		CASE(reconcile__a_member_and_its_roas_come_in_one_cut),
		CASE(reconcile__what_never_was_published_leaves_no_trace),
		CASE(reconcile__lost_resources_take_roas_along_and_give_them_back),
		CASE(reconcile__a_member_that_goes_takes_everything_along),
		CASE(reconcile__one_ca_set_aside_leaves_the_others_alone),
		CASE(reconcile__renews_by_itself_for_400_days),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
