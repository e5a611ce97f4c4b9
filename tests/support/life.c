#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after what it needs */
#include <cmocka.h>

#include "tests/support/life.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "ca/base/log.h"
#include "ca/der/tal.h"
#include "ca/jobs/cut.h"
#include "publish/check/check.h"
#include "tests/support/prime_keys.h"

#define MINUTE INT64_C(60)
#define HOUR (60 * MINUTE)
#define BATCH_WINDOW_S 60
#define RENEWAL_WINDOW_S (15 * MINUTE)
#define RSYNC_INTERVAL_S (10 * MINUTE)
#define HOUSE_EVERY_S (6 * HOUR)
#define LOOK_EVERY_S (15 * MINUTE)
#define TAL "ta/ta.tal"
#define STEPS_MAX 100000                 /* in one life_until(): more is a loop */

static void
cut_made(void *argument)
{
	(void)argument;
}

static void
start(struct life *life)
{
	const struct scheduler_settings jobs = {
		.batch_window_s = BATCH_WINDOW_S, .cut_objects_max = 20000,
		.renewal_window_s = RENEWAL_WINDOW_S, .renewals_per_cut = 5000,
		.guard = { .share_percent = 10, .payloads_min = 1000 },
	};
	const struct publisher_settings files = {
		.deltas_max = 250, .delta_age_max_s = 24 * HOUR, .file_grace_s = 2 * HOUR,
		.file_budget = INT64_C(1) << 34, .tree_grace_s = 2 * HOUR, .tree_links_max = 4000000,
	};
	/* Both layouts of ROAs have to be lived through by members of few payloads. */
	life->world.reconcile.settings.layout.by_origin_above = 9;
	life->world.reconcile.settings.layout.by_payload_below = 7;
	WORLD_OK(scheduler_new(&life->world.reconcile, &jobs, cut_made, life, &life->scheduler, fault));
	WORLD_OK(publisher_new(life->world.db, life->directory, &life->world.clock, &files, &life->publisher, fault));
}

void
life_begin(struct life *life, int64_t start_at)
{
	log_set_level(LOG_WARNING);
	*life = (struct life){ .kept_house_at = start_at };
	life->world.ca_keys = prime_keys_ca_source();
	life->world.onetime_keys = prime_keys_onetime_source();
	world_lay(&life->world, start_at);
	life->directory = open(life->world.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(life->directory >= 0);
	life->watcher = watcher_new(LIFE_RRDP_URI, LIFE_RSYNC_URI);
	start(life);
}

void
life_stop(struct life *life)
{
	publisher_free(MOVE(life->publisher));
	scheduler_free(MOVE(life->scheduler));
	world_stop(&life->world);
}

void
life_start(struct life *life)
{
	world_start(&life->world);
	start(life);
}

void
life_end(struct life *life)
{
	if (life->scheduler != NULL)
		life_stop(life);
	watcher_free(life->watcher);
	(void)close(life->directory);
	WORLD_OK(atomic_file_remove_tree(AT_FDCWD, life->world.directory, fault));
}

static void
publish(struct life *life)
{
	struct cut_position position;
	int64_t serial;
	WORLD_OK(cut_look(life->world.db, &position, fault));
	if (position.serial == position.notified_serial)
		return;
	WORLD_OK(publisher_publish(life->publisher, &serial, fault));
	life->published++;
	LIFE_RIGHT(watcher_poll(life->watcher, life->directory, clock_now(&life->world.clock)));
	if (life->polled != NULL)
		LIFE_RIGHT(life->polled(life->polled_argument));
}

/* BUSY: all trees are still in their grace time. */
static void
turn_rsync(struct life *life, int64_t interval_s)
{
	struct cut_position position;
	struct fault trouble = FAULT_INIT;
	int64_t serial;
	WORLD_OK(cut_look(life->world.db, &position, fault));
	if (position.rsync_serial >= position.notified_serial || clock_now(&life->world.clock) < position.rsync_at + interval_s)
		return;
	enum fault_code code = publisher_rsync(life->publisher, &serial, &trouble);
	if (code != FAULT_NONE && code != FAULT_BUSY)
		fail_msg("turning the rsync tree: %s", trouble.message);
}

bool
life_rsync_is_current(struct life *life)
{
	struct cut_position position;
	WORLD_OK(cut_look(life->world.db, &position, fault));
	return position.rsync_serial == position.notified_serial;
}

void
life_keep_house(struct life *life)
{
	const atomic_bool stop = false;
	int64_t repaired;
	WORLD_OK(publisher_verify(life->publisher, &repaired, fault));
	if (repaired != 0)
		fail_msg("%lld files had to be written again", (long long)repaired);
	WORLD_OK(publisher_retire(life->publisher, fault));
	WORLD_OK(publisher_compress(life->publisher, &stop, fault));
	life->kept_house_at = clock_now(&life->world.clock);
}

/* One turn of all threads. Returns when the next one is to be looked for, at most in a quarter of an hour. */
static int64_t
take_turn(struct life *life)
{
	struct fault trouble = FAULT_INIT;
	int64_t again_ms = 0, changed, renewal_at, now_at = clock_now(&life->world.clock);
	enum fault_code code = scheduler_step(life->scheduler, &again_ms, &trouble);
	if (code != FAULT_NONE && code != FAULT_CLOCK && code != FAULT_BUSY)
		fail_msg("at %lld: %s (%s:%d)", (long long)now_at, trouble.message, trouble.file, trouble.line);
	publish(life);
	turn_rsync(life, RSYNC_INTERVAL_S);
	if (now_at - life->kept_house_at >= HOUSE_EVERY_S)
		life_keep_house(life);
	if (code != FAULT_NONE || again_ms == 0)
		return now_at + 1;
	if (again_ms < MINUTE * 1000)
		return now_at + (again_ms + 999) / 1000;
	/* It would look once a minute, in case that somebody set the clock or a change was missed: nobody does here. */
	WORLD_OK(reconcile_due(&life->world.reconcile, &changed, &renewal_at, fault));
	int64_t next_at = now_at + LOOK_EVERY_S;
	if (changed > 0 || (renewal_at != 0 && renewal_at <= now_at))
		return now_at + MINUTE;
	return renewal_at != 0 && renewal_at < next_at ? renewal_at : next_at;
}

void
life_until(struct life *life, int64_t at)
{
	for (int steps = 0; clock_now(&life->world.clock) < at; steps++) {
		int64_t next_at = take_turn(life);
		assert_true(steps < STEPS_MAX);
		clock_hand_set(&life->world.clock, next_at < at ? next_at : at);
	}
	(void)take_turn(life);
}

/* The trust anchor's locator, from its key in the database's first row. */
static void
write_tal(struct life *life, const char *path)
{
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	AUTO_CLEAR(struct certificate, certificate_clear) certificate = CERTIFICATE_INIT;
	WORLD_OK(atomic_file_read(life->directory, "ta/ta.cer", 1 << 20, &der, fault));
	WORLD_OK(certificate_decode(bytes_span(&der), &certificate, fault));
	WORLD_OK(tal_print(LIFE_RRDP_URI "ta.cer", LIFE_RSYNC_URI "ta/ta.cer", bytes_span(&certificate.spki), &text, fault));
	WORLD_OK(atomic_file_put(life->directory, path, bytes_span(&text), 0644, ATOMIC_FILE_KEEP_TIME, fault));
}

/* Once there is a certificate. */
static void
ensure_tal(struct life *life)
{
	struct stat status;
	if (fstatat(life->directory, TAL, &status, 0) != 0)
		write_tal(life, TAL);
}

const char *
life_check(struct life *life, int64_t manifest_left_s, int64_t object_left_s)
{
	static char words[900];
	AUTO_CLEAR(struct check_report, check_report_clear) report = CHECK_REPORT_INIT;
	struct check_request request = {
		.directory = life->directory, .db = life->world.db,
		.now_at = clock_now(&life->world.clock),
		.horizon_s = { [CHECK_TA] = manifest_left_s, [CHECK_CER] = object_left_s, [CHECK_CRL] = manifest_left_s,
			[CHECK_MFT] = manifest_left_s, [CHECK_ROA] = object_left_s },
	};
	ensure_tal(life);
	WORLD_OK(check_run(&request, &report, fault));
	if (report.findings_total == 0)
		return NULL;
	(void)snprintf(words, sizeof words, "%lld findings; %s: %s: %s", (long long)report.findings_total,
		check_kind_name(report.findings[0].kind), report.findings[0].place, report.findings[0].words);
	return words;
}

static int
run_validator(struct life *life, int64_t at)
{
	char command[1600];
	const char *directory = life->world.directory;
	ensure_tal(life);
	(void)snprintf(command, sizeof command,
		"AT=%" PRId64 " tests/validators/validate rpki-client-offline %s/rsync/current %s/" TAL " %s/ta/ta.cer %s/seen 2>%s/errors",
		at, directory, directory, directory, directory, directory);
	int status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* "ASN,prefix,maxLength" lines, sorted as text: what `validate` writes. */
static int
compare_lines(const void *a, const void *b)
{
	return strcmp(a, b);
}

#define LINE_ROOM 80

static void
print_payloads(struct life *life, struct bytes *text)
{
	size_t count;
	const struct watched_payload *payloads = watcher_payloads(life->watcher, &count);
	char (*lines)[LINE_ROOM] = calloc(count + 1, LINE_ROOM), prefix[PREFIX_TEXT];
	assert_non_null(lines);
	for (size_t i = 0; i < count; i++) {
		prefix_text(&payloads[i].payload.prefix, prefix);
		(void)snprintf(lines[i], LINE_ROOM, "%u,%s,%u\n", payloads[i].payload.asn, prefix, payloads[i].payload.max_length);
	}
	qsort(lines, count, LINE_ROOM, compare_lines);
	/* Two members may say the same while one is on hold. */
	for (size_t i = 0; i < count; i++)
		if (i == 0 || strcmp(lines[i], lines[i - 1]) != 0)
			WORLD_OK(bytes_append(text, lines[i], strlen(lines[i]), fault));
	free(lines);
}

const char *
life_validate(struct life *life)
{
	static char words[900];
	AUTO_CLEAR(struct bytes, bytes_clear) expected = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) found = BYTES_INIT;
	int status = run_validator(life, clock_now(&life->world.clock));
	if (status != 0) {
		WORLD_OK(atomic_file_read(life->directory, "errors", 1 << 20, &found, fault));
		(void)snprintf(words, sizeof words, "rpki-client: status %d: %.*s", status, (int)found.length, (const char *)found.data);
		return words;
	}
	WORLD_OK(atomic_file_read(life->directory, "seen/payloads", 1 << 26, &found, fault));
	print_payloads(life, &expected);
	if (span_equal(bytes_span(&expected), bytes_span(&found)))
		return NULL;
	(void)snprintf(words, sizeof words, "rpki-client has other payloads:\n%.*s\ninstead of\n%.*s", 300, (const char *)found.data, 300,
		(const char *)expected.data);
	return words;
}

const char *
life_validate_later(struct life *life, int64_t later_s, size_t *ret_payloads)
{
	AUTO_CLEAR(struct bytes, bytes_clear) found = BYTES_INIT;
	int status = run_validator(life, clock_now(&life->world.clock) + later_s);
	if (status == 0)
		return "rpki-client finds no fault";
	*ret_payloads = 0;
	if (atomic_file_read(life->directory, "seen/payloads", 1 << 26, &found, NULL) == FAULT_NONE)
		for (size_t i = 0; i < found.length; i++)
			*ret_payloads += found.data[i] == '\n';
	return NULL;
}
