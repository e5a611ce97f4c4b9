#include "ca/commands/import_commands.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ca/commands/import_batch.h"
#include "ca/commands/roa_commands.h"
#include "ca/views/views.h"
#include "tests/unit/feed_file.h"
#include "tests/unit/registry.h"

#define STATS "tests/vectors/feeds/extended-stats.txt"

#define COUNTS "SELECT state || ' ' || entries_done || '/' || entries_total || ' members ' || members_created || ' ' || members_unchanged" \
	" || ' ' || members_different || ' roas ' || roas_created || ' ' || roas_unchanged || ' ' || roas_not_held || ' warnings ' ||" \
	" warnings || ' cas ' || cas_to_issue AS it FROM imports WHERE import_id = '%s'"
#define REMARKS "SELECT COALESCE(group_concat(kind || ': ' || text, char(10)), '') AS it FROM import_remarks WHERE import_id = '%s'"
#define ERROR "SELECT state || ': ' || COALESCE(error, 'none') AS it FROM imports WHERE import_id = '%s'"

/* The tree of these tests holds what the fixtures have. */
static int
setup(void **state)
{
	if (registry_setup(state) != 0)
		return -1;
	struct registry *registry = *state;
	AUTO_CLEAR(struct resource_set, resource_set_clear) all = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) blob = BYTES_INIT;
	AUTO(char, free) hex = NULL;
	assert_int_equal(resource_set_all(&all, NULL), FAULT_NONE);
	assert_int_equal(resource_set_encode(&all, &blob, NULL), FAULT_NONE);
	hex = calloc(1, 2 * blob.length + 1);
	for (size_t i = 0; i < blob.length; i++)
		(void)snprintf(hex + 2 * i, 3, "%02X", blob.data[i]);
	registry_sql(registry, "UPDATE cas SET resources = X'%s', changed_at = NULL WHERE kind IN ('ta', 'online')", hex);
	registry_sql(registry, "UPDATE cas SET changed_at = NULL");
	return 0;
}

static const char *
start(struct registry *registry, enum import_kind kind)
{
	static char id[IMPORT_ID_SIZE];
	if (import_start(&registry->context, &registry_operator, kind, id, &registry->fault) != FAULT_NONE)
		fail_msg("%s", registry->fault.message);
	return id;
}

static enum fault_code
apply(struct registry *registry, const char *id, const char *path)
{
	registry_forget(registry);
	return import_apply(&registry->context, id, path, NULL, &registry->fault);
}

/* Start and apply, which must work. */
static const char *
run(struct registry *registry, enum import_kind kind, const char *path)
{
	const char *id = start(registry, kind);
	if (apply(registry, id, path) != FAULT_NONE)
		fail_msg("%s", registry->fault.message);
	return id;
}

static const char *
write_file(struct registry *registry, const char *text)
{
	const char *path = registry_path(registry, "upload");
	feed_file_write(path, text);
	return path;
}

static void
import_commands__kinds_have_their_names(void **state)
{
	enum import_kind kind;
	(void)state;
	for (int i = IMPORT_STATS; i <= IMPORT_MEMBERS; i++) {
		assert_true(import_kind_parse(import_kind_text((enum import_kind)i), &kind));
		assert_int_equal(kind, i);
	}
	assert_false(import_kind_parse("", &kind));
	assert_false(import_kind_parse("Stats", &kind));
}

static void
import_commands__stats_make_members(void **state)
{
	struct registry *registry = *state;
	const char *id = run(registry, IMPORT_STATS, STATS);
	assert_string_equal(registry_text(registry, COUNTS, id), "issuing 3/3 members 3 0 0 roas 0 0 0 warnings 0 cas 3");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas WHERE kind = 'member' AND version = 1 AND "
		"changed_at = %" PRId64
		" AND import_id = '%s'", REGISTRY_NOW, id), 3);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM holdings"), 9);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM audit WHERE actor = 'an operator' AND action = "
		"'ca.create'"), 3);
	assert_string_equal(registry_text(registry, "SELECT outcome || ': ' || detail AS it FROM audit WHERE action = "
		"'import.end'")
		+ strlen("done: stats, import ") + 36, ": members 3 created, 0 unchanged, 0 different; ROAs 0 created, 0 "
			"unchanged, 0 not held; 0 warnings");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM audit WHERE action = 'import.start'"), 1);
	assert_true(registry->wakes > 0);
}

static void
import_commands__a_second_run_changes_nothing(void **state)
{
	struct registry *registry = *state;
	(void)run(registry, IMPORT_STATS, STATS);
	registry_sql(registry, "UPDATE cas SET changed_at = NULL");
	int64_t rows = registry_number(registry, "SELECT count(*) AS it FROM audit");
	clock_hand_set(&registry->clock, REGISTRY_NOW + 60);
	const char *id = run(registry, IMPORT_STATS, STATS);
	/* Nothing is to be issued for it, so it is done at once. */
	assert_string_equal(registry_text(registry, COUNTS, id), "done 3/3 members 0 3 0 roas 0 0 0 warnings 0 cas 0");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas WHERE changed_at IS NOT NULL OR import_id = "
		"'%s'", id), 0);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM audit"), rows + 2);
}

static void
import_commands__members_that_differ_are_left_alone(void **state)
{
	struct registry *registry = *state;
	int64_t c = registry_member_id(registry, "C", "198.51.100.0/24");
	(void)registry_member_id(registry, "holder_b", "AS65536 192.0.2.131/32 2001:db8:8000::/33");
	const char *id = run(registry, IMPORT_STATS, STATS);
	assert_string_equal(registry_text(registry, COUNTS, id), "issuing 3/3 members 1 1 1 roas 0 0 0 warnings 0 cas 1");
	assert_string_equal(registry_text(registry, REMARKS, id),
		"member-differs: line 15: CA \"C\" holds other resources than the file says; use PATCH");
	assert_int_equal(registry_number(registry, "SELECT version AS it FROM cas WHERE ca_id = %" PRId64, c), 1);
}

static void
import_commands__conflicts_with_others_end_it_before_it_begins(void **state)
{
	struct registry *registry = *state;
	(void)registry_member_id(registry, "somebody", "AS64500");
	const char *id = start(registry, IMPORT_STATS);
	assert_int_equal(apply(registry, id, STATS), FAULT_RESOURCE_CONFLICT);
	assert_string_equal(registry_text(registry, ERROR, id), "failed: line 7: AS64496-AS64511: CA \"somebody\" holds AS64500");
	assert_string_equal(registry_text(registry, COUNTS, id), "failed 0/0 members 0 0 0 roas 0 0 0 warnings 0 cas 0");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas WHERE kind = 'member'"), 1);
	assert_string_equal(registry_text(registry, "SELECT outcome || ': ' || detail AS it FROM audit WHERE action = "
		"'import.end'"),
		"resource-conflict: line 7: AS64496-AS64511: CA \"somebody\" holds AS64500");
	/* It has ended: another may begin, and this one stays as it is. */
	assert_int_equal(apply(registry, id, STATS), FAULT_NONE);
	(void)start(registry, IMPORT_STATS);
}

static void
import_commands__handles_of_the_engine_are_refused(void **state)
{
	struct registry *registry = *state;
	const char *path = write_file(registry, "{\"id\":\"ok\",\"asn\":[],\"ipv4\":[],\"ipv6\":[],\"roas\":[]}\n"
		"{\"id\":\"online\",\"asn\":[],\"ipv4\":[],\"ipv6\":[],\"roas\":[]}\n");
	const char *id = start(registry, IMPORT_MEMBERS);
	assert_int_equal(apply(registry, id, path), FAULT_CONFLICT);
	assert_string_equal(registry_text(registry, ERROR, id), "failed: line 2: CA \"online\" is one of the engine's own");
	int64_t gone = registry_member_id(registry, "ok", "");
	assert_int_equal(ca_delete(&registry->context, &registry_admin, gone, NULL), FAULT_NONE);
	id = start(registry, IMPORT_MEMBERS);
	assert_int_equal(apply(registry, id, path), FAULT_CONFLICT);
	assert_string_equal(registry_text(registry, ERROR, id), "failed: line 1: CA \"ok\" is being deleted");
}

static void
import_commands__nothing_is_applied_from_a_file_with_a_fault(void **state)
{
	struct registry *registry = *state;
	/* The fault is at the end, and what stands before it is many batches. */
	const char *path = registry_path(registry, "upload");
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		fprintf(file, "{\"id\":\"m%d\",\"asn\":[%d],\"ipv4\":[],\"ipv6\":[],\"roas\":[]}\n", i, i);
	fprintf(file, "{\"id\":\"last\",\"asn\":[5],\"ipv4\":[],\"ipv6\":[],\"roas\":[]}\n");
	fclose(file);
	const char *id = start(registry, IMPORT_MEMBERS);
	assert_int_equal(apply(registry, id, path), FAULT_INVALID);
	assert_string_equal(registry_text(registry, ERROR, id), "failed: line 1001: AS5 overlaps with AS5 of another holder in "
		"line 6");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas WHERE kind = 'member'"), 0);
	/* A file that is not there, or is none. */
	id = start(registry, IMPORT_ROAS);
	assert_int_equal(apply(registry, id, registry_path(registry, "absent")), FAULT_NOT_FOUND);
	id = start(registry, IMPORT_ROAS);
	assert_int_equal(apply(registry, id, STATS), FAULT_MALFORMED);
	id = start(registry, IMPORT_STATS);
	assert_int_equal(import_apply(&registry->context, id, "tests/vectors/feeds/members.jsonl", NULL, NULL), FAULT_MALFORMED);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM imports WHERE state = 'failed' AND error IS NOT "
		"NULL"), 4);
}

static void
import_commands__roas_go_to_whom_holds_the_prefix(void **state)
{
	struct registry *registry = *state;
	(void)registry_member_id(registry, "alpha", "192.0.2.0/25");
	int64_t beta = registry_member_id(registry, "beta", "192.0.2.128/25 2001:db8::/32");
	registry_sql(registry, "UPDATE cas SET changed_at = NULL");
	const char *path = write_file(registry, "ASN,IP Prefix,Max Length,Trust Anchor\n"
		"AS64496,192.0.2.0/25,25,x\nAS64496,192.0.2.128/25,25,x\nAS64496,192.0.2.0/24,24,x\nAS64496,192.0.2.0/25,28,x\n"
		"AS64496,192.0.2.128/26,26,x\nAS64496,2001:db8:1::/48,64,x\nAS64496,203.0.113.0/24,24,x\nAS64496,192.0.2.0/25,25,y\n"
		"AS23456,192.0.2.0/26,26,x\nAS0,192.0.2.0/26,26,x\n");
	const char *id = run(registry, IMPORT_ROAS, path);
	assert_string_equal(registry_text(registry, COUNTS, id), "issuing 10/10 members 0 0 0 roas 7 1 2 warnings 1 cas 2");
	assert_string_equal(registry_text(registry, REMARKS, id),
		"not-held: line 4: AS64496 192.0.2.0/24: no member holds all of the prefix\n"
		"not-held: line 8: AS64496 203.0.113.0/24: no member holds all of the prefix\n"
		"reserved-asn: line 10: AS23456 192.0.2.0/26 has a reserved AS number, which members may not add themselves");
	assert_string_equal(registry_text(registry, "SELECT version || ' ' || roas_version || ' ' || roas_count || ' ' || "
		"(import_id = '%s') ||"
		" ' ' || changed_at AS it FROM cas WHERE ca_id = %" PRId64, id, beta), "2 1 3 1 1767225600");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM roas WHERE ca_id = %" PRId64, beta), 3);
	/* Again: all there. */
	id = run(registry, IMPORT_ROAS, path);
	assert_string_equal(registry_text(registry, COUNTS, id), "done 10/10 members 0 0 0 roas 0 8 2 warnings 1 cas 0");
}

/* What a member changed before and what waits still goes as soon as it would have without the import. */
static void
import_commands__take_no_change_of_a_member_over(void **state)
{
	struct registry *registry = *state;
	(void)registry_member_id(registry, "quick", "192.0.2.0/24");
	(void)registry_member_id(registry, "quiet", "198.51.100.0/24");
	registry_sql(registry, "UPDATE cas SET changed_at = CASE handle WHEN 'quick' THEN 7 END WHERE kind = 'member'");
	const char *path = write_file(registry, "ASN,Prefix,Max prefix length\n1,192.0.2.0/24,24\n1,198.51.100.0/24,24\n");
	const char *id = run(registry, IMPORT_ROAS, path);
	assert_string_equal(registry_text(registry, COUNTS, id), "issuing 2/2 members 0 0 0 roas 2 0 0 warnings 0 cas 1");
	assert_string_equal(registry_text(registry, "SELECT group_concat(handle || ' ' || changed_at || ' ' || (import_id IS NOT NULL), ', ') AS it "
		"FROM (SELECT * FROM cas WHERE kind = 'member' ORDER BY handle)"), "quick 7 0, quiet 1767225600 1");
	/* The import's own change of a CA stays the import's, the next one's too; a member's again takes it from both. */
	path = write_file(registry, "ASN,Prefix,Max prefix length\n2,198.51.100.0/24,24\n");
	id = run(registry, IMPORT_ROAS, path);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas WHERE handle = 'quiet' AND import_id = '%s'", id), 1);
	registry_sql(registry, "UPDATE cas SET import_id = NULL WHERE handle = 'quiet'");
	id = run(registry, IMPORT_ROAS, write_file(registry, "ASN,Prefix,Max prefix length\n3,198.51.100.0/24,24\n"));
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas WHERE import_id = '%s'", id), 0);
}

static void
import_commands__members_bring_their_roas(void **state)
{
	struct registry *registry = *state;
	const char *id = run(registry, IMPORT_MEMBERS, "tests/vectors/feeds/members.jsonl");
	assert_string_equal(registry_text(registry, COUNTS, id), "issuing 8/8 members 3 0 0 roas 4 0 1 warnings 0 cas 3");
	assert_string_equal(registry_text(registry, REMARKS, id),
		"not-held: line 3: AS64497 203.0.113.0/24: CA \"pfx-198-51-100-0-24\" does not hold all of the prefix");
	assert_string_equal(registry_text(registry, "SELECT group_concat(handle || ':' || roas_count || ':' || version, ' ') AS "
		"it FROM"
		" (SELECT * FROM cas WHERE kind = 'member' ORDER BY handle)"),
		"HOLDER-A:3:2 nothing:0:1 pfx-198-51-100-0-24:1:2");
	id = run(registry, IMPORT_MEMBERS, "tests/vectors/feeds/members.jsonl");
	assert_string_equal(registry_text(registry, COUNTS, id), "done 8/8 members 0 3 0 roas 0 4 1 warnings 0 cas 0");
}

static void
import_commands__one_after_the_other(void **state)
{
	struct registry *registry = *state;
	char second[IMPORT_ID_SIZE] = "untouched";
	const char *id = start(registry, IMPORT_STATS);
	assert_int_equal(import_start(&registry->context, &registry_operator, IMPORT_ROAS, second, &registry->fault),
		FAULT_CONFLICT);
	assert_string_equal(second, "untouched");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM audit WHERE action = 'import.start' AND outcome = "
		"'conflict'"), 1);
	assert_int_equal(apply(registry, id, STATS), FAULT_NONE);
	/* While it is being issued, the next may be applied. */
	assert_int_equal(import_start(&registry->context, &registry_operator, IMPORT_ROAS, second, &registry->fault), FAULT_NONE);
	assert_int_equal(apply(registry, "no such import", STATS), FAULT_NOT_FOUND);
}

/* A file of so many members with three payloads each, of which the last is not held. */
static const char *
write_members(struct registry *registry, int count)
{
	const char *path = registry_path(registry, "upload");
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	for (int i = 0; i < count; i++)
		fprintf(file, "{\"id\":\"m%d\",\"asn\":[%d],\"ipv4\":[\"10.%d.%d.0/24\"],\"ipv6\":[],\"roas\":["
			"{\"asn\":%d,\"prefix\":\"10.%d.%d.0/24\",\"maxLength\":24},{\"asn\":%d,\"prefix\":\"10.%d.%d.0/25\",\"maxLength\":25},"
			"{\"asn\":%d,\"prefix\":\"10.%d.%d.0/24\",\"maxLength\":24}]}\n",
			i, i, i / 256, i % 256, i, i / 256, i % 256, i, i / 256, i % 256, i, 200 + i / 256, i % 256);
	fclose(file);
	return path;
}

#define MANY 1000

static void
import_commands__goes_on_after_a_stop(void **state)
{
	struct registry *registry = *state;
	const char *path = write_members(registry, MANY), *id = start(registry, IMPORT_MEMBERS);
	atomic_bool stop = true;
	/* In the first pass nothing was done yet. */
	assert_int_equal(import_apply(&registry->context, id, path, &stop, &registry->fault), FAULT_BUSY);
	assert_string_equal(registry_text(registry, COUNTS, id), "checking 0/0 members 0 0 0 roas 0 0 0 warnings 0 cas 0");
	registry_sql(registry, "UPDATE imports SET state = 'applying', entries_total = %d", 4 * MANY);
	/* In the second, one batch a try. */
	int tries = 0;
	while (import_apply(&registry->context, id, path, &stop, &registry->fault) == FAULT_BUSY && ++tries < 100)
		registry_reopen(registry);
	assert_true(tries >= 5 && tries < 100);
	assert_string_equal(registry_text(registry, COUNTS, id),
		"issuing 4000/4000 members 1000 0 0 roas 2000 0 1000 warnings 0 cas 1000");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM roas"), 2 * MANY);
	assert_int_equal(registry_number(registry, "SELECT sum(roas_count) AS it FROM cas"), 2 * MANY);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM import_remarks"), MANY);
}

static void
import_commands__is_the_same_wherever_a_kill_came(void **state)
{
	struct registry *registry = *state;
	const char *path = write_members(registry, 30), *id = start(registry, IMPORT_MEMBERS);
	assert_int_equal(apply(registry, id, path), FAULT_NONE);
	/* As if only the first entries had been recorded: what comes again is told as unchanged, nothing is made twice. */
	for (int done = 0; done <= 120; done += 7) {
		registry_sql(registry, "UPDATE imports SET state = 'applying', entries_done = %d, members_unchanged = 0, "
			"roas_unchanged = 0", done);
		assert_int_equal(apply(registry, id, path), FAULT_NONE);
		assert_int_equal(registry_number(registry, "SELECT entries_done AS it FROM imports"), 120);
		assert_int_equal(registry_number(registry, "SELECT members_unchanged AS it FROM imports"), 30 - (done + 3) / 4);
		assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas WHERE kind = 'member'"), 30);
		assert_int_equal(registry_number(registry, "SELECT sum(roas_count) AS it FROM cas"), 60);
	}
}

static void
import_commands__takes_what_changed_between_its_passes(void **state)
{
	struct registry *registry = *state;
	const char *path = write_members(registry, 3), *id = start(registry, IMPORT_MEMBERS);
	registry_sql(registry, "UPDATE imports SET state = 'applying', entries_total = 12");
	int64_t quick = registry_member_id(registry, "quick", "AS1");
	int64_t m2 = registry_member_id(registry, "m2", "");
	assert_int_equal(ca_delete(&registry->context, &registry_admin, m2, NULL), FAULT_NONE);
	assert_int_equal(apply(registry, id, path), FAULT_NONE);
	assert_string_equal(registry_text(registry, COUNTS, id), "issuing 12/12 members 1 0 2 roas 2 0 7 warnings 0 cas 1");
	assert_string_equal(registry_text(registry, "SELECT group_concat(kind || ': ' || text, char(10)) AS it FROM "
		"import_remarks"
		" WHERE kind <> 'not-held'"),
		"member-refused: line 2: CA \"m1\" was not made: AS1: CA \"quick\" holds AS1\n"
		"member-differs: line 3: CA \"m2\" holds other resources than the file says; use PATCH");
	(void)quick;
}

static void
import_commands__bounds_remarks_and_roas(void **state)
{
	struct registry *registry = *state;
	const char *path = registry_path(registry, "upload");
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	fprintf(file, "ASN,Prefix,Max prefix length\n");
	for (int i = 0; i < IMPORT_REMARKS_MAX + 10; i++)
		fprintf(file, "%d,10.0.0.0/8,8\n", i);
	fclose(file);
	const char *id = run(registry, IMPORT_ROAS, path);
	assert_int_equal(registry_number(registry, "SELECT roas_not_held AS it FROM imports WHERE import_id = '%s'", id),
		IMPORT_REMARKS_MAX + 10);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM import_remarks"), IMPORT_REMARKS_MAX);
	assert_int_equal(registry_number(registry, "SELECT max(remark_id) AS it FROM import_remarks"), IMPORT_REMARKS_MAX);
	int64_t full = registry_member_id(registry, "full", "192.0.2.0/24");
	registry_sql(registry, "UPDATE cas SET changed_at = NULL, roas_count = %d WHERE ca_id = %" PRId64, ROAS_PER_CA_MAX - 1, full);
	id = run(registry, IMPORT_ROAS, write_file(registry,
		"ASN,Prefix,Max prefix length\n1,192.0.2.0/24,24\n2,192.0.2.0/24,24\n"));
	assert_string_equal(registry_text(registry, COUNTS, id), "issuing 2/2 members 0 0 0 roas 1 0 0 warnings 1 cas 1");
	assert_string_equal(registry_text(registry, REMARKS, id),
		"too-many: line 3: AS2 192.0.2.0/24 was not added: its member has 200000 ROAs already");
}

static enum fault_code
note_remark(void *argument, int64_t remark_id, const char *kind, const char *text, struct fault *fault)
{
	char *line = argument;
	(void)fault;
	(void)snprintf(line + strlen(line), 400 - strlen(line), "%" PRId64 " %s %s\n", remark_id, kind, text);
	return FAULT_NONE;
}

static enum fault_code
note_import(void *argument, const struct import_row *row, struct fault *fault)
{
	(void)fault;
	(void)snprintf(argument, 200, "%s %s %s %" PRId64 " of %" PRId64 " waiting %" PRId64 " of %" PRId64 " serial %" PRId64,
		row->kind,
		row->state, row->actor, row->entries_done, row->entries_total, row->cas_waiting, row->cas_to_issue, row->serial);
	return FAULT_NONE;
}

static void
expect_view(struct registry *registry, const char *id, const char *expected)
{
	char line[200] = "";
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	assert_int_equal(db_reader_acquire(registry->db, &connection, NULL), FAULT_NONE);
	assert_int_equal(import_view_get(connection, id, note_import, line, NULL), FAULT_NONE);
	assert_string_equal(line, expected);
}

/* As a command of another user left it. Whoever may read everything is nobody for a while, on this thread alone. */
static void
import_commands__a_file_of_another_user_ends_it(void **state)
{
	struct registry *registry = *state;
	const char *path = write_members(registry, 3), *id = start(registry, IMPORT_MEMBERS);
	assert_int_equal(chmod(path, 0), 0);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM imports"), 1);
	(void)setfsuid(65534);
	enum fault_code code = apply(registry, id, path);
	(void)setfsuid(geteuid());
	assert_int_equal(code, FAULT_FORBIDDEN);
	assert_string_equal(registry_text(registry, ERROR, id), "failed: its file belongs to another user than this server's: import it again");
	/* The next one isn't held up. */
	assert_int_equal(chmod(path, 0600), 0);
	(void)run(registry, IMPORT_MEMBERS, path);
}

static void
import_commands__ends_when_all_is_out(void **state)
{
	struct registry *registry = *state;
	const char *id = run(registry, IMPORT_MEMBERS, "tests/vectors/feeds/members.jsonl");
	expect_view(registry, id, "members issuing an operator 8 of 8 waiting 3 of 3 serial 0");
	assert_int_equal(import_finish(&registry->context, NULL), FAULT_NONE);
	expect_view(registry, id, "members issuing an operator 8 of 8 waiting 3 of 3 serial 0");
	/* Reconciled, one was set aside; a certificate is staged, then cut, then notified. */
	registry_sql(registry, "UPDATE cas SET set_aside_at = 1, set_aside_reason = 'x' WHERE handle = 'nothing';"
		"UPDATE cas SET changed_at = NULL WHERE handle <> 'nothing';"
		"INSERT INTO objects (repository_id, ca_id, key_id, kind, subject_ca_id, path, hash, size, not_before_at, "
		"not_after_at, modified_at)"
		" SELECT 1, 3, 1, 'cer', ca_id, 'x.cer', X'00', 1, 1, 2, 1 FROM cas WHERE handle = 'HOLDER-A'");
	assert_int_equal(import_finish(&registry->context, NULL), FAULT_NONE);
	expect_view(registry, id, "members issuing an operator 8 of 8 waiting 1 of 3 serial 0");
	registry_sql(registry, "UPDATE objects SET published_serial = 4; UPDATE repositories SET serial = 4, notified_serial = "
		"3");
	assert_int_equal(import_finish(&registry->context, NULL), FAULT_NONE);
	expect_view(registry, id, "members issuing an operator 8 of 8 waiting 1 of 3 serial 0");
	registry_sql(registry, "UPDATE repositories SET notified_serial = 4");
	clock_hand_set(&registry->clock, REGISTRY_NOW + 99);
	assert_int_equal(import_finish(&registry->context, NULL), FAULT_NONE);
	expect_view(registry, id, "members done an operator 8 of 8 waiting 1 of 3 serial 4");
	assert_int_equal(registry_number(registry, "SELECT finished_at AS it FROM imports"), REGISTRY_NOW + 99);
	char line[400] = "";
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	assert_int_equal(db_reader_acquire(registry->db, &connection, NULL), FAULT_NONE);
	assert_int_equal(import_view_remarks(connection, id, 1, PAGE_MAX, note_remark, line, NULL), FAULT_NONE);
	assert_string_equal(line, "2 set-aside 1 of its CAs were set aside and wait for an operator\n");
	assert_int_equal(import_view_get(connection, "none", note_import, line, NULL), FAULT_NOT_FOUND);
}

static void
import_commands__afrinic_whole(void **state)
{
	struct registry *registry = *state;
	const char *path = feed_file_real("delegated-afrinic-extended-20250720.txt.gz");
	if (path == NULL)
		return;
	const char *id = run(registry, IMPORT_STATS, path);
	assert_string_equal(registry_text(registry, COUNTS, id), "issuing 2748/2748 members 2748 0 0 roas 0 0 0 warnings 0 cas "
		"2748");
	path = feed_file_real("vrps-afrinic-20250720.json.gz");
	if (path == NULL)
		return;
	id = run(registry, IMPORT_ROAS, path);
	assert_string_equal(registry_text(registry, "SELECT roas_created || ' ' || roas_unchanged || ' ' || roas_not_held AS it "
		"FROM imports"
		" WHERE import_id = '%s'", id), "26326 0 0");
	id = run(registry, IMPORT_ROAS, path);
	assert_string_equal(registry_text(registry, "SELECT roas_created || ' ' || roas_unchanged || ' ' || roas_not_held AS it "
		"FROM imports"
		" WHERE import_id = '%s'", id), "0 26326 0");
	/* The registry's own grouping is the one of the statistics. */
	path = feed_file_real("members-afrinic.jsonl.gz");
	if (path == NULL)
		return;
	id = run(registry, IMPORT_MEMBERS, path);
	assert_string_equal(registry_text(registry, COUNTS, id),
		"done 29074/29074 members 0 2748 0 roas 0 26326 0 warnings 0 cas 0");
}

#define CASE(name) cmocka_unit_test_setup_teardown(import_commands__##name, setup, registry_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(import_commands__kinds_have_their_names),
		CASE(stats_make_members),
		CASE(a_second_run_changes_nothing),
		CASE(members_that_differ_are_left_alone),
		CASE(conflicts_with_others_end_it_before_it_begins),
		CASE(handles_of_the_engine_are_refused),
		CASE(nothing_is_applied_from_a_file_with_a_fault),
		CASE(roas_go_to_whom_holds_the_prefix),
		CASE(take_no_change_of_a_member_over),
		CASE(members_bring_their_roas),
		CASE(one_after_the_other),
		CASE(goes_on_after_a_stop),
		CASE(is_the_same_wherever_a_kill_came),
		CASE(takes_what_changed_between_its_passes),
		CASE(bounds_remarks_and_roas),
		CASE(a_file_of_another_user_ends_it),
		CASE(ends_when_all_is_out),
		CASE(afrinic_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
