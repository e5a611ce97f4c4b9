#include "tests/support/watcher.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "ca/base/base64.h"
#include "tests/support/complain.h"
#include "tests/support/rrdp_reader.h"
#include "tests/support/watched_object.h"

#define FILE_MAX (256 << 20)
#define PATH_ROOM 1024

/* The last manifest or CRL of that name. Names are those of keys, so they never come back. */
struct last_number {
	char *uri;
	uint64_t number;
	int64_t this_update_at;
};

/* A certificate that was replaced or withdrawn before its end. */
struct departed {
	struct issued_serial issued;
	int64_t not_after_at;
};

struct watcher {
	char *rrdp_uri, *rsync_uri;
	char session[40];
	int64_t serial;
	struct watched_object **objects; /* in order of URI */
	size_t count, capacity;
	struct watched_object *trust_anchor;
	struct last_number *numbers;
	size_t numbers_count, numbers_capacity;
	struct departed *departed;
	size_t departed_count, departed_capacity;
	void *seen;                      /* tree of struct issued_serial */
	size_t seen_count;
	struct watched_payload *payloads;
	size_t payloads_count, payloads_capacity;
};

static void *
grow(void *array, size_t *capacity, size_t needed, size_t size)
{
	if (needed <= *capacity)
		return array;
	*capacity = needed * 2 + 16;
	array = reallocarray(array, *capacity, size);
	INVARIANT(array != NULL);
	return array;
}

struct watcher *
watcher_new(const char *rrdp_uri, const char *rsync_uri)
{
	struct watcher *watcher = calloc(1, sizeof *watcher);
	INVARIANT(watcher != NULL);
	watcher->rrdp_uri = strdup(rrdp_uri);
	watcher->rsync_uri = strdup(rsync_uri);
	INVARIANT(watcher->rrdp_uri != NULL && watcher->rsync_uri != NULL);
	return watcher;
}

void
watcher_free(struct watcher *watcher)
{
	if (watcher == NULL)
		return;
	for (size_t i = 0; i < watcher->count; i++)
		watched_object_free(watcher->objects[i]);
	for (size_t i = 0; i < watcher->numbers_count; i++)
		free(watcher->numbers[i].uri);
	watched_object_free(watcher->trust_anchor);
	tdestroy(watcher->seen, free);
	free(watcher->objects);
	free(watcher->numbers);
	free(watcher->departed);
	free(watcher->payloads);
	free(watcher->rrdp_uri);
	free(watcher->rsync_uri);
	free(watcher);
}

/* Where an object of that URI is, or would have to be. */
static size_t
place_of(const struct watcher *watcher, const char *uri, bool *ret_found)
{
	size_t low = 0, high = watcher->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(watcher->objects[middle]->uri, uri);
		*ret_found = order == 0;
		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_found = false;
	return low;
}

static const struct watched_object *
find(const struct watcher *watcher, const char *uri)
{
	bool found;
	size_t place = place_of(watcher, uri, &found);
	return found ? watcher->objects[place] : NULL;
}

static int
compare_issued(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct issued_serial));
}

/* RFC 6487 §4.2: unique per issuer; so what was revoked can't come back either. */
static const char *
remember_serial(struct watcher *watcher, const struct watched_object *object)
{
	struct issued_serial *issued = malloc(sizeof *issued);
	INVARIANT(issued != NULL);
	*issued = object->issued;
	void **node = tsearch(issued, &watcher->seen, compare_issued);
	INVARIANT(node != NULL);
	if (*node != issued) {
		free(issued);
		return complain("%s has a serial number that its issuer gave out before", object->uri);
	}
	watcher->seen_count++;
	return NULL;
}

/* Manifests and CRLs: one more than the last one of that name, and later. */
static const char *
remember_number(struct watcher *watcher, const struct watched_object *object)
{
	bool manifest = object->kind == WATCHED_MFT;
	uint64_t number = manifest ? object->manifest.number : object->crl.number;
	int64_t this_update_at = manifest ? object->manifest.this_update_at : object->crl.this_update_at;
	struct last_number *last = NULL;
	for (size_t i = 0; i < watcher->numbers_count && last == NULL; i++)
		if (strcmp(watcher->numbers[i].uri, object->uri) == 0)
			last = &watcher->numbers[i];
	if (last != NULL && number != last->number + 1)
		return complain("%s has number %" PRIu64 " after %" PRIu64, object->uri, number, last->number);
	if (last != NULL && this_update_at <= last->this_update_at)
		return complain("%s has thisUpdate %" PRId64 " after %" PRId64, object->uri, this_update_at, last->this_update_at);
	if (last == NULL) {
		watcher->numbers = grow(watcher->numbers, &watcher->numbers_capacity, watcher->numbers_count + 1, sizeof *last);
		last = &watcher->numbers[watcher->numbers_count++];
		last->uri = strdup(object->uri);
		INVARIANT(last->uri != NULL);
	}
	last->number = number;
	last->this_update_at = this_update_at;
	return NULL;
}

static void
depart(struct watcher *watcher, struct watched_object *object)
{
	if (object->kind != WATCHED_CRL) {
		watcher->departed = grow(watcher->departed, &watcher->departed_capacity, watcher->departed_count + 1,
			sizeof *watcher->departed);
		watcher->departed[watcher->departed_count++] = (struct departed){ object->issued, object->not_after_at };
	}
	watched_object_free(object);
}

static const char *
come(struct watcher *watcher, const char *uri, struct span der, bool replace, const char *hash)
{
	char text[65];
	struct watched_object *object = NULL;
	bool found;
	size_t place = place_of(watcher, uri, &found);
	if (found != replace)
		return complain("%s is %s", uri, found ? "published over an object without its hash" : "to be replaced and isn't there");
	if (found) {
		hex_encode(SPAN(watcher->objects[place]->hash, SHA256_SIZE), text);
		if (strcmp(text, hash) != 0)
			return complain("%s is to be replaced under another hash", uri);
	}
	CHECK(watched_object_read(uri, der, &object));
	if (found) {
		depart(watcher, watcher->objects[place]);
	} else {
		watcher->objects = grow(watcher->objects, &watcher->capacity, watcher->count + 1, sizeof *watcher->objects);
		memmove(&watcher->objects[place + 1], &watcher->objects[place], (watcher->count - place) * sizeof *watcher->objects);
		watcher->count++;
	}
	watcher->objects[place] = object;
	if (object->kind != WATCHED_CRL)
		CHECK(remember_serial(watcher, object));
	if (object->kind == WATCHED_MFT || object->kind == WATCHED_CRL)
		CHECK(remember_number(watcher, object));
	return NULL;
}

static const char *
go(struct watcher *watcher, const char *uri, const char *hash)
{
	char text[65];
	bool found;
	size_t place = place_of(watcher, uri, &found);
	if (!found)
		return complain("%s is withdrawn and isn't there", uri);
	hex_encode(SPAN(watcher->objects[place]->hash, SHA256_SIZE), text);
	if (strcmp(text, hash) != 0)
		return complain("%s is withdrawn under another hash", uri);
	depart(watcher, watcher->objects[place]);
	watcher->count--;
	memmove(&watcher->objects[place], &watcher->objects[place + 1], (watcher->count - place) * sizeof *watcher->objects);
	return NULL;
}

/* An RRDP file by its URI; hash "": the notification. */
static const char *
read_document(struct watcher *watcher, int directory, const char *uri, const char *hash, struct rrdp_document *ret_document)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	struct fault fault = FAULT_INIT;
	uint8_t digest[SHA256_SIZE];
	char path[PATH_ROOM], found[65];
	size_t base = strlen(watcher->rrdp_uri);
	if (strncmp(uri, watcher->rrdp_uri, base) != 0)
		return complain("%s is not below %s", uri, watcher->rrdp_uri);
	(void)snprintf(path, sizeof path, "rrdp/%s", uri + base);
	if (atomic_file_read(directory, path, FILE_MAX, &text, &fault) != FAULT_NONE)
		return complain("%s", fault.message);
	INVARIANT(digest_sha256(bytes_span(&text), digest, NULL) == FAULT_NONE);
	hex_encode(SPAN(digest, sizeof digest), found);
	if (hash[0] != '\0' && strcmp(found, hash) != 0)
		return complain("%s has not the hash that is told", path);
	const char *wrong = rrdp_reader_parse(bytes_span(&text), ret_document);
	return wrong == NULL ? NULL : complain("%s: %s", path, wrong);
}

/* Snapshot or delta: what all its elements do. */
static const char *
apply(struct watcher *watcher, int directory, const struct rrdp_element *element, const struct rrdp_document *notification,
	int64_t serial)
{
	AUTO_CLEAR(struct rrdp_document, rrdp_reader_clear) document = { .count = 0 };
	CHECK(read_document(watcher, directory, element->uri, element->hash, &document));
	if (strcmp(document.name, element->name) != 0 || document.serial != serial ||
		strcmp(document.session, notification->session) != 0)
		return complain("%s is not the %s of serial %" PRId64, element->uri, element->name, serial);
	if (document.count == 0)
		return complain("the %s of serial %" PRId64 " is empty (RFC 8182 §3.5.3)", element->name, serial);
	for (size_t i = 0; i < document.count; i++) {
		const struct rrdp_element *change = &document.elements[i];
		if (strcmp(change->name, "withdraw") == 0)
			CHECK(go(watcher, change->uri, change->hash));
		else
			CHECK(come(watcher, change->uri, bytes_span(&change->object), change->hash[0] != '\0', change->hash));
	}
	watcher->serial = serial;
	return NULL;
}

/* draft-ta-tiebreaker: the later notBefore wins, so it rises. */
static const char *
take_trust_anchor(struct watcher *watcher, int directory)
{
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	struct watched_object *object = NULL, *last = watcher->trust_anchor;
	struct fault fault = FAULT_INIT;
	char uri[PATH_ROOM];
	if (atomic_file_read(directory, "ta/ta.cer", FILE_MAX, &der, &fault) != FAULT_NONE)
		return complain("%s", fault.message);
	(void)snprintf(uri, sizeof uri, "%sta/ta.cer", watcher->rsync_uri);
	CHECK(watched_object_read(uri, bytes_span(&der), &object));
	if (last != NULL && memcmp(object->hash, last->hash, SHA256_SIZE) == 0) {
		watched_object_free(object);
		return NULL;
	}
	watcher->trust_anchor = object;
	bool rises = last == NULL || object->not_before_at > last->not_before_at;
	watched_object_free(last);
	CHECK(remember_serial(watcher, object));
	return rises ? NULL : "the new trust anchor certificate's notBefore did not rise";
}

static const struct watched_object *
certificate_of(const struct watcher *watcher, const uint8_t key_identifier[20])
{
	if (memcmp(watcher->trust_anchor->certificate.subject_key, key_identifier, 20) == 0)
		return watcher->trust_anchor;
	for (size_t i = 0; i < watcher->count; i++)
		if (watcher->objects[i]->kind == WATCHED_CER &&
			memcmp(watcher->objects[i]->certificate.subject_key, key_identifier, 20) == 0)
			return watcher->objects[i];
	return NULL;
}

/* What a certificate's holder may give, inheritance resolved; NULL when the chain is broken. */
static const struct resource_set *
resources_of(const struct watcher *watcher, const struct watched_object *object)
{
	for (int depth = 0; depth < 8 && object != NULL; depth++) {
		const struct certificate *certificate = &object->certificate;
		if (!certificate->inherit_asns && !certificate->inherit_ipv4 && !certificate->inherit_ipv6)
			return &certificate->resources;
		object = certificate_of(watcher, certificate->authority_key);
	}
	return NULL;
}

/* RFC 6487 §7.2: what is issued is within what its issuer holds. */
static const char *
check_held(const struct watcher *watcher, const struct watched_object *object)
{
	const struct watched_object *issuer = certificate_of(watcher, object->issued.issuer);
	const struct resource_set *held = issuer != NULL ? resources_of(watcher, issuer) : NULL;
	if (held == NULL)
		return complain("%s has no issuer whose resources are known", object->uri);
	if (object->kind == WATCHED_CER && !resource_set_contains(held, &object->certificate.resources))
		return complain("%s claims more than %s holds", object->uri, issuer->uri);
	for (size_t i = 0; i < object->payloads_count; i++)
		if (!resource_set_holds_prefix(held, &object->payloads[i].prefix))
			return complain("%s says more than %s holds", object->uri, issuer->uri);
	return NULL;
}

/* One publication point of one key: its manifest lists what is there, and one CRL. */
static const char *
check_manifest(struct watcher *watcher, const struct watched_object *manifest)
{
	size_t directory = (size_t)(strrchr(manifest->uri, '/') - manifest->uri) + 1, crls = 0;
	char uri[PATH_ROOM];
	for (size_t i = 0; i < manifest->manifest.entries_count; i++) {
		const struct manifest_entry *entry = &manifest->manifest.entries[i];
		bool found;
		(void)snprintf(uri, sizeof uri, "%.*s%s", (int)directory, manifest->uri, entry->name);
		size_t place = place_of(watcher, uri, &found);
		if (!found || memcmp(watcher->objects[place]->hash, entry->hash, SHA256_SIZE) != 0)
			return complain("%s lists %s, which %s", manifest->uri, entry->name, found ? "has another hash" : "isn't there");
		struct watched_object *listed = watcher->objects[place];
		if (listed->listed++ > 0)
			return complain("%s is listed twice", uri);
		if (memcmp(listed->issued.issuer, manifest->issued.issuer, 20) != 0)
			return complain("%s lists %s, which another key issued", manifest->uri, entry->name);
		crls += listed->kind == WATCHED_CRL;
		if (listed->kind == WATCHED_CRL && (listed->crl.this_update_at != manifest->manifest.this_update_at ||
			listed->crl.next_update_at != manifest->manifest.next_update_at))
			return complain("%s and its CRL have different times", manifest->uri);
	}
	return crls == 1 ? NULL : complain("%s lists %zu CRLs", manifest->uri, crls);
}

static bool
revoked(const struct crl *crl, const struct issued_serial *issued, int64_t *ret_revoked_at)
{
	for (size_t i = 0; i < crl->revocations_count; i++) {
		const struct serial_number *serial = &crl->revocations[i].serial;
		*ret_revoked_at = crl->revocations[i].revoked_at;
		if (serial->length == issued->serial.length && memcmp(serial->octets, issued->serial.octets, serial->length) == 0)
			return true;
	}
	return false;
}

/* The CRL of a key, NULL when that is gone with its CA. */
static const struct watched_object *
crl_of(const struct watcher *watcher, const uint8_t issuer[20])
{
	for (size_t i = 0; i < watcher->count; i++)
		if (watcher->objects[i]->kind == WATCHED_CRL && memcmp(watcher->objects[i]->issued.issuer, issuer, 20) == 0)
			return watcher->objects[i];
	return NULL;
}

static const char *
check_revoked(struct watcher *watcher, int64_t now_at)
{
	size_t kept = 0;
	int64_t revoked_at = 0;
	for (size_t i = 0; i < watcher->departed_count; i++) {
		const struct departed *departed = &watcher->departed[i];
		const struct watched_object *crl = crl_of(watcher, departed->issued.issuer);
		/* A CRL that was issued before something expired may list it until it is issued anew; one from after need not. */
		if (crl == NULL || departed->not_after_at <= now_at)
			continue;
		if (departed->not_after_at > crl->crl.this_update_at && !revoked(&crl->crl, &departed->issued, &revoked_at))
			return complain("%s lacks a certificate that left before its end", crl->uri);
		if (revoked_at > crl->crl.this_update_at)
			return complain("%s has a revocation from the future", crl->uri);
		watcher->departed[kept++] = *departed;
	}
	watcher->departed_count = kept;
	return NULL;
}

static const char *
check_standing(const struct watcher *watcher, const struct watched_object *object)
{
	int64_t revoked_at;
	if (object->kind == WATCHED_MFT ? object->listed != 0 : object->listed != 1)
		return complain("%s is on %d manifests", object->uri, object->listed);
	if (object->kind == WATCHED_CRL)
		return NULL;
	const struct watched_object *crl = crl_of(watcher, object->issued.issuer);
	if (crl == NULL)
		return complain("%s has an issuer without a CRL", object->uri);
	if (revoked(&crl->crl, &object->issued, &revoked_at))
		return complain("%s stands and is revoked", object->uri);
	if (object->kind == WATCHED_CER && find(watcher, object->certificate.manifest_uri) == NULL)
		return complain("%s has no manifest", object->uri);
	return check_held(watcher, object);
}

static const char *
check_state(struct watcher *watcher, int64_t now_at)
{
	for (size_t i = 0; i < watcher->count; i++)
		watcher->objects[i]->listed = 0;
	for (size_t i = 0; i < watcher->count; i++)
		if (watcher->objects[i]->kind == WATCHED_MFT)
			CHECK(check_manifest(watcher, watcher->objects[i]));
	for (size_t i = 0; i < watcher->count; i++)
		CHECK(check_standing(watcher, watcher->objects[i]));
	return check_revoked(watcher, now_at);
}

static int
compare_payloads(const void *a, const void *b)
{
	return payload_compare(&((const struct watched_payload *)a)->payload, &((const struct watched_payload *)b)->payload);
}

static void
collect_payloads(struct watcher *watcher)
{
	watcher->payloads_count = 0;
	for (size_t i = 0; i < watcher->count; i++) {
		const struct watched_object *object = watcher->objects[i];
		watcher->payloads = grow(watcher->payloads, &watcher->payloads_capacity,
			watcher->payloads_count + object->payloads_count + 1, sizeof *watcher->payloads);
		for (size_t j = 0; j < object->payloads_count; j++)
			watcher->payloads[watcher->payloads_count++] = (struct watched_payload){ object->payloads[j], object->uri };
	}
	qsort(watcher->payloads, watcher->payloads_count, sizeof *watcher->payloads, compare_payloads);
}

static const char *
compare_snapshot(struct watcher *watcher, int directory)
{
	AUTO_CLEAR(struct rrdp_document, rrdp_reader_clear) notification = { .count = 0 };
	AUTO_CLEAR(struct rrdp_document, rrdp_reader_clear) snapshot = { .count = 0 };
	char uri[PATH_ROOM];
	(void)snprintf(uri, sizeof uri, "%snotification.xml", watcher->rrdp_uri);
	CHECK(read_document(watcher, directory, uri, "", &notification));
	CHECK(read_document(watcher, directory, notification.elements[0].uri, notification.elements[0].hash, &snapshot));
	for (size_t i = 0; i < snapshot.count; i++) {
		const struct watched_object *object = find(watcher, snapshot.elements[i].uri);
		if (object == NULL || !span_equal(bytes_span(&object->der), bytes_span(&snapshot.elements[i].object)))
			return complain("the snapshot has another %s than the deltas", snapshot.elements[i].uri);
	}
	return snapshot.count == watcher->count ? NULL : complain("the snapshot has %zu objects instead of %zu", snapshot.count,
		watcher->count);
}

static const char *
take_deltas(struct watcher *watcher, int directory, const struct rrdp_document *notification, int64_t now_at)
{
	if (strcmp(notification->session, watcher->session) != 0)
		return complain("the session changed from %s to %s", watcher->session, notification->session);
	if (notification->serial < watcher->serial)
		return complain("the serial went back from %" PRId64 " to %" PRId64, watcher->serial, notification->serial);
	while (watcher->serial < notification->serial) {
		const struct rrdp_element *delta = NULL;
		for (size_t i = 1; i < notification->count && delta == NULL; i++)
			if (notification->elements[i].serial == watcher->serial + 1)
				delta = &notification->elements[i];
		if (delta != NULL) {
			CHECK(apply(watcher, directory, delta, notification, watcher->serial + 1));
		} else {
			/* RFC 8182 §3.5.3: no empty delta. So there is none where only the trust anchor's certificate changed. */
			CHECK(compare_snapshot(watcher, directory));
			watcher->serial = notification->serial;
		}
		if (watcher->serial == notification->serial)
			CHECK(take_trust_anchor(watcher, directory));
		CHECK(check_state(watcher, now_at));
	}
	return NULL;
}

const char *
watcher_poll(struct watcher *watcher, int directory, int64_t now_at)
{
	AUTO_CLEAR(struct rrdp_document, rrdp_reader_clear) notification = { .count = 0 };
	char uri[PATH_ROOM];
	(void)snprintf(uri, sizeof uri, "%snotification.xml", watcher->rrdp_uri);
	CHECK(read_document(watcher, directory, uri, "", &notification));
	if (notification.count == 0 || strcmp(notification.elements[0].name, "snapshot") != 0)
		return "the notification names no snapshot first";
	if (watcher->serial != 0) {
		CHECK(take_deltas(watcher, directory, &notification, now_at));
	} else {
		(void)snprintf(watcher->session, sizeof watcher->session, "%s", notification.session);
		CHECK(take_trust_anchor(watcher, directory));
		CHECK(apply(watcher, directory, &notification.elements[0], &notification, notification.serial));
		CHECK(check_state(watcher, now_at));
	}
	collect_payloads(watcher);
	return NULL;
}

static const char *
check_times(const struct watched_object *object, int64_t now_at, int64_t left_s)
{
	if (object->not_before_at > now_at)
		return complain("%s is valid only from %" PRId64 " on, now is %" PRId64, object->uri, object->not_before_at, now_at);
	if (object->not_after_at - now_at < left_s)
		return complain("%s is valid for %" PRId64 " s more only", object->uri, object->not_after_at - now_at);
	return NULL;
}

const char *
watcher_look(struct watcher *watcher, int64_t now_at, int64_t manifest_left_s, int64_t object_left_s)
{
	CHECK(check_times(watcher->trust_anchor, now_at, manifest_left_s));
	for (size_t i = 0; i < watcher->count; i++) {
		const struct watched_object *object = watcher->objects[i];
		bool list = object->kind == WATCHED_MFT || object->kind == WATCHED_CRL;
		CHECK(check_times(object, now_at, list ? manifest_left_s : object_left_s));
	}
	return NULL;
}

/* Adds up the files below a directory of the tree that is served, each equal to what RRDP gave. */
static const char *
compare_directory(const struct watcher *watcher, int directory, const char *path, size_t *count)
{
	char below[PATH_ROOM], uri[PATH_ROOM];
	const char *wrong = NULL;
	int fd = openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
	if (stream == NULL)
		return complain("%s can't be read", path);
	for (const struct dirent *entry; wrong == NULL && (entry = readdir(stream)) != NULL;) {
		AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
		if (entry->d_name[0] == '.')
			continue;
		INVARIANT(snprintf(below, sizeof below, "%s/%s", path, entry->d_name) < (int)sizeof below);
		if (entry->d_type == DT_DIR) {
			wrong = compare_directory(watcher, directory, below, count);
			continue;
		}
		(void)snprintf(uri, sizeof uri, "%s%s", watcher->rsync_uri, below + strlen("rsync/current/"));
		const struct watched_object *object = strcmp(uri, watcher->trust_anchor->uri) == 0 ? watcher->trust_anchor : find(watcher, uri);
		*count += object != watcher->trust_anchor;
		if (atomic_file_read(directory, below, FILE_MAX, &content, NULL) != FAULT_NONE || object == NULL ||
			!span_equal(bytes_span(&content), bytes_span(&object->der)))
			wrong = complain("%s is not what RRDP has", below);
	}
	(void)closedir(stream);
	return wrong;
}

const char *
watcher_compare(struct watcher *watcher, int directory)
{
	size_t count = 0;
	CHECK(compare_snapshot(watcher, directory));
	CHECK(compare_directory(watcher, directory, "rsync/current", &count));
	return count == watcher->count ? NULL : complain("the rsync tree has %zu files instead of %zu", count, watcher->count);
}

const struct watched_payload *
watcher_payloads(struct watcher *watcher, size_t *ret_count)
{
	*ret_count = watcher->payloads_count;
	return watcher->payloads;
}

int64_t
watcher_serial(const struct watcher *watcher)
{
	return watcher->serial;
}

size_t
watcher_objects(const struct watcher *watcher)
{
	return watcher->count;
}

size_t
watcher_seen(const struct watcher *watcher)
{
	return watcher->seen_count;
}
