#include "ca/commands/transfer_effect.h"

#include <stdlib.h>

#include "ca/base/memory.h"
#include "ca/commands/intent.h"
#include "ca/resources/range_prefixes.h"
#include "db/stores/roa_store.h"

void
transfer_effect_clear(struct transfer_effect *effect)
{
	for (size_t i = 0; i < effect->roas_count; i++)
		free(effect->roas[i].comment);
	free(effect->roas);
	free(effect->replacements);
	*effect = TRANSFER_EFFECT_INIT;
}

/* The intents of the receiver, in order, for looking them up. */
struct wanted {
	struct payload *payloads;
	size_t count, capacity;
};

static void
wanted_clear(struct wanted *wanted)
{
	free(wanted->payloads);
}

struct search {
	struct db_connection *connection;
	const struct transfer_side *from, *to;
	const struct resource_set *resources;
	struct wanted wanted;
	struct transfer_effect effect;
};

static void
search_clear(struct search *search)
{
	wanted_clear(&search->wanted);
	transfer_effect_clear(&search->effect);
}

static enum fault_code
load_wanted(struct search *search, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	const struct transfer_side *to = search->to;
	struct wanted *wanted = &search->wanted;
	if (to->ca_id == 0)
		return FAULT_NONE;
	TRY(roa_store_intents(search->connection, to->ca_id, &stmt, fault));
	for (;;) {
		struct roa_record record;
		bool found;
		TRY(roa_store_next(stmt, &record, &found, fault));
		if (!found)
			return FAULT_NONE;
		TRY(memory_reserve(&wanted->payloads, &wanted->capacity, wanted->count + 1, sizeof *wanted->payloads, fault));
		struct payload *payload = &wanted->payloads[wanted->count++];
		TRY(intent_payload(&record, payload, fault));
		search->effect.gained += !resource_set_holds_prefix(&to->before, &payload->prefix) &&
			resource_set_holds_prefix(&to->after, &payload->prefix);
	}
}

static int
compare_payloads(const void *a, const void *b)
{
	return payload_compare(a, b);
}

static bool
is_wanted(const struct wanted *wanted, const struct payload *payload)
{
	return wanted->count > 0 &&
		bsearch(payload, wanted->payloads, wanted->count, sizeof *wanted->payloads, compare_payloads) != NULL;
}

struct proposal {
	struct transfer_effect *effect;
	const struct payload *payload;
};

/* What was authorised stays so: maxLength is kept where it can be, a longer prefix gets its own length. */
static enum fault_code
propose(void *argument, const struct prefix *prefix, struct fault *fault)
{
	const struct proposal *proposal = argument;
	struct transfer_effect *effect = proposal->effect;
	const struct payload *payload = proposal->payload;
	if (effect->replacements_count == TRANSFER_REPLACEMENTS_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "replacing the ROAs that are only partly in these resources takes more than %d "
			"others: make the transfer in parts", TRANSFER_REPLACEMENTS_MAX);
	TRY(memory_reserve(&effect->replacements, &effect->replacements_capacity, effect->replacements_count + 1,
		sizeof *effect->replacements, fault));
	effect->replacements[effect->replacements_count++] = (struct payload){
		.asn = payload->asn,
		.prefix = *prefix,
		.max_length = payload->max_length > prefix->length ? payload->max_length : prefix->length,
	};
	return FAULT_NONE;
}

/* Proposals for the part of a ROA's prefix that lies in a set. */
static enum fault_code
propose_within(struct transfer_effect *effect, const struct payload *payload, const struct resource_set *set, size_t *ret_first,
	size_t *ret_count, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) whole = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) part = RESOURCE_SET_INIT;
	struct proposal proposal = { .effect = effect, .payload = payload };
	enum address_family family = payload->prefix.family;
	TRY(resource_set_add_prefix(&whole, &payload->prefix, fault));
	TRY(resource_set_intersection(set, &whole, &part, fault));
	const struct address_ranges *ranges = resource_set_addresses(&part, family);
	size_t first = effect->replacements_count;
	for (size_t i = 0; i < ranges->count; i++)
		TRY(range_prefixes_each(family, &ranges->items[i], propose, &proposal, fault));
	*ret_first = first;
	*ret_count = effect->replacements_count - first;
	return FAULT_NONE;
}

static enum fault_code
add_roa(struct search *search, const struct payload *payload, const struct roa_record *record, struct fault *fault)
{
	struct transfer_effect *effect = &search->effect;
	struct transfer_roa roa = {
		.payload = *payload,
		.created_at = record->created_at,
		.straddles = !resource_set_holds_prefix(search->resources, &payload->prefix),
		.wanted = is_wanted(&search->wanted, payload),
	};
	TRY(memory_reserve(&effect->roas, &effect->roas_capacity, effect->roas_count + 1, sizeof *effect->roas, fault));
	if (roa.straddles) {
		TRY(propose_within(effect, payload, &search->from->after, &roa.first_remaining, &roa.remaining, fault));
		TRY(propose_within(effect, payload, search->resources, &roa.first_transferred, &roa.transferred, fault));
	}
	if (record->comment != NULL)
		TRY(memory_copy_string(record->comment, &roa.comment, fault));
	effect->roas[effect->roas_count++] = roa;
	effect->straddling += roa.straddles;
	effect->within += !roa.straddles;
	effect->wanted += roa.wanted;
	return FAULT_NONE;
}

static enum fault_code
find_roas(struct search *search, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	const struct transfer_side *from = search->from;
	if (from->ca_id == 0)
		return FAULT_NONE;
	TRY(roa_store_intents(search->connection, from->ca_id, &stmt, fault));
	for (;;) {
		struct roa_record record;
		struct payload payload;
		bool found;
		TRY(roa_store_next(stmt, &record, &found, fault));
		if (!found)
			return FAULT_NONE;
		TRY(intent_payload(&record, &payload, fault));
		/* What isn't held anyway, or still is afterwards, is not touched. */
		if (resource_set_holds_prefix(&from->before, &payload.prefix) &&
			!resource_set_holds_prefix(&from->after, &payload.prefix))
			TRY(add_roa(search, &payload, &record, fault));
	}
}

enum fault_code
transfer_effect_find(struct db_connection *connection, const struct transfer_side *from, const struct transfer_side *to,
	const struct resource_set *resources, struct transfer_effect *ret_effect, struct fault *fault)
{
	AUTO_CLEAR(struct search, search_clear) search = {
		.connection = connection, .from = from, .to = to, .resources = resources, .effect = TRANSFER_EFFECT_INIT,
	};
	TRY(load_wanted(&search, fault));
	TRY(find_roas(&search, fault));
	search.effect.known = true;
	transfer_effect_clear(ret_effect);
	*ret_effect = search.effect;
	search.effect = TRANSFER_EFFECT_INIT;
	return FAULT_NONE;
}
