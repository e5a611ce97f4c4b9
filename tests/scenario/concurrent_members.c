/*
 * concurrent_members URL CERTIFICATE TOKEN-FILE MEMBERS SHARERS CHANGES: a server is changed and read by many at once.
 *
 * MEMBERS each have a CA of their own ("own-0", …) and replace its one ROA CHANGES times. SHARERS all work on the CA "shared": each
 * replaces a ROA of its own likewise, and raises a counter, a ROA whose AS number is the count, as an editor does: it reads the list and
 * sends its change with If-Match, again and again until nobody was in between. Readers look at lists all the while.
 *
 * What must hold: every answer says 200, or 412 to If-Match; each change of a list brings the next version, no version comes twice, and
 * no two changes went through on the same one; no list is ever seen between two states; at the end each list is what was acknowledged, and
 * the counter is the number of times that it was raised. Prints "ASN,prefix,max_length" of all that is wanted then.
 */
#include <curl/curl.h>
#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"

#define PEOPLE_MAX 200
#define CHANGES_MAX 1000
#define READERS 8
#define RAISES 4                /* of the counter, by each sharer */
#define FIRST_ASN 100000
#define TAG_SIZE 80
#define COUNTER_PREFIX "172.31.0.0/24"

static const char *server, *certificate;
static char authorization[200];
static size_t changes;
static atomic_bool over;        /* for readers */
static atomic_size_t refused;   /* changes that somebody else's came before */
static atomic_size_t raised;

/* One version of "shared" for each change of it. */
static atomic_uchar *versions;
static size_t versions_count;
static atomic_size_t shared_changes;

static void fail(const char *format, ...) PRINTF_LIKE(1, 2) __attribute__((noreturn));

static void
fail(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
	_exit(EXIT_FAILURE);
}

/* ---- one connection ---- */

struct door {
	CURL *curl;
	struct bytes answer;
	char tag[TAG_SIZE];             /* of the last answer */
};

static void
door_init(struct door *door)
{
	*door = (struct door){ .curl = curl_easy_init(), .answer = BYTES_INIT };
	INVARIANT(door->curl != NULL);
}

static void
door_clear(struct door *door)
{
	curl_easy_cleanup(door->curl);
	bytes_clear(&door->answer);
}

static size_t
take_answer(char *data, size_t size, size_t count, void *argument)
{
	struct door *door = argument;
	return bytes_append(&door->answer, data, size * count, NULL) == FAULT_NONE ? size * count : 0;
}

static size_t
take_header(char *data, size_t size, size_t count, void *argument)
{
	struct door *door = argument;
	char line[TAG_SIZE + 8];
	size_t length = size * count < sizeof line ? size * count : sizeof line - 1;
	memcpy(line, data, length);
	line[length] = '\0';
	(void)sscanf(line, "%*1[Ee]%*1[Tt]ag: %79[^\r\n]", door->tag);
	return size * count;
}

/* The answer's status; its body is in *ret_answer, to be freed. */
static long
call(struct door *door, const char *method, const char *path, const char *body, const char *tag, json_t **ret_answer)
{
	char url[500], if_match[TAG_SIZE + 20];
	long status = 0;
	(void)snprintf(url, sizeof url, "%s%s", server, path);
	struct curl_slist *headers = curl_slist_append(NULL, authorization);
	if (body != NULL)
		headers = curl_slist_append(headers, "Content-Type: application/json");
	if (tag != NULL) {
		(void)snprintf(if_match, sizeof if_match, "If-Match: %s", tag);
		headers = curl_slist_append(headers, if_match);
	}
	bytes_reset(&door->answer);
	door->tag[0] = '\0';
	curl_easy_reset(door->curl);
	curl_easy_setopt(door->curl, CURLOPT_URL, url);
	curl_easy_setopt(door->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(door->curl, CURLOPT_HTTPHEADER, headers);
	if (body != NULL)
		curl_easy_setopt(door->curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(door->curl, CURLOPT_CAINFO, certificate);
	curl_easy_setopt(door->curl, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(door->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(door->curl, CURLOPT_TIMEOUT, 60L);
	curl_easy_setopt(door->curl, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(door->curl, CURLOPT_WRITEDATA, door);
	curl_easy_setopt(door->curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(door->curl, CURLOPT_HEADERDATA, door);
	CURLcode code = curl_easy_perform(door->curl);
	if (code != CURLE_OK)
		fail("%s %s: %s", method, path, curl_easy_strerror(code));
	curl_easy_getinfo(door->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	*ret_answer = json_loadb((const char *)door->answer.data, door->answer.length, 0, NULL);
	return status;
}

/* The answer to what must be done. */
static json_t *
must(struct door *door, long wanted, const char *method, const char *path, const char *body)
{
	json_t *answer = NULL;
	long status = call(door, method, path, body, NULL, &answer);
	if (status != wanted)
		fail("%s %s: %ld in place of %ld: %s", method, path, status, wanted, bytes_text(&door->answer));
	return answer;
}

static int64_t
version_of(json_t *answer)
{
	int64_t version = json_integer_value(json_object_get(answer, "version"));
	json_decref(answer);
	return version;
}

/* ---- changes ---- */

/* Replaces the ROA of `before` (0: there is none) by one of `asn`. */
static void
change_text(char text[500], const char *prefix, int64_t before, int64_t asn)
{
	int length = snprintf(text, 500, "{\"added\":[{\"asn\":%" PRId64 ",\"prefix\":\"%s\"}]", asn, prefix);
	if (before != 0)
		length += snprintf(text + length, 500 - (size_t)length, ",\"removed\":[{\"asn\":%" PRId64 ",\"prefix\":\"%s\",\"max_length\":24}]",
			before, prefix);
	(void)snprintf(text + length, 500 - (size_t)length, "}");
}

static void
create_ca(struct door *door, const char *handle, const char *block)
{
	char body[300];
	(void)snprintf(body, sizeof body, "{\"handle\":\"%s\",\"resources\":{\"asns\":[],\"ipv4\":[\"%s\"],\"ipv6\":[]}}", handle, block);
	json_decref(must(door, 201, "POST", "/api/v1/cas", body));
}

/* The AS number of the one ROA of this prefix in the list; 0: none. */
static int64_t
asn_of(const json_t *list, const char *prefix)
{
	size_t i;
	json_t *roa;
	int64_t asn = 0;
	json_array_foreach(json_object_get(list, "roas"), i, roa) {
		if (strcmp(json_string_value(json_object_get(roa, "prefix")), prefix) != 0)
			continue;
		if (asn != 0)
			fail("two ROAs of %s are there at once", prefix);
		asn = json_integer_value(json_object_get(roa, "asn"));
	}
	return asn;
}

struct person {
	pthread_t thread;
	size_t number;
	char prefix[32];
	int64_t asn;                    /* of its ROA, as the server last acknowledged */
};

static pthread_barrier_t beginning;

/* Alone on its list: each change brings the next version. */
static void *
run_member(void *argument)
{
	struct person *member = argument;
	struct door door;
	char path[100], handle[32], block[32], body[500];
	int64_t version = 0;
	door_init(&door);
	(void)snprintf(handle, sizeof handle, "own-%zu", member->number);
	(void)snprintf(block, sizeof block, "10.%zu.0.0/16", member->number);
	(void)snprintf(member->prefix, sizeof member->prefix, "10.%zu.0.0/24", member->number);
	(void)snprintf(path, sizeof path, "/api/v1/cas/%s/roas", handle);
	create_ca(&door, handle, block);
	for (size_t i = 0; i < changes; i++) {
		int64_t asn = FIRST_ASN + (int64_t)i;
		change_text(body, member->prefix, member->asn, asn);
		int64_t next = version_of(must(&door, 200, "POST", path, body));
		if (i > 0 && next != version + 1)
			fail("%s: version %" PRId64 " came after %" PRId64, handle, next, version);
		version = next;
		member->asn = asn;
		if (i == 0)
			(void)pthread_barrier_wait(&beginning);
	}
	door_clear(&door);
	return NULL;
}

/* No version of the shared list is the work of two. */
static void
note_version(int64_t version)
{
	if (version <= 0 || (size_t)version >= versions_count)
		fail("shared: version %" PRId64 " is out of bounds", version);
	if (atomic_exchange(&versions[version], 1) != 0)
		fail("shared: version %" PRId64 " came twice", version);
	atomic_fetch_add(&shared_changes, 1);
}

/* As an editor does: what was read is what is replaced. */
static void
raise_counter(struct door *door)
{
	char body[500], tag[TAG_SIZE];
	json_t *answer = NULL;
	for (;;) {
		json_t *list = must(door, 200, "GET", "/api/v1/cas/shared/roas", NULL);
		int64_t count = asn_of(list, COUNTER_PREFIX);
		json_decref(list);
		(void)snprintf(tag, sizeof tag, "%s", door->tag);
		if (tag[0] != '"' || count == 0)
			fail("shared: a list without ETag or counter");
		change_text(body, COUNTER_PREFIX, count, count + 1);
		long status = call(door, "POST", "/api/v1/cas/shared/roas", body, tag, &answer);
		if (status == 200)
			break;
		if (status != 412)
			fail("shared: If-Match %s: %ld: %s", tag, status, bytes_text(&door->answer));
		json_decref(answer);
		atomic_fetch_add(&refused, 1);
	}
	int64_t version = version_of(answer);
	if (version != strtoll(tag + 1, NULL, 10) + 1)
		fail("shared: version %" PRId64 " came out of If-Match %s", version, tag);
	note_version(version);
	atomic_fetch_add(&raised, 1);
}

static void *
run_sharer(void *argument)
{
	struct person *sharer = argument;
	struct door door;
	char body[500];
	door_init(&door);
	(void)snprintf(sharer->prefix, sizeof sharer->prefix, "172.16.%zu.0/24", sharer->number);
	(void)pthread_barrier_wait(&beginning);
	for (size_t i = 0; i < changes; i++) {
		change_text(body, sharer->prefix, sharer->asn, FIRST_ASN + (int64_t)i);
		note_version(version_of(must(&door, 200, "POST", "/api/v1/cas/shared/roas", body)));
		sharer->asn = FIRST_ASN + (int64_t)i;
		if (i % (changes / RAISES + 1) == 0)
			raise_counter(&door);
	}
	door_clear(&door);
	return NULL;
}

/* Each list of a member has one ROA, whenever it is looked at. */
static void *
run_reader(void *argument)
{
	struct person *reader = argument;
	struct door door;
	char path[100];
	door_init(&door);
	(void)pthread_barrier_wait(&beginning);
	for (size_t i = reader->number; !over; i += 7) {
		(void)snprintf(path, sizeof path, "/api/v1/cas/own-%zu/roas", i % (size_t)reader->asn);
		json_t *list = must(&door, 200, "GET", path, NULL);
		if (json_array_size(json_object_get(list, "roas")) != 1)
			fail("%s: %zu ROAs in place of 1", path, json_array_size(json_object_get(list, "roas")));
		json_decref(list);
		json_decref(must(&door, 200, "GET", i % 2 == 0 ? "/api/v1/cas?limit=100" : "/api/v1/publication", NULL));
	}
	door_clear(&door);
	return NULL;
}

/* ---- all ---- */

static struct person members[PEOPLE_MAX], sharers[PEOPLE_MAX], readers[READERS];

static void
start(struct person *people, size_t count, void *(*run)(void *argument), int64_t asn)
{
	for (size_t i = 0; i < count; i++) {
		people[i] = (struct person){ .number = i, .asn = asn };
		INVARIANT(pthread_create(&people[i].thread, NULL, run, &people[i]) == 0);
	}
}

static void
join(struct person *people, size_t count)
{
	for (size_t i = 0; i < count; i++)
		INVARIANT(pthread_join(people[i].thread, NULL) == 0);
}

/* What is there must be what was acknowledged last. */
static void
check_lists(struct door *door, size_t members_count, size_t sharers_count, int64_t first_version)
{
	char path[100];
	for (size_t i = 0; i < members_count; i++) {
		(void)snprintf(path, sizeof path, "/api/v1/cas/own-%zu/roas", i);
		json_t *list = must(door, 200, "GET", path, NULL);
		if (asn_of(list, members[i].prefix) != members[i].asn)
			fail("%s: the last change is lost", path);
		json_decref(list);
		printf("%" PRId64 ",%s,24\n", members[i].asn, members[i].prefix);
	}
	json_t *list = must(door, 200, "GET", "/api/v1/cas/shared/roas", NULL);
	for (size_t i = 0; i < sharers_count; i++) {
		if (asn_of(list, sharers[i].prefix) != sharers[i].asn)
			fail("shared: the last change of %s is lost", sharers[i].prefix);
		printf("%" PRId64 ",%s,24\n", sharers[i].asn, sharers[i].prefix);
	}
	int64_t count = asn_of(list, COUNTER_PREFIX), last = strtoll(door->tag + 1, NULL, 10);
	if (count != FIRST_ASN + (int64_t)raised)
		fail("shared: the counter was raised %zu times and is at %" PRId64, raised, count - FIRST_ASN);
	if (json_array_size(json_object_get(list, "roas")) != sharers_count + 1 || last != first_version + (int64_t)shared_changes)
		fail("shared: version %" PRId64 " after %zu changes of version %" PRId64, last, shared_changes, first_version);
	json_decref(list);
	printf("%" PRId64 "," COUNTER_PREFIX ",24\n", count);
}

static void
read_token(const char *file)
{
	char token[150] = "";
	FILE *stream = fopen(file, "re");
	if (stream == NULL || fscanf(stream, "%149s", token) != 1)
		fail("no token in %s", file);
	(void)fclose(stream);
	(void)snprintf(authorization, sizeof authorization, "Authorization: Bearer %s", token);
}

int
main(int argc, char **argv)
{
	struct door door;
	char body[500];
	size_t members_count = argc == 7 ? strtoul(argv[4], NULL, 10) : 0, sharers_count = argc == 7 ? strtoul(argv[5], NULL, 10) : 0;
	changes = argc == 7 ? strtoul(argv[6], NULL, 10) : 0;
	if (members_count == 0 || members_count > PEOPLE_MAX || sharers_count > PEOPLE_MAX || changes == 0 || changes > CHANGES_MAX)
		fail("usage: concurrent_members URL CERTIFICATE TOKEN-FILE MEMBERS SHARERS CHANGES");
	server = argv[1];
	certificate = argv[2];
	read_token(argv[3]);
	INVARIANT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
	versions_count = sharers_count * (changes + RAISES + 1) + 100;
	versions = calloc(versions_count, sizeof *versions);
	INVARIANT(versions != NULL);
	INVARIANT(pthread_barrier_init(&beginning, NULL, (unsigned)(members_count + sharers_count + READERS)) == 0);
	door_init(&door);
	create_ca(&door, "shared", "172.16.0.0/12");
	change_text(body, COUNTER_PREFIX, 0, FIRST_ASN);
	int64_t first_version = version_of(must(&door, 200, "POST", "/api/v1/cas/shared/roas", body));
	start(members, members_count, run_member, 0);
	start(sharers, sharers_count, run_sharer, 0);
	start(readers, READERS, run_reader, (int64_t)members_count);
	join(members, members_count);
	join(sharers, sharers_count);
	over = true;
	join(readers, READERS);
	check_lists(&door, members_count, sharers_count, first_version);
	(void)fprintf(stderr, "%zu changes, %zu of them of one list, %zu refused as somebody was in between\n",
		members_count * changes + shared_changes, shared_changes, refused);
	door_clear(&door);
	pthread_barrier_destroy(&beginning);
	free(versions);
	curl_global_cleanup();
	return EXIT_SUCCESS;
}
