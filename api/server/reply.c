#include "api/server/reply.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/server/json_writer.h"
#include "ca/base/log.h"
#include "ca/base/memory.h"

#define TITLE_MAX 64

void
reply_clear(struct reply *reply)
{
	spool_clear(&reply->body);
	descriptor_close(&reply->fd);
	*reply = REPLY_INIT(-1);
}

static void
reset_body(struct reply *reply)
{
	spool_reset(&reply->body);
	descriptor_close(&reply->fd);
	reply->constant = NULL;
}

void
reply_reset(struct reply *reply)
{
	reset_body(reply);
	reply->status = 200;
	reply->headers_count = 0;
}

static struct reply_header *
find_header(const struct reply *reply, const char *name)
{
	for (size_t i = 0; i < reply->headers_count; i++) {
		if (strcmp(reply->headers[i].name, name) == 0)
			return (struct reply_header *)((uintptr_t)&reply->headers[i]);
	}
	return NULL;
}

void
reply_header(struct reply *reply, const char *name, const char *format, ...)
{
	struct reply_header *header = find_header(reply, name);
	if (header == NULL) {
		INVARIANT(reply->headers_count < REPLY_HEADERS_MAX);
		header = &reply->headers[reply->headers_count++];
		header->name = name;
	}
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(header->value, sizeof header->value, format, arguments);
	va_end(arguments);
	INVARIANT(length >= 0 && (size_t)length < sizeof header->value);
	for (const char *at = header->value; *at != '\0'; at++)
		INVARIANT((unsigned char)*at >= ' ' && *at != '\x7f');
}

static void
remove_header(struct reply *reply, const char *name)
{
	struct reply_header *header = find_header(reply, name);
	if (header != NULL)
		*header = reply->headers[--reply->headers_count];
}

const char *
reply_header_value(const struct reply *reply, const char *name)
{
	const struct reply_header *header = find_header(reply, name);
	return header == NULL ? NULL : header->value;
}

int64_t
reply_length(const struct reply *reply)
{
	if (reply->constant != NULL)
		return (int64_t)strlen(reply->constant);
	return reply->fd >= 0 ? reply->fd_length : reply->body.length;
}

/* "not-found" as a title: "Not found" (RFC 9457 §3.1.3: the same for each occurrence of a type). */
static void
make_title(enum fault_code code, char title[TITLE_MAX])
{
	(void)snprintf(title, TITLE_MAX, "%s", fault_type(code));
	title[0] = (char)toupper((unsigned char)title[0]);
	for (char *at = title; *at != '\0'; at++) {
		if (*at == '-')
			*at = ' ';
	}
}

/* By list, then index, then as they came. Complaints stand in one array, so their addresses tell how they came. */
static int
compare_complaints(const void *left, const void *right)
{
	const struct complaint *a = *(const struct complaint *const *)left, *b = *(const struct complaint *const *)right;
	int order = strcmp(a->list, b->list);
	if (order != 0)
		return order;
	if (a->index != b->index)
		return a->index < b->index ? -1 : 1;
	return (a > b) - (a < b);
}

static void
write_complaints(struct json_writer *writer, const struct complaints *complaints)
{
	AUTO(const struct complaint *, free) sorted = NULL;
	if (memory_new(complaints->count, sizeof *sorted, &sorted, &writer->failure) != FAULT_NONE)
		return;
	for (size_t i = 0; i < complaints->count; i++)
		sorted[i] = &complaints->items[i];
	qsort(sorted, complaints->count, sizeof *sorted, compare_complaints);
	json_writer_array(writer, "errors");
	for (size_t i = 0; i < complaints->count; i++) {
		json_writer_object(writer, NULL);
		bool listed = sorted[i]->list[0] != '\0';
		json_writer_text(writer, "list", listed ? sorted[i]->list : NULL);
		if (listed)
			json_writer_number(writer, "index", (int64_t)sorted[i]->index);
		else
			json_writer_text(writer, "index", NULL);
		json_writer_text(writer, "field", sorted[i]->field);
		json_writer_text(writer, "reason", sorted[i]->reason);
		json_writer_end(writer);
	}
	json_writer_end(writer);
	json_writer_number(writer, "errors_total", (int64_t)complaints->total);
}

/* What went wrong inside may name paths and rows: that is for the log. */
static const char *
detail_of(const struct fault *fault)
{
	if (fault_http_status(fault->code) < 500 || fault->code == FAULT_BUSY)
		return fault->message;
	return fault_may_retry(fault->code) ? "The server can't do this now." : "The server could not do this; its log says why.";
}

static enum fault_code
write_problem(struct reply *reply, const struct fault *fault, const struct reply_context *context, struct fault *failure)
{
	char type[TITLE_MAX], title[TITLE_MAX], instance[TITLE_MAX];
	struct json_writer writer;
	make_title(fault->code, title);
	(void)snprintf(type, sizeof type, REPLY_TYPE_PREFIX "%s", fault_type(fault->code));
	(void)snprintf(instance, sizeof instance, "urn:uuid:%.40s", context->request_id != NULL ? context->request_id : "");
	json_writer_begin(&writer, &reply->body);
	json_writer_object(&writer, NULL);
	json_writer_text(&writer, "type", type);
	json_writer_text(&writer, "title", title);
	json_writer_number(&writer, "status", reply->status);
	json_writer_text(&writer, "detail", detail_of(fault));
	if (context->request_id != NULL)
		json_writer_text(&writer, "instance", instance);
	json_writer_text(&writer, "hint", fault_hint(fault->code));
	if (context->complaints != NULL && context->complaints->total > 0)
		write_complaints(&writer, context->complaints);
	if (context->health != NULL)
		json_writer_json(&writer, "health", context->health);
	if (context->extension != NULL && context->extension->write != NULL)
		context->extension->write(context->extension->argument, &writer);
	json_writer_end(&writer);
	TRY(json_writer_check(&writer, failure));
	return spool_finish(&reply->body, failure);
}

/* Once per failed request. A server that is busy is no error of the server; that it is not ready is asked all the time. */
static void
log_failure(const struct fault *fault, const struct reply_context *context)
{
	char what[400];
	if (context->health != NULL)
		return;
	(void)snprintf(what, sizeof what, "request %.40s by %.100s on CA %.100s failed",
		context->request_id != NULL ? context->request_id : "-", context->actor != NULL ? context->actor : "-",
		context->ca_handle != NULL ? context->ca_handle : "-");
	log_fault(fault->code == FAULT_BUSY ? LOG_WARNING : LOG_ERROR, fault, what);
}

void
reply_problem(struct reply *reply, const struct fault *fault, const struct reply_context *context)
{
	INVARIANT(fault->code != FAULT_NONE);
	reset_body(reply);
	remove_header(reply, "Location");
	remove_header(reply, "ETag");
	reply->status = fault_http_status(fault->code);
	if (reply->status >= 500)
		log_failure(fault, context);
	reply_header(reply, "Content-Type", "application/problem+json");
	if (fault->code == FAULT_BUSY && reply_header_value(reply, "Retry-After") == NULL)
		reply_header(reply, "Retry-After", "1");
	/* The answer is small and stays in memory; with none left a constant has to do. */
	if (write_problem(reply, fault, context, NULL) != FAULT_NONE) {
		reset_body(reply);
		reply->constant = "{\"type\":\"about:blank\"}";
	}
}
