#include "ca/der/manifest.h"

#include <string.h>

#include "ca/base/memory.h"
#include "ca/der/der_time.h"
#include "ca/der/template.h"

#define EXTENSION_LENGTH 3 /* of a file name */

/* RFC 9286 §4.2. The version is 0 and so never there. */
struct file_and_hash {
	ASN1_IA5STRING *file;
	ASN1_BIT_STRING *hash;
};
typedef struct file_and_hash file_and_hash;
DEFINE_STACK_OF(file_and_hash)

ASN1_SEQUENCE(file_and_hash) = {
	ASN1_SIMPLE(file_and_hash, file, ASN1_IA5STRING),
	ASN1_SIMPLE(file_and_hash, hash, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(file_and_hash)

struct manifest_content {
	uint64_t number;
	ASN1_GENERALIZEDTIME *this_update, *next_update;
	ASN1_OBJECT *algorithm;
	STACK_OF(file_and_hash) *files;
};
typedef struct manifest_content manifest_content;

ASN1_SEQUENCE(manifest_content) = {
	ASN1_EMBED(manifest_content, number, UINT64),
	ASN1_SIMPLE(manifest_content, this_update, ASN1_GENERALIZEDTIME),
	ASN1_SIMPLE(manifest_content, next_update, ASN1_GENERALIZEDTIME),
	ASN1_SIMPLE(manifest_content, algorithm, ASN1_OBJECT),
	ASN1_SEQUENCE_OF(manifest_content, files, file_and_hash),
} static_ASN1_SEQUENCE_END(manifest_content)
TEMPLATE_TYPE(manifest_content)

/* RFC 9286 §4.2.2: [A-Za-z0-9_-]+ "." [a-z]{3} */
static bool
name_is_good(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	size_t stem = strspn(name, first);
	return stem > 0 && name[stem] == '.' && strspn(name + stem + 1, letters) == EXTENSION_LENGTH &&
		name[stem + 1 + EXTENSION_LENGTH] == '\0';
}

static int
compare_names(const void *a, const void *b)
{
	const struct manifest_entry *const *left = a, *const *right = b;
	return strcmp((*left)->name, (*right)->name);
}

static int
compare_hashes(const void *a, const void *b)
{
	const struct manifest_entry *const *left = a, *const *right = b;
	return memcmp((*left)->hash, (*right)->hash, SHA256_SIZE);
}

static const struct manifest_entry *
find_pair(const struct manifest_entry **entries, size_t count, int (*compare)(const void *, const void *))
{
	qsort(entries, count, sizeof entries[0], compare);
	for (size_t i = 1; i < count; i++)
		if (compare(&entries[i - 1], &entries[i]) == 0)
			return entries[i];
	return NULL;
}

/* Checks the entries and gives pointers to them, sorted by name. Faults: `code`, TOO_LARGE, MEMORY. */
static enum fault_code
sort_entries(const struct manifest_entry *entries, size_t count, enum fault_code code, const struct manifest_entry ***ret_sorted,
	struct fault *fault)
{
	AUTO(const struct manifest_entry *, free) sorted = NULL;
	/* RFC 9286 §4.2.2: the CRL at least. */
	if (count == 0)
		return fault_set(fault, code, "a manifest that lists nothing");
	if (count > MANIFEST_ENTRIES_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "a manifest of %zu entries, %d at most", count, MANIFEST_ENTRIES_MAX);
	TRY(memory_new(count, sizeof(struct manifest_entry *), &sorted, fault));
	for (size_t i = 0; i < count; i++) {
		if (memchr(entries[i].name, '\0', OBJECT_NAME_MAX) == NULL || !name_is_good(entries[i].name))
			return fault_set(fault, code, "a file name of entry %zu that a manifest can't have (RFC 9286 §4.2.2)", i);
		sorted[i] = &entries[i];
	}
	/* Equal bytes under two names make rpki-client refuse the whole manifest. */
	const struct manifest_entry *twice = find_pair(sorted, count, compare_hashes);
	if (twice != NULL)
		return fault_set(fault, code, "the contents of %s are on the manifest twice", twice->name);
	twice = find_pair(sorted, count, compare_names);
	if (twice != NULL)
		return fault_set(fault, code, "%s is on the manifest twice", twice->name);
	*ret_sorted = MOVE(sorted);
	return FAULT_NONE;
}

static enum fault_code
check_size(size_t length, struct fault *fault)
{
	if (length > MANIFEST_SIZE_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "a manifest of %zu bytes, %d at most", length, MANIFEST_SIZE_MAX);
	return FAULT_NONE;
}

enum fault_code
manifest_encode(const struct manifest_fields *fields, struct bytes *ret_content, struct fault *fault)
{
	AUTO(const struct manifest_entry *, free) sorted = NULL;
	AUTO(manifest_content, manifest_content_free) content = NULL;
	/* RFC 9286 §4.2.1 */
	if (fields->this_update_at >= fields->next_update_at)
		return fault_set(fault, FAULT_INVALID, "a manifest whose nextUpdate is not after its thisUpdate");
	TRY(sort_entries(fields->entries, fields->entries_count, FAULT_INVALID, &sorted, fault));
	TRY(template_new(ASN1_ITEM_rptr(manifest_content), &content, fault));
	content->number = fields->number;
	TRY(der_time_set_generalized(content->this_update, fields->this_update_at, fault));
	TRY(der_time_set_generalized(content->next_update, fields->next_update_at, fault));
	template_set_object(&content->algorithm, NID_sha256);
	for (size_t i = 0; i < fields->entries_count; i++) {
		file_and_hash *entry = NULL;
		TRY(template_append(content->files, ASN1_ITEM_rptr(file_and_hash), &entry, fault));
		TRY(template_set_octets(entry->file, sorted[i]->name, strlen(sorted[i]->name), fault));
		TRY(template_set_bits(entry->hash, sorted[i]->hash, 8 * SHA256_SIZE, fault));
	}
	AUTO_CLEAR(struct bytes, bytes_clear) encoded = BYTES_INIT;
	TRY(template_encode(content, ASN1_ITEM_rptr(manifest_content), &encoded, fault));
	TRY(check_size(encoded.length, fault));
	bytes_swap(ret_content, &encoded);
	return FAULT_NONE;
}

static enum fault_code
read_entry(const file_and_hash *file, struct manifest_entry *ret_entry, struct fault *fault)
{
	struct span name = template_octets(file->file), hash = template_octets(file->hash);
	if (name.length == 0 || name.length >= OBJECT_NAME_MAX || memchr(name.data, '\0', name.length) != NULL)
		return fault_set(fault, FAULT_MALFORMED, "a file name of %zu characters on a manifest", name.length);
	if (template_bits(file->hash) != 8 * SHA256_SIZE)
		return fault_set(fault, FAULT_MALFORMED, "a hash of %zu bits on a manifest", template_bits(file->hash));
	memcpy(ret_entry->name, name.data, name.length);
	ret_entry->name[name.length] = '\0';
	memcpy(ret_entry->hash, hash.data, SHA256_SIZE);
	return FAULT_NONE;
}

static enum fault_code
read_entries(const STACK_OF(file_and_hash) *files, struct manifest *manifest, struct fault *fault)
{
	size_t count = (size_t)sk_file_and_hash_num(files);
	if (count > MANIFEST_ENTRIES_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "a manifest of %zu entries, %d at most", count, MANIFEST_ENTRIES_MAX);
	TRY(memory_new(count, sizeof *manifest->entries, &manifest->entries, fault));
	for (size_t i = 0; i < count; i++)
		TRY(read_entry(sk_file_and_hash_value(files, (int)i), &manifest->entries[i], fault));
	manifest->entries_count = count;
	AUTO(const struct manifest_entry *, free) sorted = NULL;
	return sort_entries(manifest->entries, count, FAULT_MALFORMED, &sorted, fault);
}

enum fault_code
manifest_decode(struct span content, struct manifest *ret_manifest, struct fault *fault)
{
	AUTO(manifest_content, manifest_content_free) decoded = NULL;
	AUTO_CLEAR(struct manifest, manifest_clear) manifest = MANIFEST_INIT;
	TRY(check_size(content.length, fault));
	TRY(template_decode(content, ASN1_ITEM_rptr(manifest_content), "manifest", &decoded, fault));
	/* RFC 9286 §4.2.1: SHA-256 by RFC 7935 §2 */
	if (OBJ_obj2nid(decoded->algorithm) != NID_sha256)
		return fault_set(fault, FAULT_MALFORMED, "a manifest whose fileHashAlg is not SHA-256");
	manifest.number = decoded->number;
	TRY(der_time_get_generalized(decoded->this_update, "thisUpdate", &manifest.this_update_at, fault));
	TRY(der_time_get_generalized(decoded->next_update, "nextUpdate", &manifest.next_update_at, fault));
	if (manifest.this_update_at >= manifest.next_update_at)
		return fault_set(fault, FAULT_MALFORMED, "a manifest whose nextUpdate is not after its thisUpdate");
	TRY(read_entries(decoded->files, &manifest, fault));
	struct manifest before = *ret_manifest;
	*ret_manifest = manifest;
	manifest = before;
	return FAULT_NONE;
}

void
manifest_clear(struct manifest *manifest)
{
	free(manifest->entries);
	*manifest = MANIFEST_INIT;
}
