/* Imports on a directory that no server runs on. */
#include "api/cli/local.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/cli/init.h"
#include "ca/base/memory.h"
#include "db/connection.h"
#include "tests/unit/feed_file.h"
#include "tests/unit/scratch.h"

#define STOP "CREATE TRIGGER stop BEFORE UPDATE OF state ON imports WHEN new.state = 'applying' BEGIN SELECT RAISE(ABORT, 'a test'); END"

static void
run_sql(const char *data, const char *sql)
{
	AUTO(char, free) path = NULL;
	AUTO(struct db_connection, connection_close) connection = NULL;
	struct fault fault = FAULT_INIT;
	assert_int_equal(memory_printf(&path, NULL, "%s/cadastre.db", data), FAULT_NONE);
	if (connection_open(path, &connection, &fault) != FAULT_NONE || connection_run(connection, "local_test", sql, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
}

/* How many files wait there; *ret_owner: the last one's. */
static int
files_in(const char *data, uid_t *ret_owner)
{
	AUTO(char, free) path = NULL;
	int count = 0;
	assert_int_equal(memory_printf(&path, NULL, "%s/imports", data), FAULT_NONE);
	DIR *listing = opendir(path);
	assert_non_null(listing);
	for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
		struct stat status;
		if (entry->d_name[0] == '.')
			continue;
		assert_int_equal(fstatat(dirfd(listing), entry->d_name, &status, 0), 0);
		*ret_owner = status.st_uid;
		count++;
	}
	(void)closedir(listing);
	return count;
}

static void
initialize(const char *data)
{
	AUTO_CLEAR(struct bytes, bytes_clear) warnings = BYTES_INIT;
	struct fault fault = FAULT_INIT;
	struct init_request request = {
		.data = data, .rrdp_uri = "https://rrdp.example.net/rrdp/", .rsync_uri = "rsync://rsync.example.net/repo/", .batch_window_s = 0,
	};
	if (init_run(&request, &warnings, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
}

/* What passes (a full disk, a database that is locked) leaves the import open, and its file: the next one ends it. */
static void
local__an_import_keeps_its_file_until_its_end(void **state)
{
	AUTO(char, free) data = NULL;
	AUTO(char, free) file = NULL;
	struct fault fault = FAULT_INIT;
	json_t *report = NULL;
	uid_t owner = 0, wanted = geteuid() == 0 ? 65534 : geteuid();
	assert_int_equal(memory_printf(&data, NULL, "%s/registry", scratch_path(state, ".")), FAULT_NONE);
	assert_int_equal(memory_printf(&file, NULL, "%s", scratch_path(state, "members.jsonl")), FAULT_NONE);
	feed_file_write(file, "{\"id\":\"m\",\"asn\":[],\"ipv4\":[\"10.0.0.0/24\"],\"ipv6\":[],\"roas\":[]}\n");
	initialize(data);
	assert_int_equal(chown(data, wanted, (gid_t)-1), 0);
	run_sql(data, STOP);
	assert_int_equal(local_import(data, "members", file, NULL, NULL, &report, &fault), FAULT_DATABASE);
	assert_int_equal(files_in(data, &owner), 1);
	assert_int_equal(owner, wanted);
	run_sql(data, "DROP TRIGGER stop");
	fault = FAULT_INIT;
	if (local_import(data, "members", file, NULL, NULL, &report, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	assert_string_equal(json_string_value(json_object_get(report, "state")), "done");
	assert_int_equal(json_integer_value(json_object_get(report, "members_unchanged")), 1);
	assert_int_equal(files_in(data, &owner), 0);
	json_decref(report);
	/* A file that is wrong is not kept: a second try would help nobody. */
	feed_file_write(file, "{\n");
	fault = FAULT_INIT;
	assert_int_equal(local_import(data, "members", file, NULL, NULL, &report, &fault), FAULT_MALFORMED);
	assert_int_equal(files_in(data, &owner), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(local__an_import_keeps_its_file_until_its_end, scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
