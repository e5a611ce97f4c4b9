/*
 * arguments: a command's arguments and options, declared once: parsed, checked and printed as help from the same table.
 */
#ifndef API_CLI_ARGUMENTS_H
#define API_CLI_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ca/base/fault.h"

#define OPTIONS_MAX 16
#define ARGUMENTS_MAX 8

struct option_spec {
	const char *name;                /* without "--"; NULL ends a list */
	const char *value;               /* what stands for its value in the help; NULL: it has none */
	const char *help;
};

struct arguments {
	const char *options[OPTIONS_MAX];         /* of the command, by place in its list; "" for one without a value; NULL: not given */
	const char *common[OPTIONS_MAX];          /* of every command, likewise */
	const char *values[ARGUMENTS_MAX];        /* what is no option, in order */
	size_t values_count;
};

/* Options of every command. */
enum common_option { COMMON_DATA, COMMON_SERVER, COMMON_TOKEN_FILE, COMMON_CA_CERT, COMMON_JSON, COMMON_HELP, COMMON_OPTIONS };
extern const struct option_spec arguments_common[COMMON_OPTIONS + 1];

/* "--" ends the options. Faults: USAGE (an unknown option, a missing value, too many arguments). */
CHECKED enum fault_code arguments_parse(const struct option_spec *options, char **words, size_t count, struct arguments *ret_arguments,
	struct fault *fault);

/*
 * The value of an option as a whole number within bounds; as a time in seconds: "90s", "30m", "24h", "14d", "3600". `name` is the
 * option's, for the fault. An option that wasn't given (NULL) leaves *ret_ as it is. Faults: USAGE.
 */
CHECKED enum fault_code arguments_number(const char *name, const char *value, int64_t min, int64_t max, int64_t *ret_number,
	struct fault *fault);
CHECKED enum fault_code arguments_time(const char *name, const char *value, int64_t *ret_s, struct fault *fault);

void arguments_print_options(const struct option_spec *options);

#endif
