#include "api/handlers/registry_json.h"

struct registry_limits
registry_json_limits(const struct config *config)
{
	return (struct registry_limits){
		.registry = config->registry,
		.changes_free = config->feed_changes_free,
		.changes_share_max = config->feed_changes_share_max,
		.members_max = config->feed_members_max,
		.shrink_ipv4_max = config->feed_shrink_ipv4_max,
		.shrink_ipv6_max = config->feed_shrink_ipv6_max,
		.shrink_asns_max = config->feed_shrink_asns_max,
	};
}

static void
write_counts(struct json_writer *writer, const struct registry_counts *counts)
{
	const struct {
		const char *name;
		int64_t number;
	} numbers[] = {
		{ "holders", counts->holders }, { "members", counts->members },
		{ "aliases", counts->aliases }, { "entries", counts->entries }, { "entries_gained", counts->entries_gained },
		{ "entries_lost", counts->entries_lost }, { "moves", counts->moves }, { "roas_lost", counts->roas_lost },
		{ "roas_straddling", counts->roas_straddling }, { "roas_back", counts->roas_back }, { "remarks", counts->remarks },
	};
	json_writer_object(writer, "counts");
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		json_writer_number(writer, numbers[i].name, numbers[i].number);
	for (int change = 0; change < REGISTRY_CHANGES; change++)
		json_writer_number(writer, registry_change_text((enum registry_change)change), counts->changes[change]);
	json_writer_end(writer);
}

static void
write_sizes(struct json_writer *writer, const char *name, const uint64_t sizes[REGISTRY_KINDS])
{
	static const char *const names[REGISTRY_KINDS] = {
		[REGISTRY_ASNS] = "asns", [REGISTRY_IPV4] = "ipv4_addresses", [REGISTRY_IPV6] = "ipv6_64s",
	};
	json_writer_object(writer, name);
	for (size_t kind = 0; kind < REGISTRY_KINDS; kind++)
		json_writer_number(writer, names[kind], sizes[kind] > INT64_MAX ? INT64_MAX : (int64_t)sizes[kind]);
	json_writer_end(writer);
}

static enum fault_code
write_range(void *argument, const struct resource_range *range, size_t index, struct fault *fault)
{
	struct {
		struct json_writer *writer;
		size_t count;
	} *list = argument;
	char text[RANGE_TEXT];
	(void)index;
	(void)fault;
	if (list->count++ >= REGISTRY_JSON_RANGES_MAX)
		return FAULT_NONE;
	resource_range_text(range, text);
	json_writer_text(list->writer, NULL, text);
	return FAULT_NONE;
}

static enum fault_code
write_ranges(struct json_writer *writer, const char *name, const char *more_name, const struct resource_set *set, struct fault *fault)
{
	struct {
		struct json_writer *writer;
		size_t count;
	} list = { .writer = writer };
	json_writer_array(writer, name);
	TRY(resource_range_each(set, write_range, &list, fault));
	json_writer_end(writer);
	json_writer_number(writer, more_name,
		list.count > REGISTRY_JSON_RANGES_MAX ? (int64_t)(list.count - REGISTRY_JSON_RANGES_MAX) : 0);
	return FAULT_NONE;
}

static enum fault_code
write_member(struct json_writer *writer, const struct registry_party *party, struct fault *fault)
{
	json_writer_object(writer, NULL);
	json_writer_text(writer, "handle", party->handle);
	json_writer_text(writer, "change", registry_change_text(party->change));
	if (party->line != 0)
		json_writer_number(writer, "line", party->line);
	else
		json_writer_text(writer, "line", NULL);
	TRY(write_ranges(writer, "gained", "more_gained", &party->gained, fault));
	TRY(write_ranges(writer, "lost", "more_lost", &party->lost, fault));
	json_writer_end(writer);
	return json_writer_check(writer, fault);
}

static enum fault_code
write_members(struct json_writer *writer, const struct registry_plan *plan, int64_t limit, struct fault *fault)
{
	json_writer_array(writer, "members");
	for (size_t i = 0; i < plan->parties_count && limit > 0; i++) {
		if (plan->parties[i].change == REGISTRY_SAME)
			continue;
		TRY(write_member(writer, &plan->parties[i], fault));
		limit--;
	}
	json_writer_end(writer);
	return json_writer_check(writer, fault);
}

static void
write_moves(struct json_writer *writer, const struct registry_plan *plan, int64_t limit)
{
	json_writer_array(writer, "moves");
	for (size_t i = 0; i < plan->moves_count && (int64_t)i < limit; i++) {
		const struct registry_move *move = &plan->moves[i];
		char text[RANGE_TEXT];
		resource_range_text(&move->range, text);
		json_writer_object(writer, NULL);
		json_writer_text(writer, "resources", text);
		json_writer_text(writer, "from", plan->parties[move->from].handle);
		json_writer_text(writer, "to", plan->parties[move->to].handle);
		json_writer_end(writer);
	}
	json_writer_end(writer);
}

static void
write_payload(struct json_writer *writer, const struct payload *payload)
{
	char text[PREFIX_TEXT];
	prefix_text(&payload->prefix, text);
	json_writer_number(writer, "asn", payload->asn);
	json_writer_text(writer, "prefix", text);
	json_writer_number(writer, "max_length", payload->max_length);
}

static void
write_roa(struct json_writer *writer, const struct registry_plan *plan, const struct registry_roa *roa)
{
	json_writer_object(writer, NULL);
	json_writer_text(writer, "ca", plan->parties[roa->party].handle);
	write_payload(writer, &roa->payload);
	json_writer_truth(writer, "straddles", roa->straddles);
	json_writer_array(writer, "replacements");
	for (size_t i = 0; i < roa->replacements; i++) {
		json_writer_object(writer, NULL);
		write_payload(writer, &plan->replacements[roa->first_replacement + i]);
		json_writer_end(writer);
	}
	json_writer_end(writer);
	json_writer_number(writer, "more_replacements", (int64_t)roa->more_replacements);
	json_writer_end(writer);
}

/* Those that straddle come first: they ask for something to be done. */
static int64_t
write_roas(struct json_writer *writer, const struct registry_plan *plan, int64_t limit)
{
	int64_t written = 0;
	json_writer_array(writer, "roas");
	for (int straddles = 1; straddles >= 0; straddles--)
		for (size_t i = 0; i < plan->roas_count && written < limit; i++)
			if (plan->roas[i].straddles == (straddles != 0)) {
				write_roa(writer, plan, &plan->roas[i]);
				written++;
			}
	json_writer_end(writer);
	return written;
}

static void
write_remarks(struct json_writer *writer, const struct registry_plan *plan, int64_t limit)
{
	json_writer_array(writer, "remarks");
	for (size_t i = 0; i < plan->remarks_count && (int64_t)i < limit; i++)
		json_writer_text(writer, NULL, plan->remarks[i]);
	json_writer_end(writer);
}

static int64_t
beyond(int64_t count, int64_t limit)
{
	return count > limit ? count - limit : 0;
}

enum fault_code
registry_json_write(struct json_writer *writer, const struct registry_plan *plan, int64_t feed_id, int64_t limit, struct fault *fault)
{
	const struct registry_counts *counts = &plan->counts;
	json_writer_object(writer, NULL);
	if (feed_id != 0)
		json_writer_number(writer, "feed", feed_id);
	else
		json_writer_text(writer, "feed", NULL);
	json_writer_text(writer, "registry", plan->feed.registry[0] != '\0' ? plan->feed.registry : NULL);
	json_writer_text(writer, "code", plan->code);
	json_writer_text(writer, "over_limits", plan->over_limits.length > 0 ? bytes_text(&plan->over_limits) : NULL);
	write_counts(writer, counts);
	write_sizes(writer, "held", plan->held);
	write_sizes(writer, "vanishing", plan->vanishing);
	TRY(write_members(writer, plan, limit, fault));
	write_moves(writer, plan, limit);
	int64_t roas = write_roas(writer, plan, limit);
	write_remarks(writer, plan, limit);
	json_writer_object(writer, "left_off");
	json_writer_number(writer, "members", beyond((int64_t)plan->parties_count - counts->changes[REGISTRY_SAME], limit));
	json_writer_number(writer, "moves", beyond(counts->moves, limit));
	json_writer_number(writer, "roas", counts->roas_lost - roas);
	json_writer_number(writer, "remarks", beyond(counts->remarks, limit));
	json_writer_end(writer);
	json_writer_end(writer);
	return json_writer_check(writer, fault);
}
