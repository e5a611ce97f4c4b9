#include "ca/base/log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ca/base/clock.h"
#include "ca/base/instant.h"

#define LINE_MAX_BYTES 4096 /* PIPE_BUF: a write of so much into a pipe is never mixed with another's */

static const char *const level_names[] = {
	[LOG_ERROR] = "error",
	[LOG_WARNING] = "warning",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

static int most_detailed = LOG_INFO;

void
log_set_level(enum log_level level)
{
	__atomic_store_n(&most_detailed, (int)level, __ATOMIC_RELAXED);
}

static size_t
print_head(enum log_level level, char *line)
{
	struct clock clock;
	clock_init(&clock);
	int64_t now_ms = clock_wall_ms(&clock);
	char time[INSTANT_TEXT];
	instant_rfc3339(now_ms / 1000, time);
	return (size_t)snprintf(line, LINE_MAX_BYTES, "%.19s.%03dZ %s: ", time, (int)(now_ms % 1000), level_names[level]);
}

/* How many bytes at `words` are a control character: of ASCII, or of the C1 set in UTF-8, which terminals obey as well. */
static size_t
control_length(const unsigned char *words)
{
	if (words[0] < 0x20 || words[0] == 0x7f)
		return 1;
	return words[0] == 0xc2 && words[1] >= 0x80 && words[1] <= 0x9f ? 2 : 0;
}

static size_t
append_escaped(char *line, size_t length, const unsigned char *words)
{
	static const char cut[] = " [cut]";
	const size_t room = LINE_MAX_BYTES - sizeof cut - 1; /* with the line's end */
	while (*words != '\0') {
		size_t control = control_length(words);
		/* An escape takes up to 8 bytes; the later bytes of a UTF-8 character get by with less, so that none is cut. */
		if (length + ((*words & 0xc0) == 0x80 ? 4 : 8) > room) {
			memcpy(line + length, cut, sizeof cut - 1);
			return length + sizeof cut - 1;
		}
		if (control == 0)
			line[length++] = (char)*words++;
		for (; control > 0; control--)
			length += (size_t)snprintf(line + length, 5, "\\x%02x", *words++);
	}
	return length;
}

void
log_write(enum log_level level, const char *format, ...)
{
	if ((int)level > __atomic_load_n(&most_detailed, __ATOMIC_RELAXED))
		return;
	char words[LINE_MAX_BYTES]; /* so what is cut here is too long for the line as well, and is seen to be cut there */
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(words, sizeof words, format, arguments);
	va_end(arguments);
	char line[LINE_MAX_BYTES];
	size_t length = append_escaped(line, print_head(level, line), (const unsigned char *)words);
	line[length++] = '\n';
	/* Nobody is left to tell when stderr itself can't be written. */
	if (write(STDERR_FILENO, line, length) < 0)
		return;
}

void
log_fault(enum log_level level, const struct fault *fault, const char *what)
{
	const char *file = fault->file != NULL ? fault->file : "?";
	log_write(level, "%s: %s (%s, %s:%d)", what, fault->message, fault_type(fault->code), file, fault->line);
}
