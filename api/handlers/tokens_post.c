#include "api/handlers/handler.h"
#include "api/server/json_body.h"
#include "api/server/json_writer.h"
#include "ca/base/instant.h"
#include "ca/base/secret.h"
#include "ca/commands/token_commands.h"

struct wanted {
	json_t *name, *role_name, *expiry;
	enum role role;
	int64_t expires_at;
};

/* A CA's own tokens are its member's; the registry's staff are bound to no CA. */
static bool
fits(enum role role, bool of_ca)
{
	return of_ca == (role == ROLE_MEMBER || role == ROLE_MEMBER_READ);
}

static enum fault_code
read_body(struct exchange *exchange, struct wanted *wanted, struct fault *fault)
{
	struct complaints *complaints = &exchange->complaints;
	bool of_ca = exchange->ca_id != 0;
	const struct json_body_field fields[] = {
		{ "name", JSON_BODY_TEXT, true, &wanted->name },
		{ "role", JSON_BODY_TEXT, true, &wanted->role_name },
		{ "expires_at", JSON_BODY_TEXT | JSON_BODY_NULL, false, &wanted->expiry },
	};
	TRY(json_body_parse(bytes_span(&exchange->request->body), &exchange->document, fault));
	TRY(json_body_read(exchange->document, JSON_BODY_TOP, fields, 3, complaints, fault));
	if (wanted->role_name != NULL &&
		(!role_parse(json_string_value(wanted->role_name), &wanted->role) || !fits(wanted->role, of_ca)))
		TRY(complaints_add(complaints, fault, "", 0, "role", "must be %s",
			of_ca ? "member or member-read" : "admin or operator"));
	if (wanted->expiry != NULL && !instant_parse_rfc3339(json_string_value(wanted->expiry), &wanted->expires_at))
		TRY(complaints_add(complaints, fault, "", 0, "expires_at", "must be a time such as 2030-01-31T12:00:00Z"));
	else if (wanted->expiry != NULL && wanted->expires_at <= clock_now(exchange->context->clock))
		TRY(complaints_add(complaints, fault, "", 0, "expires_at", "lies in the past"));
	return json_body_check(complaints, fault);
}

static void
write_token(struct exchange *exchange, const struct wanted *wanted, const char *id, const char *token, struct json_writer *writer)
{
	json_writer_object(writer, NULL);
	json_writer_text(writer, "id", id);
	json_writer_text(writer, "token", token);
	json_writer_text(writer, "name", json_string_value(wanted->name));
	json_writer_text(writer, "role", role_text(wanted->role));
	json_writer_text(writer, "ca", exchange->ca_handle);
	json_writer_instant(writer, "expires_at", wanted->expires_at);
	json_writer_end(writer);
}

/* The only time that a token is told. */
enum fault_code
tokens_post_handle(struct exchange *exchange, struct fault *fault)
{
	struct wanted wanted = { .expires_at = 0 };
	struct json_writer writer;
	char id[TOKEN_ID_SIZE], token[TOKEN_TEXT];
	TRY(read_body(exchange, &wanted, fault));
	exchange->reached_command = true;
	TRY(token_create(exchange->context->commands, &exchange->actor, json_string_value(wanted.name), wanted.role,
		exchange->ca_id, wanted.expires_at, id, token, fault));
	json_writer_begin(&writer, &exchange->reply->body);
	write_token(exchange, &wanted, id, token, &writer);
	secret_wipe(token, sizeof token);
	if (exchange->ca_handle != NULL)
		reply_header(exchange->reply, "Location", "/api/v1/cas/%s/tokens/%s", exchange->ca_handle, id);
	else
		reply_header(exchange->reply, "Location", "/api/v1/tokens/%s", id);
	exchange->reply->status = 201;
	return json_writer_check(&writer, fault);
}
