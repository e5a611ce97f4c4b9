#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <inttypes.h>
#include <stdint.h>

#include <cmocka.h>

#include "ca/commands/repository_choice.h"
#include "tests/unit/registry.h"

#define LAST_REPOSITORY "SELECT rrdp_uri || ' ' || rsync_uri || ' ' || length(session) || ' ' || serial AS it FROM repositories " \
	"ORDER BY repository_id DESC LIMIT 1"

static void
repository_choice__foretells_by_places_or_by_intent(void **state)
{
	(void)state;
	struct repository_load empty = { .issuing = 0 };
	struct repository_load few = { .issuing = 3, .members = 10000, .payloads = 100, .roas = 100 };
	struct repository_load many = { .issuing = 3, .members = 15000, .payloads = 1000000, .roas = 150000 };
	assert_int_equal(repository_choice_size(&empty, 5000), INT64_C(100000000));
	/* Places that are free yet count like those that are taken. */
	assert_int_equal(repository_choice_size(&few, 5000), INT64_C(400000000));
	assert_int_equal(repository_choice_size(&many, 5000), INT64_C(595000000));
}

/* 100,000 members with ten ROAs each: no snapshot comes near to 10^9 bytes, at which FORT stops. */
static void
repository_choice__a_world_fits(void **state)
{
	(void)state;
	struct repository_load load = { .repository_id = 1, .issuing = 1 };
	int64_t repositories = 1, largest = 0;
	for (int64_t members = 0; members < 100000; members += 5000) {
		/* The issuing CA before is full. */
		if (members > 0 && repository_choice_size(&load, 5000) > COMMAND_PLACING.repository_size_max) {
			repositories++;
			load = (struct repository_load){ .repository_id = repositories };
		}
		load.issuing += members > 0;
		load.members += 5000;
		load.roas += 50000;
		load.payloads += 50000;
		int64_t size = repository_choice_size(&load, 0);
		largest = size > largest ? size : largest;
	}
	assert_int_equal(repositories, 4);
	assert_int_equal(largest, INT64_C(786750000));
}

static void
repository_choice__opens_where_the_last_would_get_too_large(void **state)
{
	struct registry *registry = *state;
	registry->context.placing = (struct command_placing){ .issuing_members_max = 2, .repository_size_max = 4 * REPOSITORY_PLACE_BYTES };
	int64_t first = registry_member_id(registry, "a", "AS64496");
	(void)registry_member_id(registry, "b", "");
	(void)registry_member_id(registry, "c", "");
	(void)registry_member_id(registry, "d", "");
	/* Two issuing CAs of two places each are within the limit. */
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM repositories"), 1);
	int64_t fifth = registry_member_id(registry, "e", "");
	assert_string_equal(registry_text(registry, LAST_REPOSITORY), "https://rrdp.example.net/rrdp/2/ rsync://rsync.example.net/repo/ 36 0");
	assert_int_equal(registry_number(registry, "SELECT repository_id AS it FROM cas WHERE ca_id = %" PRId64, fifth), 2);
	assert_int_equal(registry_number(registry, "SELECT p.repository_id AS it FROM cas m JOIN cas p ON p.ca_id = m.parent_id"
		" WHERE m.ca_id = %" PRId64, fifth), 2);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM audit WHERE action = 'repository.create'"
		" AND detail LIKE 'repository 2: %%'"), 1);
	/* A place that became free in the first is taken once the newest is full; who is somewhere stays, however much it grows. */
	registry_sql(registry, "UPDATE cas SET state = 'deleted' WHERE handle = 'b'");
	int64_t sixth = registry_member_id(registry, "f", "");
	assert_int_equal(registry_number(registry, "SELECT repository_id AS it FROM cas WHERE ca_id = %" PRId64, sixth), 2);
	int64_t seventh = registry_member_id(registry, "f7", "");
	assert_int_equal(registry_number(registry, "SELECT repository_id AS it FROM cas WHERE ca_id = %" PRId64, seventh), 1);
	registry_sql(registry, "UPDATE cas SET roas_count = 1000000 WHERE ca_id = %" PRId64, first);
	(void)registry_member_id(registry, "g", "");
	assert_int_equal(registry_number(registry, "SELECT repository_id AS it FROM cas WHERE ca_id = %" PRId64, first), 1);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas m JOIN cas p ON p.ca_id = m.parent_id"
		" WHERE m.kind = 'member' AND m.repository_id <> p.repository_id"), 0);
}

/* What members want counts, also where fewer places are taken than there are. */
static void
repository_choice__opens_for_many_roas(void **state)
{
	struct registry *registry = *state;
	registry->context.placing = (struct command_placing){
		.issuing_members_max = 1, .repository_size_max = 600000, .member_roas_max = 100,
	};
	int64_t first = registry_member_id(registry, "a", "");
	registry_sql(registry, "UPDATE cas SET roas_count = 400 WHERE ca_id = %" PRId64, first);
	/* One object per origin AS beyond 100; or an object each, where more may be apart. */
	(void)registry_member_id(registry, "alone", "");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM repositories"), 1);
	registry->context.placing.member_roas_max = 400;
	(void)registry_member_id(registry, "b", "");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM repositories"), 2);
	/* One issuing CA each repository takes, whatever the limit is. */
	registry->context.placing.repository_size_max = 1;
	(void)registry_member_id(registry, "c", "");
	(void)registry_member_id(registry, "d", "");
	assert_int_equal(registry_number(registry, "SELECT max(repository_id) AS it FROM cas"), 4);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM repositories"), 4);
}

/* The snapshot that validators get has so many bytes; a later one isn't there yet. */
static void
publish(struct registry *registry, int repository_id, int64_t size)
{
	registry_sql(registry, "INSERT INTO cuts (repository_id, serial, cut_at, random, snapshot_size) VALUES (%d, 5, 1, '', %" PRId64 "),"
		" (%d, 6, 2, '', NULL) ON CONFLICT DO UPDATE SET snapshot_size = excluded.snapshot_size", repository_id, size, repository_id);
	registry_sql(registry, "UPDATE repositories SET serial = 6, notified_serial = 5 WHERE repository_id = %d", repository_id);
}

static int64_t
repository_of_next(struct registry *registry, const char *handle)
{
	return registry_number(registry, "SELECT repository_id AS it FROM cas WHERE ca_id = %" PRId64, registry_member_id(registry, handle, ""));
}

/* ROAs came later than was foretold: whoever is new goes elsewhere, although there are free places. */
static void
repository_choice__takes_nobody_where_the_snapshot_is_too_large(void **state)
{
	struct registry *registry = *state;
	const int64_t size_max = registry->context.placing.repository_size_max;
	assert_int_equal(repository_of_next(registry, "a"), 1);
	publish(registry, 1, size_max);
	assert_int_equal(repository_of_next(registry, "b"), 1);
	publish(registry, 1, size_max + 1);
	assert_int_equal(repository_of_next(registry, "c"), 2);
	assert_int_equal(repository_of_next(registry, "d"), 2);
	/* The next one too, before it has a hundredth of its members. */
	publish(registry, 2, size_max + 1);
	assert_int_equal(repository_of_next(registry, "e"), 3);
	assert_int_equal(repository_of_next(registry, "f"), 3);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas WHERE kind = 'issuing'"), 3);
	publish(registry, 1, size_max);
	publish(registry, 3, size_max + 1);
	assert_int_equal(repository_of_next(registry, "g"), 1);
	/* The last that there may be takes all. */
	registry_sql(registry, "INSERT INTO repositories (repository_id, rrdp_uri, rsync_uri, session)"
		" SELECT %d, 'h', rsync_uri, 's' FROM repositories WHERE repository_id = 1; "
		"UPDATE cas SET repository_id = %d WHERE repository_id = 3", REPOSITORIES_MAX, REPOSITORIES_MAX);
	publish(registry, 1, size_max + 1);
	publish(registry, REPOSITORIES_MAX, size_max + 1);
	assert_int_equal(repository_of_next(registry, "h"), REPOSITORIES_MAX);
	registry->context.placing.issuing_members_max = 1;
	assert_int_equal(repository_of_next(registry, "i"), REPOSITORIES_MAX);
	assert_int_equal(repository_of_next(registry, "j"), REPOSITORIES_MAX);
}

/* A setting that is raised makes places, not room in the snapshot: also where thousands come before it is published again. */
static void
repository_choice__more_places_at_each_are_no_more_in_all(void **state)
{
	struct registry *registry = *state;
	static const char *const handles[] = { "a", "b", "c", "d", "e", "f" };
	registry->context.placing = (struct command_placing){ .issuing_members_max = 2, .repository_size_max = 6 * REPOSITORY_PLACE_BYTES };
	for (size_t i = 0; i < sizeof handles / sizeof *handles; i++)
		assert_int_equal(repository_of_next(registry, handles[i]), 1);
	registry->context.placing.issuing_members_max = 10;
	assert_int_equal(repository_of_next(registry, "g"), 2);
	assert_int_equal(repository_of_next(registry, "h"), 2);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas WHERE kind = 'issuing'"), 4);
	assert_int_equal(repository_of_next(registry, "i"), 2);
}

static void
repository_choice__a_refused_member_opens_none(void **state)
{
	struct registry *registry = *state;
	registry->context.placing = (struct command_placing){ .issuing_members_max = 1, .repository_size_max = 1 };
	(void)registry_member_id(registry, "a", "AS64496");
	AUTO_CLEAR(struct resource_set, resource_set_clear) taken = registry_resources("AS64496");
	int64_t ca_id;
	registry_forget(registry);
	assert_int_not_equal(ca_create(&registry->context, &registry_admin, "b", &taken, &registry->complaints, &ca_id, &registry->fault),
		FAULT_NONE);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM repositories"), 1);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas WHERE kind = 'issuing'"), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(repository_choice__##name, registry_setup, registry_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(foretells_by_places_or_by_intent),
		CASE(a_world_fits),
		CASE(opens_where_the_last_would_get_too_large),
		CASE(opens_for_many_roas),
		CASE(takes_nobody_where_the_snapshot_is_too_large),
		CASE(more_places_at_each_are_no_more_in_all),
		CASE(a_refused_member_opens_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
