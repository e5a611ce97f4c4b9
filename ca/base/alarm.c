#include "ca/base/alarm.h"

#include <time.h>

#include "ca/base/clock.h"

void
alarm_init(struct alarm *alarm)
{
	pthread_condattr_t attributes;
	*alarm = (struct alarm){ .woken = false };
	pthread_mutex_init(&alarm->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&alarm->condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

void
alarm_clear(struct alarm *alarm)
{
	pthread_cond_destroy(&alarm->condition);
	pthread_mutex_destroy(&alarm->mutex);
}

void
alarm_wake(struct alarm *alarm)
{
	pthread_mutex_lock(&alarm->mutex);
	alarm->woken = true;
	pthread_cond_signal(&alarm->condition);
	pthread_mutex_unlock(&alarm->mutex);
}

void
alarm_stop(struct alarm *alarm)
{
	pthread_mutex_lock(&alarm->mutex);
	alarm->stop = alarm->woken = true;
	pthread_cond_signal(&alarm->condition);
	pthread_mutex_unlock(&alarm->mutex);
}

bool
alarm_wait(struct alarm *alarm, int64_t wait_ms)
{
	int64_t until_ms = clock_monotonic_ms() + wait_ms;
	struct timespec until = { .tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000 };
	int timed_out = 0;
	pthread_mutex_lock(&alarm->mutex);
	while (!alarm->woken && timed_out == 0 && !alarm->stop) {
		if (wait_ms < 0)
			pthread_cond_wait(&alarm->condition, &alarm->mutex);
		else
			timed_out = pthread_cond_timedwait(&alarm->condition, &alarm->mutex, &until);
	}
	alarm->woken = false;
	bool go_on = !alarm->stop;
	pthread_mutex_unlock(&alarm->mutex);
	return go_on;
}
