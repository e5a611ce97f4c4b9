#include "tests/unit/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ca/base/memory.h"
#include "ca/commands/tree_commands.h"
#include "db/connection.h"
#include "tests/unit/scratch.h"

const struct actor registry_admin = { .name = "the admin", .token_id = "00000000000000aa", .role = ROLE_ADMIN,
	.request_id = "r-1" };
const struct actor registry_operator = { .name = "an operator", .role = ROLE_OPERATOR };

/* What cases get as their state; the scratch directory is found behind it. */
struct home {
	struct registry registry;
	void *scratch;
	char *path;
};

struct actor
registry_member(int64_t ca_id)
{
	return (struct actor){ .name = "a member", .token_id = "00000000000000bb", .role = ROLE_MEMBER, .ca_id = ca_id };
}

static void
count_wake(void *scheduler)
{
	struct registry *registry = scheduler;
	registry->wakes++;
}

static void
make_tree(struct registry *registry)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) all = registry_resources(
		"AS0-AS4294967295 192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 10.0.0.0/8 2001:db8::/32");
	struct tree_request request = {
		.rrdp_uri = "https://rrdp.example.net/rrdp/",
		.rsync_uri = "rsync://rsync.example.net/repo/",
		.resources = &all,
		.ta = { .handle = SPAN("t", 1), .spki = SPAN("t", 1), .identifier = { 1 } },
		.online = { .handle = SPAN("o", 1), .spki = SPAN("o", 1), .identifier = { 2 } },
		.issuing = { .handle = SPAN("i", 1), .spki = SPAN("i", 1), .identifier = { 3 } },
	};
	assert_int_equal(tree_create(&registry->context, &registry_admin, &request, &registry->fault), FAULT_NONE);
}

int
registry_setup(void **state)
{
	struct home *home = calloc(1, sizeof *home);
	assert_non_null(home);
	struct registry *registry = &home->registry;
	if (scratch_setup(&home->scratch) != 0)
		return -1;
	home->path = strdup(scratch_path(&home->scratch, "cadastre.db"));
	clock_init_hand(&registry->clock, REGISTRY_NOW);
	assert_int_equal(db_open(home->path, true, &registry->db, &registry->fault), FAULT_NONE);
	registry->refused[0] = (struct asn_range){ 23456, 23456 };
	registry->refused[1] = (struct asn_range){ 65535, 65535 };
	registry->context = (struct command_context){
		.db = registry->db,
		.clock = &registry->clock,
		.refused_asns = { registry->refused, 2 },
		.placing = COMMAND_PLACING,
		.wake = count_wake,
		.scheduler = registry,
	};
	make_tree(registry);
	*state = registry;
	return 0;
}

int
registry_teardown(void **state)
{
	struct home *home = *state;
	registry_forget(&home->registry);
	db_close(home->registry.db);
	free(home->path);
	int result = scratch_teardown(&home->scratch);
	free(home);
	return result;
}

const char *
registry_path(struct registry *registry, const char *name)
{
	struct home *home = (struct home *)registry; /* its first member */
	return scratch_path(&home->scratch, name);
}

void
registry_reopen(struct registry *registry)
{
	struct home *home = (struct home *)registry; /* its first member */
	db_close(registry->db);
	registry->db = NULL;
	assert_int_equal(db_open(home->path, false, &registry->db, &registry->fault), FAULT_NONE);
	registry->context.db = registry->db;
}

static enum fault_code
add_resource(struct resource_set *set, const char *text)
{
	if (strncmp(text, "AS", 2) == 0)
		return resource_set_parse_asns(set, text, NULL);
	return resource_set_parse_addresses(set, strchr(text, ':') != NULL ? FAMILY_IPV6 : FAMILY_IPV4, text, NULL);
}

struct resource_set
registry_resources(const char *text)
{
	struct resource_set set = RESOURCE_SET_INIT;
	AUTO(char, free) copy = strdup(text);
	char *rest = copy;
	for (char *item; (item = strsep(&rest, " ")) != NULL;)
		if (*item != '\0')
			assert_int_equal(add_resource(&set, item), FAULT_NONE);
	assert_int_equal(resource_set_normalise(&set, NULL), FAULT_NONE);
	return set;
}

void
registry_forget(struct registry *registry)
{
	complaints_clear(&registry->complaints);
	registry->fault = FAULT_INIT;
}

enum fault_code
registry_create(struct registry *registry, const char *handle, const char *resources, int64_t *ret_ca_id)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = registry_resources(resources);
	registry_forget(registry);
	return ca_create(&registry->context, &registry_admin, handle, &set, &registry->complaints, ret_ca_id, &registry->fault);
}

int64_t
registry_member_id(struct registry *registry, const char *handle, const char *resources)
{
	int64_t ca_id = 0;
	if (registry_create(registry, handle, resources, &ca_id) != FAULT_NONE)
		fail_msg("%s", registry->fault.message);
	return ca_id;
}

static enum fault_code
run_sql(struct db_connection *connection, void *argument, struct fault *fault)
{
	return connection_run(connection, "a test", argument, fault);
}

void
registry_sql(struct registry *registry, const char *format, ...)
{
	char sql[4096];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(sql, sizeof sql, format, arguments);
	va_end(arguments);
	if (db_write(registry->db, run_sql, sql, &registry->fault) != FAULT_NONE)
		fail_msg("%s: %s", sql, registry->fault.message);
}

/* Both ways of reading a single value. */
static int64_t
read_value(struct registry *registry, const char *sql, bool as_text, char *text, size_t room)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row = false;
	if (db_reader_acquire(registry->db, &connection, &registry->fault) != FAULT_NONE ||
		stmt_prepare(connection, "a test", sql, &stmt, &registry->fault) != FAULT_NONE ||
		stmt_step(stmt, &row, &registry->fault) != FAULT_NONE)
		fail_msg("%s: %s", sql, registry->fault.message);
	if (!row)
		fail_msg("%s: no row", sql);
	if (!as_text)
		return stmt_int(stmt, "it");
	(void)snprintf(text, room, "%s", stmt_null(stmt, "it") ? "(null)" : stmt_text(stmt, "it"));
	return 0;
}

int64_t
registry_number(struct registry *registry, const char *format, ...)
{
	char sql[4096];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(sql, sizeof sql, format, arguments);
	va_end(arguments);
	return read_value(registry, sql, false, NULL, 0);
}

const char *
registry_text(struct registry *registry, const char *format, ...)
{
	static char text[4096];
	char sql[4096];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(sql, sizeof sql, format, arguments);
	va_end(arguments);
	(void)read_value(registry, sql, true, text, sizeof text);
	return text;
}

const char *
registry_complaints(struct registry *registry)
{
	static char text[65536];
	size_t length = 0;
	text[0] = '\0';
	for (size_t i = 0; i < registry->complaints.count && length < sizeof text - 512; i++) {
		const struct complaint *complaint = &registry->complaints.items[i];
		length += (size_t)snprintf(text + length, sizeof text - length, "%s[%zu]%s%s: %s\n", complaint->list,
			complaint->index,
			complaint->field != NULL ? "." : "", complaint->field != NULL ? complaint->field : "", complaint->reason);
	}
	return text;
}
