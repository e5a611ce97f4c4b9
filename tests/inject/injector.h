/*
 * injector: makes one call out of many fail: each call that changes the disk, by anyone in the process (SQLite too), or each one for
 * memory by our own code. It stands in the place of libc's functions and of memory_…(), so only the program that is linked with it
 * (--wrap, see the Makefile) is concerned.
 *
 * Disk: open for writing, write, pwrite, fsync, fdatasync, ftruncate, mkdir, rename, link, symlink, unlink, rmdir, utimensat, fchmod,
 * sync_file_range, syncfs. A write that fails has first written half of what it was given.
 *
 * Threads: those of the process share one count; arm and disarm while they rest.
 */
#ifndef TESTS_INJECT_INJECTOR_H
#define TESTS_INJECT_INJECTOR_H

#include <stdbool.h>
#include <stdint.h>

enum injector_kind {
	INJECT_OFF,
	INJECT_COUNT,                    /* counted alone */
	INJECT_DISK,                     /* the call fails: EIO or ENOSPC in turn */
	INJECT_MEMORY,                   /* it finds none */
	INJECT_END,                      /* the process ends there, and what was not flushed is lost where it lengthened a file */
};

#define INJECTOR_ENDED 42                /* its exit status then */

/* From now on the calls are counted, and the `at`th one (from 1) fails. */
void injector_arm(enum injector_kind kind, int64_t at);
/* Calls are made as they come and counted no more. May be told off and on again. */
void injector_rest(bool rest);
/* Since it was armed. */
int64_t injector_disk_calls(void);
int64_t injector_memory_calls(void);
/* Which call failed: "fsync", NULL: none yet. */
const char *injector_failed(void);

#endif
