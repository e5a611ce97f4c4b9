/* What is served against what the database says should be: objects, CAs, payloads. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/memory.h"
#include "publish/check/check_internal.h"

/* RRDP: the state of the notification's serial. */

struct tally {
	struct check *check;
	int64_t objects, size;
};

static enum fault_code
expect(void *argument, const struct check_object_row *row, struct fault *fault)
{
	struct tally *tally = argument;
	struct check *check = tally->check;
	char uri[CHECK_URI];
	tally->objects++;
	tally->size += row->size;
	if (row->trust_anchor)
		return FAULT_NONE;
	(void)snprintf(uri, sizeof uri, "%s%s", check->point->repository.rsync_uri, row->path);
	struct check_entry *entry = check_index_find(&check->index, uri, strlen(uri));
	TRY(check_go_on(check, fault));
	if (entry == NULL || !entry->published || entry->point != check->point->number)
		return FOUND(check, RRDP_MISSING, uri, fault, "the database has it in serial %" PRId64, check->point->head.serial);
	entry->expected = true;
	if (!span_equal(row->hash, SPAN(entry->hash, SHA256_SIZE)))
		return FOUND(check, RRDP_DIFFERS, uri, fault, "the database has another object of that name in serial %" PRId64,
			check->point->head.serial);
	return FAULT_NONE;
}

/* What the API tells and a start is held against is counted by cuts; here is who counts again. */
static enum fault_code
compare_counts(const struct tally *tally, struct fault *fault)
{
	struct check *check = tally->check;
	int64_t objects, size;
	TRY(check_view_counts(check->request->db, check->point->repository.repository_id, check->point->head.serial, &objects, &size, fault));
	if (objects == -1 || (objects == tally->objects && size == tally->size))
		return FAULT_NONE;
	return FOUND(check, COUNT_DIFFERS, check->point->repository.rsync_uri, fault, "serial %" PRId64 " has %" PRId64 " objects of %" PRId64
		" bytes, its cut counted %" PRId64 " of %" PRId64, check->point->head.serial, tally->objects, tally->size, objects, size);
}

static enum fault_code
compare_rrdp(struct check *check, struct fault *fault)
{
	const struct check_point *point = check->point;
	struct tally tally = { .check = check };
	const struct check_entry *entry;
	size_t position = 0;
	TRY(check_view_state(check->request->db, point->repository.repository_id, point->head.serial, expect, &tally, fault));
	TRY(compare_counts(&tally, fault));
	while ((entry = check_index_next(&check->index, &position)) != NULL)
		if (entry->point == point->number && entry->published && !entry->expected)
			TRY(FOUND(check, RRDP_EXTRA, entry->uri, fault, "the database hasn't it in serial %" PRId64, point->head.serial));
	return FAULT_NONE;
}

enum fault_code
check_database_rrdp(struct check *check, struct fault *fault)
{
	for (size_t i = 0; check->request->db != NULL && i < check->points_count; i++) {
		check->point = check->points[i];
		if (check->point->rrdp_read)
			TRY(compare_rrdp(check, fault));
	}
	return FAULT_NONE;
}

/* Payloads: two sorted lists merged. */

struct merge {
	struct check *check;
	const struct check_authority *authority;
	const struct check_ca *ca;
	size_t next;                            /* of the authority's payloads */
};

static int
compare(const void *a, const void *b)
{
	return payload_compare(a, b);
}

static enum fault_code
extra(struct merge *merge, const struct payload *payload, struct fault *fault)
{
	char text[PAYLOAD_TEXT];
	payload_text(payload, text);
	return FOUND(merge->check, PAYLOAD_EXTRA, merge->authority->repository_uri, fault, "%s doesn't ask for %s", merge->ca->handle, text);
}

/* The published ones below this one are too many. */
static enum fault_code
want(void *argument, const struct payload *payload, struct fault *fault)
{
	struct merge *merge = argument;
	const struct check_authority *authority = merge->authority;
	char text[PAYLOAD_TEXT];
	for (; merge->next < authority->payloads_count; merge->next++) {
		const struct payload *published = &authority->payloads[merge->next];
		/* Two ROAs may say the same. */
		bool again = merge->next > 0 && payload_compare(published - 1, published) == 0;
		if (payload_compare(published, payload) >= 0)
			break;
		if (!again)
			TRY(extra(merge, published, fault));
	}
	bool found = merge->next < authority->payloads_count && payload_compare(&authority->payloads[merge->next], payload) == 0;
	while (merge->next < authority->payloads_count && payload_compare(&authority->payloads[merge->next], payload) == 0)
		merge->next++;
	if (found || merge->ca->suspended)
		return FAULT_NONE;
	payload_text(payload, text);
	return FOUND(merge->check, PAYLOAD_MISSING, authority->repository_uri, fault, "%s asks for %s", merge->ca->handle, text);
}

static enum fault_code
compare_payloads(struct check *check, const struct check_authority *authority, const struct check_ca *ca, struct fault *fault)
{
	struct merge merge = { .check = check, .authority = authority, .ca = ca };
	struct check_ca again;
	bool found;
	if (authority->payloads_count > 0)
		qsort(authority->payloads, authority->payloads_count, sizeof *authority->payloads, compare);
	AUTO_CLEAR(struct check_report, check_report_clear) part = CHECK_REPORT_INIT;
	struct check_report *report = check->report;
	check->report = &part;
	enum fault_code code = check_view_payloads(check->request->db, ca->ca_id, want, &merge, fault);
	for (; code == FAULT_NONE && merge.next < authority->payloads_count; merge.next++)
		code = extra(&merge, &authority->payloads[merge.next], fault);
	check->report = report;
	TRY(code);
	if (part.findings_total == 0)
		return FAULT_NONE;
	/* Its member may have changed it between two looks. */
	const struct check_point *point = authority->point;
	TRY(check_view_ca(check->request->db, point->repository.repository_id, authority->key_identifier, point->head.serial, &again,
		&found, fault));
	return found && again.settled ? check_report_join(report, &part, fault) : FAULT_NONE;
}

enum fault_code
check_database_ca(struct check *check, const struct check_authority *authority, uint64_t manifest_number, struct fault *fault)
{
	const struct check_request *request = check->request;
	struct check_ca ca;
	bool found;
	if (request->db == NULL)
		return FAULT_NONE;
	const struct check_point *point = authority->point;
	TRY(check_view_ca(request->db, point->repository.repository_id, authority->key_identifier, point->head.serial, &ca, &found, fault));
	if (!found)
		return FOUND(check, CA_UNKNOWN, authority->certificate_uri, fault, "the database has no CA with this key");
	if (manifest_number < ca.manifest_number)
		TRY(FOUND(check, MANIFEST_OLD, authority->manifest_uri, fault, "number %" PRIu64 ", the last one issued is %" PRIu64,
			manifest_number, ca.manifest_number));
	if (!ca.current)
		return FAULT_NONE;
	if (!ca.settled) {
		check->report->cas_unsettled++;
		return FAULT_NONE;
	}
	/* The same ROAs as before; what is asked for since makes it unsettled. */
	return authority->known ? FAULT_NONE : compare_payloads(check, authority, &ca, fault);
}

static int
compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct check_key));
}

static enum fault_code
reached(void *argument, const char *handle, struct span key_identifier, struct fault *fault)
{
	struct check *check = argument;
	TRY(check_go_on(check, fault));
	if (key_identifier.length != sizeof(struct check_key) || (check->keys_count > 0 && bsearch(key_identifier.data, check->keys,
		check->keys_count, sizeof *check->keys, compare_keys) != NULL))
		return FAULT_NONE;
	return FOUND(check, CA_MISSING, handle, fault, "no valid certificates and manifests lead to it from the trust anchor");
}

enum fault_code
check_database_cas(struct check *check, struct fault *fault)
{
	if (check->request->db == NULL)
		return FAULT_NONE;
	if (check->keys_count > 0)
		qsort(check->keys, check->keys_count, sizeof *check->keys, compare_keys);
	for (size_t i = 0; i < check->points_count; i++) {
		const struct check_point *point = check->points[i];
		if (point->rrdp_read)
			TRY(check_view_cas(check->request->db, point->repository.repository_id, point->head.serial, reached, check, fault));
	}
	return FAULT_NONE;
}
