/*
 * intent: single ROAs as members want them, from payloads to rows and back. Inside a transaction that somebody else runs; the
 * caller keeps count and marks the CA as changed.
 */
#ifndef CA_COMMANDS_INTENT_H
#define CA_COMMANDS_INTENT_H

#include "ca/commands/command.h"
#include "db/stores/roa_store.h"

/* *ret_… false: it was there already, was not there, has this comment (or is not there). comment NULL: none. */
CHECKED enum fault_code intent_add(struct db_connection *connection, int64_t ca_id, const struct payload *payload,
	const char *comment, int64_t now_at, bool *ret_added, struct fault *fault);
CHECKED enum fault_code intent_remove(struct db_connection *connection, int64_t ca_id, const struct payload *payload,
	bool *ret_removed, struct fault *fault);
CHECKED enum fault_code intent_set_comment(struct db_connection *connection, int64_t ca_id, const struct payload *payload,
	const char *comment, bool *ret_changed, struct fault *fault);

/* Of a row that was listed. Faults: DATABASE. */
CHECKED enum fault_code intent_payload(const struct roa_record *record, struct payload *ret_payload, struct fault *fault);

bool intent_is_refused_asn(const struct asn_list *refused, uint32_t asn);
/* What is wrong with a comment: too long, control characters. NULL: nothing. */
const char *intent_comment_fault(const char *comment);

#endif
