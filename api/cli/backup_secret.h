/*
 * backup_secret: what a backup is encrypted with: a passphrase, from a file or asked for on the terminal, or the content of a key file.
 * Never an argument, where `ps` would show it.
 */
#ifndef API_CLI_BACKUP_SECRET_H
#define API_CLI_BACKUP_SECRET_H

#include <stdbool.h>

#include "ca/base/fault.h"
#include "ca/base/scope.h"
#include "ca/base/secret.h"

#define BACKUP_PASSPHRASE_MIN 8
#define BACKUP_PASSPHRASE_MAX 1024
#define BACKUP_KEY_MIN 32       /* bytes in a key file */
#define BACKUP_KEY_MAX 4096

/* The first line of a file. Faults: NOT_FOUND, INVALID (too short, too long), IO, MEMORY. */
CHECKED enum fault_code backup_secret_passphrase_file(const char *path, struct secret **ret_secret, struct fault *fault);
/* Asks on the terminal, twice if it is a new one. Faults: USAGE (no terminal; the two differ), INVALID, MEMORY. */
CHECKED enum fault_code backup_secret_ask(bool is_new, struct secret **ret_secret, struct fault *fault);
/* The whole file. Faults: NOT_FOUND, INVALID (too short), TOO_LARGE, IO, MEMORY. */
CHECKED enum fault_code backup_secret_key_file(const char *path, struct secret **ret_secret, struct fault *fault);

#endif
