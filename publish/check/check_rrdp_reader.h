/*
 * check_rrdp_reader: RRDP's XML (RFC 8182 §3.5) as a stream, by expat: each element is given as it ends.
 *
 * As strict as rpki-client: US-ASCII, no document type, the one namespace and version, only the elements and attributes that the
 * schema has, no text where none belongs, base64 as plain text with LF at most, hashes of SHA-256 in hexadecimal. Objects may be
 * CHECK_RRDP_OBJECT octets of base64. Threads: one at a time.
 */
#ifndef PUBLISH_CHECK_CHECK_RRDP_READER_H
#define PUBLISH_CHECK_CHECK_RRDP_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/digest.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"

#define CHECK_RRDP_OBJECT 12000000 /* of base64 with white space: more than any validator takes */

enum check_rrdp_root { CHECK_RRDP_NOTIFICATION, CHECK_RRDP_SNAPSHOT, CHECK_RRDP_DELTA, CHECK_RRDP_ROOTS };
enum check_rrdp_name { CHECK_RRDP_NAMES_SNAPSHOT, CHECK_RRDP_NAMES_DELTA, CHECK_RRDP_PUBLISH, CHECK_RRDP_WITHDRAW };

/* White space of XML. */
static inline bool
check_rrdp_blank(char character)
{
	return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

struct check_rrdp_head {
	char session[37];
	int64_t serial;
};

/* Borrowed for the call. */
struct check_rrdp_element {
	enum check_rrdp_name name;
	const char *uri;
	bool has_hash;
	uint8_t hash[SHA256_SIZE];
	int64_t serial;                         /* of a delta in a notification */
	struct span object;                     /* of a publish, decoded */
	int64_t offset, length;                 /* where its text stands in the file */
};
typedef enum fault_code (*check_rrdp_fn)(void *argument, const struct check_rrdp_head *head,
	const struct check_rrdp_element *element, struct fault *fault);

struct check_rrdp_reader;

/* Faults: MEMORY. */
CHECKED enum fault_code check_rrdp_reader_new(enum check_rrdp_root root, check_rrdp_fn give, void *argument,
	struct check_rrdp_reader **ret_reader, struct fault *fault);
/* The next bytes of the file; last: there are no more. Faults: MALFORMED, MEMORY, what the callback gives. */
CHECKED enum fault_code check_rrdp_reader_feed(struct check_rrdp_reader *reader, const void *data, size_t length, bool last,
	struct fault *fault);
const struct check_rrdp_head *check_rrdp_reader_head(const struct check_rrdp_reader *reader); /* serial 0 until it was read */
void check_rrdp_reader_free(struct check_rrdp_reader *reader);
SCOPED(struct check_rrdp_reader, check_rrdp_reader_free)

/*
 * A whole file from where the descriptor stands. Where the text is wrong (*ret_wrong has the sentence, else "") hash and size
 * are nonetheless of all that is there. Faults: IO, MEMORY, CRYPTO, TOO_LARGE (more than limit bytes), what the callback gives.
 */
struct check_rrdp_file {
	struct check_rrdp_head head;
	uint8_t hash[SHA256_SIZE];
	int64_t size;
	char wrong[200];
};
CHECKED enum fault_code check_rrdp_read(int fd, enum check_rrdp_root root, int64_t limit, check_rrdp_fn give, void *argument,
	struct check_rrdp_file *ret_file, struct fault *fault);

#endif
