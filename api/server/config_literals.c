#include "api/server/config_literals.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define DIGITS_MAX 32 /* of a number that is looked at closely; a longer one is too large anyway */

struct scan {
	const char *at, *end;
	size_t line;
};

static bool
begins(const struct scan *scan, const char *word)
{
	size_t length = strlen(word);
	return (size_t)(scan->end - scan->at) >= length && memcmp(scan->at, word, length) == 0;
}

static void
step(struct scan *scan)
{
	scan->line += *scan->at == '\n';
	scan->at++;
}

/* Behind the next `mark`, or to the end. */
static void
skip_past(struct scan *scan, const char *mark)
{
	while (scan->at < scan->end && !begins(scan, mark))
		step(scan);
	for (size_t i = 0; scan->at < scan->end && mark[i] != '\0'; i++)
		step(scan);
}

static void
skip_text(struct scan *scan)
{
	for (step(scan); scan->at < scan->end && *scan->at != '"'; step(scan)) {
		if (*scan->at == '\\' && scan->at + 1 < scan->end)
			step(scan);
	}
	if (scan->at < scan->end)
		step(scan);
}

static bool
is_word(char byte)
{
	return isalnum((unsigned char)byte) || byte == '_' || byte == '-' || byte == '*' || byte == '.';
}

/* A run of letters and digits: a name, a number, or something that the parser refuses. */
static bool
fits_32_bits(const char *word, size_t length)
{
	char digits[DIGITS_MAX + 1], *end;
	bool hexadecimal = length > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
	if (!isdigit((unsigned char)word[0]) && word[0] != '-')
		return true;
	if (length > DIGITS_MAX)
		return word[length - 1] == 'L';
	memcpy(digits, word, length);
	digits[length] = '\0';
	errno = 0;
	long long number = strtoll(digits, &end, hexadecimal ? 16 : 10);
	/* Something else stands behind it: L, or no number at all. */
	if (*end != '\0')
		return true;
	return errno == 0 && number <= INT32_MAX && number >= INT32_MIN;
}

static enum fault_code
check_word(struct scan *scan, const char *path, struct fault *fault)
{
	const char *word = scan->at;
	while (scan->at < scan->end && is_word(*scan->at))
		scan->at++;
	size_t length = (size_t)(scan->at - word);
	if (!fits_32_bits(word, length))
		return fault_set(fault, FAULT_CONFIG, "%.200s:%zu: a number as large as %.*s must end in L", path, scan->line,
			(int)(length < DIGITS_MAX ? length : DIGITS_MAX), word);
	return FAULT_NONE;
}

enum fault_code
config_literals_check(const char *path, struct span text, struct fault *fault)
{
	struct scan scan = { .at = (const char *)text.data, .line = 1 };
	scan.end = scan.at + text.length;
	while (scan.at < scan.end) {
		if (*scan.at == '"')
			skip_text(&scan);
		else if (*scan.at == '#' || begins(&scan, "//"))
			skip_past(&scan, "\n");
		else if (begins(&scan, "/*"))
			skip_past(&scan, "*/");
		else if (is_word(*scan.at))
			TRY(check_word(&scan, path, fault));
		else
			step(&scan);
	}
	return FAULT_NONE;
}
