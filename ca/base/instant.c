#include "ca/base/instant.h"

#include <string.h>

#include "ca/base/fault.h"

#define DAY_S INT64_C(86400)
#define DAYS_IN_400_YEARS 146097
#define DAYS_BEFORE_1970 719468 /* from 0000-03-01 to 1970-01-01 */

static const char month_names[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
static const char day_names[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };

/*
 * Years are counted here from 1 March, so that a leap day is the last day of its year, and the months from March on begin at day
 * (153 m + 2) / 5 whatever the year. All of it is the Gregorian calendar, also before it was decreed.
 */
struct civil_time
instant_civil(int64_t at)
{
	if (at < INSTANT_MIN)
		at = INSTANT_MIN;
	if (at > INSTANT_MAX)
		at = INSTANT_MAX;
	int64_t day = at / DAY_S + DAYS_BEFORE_1970;
	int second = (int)(at % DAY_S);
	int64_t era = day / DAYS_IN_400_YEARS;
	int day_of_era = (int)(day % DAYS_IN_400_YEARS);
	int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int month_from_march = (5 * day_of_year + 2) / 153;
	int month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
	return (struct civil_time){
		.year = (int)(era * 400) + year_of_era + (month <= 2),
		.month = month,
		.day = day_of_year - (153 * month_from_march + 2) / 5 + 1,
		.hour = second / 3600,
		.minute = second / 60 % 60,
		.second = second % 60,
	};
}

static int
days_in_month(int year, int month)
{
	static const int days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return month == 2 && leap ? 29 : days[month - 1];
}

static bool
in_range(struct civil_time civil)
{
	return civil.year >= 1 && civil.year <= 9999 && civil.month >= 1 && civil.month <= 12 && civil.day >= 1 &&
		civil.day <= days_in_month(civil.year, civil.month) && civil.hour >= 0 && civil.hour <= 23 && civil.minute >= 0 &&
		civil.minute <= 59 && civil.second >= 0 && civil.second <= 59;
}

int64_t
instant_from_civil(struct civil_time civil)
{
	INVARIANT(in_range(civil));
	int year = civil.year - (civil.month <= 2);
	int month_from_march = civil.month > 2 ? civil.month - 3 : civil.month + 9;
	int64_t day = (int64_t)365 * year + year / 4 - year / 100 + year / 400 + (153 * month_from_march + 2) / 5 + civil.day - 1;
	return (day - DAYS_BEFORE_1970) * DAY_S + civil.hour * 3600 + civil.minute * 60 + civil.second;
}

/* Writes a number over the digits that stand there. */
static void
put_number(char *text, int digits, int number)
{
	for (int i = digits; i-- > 0; number /= 10)
		text[i] = (char)('0' + number % 10);
}

void
instant_rfc3339(int64_t at, char text[INSTANT_TEXT])
{
	struct civil_time civil = instant_civil(at);
	memcpy(text, "0000-00-00T00:00:00Z", sizeof "0000-00-00T00:00:00Z");
	put_number(text, 4, civil.year);
	put_number(text + 5, 2, civil.month);
	put_number(text + 8, 2, civil.day);
	put_number(text + 11, 2, civil.hour);
	put_number(text + 14, 2, civil.minute);
	put_number(text + 17, 2, civil.second);
}

void
instant_http(int64_t at, char text[INSTANT_TEXT])
{
	struct civil_time civil = instant_civil(at);
	int64_t weekday = (instant_from_civil(civil) / DAY_S + 4) % 7; /* 1970-01-01 was a Thursday */
	memcpy(text, "Thu, 00 Jan 0000 00:00:00 GMT", sizeof "Thu, 00 Jan 0000 00:00:00 GMT");
	memcpy(text, day_names[weekday], 3);
	put_number(text + 5, 2, civil.day);
	memcpy(text + 8, month_names[civil.month - 1], 3);
	put_number(text + 12, 4, civil.year);
	put_number(text + 17, 2, civil.hour);
	put_number(text + 20, 2, civil.minute);
	put_number(text + 23, 2, civil.second);
}

/* Takes exactly `digits` decimal digits from *text. */
static bool
take_number(const char **text, int digits, int *ret_number)
{
	int number = 0;
	for (int i = 0; i < digits; i++) {
		char digit = (*text)[i];
		if (digit < '0' || digit > '9')
			return false;
		number = number * 10 + (digit - '0');
	}
	*text += digits;
	*ret_number = number;
	return true;
}

static bool
take_character(const char **text, const char *allowed)
{
	if (**text == '\0' || strchr(allowed, **text) == NULL)
		return false;
	++*text;
	return true;
}

/* "Z" or "±hh:mm", then the end of the text (RFC 3339 §5.6). */
static bool
parse_zone(const char *text, int64_t *ret_east_s)
{
	bool west = *text == '-';
	int64_t east_s = 0;
	if (!take_character(&text, "Zz")) {
		int hours, minutes;
		if (!take_character(&text, "+-") || !take_number(&text, 2, &hours) || !take_character(&text, ":") ||
			!take_number(&text, 2, &minutes) || hours > 23 || minutes > 59)
			return false;
		east_s = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
	}
	*ret_east_s = east_s;
	return *text == '\0';
}

static bool
skip_fraction(const char **text)
{
	if (!take_character(text, "."))
		return true;
	size_t digits = strspn(*text, "0123456789");
	*text += digits;
	return digits > 0;
}

bool
instant_parse_rfc3339(const char *text, int64_t *ret_at)
{
	struct civil_time civil;
	int64_t east_s;
	if (!take_number(&text, 4, &civil.year) || !take_character(&text, "-") || !take_number(&text, 2, &civil.month) ||
		!take_character(&text, "-") || !take_number(&text, 2, &civil.day) || !take_character(&text, "Tt") ||
		!take_number(&text, 2, &civil.hour) || !take_character(&text, ":") || !take_number(&text, 2, &civil.minute) ||
		!take_character(&text, ":") || !take_number(&text, 2, &civil.second) || !skip_fraction(&text) ||
		!parse_zone(text, &east_s) || !in_range(civil))
		return false;
	int64_t at = instant_from_civil(civil) - east_s;
	if (at < INSTANT_MIN || at > INSTANT_MAX)
		return false;
	*ret_at = at;
	return true;
}

static int
month_number(const char *name)
{
	for (int month = 0; month < 12; month++)
		if (strncmp(name, month_names[month], 3) == 0)
			return month + 1;
	return 0;
}

bool
instant_parse_http(const char *text, int64_t *ret_at)
{
	if (strlen(text) != strlen("Mon, 23 Nov 2026 23:16:00 GMT"))
		return false;
	struct civil_time civil = { .month = month_number(text + 8) };
	const char *day = text + 5, *year = text + 12, *hour = text + 17, *minute = text + 20, *second = text + 23;
	if (!take_number(&day, 2, &civil.day) || !take_number(&year, 4, &civil.year) || !take_number(&hour, 2, &civil.hour) ||
		!take_number(&minute, 2, &civil.minute) || !take_number(&second, 2, &civil.second) || !in_range(civil))
		return false;
	/* The text must be the one that we would print: this checks the weekday and all that stands between the numbers. */
	int64_t at = instant_from_civil(civil);
	char printed[INSTANT_TEXT];
	instant_http(at, printed);
	if (strcmp(text, printed) != 0)
		return false;
	*ret_at = at;
	return true;
}
