/*
 * The repositories: the trust anchor's certificate leads to the first, certificates of CAs below to others. All of one publisher are
 * below the first one's notification: <its directory>/<N>/notification.xml, N from 2 on.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/memory.h"
#include "ca/base/scope.h"
#include "publish/check/check_internal.h"

#define NOTIFICATION "notification.xml"
#define TRIES 3

void
check_point_clear(struct check *check)
{
	for (size_t i = 0; i < check->points_count; i++) {
		descriptor_close(&check->points[i]->snapshot);
		free(check->points[i]);
	}
	check->points_count = 0;
}

/* Makes a point and reads it. repository: NULL without a database. */
static enum fault_code
read_point(struct check *check, const char *notification_uri, const struct check_repository *repository, struct fault *fault)
{
	struct check_point *point;
	INVARIANT(check->points_count < CHECK_POINTS_MAX);
	TRY(memory_new(1, sizeof *point, &point, fault));
	check->points[check->points_count++] = point;
	point->number = (uint16_t)check->points_count;
	point->snapshot = -1;
	(void)snprintf(point->notification_uri, sizeof point->notification_uri, "%s", notification_uri);
	if (repository != NULL)
		point->repository = *repository;
	check->point = point;
	return check_rrdp(check, fault);
}

static enum fault_code
read_once(struct check *check, struct fault *fault)
{
	TRY(read_point(check, check->notification_uri, check->repositories, fault));
	for (size_t i = 1; i < check->repositories_count; i++) {
		const struct check_repository *repository = &check->repositories[i];
		char uri[CHECK_URI];
		int length = snprintf(uri, sizeof uri, "%s" NOTIFICATION, repository->rrdp_uri);
		if (repository->notified_serial == 0 || length < 0 || (size_t)length >= sizeof uri || check->points_count == CHECK_POINTS_MAX)
			continue;
		TRY(read_point(check, uri, repository, fault));
	}
	return FAULT_NONE;
}

/* Was nothing published between the first that was read and the last? */
static enum fault_code
is_of_one_cut(struct check *check, bool *ret_is, struct fault *fault)
{
	AUTO(struct check_repository, free) now = NULL;
	size_t count = 0;
	*ret_is = true;
	if (check->repositories_count < 2)
		return FAULT_NONE;
	TRY(check_view_repositories(check->request->db, &now, &count, fault));
	for (size_t i = 0; i < check->points_count; i++)
		for (size_t j = 0; j < count; j++)
			if (now[j].repository_id == check->points[i]->repository.repository_id && check->points[i]->head.serial != 0 &&
				now[j].notified_serial != check->points[i]->head.serial)
				*ret_is = false;
	*ret_is = *ret_is && count == check->repositories_count;
	return FAULT_NONE;
}

static enum fault_code
begin_again(struct check *check, struct fault *fault)
{
	check_index_clear(&check->index);
	check_point_clear(check);
	check->report->repositories = check->report->serials = 0;
	free(check->repositories);
	check->repositories = NULL;
	return check_view_repositories(check->request->db, &check->repositories, &check->repositories_count, fault);
}

/* What one try finds goes into a report of its own, but for what is told of the notification. */
static enum fault_code
try_once(struct check *check, bool last, bool *ret_done, struct fault *fault)
{
	struct check_report *report = check->report;
	AUTO_CLEAR(struct check_report, check_report_clear) part = CHECK_REPORT_INIT;
	check->report = &part;
	enum fault_code code = read_once(check, fault);
	check->report = report;
	TRY(code);
	TRY(is_of_one_cut(check, ret_done, fault));
	*ret_done = *ret_done || last;
	if (!*ret_done)
		return FAULT_NONE;
	memcpy(report->session, part.session, sizeof report->session);
	report->serial = part.serial;
	report->deltas = part.deltas;
	report->repositories = part.repositories;
	report->serials = part.serials;
	return check_report_join(report, &part, fault);
}

enum fault_code
check_point_read_all(struct check *check, struct fault *fault)
{
	bool done = false;
	for (int i = 0; !done && i < TRIES; i++) {
		if (i > 0)
			TRY(begin_again(check, fault));
		TRY(try_once(check, i + 1 == TRIES, &done, fault));
	}
	return FAULT_NONE;
}

/* <base><N>/notification.xml, N written in the one way. */
static bool
is_further(const struct check *check, const char *uri)
{
	size_t base = strlen(check->rrdp_base);
	char expected[CHECK_URI];
	if (strncmp(uri, check->rrdp_base, base) != 0)
		return false;
	int64_t number = strtoll(uri + base, NULL, 10);
	int length = snprintf(expected, sizeof expected, "%s%" PRId64 "/" NOTIFICATION, check->rrdp_base, number);
	return number > 1 && length > 0 && (size_t)length < sizeof expected && strcmp(expected, uri) == 0;
}

enum fault_code
check_point_find(struct check *check, struct span notification_uri, struct check_point **ret_point, struct fault *fault)
{
	char uri[CHECK_URI];
	*ret_point = NULL;
	for (size_t i = 0; i < check->points_count && *ret_point == NULL; i++)
		if (check_span_is(notification_uri, check->points[i]->notification_uri))
			*ret_point = check->points[i];
	if (*ret_point != NULL || check->request->db != NULL || notification_uri.length >= sizeof uri ||
		memchr(notification_uri.data, '\0', notification_uri.length) != NULL || check->points_count == CHECK_POINTS_MAX)
		return FAULT_NONE;
	memcpy(uri, notification_uri.data, notification_uri.length);
	uri[notification_uri.length] = '\0';
	if (!is_further(check, uri))
		return FAULT_NONE;
	TRY(read_point(check, uri, NULL, fault));
	*ret_point = check->points[check->points_count - 1];
	return FAULT_NONE;
}

struct check_entry *
check_point_published(struct check *check, const struct check_authority *authority, const char *uri)
{
	struct check_entry *entry = check_index_find(&check->index, uri, strlen(uri));
	return entry != NULL && entry->published && entry->point == authority->point->number ? entry : NULL;
}
