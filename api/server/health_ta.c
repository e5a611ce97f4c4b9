#include "api/server/health_ta.h"

#include "ca/base/metrics.h"
#include "ca/views/views.h"

/* That it is due holds up nothing; that everything has ended is told, as a failure, by what looks at all objects. */
enum fault_code
health_ta_tell(void *self, struct health_report *report, struct fault *fault)
{
	static const enum health_level levels[] = { [TA_SOON] = HEALTH_NOTE, [TA_DUE] = HEALTH_WARNING, [TA_OVERDUE] = HEALTH_WARNING };
	struct ta_row row;
	(void)self;
	TRY(ta_view_get(report->reader, report->now_at, &row, fault));
	metrics_set(METRIC_TA_DUE_AT, row.due_at);
	metrics_set(METRIC_TA_ENDS_AT, row.ends_at);
	json_writer_text(report->json, "urgency", ta_view_urgency_text(row.urgency));
	if (row.urgency == TA_ONLINE)
		return FAULT_NONE;
	json_writer_text(report->json, "reason", row.reason);
	json_writer_instant(report->json, "due_at", row.due_at);
	json_writer_instant(report->json, "ends_at", row.ends_at);
	json_writer_number(report->json, "last", row.number);
	json_writer_number(report->json, "pending", row.pending);
	if (row.urgency != TA_OK)
		health_find(report, levels[row.urgency], ta_view_urgency_text(row.urgency), "%s", row.reason);
	return FAULT_NONE;
}
