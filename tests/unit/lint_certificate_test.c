#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ca/lint/lint.h"
#include "tests/support/der_builder.h"
#include "tests/support/lint_fixture.h"

static const char *const kind_names[LINT_FIXTURE_KINDS] = { "TA", "CA", "inheriting CA", "EE of a manifest", "EE of a ROA" };

static enum fault_code
look(struct span der, const struct lint_fixture *fixture, struct fault *fault)
{
	return lint_certificate_tbs(der, &fixture->issuer, &fixture->wanted, fault);
}

static enum fault_code
look_at_text(const char *text, const struct lint_fixture *fixture, struct fault *fault)
{
	struct bytes der = BYTES_INIT;
	der_builder_encode(text, &der);
	enum fault_code code = look(bytes_span(&der), fixture, fault);
	bytes_clear(&der);
	return code;
}

static void
expect_refusals(enum lint_fixture_kind kind, const struct lint_fixture_row *rows, size_t count)
{
	struct lint_fixture fixture;
	lint_fixture_init(&fixture, kind, NULL, NULL);
	char *text = lint_fixture_certificate(&fixture);
	size_t failures = lint_fixture_failures(text, rows, count, look, &fixture);
	free(text);
	lint_fixture_clear(&fixture);
	assert_int_equal(failures, 0);
}

#define EXPECT_REFUSALS(kind, rows) expect_refusals((kind), (rows), sizeof (rows) / sizeof (rows)[0])

static void
lint_certificate__takes_a_good_one_of_each_kind(void **state)
{
	(void)state;
	for (enum lint_fixture_kind kind = 0; kind < LINT_FIXTURE_KINDS; kind++) {
		struct lint_fixture fixture;
		struct fault fault = FAULT_INIT;
		lint_fixture_init(&fixture, kind, NULL, NULL);
		char *text = lint_fixture_certificate(&fixture);
		if (look_at_text(text, &fixture, &fault) != FAULT_NONE)
			fail_msg("%s: %s", kind_names[kind], fault.message);
		free(text);
		lint_fixture_clear(&fixture);
	}
}

/* What is allowed beside what our own certificates have, or on the edge of what is allowed. */
static const struct {
	enum lint_fixture_kind kind;
	const char *label, *from, *to;
} allowed[] = {
	{ LINT_FIXTURE_CA, "serial number of 20 octets", "0x5a0102030405060708090a0b0c0d0e0f",
		"0x7fffffffffffffffffffffffffffffffffffffff" },
	{ LINT_FIXTURE_CA, "serial number 1", "INTEGER 0x5a0102030405060708090a0b0c0d0e0f", "INTEGER 1" },
	{ LINT_FIXTURE_CA, "notBefore now", "UTC \"261123000000Z\"", "UTC \"261124000000Z\"" },
	{ LINT_FIXTURE_CA, "notAfter 2049", "UTC \"271123000000Z\"", "UTC \"491231235959Z\"" },
	{ LINT_FIXTURE_CA, "notAfter 2050", "UTC \"271123000000Z\"", "GENERALIZED \"20500101000000Z\"" },
	{ LINT_FIXTURE_CA, "notAfter never", "UTC \"271123000000Z\"", "GENERALIZED \"99991231235959Z\"" },
};

static void
lint_certificate__takes_what_is_allowed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
		struct lint_fixture fixture;
		struct fault fault = FAULT_INIT;
		lint_fixture_init(&fixture, allowed[i].kind, NULL, NULL);
		char *text = lint_fixture_certificate(&fixture);
		char *edited = der_builder_edit(text, allowed[i].from, allowed[i].to);
		if (look_at_text(edited, &fixture, &fault) != FAULT_NONE)
			fail_msg("%s: %s", allowed[i].label, fault.message);
		free(edited);
		free(text);
		lint_fixture_clear(&fixture);
	}
}

#define SERIAL "INTEGER 0x5a0102030405060708090a0b0c0d0e0f"
#define ALGORITHM "OID 1.2.840.113549.1.1.11 NULL"
#define COMMON_NAME "\nSEQUENCE { SET { SEQUENCE { OID 2.5.4.3 PRINTABLE"
#define VALIDITY "SEQUENCE { UTC \"261123000000Z\" UTC \"271123000000Z\" }"

static const struct lint_fixture_row fields[] = {
	{ "no version", "[0] { INTEGER 2 }", "", "§4.1: version: tag is 02" },
	{ "v1", "[0] { INTEGER 2 }", "[0] { INTEGER 0 }", "§4.1: version isn't v3" },
	{ "v4", "[0] { INTEGER 2 }", "[0] { INTEGER 3 }", "§4.1: version isn't v3" },
	{ "two versions", "[0] { INTEGER 2 }", "[0] { INTEGER 2 INTEGER 2 }", "§4.1: version: has something behind" },
	{ "serial 0", SERIAL, "INTEGER 0", "§4.2: serialNumber isn't positive" },
	{ "serial negative", SERIAL, "INTEGER 0x8a01", "§4.2: serialNumber isn't positive" },
	{ "serial of 21 octets", SERIAL, "INTEGER 0x5a0102030405060708090a0b0c0d0e0f1011121314",
		"§4.2: serialNumber has more than 20" },
	{ "serial of 21 octets with a leading zero", SERIAL, "INTEGER 0x00da0102030405060708090a0b0c0d0e0f10111213",
		"more than 20 octets" },
	{ "serial with a superfluous octet", SERIAL, "INTEGER 0x005a", "§4.2: serialNumber: INTEGER isn't in its shortest form" },
	{ "serial empty", SERIAL, "INTEGER 0x", "§4.2: serialNumber: INTEGER is empty" },
	{ "serial missing", SERIAL, "", "§4.2: serialNumber: tag is 30" },
	{ "SHA-1", ALGORITHM, "OID 1.2.840.113549.1.1.5 NULL", "§4.3: signature isn't sha256WithRSAEncryption" },
	{ "RSASSA-PSS", ALGORITHM, "OID 1.2.840.113549.1.1.10 NULL", "§4.3: signature isn't sha256WithRSAEncryption" },
	{ "algorithm without parameters", ALGORITHM, "OID 1.2.840.113549.1.1.11", "§4.3: signature: is missing" },
	{ "algorithm with other parameters", ALGORITHM, "OID 1.2.840.113549.1.1.11 SEQUENCE { }", "§4.3: signature: tag is 30" },
	{ "algorithm with something more", ALGORITHM, ALGORITHM " NULL", "§4.3: signature: has something behind" },
	{ "issuer is somebody else", "\" } } }\n" VALIDITY, "0\" } } }\n" VALIDITY, "§4.4: issuer isn't the issuer's name" },
	{ "issuer is UTF8String", ALGORITHM " } " COMMON_NAME, ALGORITHM " } \nSEQUENCE { SET { SEQUENCE { OID 2.5.4.3 UTF8",
		"§4.4: issuer: tag is 0c, not 13" },
	{ "issuer has no CommonName", ALGORITHM " } " COMMON_NAME,
		ALGORITHM " } \nSEQUENCE { SET { SEQUENCE { OID 2.5.4.10 PRINTABLE",
		"§4.4: issuer isn't id-at-commonName" },
	{ "issuer has two names", "\" } } }\n" VALIDITY, "\" } } SET { SEQUENCE { OID 2.5.4.5 PRINTABLE \"1\" } } }\n" VALIDITY,
		"§4.4: issuer: has something behind" },
	{ "issuer has a name of two values", "\" } } }\n" VALIDITY,
		"\" } SEQUENCE { OID 2.5.4.5 PRINTABLE \"1\" } } }\n" VALIDITY,
		"§4.4: issuer: elements of SET OF aren't in ascending order" },
	{ "issuer is empty", ALGORITHM " } " COMMON_NAME, ALGORITHM " } SEQUENCE { } " COMMON_NAME, "§4.4: issuer: is missing" },
	{ "notBefore ahead", VALIDITY, "SEQUENCE { UTC \"261124000001Z\" UTC \"271123000000Z\" }",
		"§4.6.1: notBefore lies ahead" },
	{ "notAfter now", VALIDITY, "SEQUENCE { UTC \"261123000000Z\" UTC \"261124000000Z\" }", "§4.6.2: notAfter has passed" },
	{ "notAfter before notBefore", VALIDITY, "SEQUENCE { UTC \"261123000000Z\" UTC \"251123000000Z\" }",
		"§4.6.2: notAfter has passed" },
	{ "GeneralizedTime too early", VALIDITY, "SEQUENCE { UTC \"261123000000Z\" GENERALIZED \"20271123000000Z\" }",
		"§4.6.2: notAfter: is a GeneralizedTime before 2050" },
	{ "UTCTime without seconds", VALIDITY, "SEQUENCE { UTC \"2611230000Z\" UTC \"271123000000Z\" }",
		"§4.6.1: notBefore: UTCTime" },
	{ "no notAfter", VALIDITY, "SEQUENCE { UTC \"261123000000Z\" }", "§4.6.2: notAfter: is missing" },
	{ "a third time", VALIDITY, "SEQUENCE { UTC \"261123000000Z\" UTC \"271123000000Z\" UTC \"271123000000Z\" }",
		"§4.6: validity: has something behind" },
	{ "subject is somebody else", "\" } } }\n=3082", "0\" } } }\n=3082", "§4.5: subject isn't the key identifier in hex" },
	{ "subject is UTF8String", VALIDITY COMMON_NAME, VALIDITY "\nSEQUENCE { SET { SEQUENCE { OID 2.5.4.3 UTF8",
		"§4.5: subject: tag is 0c, not 13" },
	{ "subject has a character too many", VALIDITY COMMON_NAME " \"", VALIDITY COMMON_NAME " \"_",
		"§4.5: subject: PrintableString" },
	{ "key of another algorithm", "06092a864886f70d0101010500", "06092a864886f70d01010a0500",
		"§4.7: subjectPublicKeyInfo isn't rsaEnc" },
	{ "key without NULL", "300d06092a864886f70d0101010500", "300d06092a864886f70d0101010400",
		"§4.7: subjectPublicKeyInfo: tag is 04" },
	{ "key with unused bits", "0382010f00", "0382010f01", "§4.7: subjectPublicKeyInfo: unused bits" },
	{ "exponent 3", "0203010001 ", "0203000003 ", "§4.7: subjectPublicKeyInfo: INTEGER isn't in its shortest form" },
	{ "exponent 65539", "0203010001 ", "0203010003 ", "§4.7: subjectPublicKeyInfo: RSA exponent isn't 65537" },
	{ "negative modulus", "0282010100", "02820101ff", "§4.7: subjectPublicKeyInfo: INTEGER isn't in its shortest form" },
	{ "even modulus", "e90203010001", "e80203010001",
		"§4.7: subjectPublicKeyInfo: RSA modulus isn't an odd number of 2048 bits" },
	{ "another key", "0282010100a4", "0282010100a5", "§4.7: subjectPublicKeyInfo isn't the key meant" },
	{ "issuerUniqueID", "[3] { SEQUENCE {", "[1] 00 [3] { SEQUENCE {", "§4.8: extensions: tag is 81" },
	{ "subjectUniqueID", "[3] { SEQUENCE {", "[2] 00 [3] { SEQUENCE {", "§4.8: extensions: tag is 82" },
};

static void
lint_certificate__refuses_broken_fields(void **state)
{
	(void)state;
	EXPECT_REFUSALS(LINT_FIXTURE_CA, fields);
}

#define AS_EXTENSION "SEQUENCE { OID 1.3.6.1.5.5.7.1.8 BOOLEAN ff OCTETS {"
#define WITH(extension) AS_EXTENSION, "SEQUENCE { " extension " } " AS_EXTENSION
#define CRL_URI "[6] \"rsync://rpki.example/repo/issuer/issuer.crl\""
#define PARENT_URI "[6] \"rsync://rpki.example/repo/parent/issuer.cer\""
#define ACCESS "SEQUENCE { OID 1.3.6.1.5.5.7.48."
#define REPOSITORY_URI "[6] \"rsync://rpki.example/repo/subject/\" }"
#define MANIFEST_URI "[6] \"rsync://rpki.example/repo/subject/subject.mft\" }"
#define NOTIFICATION_URI "[6] \"https://rrdp.example:8443/rrdp/notification.xml\" }"
#define POLICY "SEQUENCE { SEQUENCE { OID 1.3.6.1.5.5.7.14.2 } }"

static const struct lint_fixture_row extensions[] = {
	{ "cA FALSE", "{ SEQUENCE { BOOLEAN ff } }", "{ SEQUENCE { BOOLEAN 00 } }", "§4.8.1: BasicConstraints: cA isn't TRUE" },
	{ "cA left out", "{ SEQUENCE { BOOLEAN ff } }", "{ SEQUENCE { } }", "§4.8.1: BasicConstraints: cA isn't TRUE" },
	{ "cA neither", "{ SEQUENCE { BOOLEAN ff } }", "{ SEQUENCE { BOOLEAN 01 } }",
		"§4.8.1: BasicConstraints: BOOLEAN is neither" },
	{ "pathLen", "{ SEQUENCE { BOOLEAN ff } }", "{ SEQUENCE { BOOLEAN ff INTEGER 0 } }",
		"§4.8.1: BasicConstraints has a pathLen" },
	{ "BasicConstraints twice in one", "{ SEQUENCE { BOOLEAN ff } }", "{ SEQUENCE { BOOLEAN ff } NULL }",
		"§4.8.1: BasicConstraints: has something behind" },
	{ "another key's SKI", "2.5.29.14 OCTETS { OCTETS ", "2.5.29.14 OCTETS { OCTETS 00",
		"§4.8.2: SubjectKeyIdentifier isn't the key's" },
	{ "SKI of another type", "2.5.29.14 OCTETS { OCTETS ", "2.5.29.14 OCTETS { [0] ",
		"§4.8.2: SubjectKeyIdentifier: tag is 80" },
	{ "another issuer's AKI", "2.5.29.35 OCTETS { SEQUENCE { [0] ", "2.5.29.35 OCTETS { SEQUENCE { [0] 00",
		"§4.8.3: AuthorityKeyIdentifier isn't the issuer's" },
	{ "AKI by name", "2.5.29.35 OCTETS { SEQUENCE { [0] ", "2.5.29.35 OCTETS { SEQUENCE { [1] ",
		"§4.8.3: AuthorityKeyIdentifier: tag is 81" },
	{ "AKI with a serial number", " } } }\nSEQUENCE { OID 2.5.29.31", " [2] 01 } } }\nSEQUENCE { OID 2.5.29.31",
		"§4.8.3: AuthorityKeyIdentifier has more than keyIdentifier" },
	{ "digitalSignature too", "BITS 06/1", "BITS 86/1", "§4.8.4: KeyUsage of a CA" },
	{ "no cRLSign", "BITS 06/1", "BITS 04/2", "§4.8.4: KeyUsage of a CA" },
	{ "no usage", "BITS 06/1", "BITS /0", "§4.8.4: KeyUsage of a CA" },
	{ "an EE's usage", "BITS 06/1", "BITS 80/7", "§4.8.4: KeyUsage of a CA" },
	{ "usage with trailing zero bits", "BITS 06/1", "BITS 06/0", "§4.8.4: KeyUsage: named bits end in a zero bit" },
	{ "ExtendedKeyUsage", WITH("OID 2.5.29.37 OCTETS { SEQUENCE { OID 1.3.6.1.5.5.7.3.30 } }"),
		"§4.8.5: ExtendedKeyUsage must not be in a CA's certificate" },
	{ "another CRL", CRL_URI, "[6] \"rsync://rpki.example/repo/issuer/other.crl\"",
		"§4.8.6: CRLDistributionPoints isn't rsync://" },
	{ "CRL by https", CRL_URI, "[6] \"https://rpki.example/repo/issuer/issuer.crl\"",
		"§4.8.6: CRLDistributionPoints isn't rsync://" },
	{ "two URIs of the CRL", CRL_URI, CRL_URI " " CRL_URI, "§4.8.6: CRLDistributionPoints has more than one URI" },
	{ "two DistributionPoints", "{ SEQUENCE { [0] { [0] { " CRL_URI " } } }",
		"{ SEQUENCE { [0] { [0] { " CRL_URI " } } } SEQUENCE { [0] { [0] { " CRL_URI " } } }",
		"§4.8.6: CRLDistributionPoints has more than one DistributionPoint" },
	{ "CRL reasons", "[0] { [0] { " CRL_URI " } }", "[0] { [0] { " CRL_URI " } } [1] 0780",
		"§4.8.6: CRLDistributionPoints has reasons" },
	{ "CRL of another issuer", "[0] { [0] { " CRL_URI " } }", "[0] { [0] { " CRL_URI " } } [2] { " CRL_URI " }",
		"§4.8.6: CRLDistributionPoints has reasons or a cRLIssuer" },
	{ "CRL by relative name", "[0] { [0] { " CRL_URI " } }", "[0] { [1] { " CRL_URI " } }",
		"§4.8.6: CRLDistributionPoints: tag is a1" },
	{ "CRL by directory name", "[0] { " CRL_URI " }", "[0] { [4] { SEQUENCE { } } }",
		"§4.8.6: CRLDistributionPoints: tag is a4" },
	{ "another issuer's certificate", PARENT_URI, "[6] \"rsync://rpki.example/repo/parent/other.cer\"",
		"§4.8.7: AuthorityInfoAccess isn't rsync://" },
	{ "issuer's certificate twice", ACCESS "2 " PARENT_URI " }", ACCESS "2 " PARENT_URI " } " ACCESS "2 " PARENT_URI " }",
		"§4.8.7: AuthorityInfoAccess has more than one accessMethod" },
	{ "OCSP", ACCESS "2 ", ACCESS "1 ", "§4.8.7: AuthorityInfoAccess isn't id-ad-caIssuers" },
	{ "another repository", REPOSITORY_URI, "[6] \"rsync://rpki.example/repo/other/\" }",
		"§4.8.8: SubjectInfoAccess isn't rsync://" },
	{ "another manifest", MANIFEST_URI, "[6] \"rsync://rpki.example/repo/subject/other.mft\" }",
		"§4.8.8: SubjectInfoAccess isn't rsync" },
	{ "another notification", NOTIFICATION_URI, "[6] \"https://rrdp.example/rrdp/notification.xml\" }",
		"§4.8.8: SubjectInfoAccess isn't https" },
	{ "repository behind manifest", ACCESS "5 " REPOSITORY_URI "\n " ACCESS "10 " MANIFEST_URI,
		ACCESS "10 " MANIFEST_URI " " ACCESS "5 " REPOSITORY_URI, "§4.8.8: SubjectInfoAccess isn't id-ad-caRepository" },
	{ "manifest behind notification", ACCESS "10 " MANIFEST_URI "\n " ACCESS "13 " NOTIFICATION_URI,
		ACCESS "13 " NOTIFICATION_URI " " ACCESS "10 " MANIFEST_URI,
		"§4.8.8: SubjectInfoAccess isn't id-ad-rpkiManifest" },
	{ "no notification", ACCESS "13 " NOTIFICATION_URI, "", "§4.8.8: SubjectInfoAccess: is missing" },
	{ "no manifest", ACCESS "10 " MANIFEST_URI, "", "§4.8.8: SubjectInfoAccess isn't id-ad-rpkiManifest" },
	{ "two notifications", ACCESS "13 " NOTIFICATION_URI, ACCESS "13 " NOTIFICATION_URI ACCESS "13 " NOTIFICATION_URI,
		"§4.8.8: SubjectInfoAccess has an accessMethod too many" },
	{ "signedObject in a CA's", ACCESS "5 ", ACCESS "11 ", "§4.8.8: SubjectInfoAccess isn't id-ad-caRepository" },
	{ "policy of RFC 8360", POLICY, "SEQUENCE { SEQUENCE { OID 1.3.6.1.5.5.7.14.3 } }",
		"§4.8.9: CertificatePolicies isn't id-cp-ipAddr" },
	{ "two policies", POLICY, "SEQUENCE { SEQUENCE { OID 1.3.6.1.5.5.7.14.2 } SEQUENCE { OID 2.5.29.32.0 } }",
		"§4.8.9: CertificatePolicies has more than one policy" },
	{ "policy qualifier", POLICY,
		"SEQUENCE { SEQUENCE { OID 1.3.6.1.5.5.7.14.2 SEQUENCE { SEQUENCE { OID 1.3.6.1.5.5.7.2.1 IA5 \"x\" } } } }",
		"§4.8.9: CertificatePolicies has a qualifier" },
	{ "no policy", POLICY, "SEQUENCE { }", "§4.8.9: CertificatePolicies: is missing" },
	{ "IP resources of RFC 8360", WITH("OID 1.3.6.1.5.5.7.1.28 BOOLEAN ff OCTETS { NULL }"),
		"RFC 8360 §4.2.2: IP resources, version 2 must" },
	{ "AS resources of RFC 8360", WITH("OID 1.3.6.1.5.5.7.1.29 BOOLEAN ff OCTETS { NULL }"),
		"RFC 8360 §4.2.2: AS resources, version 2 must" },
	{ "CRLNumber", WITH("OID 2.5.29.20 OCTETS { INTEGER 1 }"), "RFC 6487 §5: CRLNumber must not be in a CA's certificate" },
	{ "subjectAltName", WITH("OID 2.5.29.17 OCTETS { SEQUENCE { [2] \"rpki.example\" } }"),
		"§4.8: an extension that the profile" },
	{ "nameConstraints", WITH("OID 2.5.29.30 BOOLEAN ff OCTETS { SEQUENCE { } }"), "§4.8: an extension that the profile" },
	{ "extension without value", WITH("OID 2.5.29.37"), "§4.8.5: ExtendedKeyUsage must not" },
	{ "extension without OID", WITH("OCTETS 00"), "RFC 5280 §4.1.2.9: extnID: tag is 04" },
	{ "extension with something more", "{ SEQUENCE { BOOLEAN ff } }", "{ SEQUENCE { BOOLEAN ff } } NULL",
		"§4.8.1: BasicConstraints: has something behind" },
	{ "extension whose value isn't an OCTET STRING", "OCTETS { SEQUENCE { BOOLEAN ff } }", "SEQUENCE { BOOLEAN ff }",
		"§4.8.1: BasicConstraints: tag is 30, not 04" },
};

static void
lint_certificate__refuses_broken_extensions(void **state)
{
	(void)state;
	EXPECT_REFUSALS(LINT_FIXTURE_CA, extensions);
}

#define RANGE "SEQUENCE { BITS c00002/1 BITS c0000282/0 }"
#define IPV6 "SEQUENCE { BITS 20010db80000/0 }"
#define ASNS "[0] { SEQUENCE { INTEGER 64496 SEQUENCE { INTEGER 64500 INTEGER 64505 } } }"

static const struct lint_fixture_row resources[] = {
	{ "prefixes out of order", "BITS 0a00/0", "BITS d000/0",
		"RFC 3779 §2.2.3.6: addresses overlap or aren't in ascending order" },
	{ "a prefix twice", "BITS 0a00/0", "BITS 0a00/0 BITS 0a00/0", "RFC 3779 §2.2.3.6: addresses overlap" },
	{ "a prefix in another", "BITS 0a00/0", "BITS 0a00/0 BITS 0a0080/7", "RFC 3779 §2.2.3.6: addresses overlap" },
	{ "two halves", "BITS 0a00/0", "BITS 0a0000/7 BITS 0a0080/7", "RFC 3779 §2.2.3.6: adjacent addresses aren't merged" },
	{ "adjacent across octets", "BITS 0a00/0", "BITS 0a0000ff/0 BITS 0a0001/0",
		"RFC 3779 §2.2.3.6: adjacent addresses aren't merged" },
	{ "something behind the last address", IPV6, "SEQUENCE { BITS /0 BITS 20010db80000/0 }",
		"RFC 3779 §2.2.3.6: addresses overlap" },
	{ "a prefix as a range", "BITS 0a00/0", "SEQUENCE { BITS 0a/1 BITS 0a00/0 }",
		"RFC 3779 §2.2.3.7: a range that is a prefix" },
	{ "one address as a range", "BITS 0a00/0", "SEQUENCE { BITS 0a000001/0 BITS 0a000000/1 }",
		"RFC 3779 §2.2.3.7: a range that is a prefix" },
	{ "all addresses as a range", "BITS 0a00/0", "SEQUENCE { BITS /0 BITS /0 }",
		"RFC 3779 §2.2.3.7: a range that is a prefix" },
	{ "min with a zero bit", RANGE, "SEQUENCE { BITS c00002/0 BITS c0000282/0 }",
		"RFC 3779 §2.2.3.9: min of a range ends in a zero bit" },
	{ "max with a one bit", RANGE, "SEQUENCE { BITS c00002/1 BITS c0000283/0 }",
		"RFC 3779 §2.2.3.9: max of a range ends in a one bit" },
	{ "min above max", RANGE, "SEQUENCE { BITS c00003/0 BITS c0000282/0 }",
		"RFC 3779 §2.2.3.9: min of a range is above its max" },
	{ "a third end of a range", RANGE, "SEQUENCE { BITS c00002/1 BITS c0000282/0 BITS /0 }",
		"§4.8.10: IP resources: has something behind" },
	{ "33 bits", "BITS 0a00/0", "BITS 0a00000000/7", "IP resources: more bits than an address has (RFC 3779 §2.2.3.8)" },
	{ "129 bits", IPV6, "SEQUENCE { BITS 20010db800000000000000000000000000/7 }",
		"IP resources: more bits than an address has" },
	{ "bits behind a prefix", "BITS 0a00/0", "BITS 0a01/1", "IP resources: unused bits of BIT STRING aren't zero" },
	{ "IPv6 twice", "OCTETS 0001", "OCTETS 0002", "RFC 3779 §2.2.3.3: address families aren't each once in ascending order" },
	{ "IPv4 twice", "OCTETS 0002 " IPV6, "OCTETS 0001 SEQUENCE { BITS e0/0 }",
		"RFC 3779 §2.2.3.3: address families aren't each once in ascending order" },
	{ "SAFI", "OCTETS 0001", "OCTETS 000101", "IP resources: addressFamily isn't two octets" },
	{ "one octet of family", "OCTETS 0001", "OCTETS 01", "IP resources: addressFamily isn't two octets" },
	{ "another family", "OCTETS 0001", "OCTETS 0000", "IP resources: addressFamily is neither IPv4 nor IPv6" },
	{ "family without addresses", IPV6, "SEQUENCE { }", "RFC 3779 §2.2.3.6: addressesOrRanges is empty" },
	{ "family with something more", IPV6, IPV6 " NULL", "§4.8.10: IP resources: has something behind" },
	{ "inherited IPv6", IPV6, "NULL", "RFC 3779 §2.2.3.5: resources are inherited where all are to be listed" },
	{ "more addresses than meant", IPV6, "SEQUENCE { BITS 20010db8/0 }", "§4.8.10: resources aren't exactly those meant" },
	{ "fewer addresses than meant", IPV6, "SEQUENCE { BITS 20010db800000000/0 }",
		"§4.8.10: resources aren't exactly those meant" },
	{ "fewer AS numbers than meant", "INTEGER 64496 ", "", "§4.8.10: resources aren't exactly those meant" },
	{ "inherited AS numbers", ASNS, "[0] { NULL }", "RFC 3779 §2.2.3.5: resources are inherited where all are to be listed" },
	{ "no AS numbers", ASNS, "[0] { SEQUENCE { } }", "RFC 3779 §3.2.3.4: asIdsOrRanges is empty" },
	{ "routing domains", ASNS, ASNS " [1] { NULL }", "§4.8.11: AS resources: routing domain identifiers must not be there" },
	{ "routing domains alone", ASNS, "[1] { NULL }", "§4.8.11: AS resources: tag is a1" },
	{ "AS numbers out of order", "INTEGER 64496 ", "INTEGER 64510 ",
		"RFC 3779 §3.2.3.4: AS numbers overlap or aren't in ascending order" },
	{ "an AS number twice", "INTEGER 64496 ", "INTEGER 64496 INTEGER 64496 ", "RFC 3779 §3.2.3.4: AS numbers overlap" },
	{ "an AS number in a range", "INTEGER 64496 ", "INTEGER 64500 ", "RFC 3779 §3.2.3.4: AS numbers overlap" },
	{ "adjacent AS numbers", "INTEGER 64496 ", "INTEGER 64499 ", "RFC 3779 §3.2.3.4: adjacent AS numbers aren't merged" },
	{ "a range of one", "INTEGER 64496 ", "SEQUENCE { INTEGER 64496 INTEGER 64496 } ",
		"RFC 3779 §3.2.3.8: min of a range isn't below" },
	{ "a range backwards", "INTEGER 64500 INTEGER 64505", "INTEGER 64505 INTEGER 64500",
		"RFC 3779 §3.2.3.8: min of a range isn't below" },
	{ "AS 0 alone", "INTEGER 64496 ", "INTEGER 0 ", "§4.8.11: AS resources: AS 0 stands alone" },
	{ "AS 4294967296", "INTEGER 64505 ", "INTEGER 4294967296 ", "§4.8.11: AS resources: is too large" },
	{ "AS -1", "INTEGER 64496 ", "INTEGER 0xff ", "§4.8.11: AS resources: is negative" },
	{ "AS number too long", "INTEGER 64496 ", "INTEGER 0x0000fbf0 ",
		"§4.8.11: AS resources: INTEGER isn't in its shortest form" },
	{ "AS range too long", "INTEGER 64505 }", "INTEGER 64505 NULL }", "§4.8.11: AS resources: has something behind" },
};

static void
lint_certificate__refuses_broken_resources(void **state)
{
	(void)state;
	EXPECT_REFUSALS(LINT_FIXTURE_CA, resources);
}

#define INHERITS "SEQUENCE { OCTETS 0001 NULL }\n SEQUENCE { OCTETS 0002 NULL }"

static const struct lint_fixture_row inheriting_ca[] = {
	{ "IPv4 not inherited", INHERITS, "SEQUENCE { OCTETS 0002 NULL }",
		"IPv4 must be inherited exactly if the issuer holds some" },
	{ "IPv6 not inherited", INHERITS, "SEQUENCE { OCTETS 0001 NULL }",
		"IPv6 must be inherited exactly if the issuer holds some" },
};

static const struct lint_fixture_row inheriting_ee[] = {
	{ "IPv4 not inherited", INHERITS, "SEQUENCE { OCTETS 0002 NULL }", "must all be inherited" },
	{ "IPv6 not inherited", INHERITS, "SEQUENCE { OCTETS 0001 NULL }", "must all be inherited" },
};

static const struct lint_fixture_row inheriting[] = {
	{ "no family", INHERITS, "", "RFC 3779 §2.2.3.1: IPAddrBlocks is empty" },
	{ "AS numbers listed", "[0] { NULL }", "[0] { SEQUENCE { INTEGER 64496 } }",
		"RFC 3779 §2.2.3.5: resources are listed where" },
	{ "IPv4 listed", "SEQUENCE { OCTETS 0001 NULL }", "SEQUENCE { OCTETS 0001 SEQUENCE { BITS 0a/0 } }",
		"RFC 3779 §2.2.3.5: resources are listed" },
	{ "inherit is no NULL", "[0] { NULL }", "[0] { =050100 }", "AS resources: NULL isn't empty" },
};

static const struct lint_fixture_row manifest[] = {
	{ "an EE with BasicConstraints", WITH("OID 2.5.29.19 BOOLEAN ff OCTETS { SEQUENCE { } }"),
		"§4.8.1: BasicConstraints must not be in an EE's certificate" },
	{ "a CA's usage", "BITS 80/7", "BITS 06/1", "§4.8.4: KeyUsage of an EE isn't digitalSignature alone" },
	{ "nonRepudiation", "BITS 80/7", "BITS c0/6", "§4.8.4: KeyUsage of an EE isn't digitalSignature alone" },
	{ "another object", "/issuer.mft\"", "/other.mft\"", "§4.8.8: SubjectInfoAccess isn't rsync://" },
	{ "notification in an EE's", "issuer.mft\" }", "issuer.mft\" } SEQUENCE { OID 1.3.6.1.5.5.7.48.13 [6] \"https://x/\" }",
		"§4.8.8: SubjectInfoAccess has an accessMethod too many" },
	{ "caRepository in an EE's", ACCESS "11 ", ACCESS "5 ", "§4.8.8: SubjectInfoAccess isn't id-ad-signedObject" },
	{ "notBefore isn't thisUpdate", "UTC \"261123000000Z\"", "UTC \"261123000001Z\"",
		"§4.6.1: notBefore isn't the one meant" },
	{ "notAfter isn't nextUpdate", "UTC \"261125000000Z\"", "UTC \"261125000001Z\"", "§4.6.2: notAfter isn't the one meant" },
};

static const struct lint_fixture_row roa[] = {
	{ "AS resources", "SEQUENCE { OID 1.3.6.1.5.5.7.1.7 BOOLEAN",
		AS_EXTENSION " SEQUENCE { [0] { SEQUENCE { INTEGER 64496 } } } } } SEQUENCE { OID 1.3.6.1.5.5.7.1.7 BOOLEAN",
		"RFC 9582 §5: a ROA's certificate has AS resources" },
	{ "inherited", "SEQUENCE { BITS c00002/0 }", "NULL", "RFC 3779 §2.2.3.5: resources are inherited" },
	{ "another object", "/0123456789abcdef.roa\"", "/0123456789abcdee.roa\"", "§4.8.8: SubjectInfoAccess isn't rsync://" },
};

static const struct lint_fixture_row ta[] = {
	{ "CRLDistributionPoints", WITH("OID 2.5.29.31 OCTETS { SEQUENCE { SEQUENCE { [0] { [0] { " CRL_URI " } } } } }"),
		"§4.8.6: CRLDistributionPoints must not be in a trust anchor's certificate" },
	{ "AuthorityInfoAccess", WITH("OID 1.3.6.1.5.5.7.1.1 OCTETS { SEQUENCE { " ACCESS "2 " PARENT_URI " } } }"),
		"§4.8.7: AuthorityInfoAccess must not be in a trust anchor's certificate" },
	{ "AKI of another key", WITH("OID 2.5.29.35 OCTETS { SEQUENCE { [0] 0000000000000000000000000000000000000000 } }"),
		"§4.8.3: AuthorityKeyIdentifier isn't the issuer's" },
	{ "another subject", "\" } } }\n=3082", "2\" } } }\n=3082", "§4.5: subject of a trust anchor isn't its issuer" },
	{ "inherits", "SEQUENCE { BITS /0 } }\n SEQUENCE", "NULL }\n SEQUENCE",
		"RFC 8630 §2.3: a trust anchor inherits resources" },
};

static void
lint_certificate__refuses_what_its_kind_may_not_have(void **state)
{
	(void)state;
	EXPECT_REFUSALS(LINT_FIXTURE_INHERITING_CA, inheriting);
	EXPECT_REFUSALS(LINT_FIXTURE_INHERITING_CA, inheriting_ca);
	EXPECT_REFUSALS(LINT_FIXTURE_MANIFEST, inheriting_ee);
	EXPECT_REFUSALS(LINT_FIXTURE_MANIFEST, inheriting);
	EXPECT_REFUSALS(LINT_FIXTURE_MANIFEST, manifest);
	EXPECT_REFUSALS(LINT_FIXTURE_ROA, roa);
	EXPECT_REFUSALS(LINT_FIXTURE_TA, ta);
}

/* Each extension that one kind or another must have, and how critical it is. */
static const struct {
	const char *oid, *name;
	bool critical, ta, ca, ee;
} required[] = {
	{ "2.5.29.19", "§4.8.1: BasicConstraints", true, true, true, false },
	{ "2.5.29.14", "§4.8.2: SubjectKeyIdentifier", false, true, true, true },
	{ "2.5.29.35", "§4.8.3: AuthorityKeyIdentifier", false, false, true, true },
	{ "2.5.29.15", "§4.8.4: KeyUsage", true, true, true, true },
	{ "2.5.29.31", "§4.8.6: CRLDistributionPoints", false, false, true, true },
	{ "1.3.6.1.5.5.7.1.1", "§4.8.7: AuthorityInfoAccess", false, false, true, true },
	{ "1.3.6.1.5.5.7.1.11", "§4.8.8: SubjectInfoAccess", false, true, true, true },
	{ "2.5.29.32", "§4.8.9: CertificatePolicies", true, true, true, true },
	{ "1.3.6.1.5.5.7.1.7", "§4.8.10: IP resources", true, true, true, true },
	{ "1.3.6.1.5.5.7.1.8", "§4.8.11: AS resources", true, true, true, false },
};

/* Where the extension with this OID begins, and its length up to the brace that closes it. */
static const char *
extension_find(const char *text, const char *oid, size_t *length)
{
	char start[64];
	(void)snprintf(start, sizeof start, "SEQUENCE { OID %s ", oid);
	const char *found = strstr(text, start);
	int depth = 0;
	bool quoted = false;
	assert_non_null(found);
	for (const char *at = found; *at != '\0'; at++) {
		quoted ^= *at == '"';
		depth += quoted ? 0 : (*at == '{') - (*at == '}');
		if (*at == '}' && !quoted && depth == 0) {
			*length = (size_t)(at - found) + 1;
			return found;
		}
	}
	fail();
	return NULL;
}

/* The text with the extension replaced by what the printf format says of it; %s is the extension, or once more. */
static void
expect_refusal_without(const struct lint_fixture *fixture, const char *oid, const char *format, const char *name,
	const char *rule)
{
	size_t length = 0;
	struct fault fault = FAULT_INIT;
	char *text = lint_fixture_certificate(fixture);
	const char *found = extension_find(text, oid, &length);
	char *extension = strndup(found, length);
	struct bytes edited = BYTES_INIT;
	char expected[128];
	(void)snprintf(expected, sizeof expected, "%s%s", name, rule);
	assert_int_equal(bytes_append(&edited, text, (size_t)(found - text), NULL), FAULT_NONE);
	for (; *format != '\0'; format++)
		assert_int_equal(bytes_append_text(&edited, *format == '%' ? extension : " ", NULL), FAULT_NONE);
	assert_int_equal(bytes_append_text(&edited, found + length, NULL), FAULT_NONE);
	enum fault_code code = look_at_text(bytes_text(&edited), fixture, &fault);
	assert_true(lint_fixture_refused(kind_names[fixture->kind], code, &fault, expected));
	bytes_clear(&edited);
	free(extension);
	free(text);
}

static void
expect_refusal_of_criticality(const struct lint_fixture *fixture, size_t index)
{
	char from[64], to[64], with_false[64];
	const char *oid = required[index].oid;
	(void)snprintf(from, sizeof from, "OID %s %s", oid, required[index].critical ? "BOOLEAN ff OCTETS" : "OCTETS");
	(void)snprintf(to, sizeof to, "OID %s %s", oid, required[index].critical ? "OCTETS" : "BOOLEAN ff OCTETS");
	(void)snprintf(with_false, sizeof with_false, "OID %s BOOLEAN 00 OCTETS", oid);
	const struct lint_fixture_row rows[] = {
		{ required[index].name, from, to, required[index].critical ? "must be critical" : "must not be critical" },
		{ required[index].name, from, with_false, "critical is FALSE, its default, and must be left out (X.690 §11.5)" },
	};
	char *text = lint_fixture_certificate(fixture);
	assert_int_equal(lint_fixture_failures(text, rows, 2, look, fixture), 0);
	free(text);
}

static void
lint_certificate__demands_each_extension_once_and_rightly_critical(void **state)
{
	(void)state;
	for (enum lint_fixture_kind kind = 0; kind < LINT_FIXTURE_KINDS; kind++) {
		struct lint_fixture fixture;
		lint_fixture_init(&fixture, kind, NULL, NULL);
		for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
			bool resources_of = strstr(required[i].name, "resources") != NULL;
			bool has = kind == LINT_FIXTURE_TA ? required[i].ta : fixture.wanted.ca ? required[i].ca : required[i].ee;
			if (!has)
				continue;
			expect_refusal_without(&fixture, required[i].oid, "%%", required[i].name, " is there twice");
			expect_refusal_of_criticality(&fixture, i);
			const char *rule = " is missing in ";
			if (resources_of)
				rule = kind == LINT_FIXTURE_ROA ? "neither IP nor AS" : fixture.wanted.resources != NULL ?
					"aren't exactly those meant" : kind == LINT_FIXTURE_MANIFEST ? "must all be inherited" :
					"must be inherited exactly if";
			expect_refusal_without(&fixture, required[i].oid, "", resources_of ? "" : required[i].name, rule);
		}
		lint_fixture_clear(&fixture);
	}
}

static void
lint_certificate__refuses_trailing_bytes_and_truncation(void **state)
{
	(void)state;
	for (enum lint_fixture_kind kind = 0; kind < LINT_FIXTURE_KINDS; kind++) {
		struct lint_fixture fixture;
		struct fault fault = FAULT_INIT;
		struct bytes der = BYTES_INIT;
		lint_fixture_init(&fixture, kind, NULL, NULL);
		char *text = lint_fixture_certificate(&fixture);
		der_builder_encode(text, &der);
		free(text);
		for (size_t length = 0; length < der.length; length++) {
			uint8_t *exact = malloc(length + 1);
			assert_non_null(exact);
			memcpy(exact, der.data, length);
			assert_int_equal(look(SPAN(exact, length), &fixture, &fault), FAULT_LINT);
			free(exact);
		}
		assert_int_equal(bytes_append(&der, "", 1, NULL), FAULT_NONE);
		assert_int_equal(look(bytes_span(&der), &fixture, &fault), FAULT_LINT);
		assert_non_null(strstr(fault.message, "behind its last field"));
		bytes_clear(&der);
		lint_fixture_clear(&fixture);
	}
}

/* Whatever octet is another one: refused, or it means something else, which only the serial number may. */
static void
lint_certificate__notices_each_changed_octet(void **state)
{
	(void)state;
	struct lint_fixture fixture;
	struct bytes der = BYTES_INIT;
	lint_fixture_init(&fixture, LINT_FIXTURE_MANIFEST, NULL, NULL);
	char *text = lint_fixture_certificate(&fixture);
	der_builder_encode(text, &der);
	for (size_t i = 0; i < der.length; i++) {
		uint8_t octet = der.data[i];
		der.data[i] = octet ^ 0x01;
		bool in_serial = i >= 11 && i < 11 + 16;
		assert_int_equal(look(bytes_span(&der), &fixture, NULL), in_serial ? FAULT_NONE : FAULT_LINT);
		der.data[i] = octet;
	}
	assert_int_equal(look(bytes_span(&der), &fixture, NULL), FAULT_NONE);
	free(text);
	bytes_clear(&der);
	lint_fixture_clear(&fixture);
}

/* Changes what is wanted; the certificate is then made to it, unless the row says that it stays as it was. */
static const char long_uri_segment[2100] = "rsync://rpki.example/repo/issuer/aaaa";

static void
ask_own_key(struct lint_fixture *f)
{
	f->wanted.spki = f->issuer.spki;
}

static void
ask_wrong_issuer_identifier(struct lint_fixture *f)
{
	f->issuer.key_identifier[19] ^= 1;
}

static void
ask_broken_issuer_key(struct lint_fixture *f)
{
	f->issuer_spki.data[f->issuer_spki.length - 1] = 3;
}

static void
ask_renewal(struct lint_fixture *f)
{
	f->wanted.renewal = true;
	f->wanted.previous_not_before_at = LINT_FIXTURE_BEFORE;
}

static void
ask_later_start(struct lint_fixture *f)
{
	f->wanted.not_before_at = LINT_FIXTURE_BEFORE + 1;
}

static void
ask_inheriting_ta(struct lint_fixture *f)
{
	f->wanted.resources = NULL;
}

static void
ask_more_than_issuer_has(struct lint_fixture *f)
{
	resource_set_clear(&f->issuer_resources);
	assert_int_equal(resource_set_parse_addresses(&f->issuer_resources, FAMILY_IPV4, "10.0.0.0/8", NULL), FAULT_NONE);
	assert_int_equal(resource_set_parse_addresses(&f->issuer_resources, FAMILY_IPV4, "192.0.2.0-192.0.2.129", NULL),
		FAULT_NONE);
	assert_int_equal(resource_set_parse_addresses(&f->issuer_resources, FAMILY_IPV6, "2001:db8::/32", NULL), FAULT_NONE);
	assert_int_equal(resource_set_parse_asns(&f->issuer_resources, "0-4294967295", NULL), FAULT_NONE);
	assert_int_equal(resource_set_normalise(&f->issuer_resources, NULL), FAULT_NONE);
}

static void
ask_issuer_without_asns(struct lint_fixture *f)
{
	f->issuer_resources.asns_count = 0;
}

static void
ask_repository_without_slash(struct lint_fixture *f)
{
	f->wanted.repository_uri = "rsync://rpki.example/repo/subject";
	f->wanted.manifest_uri = "rsync://rpki.example/repo/subjectx.mft";
}

static void
ask_manifest_elsewhere(struct lint_fixture *f)
{
	f->wanted.manifest_uri = "rsync://rpki.example/repo/subject/deeper/subject.mft";
}

static void
ask_manifest_of_another_extension(struct lint_fixture *f)
{
	f->wanted.manifest_uri = "rsync://rpki.example/repo/subject/subject.roa";
}

static void
ask_plain_http(struct lint_fixture *f)
{
	f->wanted.notification_uri = "http://rrdp.example/rrdp/notification.xml";
}

static void
ask_dot_segment(struct lint_fixture *f)
{
	f->wanted.repository_uri = "rsync://rpki.example/repo/../subject/";
	f->wanted.manifest_uri = "rsync://rpki.example/repo/../subject/subject.mft";
}

static void
ask_long_uri(struct lint_fixture *f)
{
	static char uri[sizeof long_uri_segment];
	memset(uri, 'a', sizeof uri - 1);
	memcpy(uri, long_uri_segment, strlen(long_uri_segment));
	memcpy(uri + sizeof uri - 5, ".roa", 5);
	f->wanted.object_uri = uri;
}

static void
ask_object_elsewhere(struct lint_fixture *f)
{
	f->wanted.object_uri = "rsync://rpki.example/repo/other/0123456789abcdef.roa";
}

static void
ask_object_deeper(struct lint_fixture *f)
{
	f->wanted.object_uri = "rsync://rpki.example/repo/issuer/x/0123456789abcdef.roa";
}

static void
ask_object_with_two_dots(struct lint_fixture *f)
{
	f->wanted.object_uri = "rsync://rpki.example/repo/issuer/0123.4567.roa";
}

static void
ask_object_that_is_a_certificate(struct lint_fixture *f)
{
	f->wanted.object_uri = "rsync://rpki.example/repo/issuer/0123456789abcdef.cer";
}

static void
ask_roa_for_inherited(struct lint_fixture *f)
{
	f->wanted.object_uri = "rsync://rpki.example/repo/issuer/0123456789abcdef.roa";
	f->wanted.not_before_at = f->wanted.not_after_at = 0;
}

static void
ask_manifest_for_listed(struct lint_fixture *f)
{
	f->wanted.object_uri = "rsync://rpki.example/repo/issuer/issuer.mft";
}

static void
ask_crl_elsewhere(struct lint_fixture *f)
{
	f->issuer.crl_uri = "rsync://rpki.example/repo/parent/issuer.crl";
}

static void
ask_without_certificate_uri(struct lint_fixture *f)
{
	f->issuer.certificate_uri = NULL;
}

static void
ask_without_object_uri(struct lint_fixture *f)
{
	f->wanted.object_uri = NULL;
}

static void
ask_without_notification(struct lint_fixture *f)
{
	f->wanted.notification_uri = NULL;
}

static void
ask_ca_as_ee(struct lint_fixture *f)
{
	f->wanted.ca = false;
}

static const struct {
	const char *label;
	enum lint_fixture_kind kind;
	void (*ask)(struct lint_fixture *fixture);
	bool as_before;                 /* the certificate is made before what is wanted changes */
	const char *rule;
} wishes[] = {
	{ "issuer's own key", LINT_FIXTURE_CA, ask_own_key, false, "§4.7: subjectPublicKeyInfo must be the issuer's own for" },
	{ "issuer's identifier wrong", LINT_FIXTURE_CA, ask_wrong_issuer_identifier, true,
		"§4.8.3: the issuer's key identifier isn't its key's" },
	{ "issuer's key broken", LINT_FIXTURE_CA, ask_broken_issuer_key, true, "RFC 7935 §3: the issuer's key" },
	{ "renewal that doesn't rise", LINT_FIXTURE_CA, ask_renewal, false,
		"§4.6.1: notBefore of a renewed certificate doesn't rise" },
	{ "renewed TA that doesn't rise", LINT_FIXTURE_TA, ask_renewal, false,
		"§4.6.1: notBefore of a renewed certificate doesn't rise" },
	{ "another start", LINT_FIXTURE_CA, ask_later_start, false, "§4.6.1: notBefore isn't the one meant" },
	{ "TA that inherits", LINT_FIXTURE_TA, ask_inheriting_ta, true, "RFC 8630 §2.3: a trust anchor inherits" },
	{ "over-claim by one address", LINT_FIXTURE_CA, ask_more_than_issuer_has, true,
		"RFC 6487 §7.2: resources aren't all the issuer's" },
	{ "inherits what isn't there", LINT_FIXTURE_INHERITING_CA, ask_issuer_without_asns, true,
		"AS numbers must be inherited exactly if" },
	{ "repository without slash", LINT_FIXTURE_CA, ask_repository_without_slash, false,
		"caRepository doesn't end with a slash" },
	{ "manifest elsewhere", LINT_FIXTURE_CA, ask_manifest_elsewhere, false,
		"rpkiManifest isn't a .mft file in caRepository" },
	{ "manifest named .roa", LINT_FIXTURE_CA, ask_manifest_of_another_extension, false,
		"rpkiManifest isn't a .mft file in caRepository" },
	{ "http", LINT_FIXTURE_CA, ask_plain_http, false, "SubjectInfoAccess isn't an https URI" },
	{ "dot segment", LINT_FIXTURE_CA, ask_dot_segment, false, "SubjectInfoAccess isn't an rsync URI" },
	{ "long URI", LINT_FIXTURE_ROA, ask_long_uri, false, "SubjectInfoAccess isn't an rsync URI" },
	{ "object elsewhere", LINT_FIXTURE_ROA, ask_object_elsewhere, false, "signedObject isn't a signed object's file in" },
	{ "object deeper", LINT_FIXTURE_ROA, ask_object_deeper, false, "signedObject isn't a signed object's file in" },
	{ "object with two dots", LINT_FIXTURE_ROA, ask_object_with_two_dots, false,
		"signedObject isn't a signed object's file in" },
	{ "object named .cer", LINT_FIXTURE_ROA, ask_object_that_is_a_certificate, false,
		"signedObject isn't a signed object's file in" },
	{ "ROA that inherits", LINT_FIXTURE_MANIFEST, ask_roa_for_inherited, false,
		"RFC 9582 §5: a ROA's certificate has AS resources" },
	{ "manifest that lists", LINT_FIXTURE_ROA, ask_manifest_for_listed, false,
		"RFC 9286 §5.1: a manifest's certificate doesn't inherit" },
	{ "CRL elsewhere", LINT_FIXTURE_CA, ask_crl_elsewhere, false, "RFC 6481 §2.2: the CRL isn't a .crl file" },
	{ "no certificate URI", LINT_FIXTURE_CA, ask_without_certificate_uri, true,
		"§4.8.7: AuthorityInfoAccess isn't to be there" },
	{ "no object URI", LINT_FIXTURE_ROA, ask_without_object_uri, true, "§4.8.8: SubjectInfoAccess isn't to be there" },
	{ "no notification", LINT_FIXTURE_CA, ask_without_notification, true,
		"§4.8.8: SubjectInfoAccess has an accessMethod too many" },
	{ "an EE with a CA's certificate", LINT_FIXTURE_CA, ask_ca_as_ee, true,
		"BasicConstraints must not be in an EE's certificate" },
};

static void
lint_certificate__refuses_what_is_not_meant(void **state)
{
	(void)state;
	size_t failures = 0;
	for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
		struct lint_fixture fixture;
		struct fault fault = FAULT_INIT;
		lint_fixture_init(&fixture, wishes[i].kind, NULL, NULL);
		char *text = wishes[i].as_before ? lint_fixture_certificate(&fixture) : NULL;
		wishes[i].ask(&fixture);
		if (text == NULL)
			text = lint_fixture_certificate(&fixture);
		enum fault_code code = look_at_text(text, &fixture, &fault);
		failures += !lint_fixture_refused(wishes[i].label, code, &fault, wishes[i].rule);
		free(text);
		lint_fixture_clear(&fixture);
	}
	assert_int_equal(failures, 0);
}

static void
lint_certificate__refuses_keys_of_other_sizes(void **state)
{
	(void)state;
	char modulus[769];
	for (size_t digits = 256; digits <= 768; digits += 128) {
		struct lint_fixture fixture;
		struct fault fault = FAULT_INIT;
		memset(modulus, 'f', digits);
		modulus[digits] = '\0';
		lint_fixture_init(&fixture, LINT_FIXTURE_CA, NULL, modulus);
		char *text = lint_fixture_certificate(&fixture);
		enum fault_code code = look_at_text(text, &fixture, &fault);
		if (digits == 512)
			assert_int_equal(code, FAULT_NONE);
		else
			assert_true(lint_fixture_refused("size of key", code, &fault,
				"RSA modulus isn't an odd number of 2048 bits"));
		free(text);
		lint_fixture_clear(&fixture);
	}
}

/* An issuer that holds no IPv6 and no AS numbers: then a CA below it inherits none, but a manifest's certificate does all the same. */
static void
lint_certificate__inherits_only_what_the_issuer_holds(void **state)
{
	(void)state;
	struct lint_fixture fixture;
	struct fault fault = FAULT_INIT;
	lint_fixture_init(&fixture, LINT_FIXTURE_MANIFEST, NULL, NULL);
	fixture.issuer_resources.asns_count = 0;
	fixture.issuer_resources.ipv6.count = 0;
	char *text = lint_fixture_certificate(&fixture);
	assert_int_equal(look_at_text(text, &fixture, &fault), FAULT_NONE);
	free(text);
	lint_fixture_clear(&fixture);
	lint_fixture_init(&fixture, LINT_FIXTURE_INHERITING_CA, NULL, NULL);
	fixture.issuer_resources.asns_count = 0;
	fixture.issuer_resources.ipv6.count = 0;
	text = lint_fixture_certificate(&fixture);
	char *ipv4 = der_builder_edit(text, "\n SEQUENCE { OCTETS 0002 NULL }", "");
	char *edited = der_builder_edit(ipv4, AS_EXTENSION " SEQUENCE { [0] { NULL } } } }", "");
	assert_int_equal(look_at_text(edited, &fixture, &fault), FAULT_NONE);
	free(edited);
	free(ipv4);
	free(text);
	lint_fixture_clear(&fixture);
}

/* A trust anchor may name its own key as its issuer's. */
static void
lint_certificate__takes_an_authority_key_of_a_trust_anchor(void **state)
{
	(void)state;
	struct lint_fixture fixture;
	struct fault fault = FAULT_INIT;
	char extension[256] = AS_EXTENSION;
	lint_fixture_init(&fixture, LINT_FIXTURE_TA, NULL, NULL);
	char *text = lint_fixture_certificate(&fixture);
	(void)snprintf(extension, sizeof extension, "SEQUENCE { OID 2.5.29.35 OCTETS { SEQUENCE { [0] %02x%02x",
		fixture.issuer.key_identifier[0],
		fixture.issuer.key_identifier[1]);
	for (size_t i = 2; i < LINT_FIXTURE_IDENTIFIER; i++)
		(void)snprintf(extension + strlen(extension), 3, "%02x", fixture.issuer.key_identifier[i]);
	(void)snprintf(extension + strlen(extension), sizeof extension - strlen(extension), " } } } " AS_EXTENSION);
	char *edited = der_builder_edit(text, AS_EXTENSION, extension);
	assert_int_equal(look_at_text(edited, &fixture, &fault), FAULT_NONE);
	free(edited);
	free(text);
	lint_fixture_clear(&fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lint_certificate__takes_a_good_one_of_each_kind),
		cmocka_unit_test(lint_certificate__takes_what_is_allowed),
		cmocka_unit_test(lint_certificate__refuses_broken_fields),
		cmocka_unit_test(lint_certificate__refuses_broken_extensions),
		cmocka_unit_test(lint_certificate__refuses_broken_resources),
		cmocka_unit_test(lint_certificate__refuses_what_its_kind_may_not_have),
		cmocka_unit_test(lint_certificate__demands_each_extension_once_and_rightly_critical),
		cmocka_unit_test(lint_certificate__refuses_trailing_bytes_and_truncation),
		cmocka_unit_test(lint_certificate__notices_each_changed_octet),
		cmocka_unit_test(lint_certificate__refuses_what_is_not_meant),
		cmocka_unit_test(lint_certificate__refuses_keys_of_other_sizes),
		cmocka_unit_test(lint_certificate__inherits_only_what_the_issuer_holds),
		cmocka_unit_test(lint_certificate__takes_an_authority_key_of_a_trust_anchor),
	};
	return cmocka_run_group_tests_name("lint_certificate", tests, NULL, NULL);
}
