#include "ca/der/crl.h"

#include <string.h>

#include "ca/base/memory.h"
#include "ca/der/common_name.h"
#include "ca/der/der_time.h"
#include "ca/der/envelope.h"
#include "ca/der/extension.h"
#include "ca/der/serial.h"
#include "ca/keys/openssl_fault.h"

#define VERSION_2 1

/* An entry (RFC 6487 §5): serial and date. Entry extensions are not allowed, so they have no place. */
struct revoked_certificate {
	ASN1_INTEGER *serial;
	ASN1_TIME *date;
};
typedef struct revoked_certificate revoked_certificate;
DEFINE_STACK_OF(revoked_certificate)

ASN1_SEQUENCE(revoked_certificate) = {
	ASN1_SIMPLE(revoked_certificate, serial, ASN1_INTEGER),
	ASN1_SIMPLE(revoked_certificate, date, ASN1_TIME),
} static_ASN1_SEQUENCE_END(revoked_certificate)

/* TBSCertList (RFC 5280 §5.1) with all that RFC 6487 §5 demands. */
struct tbs_crl {
	int32_t version;
	X509_ALGOR *algorithm;
	common_name *issuer;
	ASN1_TIME *this_update, *next_update;
	STACK_OF(revoked_certificate) *revoked; /* NULL when there are none (RFC 5280 §5.1.2.6) */
	STACK_OF(extension) *extensions;
};
typedef struct tbs_crl tbs_crl;

ASN1_SEQUENCE(tbs_crl) = {
	ASN1_EMBED(tbs_crl, version, INT32),
	ASN1_SIMPLE(tbs_crl, algorithm, X509_ALGOR),
	ASN1_SIMPLE(tbs_crl, issuer, common_name),
	ASN1_SIMPLE(tbs_crl, this_update, ASN1_TIME),
	ASN1_SIMPLE(tbs_crl, next_update, ASN1_TIME),
	ASN1_SEQUENCE_OF_OPT(tbs_crl, revoked, revoked_certificate),
	ASN1_EXP_SEQUENCE_OF(tbs_crl, extensions, extension, 0),
} static_ASN1_SEQUENCE_END(tbs_crl)
TEMPLATE_TYPE(tbs_crl)

SCOPED(ASN1_INTEGER, ASN1_INTEGER_free)

static int
compare_revocations(const void *a, const void *b)
{
	const struct revocation *const *left = a, *const *right = b;
	return serial_compare(&(*left)->serial, &(*right)->serial);
}

/* Pointers to the entries, sorted by serial. Faults: `code` when a serial is there twice, MEMORY. */
static enum fault_code
sort_revocations(const struct revocation *revocations, size_t count, enum fault_code code, const struct revocation ***ret_sorted,
	struct fault *fault)
{
	AUTO(const struct revocation *, free) sorted = NULL;
	TRY(memory_new(count, sizeof(struct revocation *), &sorted, fault));
	for (size_t i = 0; i < count; i++)
		sorted[i] = &revocations[i];
	qsort(sorted, count, sizeof sorted[0], compare_revocations);
	for (size_t i = 1; i < count; i++)
		if (serial_compare(&sorted[i - 1]->serial, &sorted[i]->serial) == 0)
			return fault_set(fault, code, "a serial number is on the CRL twice");
	*ret_sorted = MOVE(sorted);
	return FAULT_NONE;
}

static enum fault_code
check_fields(const struct crl_fields *fields, struct fault *fault)
{
	if (fields->revocations_count > CRL_REVOCATIONS_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "a CRL of %zu entries, %d at most", fields->revocations_count,
			CRL_REVOCATIONS_MAX);
	/* RFC 5280 §5.1.2.5 */
	if (fields->this_update_at >= fields->next_update_at)
		return fault_set(fault, FAULT_INVALID, "a CRL whose nextUpdate is not after its thisUpdate");
	for (size_t i = 0; i < fields->revocations_count; i++)
		if (fields->revocations[i].revoked_at > fields->this_update_at)
			return fault_set(fault, FAULT_INVALID, "a CRL that revokes a certificate after its own thisUpdate");
	return FAULT_NONE;
}

static enum fault_code
set_revocations(tbs_crl *tbs, const struct crl_fields *fields, struct fault *fault)
{
	AUTO(const struct revocation *, free) sorted = NULL;
	if (fields->revocations_count == 0)
		return FAULT_NONE;
	TRY(sort_revocations(fields->revocations, fields->revocations_count, FAULT_INVALID, &sorted, fault));
	tbs->revoked = sk_revoked_certificate_new_null();
	if (tbs->revoked == NULL)
		return openssl_fault_set(fault, FAULT_MEMORY, "building a CRL");
	for (size_t i = 0; i < fields->revocations_count; i++) {
		revoked_certificate *entry = NULL;
		TRY(template_append(tbs->revoked, ASN1_ITEM_rptr(revoked_certificate), &entry, fault));
		TRY(serial_set(entry->serial, &sorted[i]->serial, fault));
		TRY(der_time_set(entry->date, sorted[i]->revoked_at, fault));
	}
	return FAULT_NONE;
}

/* RFC 6487 §5 and RFC 9829: AuthorityKeyIdentifier and CRLNumber, both non-critical, and no others. */
static enum fault_code
set_extensions(tbs_crl *tbs, const struct crl_fields *fields, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) key = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) number = BYTES_INIT;
	AUTO(ASN1_INTEGER, ASN1_INTEGER_free) integer = NULL;
	TRY(extension_encode_authority_key(fields->authority_key, &key, fault));
	TRY(template_new(ASN1_ITEM_rptr(ASN1_INTEGER), &integer, fault));
	if (ASN1_INTEGER_set_uint64(integer, fields->number) != 1)
		return openssl_fault_set(fault, FAULT_MEMORY, "building a CRL");
	TRY(template_encode(integer, ASN1_ITEM_rptr(ASN1_INTEGER), &number, fault));
	TRY(extension_append(tbs->extensions, NID_authority_key_identifier, false, bytes_span(&key), fault));
	return extension_append(tbs->extensions, NID_crl_number, false, bytes_span(&number), fault);
}

enum fault_code
crl_encode_tbs(const struct crl_fields *fields, struct bytes *ret_tbs, struct fault *fault)
{
	TRY(check_fields(fields, fault));
	AUTO(tbs_crl, tbs_crl_free) tbs = NULL;
	TRY(template_new(ASN1_ITEM_rptr(tbs_crl), &tbs, fault));
	tbs->version = VERSION_2;
	TRY(template_set_algorithm(tbs->algorithm, NID_sha256WithRSAEncryption, fault));
	TRY(common_name_set(tbs->issuer, fields->issuer, fault));
	TRY(der_time_set(tbs->this_update, fields->this_update_at, fault));
	TRY(der_time_set(tbs->next_update, fields->next_update_at, fault));
	TRY(set_revocations(tbs, fields, fault));
	TRY(set_extensions(tbs, fields, fault));
	return template_encode(tbs, ASN1_ITEM_rptr(tbs_crl), ret_tbs, fault);
}

static enum fault_code
read_number(struct span value, uint64_t *ret_number, struct fault *fault)
{
	AUTO(ASN1_INTEGER, ASN1_INTEGER_free) integer = NULL;
	TRY(template_decode(value, ASN1_ITEM_rptr(ASN1_INTEGER), "CRLNumber", &integer, fault));
	if (ASN1_INTEGER_get_uint64(ret_number, integer) != 1)
		return openssl_fault_set(fault, FAULT_MALFORMED, "CRLNumber is negative or beyond 64 bits");
	return FAULT_NONE;
}

static enum fault_code
read_extensions(const STACK_OF(extension) *extensions, struct crl *crl, struct fault *fault)
{
	bool key_seen = false, number_seen = false;
	for (int i = 0; i < sk_extension_num(extensions); i++) {
		const extension *found = sk_extension_value(extensions, i);
		int nid = OBJ_obj2nid(found->id);
		bool *seen = nid == NID_authority_key_identifier ? &key_seen : nid == NID_crl_number ? &number_seen : NULL;
		if (seen == NULL || *seen || found->critical != 0)
			return fault_set(fault, FAULT_MALFORMED,
				"an extension that a CRL can't have, has twice or has as critical (RFC 6487 §5)");
		*seen = true;
		if (seen == &key_seen)
			TRY(extension_decode_authority_key(template_octets(found->value), crl->authority_key, fault));
		else
			TRY(read_number(template_octets(found->value), &crl->number, fault));
	}
	if (!key_seen || !number_seen)
		return fault_set(fault, FAULT_MALFORMED, "a CRL without AuthorityKeyIdentifier or CRLNumber (RFC 6487 §5)");
	return FAULT_NONE;
}

static enum fault_code
read_revocations(const STACK_OF(revoked_certificate) *revoked, struct crl *crl, struct fault *fault)
{
	if (revoked == NULL)
		return FAULT_NONE;
	size_t count = (size_t)sk_revoked_certificate_num(revoked);
	if (count == 0)
		return fault_set(fault, FAULT_MALFORMED, "a CRL with an empty list (RFC 5280 §5.1.2.6)");
	if (count > CRL_REVOCATIONS_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "a CRL of %zu entries, %d at most", count, CRL_REVOCATIONS_MAX);
	TRY(memory_new(count, sizeof *crl->revocations, &crl->revocations, fault));
	for (size_t i = 0; i < count; i++) {
		const revoked_certificate *entry = sk_revoked_certificate_value(revoked, (int)i);
		struct revocation *revocation = &crl->revocations[i];
		TRY(serial_get(entry->serial, &revocation->serial, fault));
		TRY(der_time_get(entry->date, "revocationDate", &revocation->revoked_at, fault));
		if (revocation->revoked_at > crl->this_update_at)
			return fault_set(fault, FAULT_MALFORMED, "a CRL that revokes a certificate after its own thisUpdate");
	}
	crl->revocations_count = count;
	AUTO(const struct revocation *, free) sorted = NULL;
	return sort_revocations(crl->revocations, count, FAULT_MALFORMED, &sorted, fault);
}

static enum fault_code
read_tbs(tbs_crl *tbs, struct crl *crl, struct fault *fault)
{
	if (tbs->version != VERSION_2)
		return fault_set(fault, FAULT_MALFORMED, "a CRL that is not version 2 (RFC 6487 §5)");
	TRY(template_check_algorithm(tbs->algorithm, NID_sha256WithRSAEncryption, "the signature algorithm", fault));
	TRY(common_name_get(tbs->issuer, "the issuer", &crl->issuer, fault));
	TRY(der_time_get(tbs->this_update, "thisUpdate", &crl->this_update_at, fault));
	TRY(der_time_get(tbs->next_update, "nextUpdate", &crl->next_update_at, fault));
	if (crl->this_update_at >= crl->next_update_at)
		return fault_set(fault, FAULT_MALFORMED, "a CRL whose nextUpdate is not after its thisUpdate");
	TRY(read_extensions(tbs->extensions, crl, fault));
	return read_revocations(tbs->revoked, crl, fault);
}

enum fault_code
crl_decode(struct span der, struct crl *ret_crl, struct fault *fault)
{
	AUTO(envelope, envelope_free) whole = NULL;
	AUTO(tbs_crl, tbs_crl_free) tbs = NULL;
	AUTO_CLEAR(struct crl, crl_clear) crl = CRL_INIT;
	TRY(envelope_decode(der, "CRL", &whole, fault));
	TRY(template_decode(envelope_content(whole), ASN1_ITEM_rptr(tbs_crl), "TBSCertList", &tbs, fault));
	TRY(read_tbs(tbs, &crl, fault));
	struct crl before = *ret_crl;
	*ret_crl = crl;
	crl = before;
	return FAULT_NONE;
}

void
crl_clear(struct crl *crl)
{
	free(crl->issuer);
	free(crl->revocations);
	*crl = CRL_INIT;
}
