#include "api/cli/tls_certificate.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "ca/base/scope.h"

#define VALID_S (INT64_C(3652) * 24 * 3600)
#define BACKDATE_S 3600

SCOPED(EVP_PKEY, EVP_PKEY_free)
SCOPED(X509, X509_free)
SCOPED(BIO, BIO_free_all)
SCOPED(GENERAL_NAMES, GENERAL_NAMES_free)
SCOPED(BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free)

static enum fault_code
failed(struct fault *fault)
{
	return fault_set(fault, FAULT_CRYPTO, "making the TLS certificate failed");
}

static bool
add_name(GENERAL_NAMES *names, const char *text)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	unsigned char address[16];
	int length = inet_pton(AF_INET, text, address) == 1 ? 4 : inet_pton(AF_INET6, text, address) == 1 ? 16 : 0;
	ASN1_STRING *value = length > 0 ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
	if (name == NULL || value == NULL ||
		!ASN1_STRING_set(value, length > 0 ? (const void *)address : text, length > 0 ? length : (int)strlen(text)) ||
		sk_GENERAL_NAME_push(names, name) == 0) {
		GENERAL_NAME_free(name);
		ASN1_STRING_free(value);
		return false;
	}
	GENERAL_NAME_set0_value(name, length > 0 ? GEN_IPADD : GEN_DNS, value);
	return true;
}

static bool
set_fields(X509 *certificate, EVP_PKEY *key, const char *common_name, int64_t now_at)
{
	unsigned char serial[16];
	X509_NAME *name = X509_get_subject_name(certificate);
	if (RAND_bytes(serial, sizeof serial) != 1)
		return false;
	serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40);
	BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
	bool done = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
	BN_free(number);
	return done && X509_set_version(certificate, X509_VERSION_3) &&
		X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1, 0) &&
		X509_set_issuer_name(certificate, name) && X509_set_pubkey(certificate, key) &&
		ASN1_TIME_adj(X509_getm_notBefore(certificate), now_at, 0, -BACKDATE_S) != NULL &&
		ASN1_TIME_adj(X509_getm_notAfter(certificate), now_at, 0, VALID_S) != NULL;
}

/*
 * It is its own trust anchor: validators and clients are given this very file to trust. But no CA: the TLS library of Routinator
 * takes none as the certificate of a server, and all others take it as it is.
 */
static bool
add_extensions(X509 *certificate, const char *const *names, size_t count)
{
	AUTO(GENERAL_NAMES, GENERAL_NAMES_free) alternatives = GENERAL_NAMES_new();
	AUTO(BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free) constraints = BASIC_CONSTRAINTS_new();
	if (alternatives == NULL || constraints == NULL)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!add_name(alternatives, names[i]))
			return false;
	return X509_add1_ext_i2d(certificate, NID_basic_constraints, constraints, 1, X509V3_ADD_DEFAULT) == 1 &&
		X509_add1_ext_i2d(certificate, NID_subject_alt_name, alternatives, 0, X509V3_ADD_DEFAULT) == 1;
}

static enum fault_code
take_pem(BIO *bio, struct bytes *ret_text, struct fault *fault)
{
	char *text;
	long length = BIO_get_mem_data(bio, &text);
	return length > 0 ? bytes_append(ret_text, text, (size_t)length, fault) : failed(fault);
}

enum fault_code
tls_certificate_make(const char *const *names, size_t count, int64_t now_at, struct bytes *ret_certificate, struct bytes *ret_key,
	struct fault *fault)
{
	AUTO(EVP_PKEY, EVP_PKEY_free) key = EVP_EC_gen("P-256");
	AUTO(X509, X509_free) certificate = X509_new();
	AUTO(BIO, BIO_free_all) certificate_pem = BIO_new(BIO_s_mem());
	AUTO(BIO, BIO_free_all) key_pem = BIO_new(BIO_s_secmem());
	INVARIANT(count > 0);
	/* The names that count stand in subjectAltName; a CommonName takes 64 characters (RFC 5280, ub-common-name). */
	const char *common_name = strlen(names[0]) <= 64 ? names[0] : "cadastre";
	if (key == NULL || certificate == NULL || certificate_pem == NULL || key_pem == NULL ||
		!set_fields(certificate, key, common_name, now_at) || !add_extensions(certificate, names, count) ||
		X509_sign(certificate, key, EVP_sha256()) == 0 || !PEM_write_bio_X509(certificate_pem, certificate) ||
		!PEM_write_bio_PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL))
		return failed(fault);
	TRY(take_pem(certificate_pem, ret_certificate, fault));
	return take_pem(key_pem, ret_key, fault);
}
