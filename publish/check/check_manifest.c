/*
 * What an authority has issued, from its manifest down (RFC 9286 §6): the manifest, the CRL on it, each file that is listed, and
 * the authorities that its certificates make, one below the other.
 *
 * A validator gives up a whole manifest for one wrong hash. Here the walk goes on, to find whatever else is wrong, but nothing
 * below counts as valid any more.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/memory.h"
#include "ca/lint/lint_look.h"
#include "publish/check/check_internal.h"

#define ENTRIES_MAX 70000 /* what lint takes on one manifest */

struct walk {
	struct check *check;
	struct check_authority *authority;
	struct lint_look_manifest look;
	uint32_t number;                        /* of manifests that were looked at, this one's */
	uint8_t crl_hash[SHA256_SIZE];          /* as listed */
};

static bool
ends_with(struct span name, const char *ending)
{
	size_t length = strlen(ending);
	return name.length > length && memcmp(name.data + name.length - length, ending, length) == 0;
}

/* The URI of a file beside the manifest; "" for a name that makes none. */
static void
uri_of(const struct check_authority *authority, struct span name, char uri[CHECK_URI])
{
	size_t base = strlen(authority->repository_uri);
	uri[0] = '\0';
	if (base + name.length >= CHECK_URI || memchr(name.data, '\0', name.length) != NULL)
		return;
	memcpy(uri, authority->repository_uri, base);
	memcpy(uri + base, name.data, name.length);
	uri[base + name.length] = '\0';
}

static enum fault_code
take_crl(struct walk *walk, struct span name, const uint8_t *hash, bool *ret_right, struct fault *fault)
{
	struct check *check = walk->check;
	struct check_authority *authority = walk->authority;
	uri_of(authority, name, authority->crl_uri);
	memcpy(walk->crl_hash, hash, SHA256_SIZE);
	const struct check_entry *entry = check_point_published(check, authority, authority->crl_uri);
	if (entry == NULL)
		return FOUND(check, CRL_MISSING, authority->crl_uri, fault, "the manifest lists it, but it isn't there");
	TRY(check_place_object(check, entry, &authority->crl, fault));
	if (memcmp(entry->hash, hash, SHA256_SIZE) != 0)
		TRY(FOUND(check, MANIFEST_HASH, authority->crl_uri, fault, "its hash isn't the one on the manifest"));
	TRY(check_crl(check, authority, ret_right, fault));
	bool same = authority->crl_this_update_at == walk->look.this_update_at &&
		authority->crl_next_update_at == walk->look.next_update_at;
	if (*ret_right && !same)
		TRY(FOUND(check, CRL_TIMES, authority->crl_uri, fault, "thisUpdate or nextUpdate isn't the manifest's"));
	return FAULT_NONE;
}

/* Without a CRL, where it should be is what the manifest's certificate says: one finding is enough. */
static enum fault_code
crl_uri_of_ee(struct check_authority *authority, struct span ee, struct fault *fault)
{
	AUTO_CLEAR(struct lint_look_certificate, lint_look_certificate_clear) look = LINT_LOOK_CERTIFICATE_INIT;
	struct fault refusal = FAULT_INIT;
	enum fault_code code = lint_look_certificate(ee, &look, &refusal);
	if (code == FAULT_LINT || (code == FAULT_NONE && look.crl_uri.length >= CHECK_URI))
		return FAULT_NONE;
	if (code != FAULT_NONE)
		return fault_set(fault, code, "%s", refusal.message);
	if (look.crl_uri.length > 0)
		memcpy(authority->crl_uri, look.crl_uri.data, look.crl_uri.length);
	authority->crl_uri[look.crl_uri.length] = '\0';
	return FAULT_NONE;
}

/* RFC 9286 §4.2.1: exactly one CRL. The first that is listed is taken. */
static enum fault_code
find_crl(struct walk *walk, struct span ee, bool *ret_right, struct fault *fault)
{
	struct der_reader entries = walk->look.entries;
	struct span name, first = { .data = NULL };
	const uint8_t *hash, *first_hash = NULL;
	size_t count = 0;
	*ret_right = false;
	while (der_reader_more(&entries)) {
		TRY(lint_look_entry(&entries, &name, &hash, fault));
		if (!ends_with(name, ".crl"))
			continue;
		if (count++ == 0) {
			first = name;
			first_hash = hash;
		}
	}
	if (count == 0) {
		TRY(crl_uri_of_ee(walk->authority, ee, fault));
		return FOUND(walk->check, CRL_MISSING, walk->authority->manifest_uri, fault, "the manifest lists no CRL");
	}
	if (count > 1)
		TRY(FOUND(walk->check, CRL_TWICE, walk->authority->manifest_uri, fault, "the manifest lists %zu CRLs", count));
	TRY(take_crl(walk, first, first_hash, ret_right, fault));
	*ret_right = *ret_right && count == 1;
	return FAULT_NONE;
}

/* All entries are readable: counts them. */
static enum fault_code
count_entries(const struct lint_look_manifest *look, size_t *ret_count, struct fault *fault)
{
	struct der_reader entries = look->entries;
	struct span name;
	const uint8_t *hash;
	for (*ret_count = 0; der_reader_more(&entries); ++*ret_count)
		TRY(lint_look_entry(&entries, &name, &hash, fault));
	return *ret_count <= ENTRIES_MAX ? FAULT_NONE : fault_set(fault, FAULT_LINT, "more than %d files", ENTRIES_MAX);
}

static int
compare_names(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	size_t common = x->length < y->length ? x->length : y->length;
	int order = memcmp(x->data, y->data, common);
	return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

static int
compare_hashes(const void *a, const void *b)
{
	return memcmp(*(const uint8_t *const *)a, *(const uint8_t *const *)b, SHA256_SIZE);
}

/* Whether a sorted list has something twice. */
static bool
has_twice(const void *items, size_t count, size_t size, int (*compare)(const void *a, const void *b))
{
	const char *at = items;
	for (size_t i = 1; i < count; i++)
		if (compare(at + (i - 1) * size, at + i * size) == 0)
			return true;
	return false;
}

/* Which rule it is that the list breaks. */
static enum fault_code
diagnose_list(struct walk *walk, size_t count, const struct fault *refusal, struct fault *fault)
{
	AUTO(struct span, free) names = NULL;
	AUTO(const uint8_t *, free) hashes = NULL;
	struct der_reader entries = walk->look.entries;
	const char *uri = walk->authority->manifest_uri;
	bool ordered = true;
	TRY(memory_new(count, sizeof *names, &names, fault));
	TRY(memory_new(count, sizeof *hashes, &hashes, fault));
	for (size_t i = 0; i < count; i++) {
		char name[CHECK_URI];
		TRY(lint_look_entry(&entries, &names[i], &hashes[i], fault));
		size_t length = names[i].length < sizeof name ? names[i].length : 0;
		memcpy(name, names[i].data, length);
		name[length] = '\0';
		if (!lint_object_name(name))
			return FOUND(walk->check, MANIFEST_NAME, uri, fault, "RFC 9286 §4.2.2: it lists \"%.100s\"", name);
		ordered = ordered && (i == 0 || compare_names(&names[i - 1], &names[i]) <= 0);
	}
	qsort(names, count, sizeof *names, compare_names);
	qsort(hashes, count, sizeof *hashes, compare_hashes);
	if (has_twice(names, count, sizeof *names, compare_names) || has_twice(hashes, count, sizeof *hashes, compare_hashes))
		return FOUND(walk->check, MANIFEST_TWICE, uri, fault, "%s", refusal->message);
	if (!ordered)
		return FOUND(walk->check, MANIFEST_ORDER, uri, fault, "%s", refusal->message);
	return FOUND(walk->check, OBJECT_PROFILE, uri, fault, "%s", refusal->message);
}

/* The rules of the list, by lint's; CRLs were judged before. */
static enum fault_code
judge_list(struct walk *walk, size_t count, bool *ret_right, struct fault *fault)
{
	const struct lint_look_manifest *look = &walk->look;
	struct span content = bytes_span(&walk->authority->manifest);
	struct fault refusal = FAULT_INIT;
	const char *slash = strrchr(walk->authority->crl_uri, '/');
	struct lint_manifest_wanted wanted = {
		.number = look->number, .this_update_at = look->this_update_at, .next_update_at = look->next_update_at,
		.now_at = walk->check->now_at, .entries = count, .crl_name = slash != NULL ? slash + 1 : "", .crl_hash = walk->crl_hash,
	};
	enum fault_code code = lint_manifest_content(content, &wanted, &refusal);
	if (code != FAULT_NONE && code != FAULT_LINT)
		return fault_set(fault, code, "%s", refusal.message);
	*ret_right = code == FAULT_NONE;
	return *ret_right ? FAULT_NONE : diagnose_list(walk, count, &refusal, fault);
}

static enum fault_code
judge_times(struct walk *walk, bool *ret_right, struct fault *fault)
{
	const char *uri = walk->authority->manifest_uri;
	*ret_right = false;
	if (walk->look.next_update_at <= walk->check->now_at)
		return FOUND(walk->check, MANIFEST_STALE, uri, fault, "nextUpdate has passed");
	if (walk->look.this_update_at > walk->check->now_at)
		return FOUND(walk->check, MANIFEST_FUTURE, uri, fault, "thisUpdate lies ahead");
	*ret_right = true;
	return FAULT_NONE;
}

/* RFC 9286 §6.4, §6.5: is each file there, with that hash? Notes that it is listed. */
static enum fault_code
match_files(struct walk *walk, bool *ret_right, struct fault *fault)
{
	struct der_reader entries = walk->look.entries;
	struct span name;
	const uint8_t *hash;
	char uri[CHECK_URI];
	*ret_right = true;
	while (der_reader_more(&entries)) {
		TRY(lint_look_entry(&entries, &name, &hash, fault));
		uri_of(walk->authority, name, uri);
		struct check_entry *entry = check_point_published(walk->check, walk->authority, uri);
		bool crl = strcmp(uri, walk->authority->crl_uri) == 0;
		if (entry != NULL) {
			bool same = memcmp(entry->hash, hash, SHA256_SIZE) == 0;
			*ret_right = *ret_right && same;
			if (!same && !crl)
				TRY(FOUND(walk->check, MANIFEST_HASH, uri, fault, "its hash isn't the one on the manifest"));
		} else {
			*ret_right = false;
			if (!crl)
				TRY(FOUND(walk->check, MANIFEST_FILE, uri, fault, "the manifest lists it, but it isn't there"));
		}
	}
	return FAULT_NONE;
}

static enum fault_code
walk_below(struct check *check, struct check_authority *authority, const char *uri, struct span der, struct fault *fault)
{
	AUTO(struct check_authority, check_authority_free) child = NULL;
	TRY(check_certificate_ca(check, authority, uri, der, &child, fault));
	if (child == NULL)
		return FAULT_NONE;
	if (child->depth > CHECK_DEPTH_MAX)
		return FOUND(check, CERTIFICATE_DEPTH, uri, fault, "more than %d certificates below one another", CHECK_DEPTH_MAX);
	return check_manifest_walk(check, child, fault);
}

static enum fault_code
look_at_file(struct walk *walk, struct span name, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	struct check *check = walk->check;
	char uri[CHECK_URI];
	uri_of(walk->authority, name, uri);
	struct check_entry *entry = check_index_find(&check->index, uri, strlen(uri));
	if (entry == NULL || !entry->published || ends_with(name, ".crl")) {
		if (entry != NULL)
			entry->listed = walk->number;
		return FAULT_NONE;
	}
	if (entry->listed == walk->number)
		return FAULT_NONE;
	if (entry->listed != 0)
		return FOUND(check, OBJECT_TWICE, uri, fault, "two manifests lead to it");
	entry->listed = walk->number;
	if (ends_with(name, ".roa") && walk->authority->known)
		return FAULT_NONE;
	TRY(check_place_object(check, entry, &der, fault));
	if (ends_with(name, ".roa"))
		return check_roa(check, walk->authority, entry->uri, bytes_span(&der), fault);
	if (ends_with(name, ".cer")) {
		walk->authority->parent = true;
		return walk_below(check, walk->authority, entry->uri, bytes_span(&der), fault);
	}
	return FOUND(check, OBJECT_NAME, uri, fault, "a kind of object that isn't issued here");
}

static enum fault_code
look_at_files(struct walk *walk, struct fault *fault)
{
	struct der_reader entries = walk->look.entries;
	struct span name;
	const uint8_t *hash;
	while (der_reader_more(&entries)) {
		TRY(check_go_on(walk->check, fault));
		TRY(lint_look_entry(&entries, &name, &hash, fault));
		TRY(look_at_file(walk, name, fault));
	}
	return FAULT_NONE;
}

/* Reads the manifest and judges it with its CRL. authority->valid stays only if a validator takes it. */
static enum fault_code
judge_manifest(struct walk *walk, struct span der, bool *ret_readable, struct fault *fault)
{
	AUTO_CLEAR(struct check_signed, check_signed_clear) object = CHECK_SIGNED_INIT;
	struct check *check = walk->check;
	struct check_authority *authority = walk->authority;
	struct lint_look_signed outer;
	struct fault refusal = FAULT_INIT;
	bool crl = false, list = false, times = false, files = false;
	size_t count = 0;
	*ret_readable = false;
	/* The CRL comes first: it is found through the content, and the EE's certificate is held against it. */
	enum fault_code code = lint_look_signed(der, &outer, &refusal);
	if (code == FAULT_NONE)
		code = lint_look_manifest(outer.content, &walk->look, &refusal);
	if (code == FAULT_NONE)
		code = count_entries(&walk->look, &count, &refusal);
	if (code == FAULT_LINT)
		return FOUND(check, OBJECT_MALFORMED, authority->manifest_uri, fault, "%s", refusal.message);
	if (code != FAULT_NONE)
		return fault_set(fault, code, "%s", refusal.message);
	TRY(bytes_append(&authority->manifest, outer.content.data, outer.content.length, fault));
	TRY(lint_look_manifest(bytes_span(&authority->manifest), &walk->look, fault));
	TRY(find_crl(walk, outer.certificate, &crl, fault));
	TRY(judge_times(walk, &times, fault));
	if (times) {
		TRY(check_signed(check, authority, authority->manifest_uri, der, true, &object, fault));
		if (crl)
			TRY(judge_list(walk, count, &list, fault));
	}
	TRY(match_files(walk, &files, fault));
	authority->manifest_expires_at = object.not_after_at;
	authority->valid = authority->valid && crl && times && object.right && list && files;
	*ret_readable = true;
	return FAULT_NONE;
}

/* Are all files that it lists there, with those hashes? */
static enum fault_code
has_files(const struct walk *walk, bool *ret_has, struct fault *fault)
{
	struct der_reader entries = walk->look.entries;
	struct span name;
	const uint8_t *hash;
	char uri[CHECK_URI];
	*ret_has = true;
	while (*ret_has && der_reader_more(&entries)) {
		TRY(lint_look_entry(&entries, &name, &hash, fault));
		uri_of(walk->authority, name, uri);
		const struct check_entry *entry = check_point_published(walk->check, walk->authority, uri);
		*ret_has = entry != NULL && memcmp(entry->hash, hash, SHA256_SIZE) == 0;
		if (ends_with(name, ".crl"))
			memcpy(walk->authority->crl_uri, uri, strlen(uri) + 1);
	}
	return FAULT_NONE;
}

/* A manifest that was right before: it is again if all that it lists is as it was. */
static enum fault_code
recall_manifest(struct walk *walk, struct span der, bool *ret_right, struct fault *fault)
{
	struct check_authority *authority = walk->authority;
	struct lint_look_signed outer;
	TRY(lint_look_signed(der, &outer, fault));
	TRY(bytes_append(&authority->manifest, outer.content.data, outer.content.length, fault));
	TRY(lint_look_manifest(bytes_span(&authority->manifest), &walk->look, fault));
	TRY(has_files(walk, ret_right, fault));
	if (!*ret_right)
		bytes_reset(&authority->manifest);
	return FAULT_NONE;
}

/* One that has CAs below it is always judged, as they are. */
static enum fault_code
look_at_manifest(struct walk *walk, struct span der, bool *ret_readable, struct fault *fault)
{
	const struct check_known_ca *ca = walk->authority->valid ? check_recall_ca(walk->check, walk->authority) : NULL;
	bool right = false;
	if (ca != NULL && check_recall_lasts(walk->check, ca))
		TRY(recall_manifest(walk, der, &right, fault));
	if (!right)
		return judge_manifest(walk, der, ret_readable, fault);
	*ret_readable = true;
	return check_recall_products(walk->check, ca, walk->authority, fault);
}

static enum fault_code
remember(struct check *check, const struct check_authority *authority, struct fault *fault)
{
	TRY(memory_reserve(&check->keys, &check->keys_capacity, check->keys_count + 1, sizeof *check->keys, fault));
	memcpy(check->keys[check->keys_count++].identifier, authority->key_identifier, sizeof authority->key_identifier);
	check->report->cas++;
	return FAULT_NONE;
}

enum fault_code
check_manifest_walk(struct check *check, struct check_authority *authority, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	struct walk walk = { .check = check, .authority = authority, .number = ++check->manifests };
	const char *uri = authority->manifest_uri;
	bool readable;
	struct check_entry *entry = check_point_published(check, authority, uri);
	if (entry == NULL)
		return FOUND(check, MANIFEST_MISSING, uri, fault, "it isn't where the CA's certificate says");
	if (entry->listed != 0)
		return FOUND(check, OBJECT_TWICE, uri, fault, "two certificates lead to it");
	entry->listed = walk.number;
	TRY(check_place_object(check, entry, &der, fault));
	TRY(look_at_manifest(&walk, bytes_span(&der), &readable, fault));
	bytes_clear(&der);
	if (!readable)
		return FAULT_NONE;
	int64_t findings = check->report->findings_total;
	TRY(look_at_files(&walk, fault));
	if (authority->valid)
		TRY(remember(check, authority, fault));
	if (authority->valid && check->report->findings_total == findings)
		TRY(check_recall_learn(check, authority, fault));
	return check_database_ca(check, authority, walk.look.number, fault);
}
