/*
 * health_log: which findings are written into the log when: at once when new, when worse and when over, in between again and again, the
 * worse the oftener, so that nobody overlooks what grows and no log fills with it.
 *
 * Threads: one at a time.
 */
#ifndef API_SERVER_HEALTH_LOG_H
#define API_SERVER_HEALTH_LOG_H

#include "api/server/health.h"

struct health_log_entry {
	struct health_finding finding;           /* as it was when last seen */
	int64_t written_s;                       /* when it was last logged */
	bool seen;
};

struct health_log {
	struct health_log_entry entries[HEALTH_FINDINGS_MAX];
	size_t count;
};

/* now_s: of a clock that never goes back. */
void health_log_write(struct health_log *log, const struct health_finding *findings, size_t count, int64_t now_s);

/* Is a finding that was last written at written_s, at that level, to be written now? */
bool health_log_due(enum health_level before, int64_t written_s, enum health_level level, int64_t now_s);

#endif
