#include "ca/audit/audit.h"

#include <stdio.h>
#include <string.h>

#include "db/stores/audit_store.h"

#define DETAIL_MAX 500 /* bytes of a row's detail */

static const char *const role_texts[ROLES] = {
	[ROLE_MEMBER_READ] = "member-read",
	[ROLE_MEMBER] = "member",
	[ROLE_OPERATOR] = "operator",
	[ROLE_ADMIN] = "admin",
};

const char *
role_text(enum role role)
{
	return role_texts[role];
}

bool
role_parse(const char *text, enum role *ret_role)
{
	for (int role = 0; role < ROLES; role++) {
		if (strcmp(role_texts[role], text) == 0) {
			*ret_role = (enum role)role;
			return true;
		}
	}
	return false;
}

/* Shortens to DETAIL_MAX bytes without cutting a UTF-8 character in two, and makes one line of it. */
static const char *
one_line(const char *detail, char line[DETAIL_MAX + 1])
{
	if (detail == NULL)
		return NULL;
	size_t length = strnlen(detail, DETAIL_MAX + 1);
	if (length > DETAIL_MAX) {
		length = DETAIL_MAX;
		while (length > 0 && ((unsigned char)detail[length] & 0xc0) == 0x80)
			length--;
	}
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)detail[i];
		line[i] = c < 0x20 || c == 0x7f ? ' ' : detail[i];
	}
	line[length] = '\0';
	return line;
}

enum fault_code
audit_write(struct db_connection *connection, int64_t at, const struct actor *actor, const struct audit_event *event,
	struct fault *fault)
{
	char line[DETAIL_MAX + 1];
	struct audit_record record = {
		.at = at,
		.actor = actor->name,
		.token_id = actor->token_id,
		.action = event->action,
		.ca_id = event->ca_id,
		.ca_handle = event->ca_handle,
		.outcome = event->outcome,
		.detail = one_line(event->detail, line),
		.request_id = actor->request_id,
	};
	return audit_store_insert(connection, &record, fault);
}
