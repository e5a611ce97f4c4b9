/*
 * roa_load DATA [CLIENTS [SECONDS [READERS [one]]]]: so many members change ROAs at once, each on a connection of its own, as fast as they
 * are answered; each is a CA of its own, or with "one" all are the same CA. An answer says that the change is kept. Beside them so many
 * readers ask for lists, of ROAs, of CAs and of what is published, as fast as they get them. Connections are opened before the clock starts.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/clock.h"
#include "tests/support/changer.h"
#include "tests/support/measures.h"

#define CLIENTS 64
#define SECONDS 5
#define READERS 4
#define READERS_MAX 100

/* NULL: the ROAs of the reader's own CA, which is one that changes. */
static const char *const lists[] = { NULL, "/api/v1/cas?limit=100", NULL, "/api/v1/publication" };

struct load {
	const char *data;
	pthread_barrier_t start;
	int64_t seconds;
	size_t clients;
	bool one;
};

/* A member that changes, or from the number of clients on, one that reads. */
struct client {
	struct load *load;
	pthread_t thread;
	size_t number;
	struct measures answers;
	int64_t began_us, ended_us;
	enum fault_code code;
	struct fault fault;
};

static bool
reads(const struct client *client)
{
	return client->number >= client->load->clients;
}

static enum fault_code
ask(const struct client *client, struct changer *changer, size_t turn, double *ret_ms, struct fault *fault)
{
	return reads(client) ? changer_read(changer, lists[turn % (sizeof lists / sizeof *lists)], ret_ms, fault) :
		changer_change(changer, ret_ms, fault);
}

static enum fault_code
ask_on(struct client *client, struct changer *changer, struct fault *fault)
{
	double ms;
	int64_t until_ms = clock_monotonic_ms() + client->load->seconds * 1000;
	client->began_us = clock_monotonic_us();
	for (size_t turn = 0; clock_monotonic_ms() < until_ms; turn++) {
		TRY(ask(client, changer, turn, &ms, fault));
		TRY(measures_add(&client->answers, ms, fault));
	}
	client->ended_us = clock_monotonic_us();
	return FAULT_NONE;
}

static void *
run(void *argument)
{
	struct client *client = argument;
	const struct load *load = client->load;
	AUTO(struct changer, changer_free) changer = NULL;
	double unused_ms;
	size_t number = client->number % load->clients;
	client->code = load->one ? changer_open_shared(load->data, number, &changer, &client->fault) :
		changer_open(load->data, number, &changer, &client->fault);
	if (client->code == FAULT_NONE)
		client->code = ask(client, changer, 0, &unused_ms, &client->fault);
	(void)pthread_barrier_wait(&client->load->start);
	if (client->code == FAULT_NONE)
		client->code = ask_on(client, changer, &client->fault);
	return NULL;
}

/* Of those that change, or of those that read. */
static enum fault_code
gather(struct client *clients, size_t count, bool reading, struct measures *ret_all, double *ret_per_s, struct fault *fault)
{
	int64_t began_us = INT64_MAX, ended_us = 0;
	for (size_t i = 0; i < count; i++) {
		struct client *client = &clients[i];
		if (client->code != FAULT_NONE) {
			*fault = client->fault;
			return client->code;
		}
		if (reads(client) != reading)
			continue;
		for (size_t k = 0; k < client->answers.count; k++)
			TRY(measures_add(ret_all, client->answers.values[k], fault));
		began_us = client->began_us < began_us ? client->began_us : began_us;
		ended_us = client->ended_us > ended_us ? client->ended_us : ended_us;
	}
	*ret_per_s = ended_us > began_us ? (double)ret_all->count * 1e6 / (double)(ended_us - began_us) : 0;
	return FAULT_NONE;
}

static enum fault_code
print(struct client *clients, size_t count, bool one, struct fault *fault)
{
	struct measures changes = MEASURES_INIT, lists_read = MEASURES_INIT;
	double changes_per_s = 0, lists_per_s = 0;
	enum fault_code code = gather(clients, count, false, &changes, &changes_per_s, fault);
	if (code == FAULT_NONE)
		code = gather(clients, count, true, &lists_read, &lists_per_s, fault);
	if (code == FAULT_NONE) {
		measures_print(one ? "changes_of_one_ca_answered_per_s" : "changes_answered_per_s", changes_per_s, "1/s");
		measures_print_times(one ? "change_of_one_ca_answered_under_load" : "change_answered_under_load", &changes);
	}
	if (code == FAULT_NONE) {
		measures_print(one ? "lists_read_beside_one_ca_per_s" : "lists_read_beside_per_s", lists_per_s, "1/s");
		measures_print_times(one ? "list_read_beside_one_ca" : "list_read_beside", &lists_read);
	}
	measures_clear(&changes);
	measures_clear(&lists_read);
	return code;
}

int
main(int argc, char **argv)
{
	struct fault fault = FAULT_INIT;
	if (argc < 2 || (argc > 5 && strcmp(argv[5], "one") != 0)) {
		fprintf(stderr, "usage: roa_load DATA [CLIENTS [SECONDS [READERS [one]]]]\n");
		return 2;
	}
	struct load load = { .data = argv[1], .one = argc > 5 };
	load.clients = argc > 2 ? measures_argument(argv[2], CHANGERS_MAX) : CLIENTS;
	load.seconds = argc > 3 ? (int64_t)measures_argument(argv[3], 86400) : SECONDS;
	size_t readers = argc > 4 ? measures_argument(argv[4], READERS_MAX) : READERS, count = load.clients + readers;
	struct client *clients = calloc(count, sizeof *clients);
	INVARIANT(clients != NULL && pthread_barrier_init(&load.start, NULL, (unsigned)count) == 0);
	for (size_t i = 0; i < count; i++) {
		clients[i] = (struct client){ .load = &load, .number = i };
		INVARIANT(pthread_create(&clients[i].thread, NULL, run, &clients[i]) == 0);
	}
	for (size_t i = 0; i < count; i++)
		INVARIANT(pthread_join(clients[i].thread, NULL) == 0);
	enum fault_code code = print(clients, count, load.one, &fault);
	for (size_t i = 0; i < count; i++)
		measures_clear(&clients[i].answers);
	pthread_barrier_destroy(&load.start);
	free(clients);
	return code == FAULT_NONE ? EXIT_SUCCESS : measures_fail(&fault);
}
