/*
 * local: what works on a data directory when no server runs on it: the command takes the directory's lock and runs the server's code.
 */
#ifndef API_CLI_LOCAL_H
#define API_CLI_LOCAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/base/secret.h"

/*
 * Loads a file as POST /api/v1/import/{kind} does, signs and publishes everything, and gives the report that GET /api/v1/imports/{id}
 * gives; an earlier import that was killed is brought to its end first. progress (may be NULL) is given that report, without its end, once
 * a second meanwhile, on a thread of its own. Faults: LOCKED (a server runs: use it), those of the file, the engine's.
 */
CHECKED enum fault_code local_import(const char *data, const char *kind, const char *file,
	void (*progress)(void *argument, const json_t *report), void *argument, json_t **ret_report, struct fault *fault);

/* `ta request` and `ta install` as POST /api/v1/ta/… do them; an installed response is published before it returns. Faults likewise. */
CHECKED enum fault_code local_ta_request(const char *data, int64_t after, json_t **ret_answer, struct fault *fault);
/*
 * Takes the trust anchor's key to a new directory, under a passphrase, and forgets it here. *ret_ends_at: before then the first ceremony
 * must be held. Faults: CONFLICT (the key is not here; the directory holds something), INVALID (the passphrase), LOCKED, KEY, IO, DISK.
 */
CHECKED enum fault_code local_ta_export(const char *data, const char *directory, const struct secret *passphrase, int64_t *ret_ends_at,
	struct fault *fault);
CHECKED enum fault_code local_ta_install(const char *data, struct span response, json_t **ret_answer, struct fault *fault);

/*
 * Plans a registry's file, or applies it, as POST /api/v1/registry/{plan,apply} do, and gives the same answer; what was applied is
 * signed and published too. accept may be NULL. Faults: LOCKED (a server runs: use it), those of registry_apply(), the engine's.
 */
CHECKED enum fault_code local_registry(const char *data, const char *file, bool apply, const char *accept, int64_t limit,
	json_t **ret_answer, struct fault *fault);

#endif
