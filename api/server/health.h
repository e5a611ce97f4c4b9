/*
 * health: what the server tells of itself on /health/ready, in metrics and in the log, put together from sections. Each part of the
 * server adds a section of its own; this module knows none of them. GET /health/ready asks for no token: nothing that a section says
 * may name a path, a key, a token or a member.
 *
 * A section is a function that adds members to its JSON object, sets its gauges, and names what it finds wrong:
 *
 *     static enum fault_code
 *     tell_check(void *self, struct health_report *report, struct fault *fault)
 *     {
 *         const struct check *check = self;
 *         int64_t age_s = report->now_at - check->ended_at;
 *         json_writer_instant(report->json, "ended_at", check->ended_at);
 *         metrics_set(METRIC_CHECK_AGE, age_s);
 *         if (age_s > check->settings.age_max_s)
 *             health_find(report, HEALTH_WARNING, "check-late", "the last full check ended %lld s ago", (long long)age_s);
 *         return FAULT_NONE;
 *     }
 *     health_add(engine->health, "check", tell_check, engine->check);      in engine.c, before health_start()
 *
 * A report is made when it is asked for, at most once a second, and once a minute by a thread that writes what was found into the log:
 * at once when it is new or got worse, then again and again, the worse the oftener.
 *
 * Threads: sections are added from one thread, before health_start(); the rest from any. Sections run one at a time, on any thread.
 */
#ifndef API_SERVER_HEALTH_H
#define API_SERVER_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "api/server/json_writer.h"
#include "ca/base/bytes.h"
#include "ca/base/clock.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"
#include "db/db.h"

/* How bad something is: to be known; to be looked after; the server is not ready (503). */
enum health_level { HEALTH_NOTE, HEALTH_WARNING, HEALTH_FAILURE, HEALTH_LEVELS };

struct health_finding {
	enum health_level level;
	const char *section;                     /* its name, borrowed */
	char kind[32];                           /* a slug for programs: "overdue" */
	char detail[200];                        /* a sentence for a person */
};

/* What a section works with. */
struct health_report {
	struct json_writer *json;                /* the section's object is open: add its members, nothing else */
	struct db_connection *reader;            /* one view of the database for all sections of a report */
	int64_t now_at;
	struct health *health;                   /* for health_find() */
};

/* Must not wait longer than a read of the database takes. A fault makes the server not ready, with its type as the kind. */
typedef enum fault_code (*health_tell_fn)(void *self, struct health_report *report, struct fault *fault);

struct health;

#define HEALTH_SECTIONS_MAX 16
#define HEALTH_FINDINGS_MAX 32                   /* of one report; what comes after is left out */
#define HEALTH_LOOK_S 60

/* All borrowed. Faults: MEMORY. */
CHECKED enum fault_code health_new(struct db *db, const struct clock *clock, struct health **ret_health, struct fault *fault);
/* name, self: borrowed for as long as health lives. The name is the member of the JSON. */
void health_add(struct health *health, const char *name, health_tell_fn tell, void *self);
/* For a section: something is not as it should be. kind: a slug that is the same each time, and one alone in its section. */
void health_find(struct health_report *report, enum health_level level, const char *kind, const char *format, ...) PRINTF_LIKE(4, 5);

/* The thread that looks once a minute. Faults: IO, MEMORY. */
CHECKED enum fault_code health_start(struct health *health, struct fault *fault);
/* Ends the thread: before what the sections look at goes. */
void health_stop(struct health *health);
void health_free(struct health *health);         /* NULL is harmless */
SCOPED(struct health, health_free)

/*
 * Appends one JSON object: "trouble" (the kind of the first failure, or null), "findings", and each section. true: the server is ready.
 * Also brings the gauges up to date. false with nothing appended: there is no memory for more.
 */
bool health_tell(struct health *health, struct bytes *json);

/* One look of the thread: writes what was found into the log, if it is time. For tests, too. */
void health_look(struct health *health);

#endif
