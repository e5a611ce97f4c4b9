/* check_json: a check's report as JSON, for the API, the command line and people. */
#ifndef API_SERVER_CHECK_JSON_H
#define API_SERVER_CHECK_JSON_H

#include <jansson.h>

#include "publish/check/check_report.h"

/* Faults: MEMORY. */
CHECKED enum fault_code check_json(const struct check_report *report, json_t **ret_json, struct fault *fault);

#endif
