#include "publish/delta.h"

#include "publish/rrdp_file.h"
#include "publish/rrdp_xml.h"

static enum fault_code
append_change(struct publication_objects *changes, const struct publication_repository *repository,
	const struct publication_object *change, struct bytes *text, struct fault *fault)
{
	TRY(layout_check_object_path(change->path, fault));
	if (change->object_id == 0)
		return rrdp_xml_withdraw(text, repository->rsync_uri, change->path, change->replaced_hash, fault);
	struct span der;
	TRY(publisher_store_bytes(changes, &der, fault));
	TRY(site_check_object(change, der, fault)); /* each object passes here once, or is in the first snapshot */
	return rrdp_xml_publish(text, repository->rsync_uri, change->path, change->replaced_hash, der, fault);
}

/* One view for the whole: a cut is bounded. */
static enum fault_code
write_changes(const struct site *site, const struct publication_repository *repository, int64_t serial, struct rrdp_file *file,
	bool *ret_any, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct publication_objects, publisher_store_end) changes = NULL;
	TRY(db_reader_acquire(site->db, &connection, fault));
	TRY(publisher_store_delta(connection, site->repository_id, serial, &changes, fault));
	for (*ret_any = false;; *ret_any = true) {
		struct publication_object change;
		bool row;
		TRY(publisher_store_next(changes, &change, &row, fault));
		if (!row)
			return FAULT_NONE;
		TRY(append_change(changes, repository, &change, &file->text, fault));
		TRY(rrdp_file_drain(file, fault));
	}
}

enum fault_code
delta_write(const struct site *site, const struct publication_repository *repository, const struct publication_cut *cut,
	const struct publication_content *expected, bool *ret_has, struct publication_content *ret_content, struct fault *fault)
{
	AUTO_CLEAR(struct rrdp_file, rrdp_file_clear) file = RRDP_FILE_INIT;
	char path[LAYOUT_PATH];
	TRY(layout_check_names(repository->session, cut, fault));
	layout_rrdp(path, repository->session, cut, layout_file_name(LAYOUT_DELTA));
	TRY(rrdp_file_open(&file, site, path, fault));
	TRY(rrdp_xml_open(&file.text, RRDP_DELTA, repository->session, cut->serial, fault));
	TRY(write_changes(site, repository, cut->serial, &file, ret_has, fault));
	if (!*ret_has)
		return FAULT_NONE;
	TRY(rrdp_xml_close(&file.text, RRDP_DELTA, fault));
	return rrdp_file_commit(&file, cut->cut_at, expected, ret_content, fault);
}
