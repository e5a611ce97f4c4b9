/*
 * tls: the listener's certificate and key, read from PEM files and read again when these change, without a restart.
 *
 * A pair that can't be read or doesn't fit together is logged once and the one before stays in use.
 *
 * Threads: safe.
 */
#ifndef API_SERVER_TLS_H
#define API_SERVER_TLS_H

#include <gnutls/abstract.h>

#include "ca/base/fault.h"
#include "ca/base/scope.h"

#define TLS_FILE_MAX 1048576            /* bytes of a PEM file */
#define TLS_CHAIN_MAX 16                /* certificates in the chain */

/* TLS 1.2 and 1.3 with GnuTLS's usual choice of ciphers. */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct tls;

/*
 * Paths are relative to data_directory, or absolute. Faults: CONFIG (missing, unreadable, no pair: says which and why), IO,
 * MEMORY.
 */
CHECKED enum fault_code tls_new(int data_directory, const char *certificate_path, const char *key_path, struct tls **ret_tls,
	struct fault *fault);
void tls_free(struct tls *tls);
SCOPED(struct tls, tls_free)

/* Looks whether the files changed (size, time, inode) and reads them if so. To be called about once a second. */
void tls_refresh(struct tls *tls);

/*
 * Copies for one handshake, which GnuTLS frees (GNUTLS_CERT_RETR_DEINIT_ALL): a reload in between does them no harm. 0, or a
 * GnuTLS error.
 */
int tls_copy(struct tls *tls, gnutls_pcert_st **ret_chain, unsigned *ret_count, gnutls_privkey_t *ret_key);

#endif
