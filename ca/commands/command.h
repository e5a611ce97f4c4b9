/*
 * command: what every change shares. A command checks, records the intent with its audit row and answers; it never signs.
 *
 * Each command is one function that runs one transaction on the database's writer, all or nothing, and then wakes the scheduler.
 * Refused commands are audited too. Threads: safe from any.
 */
#ifndef CA_COMMANDS_COMMAND_H
#define CA_COMMANDS_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/audit/audit.h"
#include "ca/base/clock.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"
#include "ca/resources/payload.h"
#include "ca/resources/resource_set.h"
#include "db/db.h"

struct asn_list {
	const struct asn_range *ranges;
	size_t count;
};

/* Where new members go. */
struct command_placing {
	int64_t issuing_members_max;                    /* under one issuing CA: bounds its manifest */
	int64_t repository_size_max;                    /* bytes that a snapshot may be expected to come to, and at which it takes nobody more */
	int64_t member_roas_max;                        /* objects that a member's ROAs are reckoned to be at most: roa_aggregate_above */
};
#define COMMAND_PLACING ((struct command_placing){ .issuing_members_max = 5000, .repository_size_max = 750000000, .member_roas_max = 100 })

/* What commands work with; borrowed for as long as commands run. */
struct command_context {
	struct db *db;
	const struct clock *clock;
	struct asn_list refused_asns;                   /* that members may not add */
	struct command_placing placing;
	void (*wake)(void *scheduler);                  /* called after each change that makes work due; NULL: nobody to wake */
	void *scheduler;
};

/* One faulty entry of a request. */
struct complaint {
	const char *list;                               /* "added", "removed", "resources.ipv4", …; static text */
	size_t index;                                   /* in that list, from 0; of a resource set: in its canonical order */
	const char *field;                              /* "asn", "prefix", "max_length", … or NULL for the entry; static text */
	char reason[200];                               /* a sentence */
};

#define COMPLAINTS_MAX 1000                             /* further ones are counted only */

struct complaints {
	struct complaint *items;
	size_t count, capacity;
	size_t total;
};

#define COMPLAINTS_INIT ((struct complaints){ .items = NULL })
/* Adds one. Faults: MEMORY. */
CHECKED enum fault_code complaints_add(struct complaints *complaints, struct fault *fault, const char *list, size_t index,
	const char *field, const char *format, ...) PRINTF_LIKE(6, 7);
/* FAULT_INVALID that counts them, when there are any. */
CHECKED enum fault_code complaints_check(const struct complaints *complaints, struct fault *fault);
/* By list, then by index. */
void complaints_sort(struct complaints *complaints);
void complaints_clear(struct complaints *complaints);

#define HANDLE_MAX 100                                  /* characters of a CA's handle: [A-Za-z0-9_-] */
#define COMMENT_MAX 200                                 /* bytes of a ROA's comment */
#define NAME_MAX_LENGTH 100                             /* bytes of a token's name */

/* [A-Za-z0-9_-]{1,100}. Faults: INVALID with the rule. */
CHECKED enum fault_code command_check_handle(const char *handle, struct fault *fault);
/* An actor that is bound to a CA sees no other: NOT_FOUND. The API looks at roles before; this is the second lock. */
CHECKED enum fault_code command_check_actor(const struct actor *actor, int64_t ca_id, struct fault *fault);
/*
 * Runs a change on the writer, and audits its refusal as `event` says (outcome and detail are set here; what else it points to
 * may still be filled in by the change).
 */
CHECKED enum fault_code command_run(const struct command_context *context, const struct actor *actor,
	const struct audit_event *event, db_change change, void *argument, struct fault *fault);
/* The same for a change that makes work due: wakes the scheduler when it was kept. */
CHECKED enum fault_code command_run_due(const struct command_context *context, const struct actor *actor,
	const struct audit_event *event, db_change change, void *argument, struct fault *fault);
/* Writes the audit row of a command that was refused, in a transaction of its own; never fails (it is logged when it can't). */
void command_audit_refusal(const struct command_context *context, const struct actor *actor, struct audit_event event,
	const struct fault *refusal);

#endif
