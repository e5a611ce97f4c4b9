#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "api/server/config.h"
#include "ca/base/atomic_file.h"
#include "ca/plan/timing.h"
#include "tests/unit/scratch.h"

#define URIS "rrdp_uri = \"https://rpki.example.net/rrdp/\";\nrsync_uri = \"rsync://rpki.example.net/repo/\";\n"

static enum fault_code
load(void **state, const char *text, struct config *config, struct fault *fault)
{
	const char *path = scratch_path(state, "cadastre.conf");
	assert_int_equal(atomic_file_put(AT_FDCWD, path, SPAN(text, strlen(text)), 0600, ATOMIC_FILE_KEEP_TIME, NULL),
		FAULT_NONE);
	return config_load(path, config, fault);
}

static void
config__has_defaults(void **state)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
	(void)state;
	assert_int_equal(config_default(&config, NULL), FAULT_NONE);
	assert_int_equal(config.batch_window_s, 60);
	assert_int_equal(config.deltas_max, 250);
	assert_int_equal(config.manifest_valid_s, 36 * 3600);
	assert_int_equal(config.renewal_window_s, 30 * 60);
	assert_int_equal(config.log_level, LOG_INFO);
	assert_string_equal(config.listen, "127.0.0.1:8443");
	assert_string_equal(config.rrdp_uri, "");
	assert_int_equal(config.refused_asns.count, 3);
	assert_int_equal(config.refused_asns.ranges[0].min, 23456);
	assert_int_equal(config.refused_asns.ranges[2].max, UINT32_MAX);
	assert_true(config.rate_limit >= 100);
}

/* The settings and what the engine takes without any are the same. */
static void
config__validity_is_that_of_the_plan(void **state)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
	(void)state;
	assert_int_equal(config_default(&config, NULL), FAULT_NONE);
	assert_int_equal(config.manifest_valid_s, timing_default.manifest_valid_s);
	assert_int_equal(config.manifest_spread_s, timing_default.manifest_spread_s);
	assert_int_equal(config.manifest_margin_s, timing_default.manifest_margin_s);
	assert_int_equal(config.object_valid_s, timing_default.object_valid_s);
	assert_int_equal(config.object_spread_s, timing_default.object_spread_s);
	assert_int_equal(config.object_margin_s, timing_default.object_margin_s);
	assert_int_equal(config.ta_valid_s, timing_default.ta_valid_s);
}

static void
config__needs_its_uris(void **state)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
	struct fault fault = FAULT_INIT;
	assert_int_equal(load(state, "", &config, &fault), FAULT_CONFIG);
	assert_non_null(strstr(fault.message, "rrdp_uri is not set"));
	assert_null(config.listen);
}

static void
config__reads_every_type(void **state)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
	struct fault fault = FAULT_INIT;
	const char *text = "# a comment\n" URIS
			   "listen = \"[2001:db8::1]:443\"; // another\nbatch_window_s = 0;\nfile_budget = 30000000000L;\n"
			   "log_level = \"debug\";\nrefused_asns = [\"AS65535\", \"64496-64511\", \"AS64500\"];\n";
	assert_int_equal(load(state, text, &config, &fault), FAULT_NONE);
	assert_string_equal(config.listen, "[2001:db8::1]:443");
	assert_int_equal(config.batch_window_s, 0);
	assert_int_equal(config.file_budget, INT64_C(30000000000));
	assert_int_equal(config.log_level, LOG_DEBUG);
	assert_int_equal(config.refused_asns.count, 2);
	assert_int_equal(config.refused_asns.ranges[0].min, 64496);
	assert_int_equal(config.refused_asns.ranges[0].max, 64511);
}

/* libconfig would take the first for 0 and the second for -1. */
static void
config__refuses_numbers_that_would_be_cut(void **state)
{
	static const char *const wrong[] = { "file_budget = 30064771072;", "file_budget = 0x1FFFFFFFF;",
		"file_budget = 2147483648;", "file_budget=[1,30064771072];", "/* 1 */ file_budget = -2147483649;",
		"file_budget = 999999999999999999999999999999999999999;" };
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
		struct fault fault = FAULT_INIT;
		char text[512];
		(void)snprintf(text, sizeof text, URIS "%s\n", wrong[i]);
		if (load(state, text, &config, &fault) != FAULT_CONFIG)
			fail_msg("%s was taken", wrong[i]);
		if (strstr(fault.message, "cadastre.conf:3: a number as large as ") == NULL)
			fail_msg("%s: %s", wrong[i], fault.message);
	}
}

static void
config__takes_large_numbers_in_texts_and_comments(void **state)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
	struct fault fault = FAULT_INIT;
	const char *text = URIS
		"# 30064771072\n// 30064771072\n/* 30064771072\n */ tls_key = \"\\\"30064771072\"; file_budget = 2147483647;";
	if (load(state, text, &config, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	assert_int_equal(config.file_budget, INT32_MAX);
	assert_string_equal(config.tls_key, "\"30064771072");
}

static void
config__takes_an_empty_list(void **state)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
	assert_int_equal(load(state, URIS "refused_asns = [];\n", &config, NULL), FAULT_NONE);
	assert_int_equal(config.refused_asns.count, 0);
}

static void
config__names_file_and_line_of_each_mistake(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "batch_windows_s = 1;", "cadastre.conf:3: there is no setting named batch_windows_s" },
		{ "batch_window_s = \"60\";", "cadastre.conf:3: batch_window_s must be a whole number, but is a text" },
		{ "batch_window_s = 1.5;", "must be a whole number, but is a number with a point" },
		{ "batch_window_s = true;", "must be a whole number, but is true or false" },
		{ "batch_window_s = -1;", "batch_window_s is -1, but must be from 0 to 86400" },
		{ "deltas_max = 301;", "deltas_max is 301, but must be from 1 to 300" },
		{ "\n\nnotification_max_age_s = 61;", "cadastre.conf:5: notification_max_age_s is 61" },
		{ "listen = 8443;", "listen must be a text in quotes" },
		{ "listen = \"example.net:8443\";", "listen: \"example.net:8443\" does not begin with an IP address" },
		{ "listen = \"127.0.0.1\";", "listen: \"127.0.0.1\" is not an address and port" },
		{ "listen = \"127.0.0.1:65536\";", "is not an address and port" },
		{ "listen = \"\";", "listen has 0 characters" },
		{ "tls_key = \"a\\x01b\";", "tls_key contains a control character" },
		{ "log_level = \"loud\";", "log_level is \"loud\"" },
		{ "log_level = 3;", "log_level must be a text" },
		{ "refused_asns = \"AS65535\";", "refused_asns must be a list of texts" },
		{ "refused_asns = [1, 2];", "refused_asns must be a list of texts, but is a number" },
		{ "refused_asns = [\"AS4294967296\"];", "refused_asns: " },
		{ "refused_asns = (\"AS1\", [\"AS2\"]);", "refused_asns must be a list of texts, but is a list" },
		{ "manifest_valid_s = 43200;", "manifest_margin_s must be less than manifest_valid_s" },
		{ "object_spread_s = 31536000;", "object_spread_s and object_margin_s" },
		{ "manifest_margin_s = 129600;", "cadastre.conf:3: manifest_margin_s must be less than manifest_valid_s" },
		{ "manifest_spread_s = 129601;", "cadastre.conf:3: manifest_spread_s must not be more than manifest_valid_s" },
		{ "object_margin_s = 15811200;", "object_spread_s and object_margin_s together must be less than object_valid_s" },
		{ "object_margin_s = 43199;", "cadastre.conf:3: object_margin_s must not be less than manifest_margin_s" },
		{ "ta_valid_s = 432000;", "cadastre.conf:3: ta_valid_s must be more than three times manifest_valid_s" },
		{ "ta_valid_s = 86399;", "ta_valid_s is 86399, but must be from 86400" },
		{ "renewal_window_s = 21600;", "cadastre.conf:3: renewal_window_s must be less than half of manifest_margin_s" },
		{ "renewal_window_s = -1;", "renewal_window_s is -1" },
		{ "renewals_per_cut = 9;", "renewals_per_cut is 9, but must be from 10" },
		{ "health_overdue_max_s = 43200;", "cadastre.conf:3: health_overdue_max_s must be less than manifest_margin_s" },
		{ "health_overdue_max_s = 900;", "cadastre.conf:3: health_overdue_max_s must be more than renewal_window_s" },
		{ "health_expiry_min_s = 42300;", "cadastre.conf:3: health_expiry_min_s and renewal_window_s together" },
		{ "roa_aggregate_below = 101;", "cadastre.conf:3: roa_aggregate_below must not be more" },
		{ "batch_window_s = 1;\nbatch_window_s = 2;", "cadastre.conf:4: duplicate setting" },
		{ "batch_window_s = ;", "cadastre.conf:3: syntax error" },
		{ "batch_window_s 1", "cadastre.conf:3: syntax error" },
		{ "group = { a = 1; };", "there is no setting named group" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
		struct fault fault = FAULT_INIT;
		char text[512];
		(void)snprintf(text, sizeof text, URIS "%s\n", cases[i].text);
		if (load(state, text, &config, &fault) != FAULT_CONFIG || strstr(fault.message, cases[i].words) == NULL)
			fail_msg("%s: %s", cases[i].text, fault.message);
		assert_int_equal(load(state, text, &config, NULL), FAULT_CONFIG);
	}
}

static void
config__checks_base_uris(void **state)
{
	static const char *const wrong[] = { "http://h/rrdp/", "https://h/rrdp", "https:///rrdp/", "https://h", "rsync://h/rrdp/",
		"https://h/a b/", "https://h/a?b/", "HTTPS://h/" };
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
		struct fault fault = FAULT_INIT;
		char text[512];
		(void)snprintf(text, sizeof text, "rsync_uri = \"rsync://h/repo/\";\nrrdp_uri = \"%s\";\n", wrong[i]);
		if (load(state, text, &config, &fault) != FAULT_CONFIG)
			fail_msg("%s was taken", wrong[i]);
		assert_non_null(strstr(fault.message, "cadastre.conf:2: rrdp_uri is "));
	}
}

static void
config__tells_missing_and_unreadable_files_apart(void **state)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
	struct fault fault = FAULT_INIT;
	assert_int_equal(config_load(scratch_path(state, "none"), &config, &fault), FAULT_NOT_FOUND);
	assert_int_equal(config_load(*state, &config, &fault), FAULT_IO);
	assert_null(config.listen);
}

static void
config__follows_includes(void **state)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
	struct fault fault = FAULT_INIT;
	const char *limits = "workers = 3;\nsigners = -1;\n";
	assert_int_equal(atomic_file_put(AT_FDCWD, scratch_path(state, "limits.conf"), SPAN(limits, strlen(limits)), 0600,
		ATOMIC_FILE_KEEP_TIME, NULL), FAULT_NONE);
	assert_int_equal(load(state, URIS "@include \"limits.conf\"\n", &config, &fault), FAULT_CONFIG);
	assert_non_null(strstr(fault.message, "limits.conf:2: signers is -1"));
	limits = "\nfile_budget = 30064771072;\n";
	assert_int_equal(atomic_file_put(AT_FDCWD, scratch_path(state, "limits.conf"), SPAN(limits, strlen(limits)), 0600,
		ATOMIC_FILE_KEEP_TIME, NULL), FAULT_NONE);
	assert_int_equal(load(state, URIS "@include \"limits.conf\"\n", &config, &fault), FAULT_CONFIG);
	assert_non_null(strstr(fault.message, "limits.conf:2: a number as large as 30064771072"));
}

static void
config__prints_what_it_reads_back(void **state)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT, again = CONFIG_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT, second = BYTES_INIT;
	struct fault fault = FAULT_INIT;
	assert_int_equal(
		load(state,
			URIS "batch_window_s = 5;\nfile_budget = 30000000000L;\ntls_key = \"a\\\"b\\\\c\";\nrefused_asns = [];\n"
			     "log_level = \"error\";\n",
			&config, NULL),
		FAULT_NONE);
	assert_int_equal(config_print(&config, &text, NULL), FAULT_NONE);
	if (load(state, bytes_text(&text), &again, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	assert_int_equal(again.batch_window_s, 5);
	assert_int_equal(again.file_budget, INT64_C(30000000000));
	assert_string_equal(again.tls_key, "a\"b\\c");
	assert_int_equal(again.refused_asns.count, 0);
	assert_int_equal(config_print(&again, &second, NULL), FAULT_NONE);
	assert_string_equal(bytes_text(&text), bytes_text(&second));
	assert_non_null(strstr(bytes_text(&text), "\nbatch_window_s = 5;\n"));
	assert_non_null(strstr(bytes_text(&text), "\n# workers = 32;\n"));
}

/* The commented lines are what the server does: made active, they change nothing. */
static void
config__comments_are_true(void **state)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT, again = CONFIG_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT, active = BYTES_INIT, second = BYTES_INIT;
	struct fault fault = FAULT_INIT;
	assert_int_equal(load(state, URIS, &config, NULL), FAULT_NONE);
	assert_int_equal(config_print(&config, &text, NULL), FAULT_NONE);
	char *rest = (char *)text.data;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		bool setting = strncmp(line, "# ", 2) == 0 && strstr(line, " = ") != NULL && line[strlen(line) - 1] == ';';
		assert_int_equal(bytes_printf(&active, NULL, "%s\n", setting ? line + 2 : line), FAULT_NONE);
	}
	if (load(state, bytes_text(&active), &again, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	bytes_reset(&text);
	assert_int_equal(config_print(&config, &text, NULL), FAULT_NONE);
	assert_int_equal(config_print(&again, &second, NULL), FAULT_NONE);
	assert_string_equal(bytes_text(&text), bytes_text(&second));
}

static void
config__checks_what_was_filled_by_hand(void **state)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
	struct fault fault = FAULT_INIT;
	(void)state;
	assert_int_equal(config_default(&config, NULL), FAULT_NONE);
	assert_int_equal(config_check(&config, &fault), FAULT_CONFIG);
	assert_int_equal(config_set_text(&config.rrdp_uri, "https://localhost:8443/rrdp/", NULL), FAULT_NONE);
	assert_int_equal(config_set_text(&config.rsync_uri, "rsync://localhost:8873/repo/", NULL), FAULT_NONE);
	assert_int_equal(config_check(&config, &fault), FAULT_NONE);
	config.workers = 0;
	assert_int_equal(config_check(&config, &fault), FAULT_CONFIG);
	assert_non_null(strstr(fault.message, "workers is 0"));
}

static void
config__help_names_every_setting(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	(void)state;
	assert_int_equal(config_print_help(&text, NULL), FAULT_NONE);
#define CONFIG_SECTION(title) assert_non_null(strstr(bytes_text(&text), title));
#define CONFIG(key, type, initial, min, max, help) assert_non_null(strstr(bytes_text(&text), "\n  " #key " = "));
#include "api/server/config.def"
#undef CONFIG
#undef CONFIG_SECTION
	for (const char *line = bytes_text(&text); *line != '\0';) {
		size_t length = strcspn(line, "\n");
		assert_true(length <= 120);
		line += length + (line[length] == '\n');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(config__has_defaults),
		cmocka_unit_test(config__validity_is_that_of_the_plan),
		cmocka_unit_test_setup_teardown(config__needs_its_uris, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(config__reads_every_type, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(config__refuses_numbers_that_would_be_cut, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(config__takes_large_numbers_in_texts_and_comments, scratch_setup,
			scratch_teardown),
		cmocka_unit_test_setup_teardown(config__takes_an_empty_list, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(config__names_file_and_line_of_each_mistake, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(config__checks_base_uris, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(config__tells_missing_and_unreadable_files_apart, scratch_setup,
			scratch_teardown),
		cmocka_unit_test_setup_teardown(config__follows_includes, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(config__prints_what_it_reads_back, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(config__comments_are_true, scratch_setup, scratch_teardown),
		cmocka_unit_test(config__checks_what_was_filled_by_hand),
		cmocka_unit_test(config__help_names_every_setting),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
