#include "publish/trust_anchor.h"

#include <string.h>

#include "ca/base/atomic_file.h"

enum fault_code
trust_anchor_put(const struct site *site, int64_t serial, int64_t *written, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct publication_objects, publisher_store_end) objects = NULL;
	struct publication_object object;
	struct publication_content content;
	struct span der;
	bool found = false, good = false;
	TRY(db_reader_acquire(site->db, &connection, fault));
	TRY(publisher_store_state_path(connection, site->repository_id, serial, LAYOUT_TRUST_ANCHOR, &objects, fault));
	TRY(publisher_store_next(objects, &object, &found, fault));
	if (!found || !object.trust_anchor)
		return FAULT_NONE;
	memcpy(content.hash, object.hash.data, SHA256_SIZE);
	content.size = object.size;
	TRY(site_check(site, LAYOUT_TRUST_ANCHOR, &content, object.modified_at, &good, fault));
	if (good)
		return FAULT_NONE;
	TRY(publisher_store_bytes(objects, &der, fault));
	TRY(site_make_way(site, LAYOUT_TRUST_ANCHOR, fault));
	TRY(atomic_file_put(site->directory, LAYOUT_TRUST_ANCHOR, der, SITE_FILE_MODE, object.modified_at, fault));
	++*written;
	return FAULT_NONE;
}
