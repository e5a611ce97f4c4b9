#include "api/server/self_check.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/server/check_json.h"
#include "ca/base/alarm.h"
#include "ca/base/log.h"
#include "ca/base/memory.h"
#include "ca/base/metrics.h"
#include "ca/base/priority.h"

#define REST 9            /* it rests so many times as long as it worked */
#define REST_LEAST_MS 2000
#define AGAIN_MS 5000     /* a check that found something severe is made again so soon */
#define LOOK_MS (60 * 1000)
#define KINDS_TEXT 150

struct self_check {
	struct db *db;
	int directory;
	const struct clock *clock;
	int64_t interval_s;
	int64_t horizon_s[CHECK_OBJECTS];
	struct check_known *known;
	struct alarm alarm;
	pthread_t thread;
	bool started;
	int64_t everything_ms;                  /* monotonic: when everything was checked last; 0: never */
	int64_t last_serials;                   /* that were checked: their sum */
	bool rsync_found;                       /* the last look at the rsync tree found something */
	bool doubtful;                          /* the last check found something severe, for the first time */
	pthread_mutex_t mutex;                  /* guards what follows */
	struct check_report report;             /* the last */
	bool made;
	bool severe;                            /* confirmed */
	int64_t everything_at;
	bool failed;                            /* the last could not be made */
	char failure[200];
};

void
self_check_horizons(const struct config *config, int64_t ret_horizon_s[CHECK_OBJECTS])
{
	ret_horizon_s[CHECK_TA] = config->ta_valid_s / 6; /* made anew at two thirds */
	ret_horizon_s[CHECK_CER] = ret_horizon_s[CHECK_ROA] = config->object_margin_s / 2;
	ret_horizon_s[CHECK_CRL] = ret_horizon_s[CHECK_MFT] = config->manifest_margin_s / 2;
}

static void
set_metrics(const struct check_report *report, bool everything)
{
	metrics_set(METRIC_CHECKED_AT, report->checked_at);
	if (everything)
		metrics_set(METRIC_CHECKED_ALL_AT, report->checked_at);
	metrics_set(METRIC_CHECK_MS, report->duration_ms);
	metrics_set(METRIC_FINDINGS, report->findings_total);
	metrics_set(METRIC_FINDINGS_SEVERE, report->severe_total);
	metrics_family_begin(METRIC_FAMILY_SERVED_EXPIRY);
	for (enum check_object kind = 0; kind < CHECK_OBJECTS; kind++)
		if (report->expires_at[kind] != 0)
			metrics_family_set(METRIC_FAMILY_SERVED_EXPIRY, check_object_name(kind), report->expires_at[kind]);
	metrics_family_end(METRIC_FAMILY_SERVED_EXPIRY);
}

/* Once for each kind: the rest is in the API. */
static void
log_findings(const struct check_report *report)
{
	bool told[CHECK_KINDS] = { false };
	for (size_t i = 0; i < report->findings_count; i++) {
		const struct check_finding *finding = &report->findings[i];
		if (told[finding->kind])
			continue;
		told[finding->kind] = true;
		log_write(check_kind_severe(finding->kind) ? LOG_ERROR : LOG_WARNING, "check: %s (%lld): %s: %s",
			check_kind_name(finding->kind), (long long)report->counts[finding->kind], finding->place, finding->words);
	}
}

/* The new report takes the place of the one before. */
static void
keep(struct self_check *check, struct check_report *report, bool everything)
{
	pthread_mutex_lock(&check->mutex);
	bool severe = report->severe_total > 0;
	bool confirmed = severe && (check->doubtful || check->severe);
	bool news = !check->made || report->findings_total != check->report.findings_total;
	check->doubtful = severe && !confirmed;
	check->severe = confirmed;
	if (everything)
		check->everything_at = report->checked_at;
	struct check_report before = check->report;
	check->report = *report;
	*report = before;
	check->made = true;
	pthread_mutex_unlock(&check->mutex);
	/* Only this thread changes it. */
	set_metrics(&check->report, everything);
	check->last_serials = check->report.serials;
	if (news && !check->doubtful)
		log_findings(&check->report);
}

/* A check that can't be made must not look like one that found nothing. */
static void
note_fault(struct self_check *check, enum fault_code code, const struct fault *cause)
{
	pthread_mutex_lock(&check->mutex);
	check->failed = code != FAULT_NONE && code != FAULT_BUSY;
	if (check->failed)
		(void)snprintf(check->failure, sizeof check->failure, "%.*s", (int)sizeof check->failure - 1, cause->message);
	pthread_mutex_unlock(&check->mutex);
}

enum fault_code
self_check_once(struct self_check *check, bool everything, struct fault *fault)
{
	AUTO_CLEAR(struct check_report, check_report_clear) report = CHECK_REPORT_INIT;
	struct check_request request = {
		.directory = check->directory, .db = check->db, .now_at = clock_now(check->clock),
		.clock = check->clock, .known = check->known, .changed_only = !everything, .stop = &check->alarm.stop,
		/* The rsync tree follows at a rhythm of its own and is large: with everything, or until it is as it should be. */
		.without_rsync = !everything && !check->rsync_found,
	};
	memcpy(request.horizon_s, check->horizon_s, sizeof request.horizon_s);
	struct fault cause = FAULT_INIT;
	enum fault_code code = check_run(&request, &report, &cause);
	note_fault(check, code, &cause);
	if (code != FAULT_NONE)
		return fault_set(fault, code, "%s", cause.message);
	if (!request.without_rsync)
		check->rsync_found = report.counts[CHECK_RSYNC_TIME] > 0;
	keep(check, &report, everything);
	return FAULT_NONE;
}

/* Before the first publication there is nothing to look at. */
static bool
is_due(struct self_check *check, bool *ret_everything)
{
	AUTO(struct check_repository, free) repositories = NULL;
	size_t count = 0;
	int64_t now_ms = clock_monotonic_ms(), serials = 0;
	if (check_view_repositories(check->db, &repositories, &count, NULL) != FAULT_NONE || repositories[0].notified_serial == 0)
		return false;
	for (size_t i = 0; i < count; i++)
		serials += repositories[i].notified_serial;
	/* What is severe is looked at until it is gone, in rsync too. */
	*ret_everything = check->everything_ms == 0 || now_ms - check->everything_ms >= check->interval_s * 1000 || check->doubtful ||
		check->severe;
	return *ret_everything || serials != check->last_serials;
}

/* How long it is to rest then; 0: there was nothing to do. */
static int64_t
step(struct self_check *check)
{
	struct fault fault = FAULT_INIT;
	bool everything = false;
	if (!is_due(check, &everything))
		return 0;
	int64_t began_ms = clock_monotonic_ms();
	enum fault_code code = self_check_once(check, everything, &fault);
	int64_t took_ms = clock_monotonic_ms() - began_ms;
	if (code == FAULT_NONE && everything)
		check->everything_ms = clock_monotonic_ms();
	if (code != FAULT_NONE && code != FAULT_BUSY)
		log_fault(LOG_WARNING, &fault, "checking what is served");
	if (check->doubtful)
		return AGAIN_MS;
	return took_ms * REST > REST_LEAST_MS ? took_ms * REST : REST_LEAST_MS;
}

static void *
run(void *argument)
{
	struct self_check *check = argument;
	int64_t next_ms = REST_LEAST_MS, free_ms = 0;
	priority_step_back();
	while (alarm_wait(&check->alarm, next_ms)) {
		int64_t now_ms = clock_monotonic_ms();
		/* It may be woken while it is to rest. */
		next_ms = free_ms - now_ms;
		if (next_ms > 0)
			continue;
		next_ms = step(check);
		free_ms = clock_monotonic_ms() + next_ms;
		/* A publication may put right what was severe: that wakes it sooner. */
		if (next_ms == 0 || check->severe)
			next_ms = LOOK_MS;
	}
	return NULL;
}

enum fault_code
self_check_new(struct db *db, int directory, const struct clock *clock, const struct config *config, struct self_check **ret_check,
	struct fault *fault)
{
	struct self_check *check;
	TRY(memory_new(1, sizeof *check, &check, fault));
	enum fault_code code = check_known_new(directory, &check->known, fault);
	if (code != FAULT_NONE) {
		free(check);
		return code;
	}
	check->db = db;
	check->directory = directory;
	check->clock = clock;
	check->interval_s = config->check_interval_s;
	self_check_horizons(config, check->horizon_s);
	alarm_init(&check->alarm);
	pthread_mutex_init(&check->mutex, NULL);
	*ret_check = check;
	return FAULT_NONE;
}

enum fault_code
self_check_start(struct self_check *check, struct fault *fault)
{
	int error = pthread_create(&check->thread, NULL, run, check);
	check->started = error == 0;
	if (check->started)
		(void)pthread_setname_np(check->thread, "self-check");
	return error == 0 ? FAULT_NONE : fault_set_errno(fault, error, "starting the check's thread");
}

void
self_check_wake(struct self_check *check)
{
	alarm_wake(&check->alarm);
}

void
self_check_free(struct self_check *check)
{
	if (check == NULL)
		return;
	alarm_stop(&check->alarm);
	if (check->started)
		pthread_join(check->thread, NULL);
	alarm_clear(&check->alarm);
	pthread_mutex_destroy(&check->mutex);
	check_report_clear(&check->report);
	check_known_free(check->known);
	free(check);
}

/* The kinds that were found, for a person; places stay in the API, as health is told to anybody. */
static void
name_kinds(const struct check_report *report, bool severe, char names[KINDS_TEXT])
{
	size_t length = 0;
	names[0] = '\0';
	for (enum check_kind kind = 0; kind < CHECK_KINDS && length < KINDS_TEXT; kind++)
		if (report->counts[kind] > 0 && check_kind_severe(kind) == severe)
			length += (size_t)snprintf(names + length, KINDS_TEXT - length, "%s%s", length > 0 ? ", " : "", check_kind_name(kind));
}

static void
find(const struct self_check *check, struct health_report *health)
{
	const struct check_report *report = &check->report;
	char names[KINDS_TEXT];
	name_kinds(report, true, names);
	if (check->severe)
		health_find(health, HEALTH_FAILURE, "served-wrong", "validators refuse something that is served: %s", names);
	name_kinds(report, false, names);
	if (names[0] != '\0')
		health_find(health, HEALTH_WARNING, "served-doubtful", "something that is served needs a look: %s", names);
	if (health->now_at - check->everything_at > 2 * check->interval_s)
		health_find(health, HEALTH_WARNING, "late", "the last check of everything that is served is %lld s ago",
			(long long)(health->now_at - check->everything_at));
}

enum fault_code
self_check_tell(void *self, struct health_report *health, struct fault *fault)
{
	struct self_check *check = self;
	const struct check_report *report = &check->report;
	(void)fault;
	pthread_mutex_lock(&check->mutex);
	json_writer_instant(health->json, "checked_at", report->checked_at);
	json_writer_instant(health->json, "all_checked_at", check->everything_at);
	json_writer_number(health->json, "findings", report->findings_total);
	json_writer_number(health->json, "severe", report->severe_total);
	json_writer_object(health->json, "expires_in_s");
	for (enum check_object kind = 0; kind < CHECK_OBJECTS; kind++)
		if (report->expires_at[kind] != 0)
			json_writer_number(health->json, check_object_name(kind), report->expires_at[kind] - health->now_at);
	json_writer_end(health->json);
	if (check->made)
		find(check, health);
	if (check->failed)
		health_find(health, HEALTH_WARNING, "failing", "what is served can't be checked: %s", check->failure);
	pthread_mutex_unlock(&check->mutex);
	return FAULT_NONE;
}

enum fault_code
self_check_json(struct self_check *check, json_t **ret_json, struct fault *fault)
{
	pthread_mutex_lock(&check->mutex);
	enum fault_code code = check->made ? check_json(&check->report, ret_json, fault) :
		fault_set(fault, FAULT_NOT_FOUND, "no check was made yet: the first follows the first publication");
	pthread_mutex_unlock(&check->mutex);
	return code;
}
