#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/cli/backup.h"
#include "api/cli/init.h"
#include "api/cli/restore.h"
#include "api/server/config.h"
#include "api/server/engine.h"
#include "ca/base/memory.h"
#include "tests/unit/scratch.h"

#define COST SEALED_FILE_COST_MIN

/* One registry for all cases, as keys take their time: each case has copies of its own. */
struct fixture {
	void *scratch;
	char data[300], backup[300];
	struct secret *secret;
};

/* Kept until the end of all cases. */
static char *paths[1000];
static size_t paths_count;

static const char *
path_in(const char *directory, const char *name)
{
	assert_true(paths_count < sizeof paths / sizeof *paths);
	assert_int_equal(memory_printf(&paths[paths_count], NULL, "%s/%s", directory, name), FAULT_NONE);
	return paths[paths_count++];
}

static struct sealed_secret
secret_of(const struct fixture *fixture)
{
	return (struct sealed_secret){ .method = SEALED_PASSPHRASE, .secret = fixture->secret, .cost = COST };
}

static enum fault_code
make_backup(const struct fixture *fixture, const char *data, const char *file, struct fault *fault)
{
	struct backup_about about;
	struct backup_request request = { .data = data, .file = file, .secret = secret_of(fixture) };
	return backup_run(&request, &about, fault);
}

static enum fault_code
restore_to(const struct fixture *fixture, const char *file, const char *data, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) warnings = BYTES_INIT;
	struct backup_about about;
	struct restore_request request = { .data = data, .file = file, .secret = secret_of(fixture) };
	return restore_run(&request, &about, &warnings, fault);
}

static void
must_restore(const struct fixture *fixture, const char *data)
{
	struct fault fault = FAULT_INIT;
	if (restore_to(fixture, fixture->backup, data, &fault) != FAULT_NONE)
		fail_msg("%s (%s:%d)", fault.message, fault.file, fault.line);
}

static void
must_refuse(const struct fixture *fixture, const char *file, const char *data, enum fault_code code, const char *expected)
{
	struct fault fault = FAULT_INIT;
	enum fault_code found = restore_to(fixture, file, data, &fault);
	if (found != code || strstr(fault.message, expected) == NULL)
		fail_msg("%s: \"%s\" isn't \"%s\"", fault_type(found), fault.message, expected);
}

/* What the server's start says of a directory. */
static enum fault_code
try_engine(const char *data, struct fault *fault)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
	AUTO(struct engine, engine_free) engine = NULL;
	enum fault_code code = config_load(path_in(data, CONFIG_FILE), &config, fault);
	if (code == FAULT_NONE)
		code = engine_open(data, &config, &engine, fault);
	return code;
}

static void
must_start(const char *data)
{
	struct fault fault = FAULT_INIT;
	if (try_engine(data, &fault) != FAULT_NONE)
		fail_msg("%s (%s:%d)", fault.message, fault.file, fault.line);
}

static int
group_setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	AUTO_CLEAR(struct bytes, bytes_clear) warnings = BYTES_INIT;
	struct fault fault = FAULT_INIT;
	if (fixture == NULL || scratch_setup(&fixture->scratch) != 0 || secret_new(20, &fixture->secret, NULL) != FAULT_NONE)
		return -1;
	memset(fixture->secret->data, 'x', fixture->secret->length);
	(void)snprintf(fixture->data, sizeof fixture->data, "%s", path_in(fixture->scratch, "registry"));
	(void)snprintf(fixture->backup, sizeof fixture->backup, "%s", path_in(fixture->scratch, "backup"));
	struct init_request request = {
		.data = fixture->data, .rrdp_uri = "https://rrdp.example.net/rrdp/", .rsync_uri = "rsync://rsync.example.net/repo/",
		.batch_window_s = 0,
	};
	enum fault_code code = init_run(&request, &warnings, &fault);
	if (code == FAULT_NONE)
		code = make_backup(fixture, fixture->data, fixture->backup, &fault);
	if (code != FAULT_NONE)
		print_error("%s\n", fault.message);
	*state = fixture;
	return code == FAULT_NONE ? 0 : -1;
}

static int
group_teardown(void **state)
{
	struct fixture *fixture = *state;
	secret_free(fixture->secret);
	int result = scratch_teardown(&fixture->scratch);
	for (size_t i = 0; i < paths_count; i++)
		free(paths[i]);
	free(fixture);
	return result;
}

static void
remove_file(const char *data, const char *name)
{
	assert_int_equal(unlink(path_in(data, name)), 0);
}

static bool
is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

static void
restore__fills_a_new_directory(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		const char *name;
		mode_t mode;
	} files[] = {
		{ "cadastre.db", 0600 }, { "cadastre.conf", 0600 }, { "master.key", 0600 }, { "tls-key.pem", 0600 }, { "tls-certificate.pem", 0644 },
		{ "admin.token", 0600 }, { "ta/ta.tal", 0644 }, { "epoch", 0600 }, { "rsyncd.conf", 0644 },
	};
	const char *data = path_in(fixture->scratch, "new");
	must_restore(fixture, data);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct stat status;
		assert_int_equal(stat(path_in(data, files[i].name), &status), 0);
		assert_int_equal(status.st_mode & 0777, files[i].mode);
	}
	assert_false(is_there(path_in(data, "restore.tmp")));
	must_start(data);
	/* An empty one is as good; it is restored once. */
	const char *empty = path_in(fixture->scratch, "empty");
	assert_int_equal(mkdir(empty, 0755), 0);
	must_restore(fixture, empty);
	must_refuse(fixture, fixture->backup, empty, FAULT_CONFLICT, "in order");
}

static void
restore__check_reads_all_of_it(void **state)
{
	struct fixture *fixture = *state;
	struct sealed_secret secret = secret_of(fixture);
	struct backup_about about = { .made_at = 0 };
	assert_int_equal(restore_check(fixture->backup, &secret, &about, NULL), FAULT_NONE);
	assert_true(about.made_at > 1700000000);
	assert_int_equal(about.mark.serial, 1);
	assert_int_equal(about.mark.epoch, 1);
}

/* Cut off or altered anywhere, nothing is touched, and there is no directory afterwards that wasn't there before. */
static void
restore__touches_nothing_before_all_is_read(void **state)
{
	struct fixture *fixture = *state;
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	const char *bad = path_in(fixture->scratch, "bad"), *data = path_in(fixture->scratch, "untouched");
	struct sealed_secret secret = secret_of(fixture);
	struct backup_about about;
	assert_int_equal(atomic_file_read(AT_FDCWD, fixture->backup, 1 << 24, &content, NULL), FAULT_NONE);
	for (size_t length = 0; length < content.length; length += length < 200 ? 37 : content.length / 9) {
		assert_int_equal(atomic_file_put(AT_FDCWD, bad, SPAN(content.data, length), 0600, -1, NULL), FAULT_NONE);
		must_refuse(fixture, bad, data, FAULT_MALFORMED, "");
		assert_int_equal(restore_check(bad, &secret, &about, NULL), FAULT_MALFORMED);
		assert_false(is_there(data));
	}
	for (size_t at = SEALED_FILE_HEADER; at < content.length; at += content.length / 9) {
		content.data[at] ^= 0x40;
		assert_int_equal(atomic_file_put(AT_FDCWD, bad, bytes_span(&content), 0600, -1, NULL), FAULT_NONE);
		content.data[at] ^= 0x40;
		must_refuse(fixture, bad, data, FAULT_MALFORMED, "altered");
		assert_false(is_there(data));
	}
	fixture->secret->data[3] ^= 1;
	must_refuse(fixture, fixture->backup, data, FAULT_KEY, "passphrase");
	fixture->secret->data[3] ^= 1;
	must_refuse(fixture, path_in(fixture->scratch, "nothing"), data, FAULT_NOT_FOUND, "no file");
	must_refuse(fixture, path_in(fixture->data, "cadastre.db"), data, FAULT_MALFORMED, "no backup");
	assert_false(is_there(data));
}

static void
restore__takes_no_directory_of_something_else(void **state)
{
	struct fixture *fixture = *state;
	const char *data = path_in(fixture->scratch, "else");
	assert_int_equal(mkdir(data, 0755), 0);
	assert_int_equal(atomic_file_put(AT_FDCWD, path_in(data, "letters"), SPAN("x", 1), 0600, -1, NULL), FAULT_NONE);
	must_refuse(fixture, fixture->backup, data, FAULT_CONFLICT, "something else");
	assert_false(is_there(path_in(data, "lock")));
	must_refuse(fixture, fixture->backup, fixture->data, FAULT_CONFLICT, "in order");
}

/* Another registry's directory, whose database is lost: its operator meant another backup. */
static void
restore__takes_no_directory_of_another_instance(void **state)
{
	struct fixture *fixture = *state;
	static const char text[] = "cadastre-epoch 1\nuuid 00000000-0000-4000-8000-000000000000\nepoch 1\nserial 1\ncut_at 1\naudit 1\nelsewhere \n";
	const char *data = path_in(fixture->scratch, "foreign");
	must_restore(fixture, data);
	remove_file(data, "cadastre.db");
	assert_int_equal(atomic_file_put(AT_FDCWD, path_in(data, "epoch"), SPAN(text, sizeof text - 1), 0600, -1, NULL), FAULT_NONE);
	must_refuse(fixture, fixture->backup, data, FAULT_EPOCH, "another directory");
	assert_false(is_there(path_in(data, "cadastre.db")));
	assert_false(is_there(path_in(data, "restore.tmp")));
}

static void
restore__keeps_what_is_there(void **state)
{
	struct fixture *fixture = *state;
	AUTO_CLEAR(struct bytes, bytes_clear) token = BYTES_INIT;
	const char *data = path_in(fixture->scratch, "partly");
	must_restore(fixture, data);
	remove_file(data, "cadastre.db");
	remove_file(data, "tls-key.pem");
	assert_int_equal(atomic_file_put(AT_FDCWD, path_in(data, "admin.token"), SPAN("mine", 4), 0600, -1, NULL), FAULT_NONE);
	must_restore(fixture, data);
	assert_true(is_there(path_in(data, "tls-key.pem")));
	assert_int_equal(atomic_file_read(AT_FDCWD, path_in(data, "admin.token"), 100, &token, NULL), FAULT_NONE);
	assert_string_equal(bytes_text(&token), "mine");
	must_start(data);
	/* A master key that doesn't open the backup's keys is told of before the database changes. */
	static const char key[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
	remove_file(data, "cadastre.db");
	assert_int_equal(atomic_file_put(AT_FDCWD, path_in(data, "master.key"), SPAN(key, sizeof key - 1), 0600, -1, NULL), FAULT_NONE);
	must_refuse(fixture, fixture->backup, data, FAULT_KEY, "move it away");
	assert_false(is_there(path_in(data, "cadastre.db")));
	remove_file(data, "master.key");
	must_restore(fixture, data);
	must_start(data);
}

/* A damaged database is replaced, and kept aside with its log. */
static void
restore__puts_a_bad_database_aside(void **state)
{
	struct fixture *fixture = *state;
	const char *data = path_in(fixture->scratch, "damaged");
	must_restore(fixture, data);
	assert_int_equal(truncate(path_in(data, "cadastre.db"), 5000), 0);
	assert_int_not_equal(try_engine(data, NULL), FAULT_NONE);
	must_restore(fixture, data);
	must_start(data);
	struct stat status;
	assert_int_equal(stat(path_in(data, "cadastre.db.before-restore"), &status), 0);
	assert_int_equal(status.st_size, 5000);
}

static void
restore__in_place_lets_an_older_one_go_on(void **state)
{
	struct fixture *fixture = *state;
	struct fault fault = FAULT_INIT;
	const char *data = path_in(fixture->scratch, "older");
	must_restore(fixture, data);
	remove_file(data, "epoch");
	assert_int_equal(try_engine(data, &fault), FAULT_EPOCH);
	assert_non_null(strstr(fault.message, "restore"));
	assert_int_equal(restore_in_place(path_in(fixture->scratch, "nowhere"), NULL, NULL), FAULT_NOT_FOUND);
	assert_int_equal(restore_in_place(fixture->scratch, NULL, NULL), FAULT_NOT_FOUND);
	assert_int_equal(restore_in_place(data, NULL, &fault), FAULT_NONE);
	must_start(data);
	assert_int_equal(truncate(path_in(data, "cadastre.db"), 0), 0);
	assert_int_equal(restore_in_place(data, NULL, NULL), FAULT_SCHEMA);
	remove_file(data, "cadastre.db");
	assert_int_equal(restore_in_place(data, NULL, NULL), FAULT_NOT_FOUND);
}

static void
restore__backup_refuses_what_would_be_none(void **state)
{
	struct fixture *fixture = *state;
	struct fault fault = FAULT_INIT;
	const char *data = path_in(fixture->scratch, "source"), *file = path_in(fixture->scratch, "second");
	must_restore(fixture, data);
	assert_int_equal(make_backup(fixture, path_in(fixture->scratch, "nowhere"), file, NULL), FAULT_NOT_FOUND);
	assert_int_equal(make_backup(fixture, data, path_in(data, "cadastre.conf"), &fault), FAULT_CONFLICT);
	assert_int_equal(make_backup(fixture, data, path_in(fixture->scratch, "no such/second"), NULL), FAULT_IO);
	assert_int_equal(make_backup(fixture, data, file, NULL), FAULT_NONE);
	assert_int_equal(make_backup(fixture, data, file, NULL), FAULT_NONE); /* over an older one */
	assert_int_equal(unlink(file), 0);
	/* A damaged database has no backup. */
	AUTO_CLEAR(int, descriptor_close) fd = open(path_in(data, "cadastre.db"), O_RDWR | O_CLOEXEC);
	char zeroes[4096] = { 0 };
	for (off_t at = 8; at < 30; at++)
		assert_int_equal(pwrite(fd, zeroes, sizeof zeroes, at * 4096), sizeof zeroes);
	assert_int_equal(make_backup(fixture, data, file, &fault), FAULT_DATABASE);
	assert_false(is_there(file));
	assert_false(is_there(path_in(data, "tmp/backup.db")));
	remove_file(data, "cadastre.db");
	assert_int_equal(make_backup(fixture, data, file, NULL), FAULT_NOT_FOUND);
	assert_false(is_there(file));
}

/* As with the systemd unit: the key is nowhere near the data. */
static void
restore__takes_the_master_key_from_elsewhere(void **state)
{
	struct fixture *fixture = *state;
	AUTO_CLEAR(struct bytes, bytes_clear) warnings = BYTES_INIT;
	struct backup_about about;
	const char *data = path_in(fixture->scratch, "keyless"), *file = path_in(fixture->scratch, "third");
	const char *key = path_in(fixture->scratch, "the key");
	must_restore(fixture, data);
	assert_int_equal(rename(path_in(data, "master.key"), key), 0);
	assert_int_equal(make_backup(fixture, data, file, NULL), FAULT_KEY);
	assert_false(is_there(file));
	struct backup_request backup = { .data = data, .file = file, .master_key = key, .secret = secret_of(fixture) };
	assert_int_equal(backup_run(&backup, &about, NULL), FAULT_NONE);
	assert_int_equal(restore_in_place(data, NULL, NULL), FAULT_KEY);
	assert_int_equal(restore_in_place(data, key, NULL), FAULT_NONE);
	remove_file(data, "cadastre.db");
	struct restore_request request = { .data = data, .file = file, .master_key = key, .secret = secret_of(fixture) };
	assert_int_equal(restore_run(&request, &about, &warnings, NULL), FAULT_NONE);
	assert_false(is_there(path_in(data, "master.key")));
	remove_file(data, "cadastre.db");
	request.master_key = NULL;
	assert_int_equal(restore_run(&request, &about, &warnings, NULL), FAULT_NONE);
	assert_non_null(strstr(bytes_text(&warnings), "master key is in master.key now"));
	must_start(data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(restore__fills_a_new_directory),
		cmocka_unit_test(restore__check_reads_all_of_it),
		cmocka_unit_test(restore__touches_nothing_before_all_is_read),
		cmocka_unit_test(restore__takes_no_directory_of_something_else),
		cmocka_unit_test(restore__takes_no_directory_of_another_instance),
		cmocka_unit_test(restore__keeps_what_is_there),
		cmocka_unit_test(restore__puts_a_bad_database_aside),
		cmocka_unit_test(restore__in_place_lets_an_older_one_go_on),
		cmocka_unit_test(restore__backup_refuses_what_would_be_none),
		cmocka_unit_test(restore__takes_the_master_key_from_elsewhere),
	};
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
