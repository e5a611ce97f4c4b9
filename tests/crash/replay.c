/*
 * replay: reads a publication from disk as a validator would, and holds its parts against each other (RFC 8182).
 *
 *     replay --rrdp DIR URI [--tree DIR URI] [--notification FILE] [--since SERIAL]
 *
 * DIR and URI of --rrdp: where the files of the RRDP base URI lie; of --tree: where those of the rsync module do. The notification is
 * DIR/notification.xml, unless --notification names a copy. Every file that it lists must be there, have the hash that it states, and
 * belong to its session and serial. From the oldest snapshot on disk that the listed deltas reach back to, each delta is applied with
 * its hashes checked; what comes out must be the notification's snapshot, and also each snapshot on the way that is still on disk
 * (with --since only those after that serial). The tree must hold the snapshot's objects, the trust anchor's certificate (it is in no
 * delta), and nothing else.
 *
 * Prints one line of numbers and ends with 0; at the first fault prints that and ends with 1. Shares no code with what writes the
 * files but containers, digests and base64.
 */
#include <dirent.h>
#include <errno.h>
#include <expat.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "ca/base/base64.h"
#include "ca/base/bytes.h"
#include "ca/base/digest.h"
#include "ca/base/fault.h"
#include "ca/base/memory.h"
#include "ca/base/scope.h"

#define FILE_MAX (1u << 30)
#define DELTAS_MAX 300           /* rpki-client takes the snapshot when more are listed */
#define PATH_SIZE 4096
#define HASH_TEXT (2 * SHA256_SIZE)
#define TRUST_ANCHOR "ta/ta.cer"

/* ---- what is published at one serial: URI and hash of each object ---- */

struct object {
	char *uri;
	uint8_t hash[SHA256_SIZE];
};

struct state {
	void *tree;                  /* of tsearch(3) */
	size_t count;
};

static int
compare_objects(const void *left, const void *right)
{
	return strcmp(((const struct object *)left)->uri, ((const struct object *)right)->uri);
}

static void
object_free(void *object)
{
	free(((struct object *)object)->uri);
	free(object);
}

static void
state_clear(struct state *state)
{
	tdestroy(state->tree, object_free);
	*state = (struct state){ .tree = NULL };
}

static struct object *
state_find(const struct state *state, const char *uri)
{
	struct object key = { .uri = (char *)(uintptr_t)uri };
	struct object *const *found = tfind(&key, &state->tree, compare_objects);
	return found == NULL ? NULL : *found;
}

static enum fault_code
state_add(struct state *state, const char *uri, const uint8_t hash[SHA256_SIZE], struct fault *fault)
{
	AUTO(char, free) copy = NULL;
	struct object *object;
	TRY(memory_copy_string(uri, &copy, fault));
	TRY(memory_new(1, sizeof *object, &object, fault));
	object->uri = MOVE(copy);
	memcpy(object->hash, hash, SHA256_SIZE);
	if (tsearch(object, &state->tree, compare_objects) == NULL) {
		object_free(object);
		return fault_set(fault, FAULT_MEMORY, "out of memory");
	}
	state->count++;
	return FAULT_NONE;
}

static void
state_remove(struct state *state, struct object *object)
{
	tdelete(object, &state->tree, compare_objects);
	object_free(object);
	state->count--;
}

struct comparison {
	const struct state *other;
	const char *differs;         /* URI; NULL: none */
};

static void
compare_one(const void *node, VISIT visit, void *argument)
{
	struct comparison *comparison = argument;
	const struct object *object = *(struct object *const *)node;
	if (visit != postorder && visit != leaf)
		return;
	const struct object *other = state_find(comparison->other, object->uri);
	if (other == NULL || memcmp(other->hash, object->hash, SHA256_SIZE) != 0)
		comparison->differs = object->uri;
}

static enum fault_code
state_compare(const struct state *replayed, const struct state *snapshot, int64_t serial, struct fault *fault)
{
	struct comparison comparison = { .other = snapshot };
	twalk_r(replayed->tree, compare_one, &comparison);
	if (comparison.differs != NULL)
		return fault_set(fault, FAULT_INVALID, "serial %" PRId64 ": replayed, %s is not as in the snapshot", serial,
			comparison.differs);
	if (replayed->count != snapshot->count)
		return fault_set(fault, FAULT_INVALID, "serial %" PRId64 ": %zu objects replayed, %zu in the snapshot", serial,
			replayed->count, snapshot->count);
	return FAULT_NONE;
}

/* ---- files of XML ---- */

struct listed {
	char uri[PATH_SIZE];
	uint8_t hash[SHA256_SIZE];
	int64_t serial;
};

struct replay {
	const char *rrdp, *rrdp_uri, *tree, *tree_uri, *notification;
	int64_t since;
	char session[64];
	int64_t serial;
	struct listed snapshot, deltas[DELTAS_MAX];
	size_t deltas_count;
};

/* One file while it is parsed: what it must be, and where its content goes. */
struct reader {
	XML_Parser parser;
	struct replay *replay;
	const char *root;            /* the name that its first element must have */
	int64_t serial;              /* and its serial; 0: the notification, which tells it */
	struct state *state;
	int depth;
	bool publishing;             /* inside <publish>, its text goes to content */
	char uri[PATH_SIZE];
	uint8_t replaces[SHA256_SIZE];
	bool has_replaces;
	struct bytes content;
	struct fault *fault;
};

static void
stop(struct reader *reader)
{
	XML_StopParser(reader->parser, XML_FALSE);
}

#define REFUSE(reader, ...)                                                      \
	do {                                                                     \
		if ((reader)->fault->code == FAULT_NONE)                         \
			(void)fault_set((reader)->fault, FAULT_INVALID, __VA_ARGS__); \
		stop(reader);                                                    \
		return;                                                          \
	} while (0)

static const char *
attribute(const XML_Char **attributes, const char *name)
{
	for (; attributes[0] != NULL; attributes += 2)
		if (strcmp(attributes[0], name) == 0)
			return attributes[1];
	return NULL;
}

static bool
read_hash(const XML_Char **attributes, uint8_t hash[SHA256_SIZE])
{
	const char *text = attribute(attributes, "hash");
	return text != NULL && strlen(text) == HASH_TEXT && hex_decode(text, hash, SHA256_SIZE);
}

static bool
read_uri(const XML_Char **attributes, char uri[PATH_SIZE])
{
	const char *text = attribute(attributes, "uri");
	return text != NULL && snprintf(uri, PATH_SIZE, "%s", text) < PATH_SIZE;
}

/* RFC 8182 §3.5.1.3, §3.5.2.3, §3.5.3.3: version 1, and everywhere the notification's session and the serial that it named. */
static void
start_root(struct reader *reader, const char *name, const XML_Char **attributes)
{
	struct replay *replay = reader->replay;
	const char *version = attribute(attributes, "version");
	const char *session = attribute(attributes, "session_id");
	const char *serial = attribute(attributes, "serial");
	if (strcmp(name, reader->root) != 0 || version == NULL || strcmp(version, "1") != 0 || session == NULL || serial == NULL)
		REFUSE(reader, "no <%s version=\"1\" session_id serial>", reader->root);
	if (reader->serial == 0) {
		replay->serial = strtoll(serial, NULL, 10);
		(void)snprintf(replay->session, sizeof replay->session, "%s", session);
	} else if (strcmp(session, replay->session) != 0 || strtoll(serial, NULL, 10) != reader->serial) {
		REFUSE(reader, "says session %.40s, serial %.20s; the notification %s, %" PRId64, session, serial, replay->session,
			reader->serial);
	}
}

static void
start_listed(struct reader *reader, const char *name, const XML_Char **attributes)
{
	struct replay *replay = reader->replay;
	const char *serial = attribute(attributes, "serial");
	bool delta = strcmp(name, "delta") == 0;
	if (delta && replay->deltas_count == DELTAS_MAX)
		REFUSE(reader, "more than %d deltas are listed", DELTAS_MAX);
	struct listed *listed = delta ? &replay->deltas[replay->deltas_count++] : &replay->snapshot;
	if ((!delta && strcmp(name, "snapshot") != 0) || (delta && serial == NULL) || !read_uri(attributes, listed->uri) ||
		!read_hash(attributes, listed->hash))
		REFUSE(reader, "no <snapshot uri hash> or <delta serial uri hash>");
	listed->serial = delta ? strtoll(serial, NULL, 10) : replay->serial;
}

/* RFC 8182 §3.4.2: what a delta replaces or withdraws must be there, with that hash; what it adds must not. */
static void
withdraw(struct reader *reader, const char *uri, const uint8_t hash[SHA256_SIZE])
{
	struct object *object = state_find(reader->state, uri);
	if (object == NULL || memcmp(object->hash, hash, SHA256_SIZE) != 0)
		REFUSE(reader, "replaces or withdraws %s, which %s", uri, object == NULL ? "isn't there" : "has another hash");
	state_remove(reader->state, object);
}

static void
start_change(struct reader *reader, const char *name, const XML_Char **attributes)
{
	reader->publishing = strcmp(name, "publish") == 0;
	reader->has_replaces = read_hash(attributes, reader->replaces);
	if ((!reader->publishing && strcmp(name, "withdraw") != 0) || !read_uri(attributes, reader->uri))
		REFUSE(reader, "no <publish uri> or <withdraw uri>");
	if (reader->publishing) {
		bytes_reset(&reader->content);
		return;
	}
	if (!reader->has_replaces || strcmp(reader->root, "delta") != 0)
		REFUSE(reader, "withdraws %s without its hash, or in a snapshot", reader->uri);
	withdraw(reader, reader->uri, reader->replaces);
}

static void
start_element(void *argument, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *reader = argument;
	reader->depth++;
	if (reader->depth == 1)
		start_root(reader, name, attributes);
	else if (reader->depth == 2 && reader->state == NULL)
		start_listed(reader, name, attributes);
	else if (reader->depth == 2)
		start_change(reader, name, attributes);
	else
		REFUSE(reader, "<%s> inside another element", name);
}

static void
take_text(void *argument, const XML_Char *text, int length)
{
	struct reader *reader = argument;
	for (int i = 0; reader->publishing && i < length; i++)
		if (strchr(" \t\r\n", text[i]) == NULL && bytes_append(&reader->content, text + i, 1, reader->fault) != FAULT_NONE)
			stop(reader);
}

static void
end_element(void *argument, const XML_Char *name)
{
	struct reader *reader = argument;
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	uint8_t hash[SHA256_SIZE];
	(void)name;
	reader->depth--;
	if (!reader->publishing || reader->fault->code != FAULT_NONE)
		return;
	reader->publishing = false;
	if (base64_decode(bytes_text(&reader->content), reader->content.length, &der, reader->fault) != FAULT_NONE ||
		digest_sha256(bytes_span(&der), hash, reader->fault) != FAULT_NONE)
		REFUSE(reader, "%s", reader->uri);
	if (reader->has_replaces)
		withdraw(reader, reader->uri, reader->replaces);
	if (reader->fault->code == FAULT_NONE && state_find(reader->state, reader->uri) != NULL)
		REFUSE(reader, "adds %s, which is there", reader->uri);
	if (reader->fault->code == FAULT_NONE && state_add(reader->state, reader->uri, hash, reader->fault) != FAULT_NONE)
		stop(reader);
}

static void
reader_clear(struct reader *reader)
{
	if (reader->parser != NULL)
		XML_ParserFree(reader->parser);
	bytes_clear(&reader->content);
}

/* Parses a file; state NULL: it is the notification. */
static enum fault_code
read_file(struct replay *replay, const char *path, const char *root, int64_t serial, const uint8_t *hash, struct state *state,
	struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	AUTO_CLEAR(struct reader, reader_clear) reader = {
		.parser = XML_ParserCreate("US-ASCII"), .replay = replay, .root = root, .serial = serial, .state = state,
		.content = BYTES_INIT, .fault = fault,
	};
	uint8_t found[SHA256_SIZE];
	TRY(atomic_file_read(AT_FDCWD, path, FILE_MAX, &text, fault));
	TRY(digest_sha256(bytes_span(&text), found, fault));
	if (hash != NULL && memcmp(hash, found, SHA256_SIZE) != 0)
		return fault_set(fault, FAULT_INVALID, "%s has another hash than the notification says", path);
	XML_SetUserData(reader.parser, &reader);
	XML_SetElementHandler(reader.parser, start_element, end_element);
	XML_SetCharacterDataHandler(reader.parser, take_text);
	enum XML_Status status = XML_Parse(reader.parser, bytes_text(&text), (int)text.length, 1);
	if (fault->code != FAULT_NONE)
		return fault_prefix(fault, "%s", path);
	if (status != XML_STATUS_OK)
		return fault_set(fault, FAULT_MALFORMED, "%s, line %lu: %s", path, (unsigned long)XML_GetCurrentLineNumber(reader.parser),
			XML_ErrorString(XML_GetErrorCode(reader.parser)));
	return FAULT_NONE;
}

/* ---- the chain ---- */

/* Where the file of a URI lies. */
static enum fault_code
path_of(const char *base, const char *base_uri, const char *uri, char path[PATH_SIZE], struct fault *fault)
{
	size_t length = strlen(base_uri);
	if (strncmp(uri, base_uri, length) != 0 || strstr(uri + length, "..") != NULL)
		return fault_set(fault, FAULT_INVALID, "%s is not below %s", uri, base_uri);
	if (snprintf(path, PATH_SIZE, "%s/%s", base, uri + length) >= PATH_SIZE)
		return fault_set(fault, FAULT_INVALID, "%s is too long", uri);
	return FAULT_NONE;
}

static int
compare_serials(const void *left, const void *right)
{
	int64_t a = ((const struct listed *)left)->serial, b = ((const struct listed *)right)->serial;
	return a < b ? -1 : a > b;
}

/* RFC 8182 §3.5.1.3: the deltas are a chain without a gap that ends at the notification's serial. */
static enum fault_code
read_notification(struct replay *replay, struct fault *fault)
{
	TRY(read_file(replay, replay->notification, "notification", 0, NULL, NULL, fault));
	if (replay->snapshot.uri[0] == '\0')
		return fault_set(fault, FAULT_INVALID, "%s lists no snapshot", replay->notification);
	qsort(replay->deltas, replay->deltas_count, sizeof *replay->deltas, compare_serials);
	for (size_t i = 0; i < replay->deltas_count; i++)
		if (replay->deltas[i].serial != replay->serial - (int64_t)(replay->deltas_count - 1 - i))
			return fault_set(fault, FAULT_INVALID, "the deltas listed are no chain that ends at %" PRId64, replay->serial);
	return FAULT_NONE;
}

/* The snapshot of a serial that the notification may no longer name: rrdp/<session>/<serial>/<random>/snapshot.xml. */
static bool
find_snapshot(const struct replay *replay, int64_t serial, char path[PATH_SIZE])
{
	char directory[PATH_SIZE / 2];
	bool found = false;
	(void)snprintf(directory, sizeof directory, "%s/%s/%" PRId64, replay->rrdp, replay->session, serial);
	DIR *stream = opendir(directory);
	for (struct dirent *entry; !found && stream != NULL && (entry = readdir(stream)) != NULL;)
		if (entry->d_name[0] != '.') {
			(void)snprintf(path, PATH_SIZE, "%s/%s/snapshot.xml", directory, entry->d_name);
			found = access(path, R_OK) == 0;
		}
	if (stream != NULL)
		(void)closedir(stream);
	return found;
}

static enum fault_code
compare_with_disk(struct replay *replay, const struct state *state, int64_t serial, struct fault *fault)
{
	AUTO_CLEAR(struct state, state_clear) snapshot = { .tree = NULL };
	char path[PATH_SIZE];
	if (serial <= replay->since || !find_snapshot(replay, serial, path))
		return FAULT_NONE;
	TRY(read_file(replay, path, "snapshot", serial, NULL, &snapshot, fault));
	return state_compare(state, &snapshot, serial, fault);
}

/* *ret_from: the serial that the replay began with; the notification's if no delta could be applied. */
static enum fault_code
replay_deltas(struct replay *replay, const struct state *snapshot, int64_t *ret_from, struct fault *fault)
{
	AUTO_CLEAR(struct state, state_clear) state = { .tree = NULL };
	char path[PATH_SIZE];
	int64_t from = replay->serial - (int64_t)replay->deltas_count;
	while (from < replay->serial && !find_snapshot(replay, from, path))
		from++;
	*ret_from = from;
	if (from < replay->serial)
		TRY(read_file(replay, path, "snapshot", from, NULL, &state, fault));
	for (size_t i = 0; i < replay->deltas_count; i++) {
		const struct listed *delta = &replay->deltas[i];
		TRY(path_of(replay->rrdp, replay->rrdp_uri, delta->uri, path, fault));
		if (delta->serial <= from) {
			if (access(path, R_OK) != 0)
				return fault_set(fault, FAULT_INVALID, "%s is listed and isn't there", path);
			continue;
		}
		TRY(read_file(replay, path, "delta", delta->serial, delta->hash, &state, fault));
		TRY(compare_with_disk(replay, &state, delta->serial, fault));
	}
	return from < replay->serial ? state_compare(&state, snapshot, replay->serial, fault) : FAULT_NONE;
}

/* ---- the rsync tree ---- */

/* nftw(3) passes nothing to its function: these two are its view of the one check that runs. */
static const struct replay *tree_replay;
static const struct state *tree_state;
static size_t tree_files;
static struct fault tree_fault;

static enum fault_code
check_file(const char *path, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	uint8_t hash[SHA256_SIZE];
	char uri[PATH_SIZE];
	const char *relative = path + strlen(tree_replay->tree);
	relative += strspn(relative, "/");
	if (strcmp(relative, TRUST_ANCHOR) == 0)
		return FAULT_NONE;
	(void)snprintf(uri, sizeof uri, "%s%s", tree_replay->tree_uri, relative);
	const struct object *object = state_find(tree_state, uri);
	if (object == NULL)
		return fault_set(fault, FAULT_INVALID, "%s is in the tree and not in serial %" PRId64, relative, tree_replay->serial);
	TRY(atomic_file_read(AT_FDCWD, path, FILE_MAX, &content, fault));
	TRY(digest_sha256(bytes_span(&content), hash, fault));
	if (memcmp(hash, object->hash, SHA256_SIZE) != 0)
		return fault_set(fault, FAULT_INVALID, "%s is another one than in serial %" PRId64, relative, tree_replay->serial);
	tree_files++;
	return FAULT_NONE;
}

static int
visit(const char *path, const struct stat *status, int kind, struct FTW *position)
{
	(void)status;
	(void)position;
	if (kind == FTW_D || kind == FTW_DP)
		return 0;
	if (kind != FTW_F)
		return fault_set(&tree_fault, FAULT_INVALID, "%s is neither file nor directory", path) != FAULT_NONE;
	return check_file(path, &tree_fault) != FAULT_NONE;
}

static enum fault_code
check_tree(const struct replay *replay, const struct state *snapshot, struct fault *fault)
{
	char path[PATH_SIZE];
	tree_replay = replay;
	tree_state = snapshot;
	if (nftw(replay->tree, visit, 32, FTW_PHYS) != 0) {
		*fault = tree_fault;
		return fault->code != FAULT_NONE ? fault->code : fault_set_errno(fault, errno, "walking through %s", replay->tree);
	}
	if (tree_files != snapshot->count)
		return fault_set(fault, FAULT_INVALID, "the tree has %zu objects, serial %" PRId64 " has %zu", tree_files, replay->serial,
			snapshot->count);
	(void)snprintf(path, sizeof path, "%s/" TRUST_ANCHOR, replay->tree);
	return access(path, R_OK) == 0 ? FAULT_NONE : fault_set(fault, FAULT_INVALID, "the tree has no " TRUST_ANCHOR);
}

/* ---- the program ---- */

static enum fault_code
run(struct replay *replay, struct fault *fault)
{
	AUTO_CLEAR(struct state, state_clear) snapshot = { .tree = NULL };
	char path[PATH_SIZE];
	int64_t from;
	TRY(read_notification(replay, fault));
	TRY(path_of(replay->rrdp, replay->rrdp_uri, replay->snapshot.uri, path, fault));
	TRY(read_file(replay, path, "snapshot", replay->serial, replay->snapshot.hash, &snapshot, fault));
	TRY(replay_deltas(replay, &snapshot, &from, fault));
	if (replay->tree != NULL)
		TRY(check_tree(replay, &snapshot, fault));
	printf("serial %" PRId64 ", objects %zu, deltas %zu, replayed from %" PRId64 "\n", replay->serial, snapshot.count,
		replay->deltas_count, from);
	return FAULT_NONE;
}

/* Takes one option and its values at words[0]; how many words, 0: not understood. */
static int
take_option(struct replay *replay, char **words, int count)
{
	if (count >= 3 && strcmp(words[0], "--rrdp") == 0) {
		replay->rrdp = words[1];
		replay->rrdp_uri = words[2];
		return 3;
	}
	if (count >= 3 && strcmp(words[0], "--tree") == 0) {
		replay->tree = words[1];
		replay->tree_uri = words[2];
		return 3;
	}
	if (count >= 2 && strcmp(words[0], "--notification") == 0) {
		replay->notification = words[1];
		return 2;
	}
	if (count >= 2 && strcmp(words[0], "--since") == 0) {
		replay->since = strtoll(words[1], NULL, 10);
		return 2;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	static struct replay replay;
	struct fault fault = FAULT_INIT;
	AUTO(char, free) notification = NULL;
	int taken = 1;
	for (int i = 1; i < argc && taken > 0; i += taken)
		taken = take_option(&replay, argv + i, argc - i);
	if (taken == 0 || replay.rrdp == NULL) {
		fputs("usage: replay --rrdp DIR URI [--tree DIR URI] [--notification FILE] [--since SERIAL]\n", stderr);
		return 2;
	}
	if (replay.notification == NULL && memory_printf(&notification, &fault, "%s/notification.xml", replay.rrdp) == FAULT_NONE)
		replay.notification = notification;
	if (fault.code != FAULT_NONE || run(&replay, &fault) != FAULT_NONE) {
		printf("%s\n", fault.message);
		return 1;
	}
	return 0;
}
