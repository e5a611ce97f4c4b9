#include "tests/support/published.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "ca/base/base64.h"
#include "ca/base/digest.h"
#include "db/connection.h"
#include "tests/support/complain.h"
#include "tests/support/rrdp_reader.h"

#define FILE_MAX (256 << 20)
#define DIRECTORY_TIME INT64_C(978307200)
#define PATH_ROOM 4096

/* Of the repository that is looked at. */
static const char *
session_of(const struct sample_repository *sample)
{
	return sample->looked_at == 1 ? SAMPLE_REPOSITORY_SESSION : SAMPLE_REPOSITORY_SESSION_2;
}

static const char *
directory_of(const struct sample_repository *sample)
{
	return sample->looked_at == 1 ? "rrdp" : "rrdp/2";
}

static int64_t
number_of(struct sample_repository *sample, const char *column)
{
	char sql[128];
	(void)snprintf(sql, sizeof sql, "SELECT %s AS n FROM repositories WHERE repository_id = %" PRId64, column, sample->looked_at);
	return sample_repository_number(sample, sql);
}

static void
hash_text(struct span data, char text[65])
{
	uint8_t hash[SHA256_SIZE];
	if (digest_sha256(data, hash, NULL) != FAULT_NONE)
		abort();
	hex_encode(SPAN(hash, SHA256_SIZE), text);
}

/* The rows of a query whose columns are numbers and texts, one struct each. */
struct cut_row {
	int64_t serial, cut_at, first_delta, snapshot_kept, delta_kept, snapshot_size, delta_size;
	char random[33], snapshot_hash[65], delta_hash[65]; /* "": NULL */
};

static void
take_hash(struct stmt *stmt, const char *column, char text[65])
{
	struct span hash = stmt_blob(stmt, column);
	text[0] = '\0';
	if (hash.length == SHA256_SIZE)
		hex_encode(hash, text);
}

/* All cuts, upwards: cuts[i] is serial i + 1. */
static size_t
read_cuts(struct sample_repository *sample, struct cut_row **ret_cuts)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	size_t count = 0, room = (size_t)sample_repository_number(sample, "SELECT count(*) AS n FROM cuts") + 1;
	struct cut_row *cuts = calloc(room, sizeof *cuts);
	bool row = false;
	if (cuts == NULL || db_reader_acquire(sample->db, &connection, NULL) != FAULT_NONE ||
		stmt_prepare(connection, "cuts", "SELECT * FROM cuts WHERE repository_id = :id ORDER BY serial", &stmt, NULL) != FAULT_NONE)
		abort();
	stmt_bind_int(stmt, ":id", sample->looked_at);
	while (stmt_step(stmt, &row, NULL) == FAULT_NONE && row) {
		struct cut_row *cut = &cuts[count++];
		cut->serial = stmt_int(stmt, "serial");
		cut->cut_at = stmt_int(stmt, "cut_at");
		(void)snprintf(cut->random, sizeof cut->random, "%s", stmt_text(stmt, "random"));
		take_hash(stmt, "snapshot_hash", cut->snapshot_hash);
		cut->snapshot_size = stmt_int(stmt, "snapshot_size");
		take_hash(stmt, "delta_hash", cut->delta_hash);
		cut->delta_size = stmt_int(stmt, "delta_size");
		cut->first_delta = stmt_int(stmt, "first_delta");
		cut->snapshot_kept = stmt_int(stmt, "snapshot_kept");
		cut->delta_kept = stmt_int(stmt, "delta_kept");
	}
	*ret_cuts = cuts;
	return count;
}

const char *
published_path(struct sample_repository *sample, int64_t serial, const char *name)
{
	static char path[256];
	struct cut_row *cuts = NULL;
	if (serial < 1 || (size_t)serial > read_cuts(sample, &cuts))
		abort();
	(void)snprintf(path, sizeof path, "%s/%s/%" PRId64 "/%s/%s", directory_of(sample), session_of(sample), serial,
		cuts[serial - 1].random, name);
	free(cuts);
	return path;
}

bool
published_exists(struct sample_repository *sample, const char *path)
{
	return faccessat(sample->directory, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Reads a file and checks what can be seen of it from outside. hash "": any. */
static const char *
read_file(struct sample_repository *sample, const char *path, const char *hash, int64_t modified_at, struct bytes *ret_content)
{
	struct stat status;
	char text[65];
	if (fstatat(sample->directory, path, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return complain("%s: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode) || (status.st_mode & 07777) != 0644)
		return complain("%s: mode %o", path, status.st_mode);
	if (status.st_mtim.tv_sec != modified_at || status.st_mtim.tv_nsec != 0)
		return complain("%s: its time is %" PRId64 ", not %" PRId64, path, (int64_t)status.st_mtim.tv_sec, modified_at);
	if (atomic_file_read(sample->directory, path, FILE_MAX, ret_content, NULL) != FAULT_NONE)
		return complain("%s can't be read", path);
	hash_text(bytes_span(ret_content), text);
	return hash[0] == '\0' || strcmp(hash, text) == 0 ? NULL : complain("%s: another hash than %s", path, hash);
}

static const char *
read_document(struct sample_repository *sample, const char *path, const char *hash, int64_t modified_at, const char *name,
	int64_t serial, struct rrdp_document *ret_document)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	CHECK(read_file(sample, path, hash, modified_at, &text));
	const char *wrong = rrdp_reader_parse(bytes_span(&text), ret_document);
	if (wrong != NULL)
		return complain("%s: %s", path, wrong);
	if (strcmp(ret_document->name, name) != 0 || strcmp(ret_document->session, session_of(sample)) != 0 ||
		ret_document->serial != serial)
		return complain("%s: %s of session %s, serial %" PRId64, path, ret_document->name, ret_document->session,
			ret_document->serial);
	return NULL;
}

/* A state as RRDP has it: without the trust anchor's certificate. */
static void
rrdp_state(struct sample_repository *sample, int64_t serial, struct sample_state *state)
{
	size_t kept = 0;
	sample_repository_state(sample, serial, state);
	for (size_t i = 0; i < state->count; i++)
		if (!state->objects[i].trust_anchor)
			state->objects[kept++] = state->objects[i];
	state->count = kept;
}

static struct sample_object *
find(struct sample_state *state, const char *uri)
{
	const size_t length = strlen(SAMPLE_REPOSITORY_RSYNC);
	for (size_t i = 0; i < state->count && strncmp(uri, SAMPLE_REPOSITORY_RSYNC, length) == 0; i++)
		if (strcmp(state->objects[i].path, uri + length) == 0)
			return &state->objects[i];
	return NULL;
}

static const char *
check_unique(const struct rrdp_document *document)
{
	for (size_t i = 0; i < document->count && document->count < 2000; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(document->elements[i].uri, document->elements[j].uri) == 0)
				return complain("%s %" PRId64 " has %s twice", document->name, document->serial,
					document->elements[i].uri);
	return NULL;
}

/* The snapshot says exactly this state. */
static const char *
check_snapshot(const struct rrdp_document *document, struct sample_state *state)
{
	char hash[65];
	CHECK(check_unique(document));
	if (document->count != state->count)
		return complain("snapshot %" PRId64 " has %zu objects instead of %zu", document->serial, document->count,
			state->count);
	for (size_t i = 0; i < document->count; i++) {
		const struct sample_object *object = find(state, document->elements[i].uri);
		hash_text(bytes_span(&document->elements[i].object), hash);
		if (object == NULL || strcmp(object->hash, hash) != 0)
			return complain("snapshot %" PRId64 ": %s is not so in the database", document->serial,
				document->elements[i].uri);
	}
	return NULL;
}

/* RFC 8182 §3.4.2: what a validator does with a delta. */
static const char *
apply_delta(const struct rrdp_document *document, struct sample_state *state)
{
	if (document->count == 0)
		return complain("delta %" PRId64 " is empty", document->serial);
	CHECK(check_unique(document));
	for (size_t i = 0; i < document->count; i++) {
		const struct rrdp_element *element = &document->elements[i];
		struct sample_object *object = find(state, element->uri);
		bool publish = strcmp(element->name, "publish") == 0;
		if ((object == NULL) != (element->hash[0] == '\0') || (object != NULL && strcmp(object->hash,
			element->hash) != 0))
			return complain("delta %" PRId64 ": the hash of %s is not that of what is there", document->serial,
				element->uri);
		if (!publish) {
			*object = state->objects[--state->count];
			continue;
		}
		if (object == NULL) {
			object = &state->objects[state->count++]; /* the caller made room */
			(void)snprintf(object->path, sizeof object->path, "%s", element->uri + strlen(SAMPLE_REPOSITORY_RSYNC));
		}
		hash_text(bytes_span(&element->object), object->hash);
	}
	return NULL;
}

static const char *
check_equal(struct sample_state *a, struct sample_state *b, int64_t serial)
{
	char uri[256];
	if (a->count != b->count)
		return complain("the deltas up to %" PRId64 " lead to %zu objects instead of %zu", serial, a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		(void)snprintf(uri, sizeof uri, SAMPLE_REPOSITORY_RSYNC "%s", a->objects[i].path);
		const struct sample_object *other = find(b, uri);
		if (other == NULL || strcmp(other->hash, a->objects[i].hash) != 0)
			return complain("the deltas up to %" PRId64 " lead to another %s", serial, uri);
	}
	return NULL;
}

/* The list is as the settings say, no longer and no shorter. */
static const char *
check_list(const struct sample_repository *sample, const struct cut_row *cuts, int64_t serial, int64_t first, size_t count)
{
	const struct cut_row *now = &cuts[serial - 1];
	int64_t total = 0;
	if ((int64_t)count != (first != 0 ? serial - first + 1 : 0) || (int64_t)count > sample->settings.deltas_max)
		return complain("serial %" PRId64 " lists %zu deltas from %" PRId64, serial, count, first);
	for (int64_t i = serial; first != 0 && i >= first; i--) {
		total += cuts[i - 1].delta_size;
		if (!cuts[i - 1].delta_kept || now->cut_at - cuts[i - 1].cut_at > sample->settings.delta_age_max_s)
			return complain("serial %" PRId64 " lists delta %" PRId64, serial, i);
	}
	if (total > now->snapshot_size)
		return complain("serial %" PRId64 ": deltas of %" PRId64 " bytes, a snapshot of %" PRId64, serial, total,
			now->snapshot_size);
	int64_t before = first != 0 ? first - 1 : serial;
	if (before < 1 || (int64_t)count == sample->settings.deltas_max)
		return NULL;
	const struct cut_row *next = &cuts[before - 1];
	bool fits = next->delta_kept && next->delta_hash[0] != '\0' &&
		now->cut_at - next->cut_at <= sample->settings.delta_age_max_s &&
		total + next->delta_size <= now->snapshot_size;
	return fits ? complain("serial %" PRId64 " could list delta %" PRId64 " and doesn't", serial, before) : NULL;
}

static const char *
uri_path(const char *uri, char path[PATH_ROOM])
{
	const size_t length = strlen(SAMPLE_REPOSITORY_RRDP);
	if (strncmp(uri, SAMPLE_REPOSITORY_RRDP, length) != 0)
		return complain("%s is not below " SAMPLE_REPOSITORY_RRDP, uri);
	(void)snprintf(path, PATH_ROOM, "rrdp/%s", uri + length);
	return NULL;
}

static const char *
replay(struct sample_repository *sample, const struct rrdp_document *notification, const struct cut_row *cuts,
	struct sample_state *target)
{
	struct sample_state state;
	char path[PATH_ROOM];
	const char *wrong = NULL;
	int64_t first = notification->serial - (int64_t)notification->count + 2;
	rrdp_state(sample, first - 1, &state);
	for (size_t i = notification->count - 1; i >= 1 && wrong == NULL; i--) {
		const struct rrdp_element *element = &notification->elements[i];
		AUTO_CLEAR(struct rrdp_document, rrdp_reader_clear) delta = { .count = 0 };
		int64_t serial = notification->serial - (int64_t)i + 1;
		if (element->serial != serial || strcmp(element->name, "delta") != 0) {
			wrong = complain("the notification's element %zu is not delta %" PRId64, i, serial);
			break;
		}
		wrong = uri_path(element->uri, path);
		if (wrong == NULL)
			wrong = read_document(sample, path, element->hash, cuts[serial - 1].cut_at, "delta", serial, &delta);
		state.objects = realloc(state.objects, (state.count + delta.count + 1) * sizeof *state.objects);
		if (state.objects == NULL)
			abort();
		if (wrong == NULL)
			wrong = apply_delta(&delta, &state);
	}
	if (wrong == NULL)
		wrong = check_equal(&state, target, notification->serial);
	sample_repository_free_state(&state);
	return wrong;
}

static const char *
check_rrdp(struct sample_repository *sample, const struct cut_row *cuts, size_t count, int64_t notified,
	struct sample_state *target)
{
	AUTO_CLEAR(struct rrdp_document, rrdp_reader_clear) notification = { .count = 0 };
	AUTO_CLEAR(struct rrdp_document, rrdp_reader_clear) snapshot = { .count = 0 };
	char path[PATH_ROOM];
	if (notified < 1 || (size_t)notified > count)
		return complain("the notified serial is %" PRId64 " of %zu", notified, count);
	const struct cut_row *cut = &cuts[notified - 1];
	(void)snprintf(path, sizeof path, "%s/notification.xml", directory_of(sample));
	CHECK(read_document(sample, path, "", cut->cut_at, "notification", notified, &notification));
	if (notification.count == 0 || strcmp(notification.elements[0].name, "snapshot") != 0)
		return complain("the notification names no snapshot first");
	/* A notification that has stood for longer may be from before the settings changed. */
	if (cut->cut_at == sample_repository_number(sample, "SELECT max(cut_at) AS n FROM repositories"))
		CHECK(check_list(sample, cuts, notified, cut->first_delta, notification.count - 1));
	CHECK(uri_path(notification.elements[0].uri, path));
	CHECK(read_document(sample, path, notification.elements[0].hash, cut->cut_at, "snapshot", notified, &snapshot));
	CHECK(check_snapshot(&snapshot, target));
	return replay(sample, &notification, cuts, target);
}

const char *
published_check_rrdp(struct sample_repository *sample)
{
	struct cut_row *cuts = NULL;
	struct sample_state target;
	size_t count = read_cuts(sample, &cuts);
	int64_t notified = number_of(sample, "notified_serial");
	rrdp_state(sample, notified, &target);
	const char *wrong = check_rrdp(sample, cuts, count, notified, &target);
	sample_repository_free_state(&target);
	free(cuts);
	return wrong;
}

static void
walk(struct sample_repository *sample, const char *directory, void (*visit)(void *argument, const char *path), void *argument)
{
	char path[PATH_ROOM];
	struct stat status;
	int fd = openat(sample->directory, directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
	for (const struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (snprintf(path, sizeof path, "%s/%s", directory, entry->d_name) >= PATH_ROOM)
			abort();
		if (fstatat(sample->directory, path, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode))
			walk(sample, path, visit, argument);
		else
			visit(argument, path);
	}
	if (stream != NULL)
		(void)closedir(stream);
}

void
published_walk(struct sample_repository *sample, const char *directory, void (*visit)(void *argument, const char *path),
	void *argument)
{
	walk(sample, directory, visit, argument);
}

static bool
is_gzip(const char *path)
{
	size_t length = strlen(path);
	return length > 3 && strcmp(path + length - 3, ".gz") == 0;
}

static void
count_file(void *argument, const char *path)
{
	*(size_t *)argument += !is_gzip(path);
}

static const char *
check_kept_file(struct sample_repository *sample, const struct cut_row *cut, const char *name, const char *hash)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	char path[PATH_ROOM];
	(void)snprintf(path, sizeof path, "%s/%s/%" PRId64 "/%s/%s", directory_of(sample), session_of(sample), cut->serial, cut->random, name);
	return read_file(sample, path, hash, cut->cut_at, &text);
}

static const char *
check_kept(struct sample_repository *sample, size_t *expected)
{
	struct cut_row *cuts = NULL;
	const char *wrong = NULL;
	size_t count = read_cuts(sample, &cuts);
	*expected += number_of(sample, "notified_serial") != 0;
	for (size_t i = 0; i < count && wrong == NULL; i++) {
		if (cuts[i].snapshot_kept && cuts[i].snapshot_hash[0] != '\0') {
			++*expected;
			wrong = check_kept_file(sample, &cuts[i], "snapshot.xml", cuts[i].snapshot_hash);
		}
		if (wrong == NULL && cuts[i].delta_kept && cuts[i].delta_hash[0] != '\0') {
			++*expected;
			wrong = check_kept_file(sample, &cuts[i], "delta.xml", cuts[i].delta_hash);
		}
	}
	free(cuts);
	return wrong;
}

static int64_t
repositories(struct sample_repository *sample)
{
	return sample_repository_number(sample, "SELECT count(*) AS n FROM repositories");
}

const char *
published_check_kept(struct sample_repository *sample)
{
	const char *wrong = NULL;
	size_t files = 0, expected = 0;
	int64_t looked_at = sample->looked_at, count = repositories(sample);
	for (sample->looked_at = 1; sample->looked_at <= count && wrong == NULL; sample->looked_at++)
		wrong = check_kept(sample, &expected);
	sample->looked_at = looked_at;
	walk(sample, "rrdp", count_file, &files);
	if (wrong == NULL && files != expected)
		wrong = complain("there are %zu files in rrdp instead of %zu", files, expected);
	return wrong;
}

struct tree_walk {
	struct sample_repository *sample;
	struct sample_state *state;
	size_t prefix;
	size_t files;
	const char *wrong;
};

static void
check_tree_file(void *argument, const char *path)
{
	struct tree_walk *tree = argument;
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	char uri[PATH_ROOM + 64];
	if (tree->wrong != NULL)
		return;
	(void)snprintf(uri, sizeof uri, SAMPLE_REPOSITORY_RSYNC "%s", path + tree->prefix);
	const struct sample_object *object = find(tree->state, uri);
	tree->files++;
	tree->wrong = object == NULL ? complain("%s should not be there", path)
		: read_file(tree->sample, path, object->hash, object->modified_at, &content);
}

static const char *
check_directories(struct sample_repository *sample, const char *directory)
{
	char path[PATH_ROOM];
	struct stat status;
	size_t entries = 0;
	const char *wrong = NULL;
	int fd = openat(sample->directory, directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) != 0)
		return complain("%s: %s", directory, strerror(errno));
	if ((status.st_mode & 07777) != 0755 || status.st_mtim.tv_sec != DIRECTORY_TIME || status.st_mtim.tv_nsec != 0)
		wrong = complain("directory %s: mode %o, time %" PRId64, directory, status.st_mode,
			(int64_t)status.st_mtim.tv_sec);
	DIR *stream = fdopendir(fd);
	for (const struct dirent *entry; wrong == NULL && (entry = readdir(stream)) != NULL;) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		entries++;
		if (snprintf(path, sizeof path, "%s/%s", directory, entry->d_name) >= PATH_ROOM)
			abort();
		if (fstatat(sample->directory, path, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode))
			wrong = check_directories(sample, path);
	}
	(void)closedir(stream);
	return wrong == NULL && entries == 0 ? complain("directory %s is empty", directory) : wrong;
}

/* Of all repositories together, each at its own serial. */
static void
served_state(struct sample_repository *sample, struct sample_state *ret_state)
{
	struct sample_state one;
	int64_t looked_at = sample->looked_at, count = repositories(sample);
	*ret_state = (struct sample_state){ .count = 0 };
	for (sample->looked_at = 1; sample->looked_at <= count; sample->looked_at++) {
		sample_repository_state(sample, number_of(sample, "rsync_serial"), &one);
		ret_state->objects = realloc(ret_state->objects, (ret_state->count + one.count + 1) * sizeof *one.objects);
		if (ret_state->objects == NULL)
			abort();
		if (one.count > 0)
			memcpy(&ret_state->objects[ret_state->count], one.objects, one.count * sizeof *one.objects);
		ret_state->count += one.count;
		sample_repository_free_state(&one);
	}
	sample->looked_at = looked_at;
}

const char *
published_check_rsync(struct sample_repository *sample)
{
	struct sample_state state;
	char name[64], path[PATH_ROOM];
	ssize_t length = readlinkat(sample->directory, "rsync/current", name, sizeof name - 1);
	if (length < 1)
		return complain("rsync/current: %s", strerror(errno));
	name[length] = '\0';
	if (strcspn(name, "/.") != (size_t)length)
		return complain("rsync/current leads to %s", name);
	(void)snprintf(path, sizeof path, "rsync/%s", name);
	served_state(sample, &state);
	struct tree_walk tree = { .sample = sample, .state = &state, .prefix = strlen(path) + 1 };
	walk(sample, path, check_tree_file, &tree);
	if (tree.wrong == NULL && tree.files != state.count)
		tree.wrong = complain("%s has %zu files instead of %zu", path, tree.files, state.count);
	if (tree.wrong == NULL)
		tree.wrong = check_directories(sample, path);
	sample_repository_free_state(&state);
	return tree.wrong;
}

const char *
published_check_trust_anchor(struct sample_repository *sample)
{
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	struct sample_state state;
	const char *wrong = NULL;
	sample_repository_state(sample, number_of(sample, "notified_serial"), &state);
	for (size_t i = 0; i < state.count && wrong == NULL; i++)
		if (state.objects[i].trust_anchor)
			wrong = read_file(sample, "ta/ta.cer", state.objects[i].hash, state.objects[i].modified_at, &content);
	sample_repository_free_state(&state);
	return wrong;
}

const char *
published_check(struct sample_repository *sample)
{
	const char *wrong = NULL;
	int64_t looked_at = sample->looked_at, count = repositories(sample);
	CHECK(published_check_trust_anchor(sample));
	for (sample->looked_at = 1; sample->looked_at <= count && wrong == NULL; sample->looked_at++)
		wrong = number_of(sample, "notified_serial") != 0 || sample->looked_at == 1 ? published_check_rrdp(sample) : NULL;
	sample->looked_at = looked_at;
	CHECK(wrong);
	CHECK(published_check_kept(sample));
	return number_of(sample, "rsync_serial") != 0 ? published_check_rsync(sample) : NULL;
}

struct fingerprint {
	struct sample_repository *sample;
	uint8_t sum[SHA256_SIZE];
};

/* Entries come in any order: their hashes are added up. */
static void
add_entry(void *argument, const char *path)
{
	struct fingerprint *fingerprint = argument;
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	struct stat status;
	uint8_t hash[SHA256_SIZE];
	char link[256] = "", content_hash[65] = "";
	unsigned carry = 0;
	if (is_gzip(path))
		return;
	if (fstatat(fingerprint->sample->directory, path, &status, AT_SYMLINK_NOFOLLOW) != 0)
		abort();
	if (S_ISLNK(status.st_mode) && readlinkat(fingerprint->sample->directory, path, link, sizeof link - 1) < 0)
		abort();
	if (S_ISREG(status.st_mode)) {
		if (atomic_file_read(fingerprint->sample->directory, path, FILE_MAX, &content, NULL) != FAULT_NONE)
			abort();
		hash_text(bytes_span(&content), content_hash);
	}
	int64_t modified_at = S_ISREG(status.st_mode) ? status.st_mtim.tv_sec : 0;
	if (bytes_printf(&text, NULL, "%s %o %" PRId64 " %s %s", path, status.st_mode, modified_at, link,
		content_hash) != FAULT_NONE || digest_sha256(bytes_span(&text), hash, NULL) != FAULT_NONE)
		abort();
	for (size_t i = 0; i < SHA256_SIZE; i++) {
		carry += fingerprint->sum[i] + (unsigned)hash[i];
		fingerprint->sum[i] = (uint8_t)carry;
		carry >>= 8;
	}
}

void
published_fingerprint(struct sample_repository *sample, const char *directory, char ret_fingerprint[65])
{
	struct fingerprint fingerprint = { .sample = sample };
	walk(sample, directory, add_entry, &fingerprint);
	hex_encode(SPAN(fingerprint.sum, SHA256_SIZE), ret_fingerprint);
}
