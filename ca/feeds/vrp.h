/*
 * vrp: validated ROA payloads as validators write them down: JSON (rpki-client, Routinator, FORT) or CSV (the same three).
 *
 * Plain or gzip. Which of the two it is, the first byte tells. Memory: constant. Threads: safe for different calls.
 */
#ifndef CA_FEEDS_VRP_H
#define CA_FEEDS_VRP_H

#include "ca/feeds/feed.h"

#define VRP_PAYLOADS_MAX 5000000        /* in one file; the world has some 800,000 */

/*
 * Gives every payload in the order of the file; the same one may come several times. Faults: MALFORMED, INVALID, TOO_LARGE, each
 * with "line N: …"; NOT_FOUND, IO, MEMORY; those of give().
 */
CHECKED enum fault_code vrp_read(const char *path, feed_payload_fn give, void *argument, struct fault *fault);

#endif
