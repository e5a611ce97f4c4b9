/*
 * rrdp_file: one RRDP file while it is written: its text is gathered in a buffer, hashed and written block by block, and the file
 * appears whole or not at all.
 *
 * Memory: two blocks and the largest element. Threads: one at a time; a file of more than a block has a thread of its own that hashes
 * and writes while the next block is gathered, from the first full block until the file is committed or cleared.
 */
#ifndef PUBLISH_RRDP_FILE_H
#define PUBLISH_RRDP_FILE_H

#include "ca/base/atomic_file.h"
#include "publish/site.h"

struct rrdp_writer;

/* Must not move once something was drained. */
struct rrdp_file {
	struct atomic_file file;
	struct digest *digest;
	struct bytes text;      /* append to it, then call rrdp_file_drain() */
	int64_t size, started;  /* written, and on its way to the disk; the writer's while there is one */
	struct rrdp_writer *writer; /* NULL: there is no more than a block yet */
};

#define RRDP_FILE_INIT ((struct rrdp_file){ .file = ATOMIC_FILE_INIT })

/* Makes the directories as well. Faults of all: DISK, IO, MEMORY, CRYPTO. */
CHECKED enum fault_code rrdp_file_open(struct rrdp_file *file, const struct site *site, const char *path, struct fault *fault);
/* Hands over what has been gathered once it is a block; what went wrong with an earlier one may be told here. */
CHECKED enum fault_code rrdp_file_drain(struct rrdp_file *file, struct fault *fault);
/*
 * Writes the rest and puts the file in place, durably, together with its name. expected: what it was when it was first written
 * (NULL: this is the first time); DATABASE, and nothing is put in place, when it would be something else now.
 */
CHECKED enum fault_code rrdp_file_commit(struct rrdp_file *file, int64_t modified_at, const struct publication_content *expected,
	struct publication_content *ret_content, struct fault *fault);
void rrdp_file_clear(struct rrdp_file *file); /* for AUTO_CLEAR; leaves nothing behind unless committed */

#endif
