/*
 * cadastred: the server. One process, one data directory: `cadastred --data DIR`.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "api/handlers/handler.h"
#include "api/server/config.h"
#include "api/server/dispatcher.h"
#include "api/server/engine.h"
#include "api/server/http.h"
#include "ca/base/log.h"
#include "ca/base/memory.h"

/* How long clients get to take their answers when the server stops. */
#define GRACE_MS 2000

enum { EXIT_DONE, EXIT_FAILED, EXIT_USAGE };

static void
print_help(void)
{
	puts("Usage: cadastred --data DIR\n"
	     "\n"
	     "Runs the RPKI certificate authority whose data directory is DIR (made by `cadastre init`), in the foreground,\n"
	     "with its log on the standard error. SIGTERM and SIGINT stop it.\n"
	     "\n"
	     "  --data DIR    the data directory; its settings are in DIR/" CONFIG_FILE "\n"
	     "  --settings    print what can be set in that file, and end\n"
	     "  --help        print this, and end\n"
	     "\n"
	     "The manual is cadastred(8).");
}

static int
print_settings(void)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	if (config_print_help(&text, NULL) != FAULT_NONE)
		return EXIT_FAILED;
	fputs(bytes_text(&text), stdout);
	return EXIT_DONE;
}

static void
import_submitted(void *argument, const char *id)
{
	(void)id;
	engine_import_submitted(argument);
}

static enum fault_code
ta_request(void *argument, const struct actor *actor, int64_t after, struct ceremonies_request *ret_request, struct fault *fault)
{
	return engine_ta_request(argument, actor, after, ret_request, fault);
}

static enum fault_code
ta_install(void *argument, const struct actor *actor, struct span response, struct ceremonies_installed *ret_installed,
	struct fault *fault)
{
	return engine_ta_install(argument, actor, response, ret_installed, fault);
}

/* Signals are taken by sigwait() alone; every thread started from here on has them blocked. */
static void
block_signals(sigset_t *ret_signals)
{
	sigemptyset(ret_signals);
	sigaddset(ret_signals, SIGTERM);
	sigaddset(ret_signals, SIGINT);
	sigprocmask(SIG_BLOCK, ret_signals, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static enum fault_code
serve(const char *path, const struct config *config, const sigset_t *signals, struct fault *fault)
{
	AUTO(struct engine, engine_free) engine = NULL;
	AUTO(struct dispatcher, dispatcher_free) dispatcher = NULL;
	struct http_server *server = NULL;
	int received = 0;
	TRY(engine_open(path, config, &engine, fault));
	struct handler_context context = {
		.db = engine_context(engine)->db, .commands = engine_context(engine), .config = config, .clock = engine_clock(engine),
		.confirmable_clock = engine_clock(engine),
		.data_directory = engine_directory(engine), .engine = engine, .ready = engine_tell_health, .import_submitted = import_submitted,
		.check = engine_check,
		.ta_request = ta_request, .ta_install = ta_install,
	};
	TRY(dispatcher_new(&context, &dispatcher, fault));
	TRY(http_server_start(config, engine_directory(engine), dispatcher, &server, fault));
	enum fault_code code = engine_start(engine, fault);
	if (code == FAULT_NONE) {
		log_write(LOG_INFO, "ready: data directory %s, port %d", path, http_server_port(server));
		(void)sigwait(signals, &received);
		log_write(LOG_INFO, "stopping: signal %d", received);
	}
	http_server_stop(server, GRACE_MS);
	return code;
}

static int
run(const char *path)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
	AUTO(char, free) file = NULL;
	struct fault fault = FAULT_INIT;
	sigset_t signals;
	block_signals(&signals);
	umask(077);
	if (memory_printf(&file, &fault, "%s/%s", path, CONFIG_FILE) != FAULT_NONE ||
		config_load(file, &config, &fault) != FAULT_NONE) {
		log_fault(LOG_ERROR, &fault, "reading the settings");
		return EXIT_FAILED;
	}
	log_set_level(config.log_level);
	if (serve(path, &config, &signals, &fault) != FAULT_NONE) {
		log_fault(LOG_ERROR, &fault, "starting");
		return EXIT_FAILED;
	}
	log_write(LOG_INFO, "stopped");
	return EXIT_DONE;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "data", required_argument, NULL, 'd' }, { "settings", no_argument, NULL, 's' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *path = NULL;
	for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
		switch (option) {
		case 'd':
			path = optarg;
			break;
		case 's':
			return print_settings();
		case 'h':
			print_help();
			return EXIT_DONE;
		default:
			return EXIT_USAGE;
		}
	}
	if (path == NULL || optind != argc) {
		fputs("cadastred: --data DIR is needed, and nothing else: see cadastred --help\n", stderr);
		return EXIT_USAGE;
	}
	return run(path);
}
