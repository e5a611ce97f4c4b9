#include "api/cli/arguments.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 18                    /* of a number: always fits 64 bits */
#define TIME_MAX 100000000               /* of any unit: three years of seconds, no overflow in days */

const struct option_spec arguments_common[COMMON_OPTIONS + 1] = {
	[COMMON_DATA] = { "data", "DIR", "the server's data directory: its address, certificate and admin.token are taken from there" },
	[COMMON_SERVER] = { "server", "URL", "the server, https://host:port (or CADASTRE_SERVER)" },
	[COMMON_TOKEN_FILE] = { "token-file", "FILE", "file with the token (or the token itself in CADASTRE_TOKEN)" },
	[COMMON_CA_CERT] = { "ca-cert", "FILE", "certificate to trust, PEM (or CADASTRE_CA_CERT)" },
	[COMMON_JSON] = { "json", NULL, "print what the server answered, as JSON" },
	[COMMON_HELP] = { "help", NULL, "print this help" },
	[COMMON_OPTIONS] = { NULL, NULL, NULL },
};

/* The option that a word names, up to its "=": its place in the list, or -1. */
static int
find_option(const struct option_spec *options, const char *name, size_t length)
{
	for (int i = 0; options != NULL && options[i].name != NULL; i++)
		if (strlen(options[i].name) == length && strncmp(options[i].name, name, length) == 0)
			return i;
	return -1;
}

/* Takes the option at words[*at], and its value, which may be the next word. */
static enum fault_code
take_option(const struct option_spec *options, char **words, size_t count, size_t *at, struct arguments *arguments, struct fault *fault)
{
	const char *name = words[*at] + 2;
	size_t length = strcspn(name, "=");
	int own = find_option(options, name, length);
	int common = own < 0 ? find_option(arguments_common, name, length) : -1;
	if (own < 0 && common < 0)
		return fault_set(fault, FAULT_USAGE, "there is no option --%.*s here", (int)length, name);
	const struct option_spec *spec = own >= 0 ? &options[own] : &arguments_common[common];
	const char **place = own >= 0 ? &arguments->options[own] : &arguments->common[common];
	if (spec->value == NULL) {
		*place = "";
		return name[length] == '\0' ? FAULT_NONE : fault_set(fault, FAULT_USAGE, "--%s takes no value", spec->name);
	}
	if (name[length] == '=')
		*place = name + length + 1;
	else if (*at + 1 < count)
		*place = words[++*at];
	else
		return fault_set(fault, FAULT_USAGE, "--%s needs a value: %s", spec->name, spec->value);
	return FAULT_NONE;
}

enum fault_code
arguments_parse(const struct option_spec *options, char **words, size_t count, struct arguments *ret_arguments, struct fault *fault)
{
	bool literal = false;
	for (size_t i = 0; i < count; i++) {
		if (!literal && strcmp(words[i], "--") == 0) {
			literal = true;
		} else if (!literal && strcmp(words[i], "-h") == 0) {
			ret_arguments->common[COMMON_HELP] = "";
		} else if (!literal && strncmp(words[i], "--", 2) == 0) {
			TRY(take_option(options, words, count, &i, ret_arguments, fault));
		} else {
			if (ret_arguments->values_count == ARGUMENTS_MAX)
				return fault_set(fault, FAULT_USAGE, "too many arguments, from \"%s\" on", words[i]);
			ret_arguments->values[ret_arguments->values_count++] = words[i];
		}
	}
	return FAULT_NONE;
}

/* The digits that a text begins with, as a number; strtoll() would take blanks and signs too. */
static size_t
read_digits(const char *text, int64_t *ret_number)
{
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || digits > DIGITS_MAX)
		return 0;
	*ret_number = strtoll(text, NULL, 10);
	return digits;
}

enum fault_code
arguments_number(const char *name, const char *value, int64_t min, int64_t max, int64_t *ret_number, struct fault *fault)
{
	int64_t number = 0;
	if (value == NULL)
		return FAULT_NONE;
	size_t digits = read_digits(value, &number);
	if (digits == 0 || value[digits] != '\0' || number < min || number > max)
		return fault_set(fault, FAULT_USAGE, "--%s must be a whole number from %" PRId64 " to %" PRId64 ", not \"%s\"", name, min, max,
			value);
	*ret_number = number;
	return FAULT_NONE;
}

enum fault_code
arguments_time(const char *name, const char *value, int64_t *ret_s, struct fault *fault)
{
	static const struct { const char *unit; int64_t s; } units[] = { { "", 1 }, { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 } };
	int64_t number = 0;
	if (value == NULL)
		return FAULT_NONE;
	size_t digits = read_digits(value, &number);
	for (size_t i = 0; digits > 0 && number <= TIME_MAX && i < sizeof units / sizeof *units; i++) {
		if (strcmp(value + digits, units[i].unit) == 0) {
			*ret_s = number * units[i].s;
			return FAULT_NONE;
		}
	}
	return fault_set(fault, FAULT_USAGE, "--%s must be a time such as 3600, 90s, 30m, 24h or 14d, not \"%s\"", name, value);
}

void
arguments_print_options(const struct option_spec *options)
{
	for (int i = 0; options != NULL && options[i].name != NULL; i++) {
		char left[64];
		(void)snprintf(left, sizeof left, "--%s%s%s", options[i].name, options[i].value != NULL ? " " : "",
			options[i].value != NULL ? options[i].value : "");
		printf("  %-24s %s\n", left, options[i].help);
	}
}
