#include "publish/publisher.h"

#include <inttypes.h>

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
};

/* What the metrics say after a restart is what is on disk, not nothing. */
static enum fault_code
show_state(const struct site *site, struct fault *fault)
{
	AUTO_CLEAR(struct publication_repository, publisher_store_clear_repository) repository = PUBLICATION_REPOSITORY_INIT;
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	TRY(db_reader_acquire(site->db, &connection, fault));
	TRY(publisher_store_repository(connection, site->settings.repository_id, &repository, fault));
	metrics_set(METRIC_SERIAL, repository.notified_serial);
	metrics_set(METRIC_PUBLISHED_AT, repository.notified_at);
	metrics_set(METRIC_RSYNC_SERIAL, repository.rsync_serial);
	metrics_set(METRIC_RSYNC_AT, repository.rsync_at);
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
	INVARIANT(pthread_mutex_init(&publisher->site.exchange, NULL) == 0);
	TRY(show_state(&publisher->site, fault));
	*ret_publisher = MOVE(publisher);
	return FAULT_NONE;
}

void
publisher_free(struct publisher *publisher)
{
	if (publisher == NULL)
		return;
	(void)pthread_mutex_destroy(&publisher->site.exchange);
	free(publisher);
}

void
publisher_let_pass(struct publisher *publisher, publisher_pass pass, void *argument)
{
	publisher->site.pass = pass;
	publisher->site.pass_argument = argument;
}

/* What there is to publish, as of one view: nothing that comes later is waited for. */
struct backlog {
	struct publication_repository repository;
	struct publication_cut *cuts; /* after the notified one, upwards */
	size_t count;
};

static void
backlog_clear(struct backlog *backlog)
{
	publisher_store_clear_repository(&backlog->repository);
	free(backlog->cuts);
}

static enum fault_code
read_backlog(const struct site *site, struct backlog *backlog, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	TRY(db_reader_acquire(site->db, &connection, fault));
	TRY(publisher_store_repository(connection, site->settings.repository_id, &backlog->repository, fault));
	return publisher_store_cuts_up(connection, site->settings.repository_id, backlog->repository.notified_serial + 1,
		&backlog->cuts, &backlog->count, fault);
}

/* Files that an earlier attempt recorded may have been lost since: what the notification names has to be there. */
static enum fault_code
ensure_files(const struct site *site, const struct backlog *backlog, const struct publication_cut *cut, bool newest,
	struct fault *fault)
{
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
notify(struct site *site, const struct backlog *backlog, int64_t serial, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	struct publication_cut cut;
	bool found = false;
	TRY(db_reader_acquire(site->db, &connection, fault));
	TRY(publisher_store_cut(connection, site->settings.repository_id, serial, &cut, &found, fault));
	if (!found || !cut.has_snapshot)
		return fault_set(fault, FAULT_DATABASE, "the files of serial %" PRId64 " were not recorded", serial);
	TRY(notification_compose(site, connection, &backlog->repository, &cut, &text, fault));
	db_reader_release(MOVE(connection));
	TRY(notification_put(site, &cut, bytes_span(&text), fault));
	int64_t now_at = clock_now(site->clock);
	TRY(publisher_store_record_notified(site->db, site->settings.repository_id, serial, now_at, fault));
	metrics_set(METRIC_SERIAL, serial);
	metrics_set(METRIC_PUBLISHED_AT, now_at);
	return FAULT_NONE;
}

static enum fault_code
publish(struct site *site, int64_t *ret_serial, struct fault *fault)
{
	AUTO_CLEAR(struct backlog, backlog_clear) backlog = { .repository = PUBLICATION_REPOSITORY_INIT };
	int64_t certificates = 0;
	TRY(read_backlog(site, &backlog, fault));
	int64_t serial = backlog.repository.notified_serial;
	for (size_t i = 0; i < backlog.count; i++)
		TRY(ensure_files(site, &backlog, &backlog.cuts[i], i + 1 == backlog.count, fault));
	if (backlog.count > 0) {
		serial = backlog.cuts[backlog.count - 1].serial;
		TRY(trust_anchor_put(site, serial, &certificates, fault));
		TRY(notify(site, &backlog, serial, fault));
	}
	*ret_serial = serial;
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
