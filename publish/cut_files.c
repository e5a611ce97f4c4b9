#include "publish/cut_files.h"

#include <inttypes.h>

#include "ca/base/log.h"
#include "publish/delta.h"
#include "publish/notification.h"
#include "publish/snapshot.h"

/* A first serial has nothing that a delta could start from. */
static enum fault_code
has_forerunner(const struct site *site, int64_t serial, bool *ret_has, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	struct publication_cut forerunner;
	TRY(db_reader_acquire(site->db, &connection, fault));
	return publisher_store_cut(connection, site->repository_id, serial - 1, &forerunner, ret_has, fault);
}

static enum fault_code
choose_deltas(const struct site *site, struct publication_cut *cut, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct publication_cut, free) cuts = NULL;
	size_t count = 0;
	TRY(db_reader_acquire(site->db, &connection, fault));
	TRY(publisher_store_cuts_down(connection, site->repository_id, cut->serial, site->settings.deltas_max, &cuts,
		&count, fault));
	if (count > 0)
		cuts[0] = *cut; /* its own files are not recorded yet */
	cut->first_delta = notification_first_delta(cuts, count, &site->settings);
	return FAULT_NONE;
}

enum fault_code
cut_files_write(const struct site *site, const struct publication_repository *repository, const struct publication_cut *cut,
	bool newest, struct fault *fault)
{
	struct publication_cut written = *cut;
	bool wants_delta = false;
	TRY(has_forerunner(site, cut->serial, &wants_delta, fault));
	if (wants_delta)
		TRY(delta_write(site, repository, cut, NULL, &written.has_delta, &written.delta, fault));
	if (!newest)
		return publisher_store_record_delta(site->db, site->repository_id, &written, fault);
	TRY(snapshot_write(site, repository, cut, NULL, &written.snapshot, fault));
	written.has_snapshot = true;
	TRY(choose_deltas(site, &written, fault));
	return publisher_store_record_files(site->db, site->repository_id, &written, fault);
}

enum fault_code
cut_files_repair(const struct site *site, const struct publication_repository *repository, const struct publication_cut *cut,
	enum layout_file file, int64_t *repaired, struct fault *fault)
{
	const struct publication_content *content = file == LAYOUT_SNAPSHOT ? &cut->snapshot : &cut->delta;
	struct publication_content ignored;
	char path[LAYOUT_PATH];
	bool good = false, has = true;
	TRY(layout_check_names(repository->session, cut, fault));
	layout_rrdp(path, repository->session, cut, layout_file_name(file));
	TRY(site_check(site, path, content, cut->cut_at, &good, fault));
	if (good)
		return FAULT_NONE;
	log_write(LOG_DEBUG, "%s is missing or damaged: writing it again", path);
	if (file == LAYOUT_SNAPSHOT)
		TRY(snapshot_write(site, repository, cut, content, &ignored, fault));
	else
		TRY(delta_write(site, repository, cut, content, &has, &ignored, fault));
	if (!has)
		return fault_set(fault, FAULT_DATABASE, "the database has no change for serial %" PRId64 " any more",
			cut->serial);
	++*repaired;
	return FAULT_NONE;
}
