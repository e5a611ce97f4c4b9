/*
 * client: calls the REST API over HTTPS (libcurl). Keeps one connection open.
 *
 * Threads: one at a time.
 */
#ifndef API_CLI_CLIENT_H
#define API_CLI_CLIENT_H

#include <jansson.h>
#include <stdint.h>

#include "api/cli/arguments.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"

struct client;

SCOPED(json_t, json_decref)

#define CLIENT_ANSWER_MAX (512 << 20) /* bytes of one answer */

/* Which server and which token: from the options, the environment, or the data directory. Faults: USAGE, NOT_FOUND, IO, MEMORY. */
CHECKED enum fault_code client_open(const struct arguments *arguments, struct client **ret_client, struct fault *fault);
void client_free(struct client *client);
SCOPED(struct client, client_free)

/* The last answer's problem, for a person: every faulty entry, the hint. NULL when there was none. Borrowed. */
const json_t *client_problem(const struct client *client);

/*
 * One call. body: JSON or NULL. *ret_answer: what came, NULL for an empty answer. Faults: NETWORK; for a refusal, the fault that its type
 * names, with its detail.
 */
CHECKED enum fault_code client_call(struct client *client, const char *method, const char *path, const json_t *body, json_t **ret_answer,
	struct fault *fault);

/* Sends a file as it is; progress (may be NULL) is told how many bytes went. Faults as above; NOT_FOUND, IO. */
CHECKED enum fault_code client_upload(struct client *client, const char *path, const char *file,
	void (*progress)(void *argument, int64_t sent, int64_t total), void *argument, json_t **ret_answer, struct fault *fault);

/* A path segment or query value with everything escaped that needs it; to be freed. Faults: MEMORY. */
CHECKED enum fault_code client_escape(struct client *client, const char *text, char **ret_escaped, struct fault *fault);

#endif
