#include "ca/commands/registry_roas.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ca/base/memory.h"
#include "db/stores/roa_store.h"

#define RETURNED_ROAS 16 /* so many of a member that holds nothing are looked at for who has its resources now */

/* One ROA, as its replacements are sought. */
struct search {
	struct registry_plan *plan;
	struct registry_roa *roa;
	struct resource_set remains;                    /* of its prefix */
	bool kept;                                      /* it is shown, so its replacements are too */
};

static void
search_clear(struct search *search)
{
	resource_set_clear(&search->remains);
}

static enum fault_code
read_payload(const struct roa_record *record, struct payload *ret_payload, struct fault *fault)
{
	*ret_payload = (struct payload){
		.asn = (uint32_t)record->asn,
		.prefix = { .family = (enum address_family)record->family, .length = (uint8_t)record->prefix_length },
		.max_length = (uint8_t)record->max_length,
	};
	if (record->address.length != family_bytes(ret_payload->prefix.family))
		return fault_set(fault, FAULT_DATABASE, "a ROA's address has %zu octets", record->address.length);
	memcpy(ret_payload->prefix.address.bytes, record->address.data, record->address.length);
	return FAULT_NONE;
}

static bool
touches(const struct address_ranges *ranges, const struct prefix *prefix)
{
	struct address first = prefix_first(prefix), last = prefix_last(prefix);
	for (size_t i = 0; i < ranges->count; i++)
		if (address_compare(&ranges->items[i].min, &last) <= 0 && address_compare(&first, &ranges->items[i].max) <= 0)
			return true;
	return false;
}

static enum fault_code
propose(struct search *search, const struct prefix *prefix, struct fault *fault)
{
	struct registry_plan *plan = search->plan;
	uint8_t max_length = search->roa->payload.max_length;
	if (!search->kept || search->roa->replacements == REGISTRY_REPLACEMENTS_MAX) {
		search->roa->more_replacements++;
		return FAULT_NONE;
	}
	TRY(memory_reserve(&plan->replacements, &plan->replacements_capacity, plan->replacements_count + 1,
		sizeof *plan->replacements, fault));
	plan->replacements[plan->replacements_count++] = (struct payload){
		.asn = search->roa->payload.asn,
		.prefix = *prefix,
		.max_length = max_length > prefix->length ? max_length : prefix->length,
	};
	search->roa->replacements++;
	return FAULT_NONE;
}

/* The largest prefixes of what remains: a prefix that is held, or else those of its two halves. As deep as an address has bits. */
static enum fault_code
split(struct search *search, const struct prefix *prefix, struct fault *fault)
{
	if (!touches(resource_set_addresses(&search->remains, prefix->family), prefix))
		return FAULT_NONE;
	if (resource_set_holds_prefix(&search->remains, prefix))
		return propose(search, prefix, fault);
	struct prefix half = *prefix;
	half.length++;
	TRY(split(search, &half, fault));
	half.address.bytes[prefix->length / 8] |= (uint8_t)(0x80 >> prefix->length % 8);
	return split(search, &half, fault);
}

static enum fault_code
find_remains(const struct registry_party *party, const struct prefix *prefix, struct resource_set *ret_remains, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) one = RESOURCE_SET_INIT;
	TRY(resource_set_add_prefix(&one, prefix, fault));
	return resource_set_intersection(&party->after, &one, ret_remains, fault);
}

static enum fault_code
keep(struct registry_plan *plan, const struct registry_roa *roa, struct fault *fault)
{
	TRY(memory_reserve(&plan->roas, &plan->roas_capacity, plan->roas_count + 1, sizeof *plan->roas, fault));
	plan->roas[plan->roas_count++] = *roa;
	return FAULT_NONE;
}

static enum fault_code
lose(struct registry_plan *plan, uint32_t party, const struct payload *payload, struct digest *digest, struct fault *fault)
{
	struct registry_roa roa = { .party = party, .payload = *payload, .first_replacement = plan->replacements_count };
	AUTO_CLEAR(struct search, search_clear) search = { .plan = plan, .roa = &roa, .remains = RESOURCE_SET_INIT };
	struct registry_counts *counts = &plan->counts;
	char text[PAYLOAD_TEXT + 32];
	int length = snprintf(text, sizeof text, "%" PRId64 " ", plan->parties[party].ca_id);
	payload_text(payload, text + length);
	TRY(digest_update(digest, text, strlen(text) + 1, fault));
	TRY(find_remains(&plan->parties[party], &payload->prefix, &search.remains, fault));
	roa.straddles = !resource_set_empty(&search.remains);
	int64_t others = counts->roas_lost - counts->roas_straddling;
	search.kept = (roa.straddles ? counts->roas_straddling : others) < REGISTRY_LIST_MAX;
	TRY(split(&search, &payload->prefix, fault));
	counts->roas_lost++;
	counts->roas_straddling += roa.straddles;
	return search.kept ? keep(plan, &roa, fault) : FAULT_NONE;
}

static enum fault_code
go_through(struct db_connection *connection, struct registry_plan *plan, uint32_t index, struct digest *digest, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	const struct registry_party *party = &plan->parties[index];
	TRY(roa_store_list(connection, party->ca_id, 0, &stmt, fault));
	for (;;) {
		struct roa_record record;
		struct payload payload;
		bool found;
		TRY(roa_store_next(stmt, &record, &found, fault));
		if (!found)
			return FAULT_NONE;
		TRY(read_payload(&record, &payload, fault));
		bool was = resource_set_holds_prefix(&party->before, &payload.prefix);
		bool will = resource_set_holds_prefix(&party->after, &payload.prefix);
		if (was && !will)
			TRY(lose(plan, index, &payload, digest, fault));
		plan->counts.roas_back += !was && will;
	}
}

/* The party to be made that would hold all of a prefix; NULL: none. */
static const struct registry_party *
find_new(const struct registry_plan *plan, const struct prefix *prefix)
{
	for (size_t i = (size_t)plan->counts.members; i < plan->parties_count; i++)
		if (resource_set_holds_prefix(&plan->parties[i].after, prefix))
			return &plan->parties[i];
	return NULL;
}

/*
 * One who holds nothing can't be told by resources, and by its alias only where ids stay. Whether who comes now is the same is for a
 * person to say: taken for another, it would get that one's ROAs and tokens.
 */
static enum fault_code
look_for_returned(struct db_connection *connection, struct registry_plan *plan, const struct registry_party *party, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(roa_store_list(connection, party->ca_id, 0, &stmt, fault));
	for (int count = 0; count < RETURNED_ROAS; count++) {
		struct roa_record record;
		struct payload payload;
		char text[PAYLOAD_TEXT];
		bool found;
		TRY(roa_store_next(stmt, &record, &found, fault));
		if (!found)
			return FAULT_NONE;
		TRY(read_payload(&record, &payload, fault));
		const struct registry_party *new_party = find_new(plan, &payload.prefix);
		payload_text(&payload, text);
		if (new_party != NULL)
			return registry_plan_remark(plan, fault, "CA \"%.80s\", which holds nothing, has a ROA for %s, of the new \"%.80s\": if "
				"that is the same holder, give \"%.20s\" its resources before (cadastre ca set)", party->handle, text,
				new_party->handle, party->handle);
	}
	return FAULT_NONE;
}

static enum fault_code
find_returned(struct db_connection *connection, struct registry_plan *plan, struct fault *fault)
{
	for (size_t i = 0; i < (size_t)plan->counts.members && plan->counts.changes[REGISTRY_NEW] > 0; i++) {
		const struct registry_party *party = &plan->parties[i];
		if (party->change == REGISTRY_SAME && party->roas_count > 0 && resource_set_empty(&party->after))
			TRY(look_for_returned(connection, plan, party, fault));
	}
	return FAULT_NONE;
}

enum fault_code
registry_roas_find(struct db_connection *connection, struct registry_plan *plan, struct digest *digest, struct fault *fault)
{
	for (size_t i = 0; i < (size_t)plan->counts.members; i++)
		if (plan->parties[i].change != REGISTRY_SAME && plan->parties[i].roas_count > 0)
			TRY(go_through(connection, plan, (uint32_t)i, digest, fault));
	return find_returned(connection, plan, fault);
}
