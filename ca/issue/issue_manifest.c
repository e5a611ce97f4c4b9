#include "ca/issue/issue_manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/memory.h"
#include "ca/der/crl.h"
#include "ca/der/manifest.h"
#include "ca/issue/issue_certificate.h"
#include "ca/issue/issue_signed.h"

static int
compare_ids(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

/* The ids of what leaves the publication point with this plan, and of the key's own CRL and manifest, sorted. */
static enum fault_code
leaving_ids(const struct ca_state *state, const struct ca_plan *plan, int64_t key_id, int64_t **ret_ids, size_t *ret_count, struct fault *fault)
{
	size_t count = 0;
	TRY(memory_new(state->objects_count, sizeof **ret_ids, ret_ids, fault));
	for (size_t i = 0; i < plan->layout.roas_count; i++)
		if (plan->layout.roas[i].replaces != NULL)
			(*ret_ids)[count++] = plan->layout.roas[i].replaces->object_id;
	for (size_t i = 0; i < plan->layout.withdrawn_count; i++)
		(*ret_ids)[count++] = plan->layout.withdrawn[i]->object_id;
	for (size_t i = 0; i < state->objects_count; i++)
		if (state->objects[i].key_id == key_id && (state->objects[i].kind == OBJECT_CRL || state->objects[i].kind == OBJECT_MFT))
			(*ret_ids)[count++] = state->objects[i].object_id;
	qsort(*ret_ids, count, sizeof **ret_ids, compare_ids);
	*ret_count = count;
	return FAULT_NONE;
}

static bool
leaves(const int64_t *ids, size_t count, const struct issued_object *object)
{
	return bsearch(&object->object_id, ids, count, sizeof *ids, compare_ids) != NULL;
}

/*
 * RFC 6487 §5: what is revoked and not yet expired. That is what the state tells, and what leaves now, if it was ever published (what was
 * not, nobody has seen). The superseded manifest's EE certificate too (RFC 9286 §4.2.1).
 */
static enum fault_code
collect_revocations(const struct ca_state *state, const struct ca_plan *plan, const struct ca_instance *instance, const int64_t *ids,
	size_t ids_count, struct revocation **ret_revocations, size_t *ret_count, struct fault *fault)
{
	size_t count = 0;
	TRY(memory_new(instance->revoked_count + ids_count, sizeof **ret_revocations, ret_revocations, fault));
	for (size_t i = 0; i < instance->revoked_count; i++) {
		struct revocation *revocation = &(*ret_revocations)[count++];
		revocation->serial.length = instance->revoked[i].length;
		memcpy(revocation->serial.octets, instance->revoked[i].octets, sizeof revocation->serial.octets);
		/* Never after thisUpdate, also where a clock went back by a second in between. */
		revocation->revoked_at = instance->revoked[i].revoked_at < plan->now_at ? instance->revoked[i].revoked_at : plan->now_at;
	}
	for (size_t i = 0; i < state->objects_count; i++) {
		const struct issued_object *object = &state->objects[i];
		bool known = object->serial_length > 0 && object->published && object->not_after_at > plan->now_at;
		if (!known || object->key_id != instance->key.key_id || !leaves(ids, ids_count, object))
			continue;
		struct revocation *revocation = &(*ret_revocations)[count++];
		revocation->serial.length = object->serial_length;
		memcpy(revocation->serial.octets, object->serial, sizeof revocation->serial.octets);
		revocation->revoked_at = plan->now_at;
	}
	*ret_count = count;
	return FAULT_NONE;
}

static enum fault_code
issue_crl(const struct issue_context *context, const struct ca_state *state, const struct ca_plan *plan,
	const struct instance_plan *own, const struct identity *ca, const int64_t *ids, size_t ids_count, struct object_set *set, struct fault *fault)
{
	AUTO(struct revocation, free) revocations = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) tbs = BYTES_INIT;
	struct new_object *object;
	size_t count;

	TRY(collect_revocations(state, plan, own->instance, ids, ids_count, &revocations, &count, fault));
	struct crl_fields fields = {
		.issuer = ca->name, .number = own->crl_number, .this_update_at = plan->now_at, .next_update_at = own->next_update_at,
		.revocations = revocations, .revocations_count = count,
	};
	memcpy(fields.authority_key, ca->key_identifier, sizeof fields.authority_key);
	struct lint_crl_wanted wanted = {
		.number = own->crl_number, .this_update_at = plan->now_at, .next_update_at = own->next_update_at, .now_at = plan->now_at,
		.revocations = count,
	};
	struct lint_issuer lint_issuer = identity_for_lint(ca, false);
	TRY(object_set_add(set, OBJECT_CRL, &object, fault));
	TRY(crl_encode_tbs(&fields, &tbs, fault));
	TRY(lint_crl_tbs(bytes_span(&tbs), &lint_issuer, &wanted, fault));
	TRY(issue_certificate_sign(context, ca, bytes_span(&tbs), &object->der, fault));
	TRY(lint_signed_crl(bytes_span(&object->der), bytes_span(&tbs), &lint_issuer, fault));
	TRY(digest_sha256(bytes_span(&object->der), object->hash, fault));
	(void)snprintf(object->name, sizeof object->name, "%s.crl", ca->key_name);
	object->not_before_at = object->modified_at = plan->now_at;
	object->not_after_at = own->next_update_at;
	object->passive = own == &plan->passive;
	const struct issued_object *before = ca_state_object(state, own->instance->key.key_id, OBJECT_CRL);
	object->replaces_id = before != NULL ? before->object_id : 0;
	return FAULT_NONE;
}

static void
add_entry(struct manifest_entry *entries, size_t *count, const char *name, const uint8_t hash[SHA256_SIZE])
{
	struct manifest_entry *entry = &entries[(*count)++];
	(void)snprintf(entry->name, sizeof entry->name, "%s", name);
	memcpy(entry->hash, hash, SHA256_SIZE);
}

/*
 * RFC 9286 §4.2.1: every object of this key at the publication point but the manifest itself. The plan's own certificate stands
 * elsewhere.
 */
static enum fault_code
collect_entries(const struct ca_state *state, int64_t key_id, bool passive, const int64_t *ids, size_t ids_count,
	const struct object_set *set, struct manifest_entry **ret_entries, size_t *ret_count, struct fault *fault)
{
	size_t count = 0;
	TRY(memory_new(state->objects_count + set->count, sizeof **ret_entries, ret_entries, fault));
	for (size_t i = 0; i < state->objects_count; i++)
		if (state->objects[i].key_id == key_id && !leaves(ids, ids_count, &state->objects[i]))
			add_entry(*ret_entries, &count, state->objects[i].name, state->objects[i].hash);
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i].passive == passive && (set->items[i].kind == OBJECT_ROA || set->items[i].kind == OBJECT_CRL))
			add_entry(*ret_entries, &count, set->items[i].name, set->items[i].hash);
	*ret_count = count;
	return FAULT_NONE;
}

enum fault_code
issue_manifest(const struct issue_context *context, const struct ca_state *state, const struct ca_plan *plan,
	const struct instance_plan *own, const struct identity *ca, struct object_set *set, struct fault *fault)
{
	int64_t key_id = own->instance->key.key_id;
	bool passive = own == &plan->passive;
	AUTO(int64_t, free) ids = NULL;
	AUTO(struct manifest_entry, free) entries = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	size_t ids_count, entries_count;
	struct new_object *object;

	TRY(leaving_ids(state, plan, key_id, &ids, &ids_count, fault));
	TRY(issue_crl(context, state, plan, own, ca, ids, ids_count, set, fault));
	const struct new_object *crl = &set->items[set->count - 1];
	TRY(collect_entries(state, key_id, passive, ids, ids_count, set, &entries, &entries_count, fault));
	struct manifest_fields fields = {
		.number = own->manifest_number, .this_update_at = plan->now_at, .next_update_at = own->next_update_at,
		.entries = entries, .entries_count = entries_count,
	};
	struct lint_manifest_wanted wanted = {
		.number = own->manifest_number, .this_update_at = plan->now_at, .next_update_at = own->next_update_at,
		.now_at = plan->now_at, .entries = entries_count, .crl_name = crl->name, .crl_hash = crl->hash,
	};
	TRY(manifest_encode(&fields, &content, fault));
	TRY(lint_manifest_content(bytes_span(&content), &wanted, fault));
	TRY(object_set_add(set, OBJECT_MFT, &object, fault));
	object->passive = passive;
	(void)snprintf(object->name, sizeof object->name, "%s.mft", ca->key_name);
	const struct issued_object *before = ca_state_object(state, own->instance->key.key_id, OBJECT_MFT);
	object->replaces_id = before != NULL ? before->object_id : 0;
	/* RFC 9286 §5.1.2: the EE certificate inherits, and is valid exactly as long as the manifest. */
	struct signed_request request = {
		.type = CONTENT_MANIFEST, .content = bytes_span(&content), .resources = NULL, .now_at = plan->now_at,
		.not_before_at = plan->now_at, .not_after_at = own->next_update_at,
	};
	return issue_signed(context, ca, &request, object, fault);
}
