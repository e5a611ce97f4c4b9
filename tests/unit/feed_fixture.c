#include "tests/unit/feed_fixture.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ca/commands/roa_commands.h"
#include "db/stores/registry_store.h"
#include "tests/unit/feed_file.h"

const struct registry_limits feed_fixture_no_limits = {
	.registry = "", .changes_free = 1000000, .members_max = 1000000, .shrink_ipv4_max = 100, .shrink_ipv6_max = 100,
	.shrink_asns_max = 100,
};

static void
print_family(FILE *file, const char *name, char *resources, bool (*belongs)(const char *item))
{
	bool first = true;
	fprintf(file, ",\"%s\":[", name);
	for (char *item; resources != NULL && (item = strsep(&resources, " ")) != NULL;) {
		if (*item == '\0' || !belongs(item))
			continue;
		fprintf(file, "%s\"%s\"", first ? "" : ",", item);
		first = false;
	}
	fprintf(file, "]");
}

static bool
is_asn(const char *item)
{
	return strncmp(item, "AS", 2) == 0;
}

static bool
is_ipv6(const char *item)
{
	return strchr(item, ':') != NULL;
}

static bool
is_ipv4(const char *item)
{
	return !is_asn(item) && !is_ipv6(item);
}

static void
print_holder(FILE *file, char *item)
{
	static const struct {
		const char *name;
		bool (*belongs)(const char *item);
	} families[] = { { "asn", is_asn }, { "ipv4", is_ipv4 }, { "ipv6", is_ipv6 } };
	char *resources = item + strspn(item, " ");
	const char *id = strsep(&resources, ":");
	fprintf(file, "{\"id\":\"%s\",\"roas\":[]", id);
	for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
		AUTO(char, free) copy = resources != NULL ? strdup(resources) : NULL;
		print_family(file, families[i].name, copy, families[i].belongs);
	}
	fprintf(file, "}\n");
}

const char *
feed_fixture_write(struct registry *registry, const char *holders)
{
	const char *path = registry_path(registry, "feed");
	AUTO(char, free) copy = strdup(holders);
	char *rest = copy;
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	for (char *item; (item = strsep(&rest, ";")) != NULL;)
		print_holder(file, item);
	assert_int_equal(fclose(file), 0);
	return path;
}

void
feed_fixture_roa(struct registry *registry, int64_t ca_id, uint32_t asn, const char *prefix, int max_length)
{
	struct roa_entry entry = { .payload = { .asn = asn, .max_length = (uint8_t)max_length } };
	struct roa_change change = { .added = &entry, .added_count = 1 };
	int64_t version;
	registry_forget(registry);
	assert_int_equal(prefix_parse(prefix, &entry.payload.prefix, NULL), FAULT_NONE);
	if (roas_change(&registry->context, &registry_admin, ca_id, &change, NULL, NULL, &registry->complaints, &version,
		&registry->fault) != FAULT_NONE)
		fail_msg("%s", registry->fault.message);
}

struct printing {
	char *text;
	size_t room;
	char sign;
};

static void add(struct printing *printing, const char *format, ...) PRINTF_LIKE(2, 3);

static void
add(struct printing *printing, const char *format, ...)
{
	size_t length = strlen(printing->text);
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(printing->text + length, printing->room - length, format, arguments);
	va_end(arguments);
}

static enum fault_code
add_range(void *argument, const struct resource_range *range, size_t index, struct fault *fault)
{
	struct printing *printing = argument;
	char text[RANGE_TEXT];
	(void)index;
	(void)fault;
	resource_range_text(range, text);
	add(printing, " %c%s", printing->sign, text);
	return FAULT_NONE;
}

static void
add_parties(struct printing *printing, const struct registry_plan *plan)
{
	for (size_t i = 0; i < plan->parties_count; i++) {
		const struct registry_party *party = &plan->parties[i];
		if (party->change == REGISTRY_SAME)
			continue;
		add(printing, "%s %s", party->handle, registry_change_text(party->change));
		printing->sign = '+';
		assert_int_equal(resource_range_each(&party->gained, add_range, printing, NULL), FAULT_NONE);
		printing->sign = '-';
		assert_int_equal(resource_range_each(&party->lost, add_range, printing, NULL), FAULT_NONE);
		add(printing, "\n");
	}
}

static void
add_roas(struct printing *printing, const struct registry_plan *plan)
{
	for (size_t i = 0; i < plan->roas_count; i++) {
		const struct registry_roa *roa = &plan->roas[i];
		char text[PAYLOAD_TEXT];
		payload_text(&roa->payload, text);
		add(printing, "%s: %s", plan->parties[roa->party].handle, text);
		assert_true(roa->straddles == (roa->replacements > 0));
		for (size_t j = 0; j < roa->replacements; j++) {
			payload_text(&plan->replacements[roa->first_replacement + j], text);
			add(printing, " > %s", text);
		}
		if (roa->more_replacements > 0)
			add(printing, " and %zu more", roa->more_replacements);
		add(printing, "\n");
	}
}

const char *
feed_fixture_print(const struct registry_plan *plan)
{
	static char buffer[65536];
	struct printing printing = { .text = buffer, .room = sizeof buffer };
	buffer[0] = '\0';
	add_parties(&printing, plan);
	for (size_t i = 0; i < plan->moves_count; i++) {
		char text[RANGE_TEXT];
		resource_range_text(&plan->moves[i].range, text);
		add(&printing, "%s %s>%s\n", text, plan->parties[plan->moves[i].from].handle, plan->parties[plan->moves[i].to].handle);
	}
	add_roas(&printing, plan);
	for (size_t i = 0; i < plan->remarks_count; i++)
		add(&printing, "# %s\n", plan->remarks[i]);
	return buffer;
}

const char *
feed_fixture_plan(struct registry *registry, const char *holders)
{
	AUTO(struct registry_plan, registry_plan_free) plan = NULL;
	const char *path = feed_fixture_write(registry, holders);
	registry_forget(registry);
	if (registry_plan(&registry->context, &registry_operator, path, &feed_fixture_no_limits, &plan, &registry->fault) != FAULT_NONE)
		return registry->fault.message;
	return feed_fixture_print(plan);
}

enum fault_code
feed_fixture_apply(struct registry *registry, const char *holders, const struct registry_limits *limits, const char *accept)
{
	AUTO(struct registry_plan, registry_plan_free) plan = NULL;
	const char *path = feed_fixture_write(registry, holders);
	int64_t feed_id;
	registry_forget(registry);
	return registry_apply(&registry->context, &registry_operator, path, limits, accept, &plan, &feed_id, &registry->fault);
}

void
feed_fixture_follow(struct registry *registry, const char *holders)
{
	if (feed_fixture_apply(registry, holders, &feed_fixture_no_limits, NULL) != FAULT_NONE)
		fail_msg("%s: %s", holders, registry->fault.message);
	feed_fixture_check_holdings(registry);
	assert_string_equal(feed_fixture_plan(registry, holders), "");
}

static enum fault_code
find_row(void *argument, const struct resource_range *range, size_t index, struct fault *fault)
{
	struct {
		struct registry *registry;
		int64_t ca_id, found;
	} *search = argument;
	char min[33] = "", max[33] = "";
	(void)index;
	(void)fault;
	for (size_t i = 0; i < resource_range_octets(range->kind); i++) {
		(void)snprintf(min + 2 * i, 3, "%02X", range->min.bytes[i]);
		(void)snprintf(max + 2 * i, 3, "%02X", range->max.bytes[i]);
	}
	search->found += registry_number(search->registry, "SELECT count(*) AS it FROM holdings WHERE ca_id = %" PRId64
		" AND family = %d AND min = X'%s' AND max = X'%s'", search->ca_id, (int)range->kind, min, max);
	return FAULT_NONE;
}

void
feed_fixture_check_holdings(struct registry *registry)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	int64_t all = 0;
	assert_int_equal(db_reader_acquire(registry->db, &connection, NULL), FAULT_NONE);
	assert_int_equal(registry_store_members(connection, &stmt, NULL), FAULT_NONE);
	for (;;) {
		AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
		struct registry_member_record record;
		bool found;
		assert_int_equal(registry_store_next_member(stmt, &record, &found, NULL), FAULT_NONE);
		if (!found)
			break;
		struct {
			struct registry *registry;
			int64_t ca_id, found;
		} search = { .registry = registry, .ca_id = record.ca_id };
		assert_int_equal(resource_set_decode(record.resources, &set, NULL), FAULT_NONE);
		assert_int_equal(resource_range_each(&set, find_row, &search, NULL), FAULT_NONE);
		assert_int_equal(search.found, resource_set_ranges(&set));
		all += search.found;
	}
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM holdings"), all);
}
