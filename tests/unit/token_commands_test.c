#include "ca/commands/token_commands.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ca/base/digest.h"
#include "ca/views/views.h"
#include "tests/unit/registry.h"

struct made {
	char id[TOKEN_ID_SIZE], token[TOKEN_TEXT];
};

static enum fault_code
make(struct registry *registry, const struct actor *actor, enum role role, int64_t ca_id, int64_t expires_at, struct made *made)
{
	registry_forget(registry);
	return token_create(&registry->context, actor, "a name", role, ca_id, expires_at, made->id, made->token,
		&registry->fault);
}

static enum fault_code
identify(struct registry *registry, const char *token, struct token_identity *identity)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	registry_forget(registry);
	assert_int_equal(db_reader_acquire(registry->db, &connection, NULL), FAULT_NONE);
	return token_view_identify(connection, token, clock_now(&registry->clock), identity, &registry->fault);
}

static void
token_commands__a_token_identifies_its_bearer(void **state)
{
	struct registry *registry = *state;
	int64_t alpha = registry_member_id(registry, "alpha", "");
	struct token_identity identity;
	struct made made;
	assert_int_equal(make(registry, &registry_admin, ROLE_MEMBER, alpha, 0, &made), FAULT_NONE);
	assert_int_equal(strlen(made.token), 69);
	assert_int_equal(strncmp(made.token, "cadastre_", 9), 0);
	assert_int_equal(strncmp(made.token + 9, made.id, 16), 0);
	assert_int_equal(identify(registry, made.token, &identity), FAULT_NONE);
	assert_string_equal(identity.token_id, made.id);
	assert_string_equal(identity.name, "a name");
	assert_int_equal(identity.role, ROLE_MEMBER);
	assert_int_equal(identity.ca_id, alpha);
}

static void
token_commands__stores_the_hash_alone(void **state)
{
	struct registry *registry = *state;
	struct made made;
	uint8_t hash[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];
	assert_int_equal(make(registry, &registry_admin, ROLE_OPERATOR, 0, 0, &made), FAULT_NONE);
	assert_int_equal(digest_sha256(SPAN(made.token, strlen(made.token)), hash, NULL), FAULT_NONE);
	for (size_t i = 0; i < sizeof hash; i++)
		(void)snprintf(hex + 2 * i, 3, "%02X", hash[i]);
	assert_string_equal(registry_text(registry, "SELECT hex(hash) AS it FROM tokens"), hex);
	assert_string_equal(registry_text(registry, "SELECT actor || '|' || COALESCE(ca_handle, 'none') || '|' || COALESCE(ca_id, "
		"'none')"
		" || '|' || outcome || '|' || replace(detail, (SELECT token_id FROM tokens), 'ID') AS it FROM audit WHERE action "
		"= 'token.create'"),
		"the admin|none|none|done|operator \"a name\" (ID)");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM audit WHERE instr(detail, '%s') > 0",
		made.token + 26), 0);
}

static void
token_commands__no_other_text_is_a_token(void **state)
{
	struct registry *registry = *state;
	struct token_identity identity = { .ca_id = -1 };
	struct made made;
	char text[TOKEN_TEXT + 8];
	assert_int_equal(make(registry, &registry_admin, ROLE_ADMIN, 0, 0, &made), FAULT_NONE);
	for (size_t i = 0; i < strlen(made.token); i++) {
		memcpy(text, made.token, sizeof made.token);
		text[i] = (char)(text[i] == 'x' ? 'y' : 'x');
		assert_int_equal(identify(registry, text, &identity), FAULT_UNAUTHORIZED);
		text[i] = '\0';
		assert_int_equal(identify(registry, text, &identity), FAULT_UNAUTHORIZED);
	}
	(void)snprintf(text, sizeof text, "%sA", made.token);
	assert_int_equal(identify(registry, text, &identity), FAULT_UNAUTHORIZED);
	assert_string_equal(registry->fault.message, "the token is not valid");
	assert_int_equal(identity.ca_id, -1);
}

static void
token_commands__expires_at_its_instant(void **state)
{
	struct registry *registry = *state;
	struct token_identity identity;
	struct made made;
	assert_int_equal(make(registry, &registry_admin, ROLE_ADMIN, 0, REGISTRY_NOW, &made), FAULT_INVALID);
	assert_int_equal(make(registry, &registry_admin, ROLE_ADMIN, 0, REGISTRY_NOW + 60, &made), FAULT_NONE);
	clock_hand_set(&registry->clock, REGISTRY_NOW + 59);
	assert_int_equal(identify(registry, made.token, &identity), FAULT_NONE);
	clock_hand_set(&registry->clock, REGISTRY_NOW + 60);
	assert_int_equal(identify(registry, made.token, &identity), FAULT_UNAUTHORIZED);
	assert_string_equal(registry->fault.message, "the token is not valid");
}

static void
token_commands__revoked_is_revoked(void **state)
{
	struct registry *registry = *state;
	int64_t alpha = registry_member_id(registry, "alpha", ""), beta = registry_member_id(registry, "beta", "");
	struct token_identity identity;
	struct made made;
	assert_int_equal(make(registry, &registry_admin, ROLE_MEMBER, alpha, 0, &made), FAULT_NONE);
	/* Not under another CA, nor under none. */
	assert_int_equal(token_revoke(&registry->context, &registry_admin, beta, made.id, NULL), FAULT_NOT_FOUND);
	assert_int_equal(token_revoke(&registry->context, &registry_admin, 0, made.id, NULL), FAULT_NOT_FOUND);
	assert_int_equal(token_revoke(&registry->context, &registry_admin, alpha, "0000000000000000", NULL), FAULT_NOT_FOUND);
	assert_int_equal(token_revoke(&registry->context, &registry_admin, alpha, "", NULL), FAULT_NOT_FOUND);
	assert_int_equal(identify(registry, made.token, &identity), FAULT_NONE);
	assert_int_equal(token_revoke(&registry->context, &registry_admin, alpha, made.id, NULL), FAULT_NONE);
	assert_int_equal(identify(registry, made.token, &identity), FAULT_UNAUTHORIZED);
	/* Once more: it stays revoked since when it was. */
	clock_hand_set(&registry->clock, REGISTRY_NOW + 9);
	assert_int_equal(token_revoke(&registry->context, &registry_admin, alpha, made.id, NULL), FAULT_NONE);
	assert_int_equal(registry_number(registry, "SELECT revoked_at AS it FROM tokens"), REGISTRY_NOW);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM audit WHERE action = 'token.revoke' AND outcome = "
		"'done'"), 1);
}

static void
token_commands__roles_go_with_cas(void **state)
{
	struct registry *registry = *state;
	int64_t alpha = registry_member_id(registry, "alpha", "");
	struct made made;
	assert_int_equal(make(registry, &registry_admin, ROLE_MEMBER, 0, 0, &made), FAULT_INVALID);
	assert_int_equal(make(registry, &registry_admin, ROLE_MEMBER_READ, 0, 0, &made), FAULT_INVALID);
	assert_int_equal(make(registry, &registry_admin, ROLE_ADMIN, alpha, 0, &made), FAULT_INVALID);
	assert_int_equal(make(registry, &registry_admin, ROLE_MEMBER, 1, 0, &made), FAULT_INVALID);
	assert_int_equal(make(registry, &registry_admin, ROLE_MEMBER, 99, 0, &made), FAULT_NOT_FOUND);
	assert_int_equal(make(registry, &registry_admin, ROLE_OPERATOR, alpha, 0, &made), FAULT_NONE);
	assert_int_equal(make(registry, &registry_admin, ROLE_MEMBER_READ, alpha, 0, &made), FAULT_NONE);
	assert_int_equal(ca_delete(&registry->context, &registry_admin, alpha, NULL), FAULT_NONE);
	assert_int_equal(make(registry, &registry_admin, ROLE_MEMBER, alpha, 0, &made), FAULT_NOT_FOUND);
}

static void
token_commands__nobody_gives_more_than_he_has(void **state)
{
	struct registry *registry = *state;
	int64_t alpha = registry_member_id(registry, "alpha", ""), beta = registry_member_id(registry, "beta", "");
	struct actor member = registry_member(alpha);
	struct made made, admins;
	assert_int_equal(make(registry, &member, ROLE_OPERATOR, alpha, 0, &made), FAULT_FORBIDDEN);
	assert_int_equal(make(registry, &registry_operator, ROLE_ADMIN, 0, 0, &made), FAULT_FORBIDDEN);
	assert_int_equal(make(registry, &member, ROLE_MEMBER, beta, 0, &made), FAULT_NOT_FOUND);
	assert_int_equal(make(registry, &member, ROLE_MEMBER, alpha, 0, &made), FAULT_NONE);
	assert_int_equal(make(registry, &registry_admin, ROLE_ADMIN, 0, 0, &admins), FAULT_NONE);
	assert_int_equal(token_revoke(&registry->context, &registry_operator, 0, admins.id, NULL), FAULT_FORBIDDEN);
	assert_int_equal(token_revoke(&registry->context, &member, 0, admins.id, NULL), FAULT_NOT_FOUND);
	assert_int_equal(token_revoke(&registry->context, &member, alpha, made.id, NULL), FAULT_NONE);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM audit WHERE outcome = 'forbidden'"), 3);
}

static void
token_commands__names_are_one_line(void **state)
{
	struct registry *registry = *state;
	char name[NAME_MAX_LENGTH + 2];
	struct made made;
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	const char *const bad[] = { "", "a\nb", "\x7f", name };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(token_create(&registry->context, &registry_admin, bad[i], ROLE_ADMIN, 0, 0, made.id, made.token,
			NULL), FAULT_INVALID);
	name[NAME_MAX_LENGTH] = '\0';
	assert_int_equal(token_create(&registry->context, &registry_admin, name, ROLE_ADMIN, 0, 0, made.id, made.token, NULL),
		FAULT_NONE);
}

static void
token_commands__bounds_how_many_there_are(void **state)
{
	struct registry *registry = *state;
	int64_t alpha = registry_member_id(registry, "alpha", "");
	struct made made;
	registry_sql(registry, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999)"
		" INSERT INTO tokens SELECT 'x' || i, 'n', 'member', %" PRId64 ", X'00', 1, NULL, NULL FROM n", alpha);
	assert_int_equal(make(registry, &registry_admin, ROLE_MEMBER, alpha, 0, &made), FAULT_NONE);
	assert_int_equal(make(registry, &registry_admin, ROLE_MEMBER, alpha, 0, &made), FAULT_TOO_LARGE);
	assert_int_equal(make(registry, &registry_admin, ROLE_OPERATOR, 0, 0, &made), FAULT_NONE);
	registry_sql(registry, "UPDATE tokens SET expires_at = %" PRId64 " WHERE token_id = 'x1'", REGISTRY_NOW);
	assert_int_equal(make(registry, &registry_admin, ROLE_MEMBER, alpha, 0, &made), FAULT_NONE);
}

struct listed {
	char text[1024];
};

static enum fault_code
list_token(void *argument, const struct token_row *row, struct fault *fault)
{
	struct listed *listed = argument;
	size_t length = strlen(listed->text);
	(void)fault;
	(void)snprintf(listed->text + length, sizeof listed->text - length, "%s|%s|%s|%" PRId64 "|%" PRId64 "|%" PRId64 "\n",
		row->name,
		role_text(row->role), row->ca_handle != NULL ? row->ca_handle : "none", row->created_at, row->expires_at,
		row->revoked_at);
	return FAULT_NONE;
}

static void
token_commands__lists_those_of_a_ca_by_age(void **state)
{
	struct registry *registry = *state;
	int64_t alpha = registry_member_id(registry, "alpha", "");
	struct listed listed = { "" };
	struct made made;
	assert_int_equal(make(registry, &registry_admin, ROLE_MEMBER, alpha, 0, &made), FAULT_NONE);
	clock_hand_set(&registry->clock, REGISTRY_NOW + 1);
	assert_int_equal(make(registry, &registry_admin, ROLE_MEMBER_READ, alpha, REGISTRY_NOW + 60, &made), FAULT_NONE);
	assert_int_equal(token_revoke(&registry->context, &registry_admin, alpha, made.id, NULL), FAULT_NONE);
	assert_int_equal(make(registry, &registry_admin, ROLE_OPERATOR, 0, 0, &made), FAULT_NONE);
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	assert_int_equal(db_reader_acquire(registry->db, &connection, NULL), FAULT_NONE);
	assert_int_equal(token_view_list(connection, alpha, list_token, &listed, NULL), FAULT_NONE);
	assert_string_equal(listed.text,
		"a name|member|alpha|1767225600|0|0\na name|member-read|alpha|1767225601|1767225660|1767225601\n");
	listed.text[0] = '\0';
	assert_int_equal(token_view_list(connection, 0, list_token, &listed, NULL), FAULT_NONE);
	assert_string_equal(listed.text, "a name|operator|none|1767225601|0|0\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(token_commands__##name, registry_setup, registry_teardown)

/* Else nobody could administer the server any more. */
static void
token_commands__the_last_administrator_stays(void **state)
{
	struct registry *registry = *state;
	struct made first, second;
	assert_int_equal(make(registry, &registry_admin, ROLE_ADMIN, 0, 0, &first), FAULT_NONE);
	assert_int_equal(token_revoke(&registry->context, &registry_admin, 0, first.id, &registry->fault), FAULT_CONFLICT);
	assert_non_null(strstr(registry->fault.message, "the last token of an administrator"));
	/* One that has expired by then doesn't count. */
	assert_int_equal(make(registry, &registry_admin, ROLE_ADMIN, 0, REGISTRY_NOW + 60, &second), FAULT_NONE);
	clock_hand_set(&registry->clock, REGISTRY_NOW + 61);
	assert_int_equal(token_revoke(&registry->context, &registry_admin, 0, first.id, NULL), FAULT_CONFLICT);
	assert_int_equal(make(registry, &registry_admin, ROLE_ADMIN, 0, 0, &second), FAULT_NONE);
	assert_int_equal(token_revoke(&registry->context, &registry_admin, 0, first.id, NULL), FAULT_NONE);
	assert_int_equal(token_revoke(&registry->context, &registry_admin, 0, second.id, NULL), FAULT_CONFLICT);
	clock_hand_set(&registry->clock, REGISTRY_NOW);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_token_identifies_its_bearer),
		CASE(stores_the_hash_alone),
		CASE(no_other_text_is_a_token),
		CASE(expires_at_its_instant),
		CASE(revoked_is_revoked),
		CASE(the_last_administrator_stays),
		CASE(roles_go_with_cas),
		CASE(nobody_gives_more_than_he_has),
		CASE(names_are_one_line),
		CASE(bounds_how_many_there_are),
		CASE(lists_those_of_a_ca_by_age),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
