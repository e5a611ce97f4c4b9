#include "ca/der/der_time.h"

#include <stdio.h>
#include <string.h>

#include "ca/base/instant.h"
#include "ca/keys/openssl_fault.h"

#define UTC_YEARS_FROM 1950 /* RFC 5280 §4.1.2.5.1: YY is a year from here on, for a century */
#define GENERALIZED_LENGTH 15
#define UTC_LENGTH 13
#define TEXT_SIZE 64 /* room for what the compiler thinks numbers could be */

/* YYYYMMDDHHMMSSZ; a UTCTime is that without the century. */
static enum fault_code
print(int64_t at, char text[TEXT_SIZE], int *ret_year, struct fault *fault)
{
	if (at < INSTANT_MIN || at > INSTANT_MAX)
		return fault_set(fault, FAULT_INVALID, "a time before 1970 or after 9999 can't be encoded");
	struct civil_time civil = instant_civil(at);
	(void)snprintf(text, TEXT_SIZE, "%04d%02d%02d%02d%02d%02dZ", civil.year, civil.month, civil.day, civil.hour, civil.minute,
		civil.second);
	*ret_year = civil.year;
	return FAULT_NONE;
}

enum fault_code
der_time_set(ASN1_TIME *time, int64_t at, struct fault *fault)
{
	char text[TEXT_SIZE];
	int year;
	TRY(print(at, text, &year, fault));
	/* RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050. */
	bool utc = year < UTC_YEARS_FROM + 100;
	if ((utc ? ASN1_UTCTIME_set_string(time, text + 2) : ASN1_GENERALIZEDTIME_set_string(time, text)) != 1)
		return openssl_fault_set(fault, FAULT_MEMORY, "building a time");
	return FAULT_NONE;
}

enum fault_code
der_time_set_generalized(ASN1_GENERALIZEDTIME *time, int64_t at, struct fault *fault)
{
	char text[TEXT_SIZE];
	int year;
	TRY(print(at, text, &year, fault));
	if (ASN1_GENERALIZEDTIME_set_string(time, text) != 1)
		return openssl_fault_set(fault, FAULT_MEMORY, "building a time");
	return FAULT_NONE;
}

/* digits: YYYYMMDDHHMMSS. The rest is left to the one parser of times that there is. */
static bool
parse(const char *digits, int64_t *ret_at)
{
	char text[INSTANT_TEXT];
	(void)snprintf(text, sizeof text, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", digits, digits + 4, digits + 6, digits + 8,
		digits + 10, digits + 12);
	return instant_parse_rfc3339(text, ret_at);
}

static bool
ends_in_z(const ASN1_STRING *time, size_t length)
{
	return (size_t)ASN1_STRING_length(time) == length && ASN1_STRING_get0_data(time)[length - 1] == 'Z';
}

enum fault_code
der_time_get_generalized(const ASN1_GENERALIZEDTIME *time, const char *what, int64_t *ret_at, struct fault *fault)
{
	if (!ends_in_z(time, GENERALIZED_LENGTH) || !parse((const char *)ASN1_STRING_get0_data(time), ret_at))
		return fault_set(fault, FAULT_MALFORMED, "%s is no time of the form YYYYMMDDHHMMSSZ", what);
	return FAULT_NONE;
}

static enum fault_code
get_utc(const ASN1_UTCTIME *time, const char *what, int64_t *ret_at, struct fault *fault)
{
	char digits[GENERALIZED_LENGTH];
	if (!ends_in_z(time, UTC_LENGTH))
		return fault_set(fault, FAULT_MALFORMED, "%s is no time of the form YYMMDDHHMMSSZ", what);
	memcpy(digits + 2, ASN1_STRING_get0_data(time), UTC_LENGTH);
	memcpy(digits, digits[2] >= '5' ? "19" : "20", 2);
	if (!parse(digits, ret_at))
		return fault_set(fault, FAULT_MALFORMED, "%s is no time of the form YYMMDDHHMMSSZ since 1970", what);
	return FAULT_NONE;
}

enum fault_code
der_time_get(const ASN1_TIME *time, const char *what, int64_t *ret_at, struct fault *fault)
{
	if (ASN1_STRING_type(time) == V_ASN1_UTCTIME)
		return get_utc(time, what, ret_at, fault);
	int64_t at;
	TRY(der_time_get_generalized(time, what, &at, fault));
	if (instant_civil(at).year < UTC_YEARS_FROM + 100)
		return fault_set(fault, FAULT_MALFORMED, "%s is a GeneralizedTime before 2050 (RFC 5280 §4.1.2.5)", what);
	*ret_at = at;
	return FAULT_NONE;
}
