/* TBSCertList, RFC 6487 §5 as RFC 9829 has it. */
#include <string.h>

#include "ca/lint/lint_internal.h"

#define CRL "RFC 6487 §5: TBSCertList"
#define ENTRY "RFC 6487 §5: revokedCertificates"

/* Positive numbers without superfluous octets, but with the zero octet in front of a leading one bit. */
static int
serial_compare(struct span a, struct span b)
{
	size_t skip_a = a.data[0] == 0, skip_b = b.data[0] == 0;
	size_t length_a = a.length - skip_a, length_b = b.length - skip_b;
	if (length_a != length_b)
		return length_a < length_b ? -1 : 1;
	return memcmp(a.data + skip_a, b.data + skip_b, length_a);
}

/* SEQUENCE { userCertificate, revocationDate }; crlEntryExtensions must not be there. */
static enum fault_code
entry_read(struct der_reader *entries, int64_t this_update_at, struct span *ret_serial, struct fault *fault)
{
	struct der_reader entry;
	int64_t revoked_at;
	TRY(der_reader_enter(entries, DER_SEQUENCE, ENTRY, &entry, fault));
	TRY(lint_certificate_serial(&entry, "RFC 6487 §5: userCertificate", ret_serial, fault));
	TRY(der_reader_time(&entry, "RFC 6487 §5: revocationDate", &revoked_at, fault));
	TRY(LINT_RULE(revoked_at <= this_update_at, fault, "RFC 6487 §5: revocationDate lies behind thisUpdate"));
	return LINT_RULE(!der_reader_more(&entry), fault, "RFC 6487 §5: an entry has extensions");
}

static enum fault_code
entries_check(struct der_reader *fields, const struct lint_crl_wanted *wanted, struct fault *fault)
{
	struct der_reader entries;
	static const uint8_t zero[1];
	struct span serial, previous = SPAN(zero, sizeof zero); /* below every serial number */
	size_t count = 0;
	/* RFC 5280 §5.1.2.6: no list at all where nothing is revoked. */
	if (der_reader_next_is(fields, DER_SEQUENCE)) {
		TRY(der_reader_enter(fields, DER_SEQUENCE, ENTRY, &entries, fault));
		TRY(LINT_RULE(der_reader_more(&entries), fault, "RFC 5280 §5.1.2.6: revokedCertificates is there but empty"));
		for (; der_reader_more(&entries); count++) {
			TRY(entry_read(&entries, wanted->this_update_at, &serial, fault));
			TRY(LINT_RULE(serial_compare(previous, serial) < 0, fault,
				ENTRY " isn't each serial number once in ascending order"));
			previous = serial;
		}
	}
	return LINT_RULE(count == wanted->revocations, fault,
		ENTRY " has %zu entries where %zu are meant", count, wanted->revocations);
}

static enum fault_code
times_check(struct der_reader *fields, const struct lint_crl_wanted *wanted, struct fault *fault)
{
	int64_t this_update_at, next_update_at;
	TRY(der_reader_time(fields, "RFC 6487 §5: thisUpdate", &this_update_at, fault));
	TRY(der_reader_time(fields, "RFC 6487 §5: nextUpdate", &next_update_at, fault));
	TRY(LINT_RULE(this_update_at == wanted->this_update_at, fault, "RFC 6487 §5: thisUpdate isn't the one meant"));
	TRY(LINT_RULE(next_update_at == wanted->next_update_at, fault, "RFC 6487 §5: nextUpdate isn't the one meant"));
	TRY(LINT_RULE(this_update_at <= wanted->now_at, fault, "RFC 6487 §5: thisUpdate lies ahead"));
	return LINT_RULE(next_update_at > wanted->now_at, fault, "RFC 6487 §5: nextUpdate has passed");
}

static enum fault_code
head_check(struct der_reader *fields, const struct lint_issuer *issuer, struct fault *fault)
{
	uint64_t version;
	struct span name;
	TRY(der_reader_unsigned(fields, "RFC 6487 §5: version", UINT64_MAX, &version, fault));
	TRY(LINT_RULE(version == 1, fault, "RFC 6487 §5: version isn't v2"));
	TRY(lint_algorithm_read(fields, LINT_OID_SHA256_WITH_RSA, true, "RFC 6487 §5: signature", fault));
	TRY(lint_name_read(fields, "RFC 6487 §5: issuer", &name, fault));
	return LINT_RULE(lint_name_is_text(name, issuer->name), fault, "RFC 6487 §5: issuer isn't the issuer's name");
}

enum fault_code
lint_crl_tbs(struct span tbs, const struct lint_issuer *issuer, const struct lint_crl_wanted *wanted, struct fault *fault)
{
	struct der_reader reader, fields, extensions;
	struct lint_subject subject = { .kind = LINT_CRL, .issuer = issuer, .crl_number = wanted->number };
	TRY(lint_certificate_issuer(issuer, fault));
	TRY(der_reader_open(tbs, CRL, &reader, fault));
	TRY(der_reader_enter(&reader, DER_SEQUENCE, CRL, &fields, fault));
	TRY(der_reader_end(&reader, CRL, fault));
	TRY(head_check(&fields, issuer, fault));
	TRY(times_check(&fields, wanted, fault));
	TRY(entries_check(&fields, wanted, fault));
	TRY(der_reader_enter(&fields, DER_CONTEXT_CONSTRUCTED(0), "RFC 6487 §5: crlExtensions", &extensions, fault));
	TRY(lint_extensions_read(&extensions, &subject, fault));
	TRY(der_reader_end(&extensions, "RFC 6487 §5: crlExtensions", fault));
	return der_reader_end(&fields, CRL, fault);
}
