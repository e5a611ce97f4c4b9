#include "ca/commands/intent.h"

#include <string.h>

static struct roa_record
record_of(const struct payload *payload)
{
	return (struct roa_record){
		.asn = payload->asn,
		.family = (int64_t)payload->prefix.family,
		.address = SPAN(payload->prefix.address.bytes, family_bytes(payload->prefix.family)),
		.prefix_length = payload->prefix.length,
		.max_length = payload->max_length,
	};
}

enum fault_code
intent_add(struct db_connection *connection, int64_t ca_id, const struct payload *payload, const char *comment, int64_t now_at,
	bool *ret_added, struct fault *fault)
{
	struct roa_record record = record_of(payload);
	record.comment = comment;
	record.created_at = now_at;
	return roa_store_insert(connection, ca_id, &record, ret_added, fault);
}

enum fault_code
intent_remove(struct db_connection *connection, int64_t ca_id, const struct payload *payload, bool *ret_removed,
	struct fault *fault)
{
	struct roa_record record = record_of(payload);
	return roa_store_delete(connection, ca_id, &record, ret_removed, fault);
}

enum fault_code
intent_set_comment(struct db_connection *connection, int64_t ca_id, const struct payload *payload, const char *comment,
	bool *ret_changed, struct fault *fault)
{
	struct roa_record record = record_of(payload);
	record.comment = comment;
	return roa_store_set_comment(connection, ca_id, &record, ret_changed, fault);
}

enum fault_code
intent_payload(const struct roa_record *record, struct payload *ret_payload, struct fault *fault)
{
	struct payload payload = {
		.asn = (uint32_t)record->asn,
		.prefix = { .family = (enum address_family)record->family, .length = (uint8_t)record->prefix_length },
		.max_length = (uint8_t)record->max_length,
	};
	if (record->address.length != family_bytes(payload.prefix.family))
		return fault_set(fault, FAULT_DATABASE, "a ROA's address has %zu octets", record->address.length);
	memcpy(payload.prefix.address.bytes, record->address.data, record->address.length);
	*ret_payload = payload;
	return FAULT_NONE;
}

bool
intent_is_refused_asn(const struct asn_list *refused, uint32_t asn)
{
	for (size_t i = 0; i < refused->count; i++)
		if (refused->ranges[i].min <= asn && asn <= refused->ranges[i].max)
			return true;
	return false;
}

const char *
intent_comment_fault(const char *comment)
{
	if (strlen(comment) > COMMENT_MAX)
		return "a comment has 200 bytes at most";
	_Static_assert(COMMENT_MAX == 200, "the words above name the limit");
	for (const char *c = comment; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return "a comment is one line without control characters";
	return NULL;
}
