/* reconcile_commit: stores what was signed for one CA, in one transaction, if the CA is still as it was when it was planned, but for ROAs. */
#ifndef CA_JOBS_RECONCILE_COMMIT_H
#define CA_JOBS_RECONCILE_COMMIT_H

#include "ca/issue/object_set.h"
#include "ca/plan/plan.h"
#include "db/db.h"
#include "db/stores/object_store.h"

/*
 * objects may be NULL when the plan says `nothing` or only withdraws. ret_overtaken: its ROAs were changed meanwhile; it was stored all the
 * same, and the CA has another turn. Faults: STALE (something else changed: plan again), DISK, DATABASE.
 */
CHECKED enum fault_code reconcile_commit(struct db *db, const struct ca_state *state, const struct ca_plan *plan,
	const struct object_set *objects, bool *ret_overtaken, struct fault *fault);

/* The row of an object, but for where it is published and whose it is. Borrows from the object. */
struct object_record reconcile_commit_record(const struct new_object *object);

/* Marks the CA above as changed, because this one couldn't have its certificate signed: that one's turn will show whether it can sign. */
CHECKED enum fault_code reconcile_commit_doubt(struct db *db, int64_t ca_id, int64_t now_at, struct fault *fault);

/* Takes a CA out of work until an operator repairs it; not if it changed since. Writes the audit row. */
CHECKED enum fault_code reconcile_commit_set_aside(struct db *db, int64_t ca_id, int64_t version, int64_t now_at, const char *reason,
	struct fault *fault);

#endif
