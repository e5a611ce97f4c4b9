#include "ca/commands/token_commands.h"

#include <stdio.h>
#include <string.h>

#include "ca/base/base64.h"
#include "ca/base/digest.h"
#include "ca/base/randomness.h"
#include "ca/base/secret.h"
#include "db/stores/ca_store.h"
#include "db/stores/token_store.h"

#define TOKENS_MAX 1000         /* that can be used at once: of one CA, and of none */
#define SECRET_SIZE 32

/* A token on its way through the writer. */
struct token_change {
	const struct actor *actor;
	int64_t now_at;
	const char *name;
	enum role role;
	int64_t ca_id;
	char handle[HANDLE_MAX + 1];                    /* of that CA, once known */
	int64_t expires_at;
	const char *token_id;
	uint8_t hash[SHA256_SIZE];
};

static enum fault_code
check_name(const char *name, struct fault *fault)
{
	size_t length = strnlen(name, NAME_MAX_LENGTH + 1);
	if (length == 0 || length > NAME_MAX_LENGTH)
		return fault_set(fault, FAULT_INVALID, "a token's name has 1 to %d bytes", NAME_MAX_LENGTH);
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return fault_set(fault, FAULT_INVALID, "a token's name has no control characters");
	return FAULT_NONE;
}

static enum fault_code
check_request(const struct token_change *change, struct fault *fault)
{
	const char *role = role_text(change->role);
	TRY(check_name(change->name, fault));
	if (change->role > change->actor->role)
		return fault_set(fault, FAULT_FORBIDDEN, "a token with the role \"%s\" can't give out one with the role \"%s\"",
			role_text(change->actor->role), role);
	if (change->role <= ROLE_MEMBER && change->ca_id == 0)
		return fault_set(fault, FAULT_INVALID, "the role \"%s\" is for one CA: name it", role);
	if (change->role == ROLE_ADMIN && change->ca_id != 0)
		return fault_set(fault, FAULT_INVALID, "the role \"%s\" is for all CAs, not for one", role);
	if (change->expires_at != 0 && change->expires_at <= change->now_at)
		return fault_set(fault, FAULT_INVALID, "the token would have expired already");
	return FAULT_NONE;
}

/* Only members have tokens of their own, and none that is being deleted gets one. */
static enum fault_code
check_ca(struct db_connection *connection, struct token_change *change, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct ca_record record;
	TRY(command_check_actor(change->actor, change->ca_id, fault));
	if (change->ca_id == 0)
		return FAULT_NONE;
	TRY(ca_store_get(connection, change->ca_id, &stmt, &record, fault));
	(void)snprintf(change->handle, sizeof change->handle, "%s", record.handle);
	if (strcmp(record.kind, "member") != 0)
		return fault_set(fault, FAULT_INVALID, "CA \"%s\" is one of the engine's own and has no tokens", change->handle);
	if (strcmp(record.state, "active") != 0)
		return fault_set(fault, FAULT_NOT_FOUND, "CA \"%s\" is being deleted", change->handle);
	return FAULT_NONE;
}

static enum fault_code
check_count(struct db_connection *connection, const struct token_change *change, struct fault *fault)
{
	int64_t count;
	TRY(token_store_count(connection, change->ca_id, change->now_at, &count, fault));
	if (count >= TOKENS_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "there are %d tokens already: revoke some first", TOKENS_MAX);
	return FAULT_NONE;
}

static enum fault_code
audit_token(struct db_connection *connection, const struct token_change *change, const char *action, const char *token_id,
	const char *name, const char *role, struct fault *fault)
{
	char detail[NAME_MAX_LENGTH + 64];
	(void)snprintf(detail, sizeof detail, "%s \"%s\" (%s)", role, name, token_id);
	struct audit_event event = {
		.action = action,
		.ca_id = change->ca_id,
		.ca_handle = change->ca_id != 0 ? change->handle : NULL,
		.outcome = "done",
		.detail = detail,
	};
	return audit_write(connection, change->now_at, change->actor, &event, fault);
}

static enum fault_code
create_token(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct token_change *change = argument;
	const char *role = role_text(change->role);
	TRY(check_request(change, fault));
	TRY(check_ca(connection, change, fault));
	TRY(check_count(connection, change, fault));
	struct token_record record = {
		.token_id = change->token_id,
		.name = change->name,
		.role = role,
		.ca_id = change->ca_id,
		.hash = SPAN(change->hash, sizeof change->hash),
		.created_at = change->now_at,
		.expires_at = change->expires_at,
	};
	TRY(token_store_insert(connection, &record, fault));
	return audit_token(connection, change, "token.create", change->token_id, change->name, role, fault);
}

static enum fault_code
make_token(char id[TOKEN_ID_SIZE], char token[TOKEN_TEXT], uint8_t hash[SHA256_SIZE], struct fault *fault)
{
	uint8_t octets[(TOKEN_ID_SIZE - 1) / 2], secret[SECRET_SIZE];
	char text[BASE64_LENGTH(SECRET_SIZE) + 1];
	TRY(randomness_fill(octets, sizeof octets, fault));
	TRY(randomness_fill_private(secret, sizeof secret, fault));
	hex_encode(SPAN(octets, sizeof octets), id);
	(void)base64_encode_url(SPAN(secret, sizeof secret), text);
	int length = snprintf(token, TOKEN_TEXT, "cadastre_%s_%s", id, text);
	secret_wipe(secret, sizeof secret);
	secret_wipe(text, sizeof text);
	return digest_sha256(SPAN(token, (size_t)length), hash, fault);
}

enum fault_code
token_create(const struct command_context *context, const struct actor *actor, const char *name, enum role role, int64_t ca_id,
	int64_t expires_at, char ret_id[TOKEN_ID_SIZE], char ret_token[TOKEN_TEXT], struct fault *fault)
{
	char id[TOKEN_ID_SIZE], token[TOKEN_TEXT];
	struct token_change change = {
		.actor = actor,
		.now_at = clock_now(context->clock),
		.name = name,
		.role = role,
		.ca_id = ca_id,
		.expires_at = expires_at,
		.token_id = id,
	};
	struct audit_event event = { .action = "token.create", .ca_id = ca_id, .ca_handle = change.handle };
	TRY(make_token(id, token, change.hash, fault));
	enum fault_code code = command_run(context, actor, &event, create_token, &change, fault);
	if (code == FAULT_NONE) {
		memcpy(ret_id, id, sizeof id);
		memcpy(ret_token, token, sizeof token);
	}
	secret_wipe(token, sizeof token);
	return code;
}

/* Whoever takes the last one away locks everybody out, and nothing on the server can make another. */
static enum fault_code
check_admins_left(struct db_connection *connection, const struct token_change *change, enum role role, struct fault *fault)
{
	int64_t others;
	if (role != ROLE_ADMIN)
		return FAULT_NONE;
	TRY(token_store_other_admins(connection, change->token_id, change->now_at, &others, fault));
	return others > 0 ? FAULT_NONE :
		fault_set(fault, FAULT_CONFLICT, "this is the last token of an administrator: make another one first");
}

static enum fault_code
revoke_token(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct token_change *change = argument;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct token_record record;
	bool found;
	TRY(check_ca(connection, change, fault));
	TRY(token_store_get(connection, change->token_id, &stmt, &record, &found, fault));
	if (!found || record.ca_id != change->ca_id)
		return fault_set(fault, FAULT_NOT_FOUND, "there is no token \"%.40s\" here", change->token_id);
	enum role role;
	if (!role_parse(record.role, &role) || role > change->actor->role)
		return fault_set(fault, FAULT_FORBIDDEN, "a token with the role \"%s\" can't revoke one with the role \"%s\"",
			role_text(change->actor->role), record.role);
	if (record.revoked_at != 0)
		return FAULT_NONE;
	TRY(check_admins_left(connection, change, role, fault));
	TRY(token_store_revoke(connection, change->token_id, change->now_at, fault));
	return audit_token(connection, change, "token.revoke", record.token_id, record.name, record.role, fault);
}

enum fault_code
token_revoke(const struct command_context *context, const struct actor *actor, int64_t ca_id, const char *token_id,
	struct fault *fault)
{
	struct token_change change = {
		.actor = actor, .now_at = clock_now(context->clock), .ca_id = ca_id, .token_id = token_id,
	};
	struct audit_event event = { .action = "token.revoke", .ca_id = ca_id, .ca_handle = change.handle };
	return command_run(context, actor, &event, revoke_token, &change, fault);
}
