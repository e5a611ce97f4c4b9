/*
 * http: HTTPS for the API and for the published files. The only module that knows the HTTP library.
 *
 * Few threads read requests and send answers, and never wait: a request that needs the database is handed to a worker and its
 * connection set aside until the reply is there. Bodies, headers, connections and times are bounded; a slow client costs a
 * connection and no more.
 *
 * What isn't HTTP at all (a broken request line, header fields beyond 64 KiB) the library answers by itself, in its own words.
 *
 * Threads: start and stop from one.
 */
#ifndef API_SERVER_HTTP_H
#define API_SERVER_HTTP_H

#include <stdint.h>

#include "api/server/config.h"
#include "api/server/dispatcher.h"
#include "ca/base/fault.h"

struct http_server;

/*
 * Listens and serves from here on. config, data_directory and dispatcher are borrowed until http_server_stop(). What kills left
 * of uploads is removed first. Faults: CONFLICT (port in use), CONFIG (certificate), INVALID (address), IO, MEMORY.
 */
CHECKED enum fault_code http_server_start(const struct config *config, int data_directory, struct dispatcher *dispatcher,
	struct http_server **ret_server, struct fault *fault);

int http_server_port(const struct http_server *server);

/*
 * Takes no new connections, answers what is being worked on, gives clients up to wait_ms to take their answers, then closes
 * everything and frees the server. NULL is harmless.
 */
void http_server_stop(struct http_server *server, int64_t wait_ms);

#endif
