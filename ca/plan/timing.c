#include "ca/plan/timing.h"

#define HOUR_S INT64_C(3600)
#define DAY_S (24 * HOUR_S)

const struct timing timing_default = {
	.manifest_valid_s = 36 * HOUR_S,
	.manifest_spread_s = 4 * HOUR_S,
	.manifest_margin_s = 12 * HOUR_S,
	.object_valid_s = 365 * DAY_S,
	.object_spread_s = 182 * DAY_S,
	.object_margin_s = 28 * DAY_S,
	.ta_valid_s = 90 * DAY_S,
	.key_staging_s = DAY_S,
	.key_retiring_s = DAY_S,
};

uint64_t
timing_mix(uint64_t a, uint64_t b)
{
	uint64_t z = a + (b + 1) * UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

bool
timing_never_was(int64_t at, int64_t now_at)
{
	return at > now_at + TIMING_CLOCK_BACK_S;
}

static int64_t
part_of(int64_t spread_s, uint64_t random)
{
	return spread_s > 0 ? (int64_t)(random % (uint64_t)(spread_s + 1)) : 0;
}

int64_t
timing_manifest_end(const struct timing *timing, int64_t now_at, uint64_t random)
{
	return now_at + timing->manifest_valid_s + part_of(timing->manifest_spread_s, random);
}

int64_t
timing_first_end(const struct timing *timing, int64_t now_at, uint64_t random)
{
	return now_at + timing->object_valid_s - part_of(timing->object_spread_s, random);
}

int64_t
timing_next_end(const struct timing *timing, int64_t now_at, int64_t previous_end_at)
{
	bool due = timing_object_due(timing, previous_end_at) <= now_at;
	/* A recorded end beyond what we would give now comes from a clock or a setting that has gone: don't carry it on. */
	bool beyond = previous_end_at > now_at + timing->object_valid_s;
	return due || beyond ? now_at + timing->object_valid_s : previous_end_at;
}

int64_t
timing_manifest_due(const struct timing *timing, int64_t next_update_at)
{
	return next_update_at - timing->manifest_margin_s;
}

int64_t
timing_object_due(const struct timing *timing, int64_t not_after_at)
{
	return not_after_at - timing->object_margin_s;
}

int64_t
timing_ta_due(int64_t not_before_at, int64_t not_after_at)
{
	return not_before_at + (not_after_at - not_before_at) / 3 * 2;
}

int64_t
timing_late_s(const struct timing *timing)
{
	int64_t least_s = timing->ta_valid_s / 3;
	if (timing->manifest_margin_s < least_s)
		least_s = timing->manifest_margin_s;
	if (timing->object_margin_s < least_s)
		least_s = timing->object_margin_s;
	return least_s / 2;
}
