#include "publish/snapshot.h"

#include <inttypes.h>

#include "publish/rrdp_file.h"
#include "publish/rrdp_xml.h"

struct progress {
	int64_t after;     /* the object that was written last */
	int64_t elements;
	bool more;
};

/* One view of the database at a time: see publisher_store.h. */
static enum fault_code
write_page(const struct site *site, const struct publication_repository *repository, int64_t serial, struct rrdp_file *file,
	struct progress *progress, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct publication_objects, publisher_store_end) objects = NULL;
	TRY(db_reader_acquire(site->db, &connection, fault));
	TRY(publisher_store_state(connection, site->repository_id, serial, progress->after, SITE_PAGE, &objects, fault));
	for (int64_t rows = 0;; rows++) {
		struct publication_object object;
		struct span der;
		bool row;
		TRY(publisher_store_next(objects, &object, &row, fault));
		progress->more = rows == SITE_PAGE;
		if (!row)
			return FAULT_NONE;
		progress->after = object.object_id;
		if (object.trust_anchor)
			continue;
		TRY(layout_check_object_path(object.path, fault));
		TRY(publisher_store_bytes(objects, &der, fault));
		TRY(rrdp_xml_publish(&file->text, repository->rsync_uri, object.path, SPAN(NULL, 0), der, fault));
		TRY(rrdp_file_drain(file, fault));
		progress->elements++;
	}
}

enum fault_code
snapshot_write(const struct site *site, const struct publication_repository *repository, const struct publication_cut *cut,
	const struct publication_content *expected, struct publication_content *ret_content, struct fault *fault)
{
	AUTO_CLEAR(struct rrdp_file, rrdp_file_clear) file = RRDP_FILE_INIT;
	struct progress progress = { .more = true };
	char path[LAYOUT_PATH];
	TRY(layout_check_names(repository->session, cut, fault));
	layout_rrdp(path, repository->session, cut, layout_file_name(LAYOUT_SNAPSHOT));
	TRY(rrdp_file_open(&file, site, path, fault));
	TRY(rrdp_xml_open(&file.text, RRDP_SNAPSHOT, repository->session, cut->serial, fault));
	while (progress.more)
		TRY(write_page(site, repository, cut->serial, &file, &progress, fault));
	/* A database that lost its rows would take every route's origin away from every validator. */
	if (progress.elements == 0)
		return fault_set(fault, FAULT_DATABASE,
			"serial %" PRId64 " has no objects: an empty repository is never published", cut->serial);
	TRY(rrdp_xml_close(&file.text, RRDP_SNAPSHOT, fault));
	return rrdp_file_commit(&file, cut->cut_at, expected, ret_content, fault);
}
