#include "db/readers.h"

#include <pthread.h>

#include "ca/base/memory.h"

struct readers {
	char *path;
	pthread_mutex_t mutex;
	pthread_cond_t returned;
	struct db_connection *idle; /* the one used last comes first: its cache is warm */
	size_t in_use;
};

enum fault_code
readers_new(const char *path, struct readers **ret_readers, struct fault *fault)
{
	AUTO(struct readers, free) readers = NULL;
	TRY(memory_new(1, sizeof *readers, &readers, fault));
	TRY(memory_copy_string(path, &readers->path, fault));
	INVARIANT(pthread_mutex_init(&readers->mutex, NULL) == 0);
	INVARIANT(pthread_cond_init(&readers->returned, NULL) == 0);
	*ret_readers = MOVE(readers);
	return FAULT_NONE;
}

void
readers_free(struct readers *readers)
{
	if (readers == NULL)
		return;
	INVARIANT(readers->in_use == 0);
	while (readers->idle != NULL) {
		struct db_connection *connection = readers->idle;
		readers->idle = connection->next;
		connection_close(connection);
	}
	(void)pthread_cond_destroy(&readers->returned);
	(void)pthread_mutex_destroy(&readers->mutex);
	free(readers->path);
	free(readers);
}

/* Takes a place, waiting for one if need be, and an idle connection if there is one. */
static struct db_connection *
take(struct readers *readers)
{
	pthread_mutex_lock(&readers->mutex);
	while (readers->in_use == READERS_MAX)
		pthread_cond_wait(&readers->returned, &readers->mutex);
	readers->in_use++;
	struct db_connection *connection = readers->idle;
	if (connection != NULL)
		readers->idle = connection->next;
	pthread_mutex_unlock(&readers->mutex);
	return connection;
}

/* Gives the place back, and the connection (NULL: there is none, or it is of no more use). */
static void
give_back(struct readers *readers, struct db_connection *connection)
{
	pthread_mutex_lock(&readers->mutex);
	if (connection != NULL) {
		connection->next = readers->idle;
		readers->idle = connection;
	}
	readers->in_use--;
	pthread_cond_signal(&readers->returned);
	pthread_mutex_unlock(&readers->mutex);
}

static enum fault_code
open_reader(struct readers *readers, struct db_connection **ret_connection, struct fault *fault)
{
	AUTO(struct db_connection, connection_close) connection = NULL;
	TRY(connection_open(readers->path, &connection, fault));
	TRY(connection_configure(connection, CONNECTION_READER, fault));
	connection->readers = readers;
	*ret_connection = MOVE(connection);
	return FAULT_NONE;
}

enum fault_code
readers_acquire(struct readers *readers, struct db_connection **ret_connection, struct fault *fault)
{
	struct db_connection *connection = take(readers);
	enum fault_code code = connection == NULL ? open_reader(readers, &connection, fault) : FAULT_NONE;
	if (code == FAULT_NONE)
		code = connection_order(connection, ORDER_BEGIN_READ, fault);
	if (code == FAULT_NONE)
		code = connection_order(connection, ORDER_FIX_VIEW, fault);
	if (code != FAULT_NONE) {
		connection_close(connection);
		give_back(readers, NULL);
		return code;
	}
	*ret_connection = connection;
	return FAULT_NONE;
}

void
readers_release(struct db_connection *connection)
{
	INVARIANT(connection->stmts_in_use == 0); /* one left would hold on to its view */
	struct readers *readers = connection->readers;
	connection_abandon(connection);
	give_back(readers, connection);
}
