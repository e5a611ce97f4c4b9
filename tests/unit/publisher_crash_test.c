/*
 * The publisher killed at any instant, and on a disk that is full at any write: what is served is never torn, and afterwards
 * it is made equal to the database again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ca/base/randomness.h"
#include "tests/support/damage.h"
#include "tests/support/publish_fixture.h"
#include "tests/unit/scratch.h"

#define KILLS 50
#define LIFE_MAX_US 120000
#define DISK_SIZE (1 << 20)
#define DISK_BLOCK 4096
#define DISK_STEPS 60

static void
set_up(struct sample_repository *sample, const char *path, uint64_t seed)
{
	sample_repository_open(sample, path, seed);
	sample->settings.deltas_max = 12;
	sample->settings.file_grace_s = 15;
	sample->settings.tree_grace_s = 8;
	sample_repository_restart(sample);
}

static void
change(struct sample_repository *sample)
{
	char path[64];
	sample_repository_put(sample, "m0/m.mft", "mft", 100);
	if (sample_repository_random(sample, 5) == 0)
		sample_repository_put(sample, "ta/ta.cer", "ta", 100);
	for (uint64_t changes = sample_repository_random(sample, 8); changes > 0; changes--) {
		(void)snprintf(path, sizeof path, "m%d/o%d.roa", (int)sample_repository_random(sample, 5),
			(int)sample_repository_random(sample, 30));
		if (sample_repository_random(sample, 3) == 0)
			sample_repository_remove(sample, path);
		else
			sample_repository_put(sample, path, "roa", 50 + sample_repository_random(sample, 1000));
	}
}

/* Never returns. What fails shows when the parent looks. spoil: files are damaged as well, for it to repair. */
static void
work_until_killed(const char *path, uint64_t seed, bool spoil)
{
	const atomic_bool stop = false;
	struct sample_repository sample;
	int64_t n;
	set_up(&sample, path, seed);
	for (unsigned i = 0;; i++) {
		change(&sample);
		(void)sample_repository_cut(&sample, 1 + i % 3);
		enum fault_code code = publisher_publish(sample.publisher, &n, NULL);
		if (code == FAULT_NONE && i % 2 == 0)
			code = publisher_rsync(sample.publisher, &n, NULL) == FAULT_DISK ? FAULT_DISK : FAULT_NONE;
		if (code == FAULT_NONE && i % 3 == 0)
			code = publisher_retire(sample.publisher, NULL);
		if (code == FAULT_NONE && i % 5 == 0)
			code = publisher_compress(sample.publisher, &stop, NULL);
		if (code == FAULT_NONE && i % 7 == 0) {
			if (spoil)
				damage_some(&sample, "rrdp", 2);
			if (spoil)
				damage_some(&sample, "rsync", 1);
			code = publisher_verify(sample.publisher, &n, NULL);
		}
		if (code != FAULT_NONE)
			_exit(3);
	}
}

static void
kill_at_random(const char *path, uint64_t seed, bool spoil)
{
	uint64_t life_us = 0;
	int status = 0;
	assert_int_equal(randomness_below(LIFE_MAX_US, &life_us, NULL), FAULT_NONE);
	pid_t child = fork();
	if (child == 0)
		work_until_killed(path, seed, spoil);
	assert_true(child > 0);
	(void)usleep((useconds_t)life_us);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status))
		fail_msg("it ended by itself with %d", WEXITSTATUS(status));
}

/* As a server starts: publish what waits, then verify. Without damage, what is served is right before that. */
static void
recover(struct sample_repository *sample, bool spoilt)
{
	int64_t serial, repaired;
	REQUIRE_DONE(publisher_publish(sample->publisher, &serial, fault));
	if (!spoilt)
		REQUIRE_RIGHT(published_check_rrdp(sample));
	REQUIRE_DONE(publisher_verify(sample->publisher, &repaired, fault));
	REQUIRE_RIGHT(published_check(sample));
	clock_hand_set(&sample->clock, clock_now(&sample->clock) + 8);
	REQUIRE_DONE(publisher_verify(sample->publisher, &repaired, fault));
	assert_int_equal(repaired, 0);
	REQUIRE_DONE(publisher_rsync(sample->publisher, &serial, fault));
	/* The files of trees that are not served are not read: one that was damaged is found once it is. */
	REQUIRE_DONE(publisher_verify(sample->publisher, &repaired, fault));
	REQUIRE_RIGHT(published_check(sample));
}

static void
publisher_crash__survives_kills_at_any_instant(void **state)
{
	struct sample_repository sample;
	int64_t serial = 0;
	set_up(&sample, *state, 1);
	sample_repository_put(&sample, "m0/m.mft", "mft", 3000);
	(void)sample_repository_cut(&sample, 1);
	REQUIRE_DONE(publisher_publish(sample.publisher, &serial, fault));
	sample_repository_close(&sample); /* no thread is left to be lost by fork() */
	for (uint64_t i = 0; i < KILLS; i++) {
		kill_at_random(*state, 100 + i, i % 2 != 0);
		set_up(&sample, *state, 1000 + i);
		recover(&sample, i % 2 != 0);
		serial = sample_repository_number(&sample, "SELECT serial AS n FROM repositories");
		sample_repository_close(&sample);
	}
	assert_true(serial > 1);
}

/* Leaves so many blocks free, by a file of its own beside the others. */
static void
fill_disk(const char *path, uint64_t free_blocks)
{
	static const char block[DISK_BLOCK];
	struct statvfs disk;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	while (fstatvfs(fd, &disk) == 0 && disk.f_bavail > free_blocks)
		assert_int_equal(write(fd, block, sizeof block), sizeof block);
	(void)close(fd);
}

static int times_full;

static void
expect_done_or_full(enum fault_code code, const struct fault *fault)
{
	times_full += code == FAULT_DISK;
	if (code != FAULT_NONE && code != FAULT_DISK && code != FAULT_BUSY)
		fail_msg("%s (%s:%d)", fault->message, fault->file, fault->line);
}

/* Everything that writes, while the disk is full; then what is served is held against what the database says is served. */
static void
work_on_full_disk(struct sample_repository *sample)
{
	const atomic_bool stop = false;
	struct fault fault = FAULT_INIT;
	int64_t n;
	expect_done_or_full(publisher_publish(sample->publisher, &n, &fault), &fault);
	REQUIRE_RIGHT(published_check_rrdp(sample));
	expect_done_or_full(publisher_rsync(sample->publisher, &n, &fault), &fault);
	REQUIRE_RIGHT(published_check_rsync(sample));
	expect_done_or_full(publisher_compress(sample->publisher, &stop, &fault), &fault);
	expect_done_or_full(publisher_verify(sample->publisher, &n, &fault), &fault);
	REQUIRE_RIGHT(published_check_rrdp(sample));
	REQUIRE_RIGHT(published_check_rsync(sample));
	expect_done_or_full(publisher_retire(sample->publisher, &fault), &fault);
	REQUIRE_RIGHT(published_check_rrdp(sample));
	REQUIRE_RIGHT(published_check_rsync(sample));
}

static void
run_on_small_disk(struct sample_repository *sample, const char *ballast)
{
	int64_t n;
	sample_repository_put(sample, "m0/m.mft", "mft", 30000);
	(void)sample_repository_cut(sample, 1);
	recover(sample, false);
	for (uint64_t step = 0; step < DISK_STEPS; step++) {
		change(sample);
		(void)sample_repository_cut(sample, 3);
		fill_disk(ballast, step % (DISK_STEPS / 2));
		work_on_full_disk(sample);
		assert_int_equal(unlink(ballast), 0);
		REQUIRE_DONE(publisher_retire(sample->publisher, fault));
		REQUIRE_DONE(publisher_verify(sample->publisher, &n, fault));
		recover(sample, false);
	}
}

static void
publisher_crash__survives_a_full_disk_at_any_write(void **state)
{
	struct sample_repository sample;
	char data[4096], ballast[4200];
	void *mounted = data;
	(void)snprintf(data, sizeof data, "%s/data", (const char *)*state);
	(void)snprintf(ballast, sizeof ballast, "%s/ballast", data);
	if (mkdir(data, 0755) != 0 || !scratch_mount(&mounted, DISK_SIZE))
		skip();
	set_up(&sample, *state, 7);
	run_on_small_disk(&sample, ballast);
	assert_true(times_full > DISK_STEPS / 2);
	sample_repository_close(&sample);
	assert_int_equal(umount2(data, MNT_DETACH), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(publisher_crash__survives_kills_at_any_instant),
		CASE(publisher_crash__survives_a_full_disk_at_any_write),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
