/*
 * cut_files: snapshot and delta of a cut as files: written once, and from then on either as recorded or written again.
 *
 * Threads: the publisher's.
 */
#ifndef PUBLISH_CUT_FILES_H
#define PUBLISH_CUT_FILES_H

#include "publish/site.h"

/*
 * Writes the files of a cut that has none yet and records them. newest: its notification comes next, so that it gets a
 * snapshot, and it is settled which deltas that notification lists; others get their delta alone. Faults: DISK, IO, MEMORY,
 * DATABASE.
 */
CHECKED enum fault_code cut_files_write(const struct site *site, const struct publication_repository *repository,
	const struct publication_cut *cut, bool newest, struct fault *fault);

/*
 * Holds one recorded and kept file of a cut against what was recorded, and writes it again if it is missing or differs; then
 * *repaired rises by one. DATABASE when the database doesn't give those bytes any more: then nothing is put in place.
 */
CHECKED enum fault_code cut_files_repair(const struct site *site, const struct publication_repository *repository,
	const struct publication_cut *cut, enum layout_file file, int64_t *repaired, struct fault *fault);

#endif
