/*
 * compress: .gz files beside the RRDP files that the notification names, for servers that give them to clients which accept gzip.
 *
 * A .gz has the time of the file that it was made from and the same bytes each time it is made. One stands only beside the
 * very file that it was made from (site.h: exchange), though both are replaced by different threads.
 *
 * Threads: compress_run() on one thread beside the publisher's; compress_check() on the publisher's.
 */
#ifndef PUBLISH_COMPRESS_H
#define PUBLISH_COMPRESS_H

#include <stdatomic.h>

#include "publish/site.h"

#define COMPRESS_FAST_AT 16777216 /* bytes from which on time counts for more than size */
#define COMPRESS_LEVEL 6
#define COMPRESS_LEVEL_FAST 1
#define COMPRESS_LOOK_EVERY (128 * (int64_t)SITE_READ) /* bytes of a snapshot until it is asked again whether it is the newest */

/*
 * Makes what is missing, the small files of all repositories before any snapshot; returns early, without a fault, when *stop becomes true.
 * A snapshot is given up when the next one is notified: where they follow each other faster than one is packed there is none, and the
 * deltas' alone. Faults: DISK, IO, MEMORY, DATABASE.
 */
CHECKED enum fault_code compress_run(struct site *site, const atomic_bool *stop, struct fault *fault);

/* The .gz of one file, unless it is there. named_by: it is given up once another serial than this is notified; 0: it isn't. As above. */
CHECKED enum fault_code compress_file(struct site *site, const char *path, int64_t named_by, const atomic_bool *stop, struct fault *fault);

/* Removes the .gz of a file unless it unpacks to this content; that there is none is fine. Faults: IO, MEMORY, CRYPTO. */
CHECKED enum fault_code compress_check(struct site *site, const char *path, const struct publication_content *content,
	struct fault *fault);

#endif
