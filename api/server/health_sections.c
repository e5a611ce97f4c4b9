#include "api/server/health_sections.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ca/base/metrics.h"
#include "db/stores/health_store.h"
#include "db/stores/publication_store.h"

/* Renewals gather for their window, then for a cut; this much more is no lateness. */
#define LATE_SLACK_S 300
/* A cut is on disk within seconds; a repository of millions of objects takes a few minutes. */
#define WRITING_S 600
#define SET_ASIDE_SERIES 100
#define LONG_WAIT_S 1800
#define SNAPSHOT_LARGE INT64_C(950000000)

bool
health_sections_expiry_level(int64_t left_s, int64_t margin_s, int64_t min_s, enum health_level *ret_level)
{
	if (left_s >= margin_s / 2 && left_s >= min_s && left_s > 0)
		return false;
	if (left_s < min_s || left_s <= 0)
		*ret_level = HEALTH_FAILURE;
	else
		*ret_level = left_s < margin_s * 3 / 8 ? HEALTH_WARNING : HEALTH_NOTE;
	return true;
}

bool
health_sections_late_level(int64_t late_s, int64_t allowed_s, int64_t max_s, enum health_level *ret_level)
{
	if (late_s <= allowed_s && late_s < max_s)
		return false;
	*ret_level = late_s >= max_s ? HEALTH_FAILURE : late_s >= max_s / 2 ? HEALTH_WARNING : HEALTH_NOTE;
	return true;
}

static int64_t
age_s(const struct health_report *report, int64_t at)
{
	return at == 0 || at > report->now_at ? 0 : report->now_at - at;
}

static int64_t
late_allowed_s(const struct config *config)
{
	return config->renewal_window_s + config->batch_window_s + LATE_SLACK_S;
}

static enum fault_code
tell_queue(void *self, struct health_report *report, struct fault *fault)
{
	const struct config *config = self;
	struct queue_counts counts;
	TRY(health_store_queue(report->reader, &counts, fault));
	metrics_set(METRIC_CAS_DUE, counts.cas);
	metrics_set(METRIC_QUEUE_OLDEST, age_s(report, counts.oldest_at));
	json_writer_number(report->json, "cas", counts.cas);
	json_writer_instant(report->json, "oldest_at", counts.oldest_at);
	json_writer_number(report->json, "oldest_s", age_s(report, counts.oldest_at));
	json_writer_number(report->json, "held", counts.held);
	/* A large import takes its time; so does a change under a CA that is set aside. What such CAs have is renewed meanwhile. */
	int64_t waited_s = age_s(report, counts.oldest_at);
	if (waited_s > config->batch_window_s + LONG_WAIT_S)
		health_find(report, HEALTH_WARNING, "queue-old", "a change has waited for %" PRId64 " minutes", waited_s / 60);
	return FAULT_NONE;
}

static enum fault_code
tell_renewals(void *self, struct health_report *report, struct fault *fault)
{
	const struct config *config = self;
	struct renewal_counts counts;
	enum health_level level;
	TRY(health_store_renewals(report->reader, report->now_at, report->now_at - late_allowed_s(config), &counts, fault));
	int64_t late_s = age_s(report, counts.first_at);
	metrics_set(METRIC_RENEWALS_DUE, counts.due);
	metrics_set(METRIC_RENEWALS_OVERDUE, counts.overdue);
	metrics_set(METRIC_RENEWALS_LATE, late_s);
	json_writer_number(report->json, "due", counts.due);
	json_writer_number(report->json, "overdue", counts.overdue);
	json_writer_number(report->json, "late_s", late_s);
	if (health_sections_late_level(late_s, late_allowed_s(config), config->health_overdue_max_s, &level))
		health_find(report, level, "overdue", "renewals are late by %" PRId64 " minutes (%" PRId64 " CAs)", late_s / 60, counts.overdue);
	return FAULT_NONE;
}

/* Which ones is told where a token is asked for; here, only how many. */
static enum fault_code
set_series(struct health_report *report, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct set_aside_record record;
	bool found = true;
	TRY(health_store_list_set_aside(report->reader, SET_ASIDE_SERIES, &stmt, fault));
	metrics_family_begin(METRIC_FAMILY_SET_ASIDE);
	while (found) {
		TRY(health_store_next_set_aside(stmt, &record, &found, fault));
		if (found)
			metrics_family_set(METRIC_FAMILY_SET_ASIDE, record.handle, record.set_aside_at);
	}
	metrics_family_end(METRIC_FAMILY_SET_ASIDE);
	return FAULT_NONE;
}

/* CAs of members are set aside alone; one that others hang on takes them along when it expires. */
static enum fault_code
tell_set_aside(void *self, struct health_report *report, struct fault *fault)
{
	struct set_aside_counts counts;
	(void)self;
	TRY(health_store_set_aside(report->reader, &counts, fault));
	TRY(set_series(report, fault));
	metrics_set(METRIC_CAS_SET_ASIDE, counts.cas);
	json_writer_number(report->json, "cas", counts.cas);
	json_writer_instant(report->json, "first_at", counts.first_at);
	json_writer_instant(report->json, "expires_at", counts.expires_at);
	if (counts.parents > 0)
		health_find(report, HEALTH_FAILURE, "parent-set-aside", "CAs above others set aside: %" PRId64, counts.parents);
	if (counts.cas > counts.parents)
		health_find(report, HEALTH_WARNING, "set-aside", "members' CAs set aside: %" PRId64, counts.cas - counts.parents);
	return FAULT_NONE;
}

static int64_t
margin_s(const struct config *config, const char *kind)
{
	if (strcmp(kind, "mft") == 0 || strcmp(kind, "crl") == 0)
		return config->manifest_margin_s;
	return strcmp(kind, "ta") == 0 ? config->ta_valid_s / 3 : config->object_margin_s;
}

static void
find_expiry(const struct config *config, struct health_report *report, const char *kind, int64_t left_s)
{
	enum health_level level;
	char slug[32];
	if (!health_sections_expiry_level(left_s, margin_s(config, kind), config->health_expiry_min_s, &level))
		return;
	(void)snprintf(slug, sizeof slug, "expiry-%s", kind);
	if (left_s <= 0)
		health_find(report, level, slug, "an object of the kind %s has expired %" PRId64 " minutes ago", kind, -left_s / 60);
	else
		health_find(report, level, slug, "an object of the kind %s expires in %" PRId64 " minutes", kind, left_s / 60);
}

static enum fault_code
tell_expiry(void *self, struct health_report *report, struct fault *fault)
{
	static const char *const kinds[] = { "ta", "cer", "crl", "mft", "roa" };
	int64_t not_after_at;
	metrics_family_begin(METRIC_FAMILY_EXPIRY);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		TRY(health_store_expiry(report->reader, kinds[i], &not_after_at, fault));
		if (not_after_at == 0)
			continue;
		int64_t left_s = not_after_at - report->now_at;
		metrics_family_set(METRIC_FAMILY_EXPIRY, kinds[i], left_s);
		json_writer_object(report->json, kinds[i]);
		json_writer_instant(report->json, "at", not_after_at);
		json_writer_number(report->json, "left_s", left_s);
		json_writer_end(report->json);
		find_expiry(self, report, kinds[i], left_s);
	}
	metrics_family_end(METRIC_FAMILY_EXPIRY);
	return FAULT_NONE;
}

static enum fault_code
tell_key_pool(void *self, struct health_report *report, struct fault *fault)
{
	const struct config *config = self;
	(void)fault;
	metrics_set(METRIC_POOL_SIZE, config->key_pool);
	json_writer_number(report->json, "keys", metrics_get(METRIC_POOL_KEYS));
	json_writer_number(report->json, "size", config->key_pool);
	return FAULT_NONE;
}

static void
write_publication(struct json_writer *json, const struct publication_record *record)
{
	json_writer_number(json, "cut_serial", record->serial);
	json_writer_instant(json, "cut_at", record->cut_at);
	json_writer_number(json, "serial", record->notified_serial);
	json_writer_instant(json, "written_at", record->notified_at);
	json_writer_number(json, "rsync_serial", record->rsync_serial);
	json_writer_instant(json, "rsync_written_at", record->rsync_at);
	json_writer_number(json, "latency_s", metrics_get(METRIC_LATENCY));
}

/*
 * Told while there is time: nobody moves by itself. A repository that is full as foretold isn't large by that, and its members may have a
 * little more than was foretold: it would be told for ever.
 */
static void
judge_snapshot(struct health_report *report, const struct config *config, const char *which, int64_t size)
{
	int64_t expected = config->repository_size_max + config->repository_size_max / 10;
	if (size > (expected < SNAPSHOT_LARGE ? expected : SNAPSHOT_LARGE))
		health_find(report, HEALTH_WARNING, "snapshot-large", "%sits snapshot has %" PRId64 " MB; validators stop at 1,000 (FORT) "
			"or 2,147: lower roa_aggregate_above, or transfer large members' resources to new members in another repository",
			which, size / 1000000);
}

/* Of one repository: each is to be as the settings say. */
static void
judge_repository(struct health_report *report, const struct config *config, const struct publication_record *record)
{
	enum health_level level;
	char which[40] = "";
	if (record->repository_id > 1)
		(void)snprintf(which, sizeof which, "repository %" PRId64 ": ", record->repository_id);
	int64_t cut_s = age_s(report, record->cut_at);
	if (record->serial > record->notified_serial && health_sections_late_level(cut_s, WRITING_S, config->health_overdue_max_s, &level))
		health_find(report, level, "rrdp-late", "%sserial %" PRId64 " was cut %" PRId64 " minutes ago and is not on disk yet",
			which, record->serial, cut_s / 60);
	/* A tree is turned when another one has been unused for its grace time. */
	int64_t rsync_late_s = age_s(report, record->rsync_at) - config->rsync_interval_s - config->tree_grace_s;
	if (record->rsync_serial < record->notified_serial &&
		health_sections_late_level(rsync_late_s, WRITING_S, config->health_overdue_max_s, &level))
		health_find(report, level, "rsync-late", "%sthe rsync tree is behind the notification by %" PRId64 " serials",
			which, record->notified_serial - record->rsync_serial);
	judge_snapshot(report, config, which, record->snapshot_size);
}

static enum fault_code
tell_publication(void *self, struct health_report *report, struct fault *fault)
{
	const struct config *config = self;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct publication_record record;
	int64_t cut_at = 0, count = 0;
	TRY(publication_store_list(report->reader, &stmt, fault));
	for (;; count++) {
		bool found;
		TRY(publication_store_next(stmt, &record, &found, fault));
		if (!found)
			break;
		if (count == 0)
			write_publication(report->json, &record);
		cut_at = record.cut_at > cut_at ? record.cut_at : cut_at;
		judge_repository(report, config, &record);
	}
	if (count == 0)
		return fault_set(fault, FAULT_NOT_FOUND, "the database has no repository");
	json_writer_number(report->json, "repositories", count);
	metrics_set(METRIC_CUT_AT, cut_at);
	return FAULT_NONE;
}

void
health_sections_add(struct health *health, const struct config *config)
{
	void *self = (void *)(uintptr_t)config;
	health_add(health, "queue", tell_queue, self);
	health_add(health, "renewals", tell_renewals, self);
	health_add(health, "expiry", tell_expiry, self);
	health_add(health, "set_aside", tell_set_aside, self);
	health_add(health, "key_pool", tell_key_pool, self);
	health_add(health, "publication", tell_publication, self);
}
