#include "tests/support/complain.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *
complain(const char *format, ...)
{
	static char words[1024];
	char text[sizeof words]; /* the words of another complaint may be told on */
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	memcpy(words, text, sizeof words);
	return words;
}
