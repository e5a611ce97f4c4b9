#include <stdio.h>
#include <string.h>

#include "ca/base/digest.h"
#include "ca/base/secret.h"
#include "ca/views/views.h"
#include "db/stores/token_store.h"

/* "cadastre_<16 hex digits>_<43 characters>": see ca/commands/token_commands.h. */
#define TOKEN_START "cadastre_"
#define TOKEN_ID_LENGTH 16
#define TOKEN_LENGTH (sizeof TOKEN_START - 1 + TOKEN_ID_LENGTH + 1 + 43)

static enum fault_code
give_record(const struct token_record *record,
	enum fault_code (*give)(void *argument, const struct token_row *row, struct fault *fault), void *argument,
	struct fault *fault)
{
	struct token_row row = {
		.token_id = record->token_id,
		.name = record->name,
		.ca_handle = record->ca_handle,
		.created_at = record->created_at,
		.expires_at = record->expires_at,
		.revoked_at = record->revoked_at,
	};
	if (!role_parse(record->role, &row.role))
		return fault_set(fault, FAULT_DATABASE, "token %s has the unknown role \"%s\"", record->token_id, record->role);
	return give(argument, &row, fault);
}

enum fault_code
token_view_list(struct db_connection *connection, int64_t ca_id,
	enum fault_code (*give)(void *argument, const struct token_row *row, struct fault *fault), void *argument,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(token_store_list(connection, ca_id, &stmt, fault));
	for (;;) {
		struct token_record record;
		bool found;
		TRY(token_store_next(stmt, &record, &found, fault));
		if (!found)
			return FAULT_NONE;
		TRY(give_record(&record, give, argument, fault));
	}
}

/* The id inside a token; "", which no token has, when there is none. */
static void
find_id(const char *token, size_t length, char ret_id[TOKEN_ID_LENGTH + 1])
{
	size_t start = sizeof TOKEN_START - 1;
	ret_id[0] = '\0';
	if (length != TOKEN_LENGTH || memcmp(token, TOKEN_START, start) != 0 || token[start + TOKEN_ID_LENGTH] != '_')
		return;
	memcpy(ret_id, token + start, TOKEN_ID_LENGTH);
	ret_id[TOKEN_ID_LENGTH] = '\0';
}

static bool
is_usable(const struct token_record *record, int64_t now_at, enum role *ret_role)
{
	bool expired = record->expires_at != 0 && now_at >= record->expires_at;
	return record->revoked_at == 0 && !expired && role_parse(record->role, ret_role);
}

enum fault_code
token_view_identify(struct db_connection *connection, const char *token, int64_t now_at, struct token_identity *ret_identity,
	struct fault *fault)
{
	static const uint8_t nobody[SHA256_SIZE];
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct token_record record = { .role = "" };
	struct token_identity identity;
	char id[TOKEN_ID_LENGTH + 1];
	uint8_t hash[SHA256_SIZE];
	bool found;
	size_t length = strnlen(token, TOKEN_LENGTH + 1);
	find_id(token, length, id);
	TRY(digest_sha256(SPAN(token, length), hash, fault));
	TRY(token_store_get(connection, id, &stmt, &record, &found, fault));
	/* Unknown, wrong, expired or revoked: the same work and the same words, so that nothing is learnt by trying. */
	found = found && record.hash.length == SHA256_SIZE;
	bool same = secret_equal(hash, found ? record.hash.data : nobody, SHA256_SIZE);
	if (!same || !found || !is_usable(&record, now_at, &identity.role))
		return fault_set(fault, FAULT_UNAUTHORIZED, "the token is not valid");
	identity.ca_id = record.ca_id;
	(void)snprintf(identity.token_id, sizeof identity.token_id, "%s", record.token_id);
	(void)snprintf(identity.name, sizeof identity.name, "%s", record.name);
	*ret_identity = identity;
	return FAULT_NONE;
}
