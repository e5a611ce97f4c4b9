#include "api/cli/health_output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ca/base/bytes.h"
#include "ca/base/scope.h"

#define MINUTE INT64_C(60)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

void
health_output_duration(int64_t duration_s, char ret_text[DURATION_TEXT])
{
	const char *sign = duration_s < 0 ? "-" : "";
	int64_t s = duration_s < 0 ? -(duration_s + 1) + 1 : duration_s;
	if (s < 2 * MINUTE)
		(void)snprintf(ret_text, DURATION_TEXT, "%s%" PRId64 " s", sign, s);
	else if (s < 2 * HOUR)
		(void)snprintf(ret_text, DURATION_TEXT, "%s%" PRId64 " min", sign, s / MINUTE);
	else if (s < 2 * DAY)
		(void)snprintf(ret_text, DURATION_TEXT, "%s%" PRId64 " h %" PRId64 " min", sign, s / HOUR, s % HOUR / MINUTE);
	else
		(void)snprintf(ret_text, DURATION_TEXT, "%s%" PRId64 " d %" PRId64 " h", sign, s / DAY, s % DAY / HOUR);
}

static int64_t
number(const json_t *section, const char *key)
{
	return json_integer_value(json_object_get(section, key));
}

/* A text of the server's; control characters don't reach the terminal. */
static const char *
text(const json_t *object, const char *key, char ret_text[256])
{
	const char *value = json_string_value(json_object_get(object, key));
	(void)snprintf(ret_text, 256, "%s", value != NULL ? value : "");
	for (char *c = ret_text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	return ret_text;
}

static void
show_queue(const json_t *section, struct bytes *line)
{
	char duration[DURATION_TEXT];
	health_output_duration(number(section, "oldest_s"), duration);
	(void)!bytes_printf(line, NULL, "%" PRId64 " CAs", number(section, "cas"));
	if (number(section, "cas") > 0)
		(void)!bytes_printf(line, NULL, ", the oldest for %s", duration);
	if (number(section, "held") > 0)
		(void)!bytes_printf(line, NULL, "; %" PRId64 " on hold", number(section, "held"));
}

static void
show_renewals(const json_t *section, struct bytes *line)
{
	char duration[DURATION_TEXT];
	health_output_duration(number(section, "late_s"), duration);
	(void)!bytes_printf(line, NULL, "%" PRId64 " CAs due, %" PRId64 " overdue", number(section, "due"), number(section, "overdue"));
	if (number(section, "due") > 0)
		(void)!bytes_printf(line, NULL, ", the latest by %s", duration);
}

/* "ta in 61 d 3 h, mft in 13 h 10 min" */
static void
show_expiry(const json_t *section, struct bytes *line)
{
	const char *kind;
	const json_t *value;
	json_object_foreach((json_t *)section, kind, value) {
		char duration[DURATION_TEXT];
		health_output_duration(number(value, "left_s"), duration);
		(void)!bytes_printf(line, NULL, "%s%s in %s", line->length > 0 ? ", " : "", kind, duration);
	}
}

static void
show_key_pool(const json_t *section, struct bytes *line)
{
	(void)!bytes_printf(line, NULL, "%" PRId64 " keys of %" PRId64, number(section, "keys"), number(section, "size"));
}

static void
show_publication(const json_t *section, struct bytes *line)
{
	char written[256], duration[DURATION_TEXT];
	health_output_duration(number(section, "latency_s"), duration);
	(void)!bytes_printf(line, NULL, "serial %" PRId64 " of %s, rsync %" PRId64 "; last latency %s", number(section, "serial"),
		text(section, "written_at", written), number(section, "rsync_serial"), duration);
}

static void
show_ta(const json_t *section, struct bytes *line)
{
	char urgency[256], reason[256], due[256], ends[256];
	if (strcmp(text(section, "urgency", urgency), "online") == 0)
		(void)!bytes_append_text(line, "its key is on the server", NULL);
	else if (*text(section, "due_at", due) == '\0')
		/* There was none yet: nothing has a date. */
		(void)!bytes_printf(line, NULL, "%s: %s", urgency, text(section, "reason", reason));
	else
		(void)!bytes_printf(line, NULL, "next ceremony by %s (%s): %s; what is signed ends %s", text(section, "due_at", due), urgency,
			text(section, "reason", reason), text(section, "ends_at", ends));
}

static void
show_check(const json_t *section, struct bytes *line)
{
	char checked[256], all[256];
	if (*text(section, "all_checked_at", all) == '\0')
		(void)!bytes_append_text(line, "not yet", NULL);
	else
		(void)!bytes_printf(line, NULL, "%s, all of it %s: %" PRId64 " findings, %" PRId64 " severe", text(section, "checked_at", checked),
			all, number(section, "findings"), number(section, "severe"));
}

/* Members as they are named: a part of the server that is newer than this program. */
static void
show_any(const json_t *section, struct bytes *line)
{
	const char *key;
	const json_t *value;
	json_object_foreach((json_t *)section, key, value) {
		char shown[256], duration[DURATION_TEXT];
		size_t length = strlen(key);
		(void)!bytes_append_text(line, line->length > 0 ? ", " : "", NULL);
		if (json_is_integer(value) && length > 2 && strcmp(key + length - 2, "_s") == 0) {
			health_output_duration(json_integer_value(value), duration);
			(void)!bytes_printf(line, NULL, "%.*s %s", (int)length - 2, key, duration);
		} else if (json_is_integer(value)) {
			(void)!bytes_printf(line, NULL, "%s %" JSON_INTEGER_FORMAT, key, json_integer_value(value));
		} else if (json_is_string(value)) {
			(void)!bytes_printf(line, NULL, "%s %s", key, text(section, key, shown));
		} else {
			(void)!bytes_printf(line, NULL, "%s %s", key, json_is_true(value) ? "yes" : json_is_false(value) ? "no" : "-");
		}
	}
}

static const struct shown {
	const char *section, *title;
	void (*show)(const json_t *section, struct bytes *line);  /* NULL: told elsewhere */
} shown_sections[] = {
	{ "work", NULL, NULL }, { "queue", "Waiting", show_queue }, { "renewals", "Renewals", show_renewals },
	{ "expiry", "Expires first", show_expiry }, { "set_aside", NULL, NULL }, { "key_pool", "One-time keys", show_key_pool },
	{ "publication", "On disk", show_publication }, { "ta", "Trust anchor", show_ta }, { "check", "Checked", show_check },
};

static void
show_section(const char *name, const json_t *section)
{
	AUTO_CLEAR(struct bytes, bytes_clear) line = BYTES_INIT;
	struct shown any = { name, name, show_any };
	const struct shown *shown = &any;
	for (size_t i = 0; i < sizeof shown_sections / sizeof *shown_sections; i++)
		if (strcmp(shown_sections[i].section, name) == 0)
			shown = &shown_sections[i];
	if (shown->show == NULL)
		return;
	if (json_is_object(section))
		shown->show(section, &line);
	else
		(void)!bytes_append_text(&line, "not known", NULL);
	if (line.length > 0)
		printf("%-16s %s\n", shown->title, bytes_text(&line));
}

static void
show_finding(const json_t *finding)
{
	char level[256], section[256], kind[256], detail[256];
	printf("  %-8s %s: %s (%s)\n", text(finding, "level", level), text(finding, "section", section), text(finding, "detail", detail),
		text(finding, "kind", kind));
}

void
health_output(const json_t *health)
{
	const json_t *findings = json_object_get(health, "findings"), *sections = json_object_get(health, "sections"), *finding, *section;
	char trouble[256];
	size_t index;
	const char *name;
	bool ready = json_is_null(json_object_get(health, "trouble"));
	printf("%-16s %s%s\n", "Health", ready ? "ready" : "not ready: ", ready ? "" : text(health, "trouble", trouble));
	json_array_foreach((json_t *)findings, index, finding)
		show_finding(finding);
	json_object_foreach((json_t *)sections, name, section)
		show_section(name, section);
}
