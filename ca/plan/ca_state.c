#include "ca/plan/ca_state.h"

#include <stdlib.h>
#include <string.h>

#include "ca/base/base64.h"
#include "ca/base/memory.h"

static const char *const ca_kinds[] = { [CA_TA] = "ta", [CA_ONLINE] = "online", [CA_ISSUING] = "issuing", [CA_MEMBER] = "member" };
static const char *const object_kinds[] = {
	[OBJECT_TA] = "ta", [OBJECT_CER] = "cer", [OBJECT_CRL] = "crl", [OBJECT_MFT] = "mft", [OBJECT_ROA] = "roa",
};

static bool
find_text(const char *const *texts, size_t count, const char *text, size_t *ret_index)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(texts[i], text) == 0) {
			*ret_index = i;
			return true;
		}
	}
	return false;
}

const char *
ca_kind_text(enum ca_kind kind)
{
	return ca_kinds[kind];
}

bool
ca_kind_parse(const char *text, enum ca_kind *ret_kind)
{
	size_t index;
	if (!find_text(ca_kinds, sizeof ca_kinds / sizeof *ca_kinds, text, &index))
		return false;
	*ret_kind = (enum ca_kind)index;
	return true;
}

const char *
object_kind_text(enum object_kind kind)
{
	return object_kinds[kind];
}

bool
object_kind_parse(const char *text, enum object_kind *ret_kind)
{
	size_t index;
	if (!find_text(object_kinds, sizeof object_kinds / sizeof *object_kinds, text, &index))
		return false;
	*ret_kind = (enum object_kind)index;
	return true;
}

enum fault_code
ca_state_new(struct ca_state **ret_state, struct fault *fault)
{
	return memory_new(1, sizeof **ret_state, ret_state, fault);
}

static void
key_state_clear(struct key_state *key)
{
	bytes_clear(&key->handle);
	bytes_clear(&key->spki);
}

static void
instance_clear(struct ca_instance *instance)
{
	key_state_clear(&instance->key);
	resource_set_clear(&instance->certified_resources);
	free(instance->revoked);
}

void
ca_state_free(struct ca_state *state)
{
	if (state == NULL)
		return;
	resource_set_clear(&state->resources);
	resource_set_clear(&state->parent.resources);
	key_state_clear(&state->parent.key);
	instance_clear(&state->current);
	instance_clear(&state->other);
	free(state->intents);
	free(state->objects);
	free(state->issued_payloads);
	free(state);
}

const struct issued_object *
ca_state_object(const struct ca_state *state, int64_t key_id, enum object_kind kind)
{
	for (size_t i = 0; i < state->objects_count; i++)
		if (state->objects[i].key_id == key_id && state->objects[i].kind == kind)
			return &state->objects[i];
	return NULL;
}

static int
compare_payloads(const void *a, const void *b)
{
	return payload_compare(a, b);
}

/* What its ROAs say, in order, each payload once (in a key roll two ROAs may say the same for a while). */
static enum fault_code
intend_what_is_issued(struct ca_state *state, struct fault *fault)
{
	size_t count = state->issued_payloads_count, kept = 0;
	state->intents_count = 0;
	if (count == 0)
		return FAULT_NONE;
	TRY(memory_reserve(&state->intents, &state->intents_capacity, count, sizeof *state->intents, fault));
	memcpy(state->intents, state->issued_payloads, count * sizeof *state->intents);
	qsort(state->intents, count, sizeof *state->intents, compare_payloads);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || payload_compare(&state->intents[kept - 1], &state->intents[i]) != 0)
			state->intents[kept++] = state->intents[i];
	state->intents_count = kept;
	return FAULT_NONE;
}

enum fault_code
ca_state_hold(struct ca_state *state, struct fault *fault)
{
	const struct ca_instance *current = &state->current;
	AUTO_CLEAR(struct resource_set, resource_set_clear) held = RESOURCE_SET_INIT;
	/* One that is set aside takes nothing back, and may not even be able to say what it has. */
	if (state->parent.set_aside && !current->certified_inherits)
		TRY(resource_set_copy(&current->certified_resources, &held, fault));
	else if (!current->certified_inherits)
		TRY(resource_set_intersection(&current->certified_resources, &state->parent.resources, &held, fault));
	TRY(intend_what_is_issued(state, fault));
	if (!state->inherits) {
		resource_set_clear(&state->resources);
		state->resources = held;
		held = RESOURCE_SET_INIT;
	}
	state->deleting = state->suspended = false;
	state->roll_at = 0;
	state->held = true;
	return FAULT_NONE;
}

void
ca_state_key_name(const uint8_t identifier[20], char ret_name[KEY_NAME_SIZE])
{
	hex_encode(SPAN(identifier, (KEY_NAME_SIZE - 1) / 2), ret_name);
}
