#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after what it needs */
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "ca/base/atomic_file.h"
#include "ca/commands/ca_commands.h"
#include "ca/commands/roa_commands.h"
#include "ca/commands/tree_commands.h"
#include "ca/der/certificate.h"
#include "ca/jobs/cut.h"
#include "ca/keys/software_signer.h"
#include "ca/resources/resource_list.h"
#include "db/connection.h"
#include "db/stmt.h"
#include "tests/support/fixed_keys.h"
#include "tests/support/prime_keys.h"
#include "tests/support/world.h"

const struct actor world_actor = { .name = "test", .role = ROLE_ADMIN };

static void
make_key(struct world *world, struct bytes *handle, struct bytes *spki, struct tree_key *ret_key)
{
	WORLD_OK(signer_generate(world->signer, handle, spki, fault));
	ret_key->handle = bytes_span(handle);
	ret_key->spki = bytes_span(spki);
	WORLD_OK(certificate_key_identifier(ret_key->spki, ret_key->identifier, fault));
}

static void
make_tree(struct world *world)
{
	struct bytes handles[3] = { BYTES_INIT, BYTES_INIT, BYTES_INIT }, spkis[3] = { BYTES_INIT, BYTES_INIT, BYTES_INIT };
	struct resource_set all = RESOURCE_SET_INIT;
	struct tree_instance instance;
	WORLD_OK(resource_set_all(&all, fault));
	struct tree_request request = {
		.rrdp_uri = "https://rrdp.example.net/rrdp/", .rsync_uri = "rsync://rsync.example.net/repo/", .resources = &all,
	};
	make_key(world, &handles[0], &spkis[0], &request.ta);
	make_key(world, &handles[1], &spkis[1], &request.online);
	make_key(world, &handles[2], &spkis[2], &request.issuing);
	WORLD_OK(tree_create(&world->context, &world_actor, &request, fault));
	WORLD_OK(tree_instance_get(world->db, &instance, fault));
	world->repository_id = instance.repository_id;
	for (size_t i = 0; i < 3; i++) {
		bytes_clear(&handles[i]);
		bytes_clear(&spkis[i]);
	}
	resource_set_clear(&all);
}

static void
start(struct world *world, bool create)
{
	struct secret *master_key;
	char path[300];
	(void)snprintf(path, sizeof path, "%s/db", world->directory);
	WORLD_OK(db_open(path, create, &world->db, fault));
	WORLD_OK(secret_new(32, &master_key, fault));
	WORLD_OK(software_signer_new(master_key, world->ca_keys, &world->signer, fault));
	WORLD_OK(key_pool_new(world->onetime_keys, 0, 0, &world->pool, fault));
	WORLD_OK(workers_new("signer", 2, 1, &world->workers, fault));
	world->reconcile = (struct reconcile){
		.db = world->db, .clock = &world->clock, .signers = world->workers,
		.issue = { .signer = world->signer, .pool = world->pool },
		.settings = { .timing = timing_default, .layout = roa_layout_default },
	};
	world->reconcile.issue.settings = &world->reconcile.settings;
	world->context = (struct command_context){ .db = world->db, .clock = &world->clock, .placing = COMMAND_PLACING };
}

void
world_start(struct world *world)
{
	start(world, false);
}

void
world_stop(struct world *world)
{
	workers_free(world->workers);
	key_pool_free(world->pool);
	signer_free(world->signer);
	db_close(world->db);
}

void
world_lay(struct world *world, int64_t start_at)
{
	const char *parent = getenv("TMPDIR");
	if (world->ca_keys.make == NULL)
		world->ca_keys = rsa_key_source();
	if (world->onetime_keys.make == NULL)
		world->onetime_keys = fixed_keys_source();
	(void)snprintf(world->directory, sizeof world->directory, "%s/world-XXXXXX", parent != NULL ? parent : "/tmp");
	assert_non_null(mkdtemp(world->directory));
	clock_init_hand(&world->clock, start_at);
	start(world, true);
	make_tree(world);
}

/* Enough for all one-time keys of a case: a ROA's name follows from its key, and no two of a CA may have the same. */
#define PRIMES 72

int
world_open(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	assert_non_null(world);
	prime_keys_prepare(PRIMES);
	world->ca_keys = prime_keys_ca_source();
	world->onetime_keys = prime_keys_onetime_source();
	world_lay(world, WORLD_START);
	*state = world;
	return 0;
}

int
world_close(void **state)
{
	struct world *world = *state;
	world_stop(world);
	WORLD_OK(atomic_file_remove_tree(AT_FDCWD, world->directory, fault));
	free(world);
	return 0;
}

int64_t
world_cut(struct world *world)
{
	struct reconcile_result result = { 0 };
	int64_t serial;
	clock_hand_set(&world->clock, clock_now(&world->clock) + 1);
	WORLD_OK(reconcile_members(&world->reconcile, NULL, &result, fault));
	WORLD_OK(reconcile_parents(&world->reconcile, &result, fault));
	WORLD_OK(cut_make(world->db, &world->clock, &serial, fault));
	return serial;
}

int64_t
world_add_member(struct world *world, const char *handle, const char *resources)
{
	struct resource_set set = RESOURCE_SET_INIT;
	struct complaints complaints = COMPLAINTS_INIT;
	int64_t ca_id;
	if (resources[0] != '\0')
		WORLD_OK(resource_list_parse(resources, &set, fault));
	WORLD_OK(ca_create(&world->context, &world_actor, handle, &set, &complaints, &ca_id, fault));
	resource_set_clear(&set);
	complaints_clear(&complaints);
	return ca_id;
}

static void
read_entry(const char *prefix, struct roa_entry *ret_entry)
{
	*ret_entry = (struct roa_entry){ .payload = { .asn = 64496 } };
	if (prefix == NULL)
		return;
	WORLD_OK(prefix_parse(prefix, &ret_entry->payload.prefix, fault));
	ret_entry->payload.max_length = ret_entry->payload.prefix.length;
}

void
world_change_roas(struct world *world, int64_t ca_id, const char *add, const char *remove)
{
	struct roa_entry added, removed;
	struct complaints complaints = COMPLAINTS_INIT;
	int64_t version;
	read_entry(add, &added);
	read_entry(remove, &removed);
	struct roa_change change = {
		.added = &added, .added_count = add != NULL, .removed = &removed, .removed_count = remove != NULL,
	};
	WORLD_OK(roas_change(&world->context, &world_actor, ca_id, &change, NULL, NULL, &complaints, &version, fault));
	complaints_clear(&complaints);
}

static enum fault_code
run_sql(struct db_connection *connection, void *sql, struct fault *fault)
{
	return connection_run(connection, "a test", sql, fault);
}

struct db *
world_empty_database(struct world *world)
{
	struct db *db = NULL;
	char path[sizeof world->directory + 16];
	(void)snprintf(path, sizeof path, "%s/empty.db", world->directory);
	WORLD_OK(db_open(path, true, &db, fault));
	return db;
}

void
world_sql(struct world *world, const char *sql)
{
	WORLD_OK(db_write(world->db, run_sql, (void *)(uintptr_t)sql, fault));
}

int64_t
world_number(struct world *world, const char *sql)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	WORLD_OK(db_reader_acquire(world->db, &connection, fault));
	WORLD_OK(stmt_prepare(connection, "a test", sql, &stmt, fault));
	WORLD_OK(stmt_step(stmt, &row, fault));
	return row ? stmt_int(stmt, "it") : -1;
}
