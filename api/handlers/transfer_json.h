/* transfer_json: transfers, and what they do to ROAs, as the API shows them. Threads: as the connection. */
#ifndef API_HANDLERS_TRANSFER_JSON_H
#define API_HANDLERS_TRANSFER_JSON_H

#include "api/handlers/handler.h"
#include "api/server/json_writer.h"
#include "ca/commands/transfer_commands.h"

#define TRANSFER_JSON_ROAS_MAX 1000     /* ROAs of either list that are shown; all are counted */

/* One transfer as an object, with its steps. */
void transfer_json_write(struct json_writer *writer, const struct transfer_row *row);
/* The reply's body: this transfer as it is now. Faults: NOT_FOUND, DATABASE, MEMORY. */
CHECKED enum fault_code transfer_json_reply(struct exchange *exchange, int64_t transfer_id, struct fault *fault);

/* The number in the path. Faults: NOT_FOUND (it is none). */
CHECKED enum fault_code transfer_json_id(const struct exchange *exchange, int64_t *ret_transfer_id, struct fault *fault);

/*
 * A command's effect, kept in the exchange: a refusal shows it as members of the problem, and a dry run as its answer. Faults: MEMORY.
 */
CHECKED enum fault_code transfer_json_effect(struct exchange *exchange, struct transfer_effect **ret_effect, struct fault *fault);
CHECKED enum fault_code transfer_json_reply_effect(struct exchange *exchange, const struct transfer_effect *effect,
	struct fault *fault);

#endif
