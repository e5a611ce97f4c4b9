/*
 * der_reader: a strict reader of DER (X.690, with the times of RFC 5280 §4.1.2.5), ca/lint's own.
 *
 * It takes what RPKI objects consist of and nothing else: low tag numbers, definite lengths in their shortest form, each
 * universal type in its one canonical form, nothing behind the end. What is taken from a reader is a span of the caller's bytes;
 * nothing is copied and nothing is allocated.
 *
 * `what` is the section and the name of the field that is read: "RFC 6487 §4.2: serialNumber". A failure is always FAULT_LINT,
 * with "<what>: <rule of DER that is broken>", and leaves the reader where it stood. Pure. Threads: a reader belongs to one.
 */
#ifndef CA_LINT_DER_READER_H
#define CA_LINT_DER_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"

#define DER_READER_SIZE_MAX 4000000 /* rpki-client 8.2 takes no larger object */
#define DER_READER_DEPTH_MAX 16     /* what a signed object holds needs 9 */

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OBJECT_IDENTIFIER = 0x06,
	DER_PRINTABLE_STRING = 0x13,
	DER_IA5_STRING = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
};
#define DER_CONTEXT(number) (0x80 | (number))             /* [number] IMPLICIT of a primitive type */
#define DER_CONTEXT_CONSTRUCTED(number) (0xa0 | (number)) /* [number] EXPLICIT, or IMPLICIT of a constructed type */

struct der_reader {
	const uint8_t *at, *end;
	unsigned depth;
};

struct der_element {
	uint8_t tag;
	struct span contents;
	struct span whole; /* with tag and length */
};

struct der_bits {
	struct span octets;
	size_t count; /* bits */
};

/* Starts at the first octet of `der`; refuses more than DER_READER_SIZE_MAX. */
CHECKED enum fault_code der_reader_open(struct span der, const char *what, struct der_reader *ret_reader, struct fault *fault);
bool der_reader_more(const struct der_reader *reader);              /* is anything left? */
bool der_reader_next_is(const struct der_reader *reader, int tag);  /* does an element with this tag come next? */
/* Nothing may be left. */
CHECKED enum fault_code der_reader_end(const struct der_reader *reader, const char *what, struct fault *fault);

/* The next element, which must have this tag; what a universal type holds is in its canonical form, what a SET holds in order. */
CHECKED enum fault_code der_reader_take(struct der_reader *reader, int tag, const char *what, struct der_element *ret_element,
	struct fault *fault);
/* Takes a constructed element and reads inside it. */
CHECKED enum fault_code der_reader_enter(struct der_reader *reader, int tag, const char *what, struct der_reader *ret_inner,
	struct fault *fault);

CHECKED enum fault_code der_reader_boolean(struct der_reader *reader, const char *what, bool *ret_truth, struct fault *fault);
/* The two's complement octets of any INTEGER. */
CHECKED enum fault_code der_reader_integer(struct der_reader *reader, const char *what, struct span *ret_octets,
	struct fault *fault);
/* An INTEGER from 0 to max. */
CHECKED enum fault_code der_reader_unsigned(struct der_reader *reader, const char *what, uint64_t max, uint64_t *ret_number,
	struct fault *fault);
CHECKED enum fault_code der_reader_bits(struct der_reader *reader, const char *what, struct der_bits *ret_bits,
	struct fault *fault);
/* A BIT STRING of at most 16 named bits, bit 0 of the type as bit 0 of *ret_flags; no trailing zero bits (X.690 §11.2.2). */
CHECKED enum fault_code der_reader_flags(struct der_reader *reader, const char *what, unsigned *ret_flags, struct fault *fault);
CHECKED enum fault_code der_reader_null(struct der_reader *reader, const char *what, struct fault *fault);

/* UTCTime to 2049, GeneralizedTime from 2050; nothing before 1970. */
CHECKED enum fault_code der_reader_time(struct der_reader *reader, const char *what, int64_t *ret_at, struct fault *fault);
CHECKED enum fault_code der_reader_generalized_time(struct der_reader *reader, const char *what, int64_t *ret_at,
	struct fault *fault);

/* Contents of an IMPLICIT SET OF, whose tag doesn't say that it is one: ascending order (X.690 §11.6). */
CHECKED enum fault_code der_reader_sorted(struct span contents, const char *what, struct fault *fault);

/* Is this exactly one element, DER all the way down? What OCTET STRING and BIT STRING hold is not looked into. */
CHECKED enum fault_code der_reader_walk(struct span der, const char *what, struct fault *fault);

#endif
