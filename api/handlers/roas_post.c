#include <string.h>

#include "api/handlers/handler.h"
#include "api/handlers/roa_json.h"
#include "api/server/json_body.h"
#include "api/server/precondition.h"
#include "ca/base/memory.h"
#include "ca/commands/roa_commands.h"

/* The well-formed entries of one list of the request. */
struct entries {
	struct roa_entry *items;
	size_t count;
};

struct wanted {
	struct entries added, removed;
	struct roa_change change;
};

static void
wanted_clear(struct wanted *wanted)
{
	free(wanted->added.items);
	free(wanted->removed.items);
}

/* Reading one entry. Each part complains of itself, so that all that is wrong with an entry is told at once. */

static enum fault_code
read_asn(json_t *value, uint32_t *ret_asn, struct fault *fault)
{
	if (json_is_string(value))
		return asn_parse(json_string_value(value), ret_asn, fault);
	json_int_t number = json_integer_value(value);
	if (number < 0 || number > (json_int_t)ASN_MAX)
		return fault_set(fault, FAULT_INVALID, "%" JSON_INTEGER_FORMAT " is not an AS number: they go from 0 to 4294967295", number);
	*ret_asn = (uint32_t)number;
	return FAULT_NONE;
}

static enum fault_code
check_comment(const char *comment, struct fault *fault)
{
	size_t length = strlen(comment);
	if (length > COMMENT_MAX)
		return fault_set(fault, FAULT_INVALID, "has %zu bytes, but must not have more than %d", length, COMMENT_MAX);
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)comment[i] < ' ' || comment[i] == '\x7f')
			return fault_set(fault, FAULT_INVALID, "contains a control character");
	}
	return FAULT_NONE;
}

/* Left out, maxLength is the prefix's own length (RFC 9582 §4.3.2.2). */
static enum fault_code
read_max_length(json_t *value, struct payload *payload, struct fault *fault)
{
	payload->max_length = payload->prefix.length;
	if (value == NULL)
		return FAULT_NONE;
	json_int_t number = json_integer_value(value);
	if (number < 0 || number > 128)
		return fault_set(fault, FAULT_INVALID, "%" JSON_INTEGER_FORMAT " is not a prefix length", number);
	payload->max_length = (uint8_t)number;
	return payload_check(payload, fault);
}

struct entry_values {
	json_t *asn, *prefix, *max_length, *comment;
};

/* What a value is wrong about, as a complaint of its field. */
static enum fault_code
complain(struct exchange *exchange, struct json_body_place place, const char *field, const struct fault *reason, struct fault *fault)
{
	return complaints_add(&exchange->complaints, fault, place.list, place.index, field, "%.190s", reason->message);
}

static enum fault_code
read_values(struct exchange *exchange, struct json_body_place place, const struct entry_values *values, struct roa_entry *entry,
	struct fault *fault)
{
	struct fault reason = FAULT_INIT;
	struct payload *payload = &entry->payload;
	bool prefix_known = values->prefix != NULL;
	if (values->asn != NULL && read_asn(values->asn, &payload->asn, &reason) != FAULT_NONE)
		TRY(complain(exchange, place, "asn", &reason, fault));
	if (prefix_known && prefix_parse(json_string_value(values->prefix), &payload->prefix, &reason) != FAULT_NONE) {
		prefix_known = false;
		TRY(complain(exchange, place, "prefix", &reason, fault));
	}
	if (prefix_known && read_max_length(values->max_length, payload, &reason) != FAULT_NONE)
		TRY(complain(exchange, place, "max_length", &reason, fault));
	if (values->comment != NULL) {
		entry->comment = json_string_value(values->comment);
		if (check_comment(entry->comment, &reason) != FAULT_NONE)
			TRY(complain(exchange, place, "comment", &reason, fault));
	}
	return FAULT_NONE;
}

/* Appends the entry if there is nothing to complain of. */
static enum fault_code
read_entry(struct exchange *exchange, json_t *object, struct json_body_place place, bool with_comment, struct entries *entries,
	struct fault *fault)
{
	struct entry_values values = { .asn = NULL };
	const struct json_body_field fields[] = {
		{ "asn", JSON_BODY_NUMBER | JSON_BODY_TEXT, true, &values.asn },
		{ "prefix", JSON_BODY_TEXT, true, &values.prefix },
		{ "max_length", JSON_BODY_NUMBER | JSON_BODY_NULL, false, &values.max_length },
		{ "comment", JSON_BODY_TEXT | JSON_BODY_NULL, false, &values.comment },
	};
	size_t before = exchange->complaints.total;
	struct roa_entry entry = { .index = place.index };
	TRY(json_body_read(object, place, fields, with_comment ? 4 : 3, &exchange->complaints, fault));
	TRY(read_values(exchange, place, &values, &entry, fault));
	if (exchange->complaints.total == before)
		entries->items[entries->count++] = entry;
	return FAULT_NONE;
}

static enum fault_code
read_list(struct exchange *exchange, json_t *array, const char *list, bool with_comment, struct entries *entries, struct fault *fault)
{
	size_t index;
	json_t *object;
	TRY(memory_new(json_array_size(array), sizeof *entries->items, &entries->items, fault));
	json_array_foreach(array, index, object)
		TRY(read_entry(exchange, object, (struct json_body_place){ list, index }, with_comment, entries, fault));
	return FAULT_NONE;
}

static enum fault_code
read_body(struct exchange *exchange, struct wanted *wanted, struct fault *fault)
{
	json_t *added, *removed;
	const struct json_body_field fields[] = {
		{ "added", JSON_BODY_ARRAY, false, &added },
		{ "removed", JSON_BODY_ARRAY, false, &removed },
	};
	TRY(json_body_parse(bytes_span(&exchange->request->body), &exchange->document, fault));
	TRY(json_body_read(exchange->document, JSON_BODY_TOP, fields, 2, &exchange->complaints, fault));
	size_t count = json_array_size(added) + json_array_size(removed);
	if (count > ROA_CHANGES_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "the change has %zu entries, but must not have more than %d", count, ROA_CHANGES_MAX);
	TRY(read_list(exchange, added, "added", true, &wanted->added, fault));
	TRY(read_list(exchange, removed, "removed", false, &wanted->removed, fault));
	wanted->change.added = wanted->added.items;
	wanted->change.added_count = wanted->added.count;
	wanted->change.removed = wanted->removed.items;
	wanted->change.removed_count = wanted->removed.count;
	return FAULT_NONE;
}

/* If-Match against the version as it is now; the command holds it to that in its transaction. */
static enum fault_code
give_version(void *argument, const struct ca_row *row, struct fault *fault)
{
	(void)fault;
	*(int64_t *)argument = row->roas_version;
	return FAULT_NONE;
}

static enum fault_code
read_precondition(const struct exchange *exchange, struct roa_change *change, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	const char *field = exchange->request->if_match;
	bool matches;
	if (field == NULL || precondition_any(field))
		return FAULT_NONE;
	TRY(db_reader_acquire(exchange->context->db, &connection, fault));
	TRY(ca_view_get(connection, exchange->ca_id, give_version, &change->version, fault));
	TRY(precondition_match(field, change->version, &matches, fault));
	if (!matches)
		return fault_set(fault, FAULT_PRECONDITION, "the list is at version %lld now", (long long)change->version);
	change->if_match = true;
	return FAULT_NONE;
}

/*
 * Some entries are malformed, so the answer is no. What is wrong with the others is told with it: they are tried, and nothing is kept.
 * The complaints of both are in the exchange then.
 */
static enum fault_code
refuse(struct exchange *exchange, struct roa_change change, struct fault *fault)
{
	int64_t version;
	change.dry_run = true;
	enum fault_code code = FAULT_NONE;
	if (change.added_count + change.removed_count > 0)
		code = roas_change(exchange->context->commands, &exchange->actor, exchange->ca_id, &change, NULL, NULL, &exchange->complaints,
			&version, fault);
	if (code != FAULT_NONE && code != FAULT_INVALID)
		return code;
	return json_body_check(&exchange->complaints, fault);
}

struct preview {
	struct spool *body;
	int64_t ca_id;
};

static enum fault_code
write_preview(void *argument, struct db_connection *connection, struct fault *fault)
{
	const struct preview *preview = argument;
	struct roa_json_list list;
	return roa_json_list(connection, preview->ca_id, preview->body, &list, fault);
}

static int
compare_entries(const void *left, const void *right)
{
	const struct roa_entry *a = left, *b = right;
	return payload_compare(&a->payload, &b->payload);
}

/* How many payloads stand in both lists: they cancel out. Sorts both; neither has one twice, as that is refused. */
static size_t
count_cancelled(struct entries *added, struct entries *removed)
{
	size_t count = 0;
	qsort(added->items, added->count, sizeof *added->items, compare_entries);
	qsort(removed->items, removed->count, sizeof *removed->items, compare_entries);
	for (size_t i = 0, k = 0; i < added->count && k < removed->count;) {
		int order = compare_entries(&added->items[i], &removed->items[k]);
		count += order == 0;
		i += order <= 0;
		k += order >= 0;
	}
	return count;
}

/* Tells what was understood: how many came and went, and each one added with its max_length. */
static enum fault_code
write_done(struct exchange *exchange, struct wanted *wanted, int64_t version, struct fault *fault)
{
	struct json_writer writer;
	char tag[PRECONDITION_TAG];
	size_t cancelled = count_cancelled(&wanted->added, &wanted->removed);
	json_writer_begin(&writer, &exchange->reply->body);
	json_writer_object(&writer, NULL);
	json_writer_number(&writer, "version", version);
	json_writer_number(&writer, "added", (int64_t)(wanted->added.count - cancelled));
	json_writer_number(&writer, "removed", (int64_t)(wanted->removed.count - cancelled));
	json_writer_array(&writer, "accepted");
	for (size_t i = 0; i < wanted->added.count; i++) {
		json_writer_object(&writer, NULL);
		roa_json_payload(&writer, &wanted->added.items[i].payload, wanted->added.items[i].comment);
		json_writer_end(&writer);
	}
	json_writer_end(&writer);
	json_writer_end(&writer);
	precondition_tag(version, tag);
	reply_header(exchange->reply, "ETag", "%s", tag);
	return json_writer_check(&writer, fault);
}

enum fault_code
roas_post_handle(struct exchange *exchange, struct fault *fault)
{
	AUTO_CLEAR(struct wanted, wanted_clear) wanted = { .change = { .if_match = false } };
	struct preview preview = { &exchange->reply->body, exchange->ca_id };
	int64_t version;
	TRY(request_parameter_truth(exchange->request, "dry_run", &wanted.change.dry_run, fault));
	exchange->reached_command = wanted.change.dry_run;
	TRY(read_body(exchange, &wanted, fault));
	TRY(read_precondition(exchange, &wanted.change, fault));
	if (exchange->complaints.total > 0)
		return refuse(exchange, wanted.change, fault);
	exchange->reached_command = true;
	TRY(roas_change(exchange->context->commands, &exchange->actor, exchange->ca_id, &wanted.change,
		wanted.change.dry_run ? write_preview : NULL, &preview, &exchange->complaints, &version, fault));
	return wanted.change.dry_run ? FAULT_NONE : write_done(exchange, &wanted, version, fault);
}
