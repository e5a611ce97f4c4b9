/* snapshot: writes the snapshot file of a serial (RFC 8182 §3.5.2) out of the database, streaming. Threads: the publisher's. */
#ifndef PUBLISH_SNAPSHOT_H
#define PUBLISH_SNAPSHOT_H

#include "publish/site.h"

/*
 * Elements stand in order of object_id. expected: as rrdp_file_commit(). Faults: DISK, IO, MEMORY; DATABASE for a state
 * without any object (an empty repository is never published), bytes that are gone, or another content than expected.
 */
CHECKED enum fault_code snapshot_write(const struct site *site, const struct publication_repository *repository,
	const struct publication_cut *cut, const struct publication_content *expected, struct publication_content *ret_content,
	struct fault *fault);

#endif
