#include "api/server/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "api/server/listen.h"
#include "api/server/tls.h"
#include "api/server/upload.h"
#include "ca/base/clock.h"
#include "ca/base/log.h"
#include "ca/base/memory.h"
#include "ca/base/metrics.h"
#include "ca/base/workers.h"
#include "ca/commands/import_commands.h"

#define CONNECTION_MEMORY 65536         /* header fields and buffers: more than request.h takes, so that there is an answer */
#define DISCARD_MAX (INT64_C(64) << 20) /* bytes of a refused body that are read, so that the client comes to see the answer */
#define SLOWEST INT64_C(8192)           /* bytes a second: a client slower than this on the whole is cut off */
#define SWEEP_MS 1000
#define LAST_ANSWERS_MS 1000            /* at the end, for what the workers answered last */
#define NEVER INT64_MAX
#define UNFRAMED INT64_C(-2)            /* as a length: nobody knows where the body ends */

/* A client's connection, in the list that the sweeper walks. */
struct connection {
	struct http_server *server;
	int socket;
	_Atomic int64_t deadline_ms;    /* clock_monotonic_ms(); NEVER while the server itself is to blame for the time */
	struct connection *previous, *next;
};

enum stage {
	STAGE_HEAD,                     /* nothing was looked at yet but the address */
	STAGE_ADMIT,                    /* a worker looks whether an upload may begin … */
	STAGE_ADMITTED,                 /* … it may */
	STAGE_REFUSED,                  /* … it may not: the reply is complete */
	STAGE_BODY,                     /* its body is being taken */
	STAGE_DISCARD,                  /* refused: the rest of the body is read and thrown away */
	STAGE_RUN,                      /* a worker has it */
	STAGE_DONE,                     /* the reply is complete */
};

/* One request and its reply. */
struct call {
	struct http_server *server;
	struct MHD_Connection *mhd;
	enum stage stage;
	struct fault refusal;           /* found while the head was read */
	unsigned needs;                 /* ROUTER_… */
	int64_t length;                 /* of the body; -1: its end tells; UNFRAMED */
	bool distrusted;                /* its head was malformed: the connection ends with the answer */
	int64_t received;
	struct request request;
	struct reply reply;
};

struct http_server {
	const struct config *config;
	int data_directory;
	struct dispatcher *dispatcher;
	struct tls *tls;
	struct workers *workers;
	struct MHD_Daemon *daemon;
	int socket, port;
	pthread_t sweeper;
	bool sweeping;                  /* the thread above was started */
	atomic_bool stopping;           /* no new connections */
	pthread_mutex_t lock;           /* guards all below */
	pthread_cond_t idle;            /* no call is left */
	pthread_cond_t end;
	struct connection *connections;
	size_t calls;
	bool closing;                   /* the workers get no more */
	bool ended;                     /* the sweeper is to go */
};

static struct connection *
connection_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info == NULL ? NULL : info->socket_context;
}

/* From now on the client has the usual time, and what it needs for so many bytes at the slowest. */
static void
set_deadline(struct MHD_Connection *mhd, int64_t bytes)
{
	struct connection *connection = connection_of(mhd);
	if (connection != NULL)
		connection->deadline_ms =
			clock_monotonic_ms() + connection->server->config->request_timeout_s * 1000 + bytes * 1000 / SLOWEST;
}

static void
stop_deadline(struct MHD_Connection *mhd)
{
	struct connection *connection = connection_of(mhd);
	if (connection != NULL)
		connection->deadline_ms = NEVER;
}

/* Connections come and go. */

static enum MHD_Result
accept_client(void *argument, const struct sockaddr *address, socklen_t length)
{
	const struct http_server *server = argument;
	(void)address;
	(void)length;
	return server->stopping ? MHD_NO : MHD_YES;
}

static void
add_connection(struct http_server *server, struct MHD_Connection *mhd, void **ret_context)
{
	struct connection *connection;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info == NULL || memory_new(1, sizeof *connection, &connection, NULL) != FAULT_NONE)
		return; /* a connection without it gets no certificate, and is closed */
	connection->server = server;
	connection->socket = info->connect_fd;
	connection->deadline_ms = clock_monotonic_ms() + server->config->request_timeout_s * 1000;
	(void)pthread_mutex_lock(&server->lock);
	connection->next = server->connections;
	if (connection->next != NULL)
		connection->next->previous = connection;
	server->connections = connection;
	(void)pthread_mutex_unlock(&server->lock);
	*ret_context = connection;
}

static void
remove_connection(struct http_server *server, struct connection *connection)
{
	if (connection == NULL)
		return;
	(void)pthread_mutex_lock(&server->lock);
	if (connection->previous != NULL)
		connection->previous->next = connection->next;
	else
		server->connections = connection->next;
	if (connection->next != NULL)
		connection->next->previous = connection->previous;
	(void)pthread_mutex_unlock(&server->lock);
	free(connection);
}

/* Closing is told before the descriptor is closed, so the sweeper never meets one that is somebody else's by now. */
static void
notify_connection(void *argument, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		add_connection(argument, mhd, context);
	else
		remove_connection(argument, *context);
}

/* Cuts off who is late: the library then finds the connection closed. Also looks after the certificate. */
static void *
sweep(void *argument)
{
	struct http_server *server = argument;
	(void)pthread_mutex_lock(&server->lock);
	while (!server->ended) {
		int64_t now_ms = clock_monotonic_ms();
		for (struct connection *connection = server->connections; connection != NULL; connection = connection->next) {
			if (connection->deadline_ms > now_ms)
				continue;
			connection->deadline_ms = NEVER;
			(void)shutdown(connection->socket, SHUT_RDWR);
		}
		(void)pthread_mutex_unlock(&server->lock);
		tls_refresh(server->tls);
		(void)pthread_mutex_lock(&server->lock);
		int64_t until_ms = now_ms + SWEEP_MS;
		struct timespec until = { .tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000 };
		while (!server->ended && pthread_cond_timedwait(&server->end, &server->lock, &until) != ETIMEDOUT)
			;
	}
	(void)pthread_mutex_unlock(&server->lock);
	return NULL;
}

static int
choose_certificate(gnutls_session_t session, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **ret_chain,
	unsigned *ret_count, gnutls_ocsp_data_st **ret_ocsp, unsigned *ret_ocsp_count, gnutls_privkey_t *ret_key,
	unsigned *ret_flags)
{
	(void)info;
	struct connection *connection = connection_of(gnutls_session_get_ptr(session));
	if (connection == NULL)
		return -1;
	*ret_ocsp = NULL;
	*ret_ocsp_count = 0;
	*ret_flags = GNUTLS_CERT_RETR_DEINIT_ALL;
	return tls_copy(connection->server->tls, ret_chain, ret_count, ret_key) == 0 ? 0 : -1;
}

/* Calls: one request each. */

static void
refuse(struct call *call, const struct fault *fault)
{
	dispatcher_refuse(&call->request, &call->reply, fault);
}

/* The first that is heard of a request: its address as sent, before the library takes it apart in its own way. */
static void *
begin_call(void *argument, const char *target, struct MHD_Connection *mhd)
{
	struct http_server *server = argument;
	struct call *call;
	if (memory_new(1, sizeof *call, &call, NULL) != FAULT_NONE)
		return NULL;
	*call = (struct call){
		.server = server,
		.mhd = mhd,
		.refusal = FAULT_INIT,
		.length = UNFRAMED,
		.request = REQUEST_INIT,
		.reply = REPLY_INIT(server->data_directory),
	};
	(void)pthread_mutex_lock(&server->lock);
	server->calls++;
	(void)pthread_mutex_unlock(&server->lock);
	set_deadline(mhd, 0);
	if (request_begin(&call->request, &call->refusal) == FAULT_NONE)
		(void)!request_set_target(&call->request, target, &call->refusal);
	return call;
}

static void
end_call(void *argument, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
	struct http_server *server = argument;
	struct call *call = *context;
	(void)code;
	if (call == NULL)
		return;
	*context = NULL;
	request_clear(&call->request, server->data_directory);
	reply_clear(&call->reply);
	free(call);
	set_deadline(mhd, 0);
	(void)pthread_mutex_lock(&server->lock);
	if (--server->calls == 0)
		(void)pthread_cond_broadcast(&server->idle);
	(void)pthread_mutex_unlock(&server->lock);
}

/* The first fault counts; the fields behind it are looked at all the same, as they may tell where the body ends. */
static enum MHD_Result
take_header(void *argument, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct call *call = argument;
	struct fault fault = FAULT_INIT;
	(void)kind;
	if (request_add_header(&call->request, name, value == NULL ? "" : value, &fault) != FAULT_NONE &&
		call->refusal.code == FAULT_NONE)
		call->refusal = fault;
	return MHD_YES;
}

/* Sending. */

static void
count_reply(const struct reply *reply)
{
	metrics_add(METRIC_REQUESTS, 1);
	if (reply->status >= 500)
		metrics_add(METRIC_REQUESTS_FAILED, 1);
	else if (reply->status >= 400)
		metrics_add(METRIC_REQUESTS_REFUSED, 1);
}

static struct MHD_Response *
response_from_descriptor(int *fd, int64_t length)
{
	struct MHD_Response *response = MHD_create_response_from_fd64((uint64_t)length, *fd);
	if (response != NULL)
		*fd = -1; /* the response closes it */
	return response;
}

/*
 * A 304 has no body, and must tell no length but that of what it didn't send (RFC 9110 §8.6). The library always tells one; rpki-client
 * 9.7 waits for so many bytes, and dies of it unless they are none.
 */
static struct MHD_Response *
make_response(struct reply *reply)
{
	static char nothing[] = "";
	struct bytes *memory = &reply->body.memory;
	if (reply->status == 304)
		return MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
	if (reply->constant != NULL)
		return MHD_create_response_from_buffer(strlen(reply->constant), (void *)(uintptr_t)reply->constant,
			MHD_RESPMEM_PERSISTENT);
	if (reply->fd >= 0)
		return response_from_descriptor(&reply->fd, reply->fd_length);
	if (reply->body.fd >= 0)
		return response_from_descriptor(&reply->body.fd, reply->body.length);
	if (memory->length == 0)
		return MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
	struct MHD_Response *response = MHD_create_response_from_buffer(memory->length, memory->data, MHD_RESPMEM_MUST_FREE);
	if (response != NULL)
		*memory = BYTES_INIT; /* the response frees it */
	return response;
}

/* Answers, as far as the library can; MHD_NO closes the connection. */
static enum MHD_Result
send_reply(struct call *call)
{
	struct reply *reply = &call->reply;
	int64_t length = reply_length(reply);
	struct MHD_Response *response = make_response(reply);
	if (response == NULL)
		return MHD_NO;
	enum MHD_Result result = MHD_YES;
	for (size_t i = 0; result == MHD_YES && i < reply->headers_count; i++)
		result = MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
	if (result == MHD_YES && (call->server->stopping || call->distrusted))
		result = MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	if (result == MHD_YES)
		result = MHD_queue_response(call->mhd, (unsigned)reply->status, response);
	MHD_destroy_response(response);
	count_reply(reply);
	set_deadline(call->mhd, length);
	return result;
}

/* Handing over to the workers. */

static void
work(void *argument)
{
	struct call *call = argument;
	struct http_server *server = call->server;
	if (call->stage == STAGE_ADMIT)
		call->stage = dispatcher_admit(server->dispatcher, &call->request, &call->reply) ? STAGE_ADMITTED : STAGE_REFUSED;
	else {
		dispatcher_run(server->dispatcher, &call->request, &call->reply);
		call->stage = STAGE_DONE;
	}
	MHD_resume_connection(call->mhd); /* from here on the call may be gone */
}

/* Sets the connection aside until a worker is done with the call. */
static enum MHD_Result
hand_over(struct call *call, enum stage stage)
{
	struct http_server *server = call->server;
	struct fault fault = FAULT_INIT;
	enum fault_code code = FAULT_NONE;
	stop_deadline(call->mhd);
	call->stage = stage;
	MHD_suspend_connection(call->mhd);
	(void)pthread_mutex_lock(&server->lock);
	if (server->closing)
		code = fault_set(&fault, FAULT_BUSY, "the server is stopping");
	else
		code = workers_submit(server->workers, work, call, &fault);
	(void)pthread_mutex_unlock(&server->lock);
	if (code != FAULT_NONE) {
		refuse(call, &fault);
		call->stage = stage == STAGE_ADMIT ? STAGE_REFUSED : STAGE_DONE;
		MHD_resume_connection(call->mhd);
	}
	return MHD_YES;
}

/* Taking a request. */

static bool
expects_continue(const struct call *call)
{
	return call->request.expect != NULL && strcasecmp(call->request.expect, "100-continue") == 0;
}

/*
 * The reply is there before the body is. A client that waits for 100 (Continue) is told at once; others are read to the end
 * first, as they would not look for an answer before, and would lose it with the connection.
 */
static enum MHD_Result
answer_early(struct call *call)
{
	if (expects_continue(call) || call->length > DISCARD_MAX || call->length == UNFRAMED) {
		call->stage = STAGE_DONE;
		return send_reply(call);
	}
	call->stage = STAGE_DISCARD;
	set_deadline(call->mhd, call->length < 0 ? 0 : call->length);
	return MHD_YES;
}

static int64_t
body_limit(const struct call *call)
{
	return (call->needs & ROUTER_TAKES_UPLOAD) != 0 ? IMPORT_FILE_MAX : call->server->config->body_max;
}

/* The client gets the time that its body needs. */
static enum MHD_Result
await_body(struct call *call)
{
	call->stage = STAGE_BODY;
	set_deadline(call->mhd, call->length < 0 ? body_limit(call) : call->length);
	return MHD_YES;
}

static enum fault_code
read_head(struct call *call, const char *method, const char *version, struct fault *fault)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(call->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	request_set_method(&call->request, method);
	request_set_peer(&call->request, info == NULL ? NULL : info->client_addr);
	(void)MHD_get_connection_values(call->mhd, MHD_HEADER_KIND, take_header, call);
	call->distrusted = true;
	TRY(request_check_head(&call->request, version, &call->length, fault));
	if (call->refusal.code != FAULT_NONE) {
		*fault = call->refusal;
		return fault->code;
	}
	call->distrusted = false;
	call->needs = dispatcher_needs(&call->request);
	if (call->length > body_limit(call))
		return fault_set(fault, FAULT_TOO_LARGE, "the body has %lld bytes, but must not have more than %lld",
			(long long)call->length, (long long)body_limit(call));
	return FAULT_NONE;
}

static enum MHD_Result
take_head(struct call *call, const char *method, const char *version)
{
	struct fault fault = FAULT_INIT;
	if (read_head(call, method, version, &fault) != FAULT_NONE) {
		refuse(call, &fault);
		return answer_early(call);
	}
	return (call->needs & ROUTER_TAKES_UPLOAD) != 0 ? hand_over(call, STAGE_ADMIT) : await_body(call);
}

static enum fault_code
keep_body(struct call *call, const char *data, size_t length, struct fault *fault)
{
	if ((call->needs & ROUTER_TAKES_UPLOAD) != 0)
		return upload_write(&call->request.upload, data, length, IMPORT_FILE_MAX, fault);
	if (call->request.body.length + length > (size_t)call->server->config->body_max)
		return fault_set(fault, FAULT_TOO_LARGE, "the body has more than %lld bytes",
			(long long)call->server->config->body_max);
	return bytes_append(&call->request.body, data, length, fault);
}

/* A part of the body. That of an upload goes straight into its file: into the page cache, that is, not to the disk. */
static enum MHD_Result
take_body(struct call *call, const char *data, size_t *length)
{
	struct fault fault = FAULT_INIT;
	call->received += (int64_t)*length;
	if (call->stage == STAGE_DISCARD && call->received > DISCARD_MAX)
		return MHD_NO;
	if (call->stage == STAGE_BODY && keep_body(call, data, *length, &fault) != FAULT_NONE) {
		refuse(call, &fault);
		call->stage = STAGE_DISCARD;
	}
	*length = 0;
	return MHD_YES;
}

/* All of the request is here, or its reply is. */
static enum MHD_Result
finish(struct call *call)
{
	if (call->stage == STAGE_BODY && (call->needs & ROUTER_AT_ONCE) == 0)
		return hand_over(call, STAGE_RUN);
	if (call->stage == STAGE_BODY)
		dispatcher_run(call->server->dispatcher, &call->request, &call->reply);
	call->stage = STAGE_DONE;
	return send_reply(call);
}

/* The library calls at the head, for each part of the body, at its end, and again after a connection was set aside. */
static enum MHD_Result
handle(void *argument, struct MHD_Connection *mhd, const char *url, const char *method, const char *version, const char *data,
	size_t *length, void **context)
{
	struct call *call = *context;
	(void)argument;
	(void)mhd;
	(void)url;
	if (call == NULL)
		return MHD_NO;
	if (*length > 0)
		return take_body(call, data, length);
	switch (call->stage) {
	case STAGE_HEAD:
		return take_head(call, method, version);
	case STAGE_ADMITTED:
		return await_body(call);
	case STAGE_REFUSED:
		return answer_early(call);
	case STAGE_BODY:
	case STAGE_DISCARD:
	case STAGE_DONE:
		return finish(call);
	case STAGE_ADMIT:
	case STAGE_RUN:
		break;
	}
	return MHD_NO;
}

/* Start and stop. */

static void
log_library(void *argument, const char *format, va_list arguments)
{
	char line[512];
	(void)argument;
	int length = vsnprintf(line, sizeof line, format, arguments);
	if (length > 0)
		log_write(LOG_DEBUG, "http: %.*s", (int)strcspn(line, "\n"), line);
}

static enum fault_code
start_daemon(struct http_server *server, struct fault *fault)
{
	const struct config *config = server->config;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	/* clang-format off */
	server->daemon = MHD_start_daemon(flags, 0, accept_client, server, handle, server,
		MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL,
		MHD_OPTION_LISTEN_SOCKET, server->socket,
		MHD_OPTION_THREAD_POOL_SIZE, (unsigned)config->http_threads,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)config->connections_max,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)config->connections_per_address,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)config->request_timeout_s,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_URI_LOG_CALLBACK, begin_call, server,
		MHD_OPTION_NOTIFY_COMPLETED, end_call, server,
		MHD_OPTION_NOTIFY_CONNECTION, notify_connection, server,
		MHD_OPTION_HTTPS_PRIORITIES, TLS_PRIORITIES,
		MHD_OPTION_HTTPS_CERT_CALLBACK2, choose_certificate,
		MHD_OPTION_END);
	/* clang-format on */
	if (server->daemon == NULL)
		return fault_set(fault, FAULT_IO, "the HTTP library can't be started");
	server->socket = -1; /* the library closes it */
	return FAULT_NONE;
}

static enum fault_code
start_threads(struct http_server *server, struct fault *fault)
{
	TRY(workers_new("api", (size_t)server->config->workers, (size_t)server->config->connections_max, &server->workers,
		fault));
	TRY(start_daemon(server, fault));
	int error = pthread_create(&server->sweeper, NULL, sweep, server);
	if (error != 0)
		return fault_set(fault, FAULT_MEMORY, "can't start a thread: %s", strerror(error));
	server->sweeping = true;
	(void)pthread_setname_np(server->sweeper, "http-sweep");
	return FAULT_NONE;
}

static enum fault_code
new_server(const struct config *config, int data_directory, struct dispatcher *dispatcher, struct http_server **ret_server,
	struct fault *fault)
{
	pthread_condattr_t attributes;
	struct http_server *server;
	TRY(memory_new(1, sizeof *server, &server, fault));
	server->config = config;
	server->data_directory = data_directory;
	server->dispatcher = dispatcher;
	server->socket = -1;
	(void)pthread_mutex_init(&server->lock, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&server->idle, &attributes);
	(void)pthread_cond_init(&server->end, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	*ret_server = server;
	return FAULT_NONE;
}

static void
stop_at_once(struct http_server *server)
{
	http_server_stop(server, 0);
}
SCOPED(struct http_server, stop_at_once)

enum fault_code
http_server_start(const struct config *config, int data_directory, struct dispatcher *dispatcher, struct http_server **ret_server,
	struct fault *fault)
{
	AUTO(struct http_server, stop_at_once) server = NULL;
	sigset_t all, before;
	TRY(upload_clean(data_directory, fault));
	TRY(new_server(config, data_directory, dispatcher, &server, fault));
	TRY(tls_new(data_directory, config->tls_certificate, config->tls_key, &server->tls, fault));
	TRY(listen_open(config->listen, &server->socket, &server->port, fault));
	/* Signals are the main thread's to take: the threads start with all of them blocked. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	enum fault_code code = start_threads(server, fault);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (code != FAULT_NONE)
		return code;
	*ret_server = MOVE(server);
	return FAULT_NONE;
}

int
http_server_port(const struct http_server *server)
{
	return server->port;
}

/* Until no call is left, or for so long. */
static void
wait_for_calls(struct http_server *server, int64_t wait_ms)
{
	int64_t until_ms = clock_monotonic_ms() + wait_ms;
	struct timespec until = { .tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000 };
	int error = 0;
	(void)pthread_mutex_lock(&server->lock);
	while (server->calls > 0 && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&server->idle, &server->lock, &until);
	(void)pthread_mutex_unlock(&server->lock);
}

/* The library must not be stopped while a connection is set aside: so first the workers end, which gives all of them back. */
static void
stop_calls(struct http_server *server, int64_t wait_ms)
{
	wait_for_calls(server, wait_ms);
	(void)pthread_mutex_lock(&server->lock);
	server->closing = true;
	(void)pthread_mutex_unlock(&server->lock);
	workers_free(server->workers);
	wait_for_calls(server, wait_ms < LAST_ANSWERS_MS ? wait_ms : LAST_ANSWERS_MS);
}

static void
stop_sweeper(struct http_server *server)
{
	(void)pthread_mutex_lock(&server->lock);
	server->ended = true;
	(void)pthread_cond_broadcast(&server->end);
	(void)pthread_mutex_unlock(&server->lock);
	if (server->sweeping)
		(void)pthread_join(server->sweeper, NULL);
}

void
http_server_stop(struct http_server *server, int64_t wait_ms)
{
	if (server == NULL)
		return;
	server->stopping = true;
	stop_calls(server, wait_ms);
	MHD_stop_daemon(server->daemon);
	stop_sweeper(server);
	descriptor_close(&server->socket);
	tls_free(server->tls);
	(void)pthread_cond_destroy(&server->idle);
	(void)pthread_cond_destroy(&server->end);
	(void)pthread_mutex_destroy(&server->lock);
	free(server);
}
