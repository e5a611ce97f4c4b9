#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "db/epoch.h"
#include "tests/unit/registry.h"

#define CASE(name) cmocka_unit_test_setup_teardown(name, registry_setup, registry_teardown)
#define UUID "3a8f1d6e-2b7c-4e55-9d10-6c0f4f0b8a21"
#define OTHER "3a8f1d6e-2b7c-4e55-9d10-6c0f4f0b8a22"

static const struct epoch_mark mark = { .uuid = UUID, .epoch = 3, .serial = 120, .cut_at = 1795478400, .audit_id = 4711 };

/* The registry's directory. */
static int
directory_of(struct registry *registry)
{
	int directory = open(registry_path(registry, "."), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(directory >= 0);
	return directory;
}

static enum fault_code
try_open(struct registry *registry, const char *elsewhere, struct fault *fault)
{
	AUTO_CLEAR(int, descriptor_close) directory = directory_of(registry);
	AUTO(struct epoch, epoch_close) epoch = NULL;
	return epoch_open(registry->db, directory, elsewhere, &epoch, fault);
}

static void
must_open(struct registry *registry, const char *elsewhere)
{
	struct fault fault = FAULT_INIT;
	if (try_open(registry, elsewhere, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
}

static void
must_refuse(struct registry *registry, const char *elsewhere, const char *expected)
{
	struct fault fault = FAULT_INIT;
	assert_int_equal(try_open(registry, elsewhere, &fault), FAULT_EPOCH);
	if (strstr(fault.message, expected) == NULL || strstr(fault.message, "restore") == NULL)
		fail_msg("\"%s\" doesn't say \"%s\" and what to do", fault.message, expected);
}

static struct epoch_mark
noted(struct registry *registry, const char *path)
{
	AUTO_CLEAR(int, descriptor_close) directory = directory_of(registry);
	struct epoch_mark found;
	struct fault fault = FAULT_INIT;
	if (epoch_read_file(directory, path, &found, NULL, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	return found;
}

static void
epoch__compares(void **state)
{
	static const struct {
		const char *name, *uuid;
		int64_t epoch, serial, audit_id;
		enum fault_code code;
	} cases[] = {
		{ "the same", UUID, 3, 120, 4711, FAULT_NONE },
		{ "a cut ahead: a crash before the file was written", UUID, 3, 121, 4711, FAULT_NONE },
		{ "changes ahead", UUID, 3, 120, 4712, FAULT_NONE },
		{ "restored, and a crash before the file was written", UUID, 4, 0, 4000, FAULT_NONE },
		{ "a cut behind", UUID, 3, 119, 4711, FAULT_EPOCH },
		{ "changes behind", UUID, 3, 120, 4710, FAULT_EPOCH },
		{ "from before the last restore", UUID, 2, 5000, 9999, FAULT_EPOCH },
		{ "never recorded", UUID, 0, 5000, 9999, FAULT_EPOCH },
		{ "another instance", OTHER, 3, 120, 4711, FAULT_EPOCH },
		{ "another instance that is newer", OTHER, 4, 500, 9999, FAULT_EPOCH },
		{ "empty", UUID, 0, 0, 0, FAULT_EPOCH },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct epoch_mark database = { .epoch = cases[i].epoch, .serial = cases[i].serial, .audit_id = cases[i].audit_id };
		memcpy(database.uuid, cases[i].uuid, sizeof database.uuid);
		if (epoch_compare(&database, &mark, "epoch", NULL) != cases[i].code)
			fail_msg("%s", cases[i].name);
	}
	/* Before the first file, epoch 0 is the first. */
	struct epoch_mark first = mark, file = mark;
	first.epoch = 0;
	file.epoch = 1;
	assert_int_equal(epoch_compare(&first, &file, "epoch", NULL), FAULT_NONE);
}

static void
epoch__file_is_read_back(void **state)
{
	struct registry *registry = *state;
	AUTO_CLEAR(int, descriptor_close) directory = directory_of(registry);
	struct epoch_mark found;
	char elsewhere[EPOCH_ELSEWHERE_MAX];
	assert_int_equal(mkdir(registry_path(registry, "other"), 0700), 0);
	assert_int_equal(epoch_write(directory, "other/epoch copy", &mark, NULL), FAULT_NONE);
	assert_int_equal(epoch_read_file(directory, "epoch", &found, elsewhere, NULL), FAULT_NONE);
	assert_string_equal(found.uuid, UUID);
	assert_int_equal(found.epoch, 3);
	assert_int_equal(found.serial, 120);
	assert_int_equal(found.cut_at, 1795478400);
	assert_int_equal(found.audit_id, 4711);
	assert_string_equal(elsewhere, "other/epoch copy");
	assert_int_equal(noted(registry, "other/epoch copy").serial, 120);
}

static void
epoch__refuses_a_damaged_file(void **state)
{
	static const char good[] = "cadastre-epoch 1\nuuid " UUID "\nepoch 3\nserial 120\ncut_at 5\naudit 4711\nelsewhere \n";
	static const char *const bad[] = { "", "\n", "cadastre-epoch 1\n",
		"cadastre-epoch 2\nuuid " UUID "\nepoch 3\nserial 1\ncut_at 5\naudit 1\nelsewhere \n",
		"cadastre-epoch 1\nuuid 3a8f\nepoch 3\nserial 120\ncut_at 5\naudit 4711\nelsewhere \n",
		"cadastre-epoch 1\nuuid " UUID "\nepoch -3\nserial 120\ncut_at 5\naudit 4711\nelsewhere \n",
		"cadastre-epoch 1\nuuid " UUID "\nepoch 3\nserial \ncut_at 5\naudit 4711\nelsewhere \n",
		"cadastre-epoch 1\nuuid " UUID "\nepoch 3\nserial 99999999999999999999\ncut_at 5\naudit 4711\nelsewhere \n",
		"cadastre-epoch 1\nuuid " UUID "\nserial 120\nepoch 3\ncut_at 5\naudit 4711\nelsewhere \n",
		"cadastre-epoch 1\nuuid " UUID "\nepoch 3\nserial 120\ncut_at 5\naudit 4711\nelsewhere",
		"cadastre-epoch 1\nuuid " UUID "\nepoch 3\nserial 120\ncut_at 5\naudit 4711\nelsewhere \nmore\n" };
	struct registry *registry = *state;
	AUTO_CLEAR(int, descriptor_close) directory = directory_of(registry);
	struct epoch_mark found;
	assert_int_equal(atomic_file_put(directory, "epoch", SPAN(good, sizeof good - 1), 0600, -1, NULL), FAULT_NONE);
	assert_int_equal(epoch_read_file(directory, "epoch", &found, NULL, NULL), FAULT_NONE);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(atomic_file_put(directory, "epoch", SPAN(bad[i], strlen(bad[i])), 0600, -1, NULL), FAULT_NONE);
		if (epoch_read_file(directory, "epoch", &found, NULL, NULL) != FAULT_EPOCH)
			fail_msg("%s", bad[i]);
	}
	/* With a NUL in it, and too long. */
	assert_int_equal(atomic_file_put(directory, "epoch", SPAN(good, sizeof good), 0600, -1, NULL), FAULT_NONE);
	assert_int_equal(epoch_read_file(directory, "epoch", &found, NULL, NULL), FAULT_EPOCH);
	assert_int_equal(truncate(registry_path(registry, "epoch"), 100000), 0);
	assert_int_equal(epoch_read_file(directory, "epoch", &found, NULL, NULL), FAULT_EPOCH);
	must_refuse(registry, NULL, "damaged");
}

/* A database of a release that kept no file gets its own; from then on there has to be one. */
static void
epoch__begins_once(void **state)
{
	struct registry *registry = *state;
	registry_sql(registry, "UPDATE instance SET epoch = 0");
	must_open(registry, NULL);
	assert_int_equal(registry_number(registry, "SELECT epoch AS it FROM instance"), 1);
	assert_int_equal(noted(registry, "epoch").epoch, 1);
	must_open(registry, NULL);
	/* A crash after the file and before the database. */
	registry_sql(registry, "UPDATE instance SET epoch = 0");
	must_open(registry, NULL);
	assert_int_equal(unlink(registry_path(registry, "epoch")), 0);
	must_refuse(registry, NULL, "missing");
}

static void
epoch__notices_an_older_database(void **state)
{
	struct registry *registry = *state;
	registry_sql(registry, "UPDATE instance SET epoch = 0");
	registry_sql(registry, "UPDATE repositories SET serial = 7, cut_at = 1000");
	must_open(registry, NULL);
	registry_sql(registry, "UPDATE repositories SET serial = 6");
	must_refuse(registry, NULL, "older copy: its last serial is 6");
	registry_sql(registry, "UPDATE repositories SET serial = 8");
	must_open(registry, NULL);
	assert_int_equal(noted(registry, "epoch").serial, 8);
	/* Changes that were in no cut yet count as well: a clean stop writes them down. */
	registry_member_id(registry, "alpha", "192.0.2.0/24");
	must_open(registry, NULL);
	registry_sql(registry, "DELETE FROM audit WHERE audit_id = (SELECT max(audit_id) FROM audit)");
	must_refuse(registry, NULL, "older copy: its last change");
	registry_sql(registry, "UPDATE instance SET uuid = '" OTHER "'");
	must_refuse(registry, NULL, "another instance");
	registry_sql(registry, "DELETE FROM instance");
	must_refuse(registry, NULL, "empty");
}

static void
epoch__records_before_anything_is_published(void **state)
{
	struct registry *registry = *state;
	AUTO_CLEAR(int, descriptor_close) directory = directory_of(registry);
	AUTO(struct epoch, epoch_close) epoch = NULL;
	registry_sql(registry, "UPDATE instance SET epoch = 0");
	assert_int_equal(epoch_open(registry->db, directory, NULL, &epoch, NULL), FAULT_NONE);
	registry_sql(registry, "UPDATE repositories SET serial = 9, cut_at = 1234");
	assert_int_equal(epoch_record(epoch, NULL), FAULT_NONE);
	assert_int_equal(noted(registry, "epoch").serial, 9);
	assert_int_equal(noted(registry, "epoch").cut_at, 1234);
}

/* A copy of the whole directory brings an older epoch file along: the one on another disk tells. */
static void
epoch__keeps_a_copy_elsewhere(void **state)
{
	struct registry *registry = *state;
	AUTO_CLEAR(int, descriptor_close) directory = directory_of(registry);
	char there[4096];
	assert_int_equal(mkdir(registry_path(registry, "disk"), 0700), 0);
	(void)snprintf(there, sizeof there, "%s", registry_path(registry, "disk/epoch"));
	registry_sql(registry, "UPDATE instance SET epoch = 0");
	registry_sql(registry, "UPDATE repositories SET serial = 7");
	must_open(registry, NULL);
	must_open(registry, there); /* the setting is new: the file is made */
	registry_sql(registry, "UPDATE repositories SET serial = 8");
	must_open(registry, there);
	assert_int_equal(noted(registry, there).serial, 8);
	/* Yesterday's directory, its epoch file included. */
	struct epoch_mark yesterday = noted(registry, "epoch");
	yesterday.serial = 7;
	assert_int_equal(epoch_write(directory, NULL, &yesterday, NULL), FAULT_NONE);
	registry_sql(registry, "UPDATE repositories SET serial = 7");
	must_refuse(registry, there, "older copy");
	registry_sql(registry, "UPDATE repositories SET serial = 8");
	must_open(registry, there);
	/* Its disk isn't mounted: nobody can tell. */
	assert_int_equal(unlink(there), 0);
	must_refuse(registry, there, "missing");
	/* The one here lost, the other there: it is evidence enough. */
	must_open(registry, NULL);
	must_open(registry, there);
	assert_int_equal(unlink(registry_path(registry, "epoch")), 0);
	must_open(registry, there);
	assert_int_equal(noted(registry, "epoch").serial, 8);
}

static void
epoch__what_can_not_be_written_stops_the_start(void **state)
{
	struct registry *registry = *state;
	struct fault fault = FAULT_INIT;
	registry_sql(registry, "UPDATE instance SET epoch = 0");
	assert_int_not_equal(try_open(registry, registry_path(registry, "no such/epoch"), &fault), FAULT_NONE);
	assert_int_equal(registry_number(registry, "SELECT epoch AS it FROM instance"), 0);
	must_open(registry, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(epoch__compares),
		CASE(epoch__file_is_read_back),
		CASE(epoch__refuses_a_damaged_file),
		CASE(epoch__begins_once),
		CASE(epoch__notices_an_older_database),
		CASE(epoch__records_before_anything_is_published),
		CASE(epoch__keeps_a_copy_elsewhere),
		CASE(epoch__what_can_not_be_written_stops_the_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
