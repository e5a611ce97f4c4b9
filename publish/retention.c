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

static int64_t
total_of(const struct retention_part *part)
{
	int64_t total = 0;
	for (size_t i = 0; i < part->count; i++) {
		total += counts(part->cuts[i].snapshot_kept, part->items[i].snapshot_unnamed_at) ? part->items[i].snapshot_size : 0;
		total += counts(part->cuts[i].delta_kept, part->items[i].delta_unnamed_at) ? part->items[i].delta_size : 0;
	}
	return total;
}

static int64_t
snapshot_unnamed_at(const struct retention_part *part)
{
	return part->snapshots_from < part->count ? part->items[part->snapshots_from].snapshot_unnamed_at : RETENTION_NAMED;
}

static int64_t
delta_unnamed_at(const struct retention_part *part)
{
	return part->deltas_from < part->count ? part->items[part->deltas_from].delta_unnamed_at : RETENTION_NAMED;
}

/* Both kinds stopped being named in the order of their serials: so the oldest that stays is at one of two places. */
static int64_t
oldest_at(const struct retention_part *part)
{
	int64_t snapshot_at = snapshot_unnamed_at(part), delta_at = delta_unnamed_at(part);
	return snapshot_at < delta_at ? snapshot_at : delta_at;
}

/* Returns the bytes that this frees. */
static int64_t
drop_oldest(struct retention_part *part)
{
	if (snapshot_unnamed_at(part) <= delta_unnamed_at(part)) {
		size_t i = part->snapshots_from++;
		return part->cuts[i].snapshot_kept ? part->items[i].snapshot_size : 0;
	}
	size_t i = part->deltas_from++;
	return part->cuts[i].delta_kept ? part->items[i].delta_size : 0;
}

static struct retention_part *
part_with_oldest(struct retention_part *parts, size_t count)
{
	struct retention_part *found = NULL;
	for (size_t i = 0; i < count; i++)
		if (oldest_at(&parts[i]) < (found != NULL ? oldest_at(found) : RETENTION_NAMED))
			found = &parts[i];
	return found;
}

/* Caches hand out a notification that was replaced for a while. A time that lies ahead is of a clock that was wrong. */
static bool
is_recent(int64_t unnamed_at, int64_t now_at)
{
	return unnamed_at > now_at - RETENTION_LEAST_S && unnamed_at <= now_at + CLOCK_STEP_LIMIT_S;
}

void
retention_decide(struct retention_part *parts, size_t count, const struct publisher_settings *settings, int64_t now_at)
{
	int64_t total = 0;
	for (size_t i = 0; i < count; i++)
		total += total_of(&parts[i]);
	for (;;) {
		struct retention_part *part = part_with_oldest(parts, count);
		if (part == NULL)
			return;
		int64_t unnamed_at = oldest_at(part);
		bool too_much = total > settings->file_budget && !is_recent(unnamed_at, now_at);
		if (unnamed_at > now_at - settings->file_grace_s && !too_much)
			return;
		total -= drop_oldest(part);
	}
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
retire_cut(struct site *site, const char *session, const struct retention_part *part, size_t index, struct fault *fault)
{
	const struct publication_cut *cut = &part->cuts[index];
	struct publication_cut left = *cut;
	left.snapshot_kept = cut->snapshot_kept && index >= part->snapshots_from;
	left.delta_kept = cut->delta_kept && index >= part->deltas_from;
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

/* One repository, as it stands. */
struct holding {
	struct site site;
	struct publication_repository repository;
	struct publication_cut *cuts;
	struct retention_item *items;
	size_t count;
};

struct holdings {
	struct holding *items;
	struct retention_part *parts; /* of the same numbers */
	size_t count;
};

static void
holdings_clear(struct holdings *holdings)
{
	for (size_t i = 0; holdings->items != NULL && i < holdings->count; i++) {
		publisher_store_clear_repository(&holdings->items[i].repository);
		free(holdings->items[i].cuts);
		free(holdings->items[i].items);
	}
	free(holdings->items);
	free(holdings->parts);
}

static enum fault_code
read_holding(struct holding *holding, struct fault *fault)
{
	const struct site *site = &holding->site;
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	TRY(db_reader_acquire(site->db, &connection, fault));
	TRY(publisher_store_repository(connection, site->repository_id, &holding->repository, fault));
	TRY(publisher_store_cuts_kept(connection, site->repository_id, &holding->cuts, &holding->count, fault));
	db_reader_release(MOVE(connection));
	TRY(memory_new(holding->count, sizeof *holding->items, &holding->items, fault));
	retention_date(holding->cuts, holding->count, holding->repository.notified_serial, holding->items);
	measure(site, holding->repository.session, holding->cuts, holding->count, holding->items);
	return FAULT_NONE;
}

static enum fault_code
read_holdings(const struct site *site, struct holdings *holdings, struct fault *fault)
{
	AUTO(struct publication_head, free) heads = NULL;
	TRY(site_repositories(site, &heads, &holdings->count, fault));
	TRY(memory_new(holdings->count, sizeof *holdings->items, &holdings->items, fault));
	TRY(memory_new(holdings->count, sizeof *holdings->parts, &holdings->parts, fault));
	for (size_t i = 0; i < holdings->count; i++) {
		struct holding *holding = &holdings->items[i];
		holding->site = site_of(site, heads[i].repository_id);
		TRY(read_holding(holding, fault));
		holdings->parts[i] = (struct retention_part){ .cuts = holding->cuts, .items = holding->items, .count = holding->count };
	}
	return FAULT_NONE;
}

/* The budget is of all repositories together: what is oldest goes first, wherever it is. */
enum fault_code
retention_apply(struct site *site, struct fault *fault)
{
	AUTO_CLEAR(struct holdings, holdings_clear) holdings = { .items = NULL };
	TRY(read_holdings(site, &holdings, fault));
	retention_decide(holdings.parts, holdings.count, &site->settings, clock_now(site->clock));
	for (size_t i = 0; i < holdings.count; i++) {
		struct holding *holding = &holdings.items[i];
		for (size_t cut = 0; cut < holding->count; cut++)
			TRY(retire_cut(&holding->site, holding->repository.session, &holdings.parts[i], cut, fault));
	}
	return FAULT_NONE;
}
