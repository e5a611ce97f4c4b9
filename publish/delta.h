/* delta: writes the delta file of a serial (RFC 8182 §3.5.3) out of the database. Threads: the publisher's. */
#ifndef PUBLISH_DELTA_H
#define PUBLISH_DELTA_H

#include "publish/site.h"

/*
 * First what the serial publishes, in order of object_id, then what it withdraws. *ret_has is false, and there is no file, for
 * a serial that changed nothing in RRDP: a delta has at least one element (RFC 8182 §3.5.3.3). expected: as
 * rrdp_file_commit(). Faults: DISK, IO, MEMORY; DATABASE as for snapshots.
 */
CHECKED enum fault_code delta_write(const struct site *site, const struct publication_repository *repository,
	const struct publication_cut *cut, const struct publication_content *expected, bool *ret_has,
	struct publication_content *ret_content,
	struct fault *fault);

#endif
