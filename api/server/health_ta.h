/* health_ta: the section "ta" of health: how the next ceremony of a trust anchor on its own machine stands. */
#ifndef API_SERVER_HEALTH_TA_H
#define API_SERVER_HEALTH_TA_H

#include "api/server/health.h"

/* A health_tell_fn; self is not used. */
CHECKED enum fault_code health_ta_tell(void *self, struct health_report *report, struct fault *fault);

#endif
