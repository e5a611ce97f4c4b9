#include "ca/commands/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ca/base/log.h"
#include "ca/base/memory.h"

enum fault_code
complaints_add(struct complaints *complaints, struct fault *fault, const char *list, size_t index, const char *field,
	const char *format, ...)
{
	if (complaints->count == COMPLAINTS_MAX) {
		complaints->total++;
		return FAULT_NONE;
	}
	TRY(memory_reserve(&complaints->items, &complaints->capacity, complaints->count + 1, sizeof *complaints->items, fault));
	struct complaint *complaint = &complaints->items[complaints->count++];
	*complaint = (struct complaint){ .list = list, .index = index, .field = field };
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(complaint->reason, sizeof complaint->reason, format, arguments);
	va_end(arguments);
	complaints->total++;
	return FAULT_NONE;
}

enum fault_code
complaints_check(const struct complaints *complaints, struct fault *fault)
{
	if (complaints->total == 0)
		return FAULT_NONE;
	const struct complaint *first = &complaints->items[0];
	return fault_set(fault, FAULT_INVALID, "%zu %s faulty; %s[%zu]%s%s: %s", complaints->total,
		complaints->total == 1 ? "entry is" : "entries are", first->list, first->index, first->field != NULL ? "." : "",
		first->field != NULL ? first->field : "", first->reason);
}

static int
compare_complaints(const void *a, const void *b)
{
	const struct complaint *x = a, *y = b;
	int order = strcmp(x->list, y->list);
	return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

void
complaints_sort(struct complaints *complaints)
{
	if (complaints->count > 1)
		qsort(complaints->items, complaints->count, sizeof *complaints->items, compare_complaints);
}

void
complaints_clear(struct complaints *complaints)
{
	free(complaints->items);
	*complaints = COMPLAINTS_INIT;
}

enum fault_code
command_check_handle(const char *handle, struct fault *fault)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	size_t length = strnlen(handle, HANDLE_MAX + 1);
	if (length == 0 || length > HANDLE_MAX || strspn(handle, allowed) != length)
		return fault_set(fault, FAULT_INVALID, "a handle is 1 to %d characters out of A-Z, a-z, 0-9, \"_\" and \"-\"",
			HANDLE_MAX);
	return FAULT_NONE;
}

enum fault_code
command_check_actor(const struct actor *actor, int64_t ca_id, struct fault *fault)
{
	if (actor->ca_id != 0 && actor->ca_id != ca_id)
		return fault_set(fault, FAULT_NOT_FOUND, "there is no such CA");
	return FAULT_NONE;
}

struct refusal {
	int64_t at;
	const struct actor *actor;
	const struct audit_event *event;
};

static enum fault_code
write_refusal(struct db_connection *connection, void *argument, struct fault *fault)
{
	const struct refusal *refusal = argument;
	return audit_write(connection, refusal->at, refusal->actor, refusal->event, fault);
}

void
command_audit_refusal(const struct command_context *context, const struct actor *actor, struct audit_event event,
	const struct fault *refusal)
{
	event.outcome = fault_type(refusal->code);
	event.detail = refusal->message;
	if (event.ca_handle != NULL && event.ca_handle[0] == '\0')
		event.ca_handle = NULL;
	struct refusal row = { .at = clock_now(context->clock), .actor = actor, .event = &event };
	struct fault fault = FAULT_INIT;
	if (db_write(context->db, write_refusal, &row, &fault) != FAULT_NONE)
		log_fault(LOG_WARNING, &fault, "a refused command could not be audited");
}

enum fault_code
command_run(const struct command_context *context, const struct actor *actor, const struct audit_event *event,
	db_change change, void *argument, struct fault *fault)
{
	struct fault own = FAULT_INIT;
	if (fault == NULL)
		fault = &own;
	enum fault_code code = db_write(context->db, change, argument, fault);
	if (code != FAULT_NONE)
		command_audit_refusal(context, actor, *event, fault);
	return code;
}

enum fault_code
command_run_due(const struct command_context *context, const struct actor *actor, const struct audit_event *event,
	db_change change, void *argument, struct fault *fault)
{
	TRY(command_run(context, actor, event, change, argument, fault));
	if (context->wake != NULL)
		context->wake(context->scheduler);
	return FAULT_NONE;
}
