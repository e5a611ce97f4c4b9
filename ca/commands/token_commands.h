/* token_commands: who may call the API. Tokens are random, shown once, stored as SHA-256 hashes. */
#ifndef CA_COMMANDS_TOKEN_COMMANDS_H
#define CA_COMMANDS_TOKEN_COMMANDS_H

#include "ca/commands/command.h"

#define TOKEN_ID_SIZE 17                                /* 16 hex digits and a NUL */
#define TOKEN_TEXT 80                                   /* "cadastre_<id>_<43 characters of base64url>" and a NUL */

/*
 * expires_at 0: never. ca_id 0: for no CA in particular (admin and operator only). Faults: INVALID, NOT_FOUND, FORBIDDEN (a role
 * above the actor's).
 */
CHECKED enum fault_code token_create(const struct command_context *context, const struct actor *actor, const char *name,
	enum role role, int64_t ca_id, int64_t expires_at, char ret_id[TOKEN_ID_SIZE], char ret_token[TOKEN_TEXT],
	struct fault *fault);

/*
 * ca_id as above: the token must belong to it. Once more changes nothing. Faults: NOT_FOUND, FORBIDDEN (a role above the
 * actor's), CONFLICT (the last one of an administrator that can be used).
 */
CHECKED enum fault_code token_revoke(const struct command_context *context, const struct actor *actor, int64_t ca_id,
	const char *token_id, struct fault *fault);

#endif
