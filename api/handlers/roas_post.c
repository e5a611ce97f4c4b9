#include <inttypes.h>
#include <stdlib.h>

#include "api/handlers/handler.h"
#include "api/handlers/roa_change_json.h"
#include "api/handlers/roa_json.h"
#include "api/server/json_body.h"
#include "api/server/precondition.h"
#include "ca/commands/roa_commands.h"

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
		return fault_set(fault, FAULT_PRECONDITION, "the list is at version %" PRId64 " now", change->version);
	change->if_match = true;
	return FAULT_NONE;
}

/*
 * Some entries are malformed, so the answer is no. What is wrong with the others is told with it: they are tried, and nothing
 * is kept. The complaints of both are in the exchange then.
 */
static enum fault_code
refuse(struct exchange *exchange, struct roa_change change, struct fault *fault)
{
	int64_t version;
	change.dry_run = true;
	enum fault_code code = FAULT_NONE;
	if (change.added_count + change.removed_count > 0)
		code = roas_change(exchange->context->commands, &exchange->actor, exchange->ca_id, &change, NULL, NULL,
			&exchange->complaints, &version, fault);
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
count_cancelled(struct roa_change_entries *added, struct roa_change_entries *removed)
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
write_done(struct exchange *exchange, struct roa_change_lists *lists, int64_t version, struct fault *fault)
{
	struct json_writer writer;
	char tag[PRECONDITION_TAG];
	size_t cancelled = count_cancelled(&lists->added, &lists->removed);
	json_writer_begin(&writer, &exchange->reply->body);
	json_writer_object(&writer, NULL);
	json_writer_number(&writer, "version", version);
	json_writer_number(&writer, "added", (int64_t)(lists->added.count - cancelled));
	json_writer_number(&writer, "removed", (int64_t)(lists->removed.count - cancelled));
	json_writer_array(&writer, "accepted");
	for (size_t i = 0; i < lists->added.count; i++) {
		json_writer_object(&writer, NULL);
		roa_json_payload(&writer, &lists->added.items[i].payload, lists->added.items[i].comment);
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
	AUTO_CLEAR(struct roa_change_lists, roa_change_json_clear) lists = ROA_CHANGE_LISTS_INIT;
	struct preview preview = { &exchange->reply->body, exchange->ca_id };
	struct roa_change change = { .if_match = false };
	int64_t version;
	TRY(request_parameter_truth(exchange->request, "dry_run", &change.dry_run, fault));
	exchange->reached_command = change.dry_run;
	TRY(json_body_parse(bytes_span(&exchange->request->body), &exchange->document, fault));
	TRY(roa_change_json_read(exchange->document, &lists, &exchange->complaints, fault));
	change.added = lists.added.items;
	change.added_count = lists.added.count;
	change.removed = lists.removed.items;
	change.removed_count = lists.removed.count;
	TRY(read_precondition(exchange, &change, fault));
	if (exchange->complaints.total > 0)
		return refuse(exchange, change, fault);
	exchange->reached_command = true;
	TRY(roas_change(exchange->context->commands, &exchange->actor, exchange->ca_id, &change,
		change.dry_run ? write_preview : NULL, &preview, &exchange->complaints, &version, fault));
	return change.dry_run ? FAULT_NONE : write_done(exchange, &lists, version, fault);
}
