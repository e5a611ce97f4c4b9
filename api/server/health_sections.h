/*
 * health_sections: what a server tells of its issuing and its publication: what waits, what is late, what expires, what was set aside.
 * Read from the database each time: nothing here can go stale. Sections of other parts are added where those are made.
 *
 * Threads: as health.h says.
 */
#ifndef API_SERVER_HEALTH_SECTIONS_H
#define API_SERVER_HEALTH_SECTIONS_H

#include "api/server/config.h"
#include "api/server/health.h"

/* config: borrowed for as long as health lives. */
void health_sections_add(struct health *health, const struct config *config);

/*
 * How bad it is that something with that margin (what is left when it is made anew) has only left_s until it expires: nothing while
 * half of the margin is left; then the worse the less there is, a failure below min_s. Pure. false: nothing to find.
 */
bool health_sections_expiry_level(int64_t left_s, int64_t margin_s, int64_t min_s, enum health_level *ret_level);
/* The same for renewals that are late by late_s, a failure from max_s on; allowed_s: what is no lateness at all. */
bool health_sections_late_level(int64_t late_s, int64_t allowed_s, int64_t max_s, enum health_level *ret_level);

#endif
