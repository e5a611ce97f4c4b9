#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ca/views/views.h"
#include "tests/unit/registry.h"

/* What a list gave, one line a row; `stop_at` rows: then it fails. */
struct listing {
	char text[4096];
	size_t rows, stop_at;
};

static enum fault_code
note(void *argument, const struct ca_row *row, struct fault *fault)
{
	struct listing *listing = argument;
	size_t length = strlen(listing->text);
	if (++listing->rows == listing->stop_at)
		return fault_set(fault, FAULT_DISK, "enough");
	(void)snprintf(listing->text + length, sizeof listing->text - length, "%s|%s|%s|%s|%zu%s|v%" PRId64 "\n", row->handle,
		row->kind,
		row->parent_handle != NULL ? row->parent_handle : "none", row->state, resource_set_ranges(row->resources),
		row->inherits ? " inherits" : "", row->version);
	return FAULT_NONE;
}

static enum fault_code
list(struct registry *registry, int64_t only, const char *after, int64_t limit, struct listing *listing)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	*listing = (struct listing){ .stop_at = listing->stop_at };
	assert_int_equal(db_reader_acquire(registry->db, &connection, NULL), FAULT_NONE);
	return ca_view_list(connection, only, after, limit, note, listing, &registry->fault);
}

static void
ca_view__lists_pages_by_handle(void **state)
{
	struct registry *registry = *state;
	struct listing listing = { .rows = 0 };
	(void)registry_member_id(registry, "zeta", "AS64496");
	(void)registry_member_id(registry, "alpha", "");
	(void)registry_member_id(registry, "omega", "");
	assert_int_equal(list(registry, 0, NULL, PAGE_MAX, &listing), FAULT_NONE);
	assert_string_equal(listing.text, "alpha|member|issuing|active|0|v1\nomega|member|issuing|active|0|v1\n"
		"zeta|member|issuing|active|1|v1\n");
	assert_int_equal(list(registry, 0, "alpha", 1, &listing), FAULT_NONE);
	assert_string_equal(listing.text, "omega|member|issuing|active|0|v1\n");
	assert_int_equal(list(registry, 0, "no such handle", 1, &listing), FAULT_NONE);
	assert_string_equal(listing.text, "omega|member|issuing|active|0|v1\n");
	assert_int_equal(list(registry, 0, "zeta", 1, &listing), FAULT_NONE);
	assert_int_equal(listing.rows, 0);
}

static void
ca_view__lists_the_only_ca_somebody_sees(void **state)
{
	struct registry *registry = *state;
	struct listing listing = { .rows = 0 };
	int64_t alpha = registry_member_id(registry, "alpha", "");
	assert_int_equal(list(registry, alpha, NULL, 10, &listing), FAULT_NONE);
	assert_string_equal(listing.text, "alpha|member|issuing|active|0|v1\n");
	assert_int_equal(list(registry, alpha, "alpha", 10, &listing), FAULT_NONE);
	assert_int_equal(listing.rows, 0);
	assert_int_equal(list(registry, 99, NULL, 10, &listing), FAULT_NOT_FOUND);
}

static void
ca_view__a_list_ends_with_the_fault_of_its_taker(void **state)
{
	struct registry *registry = *state;
	struct listing listing = { .stop_at = 2 };
	(void)registry_member_id(registry, "alpha", "");
	(void)registry_member_id(registry, "zeta", "");
	assert_int_equal(list(registry, 0, NULL, 10, &listing), FAULT_DISK);
	assert_int_equal(listing.rows, 2);
}

static void
ca_view__deleted_cas_are_nobodys(void **state)
{
	struct registry *registry = *state;
	struct listing listing = { .rows = 0 };
	int64_t found, alpha = registry_member_id(registry, "alpha", "");
	registry_sql(registry, "UPDATE cas SET state = 'deleting' WHERE ca_id = %" PRId64, alpha);
	assert_int_equal(list(registry, 0, NULL, 1, &listing), FAULT_NONE);
	assert_string_equal(listing.text, "alpha|member|issuing|deleting|0|v1\n");
	registry_sql(registry, "UPDATE cas SET state = 'deleted' WHERE ca_id = %" PRId64, alpha);
	assert_int_equal(list(registry, 0, NULL, 1, &listing), FAULT_NONE);
	assert_string_equal(listing.text, "");
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	assert_int_equal(db_reader_acquire(registry->db, &connection, NULL), FAULT_NONE);
	assert_int_equal(ca_view_find(connection, "alpha", &found, &registry->fault), FAULT_NOT_FOUND);
	assert_string_equal(registry->fault.message, "there is no CA \"alpha\"");
	assert_int_equal(ca_view_get(connection, alpha, note, &listing, NULL), FAULT_NOT_FOUND);
	assert_int_equal(ca_view_find(connection, "online", &found, NULL), FAULT_NONE);
	assert_int_equal(found, 2);
}

static void
ca_view__a_damaged_set_is_a_fault(void **state)
{
	struct registry *registry = *state;
	struct listing listing = { .rows = 0 };
	int64_t alpha = registry_member_id(registry, "alpha", "");
	registry_sql(registry, "UPDATE cas SET resources = X'01000000' WHERE ca_id = %" PRId64, alpha);
	assert_int_equal(list(registry, alpha, NULL, 10, &listing), FAULT_MALFORMED);
}

#define CASE(name) cmocka_unit_test_setup_teardown(ca_view__##name, registry_setup, registry_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(lists_pages_by_handle),
		CASE(lists_the_only_ca_somebody_sees),
		CASE(a_list_ends_with_the_fault_of_its_taker),
		CASE(deleted_cas_are_nobodys),
		CASE(a_damaged_set_is_a_fault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
