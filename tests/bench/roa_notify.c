/*
 * roa_notify DATA PID-OF-SERVER [N]: one ROA change from request to the notification that carries it, on a server whose batch window is
 * 0, N times. Beside each: to read one file of the snapshot's size, hash it, write it and flush it, in the same directory. Allowed is twice
 * that and ALLOWED_MS. Of several repositories it is the one in which that member is: a change before all others tells which.
 *
 * Each time is measured in quiet: when rsync has caught up, the server idles and the second of the last cut is over, since no two cuts
 * may share one.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "ca/base/clock.h"
#include "ca/base/digest.h"
#include "publish/layout.h"
#include "tests/support/changer.h"
#include "tests/support/measures.h"

#define CHANGES 10
#define WAIT_MAX_MS (600 * 1000)
#define LOOK_MS 100
#define NOTIFICATION_MAX (1 << 20)
#define BLOCK (1 << 20)
#define ALLOWED_MS 50
#define REPOSITORIES_MAX 100
#define IDLE_MS 5 /* CPU in a second that counts as idle */

struct bench {
	const char *data;
	struct changer *changer;
	int directory, watch;            /* the data directory; inotify on the directories of all notifications */
	int watched[REPOSITORIES_MAX];   /* its descriptors; of those not there: -1 */
	size_t repository;               /* in which the member is: 0 is the first */
	clockid_t server_cpu;
	uint8_t *block;
};

static void
pause_ms(int ms)
{
	const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
	(void)nanosleep(&pause, NULL);
}

static double
server_cpu_ms(const struct bench *bench)
{
	struct timespec used = { 0 };
	(void)clock_gettime(bench->server_cpu, &used);
	return (double)used.tv_sec * 1000 + (double)used.tv_nsec / 1e6;
}

/* Nothing waits, rsync has what RRDP has, and for a second the server did nothing: so nothing is compressed or verified any more. */
static enum fault_code
wait_for_quiet(struct bench *bench, struct fault *fault)
{
	struct changer_publication now;
	for (int waited_ms = 0; waited_ms < WAIT_MAX_MS; waited_ms += 1000) {
		double before_ms = server_cpu_ms(bench);
		pause_ms(1000);
		bool idle = server_cpu_ms(bench) - before_ms < IDLE_MS;
		TRY(changer_publication(bench->changer, &now, fault));
		if (idle && now.cas_waiting == 0 && now.rsync_serial >= now.serial)
			return FAULT_NONE;
	}
	return fault_set(fault, FAULT_BUSY, "the server comes to no rest: %lld CAs wait, RRDP is at %lld, rsync at %lld",
		(long long)now.cas_waiting, (long long)now.serial, (long long)now.rsync_serial);
}

static enum fault_code
open_snapshot(const struct bench *bench, int *ret_fd, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	char path[LAYOUT_PATH];
	layout_notification(path, (int64_t)bench->repository + 1);
	TRY(atomic_file_read(bench->directory, path, NOTIFICATION_MAX, &text, fault));
	const char *uri = strstr(bytes_text(&text), "<snapshot uri=\"");
	const char *below = uri != NULL ? strstr(uri, "/" LAYOUT_RRDP "/") : NULL;
	if (below == NULL)
		return fault_set(fault, FAULT_MALFORMED, "the notification names no snapshot");
	(void)snprintf(path, sizeof path, "%.*s", (int)strcspn(below + 1, "\""), below + 1);
	*ret_fd = openat(bench->directory, path, O_RDONLY | O_CLOEXEC);
	return *ret_fd >= 0 ? FAULT_NONE : fault_set_errno(fault, errno, "opening %s", path);
}

static enum fault_code
copy(struct bench *bench, int from, int to, struct fault *fault)
{
	AUTO(struct digest, digest_free) digest = NULL;
	uint8_t hash[SHA256_SIZE];
	TRY(digest_new(&digest, fault));
	for (;;) {
		ssize_t length = read(from, bench->block, BLOCK);
		if (length < 0 || (length > 0 && write(to, bench->block, (size_t)length) != length))
			return fault_set_errno(fault, errno, "copying the snapshot");
		if (length == 0)
			break;
		TRY(digest_update(digest, bench->block, (size_t)length, fault));
	}
	TRY(digest_finish(digest, hash, fault));
	return fsync(to) == 0 ? FAULT_NONE : fault_set_errno(fault, errno, "flushing a copy of the snapshot");
}

/* Read, hash, write, flush: the least that a snapshot can take. */
static enum fault_code
measure_file(struct bench *bench, struct measures *files, struct fault *fault)
{
	int from;
	TRY(open_snapshot(bench, &from, fault));
	int to = open(bench->data, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	int64_t began_us = clock_monotonic_us();
	enum fault_code code = to < 0 ? fault_set_errno(fault, errno, "making a temporary file") : copy(bench, from, to, fault);
	double ms = (double)(clock_monotonic_us() - began_us) / 1000;
	if (to >= 0)
		(void)close(to);
	(void)close(from);
	TRY(code);
	return measures_add(files, ms, fault);
}

static void
forget_events(const struct bench *bench)
{
	char events[8192];
	while (read(bench->watch, events, sizeof events) > 0)
		;
}

static void
note_repository(struct bench *bench, int watched)
{
	for (size_t i = 0; i < REPOSITORIES_MAX; i++)
		if (bench->watched[i] == watched)
			bench->repository = i;
}

/* Until something was renamed to a notification's name. */
static enum fault_code
wait_for_notification(struct bench *bench, struct fault *fault)
{
	_Alignas(struct inotify_event) char events[8192];
	struct pollfd watched = { .fd = bench->watch, .events = POLLIN };
	while (poll(&watched, 1, WAIT_MAX_MS) > 0) {
		ssize_t length = read(bench->watch, events, sizeof events);
		for (ssize_t at = 0; at < length;) {
			const struct inotify_event *event = (const struct inotify_event *)(const void *)(events + at);
			if (event->len > 0 && strcmp(event->name, LAYOUT_NOTIFICATION_NAME) == 0) {
				note_repository(bench, event->wd);
				return FAULT_NONE;
			}
			at += (ssize_t)(sizeof *event + event->len);
		}
	}
	return fault_set(fault, FAULT_BUSY, "no notification came within %d s", WAIT_MAX_MS / 1000);
}

/* *ret_ms: from the request until the notification. */
static enum fault_code
change_once(struct bench *bench, double *ret_ms, struct fault *fault)
{
	double unused_ms;
	bool published;
	forget_events(bench);
	int64_t began_us = clock_monotonic_us();
	TRY(changer_change(bench->changer, &unused_ms, fault));
	TRY(wait_for_notification(bench, fault));
	*ret_ms = (double)(clock_monotonic_us() - began_us) / 1000;
	/* The row that says so is written right after the file. */
	pause_ms(LOOK_MS);
	TRY(changer_published(bench->changer, &published, fault));
	return published ? FAULT_NONE : fault_set(fault, FAULT_CONFLICT, "the notification that came doesn't carry the change");
}

static enum fault_code
measure_once(struct bench *bench, struct measures *notified, struct measures *files, struct fault *fault)
{
	double ms;
	TRY(wait_for_quiet(bench, fault));
	TRY(measure_file(bench, files, fault));
	TRY(change_once(bench, &ms, fault));
	return measures_add(notified, ms, fault);
}

/* Repositories are numbered without gaps, and their directories are there once they are notified. */
static enum fault_code
watch_notifications(struct bench *bench, struct fault *fault)
{
	char path[4096], below[LAYOUT_PATH];
	bench->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	for (size_t i = 0; i < REPOSITORIES_MAX; i++)
		bench->watched[i] = -1;
	for (size_t i = 0; i < REPOSITORIES_MAX; i++) {
		layout_repository(below, (int64_t)i + 1);
		(void)snprintf(path, sizeof path, "%s/%s", bench->data, below);
		bench->watched[i] = inotify_add_watch(bench->watch, path, IN_MOVED_TO);
		if (bench->watched[i] < 0)
			return i > 0 && errno == ENOENT ? FAULT_NONE : fault_set_errno(fault, errno, "watching %s", path);
	}
	return FAULT_NONE;
}

static enum fault_code
open_bench(struct bench *bench, const char *data, pid_t server, struct fault *fault)
{
	bench->data = data;
	bench->directory = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (bench->directory < 0)
		return fault_set_errno(fault, errno, "opening %s", data);
	TRY(watch_notifications(bench, fault));
	if (clock_getcpuclockid(server, &bench->server_cpu) != 0)
		return fault_set(fault, FAULT_NOT_FOUND, "there is no process %ld", (long)server);
	bench->block = malloc(BLOCK);
	if (bench->block == NULL)
		return fault_set(fault, FAULT_MEMORY, "out of memory");
	return changer_open(data, 0, &bench->changer, fault);
}

static void
close_bench(struct bench *bench)
{
	changer_free(bench->changer);
	free(bench->block);
	(void)close(bench->watch);
	(void)close(bench->directory);
}

static enum fault_code
measure(struct bench *bench, size_t changes, struct fault *fault)
{
	struct measures notified = MEASURES_INIT, files = MEASURES_INIT;
	double unused_ms;
	enum fault_code code = wait_for_quiet(bench, fault);
	if (code == FAULT_NONE)
		code = change_once(bench, &unused_ms, fault);
	for (size_t i = 0; i < changes && code == FAULT_NONE; i++)
		code = measure_once(bench, &notified, &files, fault);
	if (code == FAULT_NONE) {
		double notified_ms = measures_quantile(&notified, 0.5), file_ms = measures_quantile(&files, 0.5);
		measures_print("change_notified_median_ms", notified_ms, "ms");
		measures_print("snapshot_file_median_ms", file_ms, "ms");
		measures_print("change_notified_over_allowed", notified_ms / (2 * file_ms + ALLOWED_MS), "ratio");
	}
	measures_clear(&notified);
	measures_clear(&files);
	return code;
}

int
main(int argc, char **argv)
{
	struct fault fault = FAULT_INIT;
	struct bench bench = { .directory = -1, .watch = -1 };
	if (argc < 3) {
		fprintf(stderr, "usage: roa_notify DATA PID-OF-SERVER [N]\n");
		return 2;
	}
	size_t changes = argc > 3 ? measures_argument(argv[3], 10000) : CHANGES;
	enum fault_code code = open_bench(&bench, argv[1], (pid_t)measures_argument(argv[2], INT32_MAX), &fault);
	if (code == FAULT_NONE)
		code = measure(&bench, changes, &fault);
	close_bench(&bench);
	return code == FAULT_NONE ? EXIT_SUCCESS : measures_fail(&fault);
}
