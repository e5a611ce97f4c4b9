#include "publish/check/check_internal.h"

#include <stdlib.h>
#include <string.h>

#include "ca/base/clock.h"

enum fault_code
check_go_on(const struct check *check, struct fault *fault)
{
	const atomic_bool *stop = check->request->stop;
	return stop == NULL || !*stop ? FAULT_NONE : fault_set(fault, FAULT_BUSY, "the check was stopped");
}

void
check_look_at_clock(struct check *check)
{
	if (check->request->clock != NULL)
		check->now_at = clock_now(check->request->clock);
	check->report->checked_at = check->now_at;
}

enum fault_code
check_note(struct check *check, enum check_object object, const char *uri, int64_t not_after_at, struct fault *fault)
{
	struct check_report *report = check->report;
	int64_t left_s = not_after_at - check->now_at;
	report->objects[object]++;
	if (report->expires_at[object] == 0 || not_after_at < report->expires_at[object])
		report->expires_at[object] = not_after_at;
	if (left_s <= 0 || left_s >= check->request->horizon_s[object])
		return FAULT_NONE;
	return FOUND(check, EXPIRES_SOON, uri, fault, "it expires in %lld seconds", (long long)left_s);
}

/* Of what nothing leads to yet, as the trust anchor's machine has to sign first, the database knows. */
static enum fault_code
unlisted(struct check *check, const struct check_point *point, const char *uri, struct fault *fault)
{
	const struct check_request *request = check->request;
	const struct check_repository *repository = &point->repository;
	size_t base = strlen(repository->rsync_uri);
	bool awaits = false;
	if (request->db != NULL && strncmp(uri, repository->rsync_uri, base) == 0)
		TRY(check_view_awaits(request->db, repository->repository_id, uri + base, &awaits, fault));
	return awaits ? FAULT_NONE : FOUND(check, OBJECT_UNLISTED, uri, fault, "nothing leads to it from the trust anchor");
}

static enum fault_code
find_unlisted(struct check *check, struct fault *fault)
{
	const struct check_entry *entry;
	size_t position = 0;
	while ((entry = check_index_next(&check->index, &position)) != NULL)
		if (entry->published && !entry->listed)
			TRY(unlisted(check, check->points[entry->point - 1], entry->uri, fault));
	return FAULT_NONE;
}

static enum fault_code
check_objects(struct check *check, struct check_authority *anchor, struct fault *fault)
{
	if (!check->points[0]->rrdp_read)
		return FAULT_NONE;
	anchor->point = check->points[0];
	TRY(check_manifest_walk(check, anchor, fault));
	return find_unlisted(check, fault);
}

static enum fault_code
run(struct check *check, struct fault *fault)
{
	AUTO(struct check_authority, check_authority_free) anchor = NULL;
	const struct check_request *request = check->request;
	if (request->db != NULL)
		TRY(check_view_repositories(request->db, &check->repositories, &check->repositories_count, fault));
	TRY(check_anchor(check, &anchor, fault));
	if (anchor == NULL)
		return FAULT_NONE;
	if (request->db == NULL && !request->without_rsync)
		TRY(check_rsync_read(check, fault));
	TRY(check_point_read_all(check, fault));
	check_look_at_clock(check);
	TRY(check_database_rrdp(check, fault));
	TRY(check_objects(check, anchor, fault));
	TRY(check_database_cas(check, fault));
	if (request->without_rsync)
		return FAULT_NONE;
	return request->db == NULL ? check_rsync_judge(check, fault) : check_rsync(check, fault);
}

static void
check_clear(struct check *check)
{
	check_index_clear(&check->index);
	check_point_clear(check);
	free(check->repositories);
	free(check->keys);
}

enum fault_code
check_run(const struct check_request *request, struct check_report *report, struct fault *fault)
{
	AUTO_CLEAR(struct check, check_clear) check = {
		.request = request, .report = report, .now_at = request->now_at, .index = CHECK_INDEX(request->directory),
	};
	int64_t begun_ms = clock_monotonic_ms();
	report->checked_at = request->now_at;
	enum fault_code code = run(&check, fault);
	if (request->known != NULL)
		check_known_turn(request->known, code == FAULT_NONE);
	TRY(code);
	report->duration_ms = clock_monotonic_ms() - begun_ms;
	return FAULT_NONE;
}
