/*
 * fault_injection: each call that changes the disk, and each one for memory by our own code, fails once, in turn, while a registry of
 * two members goes through its changes; and at each call that changes the disk the process ends once, losing what was not flushed.
 *
 *     fault_injection [EVERY [OFFSET]]                 every so many'th call, from that one on; EVERY 1: all of them
 *     fault_injection CHANGE KIND CALL                 one trial: KIND is disk, memory or end
 *
 * A trial begins with a copy of the registry as it was before the change. While the fault is about, the server's turns may fail; what is
 * on disk after each is polled by a watcher that knows the whole past. Then the fault is gone: a change that was not acknowledged is asked
 * for again, and with no further failure all settles to exactly what was wanted. Lines: ok or not ok for each change and kind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after what it needs */
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "ca/commands/ca_commands.h"
#include "ca/commands/roa_commands.h"
#include "ca/commands/roll_commands.h"
#include "ca/jobs/cut.h"
#include "ca/resources/resource_list.h"
#include "db/connection.h"
#include "tests/inject/injector.h"
#include "tests/support/life.h"
#include "tests/support/prime_keys.h"

#define HOUR INT64_C(3600)
#define START INT64_C(1832630400)        /* 28 January 2028 */
#define PRIMES 64
#define TURNS_UNDER_FIRE 8
#define TRIAL_SECONDS_MAX 120
#define RUNNERS_MAX 16
#define ALPHA 4                          /* ca_id of the members, behind TA, online and issuing CA */
#define BETA 5
#define PATH_ROOM 400

static enum fault_code
set_resources(struct life *life, int64_t ca_id, const char *text, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct complaints, complaints_clear) complaints = COMPLAINTS_INIT;
	TRY(resource_list_parse(text, &set, fault));
	return ca_set_resources(&life->world.context, &world_actor, ca_id, &set, &complaints, fault);
}

static enum fault_code
change_roas(struct life *life, int64_t ca_id, const char *add, const char *remove, struct fault *fault)
{
	AUTO_CLEAR(struct complaints, complaints_clear) complaints = COMPLAINTS_INIT;
	struct roa_entry added = { .payload.asn = 64496 }, removed = { .payload.asn = 64496 };
	int64_t version;
	if (add != NULL)
		TRY(prefix_parse(add, &added.payload.prefix, fault));
	if (remove != NULL)
		TRY(prefix_parse(remove, &removed.payload.prefix, fault));
	added.payload.max_length = added.payload.prefix.length;
	removed.payload.max_length = removed.payload.prefix.length;
	struct roa_change change = {
		.added = &added, .added_count = add != NULL, .removed = &removed, .removed_count = remove != NULL,
	};
	return roas_change(&life->world.context, &world_actor, ca_id, &change, NULL, NULL, &complaints, &version, fault);
}

/* The commands of one change: each is acknowledged by itself. 0: there is no such command. */
typedef enum fault_code (*command)(struct life *life, struct fault *fault);

static enum fault_code
alpha_adds(struct life *life, struct fault *fault)
{
	return change_roas(life, ALPHA, "192.0.2.128/26", NULL, fault);
}

static enum fault_code
beta_swaps(struct life *life, struct fault *fault)
{
	return change_roas(life, BETA, "2001:db8::/32", "198.51.100.0/24", fault);
}

static enum fault_code
alpha_shrinks(struct life *life, struct fault *fault)
{
	return set_resources(life, ALPHA, "192.0.2.0/25", fault);
}

static enum fault_code
beta_grows(struct life *life, struct fault *fault)
{
	return set_resources(life, BETA, "192.0.2.128/25, 198.51.100.0/24, 2001:db8::/32", fault);
}

static enum fault_code
beta_adds(struct life *life, struct fault *fault)
{
	return change_roas(life, BETA, "192.0.2.128/25", NULL, fault);
}

static enum fault_code
beta_rolls(struct life *life, struct fault *fault)
{
	return roll_start(&life->world.context, &world_actor, BETA, ROLL_STAGING_DEFAULT, fault);
}

static enum fault_code
alpha_goes(struct life *life, struct fault *fault)
{
	return ca_delete(&life->world.context, &world_actor, ALPHA, fault);
}

#define COMMANDS_MAX 3

static const struct change {
	const char *name;
	int64_t later_s;                 /* so long after the one before */
	command commands[COMMANDS_MAX];
	const char *payloads;            /* that there are afterwards */
} changes[] = {
	{ "a ROA is added", 2 * HOUR, { alpha_adds }, "192.0.2.0/25 192.0.2.128/26 198.51.100.0/24" },
	{ "a ROA is exchanged", 2 * HOUR, { beta_swaps }, "192.0.2.0/25 192.0.2.128/26 2001:db8::/32" },
	{ "addresses move", 2 * HOUR, { alpha_shrinks, beta_grows, beta_adds }, "192.0.2.0/25 192.0.2.128/25 2001:db8::/32" },
	{ "manifests are renewed", 26 * HOUR, { NULL }, "192.0.2.0/25 192.0.2.128/25 2001:db8::/32" },
	{ "a key is staged", 2 * HOUR, { beta_rolls }, "192.0.2.0/25 192.0.2.128/25 2001:db8::/32" },
	{ "a key takes over", 30 * HOUR, { NULL }, "192.0.2.0/25 192.0.2.128/25 2001:db8::/32" },
	{ "a key is destroyed", 30 * HOUR, { NULL }, "192.0.2.0/25 192.0.2.128/25 2001:db8::/32" },
	{ "a member goes", 2 * HOUR, { alpha_goes }, "192.0.2.128/25 2001:db8::/32" },
};
#define CHANGES (sizeof changes / sizeof *changes)

static const char *const kinds[] = { [INJECT_COUNT] = "count", [INJECT_DISK] = "disk", [INJECT_MEMORY] = "memory", [INJECT_END] = "end" };

/* The payloads on disk, all of AS64496 and of their prefix's own length, are these. */
static void
require_payloads(struct life *life, const char *expected)
{
	char found[400] = "", prefix[PREFIX_TEXT];
	size_t count, length = 0;
	const struct watched_payload *payloads = watcher_payloads(life->watcher, &count);
	for (size_t i = 0; i < count && length < sizeof found; i++) {
		prefix_text(&payloads[i].payload.prefix, prefix);
		length += (size_t)snprintf(found + length, sizeof found - length, "%s%s", i > 0 ? " " : "", prefix);
	}
	if (strcmp(found, expected) != 0)
		fail_msg("published is %s instead of %s", found, expected);
}

static void
require_nobody_aside(struct life *life)
{
	struct db_connection *connection;
	struct stmt *stmt;
	bool row;
	WORLD_OK(db_reader_acquire(life->world.db, &connection, fault));
	WORLD_OK(stmt_prepare(connection, "a test", "SELECT set_aside_reason AS why FROM cas WHERE set_aside_at IS NOT NULL", &stmt, fault));
	WORLD_OK(stmt_step(stmt, &row, fault));
	if (row)
		fail_msg("a CA was set aside: %s", stmt_text(stmt, "why"));
	stmt_done(stmt);
	db_reader_release(connection);
}

/* The commands from *done on. While faults are about, the first one that fails ends it; FAULT_NONE counts as its acknowledgement. */
static enum fault_code
ask(struct life *life, const struct change *change, int *done, struct fault *fault)
{
	for (; *done < COMMANDS_MAX && change->commands[*done] != NULL; ++*done)
		TRY(change->commands[*done](life, fault));
	return FAULT_NONE;
}

/* Again, from the one that was not acknowledged: it may have been kept all the same, and is then refused as already there. */
static void
ask_again(struct life *life, const struct change *change, int done)
{
	bool first = true;
	for (; done < COMMANDS_MAX && change->commands[done] != NULL; done++) {
		struct fault trouble = FAULT_INIT;
		enum fault_code code = change->commands[done](life, &trouble);
		bool kept = first && (code == FAULT_INVALID || code == FAULT_NOT_FOUND || code == FAULT_CONFLICT);
		if (code != FAULT_NONE && !kept)
			fail_msg("asked for again: %s", trouble.message);
		first = false;
	}
}

/* All that threads of a server do, once; what fails is tried again next time. */
static void
turn_under_fire(struct life *life)
{
	const atomic_bool stop = false;
	int64_t again_ms = 0, n;
	struct fault trouble = FAULT_INIT;
	enum fault_code codes[] = {
		scheduler_step(life->scheduler, &again_ms, &trouble),
		publisher_publish(life->publisher, &n, &trouble),
		publisher_rsync(life->publisher, &n, &trouble),
		publisher_verify(life->publisher, &n, &trouble),
		publisher_retire(life->publisher, &trouble),
		publisher_compress(life->publisher, &stop, &trouble),
	};
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (codes[i] != FAULT_NONE && codes[i] != FAULT_BUSY && codes[i] != FAULT_CLOCK && injector_failed() == NULL)
			fail_msg("without a fault: %s", trouble.message);
	clock_hand_set(&life->world.clock, clock_now(&life->world.clock) + (again_ms > 0 && again_ms < 60000 ? (again_ms + 999) / 1000 : 1));
}

static void
live_under_fire(struct life *life, const struct change *change, int *done)
{
	struct fault trouble = FAULT_INIT;
	if (ask(life, change, done, &trouble) != FAULT_NONE && injector_failed() == NULL)
		fail_msg("without a fault: %s", trouble.message);
	for (int turn = 0; turn < TURNS_UNDER_FIRE; turn++) {
		turn_under_fire(life);
		injector_rest(true);
		LIFE_RIGHT(watcher_poll(life->watcher, life->directory, clock_now(&life->world.clock)));
		injector_rest(false);
	}
}

/* No fault is about any more. */
static void
settle(struct life *life, const struct change *change, int done)
{
	int64_t repaired;
	ask_again(life, change, done);
	/* A file that could not be written is written now; later there is nothing to repair. */
	WORLD_OK(publisher_publish(life->publisher, &repaired, fault));
	LIFE_RIGHT(watcher_poll(life->watcher, life->directory, clock_now(&life->world.clock)));
	WORLD_OK(publisher_verify(life->publisher, &repaired, fault));
	for (int hour = 0; hour < 4 && (hour == 0 || !life_rsync_is_current(life)); hour++)
		life_until(life, clock_now(&life->world.clock) + HOUR);
	life_keep_house(life);
	require_nobody_aside(life);
	require_payloads(life, change->payloads);
	LIFE_RIGHT(life_check(life, 10 * HOUR, 24 * HOUR));
	LIFE_RIGHT(watcher_compare(life->watcher, life->directory));
}

struct trial {
	size_t change;
	enum injector_kind kind;         /* INJECT_COUNT: no fault */
	int64_t call;
};

static void
relocate(struct life *life, const char *directory)
{
	assert_true(strlen(directory) < sizeof life->world.directory);
	memcpy(life->world.directory, directory, strlen(directory) + 1);
	life->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(life->directory >= 0);
}

/* What the process that ends had acknowledged is in a file beside, for the one that comes after it. */
static void
end_under_fire(struct life *life, const struct trial *trial, int *ret_done)
{
	int status;
	char path[PATH_ROOM];
	(void)snprintf(path, sizeof path, "%s/acknowledged", life->world.directory);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		const struct change *change = &changes[trial->change];
		int acknowledged = 0;
		life_start(life);
		injector_arm(INJECT_END, trial->call);
		for (; acknowledged < COMMANDS_MAX && change->commands[acknowledged] != NULL; acknowledged++) {
			WORLD_OK(change->commands[acknowledged](life, fault));
			injector_rest(true);
			assert_int_equal(write(fd, "+", 1), 1);
			injector_rest(false);
		}
		live_under_fire(life, change, &acknowledged);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == INJECTOR_ENDED || WEXITSTATUS(status) == 0));
	*ret_done = (int)lseek(fd, 0, SEEK_END);
	(void)close(fd);
	(void)unlink(path);
}

/* In a process of its own, in a copy of the registry. What it found is told by its end and on standard output. */
static void
run_trial(struct life *life, const struct trial *trial)
{
	const struct change *change = &changes[trial->change];
	int done = 0;
	(void)alarm(TRIAL_SECONDS_MAX);
	clock_hand_set(&life->world.clock, clock_now(&life->world.clock) + change->later_s);
	if (trial->kind == INJECT_END) {
		end_under_fire(life, trial, &done);
		/* Nobody looked meanwhile: what the watcher sees next may be several serials on. */
		clock_hand_set(&life->world.clock, clock_now(&life->world.clock) + TURNS_UNDER_FIRE * 60);
		life_start(life);
	} else {
		life_start(life);
		injector_arm(trial->kind, trial->call);
		live_under_fire(life, change, &done);
		injector_rest(true);
	}
	if (trial->kind == INJECT_COUNT)
		print_message("%lld %lld\n", (long long)injector_disk_calls(), (long long)injector_memory_calls());
	else if (trial->kind != INJECT_END && injector_failed() != NULL)
		print_message("failed: %s\n", injector_failed());
	injector_arm(INJECT_OFF, 0);
	settle(life, change, done);
}

/* Processes at a time, one trial each. */
struct runners {
	struct life *life;
	const char *parent;              /* directory for copies */
	size_t count;
	struct {
		pid_t pid;
		struct trial trial;
	} running[RUNNERS_MAX];
	int64_t trials, failures;
	char first_failure[600];
};

static void
runner_paths(const struct runners *runners, size_t place, char copy[PATH_ROOM], char output[PATH_ROOM])
{
	(void)snprintf(copy, PATH_ROOM, "%s/copy-%zu", runners->parent, place);
	(void)snprintf(output, PATH_ROOM, "%s/output-%zu", runners->parent, place);
}

static void
run_command(const char *format, ...) PRINTF_LIKE(1, 2);

static void
run_command(const char *format, ...)
{
	char text[3 * PATH_ROOM];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (system(text) != 0)
		fail_msg("failed: %s", text);
}

static void
begin_trial(struct runners *runners, size_t place, const struct trial *trial)
{
	char copy[PATH_ROOM], output[PATH_ROOM];
	runner_paths(runners, place, copy, output);
	run_command("rm -rf %s && cp -a %s %s", copy, runners->life->world.directory, copy);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
			_exit(3);
		relocate(runners->life, copy);
		run_trial(runners->life, trial);
		(void)fflush(stdout);
		_exit(0);
	}
	runners->running[place].pid = pid;
	runners->running[place].trial = *trial;
	runners->trials++;
}

/* Waits for one to end and returns its place. */
static size_t
await(struct runners *runners)
{
	AUTO_CLEAR(struct bytes, bytes_clear) words = BYTES_INIT;
	char copy[PATH_ROOM], output[PATH_ROOM];
	int status;
	pid_t pid = wait(&status);
	size_t place = 0;
	while (place < runners->count && runners->running[place].pid != pid)
		place++;
	assert_true(place < runners->count);
	runners->running[place].pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return place;
	const struct trial *trial = &runners->running[place].trial;
	runner_paths(runners, place, copy, output);
	(void)!atomic_file_read(AT_FDCWD, output, 1 << 20, &words, NULL);
	for (size_t i = 0; i < words.length; i++)
		if (words.data[i] == '\n')
			words.data[i] = ' ';
	print_message("    | change %zu, %s call %lld: status %x: %.*s\n", trial->change + 1, kinds[trial->kind], (long long)trial->call,
		(unsigned)status, (int)words.length, (const char *)words.data);
	if (runners->failures++ == 0)
		(void)snprintf(runners->first_failure, sizeof runners->first_failure, "%s call %lld: %.*s", kinds[trial->kind],
			(long long)trial->call, (int)words.length, (const char *)words.data);
	return place;
}

static void
run_trials(struct runners *runners, size_t change, enum injector_kind kind, int64_t calls, int64_t every, int64_t offset)
{
	size_t running = 0, place = 0;
	int64_t before = runners->trials;
	runners->failures = 0;
	for (int64_t call = 1 + offset % every; call <= calls; call += every) {
		if (running < runners->count)
			place = running++;
		else
			place = await(runners);
		begin_trial(runners, place, &(struct trial){ change, kind, call });
	}
	for (; running > 0; running--)
		(void)await(runners);
	const char *name = changes[change].name;
	if (runners->failures == 0)
		print_message("ok fault_injection %s, %s: %lld of %lld calls\n", name, kinds[kind], (long long)(runners->trials - before),
			(long long)calls);
	else
		print_message("not ok fault_injection %s, %s: %lld of %lld: %s\n", name, kinds[kind], (long long)runners->failures,
			(long long)(runners->trials - before), runners->first_failure);
}

/* How many calls of each kind there are in a change. */
static void
count_calls(struct runners *runners, size_t change, int64_t *ret_disk, int64_t *ret_memory)
{
	AUTO_CLEAR(struct bytes, bytes_clear) words = BYTES_INIT;
	char copy[PATH_ROOM], output[PATH_ROOM];
	long long disk, memory;
	begin_trial(runners, 0, &(struct trial){ change, INJECT_COUNT, 0 });
	runners->failures = 0;
	(void)await(runners);
	assert_int_equal(runners->failures, 0);
	runners->trials--;
	runner_paths(runners, 0, copy, output);
	WORLD_OK(atomic_file_read(AT_FDCWD, output, 1 << 20, &words, fault));
	assert_int_equal(sscanf((const char *)words.data, "%lld %lld", &disk, &memory), 2);
	*ret_disk = disk;
	*ret_memory = memory;
}

/* The change itself, with no fault, so that the next one follows upon it. */
static void
go_on(struct life *life, size_t change)
{
	clock_hand_set(&life->world.clock, clock_now(&life->world.clock) + changes[change].later_s);
	life_start(life);
	settle(life, &changes[change], 0);
	life_stop(life);
}

static void
prepare(struct life *life)
{
	prime_keys_prepare(PRIMES);
	life_begin(life, START);
	assert_int_equal(world_add_member(&life->world, "alpha", "192.0.2.0/24"), ALPHA);
	assert_int_equal(world_add_member(&life->world, "beta", "198.51.100.0/24, 2001:db8::/32"), BETA);
	world_change_roas(&life->world, ALPHA, "192.0.2.0/25", NULL);
	world_change_roas(&life->world, BETA, "198.51.100.0/24", NULL);
	life_until(life, START + HOUR);
	life_stop(life);
}

static int
one_trial(struct life *life, char **arguments)
{
	struct trial trial = { .change = (size_t)atol(arguments[1]) - 1, .call = atol(arguments[3]) };
	for (size_t i = INJECT_DISK; i <= INJECT_END; i++)
		if (strcmp(kinds[i], arguments[2]) == 0)
			trial.kind = (enum injector_kind)i;
	assert_true(trial.change < CHANGES && trial.kind != INJECT_OFF);
	for (size_t i = 0; i < trial.change; i++)
		go_on(life, i);
	run_trial(life, &trial);
	print_message("ok\n");
	return 0;
}

int
main(int count, char **arguments)
{
	static struct life life;
	int64_t every = count > 1 ? atol(arguments[1]) : 1, offset = count > 2 ? atol(arguments[2]) : 0, disk, memory, failures = 0;
	char parent[sizeof life.world.directory + 8];
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	prepare(&life);
	if (count > 3)
		return one_trial(&life, arguments);
	assert_true(every > 0 && offset >= 0);
	(void)snprintf(parent, sizeof parent, "%s-trials", life.world.directory);
	run_command("mkdir %s", parent);
	struct runners runners = { .life = &life, .parent = parent, .count = cores < 1 ? 1 : cores > RUNNERS_MAX ? RUNNERS_MAX : (size_t)cores };
	for (size_t change = 0; change < CHANGES; change++) {
		count_calls(&runners, change, &disk, &memory);
		for (size_t kind = INJECT_DISK; kind <= INJECT_END; kind++) {
			run_trials(&runners, change, (enum injector_kind)kind, kind == INJECT_MEMORY ? memory : disk, every, offset);
			failures += runners.failures;
		}
		go_on(&life, change);
	}
	run_command("rm -rf %s", parent);
	life_end(&life);
	print_message("every %lld. call from %lld on: %lld trials, %lld failed\n", (long long)every, (long long)(offset % every) + 1,
		(long long)runners.trials, (long long)failures);
	return failures > 0;
}
