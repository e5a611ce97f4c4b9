/*
 * sealed_text: the form of all files of a ceremony: lines of printable ASCII, so that a person can read what is carried about. First a
 * title, "cadastre-ta-request 1"; then lines "name: value" in a fixed order; last "signature: " and base64, over every byte before that
 * line. The title is signed with the rest, so that no file passes for one of another kind.
 *
 * There is one way to write each: who parses a file prints what was understood and compares (sealed_text_compare), so nothing in a file
 * escapes what is shown. Pure, but for seal. Threads: safe for different files.
 */
#ifndef CA_CEREMONY_SEALED_TEXT_H
#define CA_CEREMONY_SEALED_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/keys/signer.h"
#include "ca/resources/resource_set.h"

#define SEALED_TEXT_MAX 1000000                  /* bytes of a file; a request of the API may have a mebibyte */

struct sealed_text {
	struct span body;                        /* what is signed; borrowed from the file */
	uint8_t signature[RSA_SIGNATURE_SIZE];
};

/* Where a reader of the lines stands. */
struct sealed_lines {
	const char *what;                        /* the kind of file, for faults: "request" */
	const char *at, *end;
	size_t number;                           /* of the line before, from 1 */
};

/*
 * Checks size, characters, title and the form of the signature; *ret_lines stands behind the title. Faults: MALFORMED (with the line),
 * TOO_LARGE.
 */
CHECKED enum fault_code sealed_text_open(struct span file, const char *title, const char *what, struct sealed_text *ret_text,
	struct sealed_lines *ret_lines, struct fault *fault);
/* Did this key sign it? Faults: INVALID (altered, or another's), MALFORMED, CRYPTO. */
CHECKED enum fault_code sealed_text_check(const struct sealed_text *text, struct span spki, const char *what, struct fault *fault);
/* Is the body, byte for byte, what was understood of it? Faults: MALFORMED. */
CHECKED enum fault_code sealed_text_compare(const struct sealed_text *text, const struct bytes *printed, const char *what,
	struct fault *fault);
/* Signs all that is in `text` and adds the line. Faults: KEY, CRYPTO, MEMORY. */
CHECKED enum fault_code sealed_text_seal(struct bytes *text, struct signer *signer, struct span handle, struct fault *fault);

/* Does a line with this name come next? */
bool sealed_lines_next_is(const struct sealed_lines *lines, const char *name);
/* The next line, which must have this name. The others read its value as what they say. Faults: MALFORMED, MEMORY. */
CHECKED enum fault_code sealed_lines_take(struct sealed_lines *lines, const char *name, struct span *ret_value, struct fault *fault);
CHECKED enum fault_code sealed_lines_text(struct sealed_lines *lines, const char *name, char *ret_text, size_t size, struct fault *fault);
CHECKED enum fault_code sealed_lines_number(struct sealed_lines *lines, const char *name, int64_t min, int64_t max, int64_t *ret_number,
	struct fault *fault);
CHECKED enum fault_code sealed_lines_instant(struct sealed_lines *lines, const char *name, int64_t *ret_at, struct fault *fault);
CHECKED enum fault_code sealed_lines_hex(struct sealed_lines *lines, const char *name, uint8_t *ret_octets, size_t length,
	struct fault *fault);
CHECKED enum fault_code sealed_lines_base64(struct sealed_lines *lines, const char *name, struct bytes *ret_data, struct fault *fault);
CHECKED enum fault_code sealed_lines_resources(struct sealed_lines *lines, const char *name, struct resource_set *ret_set,
	struct fault *fault);
/* No line may be left. */
CHECKED enum fault_code sealed_lines_end(const struct sealed_lines *lines, struct fault *fault);
/* A fault about the line that was taken last. */
#define sealed_lines_fault(lines, fault, words) \
	fault_set((fault), FAULT_MALFORMED, "the %s, line %zu: %s", (lines)->what, (lines)->number, (words))

/*
 * Cuts a value at single spaces into `count` words, each of them not empty; the last one takes the rest, spaces too. False when there
 * are fewer.
 */
bool sealed_words(struct span value, struct span *ret_words, size_t count);
/* A word as a number of at most 18 digits, as an instant, as a serial number in hex; false when it is none. */
bool sealed_word_number(struct span word, int64_t *ret_number);
bool sealed_word_instant(struct span word, int64_t *ret_at);
bool sealed_word_hex(struct span word, uint8_t *ret_octets, size_t size, uint8_t *ret_length);

/* "AS64496, 192.0.2.0/24, 2001:db8::/32", "none" for an empty set. Faults: MEMORY. */
CHECKED enum fault_code sealed_resources_print(const struct resource_set *set, struct bytes *text, struct fault *fault);
CHECKED enum fault_code sealed_resources_parse(struct span text, struct resource_set *ret_set, struct fault *fault);

#endif
