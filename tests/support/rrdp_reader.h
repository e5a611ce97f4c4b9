/*
 * rrdp_reader: reads RRDP files as strictly as a validator: its own reading of RFC 8182 §3.5, sharing nothing with what writes
 * them.
 *
 * Refused: anything but US-ASCII, other elements, attributes, comments, declarations, a document type, text where none
 * belongs, a wrong version or namespace, hashes that are no lower-case SHA-256. Threads: one document at a time.
 */
#ifndef TESTS_SUPPORT_RRDP_READER_H
#define TESTS_SUPPORT_RRDP_READER_H

#include "ca/base/bytes.h"

struct rrdp_element {
	char name[16];          /* publish, withdraw; snapshot and delta in a notification */
	char *uri;
	char hash[65];          /* "": none */
	int64_t serial;         /* of a delta in a notification, else 0 */
	struct bytes object;    /* of publish */
};

struct rrdp_document {
	char name[16];          /* notification, snapshot or delta */
	char session[40];
	int64_t serial;
	struct rrdp_element *elements;
	size_t count;
};

/* NULL, or what is wrong with the text. The document is to be cleared either way. */
const char *rrdp_reader_parse(struct span text, struct rrdp_document *ret_document);
void rrdp_reader_clear(struct rrdp_document *document);

#endif
