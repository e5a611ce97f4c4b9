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
};

static enum fault_code
note_object(void *argument, const struct object_row *row, struct fault *fault)
{
	struct listing *listing = argument;
	size_t length = strlen(listing->text);
	(void)fault;
	(void)snprintf(listing->text + length, sizeof listing->text - length, "%s %s %zu %s %" PRId64 "\n", row->uri, row->kind,
		row->hash.length, row->serial.data != NULL ? "serial" : "none", row->published_serial);
	return FAULT_NONE;
}

static const char *
list(struct registry *registry, int64_t ca_id)
{
	static struct listing listing;
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	listing = (struct listing){ "" };
	assert_int_equal(db_reader_acquire(registry->db, &connection, NULL), FAULT_NONE);
	assert_int_equal(object_view_list(connection, ca_id, note_object, &listing, &registry->fault), FAULT_NONE);
	return listing.text;
}

/* subject, published, withdrawn: as SQL. */
static void
insert(struct registry *registry, int64_t ca_id, const char *kind, const char *path, const char *subject, const char *published,
	int withdrawing, const char *withdrawn)
{
	registry_sql(registry, "INSERT INTO objects (repository_id, ca_id, key_id, kind, subject_ca_id, path, serial, hash, size, "
		"not_before_at,"
		" not_after_at, modified_at, published_serial, withdrawing, withdrawn_serial) VALUES (1, %" PRId64 ", 1, '%s', "
		"%s, '%s',"
		" iif('%s' = 'crl', NULL, X'01'), zeroblob(32), 10, 1, 2, 1, %s, %d, %s)",
		ca_id, kind, subject, path, kind, published, withdrawing, withdrawn);
}

static void
publication_view__lists_what_the_notification_has_of_a_ca(void **state)
{
	struct registry *registry = *state;
	int64_t id = registry_member_id(registry, "alpha", "");
	char subject[24];
	(void)snprintf(subject, sizeof subject, "%" PRId64, id);
	registry_sql(registry, "UPDATE repositories SET serial = 6, notified_serial = 5");
	assert_string_equal(list(registry, id), "");
	insert(registry, id, "mft", "d/m.mft", "NULL", "5", 0, "NULL");
	insert(registry, id, "crl", "d/m.crl", "NULL", "1", 0, "NULL");
	insert(registry, 3, "cer", "i/alpha.cer", subject, "2", 0, "NULL");
	insert(registry, 3, "cer", "i/other.cer", "2", "2", 0, "NULL");
	insert(registry, id, "roa", "d/staged.roa", "NULL", "NULL", 0, "NULL");
	insert(registry, id, "roa", "d/cut.roa", "NULL", "6", 0, "NULL");
	insert(registry, id, "roa", "d/leaving.roa", "NULL", "4", 1, "NULL");
	insert(registry, id, "roa", "d/left-later.roa", "NULL", "4", 1, "6");
	insert(registry, id, "roa", "d/left.roa", "NULL", "4", 1, "5");
	insert(registry, 3, "cer", "i/alpha-old.cer", subject, "2", 1, "6");
	insert(registry, 3, "cer", "i/alpha-gone.cer", subject, "2", 1, "4");
	insert(registry, 3, "cer", "i/alpha-staged.cer", subject, "NULL", 0, "NULL");
	assert_string_equal(list(registry, id),
		"rsync://rsync.example.net/repo/d/leaving.roa roa 32 serial 4\n"
		"rsync://rsync.example.net/repo/d/left-later.roa roa 32 serial 4\n"
		"rsync://rsync.example.net/repo/d/m.crl crl 32 none 1\n"
		"rsync://rsync.example.net/repo/d/m.mft mft 32 serial 5\n"
		"rsync://rsync.example.net/repo/i/alpha-old.cer cer 32 serial 2\n"
		"rsync://rsync.example.net/repo/i/alpha.cer cer 32 serial 2\n");
}

static void
publication_view__the_trust_anchors_certificate_is_listed_once(void **state)
{
	struct registry *registry = *state;
	registry_sql(registry, "UPDATE repositories SET notified_serial = 5");
	insert(registry, 1, "ta", "ta/ta.cer", "1", "1", 0, "NULL");
	assert_string_equal(list(registry, 1), "rsync://rsync.example.net/repo/ta/ta.cer ta 32 serial 1\n");
}

static enum fault_code
copy_row(void *argument, const struct publication_row *row, struct fault *fault)
{
	struct publication_row *copy = argument;
	(void)fault;
	assert_string_equal(row->rrdp_uri, "https://rrdp.example.net/rrdp/");
	assert_string_equal(row->rsync_uri, "rsync://rsync.example.net/repo/");
	assert_int_equal(strlen(row->session), 36);
	*copy = *row;
	return FAULT_NONE;
}

static enum fault_code
skip_row(void *argument, const struct publication_row *row, struct fault *fault)
{
	(void)argument;
	(void)row;
	(void)fault;
	return FAULT_NONE;
}

static void
get(struct registry *registry, struct publication_row *row)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	*row = (struct publication_row){ .session = NULL };
	assert_int_equal(db_reader_acquire(registry->db, &connection, NULL), FAULT_NONE);
	assert_int_equal(publication_view_get(connection, copy_row, skip_row, row, &registry->fault), FAULT_NONE);
}

static void
publication_view__tells_what_is_out(void **state)
{
	struct registry *registry = *state;
	struct publication_row row;
	get(registry, &row);
	assert_int_equal(row.serial, 0);
	assert_int_equal(row.deltas, 0);
	assert_int_equal(row.snapshot_size, 0);
	assert_int_equal(row.objects, 0);
	assert_int_equal(row.cas, 0);
	int64_t id = registry_member_id(registry, "alpha", "");
	registry_sql(registry, "UPDATE repositories SET serial = 6, notified_serial = 5, cut_at = 60, notified_at = 50, "
		"rsync_serial = 3, rsync_at = 30;"
		"INSERT INTO cuts (repository_id, serial, cut_at, random, snapshot_size, delta_size, first_delta, objects, objects_size) VALUES"
		" (1, 2, 20, 'b', 2000, 20, NULL, NULL, NULL), (1, 3, 30, 'c', 3000, 30, 3, 2, 19), (1, 4, 40, 'd', 4000, 40, 3, 3, 29),"
		" (1, 5, 50, 'e', 5000, 50, 4, 4, 39), (1, 6, 60, 'f', NULL, NULL, NULL, 5, 49);"
		"UPDATE cas SET changed_at = NULL WHERE kind <> 'member'; UPDATE cas SET roas_count = 7 WHERE ca_id = "
		"%" PRId64 ";"
		"UPDATE cas SET set_aside_at = 1, set_aside_reason = 'x' WHERE kind = 'issuing'", id);
	get(registry, &row);
	assert_int_equal(row.serial, 5);
	assert_int_equal(row.notified_at, 50);
	assert_int_equal(row.cut_serial, 6);
	assert_int_equal(row.cut_at, 60);
	assert_int_equal(row.rsync_serial, 3);
	assert_int_equal(row.rsync_at, 30);
	assert_int_equal(row.objects, 4);
	assert_int_equal(row.bytes, 39);
	assert_int_equal(row.snapshot_size, 5000);
	assert_int_equal(row.deltas, 2);
	assert_int_equal(row.deltas_size, 90);
	assert_int_equal(row.cas, 1);
	assert_int_equal(row.cas_waiting, 1);
	assert_int_equal(row.cas_set_aside, 1);
	assert_int_equal(row.roas, 7);
}

#define CASE(name) cmocka_unit_test_setup_teardown(publication_view__##name, registry_setup, registry_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(lists_what_the_notification_has_of_a_ca),
		CASE(the_trust_anchors_certificate_is_listed_once),
		CASE(tells_what_is_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
