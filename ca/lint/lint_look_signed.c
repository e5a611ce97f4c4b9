/* Signed objects, manifests and ROAs: what they say. */
#include <stdlib.h>
#include <string.h>

#include "ca/base/memory.h"
#include "ca/lint/lint_internal.h"
#include "ca/lint/lint_look.h"

#define OBJECT "RFC 6488 §2: SignedData"
#define SIGNER "RFC 6488 §2.1.6: signerInfos"
#define FILES "RFC 9286 §4.2.1: fileList"
#define ROA "RFC 9582 §4: RouteOriginAttestation"

/* EncapsulatedContentInfo. */
static enum fault_code
content_look(struct der_reader *data, struct lint_look_signed *look, struct fault *fault)
{
	static const char what[] = "RFC 6488 §2.1.3: encapContentInfo";
	struct der_reader info, explicit;
	struct der_element oid, content;
	TRY(der_reader_enter(data, DER_SEQUENCE, what, &info, fault));
	TRY(der_reader_take(&info, DER_OBJECT_IDENTIFIER, what, &oid, fault));
	look->manifest = lint_oid_is(oid.contents, LINT_OID_MANIFEST);
	look->roa = lint_oid_is(oid.contents, LINT_OID_ROA);
	TRY(der_reader_enter(&info, DER_CONTEXT_CONSTRUCTED(0), what, &explicit, fault));
	TRY(der_reader_take(&explicit, DER_OCTET_STRING, what, &content, fault));
	look->content = content.contents;
	return FAULT_NONE;
}

static enum fault_code
attribute_look(struct der_reader *attributes, struct lint_look_signed *look, struct fault *fault)
{
	static const char what[] = "RFC 6488 §2.1.6.4: signedAttrs";
	struct der_reader attribute, values;
	struct der_element oid, digest;
	TRY(der_reader_enter(attributes, DER_SEQUENCE, what, &attribute, fault));
	TRY(der_reader_take(&attribute, DER_OBJECT_IDENTIFIER, what, &oid, fault));
	TRY(der_reader_enter(&attribute, DER_SET, what, &values, fault));
	if (lint_oid_is(oid.contents, LINT_OID_MESSAGE_DIGEST)) {
		TRY(der_reader_take(&values, DER_OCTET_STRING, what, &digest, fault));
		look->digest = digest.contents;
	}
	if (lint_oid_is(oid.contents, LINT_OID_SIGNING_TIME))
		TRY(der_reader_time(&values, "RFC 9589 §4: signing-time", &look->signing_time_at, fault));
	return FAULT_NONE;
}

/* The first SignerInfo: version, sid, digestAlgorithm, signedAttrs, signatureAlgorithm, signature. */
static enum fault_code
signer_look(struct der_reader *data, struct lint_look_signed *look, struct fault *fault)
{
	struct der_reader infos, signer, attributes;
	struct der_element element, signature;
	uint64_t version;
	TRY(der_reader_enter(data, DER_SET, SIGNER, &infos, fault));
	TRY(der_reader_enter(&infos, DER_SEQUENCE, SIGNER, &signer, fault));
	TRY(der_reader_unsigned(&signer, SIGNER, UINT64_MAX, &version, fault));
	TRY(der_reader_take(&signer, DER_CONTEXT(0), "RFC 6488 §2.1.6.2: sid", &element, fault));
	TRY(der_reader_take(&signer, DER_SEQUENCE, "RFC 6488 §2.1.6.3: digestAlgorithm", &element, fault));
	if (der_reader_next_is(&signer, DER_CONTEXT_CONSTRUCTED(0))) {
		struct der_reader here = signer;
		TRY(der_reader_take(&here, DER_CONTEXT_CONSTRUCTED(0), SIGNER, &element, fault));
		look->attributes = element.whole;
		TRY(der_reader_enter(&signer, DER_CONTEXT_CONSTRUCTED(0), SIGNER, &attributes, fault));
		while (der_reader_more(&attributes))
			TRY(attribute_look(&attributes, look, fault));
	}
	TRY(der_reader_take(&signer, DER_SEQUENCE, "RFC 6488 §2.1.6.5: signatureAlgorithm", &element, fault));
	TRY(der_reader_take(&signer, DER_OCTET_STRING, "RFC 6488 §2.1.6.6: signature", &signature, fault));
	look->signature = signature.contents;
	return FAULT_NONE;
}

enum fault_code
lint_look_signed(struct span der, struct lint_look_signed *ret_look, struct fault *fault)
{
	struct lint_look_signed look = { .manifest = false };
	struct der_reader reader, info, explicit, data, certificates;
	struct der_element element;
	uint64_t version;
	TRY(der_reader_walk(der, OBJECT, fault));
	TRY(der_reader_open(der, OBJECT, &reader, fault));
	TRY(der_reader_enter(&reader, DER_SEQUENCE, OBJECT, &info, fault));
	TRY(lint_oid_read(&info, LINT_OID_SIGNED_DATA, "RFC 6488 §2.1: contentType", fault));
	TRY(der_reader_enter(&info, DER_CONTEXT_CONSTRUCTED(0), OBJECT, &explicit, fault));
	TRY(der_reader_enter(&explicit, DER_SEQUENCE, OBJECT, &data, fault));
	TRY(der_reader_unsigned(&data, "RFC 6488 §2.1.1: version", UINT64_MAX, &version, fault));
	TRY(der_reader_take(&data, DER_SET, "RFC 6488 §2.1.2: digestAlgorithms", &element, fault));
	TRY(content_look(&data, &look, fault));
	TRY(der_reader_enter(&data, DER_CONTEXT_CONSTRUCTED(0), "RFC 6488 §2.1.4: certificates", &certificates, fault));
	TRY(der_reader_take(&certificates, DER_SEQUENCE, "RFC 6488 §2.1.4: certificates", &element, fault));
	look.certificate = element.whole;
	if (der_reader_next_is(&data, DER_CONTEXT_CONSTRUCTED(1)))
		TRY(der_reader_take(&data, DER_CONTEXT_CONSTRUCTED(1), "RFC 6488 §2.1.5: crls", &element, fault));
	TRY(signer_look(&data, &look, fault));
	*ret_look = look;
	return FAULT_NONE;
}

enum fault_code
lint_look_manifest(struct span content, struct lint_look_manifest *ret_look, struct fault *fault)
{
	struct lint_manifest manifest;
	TRY(lint_manifest_read(content, &manifest, fault));
	*ret_look = (struct lint_look_manifest){ .number = manifest.number, .this_update_at = manifest.this_update_at,
		.next_update_at = manifest.next_update_at, .entries = manifest.rest };
	return FAULT_NONE;
}

enum fault_code
lint_look_entry(struct der_reader *entries, struct span *ret_name, const uint8_t **ret_hash, struct fault *fault)
{
	struct der_reader entry;
	struct der_element name;
	struct der_bits hash;
	TRY(der_reader_enter(entries, DER_SEQUENCE, FILES, &entry, fault));
	TRY(der_reader_take(&entry, DER_IA5_STRING, "RFC 9286 §4.2.2: file", &name, fault));
	TRY(der_reader_bits(&entry, "RFC 9286 §4.2.1: hash", &hash, fault));
	TRY(LINT_RULE(hash.count == 8 * (size_t)SHA256_SIZE, fault, "RFC 9286 §4.2.1: hash hasn't 256 bits"));
	*ret_name = name.contents;
	*ret_hash = hash.octets.data;
	return FAULT_NONE;
}

struct roa_look {
	struct payload *items;
	size_t count, capacity;
};

static enum fault_code
address_look(struct der_reader *addresses, uint32_t asn, enum address_family family, struct roa_look *look, struct fault *fault)
{
	struct der_reader address;
	struct payload payload = { .asn = asn };
	uint64_t max_length;
	TRY(der_reader_enter(addresses, DER_SEQUENCE, ROA, &address, fault));
	TRY(lint_resources_prefix(&address, family, "RFC 9582 §4.3.2.1: address", &payload.prefix, fault));
	payload.max_length = payload.prefix.length;
	if (der_reader_more(&address)) {
		TRY(der_reader_unsigned(&address, "RFC 9582 §4.3.2.2: maxLength", family_bits(family), &max_length, fault));
		payload.max_length = (uint8_t)max_length;
	}
	TRY(LINT_RULE(look->count < LINT_ROA_PREFIXES_MAX, fault, ROA " has more than our limit of %d prefixes",
		LINT_ROA_PREFIXES_MAX));
	TRY(memory_reserve(&look->items, &look->capacity, look->count + 1, sizeof *look->items, fault));
	look->items[look->count++] = payload;
	return FAULT_NONE;
}

static enum fault_code
blocks_look(struct der_reader *blocks, uint32_t asn, struct roa_look *look, struct fault *fault)
{
	struct der_reader inner, addresses;
	enum address_family family;
	while (der_reader_more(blocks)) {
		TRY(der_reader_enter(blocks, DER_SEQUENCE, ROA, &inner, fault));
		TRY(lint_resources_family(&inner, "RFC 9582 §4.3.1: ROAIPAddressFamily", &family, fault));
		TRY(der_reader_enter(&inner, DER_SEQUENCE, ROA, &addresses, fault));
		while (der_reader_more(&addresses))
			TRY(address_look(&addresses, asn, family, look, fault));
	}
	return FAULT_NONE;
}

enum fault_code
lint_look_roa(struct span content, struct payload **ret_payloads, size_t *ret_count, struct fault *fault)
{
	struct roa_look look = { .items = NULL };
	struct der_reader reader, fields, blocks;
	uint64_t asn;
	TRY(der_reader_open(content, ROA, &reader, fault));
	TRY(der_reader_enter(&reader, DER_SEQUENCE, ROA, &fields, fault));
	TRY(LINT_RULE(!der_reader_next_is(&fields, DER_CONTEXT_CONSTRUCTED(0)), fault,
		"RFC 9582 §4.1: version is there, must be left out"));
	TRY(der_reader_unsigned(&fields, "RFC 9582 §4.2: asID", ASN_MAX, &asn, fault));
	TRY(der_reader_enter(&fields, DER_SEQUENCE, ROA, &blocks, fault));
	enum fault_code code = blocks_look(&blocks, (uint32_t)asn, &look, fault);
	if (code != FAULT_NONE) {
		free(look.items);
		return code;
	}
	*ret_payloads = look.items;
	*ret_count = look.count;
	return FAULT_NONE;
}

enum fault_code
lint_look_verify_signed(const struct lint_look_signed *look, struct span spki, bool *ret_verified, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) message = BYTES_INIT;
	static const uint8_t set = DER_SET;
	if (look->attributes.data == NULL)
		return lint_look_verify(spki, look->content, look->signature, ret_verified, fault);
	TRY(bytes_append(&message, &set, 1, fault));
	TRY(bytes_append(&message, look->attributes.data + 1, look->attributes.length - 1, fault));
	return lint_look_verify(spki, bytes_span(&message), look->signature, ret_verified, fault);
}
