#include "api/server/imports.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/server/engine.h"
#include "ca/base/log.h"
#include "ca/base/memory.h"
#include "ca/commands/import_commands.h"
#include "ca/base/alarm.h"
#include "db/stores/import_store.h"

#define LOOK_MS (60 * 1000)
#define RETRY_MS 1000
#define RETRY_MAX_MS (30 * 1000)
#define FILE_WAIT_MS 2000
#define FILE_LOOK_MS 50

struct imports {
	const struct command_context *context;
	const char *path;
	struct alarm alarm;
	pthread_t thread;
	bool started;
};

enum fault_code
imports_next(const struct command_context *context, char ret_id[IMPORT_ID_SIZE], struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	TRY(db_reader_acquire(context->db, &connection, fault));
	return import_store_open(connection, ret_id, fault);
}

/* A fault of the file has ended the import and stands in its row; what is left to report here is ours. */
static bool
fault_of_file(enum fault_code code)
{
	return code == FAULT_MALFORMED || code == FAULT_INVALID || code == FAULT_TOO_LARGE || code == FAULT_NOT_FOUND ||
		code == FAULT_RESOURCE_CONFLICT || code == FAULT_CONFLICT || code == FAULT_FORBIDDEN;
}

/* An import is recorded a moment before its file gets its name. */
static enum fault_code
wait_for_file(struct imports *imports, const char *id, struct fault *fault)
{
	AUTO(char, free) file = NULL;
	TRY(memory_printf(&file, fault, "%s/%s/%s", imports->path, ENGINE_IMPORTS, id));
	for (int64_t waited_ms = 0; access(file, F_OK) != 0 && waited_ms < FILE_WAIT_MS && !imports->alarm.stop; waited_ms += FILE_LOOK_MS)
		(void)alarm_wait(&imports->alarm, FILE_LOOK_MS);
	return FAULT_NONE;
}

enum fault_code
imports_apply(const struct command_context *context, const char *path, const char *id, const atomic_bool *stop, struct fault *fault)
{
	AUTO(char, free) file = NULL;
	TRY(memory_printf(&file, fault, "%s/%s/%s", path, ENGINE_IMPORTS, id));
	enum fault_code code = import_apply(context, id, file, stop, fault);
	if (code != FAULT_NONE && !fault_of_file(code))
		return code;
	if (code != FAULT_NONE)
		log_fault(LOG_WARNING, fault, "an import's file");
	if (unlink(file) != 0 && errno != ENOENT)
		log_write(LOG_WARNING, "removing %s: %s", file, strerror(errno));
	return FAULT_NONE;
}

/* "<id>", or "<id>.tmp-…": a copy that was cut off. What else stands there is somebody else's. */
static bool
is_of_import(const char *name)
{
	size_t length = strspn(name, "0123456789abcdef-");
	return length == IMPORT_ID_SIZE - 1 && (name[length] == '\0' || strncmp(name + length, ".tmp-", strlen(".tmp-")) == 0);
}

/* Asked for each file once its name is known: one that gets its file meanwhile was recorded before. */
static enum fault_code
remove_unless_open(const struct command_context *context, int directory, const char *name, struct fault *fault)
{
	char id[IMPORT_ID_SIZE];
	TRY(imports_next(context, id, fault));
	if (strcmp(name, id) != 0 && unlinkat(directory, name, 0) != 0 && errno != ENOENT)
		log_write(LOG_WARNING, "removing %s/%s: %s", ENGINE_IMPORTS, name, strerror(errno));
	return FAULT_NONE;
}

enum fault_code
imports_clean(const struct command_context *context, const char *path, struct fault *fault)
{
	AUTO(char, free) directory = NULL;
	enum fault_code code = FAULT_NONE;
	TRY(memory_printf(&directory, fault, "%s/%s", path, ENGINE_IMPORTS));
	DIR *listing = opendir(directory);
	if (listing == NULL)
		return errno == ENOENT ? FAULT_NONE : fault_set_errno(fault, errno, "listing %s", directory);
	for (const struct dirent *entry; code == FAULT_NONE && (entry = readdir(listing)) != NULL;)
		if (is_of_import(entry->d_name))
			code = remove_unless_open(context, dirfd(listing), entry->d_name, fault);
	(void)closedir(listing);
	return code;
}

static enum fault_code
step(struct imports *imports, struct fault *fault)
{
	char id[IMPORT_ID_SIZE];
	for (;;) {
		TRY(import_finish(imports->context, fault));
		TRY(imports_next(imports->context, id, fault));
		if (id[0] == '\0' || imports->alarm.stop)
			return FAULT_NONE;
		TRY(wait_for_file(imports, id, fault));
		TRY(imports_apply(imports->context, imports->path, id, &imports->alarm.stop, fault));
	}
}

bool
imports_tried(struct imports_tries *tries, enum fault_code code)
{
	bool again = tries->code != FAULT_NONE && code != FAULT_NONE, news = code != tries->code;
	int64_t longer_ms = again ? 2 * tries->wait_ms : RETRY_MS;
	tries->code = code;
	tries->wait_ms = code == FAULT_NONE ? LOOK_MS : longer_ms < RETRY_MAX_MS ? longer_ms : RETRY_MAX_MS;
	return news;
}

static void *
run(void *argument)
{
	struct imports *imports = argument;
	struct imports_tries tries = { .wait_ms = 0 };
	struct fault left = FAULT_INIT;
	if (imports_clean(imports->context, imports->path, &left) != FAULT_NONE)
		log_fault(LOG_WARNING, &left, "removing what imports left");
	while (alarm_wait(&imports->alarm, tries.wait_ms)) {
		struct fault fault = FAULT_INIT;
		enum fault_code code = step(imports, &fault);
		if (imports->alarm.stop || !imports_tried(&tries, code))
			continue;
		if (code != FAULT_NONE)
			log_fault(LOG_ERROR, &fault, "importing");
		else
			log_write(LOG_INFO, "importing goes on");
	}
	return NULL;
}

enum fault_code
imports_new(const struct command_context *context, const char *path, struct imports **ret_imports, struct fault *fault)
{
	struct imports *imports;
	TRY(memory_new(1, sizeof *imports, &imports, fault));
	imports->context = context;
	imports->path = path;
	alarm_init(&imports->alarm);
	*ret_imports = imports;
	return FAULT_NONE;
}

enum fault_code
imports_start(struct imports *imports, struct fault *fault)
{
	int error = pthread_create(&imports->thread, NULL, run, imports);
	if (error != 0)
		return fault_set_errno(fault, error, "starting the imports' thread");
	imports->started = true;
	return FAULT_NONE;
}

void
imports_wake(struct imports *imports)
{
	if (imports != NULL)
		alarm_wake(&imports->alarm);
}

void
imports_free(struct imports *imports)
{
	if (imports == NULL)
		return;
	alarm_stop(&imports->alarm);
	if (imports->started)
		pthread_join(imports->thread, NULL);
	alarm_clear(&imports->alarm);
	free(imports);
}
