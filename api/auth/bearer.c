#include "api/auth/bearer.h"

#include <string.h>
#include <strings.h>

#include "ca/commands/token_commands.h"

#define SCHEME "Bearer"
/* RFC 6750 §2.1: b64token. */
#define TOKEN_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="

enum fault_code
bearer_token(const char *field, const char **ret_token, struct fault *fault)
{
	if (field == NULL)
		return fault_set(fault, FAULT_UNAUTHORIZED, "the request has no token");
	size_t scheme = strcspn(field, " ");
	if (scheme != strlen(SCHEME) || strncasecmp(field, SCHEME, scheme) != 0)
		return fault_set(fault, FAULT_UNAUTHORIZED, "the Authorization field is not of the Bearer scheme");
	const char *token = field + scheme;
	token += strspn(token, " ");
	size_t length = strlen(token);
	/* The same words as for a token that is not known: nothing is to be learnt here. */
	if (length == 0 || length >= TOKEN_TEXT || strspn(token, TOKEN_CHARACTERS) != length)
		return fault_set(fault, FAULT_UNAUTHORIZED, "the token is not valid");
	*ret_token = token;
	return FAULT_NONE;
}
