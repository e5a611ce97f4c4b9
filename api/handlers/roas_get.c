#include "api/handlers/handler.h"
#include "api/handlers/roa_json.h"
#include "api/server/precondition.h"

/*
 * The states change without a new version (they are what publication made of the list), so a list that isn't settled has their
 * digest in its tag: whoever waits for "published" must not be told that nothing is new. The list is made for a 304 too, as
 * that has to tell the length of what it stands for (RFC 9110 §8.6).
 */
enum fault_code
roas_get_handle(struct exchange *exchange, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	char tag[PRECONDITION_TAG];
	struct roa_json_list list;
	TRY(db_reader_acquire(exchange->context->db, &connection, fault));
	TRY(roa_json_list(connection, exchange->ca_id, &exchange->reply->body, &list, fault));
	if (list.settled)
		precondition_tag(list.version, tag);
	else
		precondition_tag_states(list.version, list.states, tag);
	reply_header(exchange->reply, "ETag", "%s", tag);
	if (precondition_unchanged(exchange->request->if_none_match, tag))
		exchange->reply->status = 304;
	return FAULT_NONE;
}
