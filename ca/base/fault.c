#include "ca/base/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fault_kind {
	const char *type;
	int http_status;
	bool retry;
	const char *hint;
};

static const struct fault_kind kinds[FAULT_CODES] = {
	[FAULT_NONE] = { "none", 200, false, "" },
#define FAULT(name, type, status, retry, hint) [FAULT_##name] = { type, status, retry, hint },
#include "ca/base/fault.def"
#undef FAULT
};

/* Messages go into JSON: one that fills its room was cut, and must not end inside a UTF-8 character. */
static void
cut_at_character(char *text, size_t room)
{
	size_t length = strlen(text);
	if (length + 1 < room)
		return;
	while (length > 0 && (text[length - 1] & 0xc0) == 0x80)
		length--;
	if (length > 0 && (text[length - 1] & 0x80) != 0)
		length--;
	text[length] = '\0';
}

enum fault_code
fault_set_at(struct fault *fault, enum fault_code code, const char *file, int line, const char *format, ...)
{
	INVARIANT(code > FAULT_NONE && code < FAULT_CODES);
	if (fault == NULL)
		return code;
	fault->code = code;
	fault->file = file;
	fault->line = line;
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(fault->message, sizeof fault->message, format, arguments);
	va_end(arguments);
	cut_at_character(fault->message, sizeof fault->message);
	return code;
}

enum fault_code
fault_prefix(struct fault *fault, const char *format, ...)
{
	if (fault == NULL)
		return FAULT_IO;
	char words[sizeof fault->message];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(words, sizeof words, format, arguments);
	va_end(arguments);
	if (length > 0 && (size_t)length < sizeof words) {
		size_t kept = strnlen(fault->message, sizeof words - (size_t)length - 1);
		memcpy(words + length, fault->message, kept);
		words[(size_t)length + kept] = '\0';
	}
	cut_at_character(words, sizeof words);
	memcpy(fault->message, words, sizeof fault->message);
	return fault->code;
}

enum fault_code
fault_set_errno_at(struct fault *fault, int error, const char *file, int line, const char *format, ...)
{
	char words[400]; /* leaves room for the reason */
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(words, sizeof words, format, arguments);
	va_end(arguments);
	cut_at_character(words, sizeof words);
	bool disk = error == ENOSPC || error == EDQUOT || error == EROFS || error == EFBIG;
	return fault_set_at(fault, disk ? FAULT_DISK : FAULT_IO, file, line, "%s: %s", words, strerror(error));
}

void
fault_clear(struct fault *fault)
{
	if (fault != NULL)
		*fault = FAULT_INIT;
}

const char *
fault_type(enum fault_code code)
{
	return kinds[code].type;
}

int
fault_http_status(enum fault_code code)
{
	return kinds[code].http_status;
}

bool
fault_may_retry(enum fault_code code)
{
	return kinds[code].retry;
}

const char *
fault_hint(enum fault_code code)
{
	return kinds[code].hint;
}

void
fault_invariant(const char *truth, const char *file, int line)
{
	fprintf(stderr, "%s:%d: invariant broken: %s\n", file, line, truth);
	abort();
}
