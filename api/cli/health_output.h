/* health_output: what /health/ready tells, for a person: what is wrong first, then a line for each section. */
#ifndef API_CLI_HEALTH_OUTPUT_H
#define API_CLI_HEALTH_OUTPUT_H

#include <jansson.h>
#include <stdint.h>

/* health: the member of that name, or NULL. A section that this program doesn't know is shown as its members are named. */
void health_output(const json_t *health);

#define DURATION_TEXT 48
/* "45 s", "12 min", "5 h 20 min", "61 d 3 h"; with a "-" before it when it is negative. */
void health_output_duration(int64_t duration_s, char ret_text[DURATION_TEXT]);

#endif
