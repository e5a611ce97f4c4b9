/*
 * guard: refuses a cut that would take more than a share of all payloads or CAs away at once: what fails before it (a registry feed, an
 * empty table) shall not empty the repository (RIPE, January 2026). Counted in payloads and CAs, not in files: a ROA that is made anew
 * or moves to another CA, also one in another repository, is no loss: all is held against the whole registry. What is lost in many small
 * cuts is added up over an hour.
 *
 * Costs what the change costs: the totals are columns, kept by the cut. A refused cut stays uncut, everything acknowledged stays; it is
 * written down under a code that names exactly what would be lost, for an operator to accept (ca/commands/publication_commands).
 *
 * Threads: guard_check() from the one that cuts; guard_count() on the writer.
 */
#ifndef CA_JOBS_GUARD_H
#define CA_JOBS_GUARD_H

#include <stdint.h>

#include "ca/base/clock.h"
#include "ca/base/fault.h"
#include "db/db.h"

/* With fewer CAs than this their share says nothing. */
#define GUARD_CAS_MIN 20
#define GUARD_CODE_SIZE 13              /* 12 hexadecimal digits and a NUL */

struct guard_settings {
	int64_t share_percent;          /* that may be lost at once; 0: there is no guard */
	int64_t payloads_min;           /* in force from so many payloads up, now or within the hour */
};

/*
 * Looks at what the next cut would take away; nothing may be staged between this and the cut. Faults: GUARD (refused, with the code; also
 * audited, once), NOT_FOUND, DATABASE, DISK.
 */
CHECKED enum fault_code guard_check(struct db *db, const struct guard_settings *settings, const struct clock *clock, struct fault *fault);

/*
 * At the start: are the rows there that the last cuts counted? Of all repositories; counts in indexes alone: some 10 ms for 100,000 objects.
 * Faults: EPOCH (a tenth of the payloads, CAs or objects is gone: emptied behind our back), DATABASE.
 */
CHECKED enum fault_code guard_check_rows(struct db *db, struct fault *fault);

/* For the cut, in its transaction, before it changes a row: the totals after it. What was refused or accepted is forgotten. */
CHECKED enum fault_code guard_count(struct db_connection *connection, int64_t now_at, struct fault *fault);

#endif
