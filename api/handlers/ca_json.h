/* ca_json: a CA as the API shows it. Threads: as the connection. */
#ifndef API_HANDLERS_CA_JSON_H
#define API_HANDLERS_CA_JSON_H

#include "api/handlers/handler.h"
#include "api/server/json_writer.h"

/* One CA as an object. */
void ca_json_write(struct json_writer *writer, const struct ca_row *row);

/* The reply's body: this CA as it is now. Faults: NOT_FOUND, DATABASE, MEMORY. */
CHECKED enum fault_code ca_json_reply(struct exchange *exchange, int64_t ca_id, struct fault *fault);

#endif
