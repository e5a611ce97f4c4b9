#include "ca/jobs/reconcile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/log.h"
#include "ca/base/memory.h"
#include "ca/base/metrics.h"
#include "ca/base/randomness.h"
#include "ca/jobs/reconcile_commit.h"
#include "ca/jobs/state_loader.h"
#include "db/stmt.h"

/* CAs taken at once: enough to keep all signers busy, few enough that a change waits little. */
#define BATCH 64
/* A CA that changes while it is signed for is done again; but not without end: it may never be at rest. */
#define STALE_BATCHES 20

/* Where CAs are taken from, in this order. */
enum list { LIST_CHANGED, LIST_AHEAD, LIST_RENEWALS, LIST_GROUPS, LIST_NEW, LISTS };
static const enum query list_queries[LISTS] = {
	[LIST_CHANGED] = QUERY_RECONCILE_CHANGED, [LIST_AHEAD] = QUERY_RECONCILE_AHEAD, [LIST_RENEWALS] = QUERY_RECONCILE_RENEWALS,
	[LIST_GROUPS] = QUERY_RECONCILE_GROUPS, [LIST_NEW] = QUERY_RECONCILE_NEW,
};

/* One CA of a batch, as a signer does it. */
struct turn {
	int64_t ca_id;
	enum list taken_from;
	int64_t changed_at;              /* 0: it was not changed */
	bool own;                        /* it may have changes that no import brought */
	int64_t version;                 /* as it was when taken, then as loaded */
	int64_t objects;
	enum fault_code code;
	struct fault fault;
	bool overtaken;                  /* done, but its ROAs are others by now: it has to have another turn */
	bool late;                       /* its turn came when the time was over: it wasn't tried */
};

struct batch {
	struct reconcile *reconcile;
	struct turn turns[BATCH];
	size_t count, count_max;
	int64_t due_by_at;               /* of renewals */
	bool own_alone;                  /* of changes */
	int stale;                       /* so many batches in a row brought nothing but changes in the meantime */
	bool overtaken;                  /* all were done that wait, and all have changed again: that is for the next round */
	const atomic_bool *stop;       /* take no further turn when it is true; NULL: never */
	int64_t until_ms;                /* nor from then on; 0: whenever. Where keys are short a batch takes long */
	int64_t left[LISTS];             /* at the head of each list: could not be done in this round, so they are passed over */
};

static enum fault_code
load(struct reconcile *reconcile, int64_t ca_id, int64_t now_at, struct ca_state **ret_state, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	TRY(db_reader_acquire(reconcile->db, &connection, fault));
	return state_loader_load(connection, ca_id, now_at, ret_state, fault);
}

static void
forget_key(struct reconcile *reconcile, const struct ca_instance *instance)
{
	struct fault fault = FAULT_INIT;
	if (instance == NULL || instance->key.key_id == 0 || instance->key.offline)
		return;
	if (signer_destroy(reconcile->issue.signer, bytes_span(&instance->key.handle), &fault) != FAULT_NONE)
		log_fault(LOG_WARNING, &fault, "forgetting a key");
}

/* Can't the CA above sign what this plan wants of it? */
static bool
above_missing(const struct ca_state *state, const struct ca_plan *plan)
{
	bool certifies = plan->active.issue_certificate || plan->passive.issue_certificate;
	return certifies && state->kind != CA_TA && (state->parent.set_aside || state->parent.key.key_id == 0);
}

/* A change that needs the CA above waits until that one can sign. What the CA has is renewed meanwhile, as if it were on hold. */
static enum fault_code
plan_turn(struct reconcile *reconcile, struct ca_state *state, int64_t now_at, struct ca_plan **ret_plan, struct fault *fault)
{
	AUTO(struct ca_plan, ca_plan_free) plan = NULL;
	AUTO(struct ca_plan, ca_plan_free) meanwhile = NULL;
	uint64_t random;
	TRY(randomness_fill(&random, sizeof random, fault));
	TRY(plan_ca(state, &reconcile->settings, now_at, random, &plan, fault));
	if (!above_missing(state, plan)) {
		*ret_plan = MOVE(plan);
		return FAULT_NONE;
	}
	if (state->current.certified) {
		TRY(ca_state_hold(state, fault));
		TRY(plan_ca(state, &reconcile->settings, now_at, random, &meanwhile, fault));
	}
	if (meanwhile == NULL || meanwhile->nothing || above_missing(state, meanwhile))
		return fault_set(fault, FAULT_BUSY, "the CA above can't certify it yet");
	*ret_plan = MOVE(meanwhile);
	return FAULT_NONE;
}

static enum fault_code
reconcile_ca(struct reconcile *reconcile, struct turn *turn, struct fault *fault)
{
	AUTO(struct ca_state, ca_state_free) state = NULL;
	AUTO(struct ca_plan, ca_plan_free) plan = NULL;
	AUTO(struct object_set, object_set_free) objects = NULL;
	int64_t now_at = clock_now(reconcile->clock);

	TRY(clock_check(reconcile->clock, fault));
	TRY(load(reconcile, turn->ca_id, now_at, &state, fault));
	turn->own = turn->own || (state->kind == CA_MEMBER && state->version != turn->version);
	turn->version = state->version;
	TRY(plan_turn(reconcile, state, now_at, &plan, fault));
	if (plan->nothing && turn->taken_from == LIST_AHEAD)
		return fault_set(fault, FAULT_BUSY, "what a wrong clock signed waits for the CA above");
	TRY(issue_plan(&reconcile->issue, state, plan, &objects, fault));
	TRY(reconcile_commit(reconcile->db, state, plan, objects, &turn->overtaken, fault));
	if (state->deleting || plan->destroy)
		forget_key(reconcile, plan->passive.instance);
	if (state->deleting)
		forget_key(reconcile, plan->active.instance);
	turn->objects = (int64_t)objects->count;
	turn->changed_at = state->held ? 0 : turn->changed_at;
	return FAULT_NONE;
}

static void
take_turn(void *argument, size_t index, size_t worker)
{
	struct batch *batch = argument;
	struct turn *turn = &batch->turns[index];
	(void)worker;
	bool stop = batch->stop != NULL && *batch->stop;
	turn->late = batch->until_ms != 0 && clock_monotonic_ms() >= batch->until_ms;
	if (turn->late)
		return;
	turn->code = stop ? FAULT_BUSY : reconcile_ca(batch->reconcile, turn, &turn->fault);
}

/* Is it this CA's own trouble, and not one that the next would have too? */
static bool
own_fault(enum fault_code code)
{
	switch (code) {
	case FAULT_LINT:
	case FAULT_KEY:
	case FAULT_CRYPTO:
	case FAULT_INVALID:
	case FAULT_MALFORMED:
	case FAULT_TOO_LARGE:
	case FAULT_CONFLICT:
	case FAULT_NOT_FOUND:
		return true;
	default:
		return false;
	}
}

static enum fault_code
set_aside(struct reconcile *reconcile, const struct turn *turn, struct fault *fault)
{
	char reason[sizeof turn->fault.message + 64];
	(void)snprintf(reason, sizeof reason, "%s (%s)", turn->fault.message, fault_type(turn->code));
	log_write(LOG_ERROR, "CA %lld is set aside: %s", (long long)turn->ca_id, reason);
	return reconcile_commit_set_aside(reconcile->db, turn->ca_id, turn->version, clock_now(reconcile->clock), reason, fault);
}

static void
count_done(struct batch *batch, const struct turn *turn, struct reconcile_result *result)
{
	struct latency *latency = batch->reconcile->latency;
	result->cas++;
	result->objects += turn->objects;
	result->own += turn->own;
	metrics_add(METRIC_RECONCILED, 1);
	metrics_add(METRIC_OBJECTS_ISSUED, turn->objects);
	metrics_add(METRIC_RECONCILE_STALE, turn->overtaken);
	if (turn->taken_from == LIST_RENEWALS)
		metrics_add(METRIC_RENEWED, 1);
	if (turn->changed_at != 0 && latency != NULL)
		latency_reconciled(latency, turn->changed_at);
}

/* Counts what was done, sets aside what can't be. Only a trouble of all ends the round. */
static enum fault_code
settle(struct batch *batch, struct reconcile_result *result, struct fault *fault)
{
	size_t overtaken = 0;
	batch->stale++;
	for (size_t i = 0; i < batch->count; i++) {
		const struct turn *turn = &batch->turns[i];
		if (turn->late)
			continue;
		batch->stale = turn->code == FAULT_STALE || turn->overtaken ? batch->stale : 0;
		overtaken += turn->overtaken;
		if (turn->code == FAULT_NONE) {
			count_done(batch, turn, result);
		} else if (turn->code == FAULT_STALE) {
			metrics_add(METRIC_RECONCILE_STALE, 1);
		} else if (own_fault(turn->code)) {
			TRY(set_aside(batch->reconcile, turn, fault));
		} else if (turn->code == FAULT_CLOCK || turn->code == FAULT_BUSY) {
			batch->left[turn->taken_from]++;
		} else if (turn->code == FAULT_ISSUER) {
			batch->left[turn->taken_from]++;
			TRY(reconcile_commit_doubt(batch->reconcile->db, turn->ca_id, clock_now(batch->reconcile->clock), fault));
		} else {
			*fault = turn->fault;
			return turn->code;
		}
	}
	batch->overtaken = overtaken == batch->count && batch->count < batch->count_max;
	return clock_check(batch->reconcile->clock, fault);
}

static bool
taken(const struct batch *batch, int64_t ca_id)
{
	for (size_t i = 0; i < batch->count; i++)
		if (batch->turns[i].ca_id == ca_id)
			return true;
	return false;
}

static enum fault_code
take_ids(struct db_connection *connection, enum list list, enum ca_kind kind, struct batch *batch, struct fault *fault)
{
	int64_t now_at = clock_now(batch->reconcile->clock);
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, list_queries[list], &stmt, fault));
	stmt_bind_text(stmt, ":kind", ca_kind_text(kind));
	stmt_bind_int(stmt, ":count", (int64_t)(batch->count_max - batch->count));
	stmt_bind_int(stmt, ":left", batch->left[list]);
	if (list == LIST_RENEWALS) {
		stmt_bind_int(stmt, ":now_at", batch->due_by_at != 0 ? batch->due_by_at : now_at);
		stmt_bind_int(stmt, ":late", batch->due_by_at != 0);
	}
	if (list == LIST_AHEAD)
		stmt_bind_int(stmt, ":ahead_at", now_at + TIMING_CLOCK_BACK_S);
	while (batch->count < batch->count_max) {
		TRY(stmt_step(stmt, &row, fault));
		/* Imports' changes come last. */
		if (!row || (list == LIST_CHANGED && batch->own_alone && !stmt_null(stmt, "import_id")))
			break;
		int64_t ca_id = stmt_int(stmt, "ca_id");
		bool tells = list == LIST_CHANGED || list == LIST_RENEWALS;
		bool own = kind == CA_MEMBER && (!tells || (!stmt_null(stmt, "changed_at") && stmt_null(stmt, "import_id")));
		int64_t changed_at = list == LIST_CHANGED && kind == CA_MEMBER ? stmt_int(stmt, "changed_at") : 0;
		if (!taken(batch, ca_id))
			batch->turns[batch->count++] = (struct turn){
				.ca_id = ca_id, .taken_from = list, .version = stmt_int(stmt, "version"), .changed_at = changed_at,
				.own = own,
			};
	}
	return FAULT_NONE;
}

/* Members' changes before renewals. */
static enum fault_code
take_batch(enum ca_kind kind, enum list first, enum list last, struct batch *batch, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	batch->count = 0;
	TRY(db_reader_acquire(batch->reconcile->db, &connection, fault));
	for (enum list list = first; list <= last; list++)
		TRY(take_ids(connection, list, kind, batch, fault));
	return FAULT_NONE;
}

static bool
limit_reached(const struct reconcile_limits *limits, const struct reconcile_result *result)
{
	if (limits == NULL)
		return false;
	return (limits->stop != NULL && *limits->stop) || result->objects >= limits->objects ||
		(limits->until_ms != 0 && clock_monotonic_ms() >= limits->until_ms);
}

/* A renewal makes a CRL and a manifest at least: a batch is not to go far beyond the limit. */
static size_t
batch_max(const struct reconcile_limits *limits, const struct reconcile_result *result)
{
	if (limits == NULL || limits->pass != RECONCILE_RENEWALS || limits->objects - result->objects >= 2 * BATCH)
		return BATCH;
	return result->objects >= limits->objects ? 1 : (size_t)(limits->objects - result->objects + 1) / 2;
}

enum fault_code
reconcile_due_own(struct reconcile *reconcile, int64_t *ret_changed, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(db_reader_acquire(reconcile->db, &connection, fault));
	TRY(stmt_start(connection, QUERY_RECONCILE_MEMBERS_CHANGED, &stmt, fault));
	TRY(stmt_step(stmt, &row, fault));
	*ret_changed = stmt_int(stmt, "n");
	return FAULT_NONE;
}

enum fault_code
reconcile_due_imports(struct reconcile *reconcile, bool *ret_waiting, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(db_reader_acquire(reconcile->db, &connection, fault));
	TRY(stmt_start(connection, QUERY_RECONCILE_IMPORTS_WAIT, &stmt, fault));
	TRY(stmt_step(stmt, &row, fault));
	*ret_waiting = stmt_int(stmt, "waiting") != 0;
	return FAULT_NONE;
}

enum fault_code
reconcile_outdated(struct reconcile *reconcile, int64_t *ret_manifests, int64_t *ret_too_early, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	int64_t now_at = clock_now(reconcile->clock);
	bool row;
	TRY(db_reader_acquire(reconcile->db, &connection, fault));
	TRY(stmt_start(connection, QUERY_RECONCILE_OUTDATED, &stmt, fault));
	stmt_bind_int(stmt, ":now_at", now_at);
	stmt_bind_int(stmt, ":ahead_at", now_at + TIMING_CLOCK_BACK_S);
	TRY(stmt_step(stmt, &row, fault));
	*ret_manifests = stmt_int(stmt, "manifests");
	*ret_too_early = stmt_int(stmt, "too_early");
	return FAULT_NONE;
}

/* Have members changed something since the pass began? Those that waited then can't be helped now. */
static enum fault_code
check_yield(struct reconcile *reconcile, const struct reconcile_limits *limits, int64_t *before, bool *ret_yield, struct fault *fault)
{
	int64_t changed = 0;
	*ret_yield = false;
	if (limits == NULL || !limits->yield)
		return FAULT_NONE;
	TRY(reconcile_due_own(reconcile, &changed, fault));
	*ret_yield = *before >= 0 && changed > *before;
	*before = *before >= 0 ? *before : changed;
	return FAULT_NONE;
}

static const struct {
	enum list first, last;
} pass_lists[] = {
	[RECONCILE_ALL] = { LIST_CHANGED, LIST_RENEWALS }, [RECONCILE_CHANGES] = { LIST_CHANGED, LIST_CHANGED },
	[RECONCILE_RENEWALS] = { LIST_AHEAD, LIST_RENEWALS }, [RECONCILE_NEW] = { LIST_NEW, LIST_NEW },
};

static enum fault_code
reconcile_kind(struct reconcile *reconcile, enum ca_kind kind, const struct reconcile_limits *limits, struct reconcile_result *result,
	struct fault *fault)
{
	AUTO(struct batch, free) batch = NULL;
	TRY(memory_new(1, sizeof *batch, &batch, fault));
	batch->reconcile = reconcile;
	batch->stop = limits != NULL ? limits->stop : NULL;
	batch->until_ms = limits != NULL ? limits->until_ms : 0;
	batch->due_by_at = limits != NULL ? limits->due_by_at : 0;
	batch->own_alone = limits != NULL && limits->own_alone;
	enum reconcile_pass pass = limits != NULL ? limits->pass : RECONCILE_ALL;
	enum list first = pass_lists[pass].first, last = pass_lists[pass].last;
	int64_t before = -1;
	result->more = result->yielded = false;
	for (;;) {
		TRY(check_yield(reconcile, limits, &before, &result->yielded, fault));
		batch->count_max = batch_max(limits, result);
		TRY(take_batch(kind, first, last, batch, fault));
		if ((batch->count == 0 || batch->overtaken) && batch->own_alone && first == LIST_CHANGED) {
			first = last = LIST_GROUPS;
			batch->overtaken = false;
			continue;
		}
		if (batch->count == 0 || batch->overtaken || result->yielded)
			return FAULT_NONE;
		if (batch->stale >= STALE_BATCHES) {
			result->more = true;
			return FAULT_NONE;
		}
		if (!result->more && limit_reached(limits, result)) {
			/* What was begun together is ended together, whatever the limits say. */
			result->more = true;
			first = last = LIST_GROUPS;
			batch->until_ms = 0;
			continue;
		}
		workers_each(reconcile->signers, batch->count, take_turn, batch);
		TRY(settle(batch, result, fault));
	}
}

enum fault_code
reconcile_members(struct reconcile *reconcile, const struct reconcile_limits *limits, struct reconcile_result *result,
	struct fault *fault)
{
	struct reconcile_limits new = { .pass = RECONCILE_NEW, .objects = INT64_MAX, .stop = limits != NULL ? limits->stop : NULL };
	TRY(reconcile_kind(reconcile, CA_ISSUING, &new, result, fault));
	return reconcile_kind(reconcile, CA_MEMBER, limits, result, fault);
}

enum fault_code
reconcile_parents(struct reconcile *reconcile, struct reconcile_result *result, struct fault *fault)
{
	static const enum ca_kind upwards[] = { CA_ISSUING, CA_ONLINE, CA_TA };
	bool more = result->more;
	for (size_t i = 0; i < sizeof upwards / sizeof *upwards; i++)
		TRY(reconcile_kind(reconcile, upwards[i], NULL, result, fault));
	result->more = more;
	return FAULT_NONE;
}

enum fault_code
reconcile_due(struct reconcile *reconcile, int64_t *ret_changed, int64_t *ret_renewal_at, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) counts = NULL;
	AUTO(struct stmt, stmt_done) next = NULL;
	AUTO(struct stmt, stmt_done) aside = NULL;
	AUTO(struct stmt, stmt_done) ahead = NULL;
	int64_t now_at = clock_now(reconcile->clock);
	bool row;
	TRY(db_reader_acquire(reconcile->db, &connection, fault));
	TRY(stmt_start(connection, QUERY_RECONCILE_COUNTS, &counts, fault));
	TRY(stmt_step(counts, &row, fault));
	int64_t changed = stmt_int(counts, "changed");
	TRY(stmt_start(connection, QUERY_RECONCILE_SET_ASIDE_COUNT, &aside, fault));
	TRY(stmt_step(aside, &row, fault));
	metrics_set(METRIC_CAS_SET_ASIDE, stmt_int(aside, "n"));
	TRY(stmt_start(connection, QUERY_RECONCILE_NEXT_RENEWAL, &next, fault));
	TRY(stmt_step(next, &row, fault));
	*ret_changed = changed;
	*ret_renewal_at = row ? stmt_int(next, "renew_at") : 0;
	TRY(stmt_start(connection, QUERY_RECONCILE_ANY_AHEAD, &ahead, fault));
	stmt_bind_int(ahead, ":ahead_at", now_at + TIMING_CLOCK_BACK_S);
	TRY(stmt_step(ahead, &row, fault));
	if (row)
		*ret_renewal_at = now_at - timing_late_s(&reconcile->settings.timing);
	metrics_set(METRIC_CAS_DUE, changed);
	return FAULT_NONE;
}
