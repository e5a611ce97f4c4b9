/*
 * vrp_json: the JSON half of vrp.h: an object with an array "roas". Whatever else it has is looked at only as far as JSON
 * demands.
 */
#ifndef CA_FEEDS_VRP_JSON_H
#define CA_FEEDS_VRP_JSON_H

#include "ca/feeds/feed.h"

/* As vrp_read(), but for the number of payloads, which is not bounded here. Faults: as there. */
CHECKED enum fault_code vrp_json_read(const char *path, feed_payload_fn give, void *argument, struct fault *fault);

#endif
