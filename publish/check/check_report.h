/*
 * check_report: what a check found: how often each kind, the first ones in words, what expires first, how much there was.
 *
 * Bounded: CHECK_FINDINGS_EACH findings of a kind are kept, the rest is counted. Threads: one at a time.
 */
#ifndef PUBLISH_CHECK_CHECK_REPORT_H
#define PUBLISH_CHECK_CHECK_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/base/fault.h"
#include "ca/base/scope.h"

enum check_kind {
#define CHECK_KIND(id, name, severity, help) CHECK_##id,
#include "publish/check/check_kind.def"
#undef CHECK_KIND
	CHECK_KINDS
};

/* Kinds of objects; their names are their files' extensions. */
enum check_object { CHECK_TA, CHECK_CER, CHECK_CRL, CHECK_MFT, CHECK_ROA, CHECK_OBJECTS };

#define CHECK_FINDINGS_EACH 20

struct check_finding {
	enum check_kind kind;
	char *place;                            /* URI or path */
	char *words;                            /* one sentence */
};

struct check_report {
	int64_t checked_at, duration_ms;
	char session[37];                       /* of the notification; "" where it couldn't be read */
	int64_t serial, rsync_serial;           /* rsync_serial 0: not looked at, or not known. Of the first repository, as `deltas` */
	int64_t deltas;
	int64_t repositories, serials;          /* whose notifications were read; the sum of their serials */
	int64_t counts[CHECK_KINDS];            /* findings of each kind */
	int64_t findings_total, severe_total;
	int64_t objects[CHECK_OBJECTS];         /* that were looked at, by kind */
	int64_t expires_at[CHECK_OBJECTS];      /* the first of each kind that does; 0: there is none */
	int64_t cas, payloads;                  /* that a validator would take */
	int64_t cas_unsettled;                  /* whose payloads weren't held against intent because they are changing */
	struct check_finding *findings;         /* in the order in which they were found */
	size_t findings_count, findings_capacity;
};

#define CHECK_REPORT_INIT ((struct check_report){ .findings = NULL })

void check_report_clear(struct check_report *report);
/* Records a finding. Faults: MEMORY. */
CHECKED enum fault_code check_report_add(struct check_report *report, enum check_kind kind, const char *place, struct fault *fault,
	const char *format, ...) PRINTF_LIKE(5, 6);

/* Adds the findings of a part to the whole; the part keeps none. Faults: MEMORY. */
CHECKED enum fault_code check_report_join(struct check_report *report, struct check_report *part, struct fault *fault);

const char *check_kind_name(enum check_kind kind);
const char *check_kind_help(enum check_kind kind);
bool check_kind_severe(enum check_kind kind);
const char *check_object_name(enum check_object object); /* "ta", "cer", … */

#endif
