#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after what it needs */
#include <cmocka.h>

#include "tests/support/members.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/commands/ca_commands.h"
#include "ca/commands/hold_commands.h"
#include "ca/commands/roa_commands.h"
#include "ca/commands/roll_commands.h"
#include "ca/commands/transfer_commands.h"

#define BLOCKS(members) ((members)->count * MEMBERS_BLOCKS)
#define NOBODY (-1)
#define HANDLE_ROOM 40
#define SETTLE_S 180                     /* of a batch window or two */
#define TRIES 50                         /* to draw something that fits */

uint64_t
members_random(struct members *members, uint64_t n)
{
	members->random = timing_mix(members->random, n);
	return members->random % n;
}

/* One block in 16 is IPv6. */
static struct prefix
block_prefix(size_t block)
{
	struct prefix prefix = { .family = FAMILY_IPV4, .length = 20 };
	size_t place = block / MEMBERS_BLOCKS, number = block % MEMBERS_BLOCKS;
	if (number + 1 < MEMBERS_BLOCKS) {
		prefix.address.bytes[0] = 10;
		prefix.address.bytes[1] = (uint8_t)place;
		prefix.address.bytes[2] = (uint8_t)(number << 4);
		return prefix;
	}
	prefix.family = FAMILY_IPV6;
	prefix.length = 48;
	prefix.address.bytes[0] = 0x20;
	prefix.address.bytes[1] = 0x01;
	prefix.address.bytes[2] = 0x0d;
	prefix.address.bytes[3] = 0xb8;
	prefix.address.bytes[5] = (uint8_t)place;
	return prefix;
}

static struct payload
block_payload(size_t block, size_t origin)
{
	struct payload payload = { .asn = (uint32_t)(64496 + 7 * origin + block % 3), .prefix = block_prefix(block) };
	payload.max_length = (uint8_t)(payload.prefix.length + block % 4);
	return payload;
}

static int
compare_payloads(const void *a, const void *b)
{
	return payload_compare(a, b);
}

static int
compare_to_watched(const void *payload, const void *watched)
{
	return payload_compare(payload, &((const struct watched_payload *)watched)->payload);
}

static void
resources_of(const struct members *members, size_t place, struct resource_set *set)
{
	for (size_t block = 0; block < BLOCKS(members); block++) {
		struct prefix prefix = block_prefix(block);
		if (members->holders[block] == (int)place)
			WORLD_OK(resource_set_add_prefix(set, &prefix, fault));
	}
	WORLD_OK(resource_set_add_asns(set, 64496 + (uint32_t)place * 10, 64496 + (uint32_t)place * 10, fault));
	WORLD_OK(resource_set_normalise(set, fault));
}

static void
tell_resources(struct members *members, size_t place)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct complaints, complaints_clear) complaints = COMPLAINTS_INIT;
	resources_of(members, place, &set);
	WORLD_OK(ca_set_resources(&members->life->world.context, &world_actor, members->places[place].ca_id, &set, &complaints, fault));
}

static enum fault_code
change_roa(struct members *members, size_t place, size_t block, size_t origin, bool add, struct fault *fault)
{
	AUTO_CLEAR(struct complaints, complaints_clear) complaints = COMPLAINTS_INIT;
	struct roa_entry entry = { .payload = block_payload(block, origin) };
	struct roa_change change = { .added = &entry, .removed = &entry, .added_count = add, .removed_count = !add };
	int64_t version;
	return roas_change(&members->life->world.context, &world_actor, members->places[place].ca_id, &change, NULL, NULL, &complaints,
		&version, fault);
}

static void
handle_of(const struct members *members, size_t place, char handle[HANDLE_ROOM])
{
	(void)snprintf(handle, HANDLE_ROOM, "member-%zu-%d", place, members->places[place].generation);
}

static void
arrive(struct members *members, size_t place)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct complaints, complaints_clear) complaints = COMPLAINTS_INIT;
	struct member *member = &members->places[place];
	char handle[HANDLE_ROOM];
	handle_of(members, place, handle);
	resources_of(members, place, &set);
	memset(member->wants, 0, sizeof member->wants);
	WORLD_OK(ca_create(&members->life->world.context, &world_actor, handle, &set, &complaints, &member->ca_id, fault));
}

/* A place with somebody in it. */
static size_t
draw_place(struct members *members)
{
	for (int i = 0; i < TRIES; i++) {
		size_t place = members_random(members, members->count);
		if (members->places[place].ca_id != 0)
			return place;
	}
	fail_msg("all members left");
	return 0;
}

static bool
at_work(const struct members *members, size_t place)
{
	return !members->places[place].held && !members->places[place].suspended;
}

/* A block that this place holds (NOBODY: that is free). False: none was found. */
static bool
draw_block(struct members *members, int holder, size_t *ret_block)
{
	for (int i = 0; i < TRIES; i++) {
		*ret_block = holder == NOBODY || i > TRIES / 2 ? members_random(members, BLOCKS(members))
			: (size_t)holder * MEMBERS_BLOCKS + members_random(members, MEMBERS_BLOCKS);
		if (members->holders[*ret_block] == holder)
			return true;
	}
	return false;
}

static void
add_or_remove_roa(struct members *members)
{
	size_t place = draw_place(members), block, origin = members_random(members, MEMBERS_ORIGINS);
	if (!draw_block(members, (int)place, &block))
		return;
	bool *wants = &members->places[place].wants[block][origin];
	/* More come than go, so that some members have many: these get one ROA an origin. */
	if (*wants && members_random(members, 3) != 0)
		return;
	WORLD_OK(change_roa(members, place, block, origin, !*wants, fault));
	*wants = !*wants;
}

/* Space that others hold is refused, also where an old intent for it is kept. */
static void
ask_for_too_much(struct members *members)
{
	size_t place = draw_place(members), block = members_random(members, BLOCKS(members));
	if (members->holders[block] == (int)place || members->places[place].wants[block][0])
		return;
	assert_int_equal(change_roa(members, place, block, 0, true, NULL), FAULT_INVALID);
	members->refusals++;
}

static void
lose_block(struct members *members)
{
	size_t place = draw_place(members), block;
	if (!draw_block(members, (int)place, &block))
		return;
	members->holders[block] = NOBODY;
	tell_resources(members, place);
}

static void
gain_block(struct members *members)
{
	size_t place = draw_place(members), block;
	if (!draw_block(members, NOBODY, &block))
		return;
	members->holders[block] = (int)place;
	tell_resources(members, place);
}

/* From one to another, at once. What the one wanted for it stays wanted, and comes back with the block. */
static void
move_block(struct members *members)
{
	size_t from = draw_place(members), to = draw_place(members), block;
	if (from == to || !draw_block(members, (int)from, &block))
		return;
	members->holders[block] = (int)to;
	tell_resources(members, from);
	tell_resources(members, to);
	if (members->places[to].wants[block][0])
		return;
	WORLD_OK(change_roa(members, to, block, 0, true, fault));
	members->places[to].wants[block][0] = true;
}

static void
leave(struct members *members)
{
	size_t place = draw_place(members);
	struct member *member = &members->places[place];
	if (!at_work(members, place))
		return;
	WORLD_OK(ca_delete(&members->life->world.context, &world_actor, member->ca_id, fault));
	for (size_t block = 0; block < BLOCKS(members); block++)
		if (members->holders[block] == (int)place)
			members->holders[block] = NOBODY;
	member->ca_id = 0;
	member->generation++;
}

static void
come_again(struct members *members)
{
	for (size_t place = 0; place < members->count; place++)
		if (members->places[place].ca_id == 0) {
			arrive(members, place);
			return;
		}
}

/* One that rolls already can't begin anew. */
static void
roll_key(struct members *members)
{
	const struct command_context *context = &members->life->world.context;
	enum fault_code code = roll_start(context, &world_actor, members->places[draw_place(members)].ca_id, ROLL_STAGING_DEFAULT, NULL);
	assert_true(code == FAULT_NONE || code == FAULT_CONFLICT);
	members->refusals += code == FAULT_CONFLICT;
}

/* What is published of a member now, or would be if it weren't held. */
static size_t
wanted_of(const struct members *members, size_t place, struct payload *payloads)
{
	const struct member *member = &members->places[place];
	size_t count = 0;
	for (size_t block = 0; block < BLOCKS(members) && !member->suspended; block++)
		for (size_t origin = 0; origin < MEMBERS_ORIGINS && members->holders[block] == (int)place; origin++)
			if (member->wants[block][origin])
				payloads[count++] = block_payload(block, origin);
	return count;
}

/* All that was asked for before goes out first. */
static void
let_settle(struct members *members)
{
	life_until(members->life, clock_now(&members->life->world.clock) + SETTLE_S);
}

/* Who is not at work comes back before long: so most are. */
static size_t
draw_idle_or_any(struct members *members)
{
	if (members_random(members, 3) > 0)
		for (size_t place = 0; place < members->count; place++)
			if (members->places[place].ca_id != 0 && !at_work(members, place))
				return place;
	return draw_place(members);
}

static void
hold_or_release(struct members *members)
{
	const struct command_context *context = &members->life->world.context;
	size_t place = draw_idle_or_any(members);
	struct member *member = &members->places[place];
	if (member->suspended)
		return;
	if (member->held) {
		WORLD_OK(ca_release(context, &world_actor, member->ca_id, fault));
		free(MOVE(member->frozen));
		member->held = false;
		return;
	}
	let_settle(members);
	member->frozen = calloc(BLOCKS(members) * MEMBERS_ORIGINS + 1, sizeof *member->frozen);
	assert_non_null(member->frozen);
	member->frozen_count = wanted_of(members, place, member->frozen);
	WORLD_OK(ca_hold(context, &world_actor, member->ca_id, fault));
	member->held = true;
}

static void
suspend_or_resume(struct members *members)
{
	const struct command_context *context = &members->life->world.context;
	struct member *member = &members->places[draw_idle_or_any(members)];
	if (member->held)
		return;
	if (member->suspended)
		WORLD_OK(ca_resume(context, &world_actor, member->ca_id, fault));
	else
		WORLD_OK(ca_suspend(context, &world_actor, member->ca_id, fault));
	member->suspended = !member->suspended;
}

/* What a transfer takes along is in every state that a validator can see. */
static const char *
check_kept(void *argument)
{
	const struct members *members = argument;
	size_t count;
	const struct watched_payload *found = watcher_payloads(members->life->watcher, &count);
	for (size_t i = 0; i < members->kept_count; i++)
		if (bsearch(&members->kept[i], found, count, sizeof *found, compare_to_watched) == NULL)
			return "a payload is missing in the middle of a transfer";
	return NULL;
}

static void
tell_transfer(struct members *members, size_t from, size_t to, size_t block)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct complaints, complaints_clear) complaints = COMPLAINTS_INIT;
	AUTO_CLEAR(struct transfer_effect, transfer_effect_clear) effect = TRANSFER_EFFECT_INIT;
	struct prefix prefix = block_prefix(block);
	char from_handle[HANDLE_ROOM], to_handle[HANDLE_ROOM];
	int64_t transfer_id;
	WORLD_OK(resource_set_add_prefix(&set, &prefix, fault));
	WORLD_OK(resource_set_normalise(&set, fault));
	handle_of(members, from, from_handle);
	handle_of(members, to, to_handle);
	struct transfer_request request = { .from = from_handle, .to = to_handle, .resources = &set, .roas = TRANSFER_MOVE };
	WORLD_OK(transfer_create(&members->life->world.context, &world_actor, &request, &complaints, &effect, &transfer_id, fault));
}

static void
transfer_block(struct members *members)
{
	struct payload kept[MEMBERS_ORIGINS];
	size_t from = draw_place(members), to = draw_place(members), block;
	if (from == to || !at_work(members, from) || !at_work(members, to) || !draw_block(members, (int)from, &block))
		return;
	let_settle(members);
	members->kept = kept;
	members->kept_count = 0;
	for (size_t origin = 0; origin < MEMBERS_ORIGINS; origin++) {
		bool *giver = &members->places[from].wants[block][origin], *receiver = &members->places[to].wants[block][origin];
		if (*giver)
			kept[members->kept_count++] = block_payload(block, origin);
		*receiver = *receiver || *giver;
		*giver = false;
	}
	members->holders[block] = (int)to;
	tell_transfer(members, from, to, block);
	let_settle(members);
	members->kept_count = 0;
	members->transfers++;
}

static const struct {
	void (*make)(struct members *members);
	uint64_t weight;
} changes[] = {
	{ add_or_remove_roa, 60 }, { ask_for_too_much, 4 }, { lose_block, 10 }, { gain_block, 12 }, { move_block, 8 }, { leave, 1 },
	{ come_again, 5 }, { roll_key, 2 }, { hold_or_release, 3 }, { suspend_or_resume, 3 }, { transfer_block, 6 },
};

void
members_change(struct members *members)
{
	uint64_t total = 0;
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
		total += changes[i].weight;
	uint64_t drawn = members_random(members, total);
	size_t i = 0;
	for (; drawn >= changes[i].weight; i++)
		drawn -= changes[i].weight;
	changes[i].make(members);
	members->changes++;
}

struct members *
members_new(struct life *life, size_t count, uint64_t seed)
{
	struct members *members = calloc(1, sizeof *members);
	assert_non_null(members);
	assert_true(count <= MEMBERS_MAX);
	members->life = life;
	life->polled = check_kept;
	life->polled_argument = members;
	members->count = count;
	members->random = seed;
	for (size_t block = 0; block < BLOCKS(members); block++)
		members->holders[block] = block % 2 == 0 ? (int)(block / MEMBERS_BLOCKS) : NOBODY;
	for (size_t place = 0; place < count; place++) {
		arrive(members, place);
		for (size_t i = 0; i < place % 7; i++) {
			size_t block = place * MEMBERS_BLOCKS + 2 * i;
			WORLD_OK(change_roa(members, place, block, 0, true, fault));
			members->places[place].wants[block][0] = true;
		}
	}
	return members;
}

void
members_free(struct members *members)
{
	for (size_t place = 0; place < members->count; place++)
		free(members->places[place].frozen);
	free(members);
}

/* Each payload that is wanted by the one who holds its block, or was when a hold began; in order. Returns how many. */
static size_t
wanted(const struct members *members, struct payload *payloads)
{
	size_t count = 0;
	for (size_t place = 0; place < members->count; place++) {
		const struct member *member = &members->places[place];
		if (member->held)
			memcpy(&payloads[count], member->frozen, member->frozen_count * sizeof *payloads);
		count += member->held ? member->frozen_count : wanted_of(members, place, &payloads[count]);
	}
	qsort(payloads, count, sizeof *payloads, compare_payloads);
	return count;
}

const char *
members_check(struct members *members)
{
	static char words[300];
	/* What members on hold keep may be another's already. */
	static struct payload expected[2 * MEMBERS_MAX * MEMBERS_BLOCKS * MEMBERS_ORIGINS];
	char text[PAYLOAD_TEXT];
	size_t expected_count = wanted(members, expected), found_count;
	const struct watched_payload *found = watcher_payloads(members->life->watcher, &found_count);
	for (size_t i = 0; i < expected_count || i < found_count; i++) {
		int order = i == expected_count ? 1 : i == found_count ? -1 : payload_compare(&expected[i], &found[i].payload);
		if (order == 0)
			continue;
		payload_text(order < 0 ? &expected[i] : &found[i].payload, text);
		(void)snprintf(words, sizeof words, "%s is %s", text, order < 0 ? "wanted and isn't published" : "published and not wanted");
		return words;
	}
	return NULL;
}
