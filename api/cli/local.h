/*
 * local: what works on a data directory when no server runs on it: the command takes the directory's lock and runs the server's code.
 */
#ifndef API_CLI_LOCAL_H
#define API_CLI_LOCAL_H

#include <jansson.h>
#include <stdint.h>

#include "ca/base/fault.h"

/*
 * Loads a file as POST /api/v1/import/{kind} does, signs and publishes everything, and gives the report that GET /api/v1/imports/{id}
 * gives. progress (may be NULL) is told how many CAs are done. Faults: LOCKED (a server runs: use it), those of the file, the engine's.
 */
CHECKED enum fault_code local_import(const char *data, const char *kind, const char *file,
	void (*progress)(void *argument, int64_t done, int64_t total), void *argument, json_t **ret_report, struct fault *fault);

#endif
