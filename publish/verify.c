#include "publish/verify.h"

#include <string.h>

#include "ca/base/metrics.h"
#include "publish/compress.h"
#include "publish/cut_files.h"
#include "publish/notification.h"
#include "publish/rsync_repair.h"
#include "publish/sweep.h"
#include "publish/trust_anchor.h"

struct verification {
	struct site *site;
	struct publication_repository repository;
	struct publication_cut *cuts; /* with kept files, upwards */
	size_t count;
	struct publication_cut *current; /* whose notification is on disk */
	int64_t repaired;
	struct fault first;           /* the first DATABASE fault: it stops one file, not the others */
};

static void
verification_clear(struct verification *verification)
{
	publisher_store_clear_repository(&verification->repository);
	free(verification->cuts);
}

static enum fault_code
load(struct verification *verification, struct fault *fault)
{
	const struct site *site = verification->site;
	verification_clear(verification);
	verification->cuts = NULL;
	verification->current = NULL;
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	TRY(db_reader_acquire(site->db, &connection, fault));
	TRY(publisher_store_repository(connection, site->repository_id, &verification->repository, fault));
	TRY(publisher_store_cuts_kept(connection, site->repository_id, &verification->cuts, &verification->count,
		fault));
	for (size_t i = 0; i < verification->count; i++)
		if (verification->cuts[i].serial == verification->repository.notified_serial)
			verification->current = &verification->cuts[i];
	if (verification->repository.notified_serial != 0 && verification->current == NULL)
		return fault_set(fault, FAULT_DATABASE, "the files of the serial that is published are not kept");
	return FAULT_NONE;
}

/* Sets a DATABASE fault aside; any other one ends the run. fault is not NULL in here. */
static enum fault_code
set_aside(struct verification *verification, enum fault_code code, struct fault *fault)
{
	if (code != FAULT_DATABASE)
		return code;
	if (verification->first.code == FAULT_NONE)
		verification->first = *fault;
	fault_clear(fault);
	return FAULT_NONE;
}

static enum fault_code
verify_file(struct verification *verification, const struct publication_cut *cut, enum layout_file file, struct fault *fault)
{
	bool there = file == LAYOUT_SNAPSHOT ? cut->snapshot_kept && cut->has_snapshot : cut->delta_kept && cut->has_delta;
	if (!there)
		return FAULT_NONE;
	enum fault_code code = cut_files_repair(verification->site, &verification->repository, cut, file, &verification->repaired,
		fault);
	return set_aside(verification, code, fault);
}

static enum fault_code
compose(const struct verification *verification, struct bytes *text, struct fault *fault)
{
	const struct site *site = verification->site;
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	TRY(db_reader_acquire(site->db, &connection, fault));
	return notification_compose(site, connection, &verification->repository, verification->current, text, fault);
}

static enum fault_code
verify_notification(struct verification *verification, struct fault *fault)
{
	struct site *site = verification->site;
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	struct publication_content content;
	char path[LAYOUT_PATH];
	bool good = false;
	enum fault_code code = compose(verification, &text, fault);
	if (code != FAULT_NONE)
		return set_aside(verification, code, fault);
	TRY(digest_sha256(bytes_span(&text), content.hash, fault));
	content.size = (int64_t)text.length;
	layout_notification(path, site->repository_id);
	TRY(site_check(site, path, &content, verification->current->cut_at, &good, fault));
	if (good)
		return compress_check(site, path, &content, fault);
	TRY(notification_put(site, verification->current, bytes_span(&text), fault));
	verification->repaired++;
	return FAULT_NONE;
}

/* The snapshot that the notification names, and the notification: only together are they of use to anybody. */
static enum fault_code
verify_current(struct verification *verification, struct fault *fault)
{
	TRY(verify_file(verification, verification->current, LAYOUT_SNAPSHOT, fault));
	if (verification->first.code != FAULT_NONE)
		return FAULT_NONE;
	return verify_notification(verification, fault);
}

static enum fault_code
verify_all(struct verification *verification, enum layout_file file, struct fault *fault)
{
	for (size_t i = verification->count; i-- > 0;) {
		TRY(site_let_pass(verification->site, fault));
		if (file == LAYOUT_DELTA || &verification->cuts[i] != verification->current)
			TRY(verify_file(verification, &verification->cuts[i], file, fault));
	}
	return FAULT_NONE;
}

/* Of the files that the notification names. */
static enum fault_code
verify_gzips(const struct verification *verification, struct fault *fault)
{
	const struct publication_cut *current = verification->current;
	char path[LAYOUT_PATH];
	layout_rrdp(path, verification->repository.session, current, layout_file_name(LAYOUT_SNAPSHOT));
	TRY(compress_check(verification->site, path, &current->snapshot, fault));
	for (const struct publication_cut *cut = current; current->first_delta != 0; cut--) {
		layout_rrdp(path, verification->repository.session, cut, layout_file_name(LAYOUT_DELTA));
		TRY(compress_check(verification->site, path, &cut->delta, fault));
		TRY(site_let_pass(verification->site, fault));
		if (cut->serial <= current->first_delta || cut == verification->cuts)
			break;
	}
	return FAULT_NONE;
}

/* Until notification and certificate are right nothing is let pass: they are held against what they were when this began. */
static enum fault_code
verify_disk(struct verification *verification, struct fault *fault)
{
	struct site *site = verification->site;
	TRY(verify_current(verification, fault));
	enum fault_code code = trust_anchor_put(site, verification->current->serial, &verification->repaired, fault);
	TRY(set_aside(verification, code, fault));
	TRY(verify_all(verification, LAYOUT_DELTA, fault));
	TRY(verify_all(verification, LAYOUT_SNAPSHOT, fault));
	TRY(verify_gzips(verification, fault));
	/* What was published meanwhile belongs there too. */
	TRY(load(verification, fault));
	return sweep_rrdp(site, verification->repository.session, verification->cuts, verification->count, fault);
}

/* What was found of one repository, or of the trees, goes into the whole. fault is not NULL in here. */
static enum fault_code
add(struct verification *whole, const struct verification *part, enum fault_code code, struct fault *fault)
{
	whole->repaired += part->repaired;
	if (code == FAULT_NONE && part->first.code != FAULT_NONE && whole->first.code == FAULT_NONE)
		whole->first = part->first;
	return set_aside(whole, code, fault);
}

static enum fault_code
verify_repository(struct verification *whole, const struct site *site, int64_t repository_id, bool *any, struct fault *fault)
{
	struct site one = site_of(site, repository_id);
	AUTO_CLEAR(struct verification, verification_clear) verification = {
		.site = &one,
		.repository = PUBLICATION_REPOSITORY_INIT,
	};
	enum fault_code code = load(&verification, fault);
	if (code == FAULT_NONE && verification.current != NULL) {
		*any = true;
		code = verify_disk(&verification, fault);
	}
	return add(whole, &verification, code, fault);
}

/* RRDP of each, then the trees that are of all. */
static enum fault_code
verify_whole(struct verification *whole, struct site *site, struct fault *fault)
{
	AUTO(struct publication_head, free) heads = NULL;
	size_t count = 0;
	bool any = false;
	TRY(site_repositories(site, &heads, &count, fault));
	for (size_t i = 0; i < count; i++)
		TRY(verify_repository(whole, site, heads[i].repository_id, &any, fault));
	if (!any)
		return FAULT_NONE;
	TRY(set_aside(whole, rsync_repair_run(site, &whole->repaired, fault), fault));
	return sweep_trust_anchor(site, fault);
}

enum fault_code
verify_run(struct site *site, int64_t *ret_repaired, struct fault *fault)
{
	struct verification whole = { .site = site };
	struct fault own = FAULT_INIT;
	enum fault_code code = verify_whole(&whole, site, &own);
	metrics_add(METRIC_FILES_REPAIRED, whole.repaired);
	if (code == FAULT_NONE && whole.first.code != FAULT_NONE)
		own = whole.first;
	if (own.code == FAULT_NONE)
		*ret_repaired = whole.repaired;
	else if (fault != NULL)
		*fault = own;
	return own.code;
}
