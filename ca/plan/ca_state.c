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

void
ca_state_free(struct ca_state *state)
{
	if (state == NULL)
		return;
	resource_set_clear(&state->resources);
	resource_set_clear(&state->certified_resources);
	resource_set_clear(&state->parent.resources);
	key_state_clear(&state->parent.key);
	key_state_clear(&state->key);
	free(state->intents);
	free(state->objects);
	free(state->issued_payloads);
	free(state->revoked);
	free(state);
}

const struct issued_object *
ca_state_object(const struct ca_state *state, enum object_kind kind)
{
	for (size_t i = 0; i < state->objects_count; i++)
		if (state->objects[i].kind == kind)
			return &state->objects[i];
	return NULL;
}

void
ca_state_key_name(const uint8_t identifier[20], char ret_name[KEY_NAME_SIZE])
{
	hex_encode(SPAN(identifier, (KEY_NAME_SIZE - 1) / 2), ret_name);
}
