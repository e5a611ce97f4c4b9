#include "api/server/health_log.h"

#include <string.h>

#include "ca/base/log.h"

#define HOUR_S INT64_C(3600)

static const struct {
	enum log_level level;
	int64_t every_s;
} rhythm[HEALTH_LEVELS] = {
	[HEALTH_NOTE] = { LOG_INFO, 6 * HOUR_S },
	[HEALTH_WARNING] = { LOG_WARNING, HOUR_S },
	[HEALTH_FAILURE] = { LOG_ERROR, HOUR_S / 6 },
};

bool
health_log_due(enum health_level before, int64_t written_s, enum health_level level, int64_t now_s)
{
	return level > before || now_s >= written_s + rhythm[level].every_s;
}

static struct health_log_entry *
find_entry(struct health_log *log, const struct health_finding *finding)
{
	for (size_t i = 0; i < log->count; i++) {
		const struct health_finding *known = &log->entries[i].finding;
		if (strcmp(known->kind, finding->kind) == 0 && strcmp(known->section, finding->section) == 0)
			return &log->entries[i];
	}
	return NULL;
}

static void
take(struct health_log *log, const struct health_finding *finding, int64_t now_s)
{
	struct health_log_entry *entry = find_entry(log, finding);
	bool known = entry != NULL;
	if (!known && log->count == HEALTH_FINDINGS_MAX)
		return;
	if (!known)
		entry = &log->entries[log->count++];
	if (!known || health_log_due(entry->finding.level, entry->written_s, finding->level, now_s)) {
		log_write(rhythm[finding->level].level, "health: %s: %s (%s)", finding->section, finding->detail, finding->kind);
		entry->written_s = now_s;
	}
	entry->finding = *finding;
	entry->seen = true;
}

static void
forget_what_is_over(struct health_log *log)
{
	size_t kept = 0;
	for (size_t i = 0; i < log->count; i++) {
		const struct health_log_entry *entry = &log->entries[i];
		if (entry->seen)
			log->entries[kept++] = *entry;
		else
			log_write(LOG_INFO, "health: %s: over (%s)", entry->finding.section, entry->finding.kind);
	}
	log->count = kept;
}

void
health_log_write(struct health_log *log, const struct health_finding *findings, size_t count, int64_t now_s)
{
	for (size_t i = 0; i < log->count; i++)
		log->entries[i].seen = false;
	/* First what is over: it makes room for what is new. */
	for (size_t i = 0; i < count; i++) {
		struct health_log_entry *entry = find_entry(log, &findings[i]);
		if (entry != NULL)
			entry->seen = true;
	}
	forget_what_is_over(log);
	for (size_t i = 0; i < count; i++)
		take(log, &findings[i], now_s);
}
