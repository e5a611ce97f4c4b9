/*
 * RRDP, RFC 8182: the notification, the snapshot it names, and the deltas undone from the newest to the oldest. What a delta says
 * of an object is held against the state behind it; so the whole chain leads to the snapshot, with a state kept once.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/base/memory.h"
#include "publish/check/check_internal.h"

#define DELTAS_MAX 10000

struct named {
	char uri[CHECK_URI];
	uint8_t hash[SHA256_SIZE];
	int64_t serial;
};

struct notification {
	struct check *check;
	struct named snapshot;
	struct named *deltas;
	size_t count, capacity;
	bool twice;                             /* two snapshots */
};

static void
notification_clear(struct notification *notification)
{
	free(notification->deltas);
}

static enum fault_code
take_named(void *argument, const struct check_rrdp_head *head, const struct check_rrdp_element *element, struct fault *fault)
{
	struct notification *notification = argument;
	struct named *named = &notification->snapshot;
	(void)head;
	if (element->name == CHECK_RRDP_NAMES_SNAPSHOT) {
		notification->twice = notification->twice || named->uri[0] != '\0';
	} else {
		if (notification->count == DELTAS_MAX)
			return FAULT_NONE;
		TRY(memory_reserve(&notification->deltas, &notification->capacity, notification->count + 1,
			sizeof *notification->deltas, fault));
		named = &notification->deltas[notification->count++];
	}
	memcpy(named->uri, element->uri, strlen(element->uri) + 1);
	memcpy(named->hash, element->hash, SHA256_SIZE);
	named->serial = element->serial;
	return FAULT_NONE;
}

/* RFC 9674: scheme, host and port as the notification's. */
static enum fault_code
check_origin(struct check *check, const char *uri, struct fault *fault)
{
	const char *own = check->point->notification_uri;
	size_t scheme = strlen("https://"), origin = scheme + strcspn(own + scheme, "/") + 1;
	if (strncmp(uri, own, origin) == 0)
		return FAULT_NONE;
	return FOUND(check, NOTIFICATION_ORIGIN, uri, fault, "a file at another origin than %.*s", (int)origin, own);
}

static int
newest_first(const void *a, const void *b)
{
	int64_t x = ((const struct named *)a)->serial, y = ((const struct named *)b)->serial;
	return (x < y) - (x > y);
}

/* RFC 8182 §3.3.1: each serial once, without a gap, up to the notification's own. */
static enum fault_code
check_list(struct check *check, struct notification *notification, struct fault *fault)
{
	TRY(check_origin(check, notification->snapshot.uri, fault));
	if (notification->count > 0)
		qsort(notification->deltas, notification->count, sizeof *notification->deltas, newest_first);
	for (size_t i = 0; i < notification->count; i++) {
		const struct named *delta = &notification->deltas[i];
		TRY(check_origin(check, delta->uri, fault));
		if (delta->serial != check->point->head.serial - (int64_t)i)
			return FOUND(check, NOTIFICATION_DELTAS, check->point->notification_uri, fault,
				"where the delta of serial %" PRId64 " should stand is that of %" PRId64, check->point->head.serial - (int64_t)i,
				delta->serial);
	}
	return FAULT_NONE;
}

static enum fault_code
check_serial(struct check *check, struct fault *fault)
{
	const struct check_repository *repository = &check->point->repository;
	const char *uri = check->point->notification_uri;
	if (check->request->db == NULL)
		return FAULT_NONE;
	if (strcmp(check->point->head.session, repository->session) != 0)
		return FOUND(check, NOTIFICATION_DIFFERS, uri, fault, "session %s where the database has %s", check->point->head.session,
			repository->session);
	/* The database was looked at before: what it then had on disk may have moved on, never back. */
	if (check->point->head.serial < repository->notified_serial)
		return FOUND(check, NOTIFICATION_DIFFERS, uri, fault, "serial %" PRId64 " where %" PRId64 " was published",
			check->point->head.serial, repository->notified_serial);
	/* And a notification is on disk before the database hears of it. */
	TRY(check_view_repository(check->request->db, repository->repository_id, &check->point->repository, fault));
	if (check->point->head.serial > repository->serial)
		return FOUND(check, NOTIFICATION_DIFFERS, uri, fault, "serial %" PRId64 " where the database's last is %" PRId64,
			check->point->head.serial, repository->serial);
	return FAULT_NONE;
}

static enum fault_code
read_notification(struct check *check, struct notification *notification, struct fault *fault)
{
	AUTO_CLEAR(int, descriptor_close) fd = -1;
	struct check_rrdp_file file;
	struct fault missing = FAULT_INIT;
	const char *uri = check->point->notification_uri;
	bool first = check->point->number == 1;
	const char *from = first && check->request->notification_uri != NULL ? check->request->notification_uri : uri;
	enum fault_code code = check_place_open(check, from, CHECK_NOTIFICATION_MAX, &fd, &missing);
	if (code == FAULT_NOT_FOUND)
		return FOUND(check, NOTIFICATION_MISSING, uri, fault, "%s", missing.message);
	if (code != FAULT_NONE)
		return fault_set(fault, code, "%s", missing.message);
	TRY(check_rrdp_read(fd, CHECK_RRDP_NOTIFICATION, CHECK_NOTIFICATION_MAX, take_named, notification, &file, fault));
	TRY(check_place_gzip(check, uri, file.hash, fault));
	if (file.wrong[0] != '\0')
		return FOUND(check, NOTIFICATION_MALFORMED, uri, fault, "%s", file.wrong);
	if (notification->snapshot.uri[0] == '\0' || notification->twice)
		return FOUND(check, NOTIFICATION_MALFORMED, uri, fault, "there isn't exactly one snapshot");
	check->point->head = file.head;
	check->report->repositories++;
	check->report->serials += file.head.serial;
	if (first) {
		memcpy(check->report->session, file.head.session, sizeof check->report->session);
		check->report->serial = file.head.serial;
		check->report->deltas = (int64_t)notification->count;
	}
	TRY(check_serial(check, fault));
	return check_list(check, notification, fault);
}

static enum fault_code
take_object(void *argument, const struct check_rrdp_head *head, const struct check_rrdp_element *element, struct fault *fault)
{
	struct check *check = argument;
	struct check_entry *entry;
	(void)head;
	TRY(check_go_on(check, fault));
	TRY(check_index_add(&check->index, element->uri, &entry, fault));
	if (entry->published)
		return FOUND(check, SNAPSHOT_TWICE, element->uri, fault, "it stands in the snapshot%s twice",
			entry->point == check->point->number ? "" : "s");
	if (!lint_uri(element->uri, "rsync"))
		TRY(FOUND(check, OBJECT_NAME, element->uri, fault, "not a URI that all validators take"));
	if (element->object.length < CHECK_OBJECT_MIN || element->object.length > CHECK_OBJECT_MAX)
		TRY(FOUND(check, OBJECT_SIZE, element->uri, fault, "%zu octets, where validators take %d to %d", element->object.length,
			CHECK_OBJECT_MIN, CHECK_OBJECT_MAX));
	TRY(digest_sha256(element->object, entry->hash, fault));
	memcpy(entry->replayed, entry->hash, SHA256_SIZE);
	entry->published = entry->present = true;
	entry->point = check->point->number;
	entry->offset = element->offset;
	entry->length = (uint32_t)element->length;
	entry->size = (uint32_t)element->object.length;
	return FAULT_NONE;
}

static enum fault_code
read_snapshot(struct check *check, const struct named *named, int64_t *ret_size, struct fault *fault)
{
	struct check_rrdp_file file;
	struct fault missing = FAULT_INIT;
	enum fault_code code = check_place_open(check, named->uri, CHECK_DOCUMENT_MAX, &check->point->snapshot, &missing);
	if (code == FAULT_NOT_FOUND)
		return FOUND(check, SNAPSHOT_MISSING, named->uri, fault, "%s", missing.message);
	if (code != FAULT_NONE)
		return fault_set(fault, code, "%s", missing.message);
	TRY(check_rrdp_read(check->point->snapshot, CHECK_RRDP_SNAPSHOT, CHECK_DOCUMENT_MAX, take_object, check, &file, fault));
	*ret_size = file.size;
	/* Unpacking it takes as long as all else: with everything. */
	if (!check->request->changed_only)
		TRY(check_place_gzip(check, named->uri, file.hash, fault));
	if (memcmp(file.hash, named->hash, SHA256_SIZE) != 0)
		TRY(FOUND(check, SNAPSHOT_HASH, named->uri, fault, "its hash isn't the one in the notification"));
	if (file.wrong[0] != '\0')
		return FOUND(check, SNAPSHOT_MALFORMED, named->uri, fault, "%s", file.wrong);
	check->point->rrdp_read = true;
	if (strcmp(file.head.session, check->point->head.session) != 0)
		TRY(FOUND(check, SNAPSHOT_SESSION, named->uri, fault, "session %s, the notification's is %s", file.head.session,
			check->point->head.session));
	if (file.head.serial != check->point->head.serial)
		TRY(FOUND(check, SNAPSHOT_SERIAL, named->uri, fault, "serial %" PRId64 ", the notification's is %" PRId64,
			file.head.serial, check->point->head.serial));
	return FAULT_NONE;
}

struct delta {
	struct check *check;
	const struct named *named;
	int64_t elements;
	bool broken;                            /* one finding a delta is enough */
};

static enum fault_code
chain_breaks(struct delta *delta, const char *uri, const char *words, struct fault *fault)
{
	if (delta->broken)
		return FAULT_NONE;
	delta->broken = true;
	return FOUND(delta->check, DELTA_CHAIN, uri, fault, "delta %" PRId64 ": %s", delta->named->serial, words);
}

/* Undoes one element: what stands behind it must be what it says; what stood before is what it replaces. */
static enum fault_code
undo(void *argument, const struct check_rrdp_head *head, const struct check_rrdp_element *element, struct fault *fault)
{
	struct delta *delta = argument;
	struct check_entry *entry;
	uint8_t hash[SHA256_SIZE];
	(void)head;
	delta->elements++;
	TRY(check_go_on(delta->check, fault));
	TRY(check_index_add(&delta->check->index, element->uri, &entry, fault));
	if (element->name == CHECK_RRDP_WITHDRAW) {
		if (entry->present)
			TRY(chain_breaks(delta, element->uri, "withdraws what is there afterwards", fault));
	} else {
		TRY(digest_sha256(element->object, hash, fault));
		if (!entry->present || memcmp(hash, entry->replayed, SHA256_SIZE) != 0)
			TRY(chain_breaks(delta, element->uri, "publishes another object than is there afterwards", fault));
	}
	if (entry->point == 0)
		check_rsync_adopt(delta->check, entry);
	delta->check->point->differences -= check_rsync_differs(delta->check, entry);
	entry->present = element->has_hash;
	memcpy(entry->replayed, element->hash, SHA256_SIZE);
	delta->check->point->differences += check_rsync_differs(delta->check, entry);
	return FAULT_NONE;
}

static enum fault_code
learn_delta(const struct check *check, const struct named *named, int64_t size, struct fault *fault)
{
	struct check_known_delta delta = { .size = size };
	if (check->request->known == NULL)
		return FAULT_NONE;
	memcpy(delta.hash, named->hash, SHA256_SIZE);
	return check_known_add_delta(check->request->known, &delta, fault);
}

static enum fault_code
read_delta(struct check *check, const struct named *named, int64_t *sizes, struct fault *fault)
{
	AUTO_CLEAR(int, descriptor_close) fd = -1;
	/* Where there is no snapshot to lead to, nothing can be said of the chain. */
	struct delta delta = { .check = check, .named = named, .broken = !check->point->rrdp_read };
	int64_t findings = check->report->findings_total;
	struct check_rrdp_file file;
	struct fault missing = FAULT_INIT;
	enum fault_code code = check_place_open(check, named->uri, CHECK_DOCUMENT_MAX, &fd, &missing);
	if (code == FAULT_NOT_FOUND)
		return FOUND(check, DELTA_MISSING, named->uri, fault, "%s", missing.message);
	if (code != FAULT_NONE)
		return fault_set(fault, code, "%s", missing.message);
	TRY(check_rrdp_read(fd, CHECK_RRDP_DELTA, CHECK_DOCUMENT_MAX, undo, &delta, &file, fault));
	*sizes += file.size;
	TRY(check_place_gzip(check, named->uri, file.hash, fault));
	if (memcmp(file.hash, named->hash, SHA256_SIZE) != 0)
		TRY(FOUND(check, DELTA_HASH, named->uri, fault, "its hash isn't the one in the notification"));
	if (file.wrong[0] != '\0')
		return FOUND(check, DELTA_MALFORMED, named->uri, fault, "%s", file.wrong);
	if (delta.elements == 0)
		TRY(FOUND(check, DELTA_MALFORMED, named->uri, fault, "it has no element"));
	if (strcmp(file.head.session, check->point->head.session) != 0)
		TRY(FOUND(check, DELTA_SESSION, named->uri, fault, "session %s, the notification's is %s", file.head.session,
			check->point->head.session));
	if (file.head.serial != named->serial)
		TRY(FOUND(check, DELTA_SERIAL, named->uri, fault, "serial %" PRId64 ", the notification says %" PRId64,
			file.head.serial, named->serial));
	return check->report->findings_total == findings ? learn_delta(check, named, file.size, fault) : FAULT_NONE;
}

/* Deltas from the first on that are known, each of them, and what they have together. */
static size_t
known_from(const struct check *check, const struct notification *notification, int64_t *ret_sizes)
{
	const struct check_request *request = check->request;
	size_t from = notification->count;
	*ret_sizes = 0;
	while (from > 0 && request->known != NULL && request->changed_only) {
		const struct check_known_delta *delta = check_known_find_delta(request->known, notification->deltas[from - 1].hash);
		if (delta == NULL)
			break;
		*ret_sizes += delta->size;
		from--;
	}
	return from;
}

/*
 * From the newest to the oldest. Those that were read before, and then led on from one another, are not read again, but for the newest
 * of them: what is undone down to it must be what it led to.
 */
static enum fault_code
read_deltas(struct check *check, const struct notification *notification, int64_t *ret_sizes, struct fault *fault)
{
	int64_t known_sizes;
	size_t known = known_from(check, notification, &known_sizes);
	*ret_sizes = known_sizes;
	for (size_t i = 0; i < notification->count; i++) {
		const struct named *named = &notification->deltas[i];
		int64_t size = 0;
		if (i <= known) {
			TRY(read_delta(check, named, &size, fault));
			check_rsync_serial(check, named->serial - 1);
		} else {
			TRY(learn_delta(check, named, check_known_find_delta(check->request->known, named->hash)->size, fault));
		}
		*ret_sizes += i < known ? size : 0;
	}
	return FAULT_NONE;
}

enum fault_code
check_rrdp(struct check *check, struct fault *fault)
{
	AUTO_CLEAR(struct notification, notification_clear) notification = { .check = check };
	int64_t size = 0, sizes = 0;
	TRY(read_notification(check, &notification, fault));
	if (check->point->head.serial == 0)
		return FAULT_NONE;
	TRY(read_snapshot(check, &notification.snapshot, &size, fault));
	check_rsync_snapshot(check);
	TRY(read_deltas(check, &notification, &sizes, fault));
	if (sizes > size && check->point->rrdp_read)
		TRY(FOUND(check, DELTA_SIZES, check->point->notification_uri, fault, "%" PRId64 " bytes, the snapshot has %" PRId64, sizes, size));
	return FAULT_NONE;
}
