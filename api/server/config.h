/*
 * config: the server's settings, read from a commented file. All of them stand in config.def: key, type, default, bounds, help.
 *
 * The file is libconfig's format: it has comments, includes and lists, tells the line of each error, and needs no recursive
 * schema for a flat table like ours. Unknown keys, wrong types and values out of bounds are faults that name file and line.
 *
 * Threads: a struct config is filled once and then only read.
 */
#ifndef API_SERVER_CONFIG_H
#define API_SERVER_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/base/log.h"
#include "ca/base/scope.h"
#include "ca/resources/resource_set.h"

#define CONFIG_FILE "cadastre.conf" /* its name in a data directory */

/* A set of AS numbers: ranges in order. */
struct config_asns {
	struct asn_range *ranges;
	size_t count;
};

#define CONFIG_MEMBER_NUMBER(key) int64_t key;
#define CONFIG_MEMBER_TEXT(key) char *key; /* owned, never NULL once loaded */
#define CONFIG_MEMBER_LEVEL(key) enum log_level key;
#define CONFIG_MEMBER_ASNS(key) struct config_asns key;

struct config {
#define CONFIG_SECTION(title)
#define CONFIG(key, type, initial, min, max, help) CONFIG_MEMBER_##type(key)
#include "api/server/config.def"
#undef CONFIG
#undef CONFIG_SECTION
};

#define CONFIG_INIT ((struct config){ .listen = NULL })

/* Every setting at its default; rrdp_uri and rsync_uri are empty. *ret_config is replaced. Faults: MEMORY. */
CHECKED enum fault_code config_default(struct config *ret_config, struct fault *fault);
/* The file over the defaults. Faults: NOT_FOUND, IO, CONFIG ("FILE:LINE: …"), MEMORY. */
CHECKED enum fault_code config_load(const char *path, struct config *ret_config, struct fault *fault);
/* Replaces a text of a config (its member), as init does with what it was told. Faults: MEMORY. */
CHECKED enum fault_code config_set_text(char **member, const char *value, struct fault *fault);
/* The rules of the file on a config that was filled by hand: bounds, and what has to fit together. Faults: CONFIG. */
CHECKED enum fault_code config_check(const struct config *config, struct fault *fault);
void config_clear(struct config *config);

/*
 * Appends a file that config_load() reads back as this very config; what is at its default stands there as a comment. Faults:
 * MEMORY.
 */
CHECKED enum fault_code config_print(const struct config *config, struct bytes *text, struct fault *fault);
/* Appends one paragraph per setting for --help and the manual. Faults: MEMORY. */
CHECKED enum fault_code config_print_help(struct bytes *text, struct fault *fault);

#endif
