#include "api/server/check_json.h"

#include "ca/base/instant.h"

static json_t *
instant(int64_t at)
{
	char text[INSTANT_TEXT];
	if (at == 0)
		return json_null();
	instant_rfc3339(at, text);
	return json_string(text);
}

/* {"ta": {"objects": 1, "expires_at": "…"}, …} */
static json_t *
objects(const struct check_report *report)
{
	json_t *kinds = json_object();
	for (enum check_object kind = 0; kind < CHECK_OBJECTS; kind++)
		(void)json_object_set_new(kinds, check_object_name(kind), json_pack("{s:I,s:o}", "objects",
			(json_int_t)report->objects[kind], "expires_at", instant(report->expires_at[kind])));
	return kinds;
}

/* Kinds that were found, with how often. */
static json_t *
counts(const struct check_report *report)
{
	json_t *kinds = json_array();
	for (enum check_kind kind = 0; kind < CHECK_KINDS; kind++)
		if (report->counts[kind] > 0)
			(void)json_array_append_new(kinds, json_pack("{s:s,s:s,s:I,s:s}", "kind", check_kind_name(kind), "severity",
				check_kind_severe(kind) ? "severe" : "minor", "count", (json_int_t)report->counts[kind], "meaning",
				check_kind_help(kind)));
	return kinds;
}

static json_t *
findings(const struct check_report *report)
{
	json_t *list = json_array();
	for (size_t i = 0; i < report->findings_count; i++) {
		const struct check_finding *finding = &report->findings[i];
		json_t *item = json_pack("{s:s,s:s,s:s}", "kind", check_kind_name(finding->kind), "place", finding->place, "detail",
			finding->words);
		/* What stands in files that are served may be no text. */
		if (item == NULL)
			item = json_pack("{s:s,s:s,s:s}", "kind", check_kind_name(finding->kind), "place", "?", "detail",
				"it can't be told in UTF-8");
		(void)json_array_append_new(list, item);
	}
	return list;
}

enum fault_code
check_json(const struct check_report *report, json_t **ret_json, struct fault *fault)
{
	json_t *json = json_pack("{s:b,s:o,s:I,s:s?,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:I,s:I,s:o,s:o}",
		"right", report->findings_total == 0, "checked_at", instant(report->checked_at), "duration_ms",
		(json_int_t)report->duration_ms, "session", report->session[0] != '\0' ? report->session : NULL, "serial",
		(json_int_t)report->serial, "rsync_serial", (json_int_t)report->rsync_serial, "deltas", (json_int_t)report->deltas,
		"cas", (json_int_t)report->cas, "cas_unsettled", (json_int_t)report->cas_unsettled, "payloads",
		(json_int_t)report->payloads, "objects", objects(report), "findings_total", (json_int_t)report->findings_total,
		"severe_total", (json_int_t)report->severe_total, "kinds", counts(report), "findings", findings(report));
	if (json == NULL)
		return fault_set(fault, FAULT_MEMORY, "out of memory");
	*ret_json = json;
	return FAULT_NONE;
}
