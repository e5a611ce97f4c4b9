/*
 * Requests as they come from outside: target, method, header fields, body, in that order, as lines; an empty line ends the
 * fields. What is understood of them is written as JSON and must be JSON again.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "api/auth/bearer.h"
#include "api/handlers/resources_json.h"
#include "api/handlers/roa_change_json.h"
#include "api/handlers/roa_json.h"
#include "api/server/json_body.h"
#include "api/server/json_writer.h"
#include "api/server/precondition.h"
#include "api/server/request.h"
#include "api/server/router.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX 65536

/* Everything that a header field goes through. */
static void
read_fields(const struct request *request)
{
	const char *token;
	bool matches;
	int64_t length;
	(void)!bearer_token(request->authorization, &token, NULL);
	(void)!precondition_match(request->if_match, 7, &matches, NULL);
	(void)precondition_any(request->if_match);
	(void)precondition_unchanged(request->if_none_match, "\"7\"");
	(void)precondition_not_modified(request->if_modified_since, 1767225600);
	(void)precondition_takes_gzip(request->accept_encoding);
	(void)!json_body_check_type(request->content_type, NULL);
	(void)!request_check_head(request, "HTTP/1.1", &length, NULL);
}

static void
read_target(struct request *request, const char *target, const char *method)
{
	const struct route *route;
	struct router_match match;
	struct complaints complaints = COMPLAINTS_INIT;
	unsigned allowed;
	int64_t number;
	bool truth;
	request_set_method(request, method);
	if (request_set_target(request, target, NULL) != FAULT_NONE)
		return;
	if (router_find(request, &route, &match, &allowed, NULL) == FAULT_NONE)
		(void)!router_check_parameters(route, request, &complaints, NULL);
	(void)!request_parameter_number(request, "limit", 1, 1000, 1, &number, NULL);
	(void)!request_parameter_truth(request, "dry_run", &truth, NULL);
	complaints_clear(&complaints);
}

/* Whatever was written is read by another parser. */
static void
check_written(struct json_writer *writer)
{
	if (json_writer_check(writer, NULL) != FAULT_NONE)
		return;
	json_t *json =
		json_loadb((const char *)writer->spool->memory.data, writer->spool->memory.length, JSON_REJECT_DUPLICATES, NULL);
	INVARIANT(json != NULL);
	json_decref(json);
}

static void
write_entries(struct json_writer *writer, const char *name, const struct roa_change_entries *entries)
{
	json_writer_array(writer, name);
	for (size_t i = 0; i < entries->count; i++) {
		json_writer_object(writer, NULL);
		roa_json_payload(writer, &entries->items[i].payload, entries->items[i].comment);
		json_writer_end(writer);
	}
	json_writer_end(writer);
}

static void
read_body(struct span body)
{
	AUTO(json_t, json_body_free) document = NULL;
	AUTO_CLEAR(struct complaints, complaints_clear) complaints = COMPLAINTS_INIT;
	AUTO_CLEAR(struct roa_change_lists, roa_change_json_clear) lists = ROA_CHANGE_LISTS_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) resources = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct spool, spool_clear) spool = SPOOL_INIT(-1);
	struct json_writer writer;
	struct fault fault = FAULT_INIT;
	if (json_body_parse(body, &document, &fault) != FAULT_NONE)
		return;
	(void)!roa_change_json_read(document, &lists, &complaints, &fault);
	(void)!resources_json_read(document, &resources, &complaints, &fault);
	(void)!json_body_check(&complaints, &fault);
	json_writer_begin(&writer, &spool);
	json_writer_object(&writer, NULL);
	write_entries(&writer, "added", &lists.added);
	write_entries(&writer, "removed", &lists.removed);
	resources_json_write(&writer, "resources", &resources);
	json_writer_text(&writer, "fault", fault.message);
	json_writer_end(&writer);
	check_written(&writer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request request = REQUEST_INIT;
	if (size > INPUT_MAX)
		return 0;
	char *text = malloc(size + 1);
	if (text == NULL)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	char *rest = text;
	char *target = strsep(&rest, "\n");
	char *method = rest == NULL ? NULL : strsep(&rest, "\n");
	if (method != NULL)
		read_target(&request, target, method);
	for (char *line; rest != NULL && *(line = strsep(&rest, "\n")) != '\0';) {
		char *value = strchr(line, ':');
		if (value != NULL)
			*value++ = '\0';
		(void)!request_add_header(&request, line, value == NULL ? "" : value + strspn(value, " "), NULL);
	}
	read_fields(&request);
	if (rest != NULL)
		read_body(SPAN(data + (rest - text), size - (size_t)(rest - text)));
	request_clear(&request, -1);
	free(text);
	return 0;
}
