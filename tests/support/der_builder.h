/*
 * der_builder: DER out of text, for tests that need an object with one thing wrong in it. It shares no code with ca/der, ca/lint.
 *
 *     SEQUENCE { [0] { INTEGER 2 } OID 2.5.4.3 PRINTABLE "abc" BITS c00002/1 [6] "rsync://…" OCTETS { NULL } =0500 }
 *
 * SEQUENCE, SET, [n], OCTETS and BITS take what stands in braces; BITS in braces has no unused bits. INTEGER takes decimal digits
 * or 0x and its contents octets, BOOLEAN and OCTETS hex octets, BITS hex octets, a slash and how many bits are unused. PRINTABLE,
 * IA5, UTF8, UTC, GENERALIZED and [n] take text in quotes, [n] also hex octets ([n] is primitive then). = takes octets that are
 * put there as they are. Nothing is sorted and nothing is checked but the spelling; a word not understood ends the program.
 */
#ifndef TESTS_SUPPORT_DER_BUILDER_H
#define TESTS_SUPPORT_DER_BUILDER_H

#include "ca/base/bytes.h"

/* Appends what the text says. */
void der_builder_encode(const char *text, struct bytes *der);

/*
 * A copy of text in which `from`, which must stand there exactly once, is `to`; to be freed. A row of a table whose `from` is no
 * longer in the object it was written for ends the program and doesn't pass unnoticed.
 */
char *der_builder_edit(const char *text, const char *from, const char *to);

/* Appends "=<hex>". */
void der_builder_append_raw(struct bytes *text, struct span der);

#endif
