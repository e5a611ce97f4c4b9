#include "ca/commands/roa_commands.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ca/views/views.h"
#include "tests/unit/registry.h"

#define LIST "SELECT COALESCE(group_concat(asn || '-' || hex(address) || '-' || prefix_length || '-' || max_length, ' '), '') AS it FROM roas"
#define LAST_AUDIT "SELECT ca_handle || '|' || outcome || '|' || detail AS it FROM audit WHERE action = 'roas.change'" \
	" ORDER BY audit_id DESC LIMIT 1"
#define STATE "SELECT version || '|' || roas_version || '|' || roas_count || '|' || COALESCE(changed_at, 'idle') AS it FROM cas" \
	" WHERE handle = 'alpha'"

#define ENTRIES_MAX 8

/* A change told as text: each entry "64496 192.0.2.0/24 24" or "64496 192.0.2.0/24 24 comment", NULL at the end. */
struct change {
	struct roa_entry added[ENTRIES_MAX], removed[ENTRIES_MAX];
	struct roa_change change;
};

static size_t
read_entries(const char *const *texts, struct roa_entry *entries)
{
	size_t count = 0;
	for (; texts != NULL && texts[count] != NULL; count++) {
		char prefix[64];
		unsigned max_length;
		int comment_at = 0;
		struct roa_entry *entry = &entries[count];
		*entry = (struct roa_entry){ .index = count };
		assert_int_equal(sscanf(texts[count], "%" SCNu32 " %63s %u%n", &entry->payload.asn, prefix, &max_length,
			&comment_at), 3);
		assert_int_equal(prefix_parse(prefix, &entry->payload.prefix, NULL), FAULT_NONE);
		entry->payload.max_length = (uint8_t)max_length;
		if (texts[count][comment_at] == ' ')
			entry->comment = &texts[count][comment_at + 1];
	}
	return count;
}

#define TEXTS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void
prepare(struct change *change, const char *const *added, const char *const *removed)
{
	*change = (struct change){ .change = { .added = change->added, .removed = change->removed } };
	change->change.added_count = read_entries(added, change->added);
	change->change.removed_count = read_entries(removed, change->removed);
}

static enum fault_code
run_as(struct registry *registry, const struct actor *actor, int64_t ca_id, const struct roa_change *change, int64_t *ret_version)
{
	registry_forget(registry);
	return roas_change(&registry->context, actor, ca_id, change, NULL, NULL, &registry->complaints, ret_version,
		&registry->fault);
}

/* By the member itself. */
static enum fault_code
run(struct registry *registry, int64_t ca_id, const char *const *added, const char *const *removed)
{
	struct actor member = registry_member(ca_id);
	struct change change;
	int64_t version;
	prepare(&change, added, removed);
	return run_as(registry, &member, ca_id, &change.change, &version);
}

static int64_t
alpha(struct registry *registry)
{
	int64_t ca_id = registry_member_id(registry, "alpha", "AS64496 192.0.2.0/24 198.51.100.0-198.51.100.129 2001:db8::/32");
	registry_sql(registry, "UPDATE cas SET changed_at = NULL WHERE ca_id = %" PRId64, ca_id);
	return ca_id;
}

static void
roa_commands__add_and_remove(void **state)
{
	struct registry *registry = *state;
	int64_t id = alpha(registry);
	int wakes = registry->wakes;
	assert_int_equal(run(registry, id, TEXTS("64496 192.0.2.0/24 25 the office", "0 2001:db8::/32 128",
		"64496 198.51.100.128/31 31"),
		NULL), FAULT_NONE);
	assert_string_equal(registry_text(registry, LIST), "0-20010DB8000000000000000000000000-32-128"
		" 64496-C0000200-24-25 64496-C6336480-31-31");
	assert_string_equal(registry_text(registry, STATE), "2|1|3|1767225600");
	assert_string_equal(registry_text(registry, LAST_AUDIT), "alpha|done|3 added, 0 removed, 0 with a new comment; version 1:"
		" +AS64496 192.0.2.0/24-25 +AS0 2001:db8::/32-128 +AS64496 198.51.100.128/31");
	assert_int_equal(registry->wakes, wakes + 1);
	assert_int_equal(run(registry, id, TEXTS("64496 192.0.2.0/24 24"), TEXTS("64496 192.0.2.0/24 25", "0 2001:db8::/32 128")),
		FAULT_NONE);
	assert_string_equal(registry_text(registry, LIST), "64496-C0000200-24-24 64496-C6336480-31-31");
	assert_string_equal(registry_text(registry, STATE), "3|2|2|1767225600");
	assert_string_equal(registry_text(registry, LAST_AUDIT), "alpha|done|1 added, 2 removed, 0 with a new comment; version 2:"
		" +AS64496 192.0.2.0/24 -AS64496 192.0.2.0/24-25 -AS0 2001:db8::/32-128");
}

static void
roa_commands__complains_of_every_entry_and_keeps_none(void **state)
{
	struct registry *registry = *state;
	int64_t id = alpha(registry);
	assert_int_equal(run(registry, id, TEXTS("64496 192.0.2.0/24 24"), NULL), FAULT_NONE);
	assert_int_equal(run(registry, id,
		TEXTS("64496 192.0.2.0/24 24", "64500 203.0.113.0/24 24", "64500 192.0.2.0/25 25", "23456 192.0.2.0/25 25",
			"64500 192.0.2.0/25 25", "64500 198.51.100.0/24 24", "64500 192.0.2.0/23 24"),
		TEXTS("64496 192.0.2.0/24 25", "64501 192.0.2.0/24 24", "64501 192.0.2.0/24 24")), FAULT_INVALID);
	assert_string_equal(registry_complaints(registry),
		"added[0]: AS64496 192.0.2.0/24 is there already\n"
		"added[1].prefix: AS64500 203.0.113.0/24 is not within the resources of this CA\n"
		"added[3].asn: AS23456 192.0.2.0/25 has a reserved AS number that members may not add\n"
		"added[4]: AS64500 192.0.2.0/25 is in the list twice\n"
		"added[5].prefix: AS64500 198.51.100.0/24 is not within the resources of this CA\n"
		"added[6].prefix: AS64500 192.0.2.0/23-24 is not within the resources of this CA\n"
		"removed[0]: AS64496 192.0.2.0/24-25 is not there\n"
		"removed[1]: AS64501 192.0.2.0/24 is not there\n"
		"removed[2]: AS64501 192.0.2.0/24 is in the list twice\n");
	assert_string_equal(registry_text(registry, LIST), "64496-C0000200-24-24");
	assert_string_equal(registry_text(registry, STATE), "2|1|1|1767225600");
	assert_string_equal(registry_text(registry, LAST_AUDIT),
		"alpha|invalid|9 entries are faulty; added[0]: AS64496 192.0.2.0/24 is there already");
}

static void
roa_commands__complains_by_the_index_of_the_request(void **state)
{
	struct registry *registry = *state;
	struct change change;
	int64_t id = alpha(registry), version = -1;
	prepare(&change, TEXTS("64496 192.0.2.0/24 24", "64500 203.0.113.0/24 24"), NULL);
	change.added[1].index = 17; /* the parser dropped fifteen faulty ones before it */
	assert_int_equal(run_as(registry, &registry_admin, id, &change.change, &version), FAULT_INVALID);
	assert_int_equal(registry->complaints.items[0].index, 17);
	assert_int_equal(version, -1);
}

static void
roa_commands__reserved_asns_are_for_operators(void **state)
{
	struct registry *registry = *state;
	int64_t id = alpha(registry), version;
	struct change change;
	assert_int_equal(run(registry, id, TEXTS("65535 192.0.2.0/24 24"), NULL), FAULT_INVALID);
	prepare(&change, TEXTS("65535 192.0.2.0/24 24"), NULL);
	assert_int_equal(run_as(registry, &registry_operator, id, &change.change, &version), FAULT_NONE);
	/* A member may still remove it. */
	assert_int_equal(run(registry, id, NULL, TEXTS("65535 192.0.2.0/24 24")), FAULT_NONE);
}

static void
roa_commands__the_same_payload_in_both_lists_cancels_out(void **state)
{
	struct registry *registry = *state;
	int64_t id = alpha(registry);
	/* Not there, not even held: nothing happens and nobody complains. */
	assert_int_equal(run(registry, id, TEXTS("64496 203.0.113.0/24 24 x"), TEXTS("64496 203.0.113.0/24 24")), FAULT_NONE);
	assert_string_equal(registry_text(registry, LIST), "");
	assert_string_equal(registry_text(registry, STATE), "1|0|0|idle");
	assert_int_equal(run(registry, id, TEXTS("64496 192.0.2.0/24 24 first"), NULL), FAULT_NONE);
	registry_sql(registry, "UPDATE cas SET changed_at = NULL, import_id = 'x'");
	clock_hand_set(&registry->clock, REGISTRY_NOW + 60);
	assert_int_equal(run(registry, id, TEXTS("64496 192.0.2.0/24 24"), TEXTS("64496 192.0.2.0/24 24")), FAULT_NONE);
	assert_int_equal(run(registry, id, TEXTS("64496 192.0.2.0/24 24 first"), TEXTS("64496 192.0.2.0/24 24")), FAULT_NONE);
	assert_string_equal(registry_text(registry, STATE), "2|1|1|idle");
	/* A new comment: another list, the same objects, and the ROA is as old as it was. */
	assert_int_equal(run(registry, id, TEXTS("64496 192.0.2.0/24 24 second"), TEXTS("64496 192.0.2.0/24 24")), FAULT_NONE);
	assert_string_equal(registry_text(registry, STATE), "3|2|1|idle");
	assert_string_equal(registry_text(registry, "SELECT comment || '|' || created_at AS it FROM roas"), "second|1767225600");
	assert_string_equal(registry_text(registry, LAST_AUDIT), "alpha|done|0 added, 0 removed, 1 with a new comment; version "
		"2:");
}

static void
roa_commands__an_empty_change_changes_nothing(void **state)
{
	struct registry *registry = *state;
	int64_t id = alpha(registry);
	int64_t rows = registry_number(registry, "SELECT count(*) AS it FROM audit");
	assert_int_equal(run(registry, id, NULL, NULL), FAULT_NONE);
	assert_string_equal(registry_text(registry, STATE), "1|0|0|idle");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM audit"), rows);
}

static void
roa_commands__if_match_holds_the_version(void **state)
{
	struct registry *registry = *state;
	int64_t id = alpha(registry), version = -1;
	struct change change;
	prepare(&change, TEXTS("64496 192.0.2.0/24 24"), NULL);
	change.change.if_match = true;
	change.change.version = 1;
	assert_int_equal(run_as(registry, &registry_admin, id, &change.change, &version), FAULT_PRECONDITION);
	assert_string_equal(registry->fault.message, "the ROAs have version 0 now, not 1");
	assert_int_equal(version, -1);
	change.change.version = 0;
	assert_int_equal(run_as(registry, &registry_admin, id, &change.change, &version), FAULT_NONE);
	assert_int_equal(version, 1);
	assert_int_equal(run_as(registry, &registry_admin, id, &change.change, &version), FAULT_PRECONDITION);
}

struct preview {
	size_t roas;
	int64_t version;
	enum fault_code code;
};

static enum fault_code
count_roa(void *argument, const struct roa_row *row, struct fault *fault)
{
	size_t *count = argument;
	(void)fault;
	*count += row->status == ROA_PENDING;
	return FAULT_NONE;
}

static enum fault_code
look(void *argument, struct db_connection *connection, struct fault *fault)
{
	struct preview *preview = argument;
	int64_t ca_id;
	TRY(ca_view_find(connection, "alpha", &ca_id, fault));
	TRY(roa_view_list(connection, ca_id, count_roa, &preview->roas, &preview->version, fault));
	return preview->code == FAULT_NONE ? FAULT_NONE : fault_set(fault, preview->code, "no room");
}

static void
roa_commands__a_dry_run_shows_the_list_and_keeps_nothing(void **state)
{
	struct registry *registry = *state;
	int64_t id = alpha(registry), version = -1, rows = registry_number(registry, "SELECT count(*) AS it FROM audit");
	struct preview preview = { .version = -1 };
	struct change change;
	int wakes = registry->wakes;
	prepare(&change, TEXTS("64496 192.0.2.0/24 24", "64496 192.0.2.0/25 25"), NULL);
	change.change.dry_run = true;
	registry_forget(registry);
	assert_int_equal(roas_change(&registry->context, &registry_admin, id, &change.change, look, &preview,
		&registry->complaints, &version, &registry->fault), FAULT_NONE);
	assert_int_equal(registry->fault.code, FAULT_NONE);
	assert_int_equal(preview.roas, 2);
	assert_int_equal(preview.version, 1);
	assert_int_equal(version, 1);
	assert_string_equal(registry_text(registry, LIST), "");
	assert_string_equal(registry_text(registry, STATE), "1|0|0|idle");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM audit"), rows);
	assert_int_equal(registry->wakes, wakes);
	/* Without a preview; with one that fails; with a fault of the change's own. */
	assert_int_equal(run_as(registry, &registry_admin, id, &change.change, &version), FAULT_NONE);
	preview.code = FAULT_DISK;
	assert_int_equal(roas_change(&registry->context, &registry_admin, id, &change.change, look, &preview,
		&registry->complaints, &version, &registry->fault), FAULT_DISK);
	prepare(&change, TEXTS("64496 203.0.113.0/24 24"), NULL);
	change.change.dry_run = true;
	assert_int_equal(run_as(registry, &registry_admin, id, &change.change, &version), FAULT_INVALID);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM audit"), rows);
}

static void
roa_commands__refuses_cas_that_have_no_roas(void **state)
{
	struct registry *registry = *state;
	int64_t id = alpha(registry), version;
	struct change change;
	prepare(&change, TEXTS("64496 192.0.2.0/24 24"), NULL);
	assert_int_equal(run_as(registry, &registry_admin, 3, &change.change, &version), FAULT_CONFLICT);
	assert_int_equal(run_as(registry, &registry_admin, 99, &change.change, &version), FAULT_NOT_FOUND);
	struct actor other = registry_member(id + 1);
	assert_int_equal(run_as(registry, &other, id, &change.change, &version), FAULT_NOT_FOUND);
	assert_int_equal(ca_delete(&registry->context, &registry_admin, id, NULL), FAULT_NONE);
	assert_int_equal(run_as(registry, &registry_admin, id, &change.change, &version), FAULT_CONFLICT);
}

static void
roa_commands__refuses_bad_comments(void **state)
{
	struct registry *registry = *state;
	int64_t id = alpha(registry);
	char longest[64 + COMMENT_MAX + 2] = "64496 192.0.2.0/24 24 ";
	size_t start = strlen(longest);
	memset(longest + start, 'c', COMMENT_MAX + 1);
	assert_int_equal(run(registry, id, TEXTS(longest, "64496 192.0.2.0/25 25 two\nlines"), NULL), FAULT_INVALID);
	assert_string_equal(registry_complaints(registry), "added[0].comment: a comment has 200 bytes at most\n"
		"added[1].comment: a comment is one line without control characters\n");
	longest[start + COMMENT_MAX] = '\0';
	assert_int_equal(run(registry, id, TEXTS(longest, "64496 192.0.2.0/25 25 ünïcode"), NULL), FAULT_NONE);
}

static void
roa_commands__bounds_the_change_and_the_list(void **state)
{
	struct registry *registry = *state;
	int64_t id = alpha(registry), version;
	AUTO(struct roa_entry, free) entries = calloc(ROA_CHANGES_MAX + 1, sizeof *entries);
	for (uint32_t i = 0; i <= ROA_CHANGES_MAX; i++) {
		entries[i] = (struct roa_entry){ .index = i, .payload = { .asn = i, .prefix = { .family = FAMILY_IPV4,
			.length = 24,
			.address = { .bytes = { 192, 0, 2 } } }, .max_length = 24 } };
	}
	struct roa_change change = { .added = entries, .added_count = ROA_CHANGES_MAX, .removed = entries, .removed_count = 1 };
	assert_int_equal(run_as(registry, &registry_admin, id, &change, &version), FAULT_TOO_LARGE);
	assert_string_equal(registry->fault.message, "20001 entries in one change, of at most 20000");
	change.removed_count = 0;
	assert_int_equal(run_as(registry, &registry_admin, id, &change, &version), FAULT_NONE);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM roas"), ROA_CHANGES_MAX);
	/* The audit row names the first ones and stays short. */
	assert_string_equal(registry_text(registry, LAST_AUDIT),
		"alpha|done|20000 added, 0 removed, 0 with a new comment; version 1:"
		" +AS0 192.0.2.0/24 +AS1 192.0.2.0/24 +AS2 192.0.2.0/24 +AS3 192.0.2.0/24 …");
	registry_sql(registry, "UPDATE cas SET roas_count = %d WHERE ca_id = %" PRId64, ROAS_PER_CA_MAX, id);
	assert_int_equal(run(registry, id, TEXTS("64496 192.0.2.0/25 25"), NULL), FAULT_TOO_LARGE);
	assert_int_equal(run(registry, id, TEXTS("64496 192.0.2.0/25 25"), TEXTS("0 192.0.2.0/24 24")), FAULT_NONE);
}

static void
roa_commands__works_without_a_fault_to_fill(void **state)
{
	struct registry *registry = *state;
	int64_t id = alpha(registry), version;
	struct change change;
	prepare(&change, TEXTS("64496 203.0.113.0/24 24"), NULL);
	assert_int_equal(roas_change(&registry->context, &registry_admin, id, &change.change, NULL, NULL, &registry->complaints,
		&version, NULL), FAULT_INVALID);
}

#define CASE(name) cmocka_unit_test_setup_teardown(roa_commands__##name, registry_setup, registry_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(add_and_remove),
		CASE(complains_of_every_entry_and_keeps_none),
		CASE(complains_by_the_index_of_the_request),
		CASE(reserved_asns_are_for_operators),
		CASE(the_same_payload_in_both_lists_cancels_out),
		CASE(an_empty_change_changes_nothing),
		CASE(if_match_holds_the_version),
		CASE(a_dry_run_shows_the_list_and_keeps_nothing),
		CASE(refuses_cas_that_have_no_roas),
		CASE(refuses_bad_comments),
		CASE(bounds_the_change_and_the_list),
		CASE(works_without_a_fault_to_fill),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
