/* TBSCertificate, RFC 6487 §4. */
#include <string.h>

#include "ca/base/scope.h"
#include "ca/lint/lint_internal.h"

#define VERSION "RFC 6487 §4.1: version"
#define SERIAL "RFC 6487 §4.2: serialNumber"
#define SIGNATURE "RFC 6487 §4.3: signature"
#define ISSUER "RFC 6487 §4.4: issuer"
#define SUBJECT "RFC 6487 §4.5: subject"
#define VALIDITY "RFC 6487 §4.6: validity"
#define SPKI "RFC 6487 §4.7: subjectPublicKeyInfo"

enum fault_code
lint_certificate_serial(struct der_reader *reader, const char *what, struct span *ret_serial, struct fault *fault)
{
	struct der_reader here = *reader;
	struct span serial;
	TRY(der_reader_integer(&here, what, &serial, fault));
	TRY(LINT_RULE((serial.data[0] & 0x80) == 0 && !(serial.length == 1 && serial.data[0] == 0), fault,
		"%s isn't positive", what));
	TRY(LINT_RULE(serial.length <= LINT_SERIAL_OCTETS_MAX, fault, "%s has more than 20 octets (RFC 5280 §4.1.2.2)", what));
	*reader = here;
	*ret_serial = serial;
	return FAULT_NONE;
}

static enum fault_code
version_read(struct der_reader *reader, struct fault *fault)
{
	struct der_reader version;
	uint64_t number;
	TRY(der_reader_enter(reader, DER_CONTEXT_CONSTRUCTED(0), VERSION, &version, fault));
	TRY(der_reader_unsigned(&version, VERSION, UINT64_MAX, &number, fault));
	TRY(LINT_RULE(number == 2, fault, VERSION " isn't v3"));
	return der_reader_end(&version, VERSION, fault);
}

static enum fault_code
validity_read(struct der_reader *reader, struct lint_certificate *certificate, struct fault *fault)
{
	struct der_reader validity;
	TRY(der_reader_enter(reader, DER_SEQUENCE, VALIDITY, &validity, fault));
	TRY(der_reader_time(&validity, "RFC 6487 §4.6.1: notBefore", &certificate->not_before_at, fault));
	TRY(der_reader_time(&validity, "RFC 6487 §4.6.2: notAfter", &certificate->not_after_at, fault));
	return der_reader_end(&validity, VALIDITY, fault);
}

enum fault_code
lint_certificate_read(struct span tbs, struct lint_certificate *ret_certificate, struct fault *fault)
{
	static const char what[] = "RFC 6487 §4: TBSCertificate";
	struct der_reader reader, fields;
	struct der_element spki;
	struct lint_certificate certificate;
	TRY(der_reader_open(tbs, what, &reader, fault));
	TRY(der_reader_enter(&reader, DER_SEQUENCE, what, &fields, fault));
	TRY(der_reader_end(&reader, what, fault));
	TRY(version_read(&fields, fault));
	TRY(lint_certificate_serial(&fields, SERIAL, &certificate.serial, fault));
	TRY(lint_algorithm_read(&fields, LINT_OID_SHA256_WITH_RSA, true, SIGNATURE, fault));
	TRY(lint_name_read(&fields, ISSUER, &certificate.issuer, fault));
	TRY(validity_read(&fields, &certificate, fault));
	TRY(lint_name_read(&fields, SUBJECT, &certificate.subject, fault));
	TRY(der_reader_take(&fields, DER_SEQUENCE, SPKI, &spki, fault));
	certificate.spki = spki.whole;
	certificate.rest = fields;
	*ret_certificate = certificate;
	return FAULT_NONE;
}

enum fault_code
lint_certificate_issuer(const struct lint_issuer *issuer, struct fault *fault)
{
	uint8_t identifier[SHA1_SIZE];
	TRY(lint_key_identifier(issuer->spki, "RFC 7935 §3: the issuer's key", identifier, fault));
	return LINT_RULE(memcmp(identifier, issuer->key_identifier, SHA1_SIZE) == 0, fault,
		"RFC 6487 §4.8.3: the issuer's key identifier isn't its key's");
}

/* RFC 6487 §4.4, §4.5: our names are key identifiers in hex; a trust anchor that was taken over keeps the name it has. */
static enum fault_code
names_check(const struct lint_certificate *certificate, const struct lint_issuer *issuer,
	const struct lint_certificate_wanted *wanted, const uint8_t key_identifier[SHA1_SIZE], struct fault *fault)
{
	TRY(LINT_RULE(lint_name_is_text(certificate->issuer, issuer->name), fault, ISSUER " isn't the issuer's name"));
	if (wanted->ta)
		return LINT_RULE(lint_name_is_text(certificate->subject, issuer->name), fault,
			SUBJECT " of a trust anchor isn't its issuer");
	return LINT_RULE(lint_name_is_identifier(certificate->subject, key_identifier), fault,
		SUBJECT " isn't the key identifier in hex");
}

static enum fault_code
times_check(const struct lint_certificate *certificate, const struct lint_certificate_wanted *wanted, struct fault *fault)
{
	int64_t from = certificate->not_before_at, to = certificate->not_after_at;
	TRY(LINT_RULE(from <= wanted->now_at, fault, "RFC 6487 §4.6.1: notBefore lies ahead"));
	TRY(LINT_RULE(to > wanted->now_at, fault, "RFC 6487 §4.6.2: notAfter has passed"));
	/* RFC 9286 §5.1: a manifest's certificate lives exactly from thisUpdate to nextUpdate. */
	TRY(LINT_RULE(wanted->not_before_at == 0 || from == wanted->not_before_at, fault,
		"RFC 6487 §4.6.1: notBefore isn't the one meant"));
	TRY(LINT_RULE(wanted->not_after_at == 0 || to == wanted->not_after_at, fault,
		"RFC 6487 §4.6.2: notAfter isn't the one meant"));
	/*
	 * Its file's time is notBefore, and rsync takes a file of equal size and time for the old one. Of two certificates of a
	 * trust anchor's key, validators keep the one that begins later.
	 */
	return LINT_RULE(!wanted->renewal || from > wanted->previous_not_before_at, fault,
		"RFC 6487 §4.6.1: notBefore of a renewed certificate doesn't rise");
}

enum fault_code
lint_certificate_tbs(struct span tbs, const struct lint_issuer *issuer, const struct lint_certificate_wanted *wanted,
	struct fault *fault)
{
	struct lint_certificate certificate;
	struct der_reader extensions;
	AUTO_CLEAR(struct lint_resources, lint_resources_clear) resources = LINT_RESOURCES_INIT;
	struct lint_subject subject = {
		.kind = wanted->ta ? LINT_TA : wanted->ca ? LINT_CA : LINT_EE,
		.issuer = issuer,
		.wanted = wanted,
		.resources = &resources,
	};
	TRY(lint_certificate_issuer(issuer, fault));
	TRY(lint_certificate_read(tbs, &certificate, fault));
	TRY(lint_key_identifier(certificate.spki, SPKI, subject.key_identifier, fault));
	TRY(LINT_RULE(span_equal(certificate.spki, wanted->spki), fault, SPKI " isn't the key meant"));
	TRY(LINT_RULE(span_equal(wanted->spki, issuer->spki) == wanted->ta, fault,
		SPKI " must be the issuer's own for a trust anchor, and never else"));
	TRY(names_check(&certificate, issuer, wanted, subject.key_identifier, fault));
	TRY(times_check(&certificate, wanted, fault));
	/* RFC 6487 §4: issuerUniqueID [1] and subjectUniqueID [2] aren't used, so [3] comes next. */
	TRY(der_reader_enter(&certificate.rest, DER_CONTEXT_CONSTRUCTED(3), "RFC 6487 §4.8: extensions", &extensions, fault));
	TRY(lint_extensions_read(&extensions, &subject, fault));
	TRY(der_reader_end(&extensions, "RFC 6487 §4.8: extensions", fault));
	TRY(der_reader_end(&certificate.rest, "RFC 6487 §4: TBSCertificate", fault));
	return lint_resources_demand(&resources, issuer, wanted, fault);
}
