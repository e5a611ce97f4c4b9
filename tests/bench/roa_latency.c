/*
 * roa_latency DATA [N]: one ROA change from request to answer on an open connection, N times, and beside each what the disk takes to
 * make a commit durable: 32 KiB appended to a file in the same directory and flushed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ca/base/clock.h"
#include "tests/support/changer.h"
#include "tests/support/measures.h"

#define CHANGES 500
#define WARM_UP 20
#define COMMIT_BYTES 32768 /* about what a change adds to the write-ahead log */

/* A file that vanishes with the process. */
static enum fault_code
open_scratch(const char *data, int *ret_fd, struct fault *fault)
{
	*ret_fd = open(data, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	return *ret_fd >= 0 ? FAULT_NONE : fault_set(fault, FAULT_IO, "no temporary file can be made in %s", data);
}

static enum fault_code
flush_once(int fd, double *ret_ms, struct fault *fault)
{
	static const char content[COMMIT_BYTES];
	int64_t began_us = clock_monotonic_us();
	if (write(fd, content, sizeof content) != sizeof content || fdatasync(fd) != 0)
		return fault_set(fault, FAULT_IO, "writing to the temporary file");
	*ret_ms = (double)(clock_monotonic_us() - began_us) / 1000;
	return FAULT_NONE;
}

static enum fault_code
measure(const char *data, size_t changes, struct measures *answers, struct measures *flushes, struct fault *fault)
{
	AUTO(struct changer, changer_free) changer = NULL;
	double answer_ms, flush_ms = 0;
	int fd;
	TRY(changer_open(data, 0, &changer, fault));
	TRY(open_scratch(data, &fd, fault));
	for (size_t i = 0; i < WARM_UP + changes; i++) {
		TRY(changer_change(changer, &answer_ms, fault));
		TRY(flush_once(fd, &flush_ms, fault));
		if (i < WARM_UP)
			continue;
		TRY(measures_add(answers, answer_ms, fault));
		TRY(measures_add(flushes, flush_ms, fault));
	}
	(void)close(fd);
	return FAULT_NONE;
}

int
main(int argc, char **argv)
{
	struct fault fault = FAULT_INIT;
	struct measures answers = MEASURES_INIT, flushes = MEASURES_INIT;
	if (argc < 2) {
		fprintf(stderr, "usage: roa_latency DATA [N]\n");
		return 2;
	}
	if (measure(argv[1], argc > 2 ? measures_argument(argv[2], 1000000) : CHANGES, &answers, &flushes, &fault) != FAULT_NONE)
		return measures_fail(&fault);
	measures_print_times("change_answered", &answers);
	measures_print_times("commit_flushed", &flushes);
	measures_clear(&answers);
	measures_clear(&flushes);
	return EXIT_SUCCESS;
}
