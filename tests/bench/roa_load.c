/*
 * roa_load DATA [CLIENTS [SECONDS]]: so many members change ROAs at once, each a CA and a connection of its own, as fast as they are
 * answered. An answer says that the change is kept. Connections are opened before the clock starts.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "ca/base/clock.h"
#include "tests/support/changer.h"
#include "tests/support/measures.h"

#define CLIENTS 64
#define SECONDS 5

struct load {
	const char *data;
	pthread_barrier_t start;
	int64_t seconds;
};

struct client {
	struct load *load;
	pthread_t thread;
	size_t number;
	struct measures answers;
	int64_t began_us, ended_us;
	enum fault_code code;
	struct fault fault;
};

static enum fault_code
change_on(struct client *client, struct changer *changer, struct fault *fault)
{
	double ms;
	int64_t until_ms = clock_monotonic_ms() + client->load->seconds * 1000;
	client->began_us = clock_monotonic_us();
	while (clock_monotonic_ms() < until_ms) {
		TRY(changer_change(changer, &ms, fault));
		TRY(measures_add(&client->answers, ms, fault));
	}
	client->ended_us = clock_monotonic_us();
	return FAULT_NONE;
}

static void *
run(void *argument)
{
	struct client *client = argument;
	AUTO(struct changer, changer_free) changer = NULL;
	double unused_ms;
	client->code = changer_open(client->load->data, client->number, &changer, &client->fault);
	if (client->code == FAULT_NONE)
		client->code = changer_change(changer, &unused_ms, &client->fault);
	(void)pthread_barrier_wait(&client->load->start);
	if (client->code == FAULT_NONE)
		client->code = change_on(client, changer, &client->fault);
	return NULL;
}

static enum fault_code
gather(struct client *clients, size_t count, struct measures *ret_all, double *ret_seconds, struct fault *fault)
{
	int64_t began_us = INT64_MAX, ended_us = 0;
	for (size_t i = 0; i < count; i++) {
		struct client *client = &clients[i];
		if (client->code != FAULT_NONE) {
			*fault = client->fault;
			return client->code;
		}
		for (size_t k = 0; k < client->answers.count; k++)
			TRY(measures_add(ret_all, client->answers.values[k], fault));
		began_us = client->began_us < began_us ? client->began_us : began_us;
		ended_us = client->ended_us > ended_us ? client->ended_us : ended_us;
	}
	*ret_seconds = (double)(ended_us - began_us) / 1e6;
	return FAULT_NONE;
}

int
main(int argc, char **argv)
{
	struct fault fault = FAULT_INIT;
	struct measures all = MEASURES_INIT;
	double seconds = 0;
	if (argc < 2) {
		fprintf(stderr, "usage: roa_load DATA [CLIENTS [SECONDS]]\n");
		return 2;
	}
	struct load load = { .data = argv[1] };
	size_t count = argc > 2 ? measures_argument(argv[2], CHANGERS_MAX) : CLIENTS;
	load.seconds = argc > 3 ? (int64_t)measures_argument(argv[3], 86400) : SECONDS;
	struct client *clients = calloc(count, sizeof *clients);
	INVARIANT(clients != NULL && pthread_barrier_init(&load.start, NULL, (unsigned)count) == 0);
	for (size_t i = 0; i < count; i++) {
		clients[i] = (struct client){ .load = &load, .number = i };
		INVARIANT(pthread_create(&clients[i].thread, NULL, run, &clients[i]) == 0);
	}
	for (size_t i = 0; i < count; i++)
		INVARIANT(pthread_join(clients[i].thread, NULL) == 0);
	enum fault_code code = gather(clients, count, &all, &seconds, &fault);
	if (code == FAULT_NONE) {
		measures_print("changes_answered_per_s", (double)all.count / seconds, "1/s");
		measures_print("changes_answered", (double)all.count, "changes");
		measures_print_times("change_answered_under_load", &all);
	}
	for (size_t i = 0; i < count; i++)
		measures_clear(&clients[i].answers);
	measures_clear(&all);
	pthread_barrier_destroy(&load.start);
	free(clients);
	return code == FAULT_NONE ? EXIT_SUCCESS : measures_fail(&fault);
}
