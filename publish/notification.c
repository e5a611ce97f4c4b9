#include "publish/notification.h"

#include <inttypes.h>

#include "ca/base/atomic_file.h"
#include "publish/rrdp_xml.h"

int64_t
notification_first_delta(const struct publication_cut *cuts, size_t count, const struct publisher_settings *settings)
{
	int64_t first = 0, total = 0;
	for (size_t i = 0; i < count && (int64_t)i < settings->deltas_max; i++) {
		if (cuts[i].serial != cuts[0].serial - (int64_t)i || !cuts[i].has_delta || !cuts[i].delta_kept)
			break;
		if (cuts[0].cut_at - cuts[i].cut_at > settings->delta_age_max_s)
			break;
		/* RFC 8182 §3.3.2: past that the snapshot is less to fetch. */
		total += cuts[i].delta.size;
		if (total > cuts[0].snapshot.size)
			break;
		first = cuts[i].serial;
	}
	return first;
}

/* URIs end as paths below the repository's directory do. */
static const char *
uri_path(char path[LAYOUT_PATH], const struct publication_repository *repository, const struct publication_cut *cut,
	enum layout_file file)
{
	layout_rrdp(path, repository->session, cut, layout_file_name(file));
	return layout_below_repository(path, cut->repository_id);
}

enum fault_code
notification_compose(const struct site *site, struct db_connection *connection, const struct publication_repository *repository,
	const struct publication_cut *cut, struct bytes *text, struct fault *fault)
{
	AUTO(struct publication_cut, free) cuts = NULL;
	size_t count = 0;
	char path[LAYOUT_PATH];
	TRY(layout_check_names(repository->session, cut, fault));
	TRY(rrdp_xml_open(text, RRDP_NOTIFICATION, repository->session, cut->serial, fault));
	TRY(rrdp_xml_name_snapshot(text, repository->rrdp_uri, uri_path(path, repository, cut, LAYOUT_SNAPSHOT),
		SPAN(cut->snapshot.hash, SHA256_SIZE), fault));
	int64_t listed = cut->first_delta != 0 ? cut->serial - cut->first_delta + 1 : 0;
	TRY(publisher_store_cuts_down(connection, site->repository_id, cut->serial, listed, &cuts, &count, fault));
	for (size_t i = 0; i < count; i++) {
		TRY(layout_check_names(repository->session, &cuts[i], fault));
		const char *uri = uri_path(path, repository, &cuts[i], LAYOUT_DELTA);
		struct span hash = SPAN(cuts[i].delta.hash, SHA256_SIZE);
		TRY(rrdp_xml_name_delta(text, cuts[i].serial, repository->rrdp_uri, uri, hash, fault));
	}
	if ((int64_t)count != listed)
		return fault_set(fault, FAULT_DATABASE, "serial %" PRId64 " lists %" PRId64 " deltas, the database has %zu",
			cut->serial, listed, count);
	return rrdp_xml_close(text, RRDP_NOTIFICATION, fault);
}

enum fault_code
notification_put(struct site *site, const struct publication_cut *cut, struct span text, struct fault *fault)
{
	char path[LAYOUT_PATH], gzip_path[LAYOUT_PATH];
	layout_notification(path, site->repository_id);
	site_gzip_path(gzip_path, path);
	TRY(site_make_way(site, path, fault));
	SITE_EXCHANGE(site);
	/* A .gz that outlived its notification would be served in place of the next one. */
	TRY(site_remove(site, gzip_path, fault));
	TRY(atomic_file_sync_parent(site->directory, path, fault));
	return atomic_file_put(site->directory, path, text, SITE_FILE_MODE, cut->cut_at, fault);
}
