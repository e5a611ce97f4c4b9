/*
 * watcher: a validator with a long memory. It polls RRDP after each serial, applies the deltas to what it has, and holds each new
 * state against all that it ever saw: what no single look at a repository can tell.
 *
 * - The session stays, serials rise by one, each delta leads from the state before it to the next; the snapshot is that state.
 * - Manifest and CRL numbers rise by exactly one a publication, thisUpdate strictly (RFC 9286 §4.2.1); the TA's notBefore rises.
 * - No serial number of an issuer is ever seen in two objects; what left before its end is on its issuer's CRL in the very serial
 *   in which it left, and nothing that stands is.
 * - Every object but manifests is on exactly one manifest, with its hash; nobody holds more than the CA above.
 *
 * Profiles, encodings and signatures are the business of publish/check and of real validators. Each check returns NULL, or words for
 * what is wrong (valid until the next one). Threads: one at a time.
 */
#ifndef TESTS_SUPPORT_WATCHER_H
#define TESTS_SUPPORT_WATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ca/resources/payload.h"

struct watcher;

/* A payload that is authorised now, and the ROA that says so. */
struct watched_payload {
	struct payload payload;
	const char *uri;                 /* valid until the next poll */
};

/* rrdp_uri and rsync_uri: what DIR/rrdp and DIR/rsync/current are known as outside. */
struct watcher *watcher_new(const char *rrdp_uri, const char *rsync_uri);
void watcher_free(struct watcher *watcher);

/* Takes in what DIR serves now. */
const char *watcher_poll(struct watcher *watcher, int directory, int64_t now_at);
/* Everything that it has is valid now, manifests and CRLs for manifest_left_s more, all else for object_left_s more. */
const char *watcher_look(struct watcher *watcher, int64_t now_at, int64_t manifest_left_s, int64_t object_left_s);
/* The snapshot and the served rsync tree say the same as the deltas did. */
const char *watcher_compare(struct watcher *watcher, int directory);
/* All payloads in order of payload_compare(), borrowed until the next poll. */
const struct watched_payload *watcher_payloads(struct watcher *watcher, size_t *ret_count);

int64_t watcher_serial(const struct watcher *watcher);
size_t watcher_objects(const struct watcher *watcher);
/* Certificates that it has seen in all, one-time ones too. */
size_t watcher_seen(const struct watcher *watcher);

#endif
