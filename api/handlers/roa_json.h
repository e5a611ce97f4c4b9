/* roa_json: ROAs as the API shows them. Threads: as the connection. */
#ifndef API_HANDLERS_ROA_JSON_H
#define API_HANDLERS_ROA_JSON_H

#include "api/server/json_writer.h"
#include "api/server/spool.h"
#include "ca/base/fault.h"
#include "ca/resources/payload.h"
#include "db/db.h"

/* The members asn, prefix, max_length and comment of an open object. */
void roa_json_payload(struct json_writer *writer, const struct payload *payload, const char *comment);

/* What a list was, for its entity tag. */
struct roa_json_list {
	int64_t version;
	bool settled;                   /* all of it is published */
	uint64_t states;                /* digest of the states in their order */
};

/* A CA's list with states, and its version: {"roas":[…],"version":7}. Faults: DATABASE, DISK, MEMORY. */
CHECKED enum fault_code roa_json_list(struct db_connection *connection, int64_t ca_id, struct spool *body,
	struct roa_json_list *ret_list, struct fault *fault);

#endif
