#include "ca/base/clock.h"

#include <inttypes.h>
#include <time.h>

static struct timespec
read_clock(clockid_t which)
{
	struct timespec now;
	INVARIANT(clock_gettime(which, &now) == 0);
	return now;
}

static int64_t
milliseconds(struct timespec time)
{
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/*
 * CLOCK_MONOTONIC stands still while the machine is suspended and the wall clock does not: after a night's sleep they would
 * differ though neither is wrong. CLOCK_BOOTTIME counts the sleep too.
 */
static int64_t
wall_minus_monotonic_ms(void)
{
	return milliseconds(read_clock(CLOCK_REALTIME)) - milliseconds(read_clock(CLOCK_BOOTTIME));
}

void
clock_init(struct clock *clock)
{
	*clock = (struct clock){ .offset_ms = wall_minus_monotonic_ms() };
}

void
clock_init_hand(struct clock *clock, int64_t at)
{
	*clock = (struct clock){ .by_hand = true, .hand_at = at };
}

void
clock_hand_set(struct clock *clock, int64_t at)
{
	INVARIANT(clock->by_hand);
	__atomic_store_n(&clock->hand_at, at, __ATOMIC_RELAXED);
}

int64_t
clock_now(const struct clock *clock)
{
	if (clock->by_hand)
		return __atomic_load_n(&clock->hand_at, __ATOMIC_RELAXED);
	return (int64_t)read_clock(CLOCK_REALTIME).tv_sec;
}

int64_t
clock_wall_ms(const struct clock *clock)
{
	return clock->by_hand ? clock_now(clock) * 1000 : milliseconds(read_clock(CLOCK_REALTIME));
}

int64_t
clock_monotonic_ms(void)
{
	return milliseconds(read_clock(CLOCK_MONOTONIC));
}

int64_t
clock_monotonic_us(void)
{
	struct timespec now = read_clock(CLOCK_MONOTONIC);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t
clock_thread_cpu_ns(void)
{
	struct timespec used = read_clock(CLOCK_THREAD_CPUTIME_ID);
	return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

enum fault_code
clock_check(const struct clock *clock, struct fault *fault)
{
	if (clock->by_hand)
		return FAULT_NONE; /* it knows no monotonic time that it could leave */
	int64_t away_ms = wall_minus_monotonic_ms() - __atomic_load_n(&clock->offset_ms, __ATOMIC_RELAXED);
	if (away_ms >= -CLOCK_STEP_LIMIT_S * 1000 && away_ms <= CLOCK_STEP_LIMIT_S * 1000)
		return FAULT_NONE;
	return fault_set(fault, FAULT_CLOCK, "the wall clock went %s by %" PRId64 " seconds while running",
		away_ms < 0 ? "back" : "forward", (away_ms < 0 ? -away_ms : away_ms) / 1000);
}

void
clock_confirm(struct clock *clock)
{
	if (!clock->by_hand)
		__atomic_store_n(&clock->offset_ms, wall_minus_monotonic_ms(), __ATOMIC_RELAXED);
}
