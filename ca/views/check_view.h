/*
 * check_view: what the self-check holds the served files against: the repository's serials, the objects of any serial's state,
 * what a CA's key has issued last, and what the CA asks for.
 *
 * Each call reads in a view of its own; lists go row by row, rows are borrowed for the call, in pages, so that no view is held for
 * long. Faults: DATABASE, DISK, IO, MEMORY, what a callback gives.
 */
#ifndef CA_VIEWS_CHECK_VIEW_H
#define CA_VIEWS_CHECK_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/resources/payload.h"

struct db;

struct check_repository {
	int64_t repository_id;
	char rrdp_uri[2049], rsync_uri[2049];
	char session[37];
	int64_t serial, notified_serial, rsync_serial;
};
CHECKED enum fault_code check_view_repository(struct db *db, int64_t repository_id, struct check_repository *ret_repository,
	struct fault *fault);

/* All of them, by their numbers. *ret_repositories is to be freed. Faults: NOT_FOUND (there is none). */
CHECKED enum fault_code check_view_repositories(struct db *db, struct check_repository **ret_repositories, size_t *ret_count,
	struct fault *fault);

struct check_object_row {
	const char *path;
	struct span hash;
	int64_t size, modified_at;
	bool trust_anchor;
};
typedef enum fault_code (*check_object_fn)(void *argument, const struct check_object_row *row, struct fault *fault);
/* All objects of the state of a serial. */
CHECKED enum fault_code check_view_state(struct db *db, int64_t repository_id, int64_t serial, check_object_fn give, void *argument,
	struct fault *fault);

/* How many objects a serial's cut counted, and their bytes; -1: it did not count. */
CHECKED enum fault_code check_view_counts(struct db *db, int64_t repository_id, int64_t serial, int64_t *ret_objects, int64_t *ret_size,
	struct fault *fault);

struct check_ca {
	int64_t ca_id;
	char handle[256];
	bool current;                           /* of the CA's keys, this one signs */
	bool settled;                           /* at that serial nothing of it waits, is held back or is about to change */
	bool suspended;                         /* asks for ROAs, shall have none */
	uint64_t manifest_number;               /* the last that went into a cut */
};
/* The CA with this key, as the state of `serial` has it; *ret_found false: no CA has it. */
CHECKED enum fault_code check_view_ca(struct db *db, int64_t repository_id, const uint8_t key_identifier[20], int64_t serial,
	struct check_ca *ret_ca, bool *ret_found, struct fault *fault);

/* Does what stands at this path, below the rsync URI, wait for a ceremony of the trust anchor before anything can lead to it? */
CHECKED enum fault_code check_view_awaits(struct db *db, int64_t repository_id, const char *path, bool *ret_awaits, struct fault *fault);

/* What the CA asks for and holds, in the order of payload_compare(). */
CHECKED enum fault_code check_view_payloads(struct db *db, int64_t ca_id,
	enum fault_code (*give)(void *argument, const struct payload *payload, struct fault *fault), void *argument, struct fault *fault);

/* The current key of each CA that is settled at this serial and should be reached: handle and key identifier. */
CHECKED enum fault_code check_view_cas(struct db *db, int64_t repository_id, int64_t serial,
	enum fault_code (*give)(void *argument, const char *handle, struct span key_identifier, struct fault *fault), void *argument,
	struct fault *fault);

#endif
