#include "publish/publisher.h"

#include <inttypes.h>
#include <stdio.h>

#include "ca/base/memory.h"
#include "ca/base/metrics.h"
#include "publish/compress.h"
#include "publish/cut_files.h"
#include "publish/notification.h"
#include "publish/retention.h"
#include "publish/rsync_rotation.h"
#include "publish/trust_anchor.h"
#include "publish/verify.h"

struct publisher {
	struct site site;
	struct site_exchange exchange;
};

static void
show_notified(const struct publication_head *head)
{
	char number[24];
	(void)snprintf(number, sizeof number, "%" PRId64, head->repository_id);
	metrics_family_set(METRIC_FAMILY_REPOSITORY_SERIAL, number, head->notified_serial);
	metrics_family_set(METRIC_FAMILY_REPOSITORY_WRITTEN_AT, number, head->notified_at);
	if (head->repository_id != 1)
		return;
	metrics_set(METRIC_SERIAL, head->notified_serial);
	metrics_set(METRIC_PUBLISHED_AT, head->notified_at);
}

/* What the metrics say after a restart is what is on disk, not nothing. */
static enum fault_code
show_state(const struct site *site, struct fault *fault)
{
	AUTO(struct publication_head, free) heads = NULL;
	size_t count = 0;
	TRY(site_repositories(site, &heads, &count, fault));
	if (count == 0)
		return fault_set(fault, FAULT_DATABASE, "the database has no repository");
	for (size_t i = 0; i < count; i++)
		show_notified(&heads[i]);
	metrics_set(METRIC_RSYNC_SERIAL, heads[0].rsync_serial);
	metrics_set(METRIC_RSYNC_AT, heads[0].rsync_at);
	return FAULT_NONE;
}

enum fault_code
publisher_new(struct db *db, int data_directory, const struct clock *clock, const struct publisher_settings *settings,
	struct publisher **ret_publisher, struct fault *fault)
{
	AUTO(struct publisher, publisher_free) publisher = NULL;
	INVARIANT(settings->deltas_max >= 0);
	TRY(memory_new(1, sizeof *publisher, &publisher, fault));
	publisher->site.db = db;
	publisher->site.directory = data_directory;
	publisher->site.clock = clock;
	publisher->site.settings = *settings;
	publisher->site.repository_id = 1;
	publisher->site.exchange = &publisher->exchange;
	INVARIANT(pthread_mutex_init(&publisher->exchange.mutex, NULL) == 0);
	TRY(show_state(&publisher->site, fault));
	*ret_publisher = MOVE(publisher);
	return FAULT_NONE;
}

void
publisher_free(struct publisher *publisher)
{
	if (publisher == NULL)
		return;
	(void)pthread_mutex_destroy(&publisher->exchange.mutex);
	free(publisher);
}

void
publisher_let_pass(struct publisher *publisher, publisher_pass pass, void *argument)
{
	publisher->site.pass = pass;
	publisher->site.pass_argument = argument;
}

/* What there is to publish of one repository. */
struct backlog {
	struct site site;
	struct publication_repository repository;
	struct publication_cut *cuts; /* after the notified one, upwards */
	size_t count;
};

/* Of all, as of one view, so that no cut is published in part; nothing that comes later is waited for. */
struct backlogs {
	struct backlog *items; /* by their numbers, upwards */
	size_t count;
};

static void
backlogs_clear(struct backlogs *backlogs)
{
	for (size_t i = 0; i < backlogs->count; i++) {
		publisher_store_clear_repository(&backlogs->items[i].repository);
		free(backlogs->items[i].cuts);
	}
	free(backlogs->items);
}

static enum fault_code
read_backlogs(const struct site *site, struct backlogs *backlogs, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct publication_head, free) heads = NULL;
	size_t count = 0;
	TRY(db_reader_acquire(site->db, &connection, fault));
	TRY(publisher_store_repositories(connection, &heads, &count, fault));
	TRY(memory_new(count, sizeof *backlogs->items, &backlogs->items, fault));
	backlogs->count = count;
	for (size_t i = 0; i < count; i++) {
		struct backlog *backlog = &backlogs->items[i];
		backlog->site = site_of(site, heads[i].repository_id);
		backlog->repository = PUBLICATION_REPOSITORY_INIT;
		TRY(publisher_store_repository(connection, heads[i].repository_id, &backlog->repository, fault));
		TRY(publisher_store_cuts_up(connection, heads[i].repository_id, heads[i].notified_serial + 1, &backlog->cuts,
			&backlog->count, fault));
	}
	return FAULT_NONE;
}

/* Files that an earlier attempt recorded may have been lost since: what the notification names has to be there. */
static enum fault_code
ensure_files(const struct backlog *backlog, const struct publication_cut *cut, bool newest, struct fault *fault)
{
	const struct site *site = &backlog->site;
	int64_t repaired = 0;
	bool recorded = cut->has_snapshot || !cut->snapshot_kept;
	if (!recorded)
		return cut_files_write(site, &backlog->repository, cut, newest, fault);
	if (cut->has_delta && cut->delta_kept)
		TRY(cut_files_repair(site, &backlog->repository, cut, LAYOUT_DELTA, &repaired, fault));
	if (cut->has_snapshot && cut->snapshot_kept && newest)
		TRY(cut_files_repair(site, &backlog->repository, cut, LAYOUT_SNAPSHOT, &repaired, fault));
	return FAULT_NONE;
}

static enum fault_code
ensure_all(const struct backlog *backlog, struct fault *fault)
{
	for (size_t i = 0; i < backlog->count; i++)
		TRY(ensure_files(backlog, &backlog->cuts[i], i + 1 == backlog->count, fault));
	return FAULT_NONE;
}

static enum fault_code
notify(struct backlog *backlog, int64_t serial, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	struct site *site = &backlog->site;
	struct publication_cut cut;
	bool found = false;
	TRY(db_reader_acquire(site->db, &connection, fault));
	TRY(publisher_store_cut(connection, site->repository_id, serial, &cut, &found, fault));
	if (!found || !cut.has_snapshot)
		return fault_set(fault, FAULT_DATABASE, "the files of serial %" PRId64 " were not recorded", serial);
	TRY(notification_compose(site, connection, &backlog->repository, &cut, &text, fault));
	db_reader_release(MOVE(connection));
	TRY(notification_put(site, &cut, bytes_span(&text), fault));
	int64_t now_at = clock_now(site->clock);
	TRY(publisher_store_record_notified(site->db, site->repository_id, serial, now_at, fault));
	struct publication_head head = { .repository_id = site->repository_id, .notified_serial = serial, .notified_at = now_at };
	show_notified(&head);
	return FAULT_NONE;
}

static enum fault_code
notify_last(struct backlog *backlog, int64_t *sum, struct fault *fault)
{
	int64_t serial = backlog->repository.notified_serial, certificates = 0;
	if (backlog->count > 0) {
		serial = backlog->cuts[backlog->count - 1].serial;
		TRY(trust_anchor_put(&backlog->site, serial, &certificates, fault));
		TRY(notify(backlog, serial, fault));
	}
	*sum += serial;
	return FAULT_NONE;
}

/*
 * All files first, so that the notifications come within milliseconds of each other; these from the last repository to the first, in
 * which the CAs above those of all others stand: README.md says why.
 */
static enum fault_code
publish(struct site *site, int64_t *ret_serial, struct fault *fault)
{
	AUTO_CLEAR(struct backlogs, backlogs_clear) backlogs = { .items = NULL };
	int64_t sum = 0;
	TRY(read_backlogs(site, &backlogs, fault));
	for (size_t i = 0; i < backlogs.count; i++)
		TRY(ensure_all(&backlogs.items[i], fault));
	for (size_t i = backlogs.count; i-- > 0;)
		TRY(notify_last(&backlogs.items[i], &sum, fault));
	*ret_serial = sum;
	return FAULT_NONE;
}

static enum fault_code
count_failure(enum fault_code code)
{
	if (code != FAULT_NONE && code != FAULT_BUSY)
		metrics_add(METRIC_PUBLICATION_FAILURES, 1);
	return code;
}

enum fault_code
publisher_publish(struct publisher *publisher, int64_t *ret_serial, struct fault *fault)
{
	return count_failure(publish(&publisher->site, ret_serial, fault));
}

enum fault_code
publisher_rsync(struct publisher *publisher, int64_t *ret_serial, struct fault *fault)
{
	return count_failure(rsync_rotation_advance(&publisher->site, ret_serial, fault));
}

enum fault_code
publisher_verify(struct publisher *publisher, int64_t *ret_repaired, struct fault *fault)
{
	return verify_run(&publisher->site, ret_repaired, fault);
}

enum fault_code
publisher_retire(struct publisher *publisher, struct fault *fault)
{
	TRY(retention_apply(&publisher->site, fault));
	return rsync_rotation_trim(&publisher->site, fault);
}

enum fault_code
publisher_compress(struct publisher *publisher, const atomic_bool *stop, struct fault *fault)
{
	return compress_run(&publisher->site, stop, fault);
}
