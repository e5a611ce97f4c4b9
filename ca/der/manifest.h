/* manifest: the eContent of manifests (RFC 9286) between C and DER. */
#ifndef CA_DER_MANIFEST_H
#define CA_DER_MANIFEST_H

#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/digest.h"
#include "ca/base/fault.h"

#define MANIFEST_ENTRIES_MAX 70000             /* rpki-client 8.2 takes 4 MB (about 74,000 entries), all take 99,999 */
#define MANIFEST_SIZE_MAX 3990000              /* 4 MB less CMS: 57,000 entries with names of 30 characters */
#define OBJECT_NAME_MAX 64                     /* ours are below 32 characters */

struct manifest_entry {
	char name[OBJECT_NAME_MAX];            /* [A-Za-z0-9_-]+\.[a-z]{3} */
	uint8_t hash[SHA256_SIZE];
};

struct manifest_fields {
	uint64_t number;
	int64_t this_update_at, next_update_at;
	const struct manifest_entry *entries;  /* any order; encoded sorted by name */
	size_t entries_count;
};

/* Faults: INVALID (a name or hash twice, a bad name, none at all), TOO_LARGE, MEMORY. */
CHECKED enum fault_code manifest_encode(const struct manifest_fields *fields, struct bytes *ret_content, struct fault *fault);

struct manifest {
	uint64_t number;
	int64_t this_update_at, next_update_at;
	struct manifest_entry *entries;
	size_t entries_count;
};

#define MANIFEST_INIT ((struct manifest){ .entries = NULL })

/*
 * *ret_manifest must be MANIFEST_INIT or one that was decoded (then it is replaced); owned: manifest_clear(). Entries come in the
 * order of the DER. Faults: MALFORMED (also trailing bytes), TOO_LARGE, MEMORY.
 */
CHECKED enum fault_code manifest_decode(struct span content, struct manifest *ret_manifest, struct fault *fault);
void manifest_clear(struct manifest *manifest);

#endif
