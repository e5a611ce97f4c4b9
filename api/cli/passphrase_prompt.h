/* passphrase_prompt: a passphrase from a file's first line, or from the person at the terminal, unseen. */
#ifndef API_CLI_PASSPHRASE_PROMPT_H
#define API_CLI_PASSPHRASE_PROMPT_H

#include <stdbool.h>

#include "ca/base/fault.h"
#include "ca/base/secret.h"

/*
 * file NULL: asks at the terminal, twice where `twice` says so. Faults: NOT_FOUND, IO, USAGE (no terminal to ask at; the two differ),
 * INVALID (too long), MEMORY.
 */
CHECKED enum fault_code passphrase_prompt(const char *file, bool twice, struct secret **ret_passphrase, struct fault *fault);

#endif
