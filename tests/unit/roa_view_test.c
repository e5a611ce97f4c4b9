#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ca/views/views.h"
#include "tests/unit/registry.h"

struct listing {
	char text[4096];
	size_t rows;
};

static enum fault_code
note(void *argument, const struct roa_row *row, struct fault *fault)
{
	static const char *const states[] = { [ROA_PENDING] = "pending", [ROA_PUBLISHED] = "published",
		[ROA_NOT_HELD] = "not_held" };
	struct listing *listing = argument;
	char payload[PAYLOAD_TEXT];
	size_t length = strlen(listing->text);
	(void)fault;
	listing->rows++;
	payload_text(&row->payload, payload);
	(void)snprintf(listing->text + length, sizeof listing->text - length, "%s %s%s%s%s%s\n", payload, states[row->status],
		row->reason != NULL ? ": " : "", row->reason != NULL ? row->reason : "", row->comment != NULL ? " # " : "",
		row->comment != NULL ? row->comment : "");
	return FAULT_NONE;
}

static const char *
list(struct registry *registry, int64_t ca_id)
{
	static struct listing listing;
	int64_t version;
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	listing = (struct listing){ .rows = 0 };
	assert_int_equal(db_reader_acquire(registry->db, &connection, NULL), FAULT_NONE);
	assert_int_equal(roa_view_list(connection, ca_id, note, &listing, &version, &registry->fault), FAULT_NONE);
	return listing.text;
}

/* A member with one ROA, 192.0.2.0/24, and a key. */
static int64_t
alpha(struct registry *registry)
{
	int64_t id = registry_member_id(registry, "alpha", "192.0.2.0/24");
	registry_sql(registry, "INSERT INTO roas VALUES (%" PRId64 ", 64496, 4, X'C0000200', 24, 24, NULL, 1);"
		"INSERT INTO keys (key_id, ca_id, spki, key_identifier, created_at) VALUES (9, %" PRId64 ", X'00', X'09', 1)", id,
		id);
	return id;
}

/* An object that says so; serials as SQL. */
static void
issue(struct registry *registry, int64_t ca_id, int object_id, const char *published, const char *withdrawn)
{
	registry_sql(registry, "INSERT INTO objects (object_id, repository_id, ca_id, key_id, kind, path, hash, size, "
		"not_before_at,"
		" not_after_at, modified_at, published_serial, withdrawing, withdrawn_serial) VALUES (%d, 1, %" PRId64 ", 9, "
		"'roa', '%d.roa',"
		" X'00', 1, 1, 2, 1, %s, %s IS NOT NULL, %s);"
		"INSERT INTO roa_payloads VALUES (%" PRId64 ", 64496, 4, X'C0000200', 24, 24, %d)",
		object_id, ca_id, object_id, published, withdrawn, withdrawn, ca_id, object_id);
}

static void
roa_view__follows_a_roa_through_its_states(void **state)
{
	struct registry *registry = *state;
	int64_t id = alpha(registry);
	assert_string_equal(list(registry, id), "AS64496 192.0.2.0/24 pending: queued\n");
	issue(registry, id, 1, "NULL", "NULL"); /* signed, in no cut */
	assert_string_equal(list(registry, id), "AS64496 192.0.2.0/24 pending: queued\n");
	registry_sql(registry, "UPDATE objects SET published_serial = 5; UPDATE repositories SET serial = 5, notified_serial = "
		"4");
	assert_string_equal(list(registry, id), "AS64496 192.0.2.0/24 pending: queued\n");
	registry_sql(registry, "UPDATE repositories SET notified_serial = 5");
	assert_string_equal(list(registry, id), "AS64496 192.0.2.0/24 published\n");
	/* Made anew: the old one still stands in the notification until the new one does. */
	registry_sql(registry, "UPDATE objects SET withdrawing = 1, withdrawn_serial = 6");
	issue(registry, id, 2, "6", "NULL");
	assert_string_equal(list(registry, id), "AS64496 192.0.2.0/24 published\n");
	registry_sql(registry, "UPDATE repositories SET notified_serial = 6");
	assert_string_equal(list(registry, id), "AS64496 192.0.2.0/24 published\n");
	registry_sql(registry, "UPDATE objects SET withdrawing = 1, withdrawn_serial = 7 WHERE object_id = 2;"
		"UPDATE repositories SET notified_serial = 7");
	assert_string_equal(list(registry, id), "AS64496 192.0.2.0/24 pending: queued\n");
}

static void
roa_view__what_is_not_held_is_told_at_once(void **state)
{
	struct registry *registry = *state;
	int64_t id = alpha(registry);
	AUTO_CLEAR(struct resource_set, resource_set_clear) half = registry_resources("192.0.2.0/25");
	issue(registry, id, 1, "1", "NULL");
	registry_sql(registry, "UPDATE repositories SET notified_serial = 1");
	assert_string_equal(list(registry, id), "AS64496 192.0.2.0/24 published\n");
	assert_int_equal(ca_set_resources(&registry->context, &registry_admin, id, &half, &registry->complaints, NULL),
		FAULT_NONE);
	assert_string_equal(list(registry, id), "AS64496 192.0.2.0/24 not_held: resources are not held by this CA\n");
}

static void
roa_view__says_why_a_ca_was_set_aside(void **state)
{
	struct registry *registry = *state;
	int64_t id = alpha(registry);
	registry_sql(registry, "UPDATE cas SET set_aside_at = 5, set_aside_reason = 'the lint refused' WHERE ca_id = %" PRId64,
		id);
	assert_string_equal(list(registry, id), "AS64496 192.0.2.0/24 pending: CA set aside: the lint refused\n");
	issue(registry, id, 1, "1", "NULL");
	registry_sql(registry, "UPDATE repositories SET notified_serial = 1");
	assert_string_equal(list(registry, id), "AS64496 192.0.2.0/24 published\n");
}

static void
roa_view__says_that_a_ca_is_held_or_suspended(void **state)
{
	struct registry *registry = *state;
	int64_t id = alpha(registry);
	registry_sql(registry, "UPDATE cas SET held_at = 5 WHERE ca_id = %" PRId64, id);
	assert_string_equal(list(registry, id), "AS64496 192.0.2.0/24 pending: held\n");
	registry_sql(registry, "UPDATE cas SET held_at = NULL, suspended_at = 5 WHERE ca_id = %" PRId64, id);
	assert_string_equal(list(registry, id), "AS64496 192.0.2.0/24 pending: suspended\n");
	/* What validators still see is published, whatever is wanted. */
	issue(registry, id, 1, "1", "NULL");
	registry_sql(registry, "UPDATE repositories SET notified_serial = 1");
	assert_string_equal(list(registry, id), "AS64496 192.0.2.0/24 published\n");
}

static void
roa_view__lists_in_the_order_of_payloads(void **state)
{
	struct registry *registry = *state;
	int64_t version, id = registry_member_id(registry, "alpha", "192.0.2.0/24 2001:db8::/32");
	registry_sql(registry, "INSERT INTO roas VALUES (%" PRId64 ", 64497, 4, X'C0000200', 24, 24, 'c', 1),"
		" (%" PRId64 ", 64496, 6, X'20010DB8000000000000000000000000', 32, 48, NULL, 1), (%" PRId64 ", 64496, 4, "
		"X'C0000280', 25, 25, NULL, 1),"
		" (%" PRId64 ", 64496, 4, X'C0000200', 24, 25, NULL, 1), (%" PRId64 ", 64496, 4, X'C0000200', 24, 24, NULL, 1),"
		" (%" PRId64 ", 4294967295, 4, X'C0000200', 24, 24, NULL, 1), (%" PRId64 ", 0, 4, X'C0000200', 24, 24, NULL, 1);"
		"UPDATE cas SET roas_version = 12", id, id, id, id, id, id, id);
	assert_string_equal(list(registry, id), "AS0 192.0.2.0/24 pending: queued\nAS64496 192.0.2.0/24 pending: queued\n"
		"AS64496 192.0.2.0/24-25 pending: queued\nAS64496 192.0.2.128/25 pending: queued\nAS64496 2001:db8::/32-48 "
		"pending: queued\n"
		"AS64497 192.0.2.0/24 pending: queued # c\nAS4294967295 192.0.2.0/24 pending: queued\n");
	struct listing listing = { .rows = 0 };
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	assert_int_equal(db_reader_acquire(registry->db, &connection, NULL), FAULT_NONE);
	assert_int_equal(roa_view_list(connection, id, note, &listing, &version, NULL), FAULT_NONE);
	assert_int_equal(version, 12);
	assert_int_equal(roa_view_list(connection, 3, note, &listing, &version, NULL), FAULT_NONE);
	assert_int_equal(roa_view_list(connection, 99, note, &listing, &version, NULL), FAULT_NOT_FOUND);
}

#define CASE(name) cmocka_unit_test_setup_teardown(roa_view__##name, registry_setup, registry_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(follows_a_roa_through_its_states),
		CASE(what_is_not_held_is_told_at_once),
		CASE(says_why_a_ca_was_set_aside),
		CASE(says_that_a_ca_is_held_or_suspended),
		CASE(lists_in_the_order_of_payloads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
