#include "api/server/health.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/server/health_log.h"
#include "ca/base/alarm.h"
#include "ca/base/log.h"
#include "ca/base/memory.h"
#include "ca/base/metrics.h"

/* Whoever asks within this time gets the report that was made: it is asked for by anybody. */
#define FRESH_MS 1000

struct section {
	const char *name;
	health_tell_fn tell;
	void *self;
};

struct health {
	struct db *db;
	const struct clock *clock;
	struct section sections[HEALTH_SECTIONS_MAX];
	size_t sections_count;
	struct alarm alarm;
	pthread_t thread;
	bool started;
	pthread_mutex_t mutex;                   /* guards what follows: the last report */
	const char *telling;                     /* name of the section whose turn it is */
	struct health_finding findings[HEALTH_FINDINGS_MAX];
	size_t findings_count;
	struct bytes json;                       /* empty: there was no memory for it */
	int64_t made_ms;                         /* monotonic; 0: not yet */
	struct health_log log;
};

static const char *const level_texts[HEALTH_LEVELS] = {
	[HEALTH_NOTE] = "note", [HEALTH_WARNING] = "warning", [HEALTH_FAILURE] = "failure",
};

enum fault_code
health_new(struct db *db, const struct clock *clock, struct health **ret_health, struct fault *fault)
{
	struct health *health;
	TRY(memory_new(1, sizeof *health, &health, fault));
	health->db = db;
	health->clock = clock;
	alarm_init(&health->alarm);
	pthread_mutex_init(&health->mutex, NULL);
	*ret_health = health;
	return FAULT_NONE;
}

void
health_add(struct health *health, const char *name, health_tell_fn tell, void *self)
{
	INVARIANT(health->sections_count < HEALTH_SECTIONS_MAX && !health->started);
	health->sections[health->sections_count++] = (struct section){ name, tell, self };
}

void
health_find(struct health_report *report, enum health_level level, const char *kind, const char *format, ...)
{
	struct health *health = report->health;
	va_list arguments;
	if (health->findings_count == HEALTH_FINDINGS_MAX)
		return;
	struct health_finding *finding = &health->findings[health->findings_count++];
	*finding = (struct health_finding){ .level = level, .section = health->telling };
	(void)snprintf(finding->kind, sizeof finding->kind, "%s", kind);
	va_start(arguments, format);
	(void)vsnprintf(finding->detail, sizeof finding->detail, format, arguments);
	va_end(arguments);
}

/* A section that fails says so by its kind alone: the words of a fault may name paths. They go to the log. */
static void
tell_section(struct health *health, const struct section *section, struct health_report *report, struct json_writer *whole)
{
	AUTO_CLEAR(struct spool, spool_clear) spool = SPOOL_INIT(-1);
	struct json_writer writer;
	struct fault fault = FAULT_INIT;
	health->telling = section->name;
	report->json = &writer;
	json_writer_begin(&writer, &spool);
	json_writer_object(&writer, NULL);
	enum fault_code code = section->tell(section->self, report, &fault);
	if (code == FAULT_NONE) {
		json_writer_end(&writer);
		code = json_writer_check(&writer, &fault);
	}
	if (code == FAULT_NONE) {
		json_writer_json(whole, section->name, bytes_text(&spool.memory));
		return;
	}
	log_fault(LOG_DEBUG, &fault, section->name);
	health_find(report, HEALTH_FAILURE, fault_type(code), "the state of this could not be read");
	json_writer_json(whole, section->name, "null");
}

static void
tell_sections(struct health *health, struct json_writer *whole)
{
	AUTO(struct db_connection, db_reader_release) reader = NULL;
	struct health_report report = { .now_at = clock_now(health->clock), .health = health };
	struct fault fault = FAULT_INIT;
	health->telling = "database";
	if (db_reader_acquire(health->db, &reader, &fault) != FAULT_NONE) {
		health_find(&report, HEALTH_FAILURE, fault_type(fault.code), "the database can't be read");
		return;
	}
	report.reader = reader;
	for (size_t i = 0; i < health->sections_count; i++)
		tell_section(health, &health->sections[i], &report, whole);
}

static const struct health_finding *
first_failure(const struct health *health)
{
	for (size_t i = 0; i < health->findings_count; i++)
		if (health->findings[i].level == HEALTH_FAILURE)
			return &health->findings[i];
	return NULL;
}

static void
write_findings(const struct health *health, struct json_writer *writer)
{
	json_writer_array(writer, "findings");
	for (size_t i = 0; i < health->findings_count; i++) {
		const struct health_finding *finding = &health->findings[i];
		json_writer_object(writer, NULL);
		json_writer_text(writer, "level", level_texts[finding->level]);
		json_writer_text(writer, "section", finding->section);
		json_writer_text(writer, "kind", finding->kind);
		json_writer_text(writer, "detail", finding->detail);
		json_writer_end(writer);
	}
	json_writer_end(writer);
}

static void
make_report(struct health *health)
{
	AUTO_CLEAR(struct spool, spool_clear) sections = SPOOL_INIT(-1);
	AUTO_CLEAR(struct spool, spool_clear) all = SPOOL_INIT(-1);
	struct json_writer inner, outer;
	int64_t looked_ms = clock_monotonic_ms();
	health->findings_count = 0;
	json_writer_begin(&inner, &sections);
	json_writer_object(&inner, NULL);
	tell_sections(health, &inner);
	json_writer_end(&inner);

	const struct health_finding *failure = first_failure(health);
	json_writer_begin(&outer, &all);
	json_writer_object(&outer, NULL);
	json_writer_text(&outer, "trouble", failure != NULL ? failure->kind : NULL);
	write_findings(health, &outer);
	json_writer_json(&outer, "sections", bytes_text(&sections.memory));
	json_writer_end(&outer);
	bytes_reset(&health->json);
	if (json_writer_check(&inner, NULL) == FAULT_NONE && json_writer_check(&outer, NULL) == FAULT_NONE)
		(void)!bytes_append(&health->json, all.memory.data, all.memory.length, NULL);
	metrics_set(METRIC_READY, failure == NULL);
	/* It is as old as the first look: on a busy machine telling it takes a while. */
	health->made_ms = looked_ms;
}

bool
health_tell(struct health *health, struct bytes *json)
{
	pthread_mutex_lock(&health->mutex);
	if (health->made_ms == 0 || clock_monotonic_ms() >= health->made_ms + FRESH_MS)
		make_report(health);
	bool told = health->json.length > 0 && bytes_append(json, health->json.data, health->json.length, NULL) == FAULT_NONE;
	bool ready = told && first_failure(health) == NULL;
	pthread_mutex_unlock(&health->mutex);
	return ready;
}

void
health_look(struct health *health)
{
	pthread_mutex_lock(&health->mutex);
	make_report(health);
	health_log_write(&health->log, health->findings, health->findings_count, clock_monotonic_ms() / 1000);
	pthread_mutex_unlock(&health->mutex);
}

static void *
run(void *argument)
{
	struct health *health = argument;
	do
		health_look(health);
	while (alarm_wait(&health->alarm, HEALTH_LOOK_S * 1000));
	return NULL;
}

enum fault_code
health_start(struct health *health, struct fault *fault)
{
	int error = pthread_create(&health->thread, NULL, run, health);
	if (error != 0)
		return fault_set_errno(fault, error, "starting the thread that watches health");
	health->started = true;
	return FAULT_NONE;
}

void
health_stop(struct health *health)
{
	if (health == NULL || !health->started)
		return;
	alarm_stop(&health->alarm);
	pthread_join(health->thread, NULL);
	health->started = false;
}

void
health_free(struct health *health)
{
	if (health == NULL)
		return;
	health_stop(health);
	alarm_clear(&health->alarm);
	pthread_mutex_destroy(&health->mutex);
	bytes_clear(&health->json);
	free(health);
}
