/*
 * config_literals: numbers of a configuration file that libconfig would cut to 32 bits without a word: those that need an L
 * behind them.
 *
 * Threads: safe.
 */
#ifndef API_SERVER_CONFIG_LITERALS_H
#define API_SERVER_CONFIG_LITERALS_H

#include "ca/base/bytes.h"
#include "ca/base/fault.h"

/* Looks at numbers outside of texts and comments. Faults: CONFIG ("PATH:LINE: …"). */
CHECKED enum fault_code config_literals_check(const char *path, struct span text, struct fault *fault);

#endif
