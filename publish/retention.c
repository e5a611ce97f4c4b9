#include "publish/retention.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "ca/base/memory.h"

/*
 * Downwards from the last cut. A file that a notification names is named until the next notification was put on disk; the last
 * one to name a delta is the first one met that lists it, because a list reaches from its own serial back without a gap. What
 * no notification ever named (its serial was overtaken) counts from the first one that could have.
 */
void
retention_date(const struct publication_cut *cuts, size_t count, int64_t notified_serial, struct retention_item *items)
{
	int64_t next_notified_at = RETENTION_NAMED; /* of the nearest notification above */
	size_t listed_from = count;                 /* the deltas from here on have been dated */
	for (size_t i = count; i-- > 0;) {
		const struct publication_cut *cut = &cuts[i];
		bool coming = cut->serial > notified_serial;
		bool notified = !coming && cut->notified_at != 0;
		int64_t replaced_at = coming ? RETENTION_NAMED : next_notified_at;
		items[i].snapshot_unnamed_at = replaced_at;
		int64_t lists_from = (notified || coming) && cut->first_delta != 0 ? cut->first_delta : INT64_MAX;
		for (; listed_from > 0 && cuts[listed_from - 1].serial >= lists_from; listed_from--)
			items[listed_from - 1].delta_unnamed_at = replaced_at;
		if (notified)
			next_notified_at = cut->notified_at;
		if (listed_from > i) {
			listed_from = i;
			items[i].delta_unnamed_at = coming ? RETENTION_NAMED : next_notified_at;
		}
	}
}

/* Files that are gone or named cost the budget nothing. */
static bool
counts(bool kept, int64_t unnamed_at)
{
	return kept && unnamed_at != RETENTION_NAMED;
}

struct retention_plan
retention_decide(const struct publication_cut *cuts, size_t count, const struct retention_item *items,
	const struct publisher_settings *settings, int64_t now_at)
{
	int64_t total = 0;
	for (size_t i = 0; i < count; i++) {
		total += counts(cuts[i].snapshot_kept, items[i].snapshot_unnamed_at) ? items[i].snapshot_size : 0;
		total += counts(cuts[i].delta_kept, items[i].delta_unnamed_at) ? items[i].delta_size : 0;
	}
	/* Both kinds stopped being named in the order of their serials: so the oldest is at one of two places. */
	size_t snapshot = 0, delta = 0;
	for (;;) {
		int64_t snapshot_at = snapshot < count ? items[snapshot].snapshot_unnamed_at : RETENTION_NAMED;
		int64_t delta_at = delta < count ? items[delta].delta_unnamed_at : RETENTION_NAMED;
		int64_t oldest_at = snapshot_at < delta_at ? snapshot_at : delta_at;
		bool past = oldest_at <= now_at - settings->file_grace_s || total > settings->file_budget;
		if (oldest_at == RETENTION_NAMED || !past)
			break;
		if (snapshot_at <= delta_at) {
			total -= cuts[snapshot].snapshot_kept ? items[snapshot].snapshot_size : 0;
			snapshot++;
		} else {
			total -= cuts[delta].delta_kept ? items[delta].delta_size : 0;
			delta++;
		}
	}
	int64_t past_all = count > 0 ? cuts[count - 1].serial + 1 : 0;
	return (struct retention_plan){
		.snapshots_from = snapshot < count ? cuts[snapshot].serial : past_all,
		.deltas_from = delta < count ? cuts[delta].serial : past_all,
	};
}

/* What a file and its .gz take on disk. */
static int64_t
disk_size(const struct site *site, const char *session, const struct publication_cut *cut, enum layout_file file)
{
	char path[LAYOUT_PATH], gzip_path[LAYOUT_PATH];
	layout_rrdp(path, session, cut, layout_file_name(file));
	site_gzip_path(gzip_path, path);
	return site_size(site, path) + site_size(site, gzip_path);
}

static void
measure(const struct site *site, const char *session, const struct publication_cut *cuts, size_t count,
	struct retention_item *items)
{
	for (size_t i = 0; i < count; i++) {
		if (counts(cuts[i].snapshot_kept, items[i].snapshot_unnamed_at))
			items[i].snapshot_size = disk_size(site, session, &cuts[i], LAYOUT_SNAPSHOT);
		if (counts(cuts[i].delta_kept, items[i].delta_unnamed_at))
			items[i].delta_size = disk_size(site, session, &cuts[i], LAYOUT_DELTA);
	}
}

static enum fault_code
remove_file(const struct site *site, const char *session, const struct publication_cut *cut, enum layout_file file,
	struct fault *fault)
{
	char path[LAYOUT_PATH], gzip_path[LAYOUT_PATH];
	layout_rrdp(path, session, cut, layout_file_name(file));
	site_gzip_path(gzip_path, path);
	TRY(site_remove(site, path, fault));
	return site_remove(site, gzip_path, fault);
}

/* The directory of a cut's random part and that of its serial, once they are empty. */
static enum fault_code
remove_directories(const struct site *site, const char *session, const struct publication_cut *cut, struct fault *fault)
{
	char path[LAYOUT_PATH];
	layout_rrdp(path, session, cut, NULL);
	for (int level = 0; level < 2; level++) {
		bool gone = unlinkat(site->directory, path, AT_REMOVEDIR) == 0 || errno == ENOENT;
		if (!gone && errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
			return fault_set_errno(fault, errno, "can't remove the directory %s", path);
		if (!gone)
			break;
		*strrchr(path, '/') = '\0';
	}
	return FAULT_NONE;
}

/*
 * First the row, then the files: a crash in between leaves files that nobody is told of, and the next verification sweeps them
 * away. The other way round it would leave a delta that the next notification may list and nobody can fetch.
 */
static enum fault_code
retire_cut(struct site *site, const char *session, const struct publication_cut *cut, const struct retention_plan *plan,
	struct fault *fault)
{
	struct publication_cut left = *cut;
	left.snapshot_kept = cut->snapshot_kept && cut->serial >= plan->snapshots_from;
	left.delta_kept = cut->delta_kept && cut->serial >= plan->deltas_from;
	if (left.snapshot_kept == cut->snapshot_kept && left.delta_kept == cut->delta_kept)
		return FAULT_NONE;
	TRY(layout_check_names(session, cut, fault));
	TRY(publisher_store_retire_cut(site->db, site->repository_id, &left, fault));
	SITE_EXCHANGE(site);
	if (!left.snapshot_kept)
		TRY(remove_file(site, session, cut, LAYOUT_SNAPSHOT, fault));
	if (!left.delta_kept)
		TRY(remove_file(site, session, cut, LAYOUT_DELTA, fault));
	return remove_directories(site, session, cut, fault);
}

/* The budget is of all repositories: each has an equal part. */
static enum fault_code
apply_to(struct site *site, struct fault *fault)
{
	AUTO_CLEAR(struct publication_repository, publisher_store_clear_repository) repository = PUBLICATION_REPOSITORY_INIT;
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct publication_cut, free) cuts = NULL;
	AUTO(struct retention_item, free) items = NULL;
	size_t count = 0;
	TRY(db_reader_acquire(site->db, &connection, fault));
	TRY(publisher_store_repository(connection, site->repository_id, &repository, fault));
	TRY(publisher_store_cuts_kept(connection, site->repository_id, &cuts, &count, fault));
	db_reader_release(MOVE(connection));
	TRY(memory_new(count, sizeof *items, &items, fault));
	retention_date(cuts, count, repository.notified_serial, items);
	measure(site, repository.session, cuts, count, items);
	struct retention_plan plan = retention_decide(cuts, count, items, &site->settings, clock_now(site->clock));
	for (size_t i = 0; i < count; i++)
		TRY(retire_cut(site, repository.session, &cuts[i], &plan, fault));
	return FAULT_NONE;
}

enum fault_code
retention_apply(struct site *site, struct fault *fault)
{
	AUTO(struct publication_head, free) heads = NULL;
	size_t count = 0;
	TRY(site_repositories(site, &heads, &count, fault));
	for (size_t i = 0; i < count; i++) {
		struct site one = site_of(site, heads[i].repository_id);
		one.settings.file_budget /= (int64_t)count;
		TRY(apply_to(&one, fault));
	}
	return FAULT_NONE;
}
