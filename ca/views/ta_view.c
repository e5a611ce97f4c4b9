#include <stdio.h>

#include "ca/base/instant.h"
#include "ca/views/views.h"
#include "db/stmt.h"

#define DAY_S INT64_C(86400)
#define SOON_S (14 * DAY_S)              /* before it is due: people have to be found */
#define OVERDUE_S (7 * DAY_S)            /* before the end: every validator would lose everything */

const char *
ta_view_urgency_text(enum ta_urgency urgency)
{
	static const char *const texts[] = {
		[TA_ONLINE] = "online", [TA_OK] = "ok", [TA_SOON] = "soon", [TA_DUE] = "due", [TA_OVERDUE] = "overdue",
	};
	return texts[urgency];
}

static enum fault_code
read_ceremonies(struct db_connection *connection, struct ta_row *row, int64_t *ret_asked_at, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) installed = NULL;
	AUTO(struct stmt, stmt_done) pending = NULL;
	bool found;
	*ret_asked_at = 0;
	TRY(stmt_start(connection, QUERY_CEREMONY_INSTALLED, &installed, fault));
	TRY(stmt_step(installed, &found, fault));
	if (found) {
		row->number = stmt_int(installed, "number");
		row->installed_at = stmt_int(installed, "installed_at");
		row->due_at = stmt_int(installed, "due_at");
		*ret_asked_at = stmt_int(installed, "requested_at");
	}
	TRY(stmt_start(connection, QUERY_CEREMONY_PENDING, &pending, fault));
	TRY(stmt_step(pending, &found, fault));
	if (found) {
		row->pending = stmt_int(pending, "number");
		row->requested_at = stmt_int(pending, "requested_at");
	}
	return FAULT_NONE;
}

static enum fault_code
read_number(struct db_connection *connection, enum query query, int64_t ca_id, int64_t requested_at, const char *column, int64_t *ret_number,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool found;
	TRY(stmt_start(connection, query, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", ca_id);
	if (query == QUERY_CEREMONY_WAITING_KEYS)
		stmt_bind_int(stmt, ":requested_at", requested_at);
	TRY(stmt_step(stmt, &found, fault));
	*ret_number = found ? stmt_int(stmt, column) : 0;
	return FAULT_NONE;
}

/* Whole days, rounded down, never below 0. */
static long long
days(int64_t seconds)
{
	return seconds > 0 ? (long long)(seconds / DAY_S) : 0;
}

static void
judge(struct ta_row *row, int64_t now_at, bool keys_wait)
{
	char due[INSTANT_TEXT], ends[INSTANT_TEXT];
	int64_t left_s = row->ends_at - now_at, to_go_s = row->due_at - now_at;
	instant_rfc3339(row->due_at, due);
	instant_rfc3339(row->ends_at, ends);
	row->urgency = TA_DUE;
	if (row->ends_at != 0 && left_s <= 0) {
		row->urgency = TA_OVERDUE;
		(void)snprintf(row->reason, sizeof row->reason, "what the trust anchor signed has ended at %s: hold a ceremony now", ends);
	} else if (row->ends_at != 0 && left_s < OVERDUE_S) {
		row->urgency = TA_OVERDUE;
		(void)snprintf(row->reason, sizeof row->reason, "a ceremony is overdue: everything ends at %s, in %lld days", ends, days(left_s));
	} else if (row->number == 0) {
		(void)snprintf(row->reason, sizeof row->reason, "the first ceremony is due: until then nothing is valid");
	} else if (to_go_s <= 0) {
		(void)snprintf(row->reason, sizeof row->reason, "a ceremony is due, since %lld days; %lld are left", days(-to_go_s), days(left_s));
	} else if (keys_wait) {
		(void)snprintf(row->reason, sizeof row->reason, "a new key of the online CA waits for a ceremony");
	} else {
		row->urgency = to_go_s < SOON_S ? TA_SOON : TA_OK;
		(void)snprintf(row->reason, sizeof row->reason, "the next ceremony is due at %s, in %lld days", due, days(to_go_s));
	}
}

enum fault_code
ta_view_get(struct db_connection *connection, int64_t now_at, struct ta_row *ret_row, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct ta_row row = { .urgency = TA_ONLINE };
	bool found;
	int64_t waiting, asked_at;
	TRY(stmt_start(connection, QUERY_CEREMONY_TA, &stmt, fault));
	TRY(stmt_step(stmt, &found, fault));
	if (found && stmt_int(stmt, "offline") != 0) {
		int64_t ca_id = stmt_int(stmt, "ca_id");
		TRY(read_ceremonies(connection, &row, &asked_at, fault));
		TRY(read_number(connection, QUERY_CEREMONY_ENDS, ca_id, 0, "ends_at", &row.ends_at, fault));
		TRY(read_number(connection, QUERY_CEREMONY_WAITING_KEYS, ca_id, asked_at, "n", &waiting, fault));
		judge(&row, now_at, waiting > 0);
	}
	*ret_row = row;
	return FAULT_NONE;
}
