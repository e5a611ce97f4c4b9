#include "ca/ceremony/ceremony_state.h"

#include <stdio.h>

#include "ca/issue/identity.h"

/* What the numbers of the rows are elsewhere; here they only have to differ. */
#define TA_ID 1
#define CHILD_ID 2
#define KEY_ID 1

static enum fault_code
set_key(struct key_state *key, struct span handle, struct span spki, struct fault *fault)
{
	key->key_id = KEY_ID;
	TRY(bytes_append(&key->handle, handle.data, handle.length, fault));
	TRY(bytes_append(&key->spki, spki.data, spki.length, fault));
	return certificate_key_identifier(spki, key->identifier, fault);
}

static enum fault_code
join(char ret_uri[STATE_URI_MAX], const char *base, const char *rest, struct fault *fault)
{
	int length = snprintf(ret_uri, STATE_URI_MAX, "%s%s", base, rest);
	return length < STATE_URI_MAX ? FAULT_NONE : fault_set(fault, FAULT_INVALID, "the URI %.100s… is too long", base);
}

static enum fault_code
new_state(const struct ceremony_request *request, const char *directory, struct ca_state **ret_state, struct fault *fault)
{
	AUTO(struct ca_state, ca_state_free) state = NULL;
	TRY(ca_state_new(&state, fault));
	(void)snprintf(state->rsync_uri, sizeof state->rsync_uri, "%s", request->rsync_uri);
	(void)snprintf(state->directory, sizeof state->directory, "%s", directory);
	(void)snprintf(state->notification_uri, sizeof state->notification_uri, "%s", request->notification_uri);
	*ret_state = MOVE(state);
	return FAULT_NONE;
}

enum fault_code
ceremony_state_anchor(const struct ceremony_request *request, const struct ceremony_key *key, struct ca_state **ret_state,
	struct fault *fault)
{
	AUTO(struct ca_state, ca_state_free) state = NULL;
	TRY(new_state(request, request->directory, &state, fault));
	state->ca_id = TA_ID;
	state->kind = CA_TA;
	TRY(resource_set_copy(&request->resources, &state->resources, fault));
	TRY(set_key(&state->current.key, key->handle, key->spki, fault));
	*ret_state = MOVE(state);
	return FAULT_NONE;
}

enum fault_code
ceremony_state_child(const struct ceremony_request *request, const struct ceremony_child *child, const struct ceremony_key *key,
	int64_t ta_not_after_at, struct ca_state **ret_state, struct fault *fault)
{
	AUTO(struct ca_state, ca_state_free) state = NULL;
	TRY(new_state(request, child->directory, &state, fault));
	state->ca_id = CHILD_ID;
	state->kind = CA_ONLINE;
	TRY(resource_set_copy(&child->resources, &state->resources, fault));
	TRY(set_key(&state->current.key, SPAN(NULL, 0), bytes_span(&child->spki), fault));
	struct parent_state *parent = &state->parent;
	parent->ca_id = TA_ID;
	parent->not_after_at = ta_not_after_at;
	TRY(set_key(&parent->key, key->handle, key->spki, fault));
	TRY(resource_set_copy(&request->resources, &parent->resources, fault));
	TRY(join(parent->repository_uri, request->rsync_uri, request->directory, fault));
	TRY(join(parent->certificate_uri, request->rsync_uri, TA_CERTIFICATE_PATH, fault));
	*ret_state = MOVE(state);
	return FAULT_NONE;
}
