/*
 * engine: a data directory at work: database, keys, reconciler, scheduler, publisher, imports, each started and stopped in the right
 * order. A composition root: it wires parts together and decides nothing. The HTTP side is put on top of it by main.c.
 *
 * Threads: open, start, stop and close from one thread; the rest from any.
 */
#ifndef API_SERVER_ENGINE_H
#define API_SERVER_ENGINE_H

#include <stdbool.h>

#include "api/server/ceremonies.h"
#include "api/server/config.h"
#include "ca/base/bytes.h"
#include "ca/base/clock.h"
#include "ca/commands/command.h"

struct engine;

/* What a data directory holds. */
#define ENGINE_DATABASE "cadastre.db"
#define ENGINE_IMPORTS "imports"
#define ENGINE_TEMPORARY "tmp"

/*
 * Takes the directory's lock and opens everything; starts no thread that changes anything. config is borrowed. Faults: LOCKED, NOT_FOUND,
 * SCHEMA, EPOCH (an older, emptied or foreign database), KEY (missing or wrong master key), CONFIG (URIs other than the database's), IO, DATABASE.
 */
CHECKED enum fault_code engine_open(const char *path, const struct config *config, struct engine **ret_engine, struct fault *fault);
/* Scheduler, publication and imports begin. */
CHECKED enum fault_code engine_start(struct engine *engine, struct fault *fault);
/* Without threads: reconciles, cuts and publishes (RRDP and rsync) until nothing is due. For init and for imports without a server. */
CHECKED enum fault_code engine_settle(struct engine *engine, struct fault *fault);
/* Ends what runs in the right order; everything acknowledged is kept. NULL is harmless. */
void engine_free(struct engine *engine);
SCOPED(struct engine, engine_free)

int engine_directory(const struct engine *engine);                     /* descriptor of the data directory */
const struct command_context *engine_context(const struct engine *engine);
struct clock *engine_clock(struct engine *engine);
/* An import was recorded: apply it. */
void engine_import_submitted(struct engine *engine);
/* health_tell(), as a handler_context wants it. */
bool engine_tell_health(void *engine, struct bytes *json);
/* FAULT_NONE when it does its work; else why not. */
enum fault_code engine_trouble(struct engine *engine, struct fault *ret_fault);

struct json_t;
/* The last report of the self-check. Faults: NOT_FOUND (none was made yet), MEMORY. */
CHECKED enum fault_code engine_check(void *engine, struct json_t **ret_json, struct fault *fault);
/* Ceremonies of an offline trust anchor: ca/jobs/ceremony.h says what they do and how they fail. */
CHECKED enum fault_code engine_ta_request(struct engine *engine, const struct actor *actor, int64_t after,
	struct ceremonies_request *ret_request, struct fault *fault);
CHECKED enum fault_code engine_ta_install(struct engine *engine, const struct actor *actor, struct span response,
	struct ceremonies_installed *ret_installed, struct fault *fault);

#endif
