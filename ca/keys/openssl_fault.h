/* openssl_fault: what OpenSSL says about a failure, as a fault. For ca/keys and ca/der. Threads: safe. */
#ifndef CA_KEYS_OPENSSL_FAULT_H
#define CA_KEYS_OPENSSL_FAULT_H

#include "ca/base/fault.h"

/*
 * "<what>: <OpenSSL's reason>"; FAULT_MEMORY in place of `code` when memory ran out. Empties OpenSSL's queue of errors.
 * Returns the code.
 */
#define openssl_fault_set(fault, code, what) openssl_fault_set_at((fault), (code), __FILE__, __LINE__, (what))
enum fault_code openssl_fault_set_at(struct fault *fault, enum fault_code code, const char *file, int line, const char *what);

#endif
