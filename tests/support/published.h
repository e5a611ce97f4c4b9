/*
 * published: what a sample repository has on disk, read as validators and mirrors read it, and held against the plainest
 * reading of its rows. Each check returns NULL, or words for what is wrong (valid until the next check). Threads: one.
 */
#ifndef TESTS_SUPPORT_PUBLISHED_H
#define TESTS_SUPPORT_PUBLISHED_H

#include "tests/support/sample_repository.h"

/*
 * The notification on disk and all that it names: times, hashes, sizes, RFC 8182's form; the snapshot is the state of its
 * serial, and each listed delta leads from the state before it to the next, up to the snapshot; the list is as long as the
 * settings allow.
 */
const char *published_check_rrdp(struct sample_repository *sample);
/*
 * Each kept file is there with its hash and time, also those that the notification doesn't name, and nothing else is in
 * DIR/rrdp.
 */
const char *published_check_kept(struct sample_repository *sample);
/* DIR/rsync/current is the state of the serial that the database says: contents, times, modes; nothing else is there. */
const char *published_check_rsync(struct sample_repository *sample);
/* DIR/ta/ta.cer is that of the notified serial, if there is one. */
const char *published_check_trust_anchor(struct sample_repository *sample);
/* All of them. */
const char *published_check(struct sample_repository *sample);

/*
 * A hash over names, contents, times and modes of everything below a directory of DIR but .gz files and directories
 * themselves.
 */
void published_fingerprint(struct sample_repository *sample, const char *directory, char ret_fingerprint[65]);
/* Calls visit with the path (relative to DIR) of each file below a directory of DIR. */
void published_walk(struct sample_repository *sample, const char *directory, void (*visit)(void *argument, const char *path),
	void *argument);
bool published_exists(struct sample_repository *sample, const char *path);
/* The path of a file of a cut, valid until the next call. */
const char *published_path(struct sample_repository *sample, int64_t serial, const char *name);

#endif
