#include "publish/check/check_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "ca/base/memory.h"

enum severity { MINOR, SEVERE };

static const struct {
	const char *name, *help;
	enum severity severity;
} kinds[CHECK_KINDS] = {
#define CHECK_KIND(id, text, level, words) [CHECK_##id] = { .name = text, .help = words, .severity = level },
#include "publish/check/check_kind.def"
#undef CHECK_KIND
};

static const char *const objects[CHECK_OBJECTS] = {
	[CHECK_TA] = "ta", [CHECK_CER] = "cer", [CHECK_CRL] = "crl", [CHECK_MFT] = "mft", [CHECK_ROA] = "roa",
};

const char *
check_kind_name(enum check_kind kind)
{
	return kinds[kind].name;
}

const char *
check_kind_help(enum check_kind kind)
{
	return kinds[kind].help;
}

bool
check_kind_severe(enum check_kind kind)
{
	return kinds[kind].severity == SEVERE;
}

const char *
check_object_name(enum check_object object)
{
	return objects[object];
}

static void
finding_clear(struct check_finding *finding)
{
	free(finding->place);
	free(finding->words);
}

void
check_report_clear(struct check_report *report)
{
	for (size_t i = 0; i < report->findings_count; i++)
		finding_clear(&report->findings[i]);
	free(report->findings);
	*report = CHECK_REPORT_INIT;
}

enum fault_code
check_report_add(struct check_report *report, enum check_kind kind, const char *place, struct fault *fault, const char *format, ...)
{
	char words[600];
	AUTO_CLEAR(struct check_finding, finding_clear) finding = { .kind = kind };
	report->findings_total++;
	report->severe_total += check_kind_severe(kind);
	if (report->counts[kind]++ >= CHECK_FINDINGS_EACH)
		return FAULT_NONE;
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(words, sizeof words, format, arguments);
	va_end(arguments);
	TRY(memory_copy_string(place, &finding.place, fault));
	TRY(memory_copy_string(words, &finding.words, fault));
	TRY(memory_reserve(&report->findings, &report->findings_capacity, report->findings_count + 1, sizeof *report->findings,
		fault));
	report->findings[report->findings_count++] = finding;
	finding = (struct check_finding){ .kind = kind };
	return FAULT_NONE;
}

enum fault_code
check_report_join(struct check_report *report, struct check_report *part, struct fault *fault)
{
	TRY(memory_reserve(&report->findings, &report->findings_capacity, report->findings_count + part->findings_count,
		sizeof *report->findings, fault));
	for (size_t i = 0; i < part->findings_count; i++) {
		report->findings[report->findings_count++] = part->findings[i];
		part->findings[i] = (struct check_finding){ .place = NULL };
	}
	for (size_t i = 0; i < CHECK_KINDS; i++)
		report->counts[i] += part->counts[i];
	report->findings_total += part->findings_total;
	report->severe_total += part->severe_total;
	part->findings_count = 0;
	return FAULT_NONE;
}
