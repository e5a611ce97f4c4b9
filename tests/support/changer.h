/*
 * changer: a member that changes a ROA again and again over REST, on a connection of its own that stays open. Each change takes away the
 * ROA of the one before and adds one for the next AS number, so that all changes cost the same and lists don't grow.
 *
 * The member is the CA "bench-<number>", made if it isn't there, with 2001:db8:<number>::/48; or all are one CA, "bench-shared", and each
 * has a /48 of its space for itself. Threads: one a changer.
 */
#ifndef TESTS_SUPPORT_CHANGER_H
#define TESTS_SUPPORT_CHANGER_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/base/fault.h"
#include "ca/base/scope.h"

#define CHANGERS_MAX 1000

struct changer;

/* data: a data directory whose server runs; its administrator's token is used. Faults: as client.h. */
CHECKED enum fault_code changer_open(const char *data, size_t number, struct changer **ret_changer, struct fault *fault);
CHECKED enum fault_code changer_open_shared(const char *data, size_t number, struct changer **ret_changer, struct fault *fault);
void changer_free(struct changer *changer);
SCOPED(struct changer, changer_free)

/* From here on it is another member, on the same connection. *ret_asn: of the ROA that is there, 0: none. */
CHECKED enum fault_code changer_turn(struct changer *changer, size_t number, int64_t *ret_asn, struct fault *fault);
/* A member that it was before, whose ROA is known to be this. No request is made. */
void changer_turn_back(struct changer *changer, size_t number, int64_t asn);
/* One change, from request to answer, which says that it is kept. *ret_ms: how long that took. */
CHECKED enum fault_code changer_change(struct changer *changer, double *ret_ms, struct fault *fault);
/* Takes the ROA away, if there is one. */
CHECKED enum fault_code changer_withdraw(struct changer *changer, struct fault *fault);
/* A GET, of the member's ROAs when path is NULL. *ret_ms as above. */
CHECKED enum fault_code changer_read(struct changer *changer, const char *path, double *ret_ms, struct fault *fault);
/* Is the last change in the notification that is on disk? */
CHECKED enum fault_code changer_published(struct changer *changer, bool *ret_published, struct fault *fault);

/* What GET /api/v1/publication says; serials of all repositories together. */
struct changer_publication {
	int64_t serial, rsync_serial, cas_waiting;
};
CHECKED enum fault_code changer_publication(struct changer *changer, struct changer_publication *ret_publication, struct fault *fault);

#endif
