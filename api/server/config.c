#include "api/server/config.h"

#include <fcntl.h>
#include <inttypes.h>
#include <libconfig.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/server/config_literals.h"
#include "api/server/listen.h"
#include "ca/base/atomic_file.h"
#include "ca/base/memory.h"

#define FILE_MAX 1048576 /* bytes of a configuration file */
#define LINE_WIDTH 100 /* of a printed comment */

enum kind { KIND_SECTION, KIND_NUMBER, KIND_TEXT, KIND_LEVEL, KIND_ASNS };

/* A line of config.def; a section has its title as key. */
struct item {
	enum kind kind;
	const char *key;
	size_t offset;                  /* of its member in struct config */
	int64_t number;                 /* default of a NUMBER or LEVEL */
	const char *text;               /* default of a TEXT; of an ASNS, separated by spaces */
	int64_t min, max;
	const char *help;
};

#define INITIAL_NUMBER(value) .number = (value)
#define INITIAL_TEXT(value) .text = (value)
#define INITIAL_LEVEL(value) .number = (value)
#define INITIAL_ASNS(value) .text = (value)

static const struct item items[] = {
#define CONFIG_SECTION(title) { .kind = KIND_SECTION, .key = (title) },
#define CONFIG(name, type, initial, least, most, words)                                                              \
	{ .kind = KIND_##type, .key = #name, .offset = offsetof(struct config, name), INITIAL_##type(initial),       \
	  .min = (least), .max = (most), .help = (words) },
#include "api/server/config.def"
#undef CONFIG
#undef CONFIG_SECTION
};

#define ITEMS (sizeof items / sizeof items[0])

static const char *const level_names[] = {
	[LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"
};

static int64_t *
number_of(const struct config *config, const struct item *item)
{
	return (int64_t *)((uintptr_t)config + item->offset);
}

static char **
text_of(const struct config *config, const struct item *item)
{
	return (char **)((uintptr_t)config + item->offset);
}

static enum log_level *
level_of(const struct config *config, const struct item *item)
{
	return (enum log_level *)((uintptr_t)config + item->offset);
}

static struct config_asns *
asns_of(const struct config *config, const struct item *item)
{
	return (struct config_asns *)((uintptr_t)config + item->offset);
}

void
config_clear(struct config *config)
{
	for (size_t i = 0; i < ITEMS; i++) {
		if (items[i].kind == KIND_TEXT)
			free(*text_of(config, &items[i]));
		else if (items[i].kind == KIND_ASNS)
			free(asns_of(config, &items[i])->ranges);
	}
	*config = CONFIG_INIT;
}

enum fault_code
config_set_text(char **member, const char *value, struct fault *fault)
{
	char *copy;
	TRY(memory_copy_string(value, &copy, fault));
	free(*member);
	*member = copy;
	return FAULT_NONE;
}

/* Takes the AS numbers out of a set, which is made canonical first. */
static enum fault_code
take_asns(struct config_asns *asns, struct resource_set *set, struct fault *fault)
{
	TRY(resource_set_normalise(set, fault));
	struct asn_range *ranges;
	TRY(memory_new(set->asns_count, sizeof *ranges, &ranges, fault));
	if (set->asns_count > 0)
		memcpy(ranges, set->asns, set->asns_count * sizeof *ranges);
	free(asns->ranges);
	*asns = (struct config_asns){ ranges, set->asns_count };
	return FAULT_NONE;
}

static enum fault_code
default_asns(const char *words, struct config_asns *asns, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	AUTO(char, free) copy = NULL;
	TRY(memory_copy_string(words, &copy, fault));
	char *rest = copy;
	for (char *word; (word = strsep(&rest, " ")) != NULL;) {
		if (*word != '\0')
			TRY(resource_set_parse_asns(&set, word, fault));
	}
	return take_asns(asns, &set, fault);
}

static enum fault_code
set_default(struct config *config, const struct item *item, struct fault *fault)
{
	switch (item->kind) {
	case KIND_SECTION:
		return FAULT_NONE;
	case KIND_NUMBER:
		*number_of(config, item) = item->number;
		return FAULT_NONE;
	case KIND_LEVEL:
		*level_of(config, item) = (enum log_level)item->number;
		return FAULT_NONE;
	case KIND_TEXT:
		return config_set_text(text_of(config, item), item->text, fault);
	case KIND_ASNS:
		return default_asns(item->text, asns_of(config, item), fault);
	}
	return FAULT_NONE;
}

enum fault_code
config_default(struct config *ret_config, struct fault *fault)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
	for (size_t i = 0; i < ITEMS; i++)
		TRY(set_default(&config, &items[i], fault));
	config_clear(ret_config);
	*ret_config = config;
	config = CONFIG_INIT;
	return FAULT_NONE;
}

/* What one value must be like. */

static enum fault_code
check_number(const struct item *item, int64_t number, struct fault *fault)
{
	if (number < item->min || number > item->max)
		return fault_set(fault, FAULT_CONFIG, "%s is %" PRId64 ", but must be from %" PRId64 " to %" PRId64, item->key,
			number, item->min, item->max);
	return FAULT_NONE;
}

static enum fault_code
check_text(const struct item *item, const char *text, struct fault *fault)
{
	size_t length = strlen(text);
	if (length < (size_t)item->min || length > (size_t)item->max)
		return fault_set(fault, FAULT_CONFIG, "%s has %zu characters, but must have from %" PRId64 " to %" PRId64,
			item->key, length, item->min, item->max);
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == '\x7f')
			return fault_set(fault, FAULT_CONFIG, "%s contains a control character", item->key);
	}
	return FAULT_NONE;
}

static enum fault_code
check_item(const struct config *config, const struct item *item, struct fault *fault)
{
	switch (item->kind) {
	case KIND_NUMBER:
		return check_number(item, *number_of(config, item), fault);
	case KIND_TEXT:
		return check_text(item, *text_of(config, item), fault);
	case KIND_ASNS:
		if (asns_of(config, item)->count > (size_t)item->max)
			return fault_set(fault, FAULT_CONFIG, "%s has more than %" PRId64 " entries", item->key, item->max);
		return FAULT_NONE;
	case KIND_LEVEL:
	case KIND_SECTION:
		break;
	}
	return FAULT_NONE;
}

/* What has to fit together. Each rule is named after the key whose line is to be looked at. */

static enum fault_code
check_listen(const struct config *config, struct fault *fault)
{
	struct listen_address address;
	struct fault reason = FAULT_INIT;
	if (listen_parse(config->listen, &address, &reason) != FAULT_NONE)
		return fault_set(fault, FAULT_CONFIG, "listen: %.400s", reason.message);
	return FAULT_NONE;
}

/* scheme and authority, and a path that ends with '/'. */
static enum fault_code
check_base_uri(const char *key, const char *uri, const char *scheme, struct fault *fault)
{
	size_t length = strlen(uri);
	if (length == 0)
		return fault_set(fault, FAULT_CONFIG, "%s is not set", key);
	const char *authority = uri + strlen(scheme);
	if (strncmp(uri, scheme, strlen(scheme)) != 0 || *authority == '/' || strchr(authority, '/') == NULL ||
		uri[length - 1] != '/')
		return fault_set(fault, FAULT_CONFIG, "%s is \"%.200s\", but must begin with %s and a host and end with /", key,
			uri, scheme);
	if (strpbrk(uri, " \"<>\\^`{|}?#%&'") != NULL)
		return fault_set(fault, FAULT_CONFIG, "%s is \"%.200s\", which has characters that validators refuse", key, uri);
	return FAULT_NONE;
}

static enum fault_code
check_rrdp_uri(const struct config *config, struct fault *fault)
{
	return check_base_uri("rrdp_uri", config->rrdp_uri, "https://", fault);
}

static enum fault_code
check_rsync_uri(const struct config *config, struct fault *fault)
{
	return check_base_uri("rsync_uri", config->rsync_uri, "rsync://", fault);
}

static enum fault_code
check_manifest_margin(const struct config *config, struct fault *fault)
{
	if (config->manifest_margin_s >= config->manifest_valid_s)
		return fault_set(fault, FAULT_CONFIG, "manifest_margin_s must be less than manifest_valid_s");
	return FAULT_NONE;
}

/* It is a part of the validity that is told apart from the rest, not a second one. */
static enum fault_code
check_manifest_spread(const struct config *config, struct fault *fault)
{
	if (config->manifest_spread_s > config->manifest_valid_s)
		return fault_set(fault, FAULT_CONFIG, "manifest_spread_s must not be more than manifest_valid_s");
	return FAULT_NONE;
}

static enum fault_code
check_object_spread(const struct config *config, struct fault *fault)
{
	if (config->object_spread_s + config->object_margin_s >= config->object_valid_s)
		return fault_set(fault, FAULT_CONFIG,
			"object_spread_s and object_margin_s together must be less than object_valid_s");
	return FAULT_NONE;
}

/* What a certificate is over cannot outlive it: it is made anew while the longest manifest still fits into what is left of it. */
static enum fault_code
check_ta_valid(const struct config *config, struct fault *fault)
{
	if (config->ta_valid_s / 3 <= config->manifest_valid_s + config->manifest_spread_s)
		return fault_set(fault, FAULT_CONFIG, "ta_valid_s must be more than three times manifest_valid_s and manifest_spread_s "
			"together: the certificate is made anew when a third of it is left");
	return FAULT_NONE;
}

static enum fault_code
check_object_margin(const struct config *config, struct fault *fault)
{
	if (config->object_margin_s < config->manifest_margin_s)
		return fault_set(fault, FAULT_CONFIG, "object_margin_s must not be less than manifest_margin_s");
	return FAULT_NONE;
}

/* What waits for its window must not be urgent by then. */
static enum fault_code
check_renewal_window(const struct config *config, struct fault *fault)
{
	if (2 * config->renewal_window_s >= config->manifest_margin_s)
		return fault_set(fault, FAULT_CONFIG, "renewal_window_s must be less than half of manifest_margin_s");
	return FAULT_NONE;
}

/* Trouble is told before anything expires, and not while all is well. */
static enum fault_code
check_health_overdue(const struct config *config, struct fault *fault)
{
	if (config->health_overdue_max_s >= config->manifest_margin_s)
		return fault_set(fault, FAULT_CONFIG, "health_overdue_max_s must be less than manifest_margin_s: it is to be told before "
			"anything expires");
	if (config->health_overdue_max_s <= config->renewal_window_s)
		return fault_set(fault, FAULT_CONFIG, "health_overdue_max_s must be more than renewal_window_s: what waits for its window "
			"is not overdue");
	return FAULT_NONE;
}

static enum fault_code
check_health_expiry(const struct config *config, struct fault *fault)
{
	if (config->health_expiry_min_s + config->renewal_window_s >= config->manifest_margin_s)
		return fault_set(fault, FAULT_CONFIG, "health_expiry_min_s and renewal_window_s together must be less than "
			"manifest_margin_s: until then nothing is made anew");
	return FAULT_NONE;
}

static enum fault_code
check_aggregation(const struct config *config, struct fault *fault)
{
	if (config->roa_aggregate_below > config->roa_aggregate_above)
		return fault_set(fault, FAULT_CONFIG, "roa_aggregate_below must not be more than roa_aggregate_above");
	return FAULT_NONE;
}

static const struct rule {
	const char *key;
	enum fault_code (*check)(const struct config *config, struct fault *fault);
} rules[] = {
	{ "listen", check_listen },
	{ "rrdp_uri", check_rrdp_uri },
	{ "rsync_uri", check_rsync_uri },
	{ "manifest_margin_s", check_manifest_margin },
	{ "manifest_spread_s", check_manifest_spread },
	{ "object_spread_s", check_object_spread },
	{ "object_margin_s", check_object_margin },
	{ "ta_valid_s", check_ta_valid },
	{ "renewal_window_s", check_renewal_window },
	{ "health_overdue_max_s", check_health_overdue },
	{ "health_expiry_min_s", check_health_expiry },
	{ "roa_aggregate_below", check_aggregation },
};

/* *ret_key: the setting that the fault is about. */
static enum fault_code
check_all(const struct config *config, const char **ret_key, struct fault *fault)
{
	for (size_t i = 0; i < ITEMS; i++) {
		*ret_key = items[i].key;
		TRY(check_item(config, &items[i], fault));
	}
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		*ret_key = rules[i].key;
		TRY(rules[i].check(config, fault));
	}
	return FAULT_NONE;
}

enum fault_code
config_check(const struct config *config, struct fault *fault)
{
	const char *key;
	return check_all(config, &key, fault);
}

/* Reading. */

static const char *
type_text(const config_setting_t *setting)
{
	static const char *const names[] = {
		[CONFIG_TYPE_NONE] = "nothing", [CONFIG_TYPE_GROUP] = "a group", [CONFIG_TYPE_INT] = "a number",
		[CONFIG_TYPE_INT64] = "a number", [CONFIG_TYPE_FLOAT] = "a number with a point", [CONFIG_TYPE_STRING] = "a text",
		[CONFIG_TYPE_BOOL] = "true or false", [CONFIG_TYPE_ARRAY] = "a list", [CONFIG_TYPE_LIST] = "a list",
	};
	int type = config_setting_type(setting);
	return type >= 0 && (size_t)type < sizeof names / sizeof names[0] ? names[type] : "something unknown";
}

static enum fault_code
wrong_type(const struct item *item, const config_setting_t *setting, const char *wanted, struct fault *fault)
{
	return fault_set(fault, FAULT_CONFIG, "%s must be %s, but is %s", item->key, wanted, type_text(setting));
}

static enum fault_code
read_level(const char *text, enum log_level *level, struct fault *fault)
{
	for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return FAULT_NONE;
		}
	}
	return fault_set(fault, FAULT_CONFIG, "log_level is \"%.40s\", but must be error, warning, info or debug", text);
}

static enum fault_code
read_asns(const struct item *item, const config_setting_t *setting, struct config_asns *asns, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	if (!config_setting_is_array(setting) && !config_setting_is_list(setting))
		return wrong_type(item, setting, "a list of texts such as [\"AS23456\", \"AS64496-AS64511\"]", fault);
	int count = config_setting_length(setting);
	if (count > item->max)
		return fault_set(fault, FAULT_CONFIG, "%s has more than %" PRId64 " entries", item->key, item->max);
	for (int i = 0; i < count; i++) {
		struct fault reason = FAULT_INIT;
		const config_setting_t *element = config_setting_get_elem(setting, (unsigned)i);
		const char *text = config_setting_get_string(element);
		if (text == NULL)
			return wrong_type(item, element, "a list of texts", fault);
		if (resource_set_parse_asns(&set, text, &reason) != FAULT_NONE)
			return fault_set(fault, FAULT_CONFIG, "%s: %.400s", item->key, reason.message);
	}
	return take_asns(asns, &set, fault);
}

static enum fault_code
read_item(struct config *config, const struct item *item, const config_setting_t *setting, struct fault *fault)
{
	int type = config_setting_type(setting);
	switch (item->kind) {
	case KIND_NUMBER:
		if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
			return wrong_type(item, setting, "a whole number", fault);
		*number_of(config, item) = config_setting_get_int64(setting);
		return FAULT_NONE;
	case KIND_TEXT:
		if (type != CONFIG_TYPE_STRING)
			return wrong_type(item, setting, "a text in quotes", fault);
		return config_set_text(text_of(config, item), config_setting_get_string(setting), fault);
	case KIND_LEVEL:
		if (type != CONFIG_TYPE_STRING)
			return wrong_type(item, setting, "a text in quotes", fault);
		return read_level(config_setting_get_string(setting), level_of(config, item), fault);
	case KIND_ASNS:
		return read_asns(item, setting, asns_of(config, item), fault);
	case KIND_SECTION:
		break;
	}
	return FAULT_NONE;
}

static const struct item *
find_item(const char *key)
{
	for (size_t i = 0; i < ITEMS; i++) {
		if (items[i].kind != KIND_SECTION && strcmp(items[i].key, key) == 0)
			return &items[i];
	}
	return NULL;
}

static enum fault_code
read_setting(struct config *config, const config_setting_t *setting, struct fault *fault)
{
	const struct item *item = find_item(config_setting_name(setting));
	if (item == NULL)
		return fault_set(fault, FAULT_CONFIG, "there is no setting named %.100s", config_setting_name(setting));
	TRY(read_item(config, item, setting, fault));
	return check_item(config, item, fault);
}

/* "FILE:LINE: " in front of what is wrong there. */
static enum fault_code
at_line(const char *path, const config_setting_t *setting, struct fault *fault)
{
	const char *file = setting == NULL ? NULL : config_setting_source_file(setting);
	if (setting == NULL)
		return fault_prefix(fault, "%.200s: ", path);
	return fault_prefix(fault, "%.200s:%u: ", file != NULL ? file : path, config_setting_source_line(setting));
}

/* The parser answers for the file's form; all here is about what its settings say. */
static enum fault_code
read_settings(const char *path, const config_t *file, struct config *config, struct fault *fault)
{
	struct fault unwanted;
	if (fault == NULL)
		fault = &unwanted;
	const config_setting_t *root = config_root_setting(file);
	for (int i = 0; i < config_setting_length(root); i++) {
		const config_setting_t *setting = config_setting_get_elem(root, (unsigned)i);
		if (read_setting(config, setting, fault) != FAULT_NONE)
			return at_line(path, setting, fault);
	}
	const char *key;
	if (check_all(config, &key, fault) != FAULT_NONE)
		return at_line(path, config_lookup(file, key), fault);
	return FAULT_NONE;
}

/*
 * What the parser doesn't tell: that a file is missing or no file, and that it cut a number to 32 bits. Each file is looked at,
 * with those that it includes.
 */
static enum fault_code
check_file(const char *path, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	enum fault_code code = atomic_file_read(AT_FDCWD, path, FILE_MAX, &text, fault);
	if (code == FAULT_NOT_FOUND)
		return fault_set(fault, code, "there is no configuration file %s", path);
	if (code != FAULT_NONE)
		return code;
	return config_literals_check(path, bytes_span(&text), fault);
}

/* Included names are relative to the directory of the file that includes them. */
static enum fault_code
check_included(const char *path, const config_t *file, struct fault *fault)
{
	for (unsigned i = 0; i < file->num_filenames; i++) {
		const char *name = file->filenames[i], *directory = config_get_include_dir(file);
		AUTO(char, free) joined = NULL;
		if (strcmp(name, path) == 0)
			continue;
		if (name[0] != '/' && directory != NULL)
			TRY(memory_printf(&joined, fault, "%s/%s", directory, name));
		TRY(check_file(joined != NULL ? joined : name, fault));
	}
	return FAULT_NONE;
}

enum fault_code
config_load(const char *path, struct config *ret_config, struct fault *fault)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
	AUTO_CLEAR(config_t, config_destroy) file;
	config_init(&file);
	TRY(config_default(&config, fault));
	TRY(check_file(path, fault));
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');
	if (slash != NULL && (size_t)(slash - path) < sizeof directory) {
		memcpy(directory, path, (size_t)(slash - path));
		directory[slash - path] = '\0';
		config_set_include_dir(&file, directory);
	}
	if (config_read_file(&file, path) != CONFIG_TRUE)
		return fault_set(fault, FAULT_CONFIG, "%.200s:%d: %.200s",
			config_error_file(&file) != NULL ? config_error_file(&file) : path, config_error_line(&file),
			config_error_text(&file) != NULL ? config_error_text(&file) : "can't be read");
	TRY(check_included(path, &file, fault));
	TRY(read_settings(path, &file, &config, fault));
	config_clear(ret_config);
	*ret_config = config;
	config = CONFIG_INIT;
	return FAULT_NONE;
}

/* Printing. */

/* Words as comment lines of bounded width, each begun with `prefix`. */
static enum fault_code
print_wrapped(const char *prefix, const char *words, struct bytes *text, struct fault *fault)
{
	while (*words != '\0') {
		size_t length = strlen(words);
		size_t cut = length;
		if (length > LINE_WIDTH) {
			for (cut = LINE_WIDTH; cut > 0 && words[cut] != ' ';)
				cut--;
			if (cut == 0)
				cut = strcspn(words, " ");
		}
		TRY(bytes_printf(text, fault, "%s%.*s\n", prefix, (int)cut, words));
		words += cut + strspn(words + cut, " ");
	}
	return FAULT_NONE;
}

static enum fault_code
print_quoted(const char *value, struct bytes *text, struct fault *fault)
{
	TRY(bytes_append_text(text, "\"", fault));
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			TRY(bytes_append_text(text, "\\", fault));
		TRY(bytes_append(text, value, 1, fault));
	}
	return bytes_append_text(text, "\"", fault);
}

static enum fault_code
print_asns(const struct config_asns *asns, struct bytes *text, struct fault *fault)
{
	for (size_t i = 0; i < asns->count; i++) {
		char range[RANGE_TEXT];
		resource_set_asn_text(&asns->ranges[i], range);
		TRY(bytes_printf(text, fault, "%s\"%s\"", i == 0 ? "[" : ", ", range));
	}
	return bytes_append_text(text, asns->count == 0 ? "[]" : "]", fault);
}

static enum fault_code
print_value(const struct config *config, const struct item *item, struct bytes *text, struct fault *fault)
{
	switch (item->kind) {
	case KIND_NUMBER: {
		int64_t number = *number_of(config, item);
		/* Without the L libconfig 1.5 takes a number for 32 bits and cuts it. */
		return bytes_printf(text, fault, "%" PRId64 "%s", number, number > INT32_MAX || number < INT32_MIN ? "L" : "");
	}
	case KIND_TEXT:
		return print_quoted(*text_of(config, item), text, fault);
	case KIND_LEVEL:
		return bytes_printf(text, fault, "\"%s\"", level_names[*level_of(config, item)]);
	case KIND_ASNS:
		return print_asns(asns_of(config, item), text, fault);
	case KIND_SECTION:
		break;
	}
	return FAULT_NONE;
}

static enum fault_code
print_bounds(const struct item *item, struct bytes *text, struct fault *fault)
{
	if (item->kind != KIND_NUMBER)
		return FAULT_NONE;
	if (item->max == INT64_MAX)
		return bytes_printf(text, fault, " (from %" PRId64 ")", item->min);
	return bytes_printf(text, fault, " (%" PRId64 " to %" PRId64 ")", item->min, item->max);
}

/* The line of one setting: a comment when it is what the server does anyway. */
static enum fault_code
print_setting(const struct config *config, const struct config *defaults, const struct item *item, struct bytes *text,
	struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) value = BYTES_INIT, initial = BYTES_INIT;
	TRY(print_value(config, item, &value, fault));
	TRY(print_value(defaults, item, &initial, fault));
	bool same = span_equal(bytes_span(&value), bytes_span(&initial));
	TRY(print_wrapped("# ", item->help, text, fault));
	return bytes_printf(text, fault, "%s%s = %s;\n\n", same ? "# " : "", item->key, bytes_text(&value));
}

enum fault_code
config_print(const struct config *config, struct bytes *text, struct fault *fault)
{
	AUTO_CLEAR(struct config, config_clear) defaults = CONFIG_INIT;
	TRY(config_default(&defaults, fault));
	TRY(bytes_append_text(text,
		"# Settings of cadastred. A setting that is a comment shows its default. Paths are relative to the data\n"
		"# directory. Numbers above 2147483647 end in L. Read at start; the TLS certificate again when it changes.\n\n",
		fault));
	for (size_t i = 0; i < ITEMS; i++) {
		if (items[i].kind == KIND_SECTION)
			TRY(bytes_printf(text, fault, "# ---- %s ----\n\n", items[i].key));
		else
			TRY(print_setting(config, &defaults, &items[i], text, fault));
	}
	return FAULT_NONE;
}

enum fault_code
config_print_help(struct bytes *text, struct fault *fault)
{
	AUTO_CLEAR(struct config, config_clear) defaults = CONFIG_INIT;
	TRY(config_default(&defaults, fault));
	for (size_t i = 0; i < ITEMS; i++) {
		if (items[i].kind == KIND_SECTION) {
			TRY(bytes_printf(text, fault, "%s%s:\n", i == 0 ? "" : "\n", items[i].key));
			continue;
		}
		TRY(bytes_printf(text, fault, "  %s = ", items[i].key));
		TRY(print_value(&defaults, &items[i], text, fault));
		TRY(print_bounds(&items[i], text, fault));
		TRY(bytes_append_text(text, "\n", fault));
		TRY(print_wrapped("      ", items[i].help, text, fault));
	}
	return FAULT_NONE;
}
