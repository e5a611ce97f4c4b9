/*
 * spool: the bytes of an answer until they are sent: in memory while there are few, in a file without a name when there are many.
 *
 * Lets a worker write a list as fast as the database gives it and let go of the database, however slowly the client then reads.
 *
 * Threads: one at a time.
 */
#ifndef API_SERVER_SPOOL_H
#define API_SERVER_SPOOL_H

#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"

#define SPOOL_MEMORY_MAX 65536          /* bytes that stay in memory */
#define SPOOL_FILE_MAX (INT64_C(1) << 32)
#define SPOOL_DIRECTORY "tmp"           /* under the data directory, made when first needed */

struct spool {
	int data_directory;             /* borrowed descriptor */
	struct bytes memory;            /* what is not in the file (yet) */
	int fd;                         /* -1 while all is in memory */
	int64_t length;                 /* of all */
};

#define SPOOL_INIT(directory) ((struct spool){ .data_directory = (directory), .fd = -1 })

/* Faults: MEMORY, DISK, IO, TOO_LARGE. */
CHECKED enum fault_code spool_write(struct spool *spool, const void *data, size_t length, struct fault *fault);
CHECKED enum fault_code spool_text(struct spool *spool, const char *text, struct fault *fault);
/* No more is written: with a file, all is in the file from here on. Faults: DISK, IO. */
CHECKED enum fault_code spool_finish(struct spool *spool, struct fault *fault);
void spool_reset(struct spool *spool);  /* empty again */
void spool_clear(struct spool *spool);

#endif
