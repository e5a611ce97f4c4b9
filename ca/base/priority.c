#include "ca/base/priority.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#define LOWEST_NICE 19

void
priority_step_back(void)
{
	const struct sched_param parameters = { .sched_priority = 0 };
	if (pthread_setschedparam(pthread_self(), SCHED_IDLE, &parameters) != 0)
		(void)setpriority(PRIO_PROCESS, (id_t)gettid(), LOWEST_NICE); /* of this thread alone, on Linux */
}
