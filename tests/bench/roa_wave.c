/*
 * roa_wave DATA MEMBERS [hold|withdraw]: so many members, each a CA of its own, change one ROA each, once, over 64 connections; ends when
 * all are answered. So no two changes are of one CA: none cancels another out, none shares a manifest or CRL with another. scripts/bench
 * takes from the server's own counters what it costs to issue them.
 *
 * Members that aren't there are made before, as many as there are. hold: says "ready" once all have looked at what they have, and waits
 * for a line or the end of the standard input, so that the counters of before the changes can be taken. withdraw: takes the ROAs of all
 * of them away, those of the CA that roa_load's clients share too, so that what is published is what was loaded.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/clock.h"
#include "tests/support/changer.h"
#include "tests/support/measures.h"

#define CLIENTS 64

struct wave {
	const char *data;
	size_t members, clients;
	pthread_barrier_t looked, start;
	bool withdraw, hold;
};

struct client {
	struct wave *wave;
	pthread_t thread;
	size_t number;
	int64_t asns[CHANGERS_MAX];      /* of the ROAs that its members have */
	int64_t began_us, ended_us;
	enum fault_code code;
	struct fault fault;
};

/* The members of a client are its number and every so many further on. */
static enum fault_code
look_at_members(struct client *client, struct changer *changer, struct fault *fault)
{
	for (size_t i = client->number; i < client->wave->members; i += client->wave->clients)
		TRY(changer_turn(changer, i, &client->asns[i], fault));
	return FAULT_NONE;
}

static enum fault_code
change_members(struct client *client, struct changer *changer, struct fault *fault)
{
	double unused_ms;
	client->began_us = clock_monotonic_us();
	for (size_t i = client->number; i < client->wave->members; i += client->wave->clients) {
		changer_turn_back(changer, i, client->asns[i]);
		TRY(client->wave->withdraw ? changer_withdraw(changer, fault) : changer_change(changer, &unused_ms, fault));
	}
	client->ended_us = clock_monotonic_us();
	return FAULT_NONE;
}

static enum fault_code
withdraw_shared(const struct client *client, struct fault *fault)
{
	AUTO(struct changer, changer_free) changer = NULL;
	TRY(changer_open_shared(client->wave->data, client->number, &changer, fault));
	return changer_withdraw(changer, fault);
}

static void *
run(void *argument)
{
	struct client *client = argument;
	AUTO(struct changer, changer_free) changer = NULL;
	client->code = changer_open(client->wave->data, client->number, &changer, &client->fault);
	if (client->code == FAULT_NONE)
		client->code = look_at_members(client, changer, &client->fault);
	(void)pthread_barrier_wait(&client->wave->looked);
	(void)pthread_barrier_wait(&client->wave->start);
	if (client->code == FAULT_NONE)
		client->code = change_members(client, changer, &client->fault);
	if (client->code == FAULT_NONE && client->wave->withdraw)
		client->code = withdraw_shared(client, &client->fault);
	return NULL;
}

static void
hold(void)
{
	int c;
	(void)puts("ready");
	(void)fflush(stdout);
	do
		c = getchar();
	while (c != EOF && c != '\n');
}

static int
tell(const struct client *clients, size_t count, size_t members)
{
	int64_t began_us = INT64_MAX, ended_us = 0;
	for (size_t i = 0; i < count; i++) {
		if (clients[i].code != FAULT_NONE)
			return measures_fail(&clients[i].fault);
		began_us = clients[i].began_us < began_us ? clients[i].began_us : began_us;
		ended_us = clients[i].ended_us > ended_us ? clients[i].ended_us : ended_us;
	}
	printf("%zu changes answered in %.0f ms\n", members, (double)(ended_us - began_us) / 1000);
	return EXIT_SUCCESS;
}

static bool
take_arguments(struct wave *wave, int argc, char **argv)
{
	if (argc < 3 || argc > 4)
		return false;
	wave->data = argv[1];
	wave->members = measures_argument(argv[2], CHANGERS_MAX);
	wave->clients = wave->members < CLIENTS ? wave->members : CLIENTS;
	wave->withdraw = argc == 4 && strcmp(argv[3], "withdraw") == 0;
	wave->hold = argc == 4 && strcmp(argv[3], "hold") == 0;
	return argc == 3 || wave->withdraw || wave->hold;
}

int
main(int argc, char **argv)
{
	struct wave wave = { .data = NULL };
	if (!take_arguments(&wave, argc, argv)) {
		fprintf(stderr, "usage: roa_wave DATA MEMBERS [hold|withdraw]\n");
		return 2;
	}
	unsigned meeting = (unsigned)wave.clients + 1;
	struct client *clients = calloc(wave.clients, sizeof *clients);
	INVARIANT(clients != NULL && pthread_barrier_init(&wave.looked, NULL, meeting) == 0);
	INVARIANT(pthread_barrier_init(&wave.start, NULL, meeting) == 0);
	for (size_t i = 0; i < wave.clients; i++) {
		clients[i].wave = &wave;
		clients[i].number = i;
		INVARIANT(pthread_create(&clients[i].thread, NULL, run, &clients[i]) == 0);
	}
	(void)pthread_barrier_wait(&wave.looked);
	if (wave.hold)
		hold();
	(void)pthread_barrier_wait(&wave.start);
	for (size_t i = 0; i < wave.clients; i++)
		INVARIANT(pthread_join(clients[i].thread, NULL) == 0);
	int status = tell(clients, wave.clients, wave.members);
	pthread_barrier_destroy(&wave.start);
	pthread_barrier_destroy(&wave.looked);
	free(clients);
	return status;
}
