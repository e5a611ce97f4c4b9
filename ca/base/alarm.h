/*
 * alarm: a thread's waiting place: it sleeps until somebody wakes it, a time has come, or it is to stop. A wake is never lost.
 *
 * Threads: one waits, any may wake.
 */
#ifndef CA_BASE_ALARM_H
#define CA_BASE_ALARM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct alarm {
	pthread_mutex_t mutex;
	pthread_cond_t condition;
	bool woken;
	atomic_bool stop;
};

void alarm_init(struct alarm *alarm);
void alarm_clear(struct alarm *alarm);
void alarm_wake(struct alarm *alarm);
void alarm_stop(struct alarm *alarm);
/* Returns after wait_ms, sooner when woken; a negative wait is for ever. false: it is to stop. */
bool alarm_wait(struct alarm *alarm, int64_t wait_ms);

#endif
