/* The eContent of a manifest, RFC 9286 §4.2. */
#include <stdlib.h>
#include <string.h>

#include "ca/base/memory.h"
#include "ca/base/scope.h"
#include "ca/lint/lint_internal.h"

#define CONTENT "RFC 9286 §4.2: Manifest"
#define FILES "RFC 9286 §4.2.1: fileList"

enum fault_code
lint_manifest_read(struct span content, struct lint_manifest *ret_manifest, struct fault *fault)
{
	struct der_reader reader, fields;
	struct lint_manifest manifest;
	TRY(der_reader_open(content, CONTENT, &reader, fault));
	TRY(der_reader_enter(&reader, DER_SEQUENCE, CONTENT, &fields, fault));
	TRY(der_reader_end(&reader, CONTENT, fault));
	/* X.690 §11.5: version is DEFAULT 0. */
	TRY(LINT_RULE(!der_reader_next_is(&fields, DER_CONTEXT_CONSTRUCTED(0)), fault,
		"RFC 9286 §4.2.1: version is there, must be left out"));
	TRY(der_reader_unsigned(&fields, "RFC 9286 §4.2.1: manifestNumber", UINT64_MAX, &manifest.number, fault));
	TRY(der_reader_generalized_time(&fields, "RFC 9286 §4.2.1: thisUpdate", &manifest.this_update_at, fault));
	TRY(der_reader_generalized_time(&fields, "RFC 9286 §4.2.1: nextUpdate", &manifest.next_update_at, fault));
	TRY(lint_oid_read(&fields, LINT_OID_SHA256, "RFC 9286 §4.2.1: fileHashAlg", fault));
	TRY(der_reader_enter(&fields, DER_SEQUENCE, FILES, &manifest.rest, fault));
	TRY(der_reader_end(&fields, CONTENT, fault));
	*ret_manifest = manifest;
	return FAULT_NONE;
}

static enum fault_code
head_check(const struct lint_manifest *manifest, const struct lint_manifest_wanted *wanted, struct fault *fault)
{
	TRY(LINT_RULE(manifest->number == wanted->number, fault, "RFC 9286 §4.2.1: manifestNumber isn't the one meant"));
	TRY(LINT_RULE(manifest->this_update_at == wanted->this_update_at, fault,
		"RFC 9286 §4.2.1: thisUpdate isn't the one meant"));
	TRY(LINT_RULE(manifest->next_update_at == wanted->next_update_at, fault,
		"RFC 9286 §4.2.1: nextUpdate isn't the one meant"));
	TRY(LINT_RULE(manifest->this_update_at <= wanted->now_at, fault, "RFC 9286 §4.2.1: thisUpdate lies ahead"));
	return LINT_RULE(manifest->next_update_at > wanted->now_at, fault, "RFC 9286 §4.2.1: nextUpdate has passed");
}

/* FileAndHash ::= SEQUENCE { file IA5String, hash BIT STRING } */
static enum fault_code
entry_read(struct der_reader *entries, struct span *ret_name, const uint8_t **ret_hash, struct fault *fault)
{
	struct der_reader entry;
	struct der_element name;
	struct der_bits hash;
	TRY(der_reader_enter(entries, DER_SEQUENCE, FILES, &entry, fault));
	TRY(der_reader_take(&entry, DER_IA5_STRING, "RFC 9286 §4.2.2: file", &name, fault));
	TRY(LINT_RULE(lint_name_is(name.contents, LINT_NAME_LISTED), fault,
		"RFC 9286 §4.2.2: file isn't a name that may be listed"));
	TRY(der_reader_bits(&entry, "RFC 9286 §4.2.1: hash", &hash, fault));
	TRY(LINT_RULE(hash.count == 8 * (size_t)SHA256_SIZE, fault, "RFC 9286 §4.2.1: hash hasn't 256 bits"));
	TRY(der_reader_end(&entry, FILES, fault));
	*ret_name = name.contents;
	*ret_hash = hash.octets.data;
	return FAULT_NONE;
}

/* RFC 9286 §4.2.1 and §6.2: exactly one CRL, the one that was issued together with this manifest. */
static enum fault_code
crl_check(struct span name, const uint8_t *hash, const struct lint_manifest_wanted *wanted, size_t *crls, struct fault *fault)
{
	if (!lint_name_is(name, LINT_NAME_CRL))
		return FAULT_NONE;
	++*crls;
	TRY(LINT_RULE(*crls == 1, fault, FILES " has more than one CRL"));
	TRY(LINT_RULE(lint_name_is_text(name, wanted->crl_name), fault, FILES " has another CRL than the CA's"));
	return LINT_RULE(memcmp(hash, wanted->crl_hash, SHA256_SIZE) == 0, fault, FILES " has another hash than the CRL's");
}

static int
name_compare(struct span a, struct span b)
{
	size_t common = a.length < b.length ? a.length : b.length;
	int order = memcmp(a.data, b.data, common);
	return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

static int
hash_compare(const void *a, const void *b)
{
	return memcmp(*(const uint8_t *const *)a, *(const uint8_t *const *)b, SHA256_SIZE);
}

/* rpki-client 9 refuses a manifest on which one content stands under two names. */
static enum fault_code
hashes_check(const uint8_t **hashes, size_t count, struct fault *fault)
{
	qsort(hashes, count, sizeof *hashes, hash_compare);
	for (size_t i = 1; i < count; i++)
		TRY(LINT_RULE(memcmp(hashes[i - 1], hashes[i], SHA256_SIZE) != 0, fault,
			FILES " has one hash twice, which rpki-client refuses"));
	return FAULT_NONE;
}

static enum fault_code
entries_check(struct der_reader *entries, const struct lint_manifest_wanted *wanted, struct fault *fault)
{
	AUTO(const uint8_t *, free) hashes = NULL;
	struct span name, previous = SPAN("", 0);
	size_t count = 0, crls = 0;
	TRY(LINT_RULE(wanted->entries <= LINT_MANIFEST_ENTRIES_MAX, fault, FILES " is meant to have more than %d entries",
		LINT_MANIFEST_ENTRIES_MAX));
	TRY(memory_new(wanted->entries, sizeof *hashes, &hashes, fault));
	for (; der_reader_more(entries); count++) {
		TRY(LINT_RULE(count < wanted->entries, fault, FILES " has more than the %zu entries meant", wanted->entries));
		TRY(entry_read(entries, &name, &hashes[count], fault));
		TRY(LINT_RULE(name_compare(previous, name) < 0, fault, FILES " isn't each name once in ascending order"));
		TRY(crl_check(name, hashes[count], wanted, &crls, fault));
		previous = name;
	}
	TRY(LINT_RULE(count == wanted->entries, fault, FILES " has %zu entries where %zu are meant", count, wanted->entries));
	TRY(LINT_RULE(crls == 1, fault, FILES " has no CRL"));
	return hashes_check(hashes, count, fault);
}

enum fault_code
lint_manifest_content(struct span content, const struct lint_manifest_wanted *wanted, struct fault *fault)
{
	struct lint_manifest manifest;
	TRY(lint_manifest_read(content, &manifest, fault));
	TRY(head_check(&manifest, wanted, fault));
	return entries_check(&manifest.rest, wanted, fault);
}
