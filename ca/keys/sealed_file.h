/*
 * sealed_file: a stream of bytes of any length, encrypted and authenticated as a whole, under a passphrase or the content of a key file.
 *
 * AES-256-GCM in chunks of 64 KiB. The nonce of a chunk is its number and whether it is the last one, so chunks that were changed, swapped,
 * left out, added or cut off are noticed, each before a byte of it is given out. The key is the file's own: scrypt of the passphrase
 * (RFC 7914; N = 2^cost, r = 8, p = 1), or HKDF-SHA256 (RFC 5869) of the key file, over 32 random octets that stand in the header. The header
 * is authenticated with each chunk; a value derived beside the key tells a wrong passphrase from a damaged file. Memory: two chunks.
 *
 *     16 octets "CADASTREBACKUP\r\n"   version 1   method   cost   log2 of the chunk   32 octets salt   32 octets check
 *     then chunks of ciphertext and a tag of 16 octets, the last one shorter or empty
 *
 * Threads: one at a time each.
 */
#ifndef CA_KEYS_SEALED_FILE_H
#define CA_KEYS_SEALED_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "ca/base/atomic_file.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"
#include "ca/base/secret.h"

#define SEALED_FILE_COST 17             /* 128 MiB and some tenths of a second for each guess */
#define SEALED_FILE_COST_MIN 10         /* what a reader takes */
#define SEALED_FILE_COST_MAX 20
#define SEALED_FILE_HEADER 84

enum sealed_method { SEALED_PASSPHRASE = 1, SEALED_KEY_FILE = 2 };

struct sealed_secret {
	enum sealed_method method;
	struct secret *secret;          /* borrowed */
	unsigned cost;                  /* for writing with a passphrase */
};

struct sealed_writer;

/* Appends to a file that is open; both borrowed. Faults: CRYPTO, MEMORY, DISK, IO. */
CHECKED enum fault_code sealed_writer_new(struct atomic_file *file, const struct sealed_secret *secret, struct sealed_writer **ret_writer,
	struct fault *fault);
CHECKED enum fault_code sealed_writer_write(struct sealed_writer *writer, const void *data, size_t length, struct fault *fault);
/* Writes the last chunk: without it the file is one that was cut off. */
CHECKED enum fault_code sealed_writer_finish(struct sealed_writer *writer, struct fault *fault);
void sealed_writer_free(struct sealed_writer *writer);
SCOPED(struct sealed_writer, sealed_writer_free)

struct sealed_reader;

/*
 * Reads from the descriptor, borrowed, from where it stands. Faults: MALFORMED (no such file, damaged), SCHEMA (of a newer release), KEY (the
 * other method, or another passphrase or key file), CRYPTO, MEMORY, IO.
 */
CHECKED enum fault_code sealed_reader_new(int fd, const struct sealed_secret *secret, struct sealed_reader **ret_reader, struct fault *fault);
/* Which method a file needs, by its header alone; the descriptor goes back to its beginning. Faults: MALFORMED, SCHEMA, IO. */
CHECKED enum fault_code sealed_reader_method(int fd, enum sealed_method *ret_method, struct fault *fault);
/* Up to length bytes, all authenticated; 0: the end, authenticated too. Faults: MALFORMED (altered, or cut off), CRYPTO, IO. */
CHECKED enum fault_code sealed_reader_read(struct sealed_reader *reader, void *data, size_t length, size_t *ret_length, struct fault *fault);
void sealed_reader_free(struct sealed_reader *reader);
SCOPED(struct sealed_reader, sealed_reader_free)

#endif
