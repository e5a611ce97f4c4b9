/*
 * log: one line on stderr per event: time, level, words. Never a key, a token or DER. Control characters are escaped.
 *
 * Layers below the job loop and the HTTP replies return faults and log only at LOG_DEBUG. Threads: safe, lines are whole.
 */
#ifndef CA_BASE_LOG_H
#define CA_BASE_LOG_H

#include "ca/base/fault.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level);        /* what is less urgent is not printed; LOG_INFO at start */
void log_write(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);
void log_fault(enum log_level level, const struct fault *fault, const char *what); /* "what: message (type, file:line)" */

#endif
