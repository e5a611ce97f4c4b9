#include "ca/audit/audit.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ca/views/views.h"
#include "tests/unit/registry.h"

struct writing {
	const struct actor *actor;
	struct audit_event event;
	enum fault_code then;
};

static enum fault_code
write_row(struct db_connection *connection, void *argument, struct fault *fault)
{
	const struct writing *writing = argument;
	TRY(audit_write(connection, 100, writing->actor, &writing->event, fault));
	return writing->then == FAULT_NONE ? FAULT_NONE : fault_set(fault, writing->then, "it failed");
}

static void
write_detail(struct registry *registry, int64_t ca_id, const char *detail)
{
	struct writing writing = { &registry_operator, { .action = "x.y", .ca_id = ca_id, .outcome = "done", .detail = detail },
		FAULT_NONE };
	assert_int_equal(db_write(registry->db, write_row, &writing, &registry->fault), FAULT_NONE);
}

static void
audit__roles_have_their_names(void **state)
{
	enum role role = ROLE_ADMIN;
	(void)state;
	for (int i = 0; i < ROLES; i++) {
		assert_true(role_parse(role_text((enum role)i), &role));
		assert_int_equal(role, i);
	}
	assert_true(role_parse("member-read", &role));
	assert_int_equal(role, ROLE_MEMBER_READ);
	static const char *const none[] = { "", "root", "Admin", "admin ", "members" };
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		assert_false(role_parse(none[i], &role));
	assert_int_equal(role, ROLE_MEMBER_READ);
}

static void
audit__details_are_one_short_line(void **state)
{
	struct registry *registry = *state;
	write_detail(registry, 0, "two\nlines\tand\x7f a bell\a");
	assert_string_equal(registry_text(registry, "SELECT detail AS it FROM audit WHERE action = 'x.y'"),
		"two lines and  a bell ");
	char detail[600];
	memset(detail, 'd', sizeof detail);
	detail[sizeof detail - 1] = '\0';
	memcpy(detail + 498, "€€", 6); /* its last octet is the 501st */
	write_detail(registry, 0, detail);
	assert_int_equal(registry_number(registry, "SELECT length(CAST(detail AS BLOB)) AS it FROM audit ORDER BY audit_id DESC "
		"LIMIT 1"), 498);
	detail[500] = '\0';
	memset(detail, 'd', 500);
	write_detail(registry, 0, detail);
	assert_int_equal(registry_number(registry, "SELECT length(detail) AS it FROM audit ORDER BY audit_id DESC LIMIT 1"), 500);
}

static void
audit__a_row_goes_with_what_it_tells_of(void **state)
{
	struct registry *registry = *state;
	struct writing writing = { &registry_operator, { .action = "x.y", .outcome = "done" }, FAULT_CONFLICT };
	assert_int_equal(db_write(registry->db, write_row, &writing, &registry->fault), FAULT_CONFLICT);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM audit WHERE action = 'x.y'"), 0);
}

struct listing {
	char text[1024];
};

static enum fault_code
note(void *argument, const struct audit_row *row, struct fault *fault)
{
	struct listing *listing = argument;
	size_t length = strlen(listing->text);
	(void)fault;
	(void)snprintf(listing->text + length, sizeof listing->text - length, "%" PRId64 ":%s ", row->audit_id,
		row->detail != NULL ? row->detail : "none");
	return FAULT_NONE;
}

static void
audit__is_listed_newest_first(void **state)
{
	struct registry *registry = *state;
	registry_sql(registry, "DELETE FROM audit; UPDATE sqlite_sequence SET seq = 0 WHERE name = 'audit'");
	static const char *const details[] = { "a", "b", "c", "d", NULL };
	for (int i = 0; i < 5; i++)
		write_detail(registry, i % 2, details[i]);
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	assert_int_equal(db_reader_acquire(registry->db, &connection, NULL), FAULT_NONE);
	struct listing listing = { "" };
	assert_int_equal(audit_view_list(connection, 0, 0, 3, note, &listing, NULL), FAULT_NONE);
	assert_string_equal(listing.text, "5:none 4:d 3:c ");
	listing.text[0] = '\0';
	assert_int_equal(audit_view_list(connection, 0, 3, 3, note, &listing, NULL), FAULT_NONE);
	assert_string_equal(listing.text, "2:b 1:a ");
	listing.text[0] = '\0';
	assert_int_equal(audit_view_list(connection, 1, 0, PAGE_MAX, note, &listing, NULL), FAULT_NONE);
	assert_string_equal(listing.text, "4:d 2:b ");
	listing.text[0] = '\0';
	assert_int_equal(audit_view_list(connection, 1, 4, PAGE_MAX, note, &listing, NULL), FAULT_NONE);
	assert_string_equal(listing.text, "2:b ");
	listing.text[0] = '\0';
	assert_int_equal(audit_view_list(connection, 77, 0, PAGE_MAX, note, &listing, NULL), FAULT_NONE);
	assert_string_equal(listing.text, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(audit__roles_have_their_names),
		cmocka_unit_test_setup_teardown(audit__details_are_one_short_line, registry_setup, registry_teardown),
		cmocka_unit_test_setup_teardown(audit__a_row_goes_with_what_it_tells_of, registry_setup, registry_teardown),
		cmocka_unit_test_setup_teardown(audit__is_listed_newest_first, registry_setup, registry_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
