/*
 * clock: the only reader of the time. Instants are UTC seconds since 1970 in 64 bits (names end in _at), durations end in _s
 * or _ms.
 *
 * A struct clock is passed to whatever needs the time, so tests set it by hand. Threads: safe.
 */
#ifndef CA_BASE_CLOCK_H
#define CA_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/base/fault.h"

struct clock {
	int64_t hand_at;            /* with by_hand: the time that clock_now() tells */
	bool by_hand;
	int64_t offset_ms;          /* wall minus monotonic, when the clock was last known to be right */
};

/* How far the wall clock may leave the monotonic one while running before signing stops (design rule 12). */
#define CLOCK_STEP_LIMIT_S 120

void clock_init(struct clock *clock);                    /* the system's clock */
void clock_init_hand(struct clock *clock, int64_t at);   /* a clock for tests, that stands */
void clock_hand_set(struct clock *clock, int64_t at);

int64_t clock_now(const struct clock *clock);            /* UTC seconds */
int64_t clock_wall_ms(const struct clock *clock);        /* UTC milliseconds */
int64_t clock_monotonic_ms(void);                        /* for durations and time-outs only */
int64_t clock_monotonic_us(void);                        /* for what takes less than that */
int64_t clock_thread_cpu_ns(void);                       /* CPU time of the calling thread */

/*
 * FAULT_CLOCK, saying by how many seconds, while the wall clock has left the monotonic one by more than CLOCK_STEP_LIMIT_S.
 * A clock by hand is always right.
 */
CHECKED enum fault_code clock_check(const struct clock *clock, struct fault *fault);
/* An operator says that the wall clock is right as it is now. */
void clock_confirm(struct clock *clock);

#endif
