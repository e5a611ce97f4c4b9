/*
 * reconcile_cost [MEMBERS [ROAS]]: what issuing costs beside RSA: so many members with so many ROAs each are loaded, signed and cut, with
 * keys that were made before. Everything else is the product's: state, plan, DER, lint, signatures, database.
 *
 * One-time keys are used again and again here, so what it makes must never leave this program: its directory is removed at the end. For
 * a profile of the code without key generation (README.md): perf record, or valgrind --tool=callgrind --toggle-collect=take_turn.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "ca/base/memory.h"
#include "ca/base/metrics.h"
#include "ca/commands/ca_commands.h"
#include "ca/commands/roa_commands.h"
#include "ca/commands/tree_commands.h"
#include "ca/der/certificate.h"
#include "ca/jobs/cut.h"
#include "ca/jobs/reconcile.h"
#include "ca/keys/software_signer.h"
#include "ca/resources/resource_list.h"
#include "tests/support/fixed_keys.h"
#include "tests/support/measures.h"

#define MEMBERS 60
#define ROAS 10
#define TREE_KEYS 3
#define SIGNERS 1 /* so that the keys of one CA follow each other, and none comes twice */
#define ROAS_MAX (FIXED_KEYS - 2)

/* Keys of CAs differ from each other; so they are made before, and each is given out once. */
struct key_reserve {
	struct secret **keys;
	size_t count;
	atomic_size_t next;
};

struct world {
	struct db *db;
	struct clock clock;
	struct signer *signer;
	struct key_pool *pool;
	struct workers *workers;
	struct reconcile reconcile;
	struct command_context context;
	int64_t repository_id;
	struct key_reserve reserve;
};

static const struct actor actor = { .name = "bench", .role = ROLE_ADMIN };

static enum fault_code
take_reserved(void *self, struct secret **ret_private_key, struct fault *fault)
{
	struct key_reserve *reserve = self;
	size_t place = atomic_fetch_add(&reserve->next, 1);
	if (place >= reserve->count)
		return fault_set(fault, FAULT_CRYPTO, "no key is left of those that were made before");
	*ret_private_key = MOVE(reserve->keys[place]);
	return FAULT_NONE;
}

static enum fault_code
fill_reserve(struct key_reserve *reserve, size_t count, struct fault *fault)
{
	struct key_source source = rsa_key_source();
	TRY(memory_new(count, sizeof(struct secret *), &reserve->keys, fault));
	for (; reserve->count < count; reserve->count++)
		TRY(source.make(source.self, &reserve->keys[reserve->count], fault));
	return FAULT_NONE;
}

static enum fault_code
make_tree(struct world *world, struct fault *fault)
{
	struct bytes handles[TREE_KEYS] = { BYTES_INIT }, spkis[TREE_KEYS] = { BYTES_INIT };
	AUTO_CLEAR(struct resource_set, resource_set_clear) all = RESOURCE_SET_INIT;
	struct tree_key keys[TREE_KEYS];
	struct tree_instance instance;
	for (size_t i = 0; i < TREE_KEYS; i++) {
		TRY(signer_generate(world->signer, &handles[i], &spkis[i], fault));
		keys[i] = (struct tree_key){ .handle = bytes_span(&handles[i]), .spki = bytes_span(&spkis[i]) };
		TRY(certificate_key_identifier(keys[i].spki, keys[i].identifier, fault));
	}
	TRY(resource_set_all(&all, fault));
	struct tree_request request = {
		.rrdp_uri = "https://rrdp.example.net/rrdp/", .rsync_uri = "rsync://rsync.example.net/repo/", .resources = &all,
		.ta = keys[0], .online = keys[1], .issuing = keys[2],
	};
	TRY(tree_create(&world->context, &actor, &request, fault));
	for (size_t i = 0; i < TREE_KEYS; i++) {
		bytes_clear(&handles[i]);
		bytes_clear(&spkis[i]);
	}
	TRY(tree_instance_get(world->db, &instance, fault));
	world->repository_id = instance.repository_id;
	return FAULT_NONE;
}

static enum fault_code
open_world(struct world *world, const char *directory, size_t members, struct fault *fault)
{
	AUTO(char, free) path = NULL;
	AUTO(struct secret, secret_free) master_key = NULL;
	struct key_source reserved = { .make = take_reserved, .self = &world->reserve };
	clock_init_hand(&world->clock, time(NULL));
	TRY(fill_reserve(&world->reserve, members + TREE_KEYS, fault));
	TRY(memory_printf(&path, fault, "%s/db", directory));
	TRY(db_open(path, true, &world->db, fault));
	TRY(secret_new(32, &master_key, fault));
	TRY(software_signer_new(MOVE(master_key), reserved, &world->signer, fault));
	TRY(key_pool_new(fixed_keys_source(), 0, 0, &world->pool, fault));
	TRY(workers_new("signer", SIGNERS, 1, &world->workers, fault));
	world->reconcile = (struct reconcile){
		.db = world->db, .clock = &world->clock, .signers = world->workers,
		.issue = { .signer = world->signer, .pool = world->pool },
		.settings = { .timing = timing_default, .layout = roa_layout_default },
	};
	world->reconcile.issue.settings = &world->reconcile.settings;
	world->context = (struct command_context){ .db = world->db, .clock = &world->clock, .placing = COMMAND_PLACING };
	return make_tree(world, fault);
}

static void
close_world(struct world *world)
{
	workers_free(world->workers);
	key_pool_free(world->pool);
	signer_free(world->signer);
	db_close(world->db);
	for (size_t i = 0; i < world->reserve.count; i++)
		secret_free(world->reserve.keys[i]);
	free(world->reserve.keys);
}

/* Member i: 2400:<i>::/32 and an AS number, and a ROA for each of the first /48s. */
static enum fault_code
add_member(struct world *world, size_t number, size_t roas, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) resources = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct complaints, complaints_clear) complaints = COMPLAINTS_INIT;
	AUTO(struct roa_entry, free) entries = NULL;
	char text[100];
	int64_t ca_id, version;
	(void)snprintf(text, sizeof text, "2400:%zx::/32, AS%zu", number, 65536 + number);
	TRY(resource_list_parse(text, &resources, fault));
	(void)snprintf(text, sizeof text, "member-%zu", number);
	TRY(ca_create(&world->context, &actor, text, &resources, &complaints, &ca_id, fault));
	TRY(memory_new(roas, sizeof *entries, &entries, fault));
	for (size_t i = 0; i < roas; i++) {
		(void)snprintf(text, sizeof text, "2400:%zx:%zx::/48", number, i);
		TRY(prefix_parse(text, &entries[i].payload.prefix, fault));
		entries[i].payload.asn = (uint32_t)(65536 + number);
		entries[i].payload.max_length = 48;
		entries[i].index = i;
	}
	struct roa_change change = { .added = entries, .added_count = roas };
	return roas_change(&world->context, &actor, ca_id, &change, NULL, NULL, &complaints, &version, fault);
}

static int64_t
process_cpu_ns(void)
{
	struct timespec used;
	INVARIANT(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0);
	return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

static enum fault_code
issue_all(struct world *world, struct reconcile_result *result, struct fault *fault)
{
	int64_t serial;
	TRY(reconcile_members(&world->reconcile, NULL, result, fault));
	TRY(reconcile_parents(&world->reconcile, result, fault));
	return cut_make(world->db, &world->clock, &serial, fault);
}

static enum fault_code
measure(struct world *world, size_t members, size_t roas, struct fault *fault)
{
	AUTO(struct secret, secret_free) first_key = NULL;
	struct key_source fixed = fixed_keys_source();
	struct reconcile_result result = { 0 };
	TRY(fixed.make(fixed.self, &first_key, fault)); /* the first time, all are made */
	for (size_t i = 0; i < members; i++)
		TRY(add_member(world, i, roas, fault));
	clock_hand_set(&world->clock, clock_now(&world->clock) + 1);
	int64_t signing_ns = metrics_get(METRIC_SIGNATURE_NS), cpu_ns = process_cpu_ns();
	TRY(issue_all(world, &result, fault));
	double objects = (double)result.objects;
	double cpu_us = (double)(process_cpu_ns() - cpu_ns) / 1e3 / objects;
	double signing_us = (double)(metrics_get(METRIC_SIGNATURE_NS) - signing_ns) / 1e3 / objects;
	measures_print("object_signing_cpu_us", signing_us, "us");
	measures_print("object_other_cpu_us", cpu_us - signing_us, "us");
	return FAULT_NONE;
}

int
main(int argc, char **argv)
{
	struct fault fault = FAULT_INIT;
	struct world world = { 0 };
	const char *parent = getenv("TMPDIR");
	char directory[4096];
	size_t members = argc > 1 ? measures_argument(argv[1], 10000) : MEMBERS;
	size_t roas = argc > 2 ? measures_argument(argv[2], ROAS_MAX) : ROAS;
	(void)snprintf(directory, sizeof directory, "%s/reconcile-cost-XXXXXX", parent != NULL ? parent : "/tmp");
	INVARIANT(mkdtemp(directory) != NULL);
	enum fault_code code = open_world(&world, directory, members, &fault);
	if (code == FAULT_NONE)
		code = measure(&world, members, roas, &fault);
	close_world(&world);
	struct fault unused = FAULT_INIT;
	(void)!atomic_file_remove_tree(AT_FDCWD, directory, &unused);
	return code == FAULT_NONE ? EXIT_SUCCESS : measures_fail(&fault);
}
