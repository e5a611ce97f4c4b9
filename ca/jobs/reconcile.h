/*
 * reconcile: makes what is issued equal to what should be, CA by CA: load, plan, sign, commit. Different CAs in parallel, outside of any
 * lock and any write transaction; a CA that changed meanwhile is done again. What it makes is staged: nobody sees it before a cut.
 *
 * Children before parents: a certificate that a child's turn issues or withdraws marks the parent, whose manifest follows in the same
 * round, once, however many children changed. Only an issuing CA that is new has to come before its members.
 *
 * Threads: one round at a time, from one thread.
 */
#ifndef CA_JOBS_RECONCILE_H
#define CA_JOBS_RECONCILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "ca/base/clock.h"
#include "ca/base/fault.h"
#include "ca/base/workers.h"
#include "ca/issue/issue.h"
#include "ca/jobs/latency.h"
#include "ca/plan/plan.h"
#include "db/db.h"

/* What reconciling works with; borrowed. */
struct reconcile {
	struct db *db;
	const struct clock *clock;
	struct workers *signers;
	struct issue_context issue;
	struct plan_settings settings;
	struct latency *latency;         /* told of changes that were reconciled; NULL: nobody measures */
};

struct reconcile_result {
	int64_t cas;                     /* that were made right */
	int64_t own;                     /* members among them whose change may be more than what an import brought; told of a failed round too */
	int64_t objects;                 /* signed and staged */
	bool more;                       /* members are left: the limits were reached */
	bool yielded;                    /* some are left: they made way for changes */
};

/* What is taken: all that is due; what somebody changed alone; what is to be renewed alone; CAs that have never signed alone. */
enum reconcile_pass { RECONCILE_ALL, RECONCILE_CHANGES, RECONCILE_RENEWALS, RECONCILE_NEW };

struct reconcile_limits {
	enum reconcile_pass pass;
	int64_t due_by_at;               /* renewals: only those that were due by then, their changes along with them; 0: by now */
	bool yield;                      /* end when members change something meanwhile */
	bool own_alone;                  /* changes: no imports', but to end what was begun together */
	int64_t objects;                 /* stop taking members after about so many objects */
	int64_t until_ms;                /* or at this clock_monotonic_ms(); 0: no limit */
	const atomic_bool *stop;       /* or when this becomes true; NULL: never */
};

/*
 * Members that are due, changed ones first, until none is left or a limit is reached; but before them issuing CAs that are new, as the
 * members below those could have no certificates. A CA whose objects can't be issued is set aside
 * with the reason and the others go on. Faults: those that concern all: CLOCK, DISK, DATABASE, IO, MEMORY.
 */
CHECKED enum fault_code reconcile_members(struct reconcile *reconcile, const struct reconcile_limits *limits,
	struct reconcile_result *result, struct fault *fault);
/* Then issuing CAs, the online CA, the TA: always all that are due. Call before a cut. Faults as above. */
CHECKED enum fault_code reconcile_parents(struct reconcile *reconcile, struct reconcile_result *result, struct fault *fault);

/*
 * How many CAs have changes waiting; when the next renewal is due (0: none; what no validator takes, being signed under a wrong clock,
 * has been urgent for long). Faults: DATABASE.
 */
CHECKED enum fault_code reconcile_due(struct reconcile *reconcile, int64_t *ret_changed, int64_t *ret_renewal_at, struct fault *fault);
/* How many members wait whom somebody changed, not an import alone. Faults: DATABASE. */
CHECKED enum fault_code reconcile_due_own(struct reconcile *reconcile, int64_t *ret_changed, struct fault *fault);
/* Whether members wait whom an import changed. Faults: DATABASE. */
CHECKED enum fault_code reconcile_due_imports(struct reconcile *reconcile, bool *ret_waiting, struct fault *fault);
/*
 * After a restore: how many manifests stand that are to be made anew before anything is published, and of how many the clock has to pass the
 * restore first. Looks at each manifest. Faults: DATABASE.
 */
CHECKED enum fault_code reconcile_outdated(struct reconcile *reconcile, int64_t *ret_manifests, int64_t *ret_too_early, struct fault *fault);

#endif
