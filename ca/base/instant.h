/*
 * instant: times as text, both ways, all by integer arithmetic (no time zones, no locale, right in 2050 and on leap days). Pure.
 *
 * What lies outside INSTANT_MIN..INSTANT_MAX is never parsed, and told as the nearer of the two.
 */
#ifndef CA_BASE_INSTANT_H
#define CA_BASE_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

#define INSTANT_TEXT 32 /* room for each text below, NUL included */
#define INSTANT_MIN INT64_C(0)              /* 1970-01-01T00:00:00Z */
#define INSTANT_MAX INT64_C(253402300799)   /* 9999-12-31T23:59:59Z */

struct civil_time {
	int year, month, day, hour, minute, second;
};

struct civil_time instant_civil(int64_t at);
int64_t instant_from_civil(struct civil_time civil);      /* fields must be in range, years 1 to 9999 */

void instant_rfc3339(int64_t at, char text[INSTANT_TEXT]); /* 2026-11-23T23:16:00Z */
void instant_http(int64_t at, char text[INSTANT_TEXT]);    /* Mon, 23 Nov 2026 23:16:00 GMT (RFC 9110 §5.6.7) */
bool instant_parse_rfc3339(const char *text, int64_t *ret_at); /* with Z or ±hh:mm; fractions of a second are cut */
bool instant_parse_http(const char *text, int64_t *ret_at);    /* the preferred form only */

#endif
