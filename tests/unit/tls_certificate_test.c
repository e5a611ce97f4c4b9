#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "api/cli/tls_certificate.h"
#include "ca/base/scope.h"

#define NOW INT64_C(1795478400)
#define DAY INT64_C(86400)

SCOPED(BIO, BIO_free_all)

struct made {
	X509 *certificate;
	EVP_PKEY *key;
};

static void
made_free(struct made *made)
{
	X509_free(made->certificate);
	EVP_PKEY_free(made->key);
}

static struct made
make(const char *const *names, size_t count)
{
	AUTO_CLEAR(struct bytes, bytes_clear) certificate = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) key = BYTES_INIT;
	struct fault fault = FAULT_INIT;
	if (tls_certificate_make(names, count, NOW, &certificate, &key, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	AUTO(BIO, BIO_free_all) certificate_bio = BIO_new_mem_buf(certificate.data, (int)certificate.length);
	AUTO(BIO, BIO_free_all) key_bio = BIO_new_mem_buf(key.data, (int)key.length);
	struct made made = {
		PEM_read_bio_X509(certificate_bio, NULL, NULL, NULL), PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL),
	};
	assert_non_null(made.certificate);
	assert_non_null(made.key);
	return made;
}

static void
free_time(ASN1_TIME **time)
{
	ASN1_TIME_free(*time);
}

/* Seconds from NOW. */
static int64_t
from_now(const ASN1_TIME *time)
{
	AUTO_CLEAR(ASN1_TIME *, free_time) now = ASN1_TIME_set(NULL, NOW);
	int days, seconds;
	assert_int_equal(ASN1_TIME_diff(&days, &seconds, now, time), 1);
	return days * DAY + seconds;
}

static void
tls_certificate__fits_its_key_and_itself(void **state)
{
	static const char *const names[] = { "rrdp.example.net" };
	(void)state;
	AUTO_CLEAR(struct made, made_free) made = make(names, 1);
	assert_int_equal(X509_check_private_key(made.certificate, made.key), 1);
	assert_int_equal(X509_verify(made.certificate, made.key), 1);
	assert_int_equal(EVP_PKEY_get_base_id(made.key), EVP_PKEY_EC);
	assert_int_equal(EVP_PKEY_get_bits(made.key), 256);
	assert_int_equal(X509_get_version(made.certificate), X509_VERSION_3);
}

static void
tls_certificate__is_no_ca(void **state)
{
	static const char *const names[] = { "rrdp.example.net" };
	(void)state;
	AUTO_CLEAR(struct made, made_free) made = make(names, 1);
	assert_int_equal(X509_check_ca(made.certificate), 0);
	assert_int_equal(X509_check_purpose(made.certificate, X509_PURPOSE_SSL_SERVER, 0), 1);
}

static void
tls_certificate__is_valid_for_ten_years(void **state)
{
	static const char *const names[] = { "rrdp.example.net" };
	(void)state;
	AUTO_CLEAR(struct made, made_free) made = make(names, 1);
	assert_int_equal(from_now(X509_get0_notBefore(made.certificate)), -3600);
	assert_int_equal(from_now(X509_get0_notAfter(made.certificate)), 3652 * DAY);
}

static void
tls_certificate__is_for_all_its_names_and_no_other(void **state)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "2001:db8::1", "rrdp.example.net" };
	(void)state;
	AUTO_CLEAR(struct made, made_free) made = make(names, 4);
	X509 *certificate = made.certificate;
	assert_int_equal(X509_check_host(certificate, "localhost", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(certificate, "rrdp.example.net", 0, 0, NULL), 1);
	assert_int_equal(X509_check_ip_asc(certificate, "127.0.0.1", 0), 1);
	assert_int_equal(X509_check_ip_asc(certificate, "2001:db8::1", 0), 1);
	assert_int_equal(X509_check_host(certificate, "example.net", 0, 0, NULL), 0);
	assert_int_equal(X509_check_host(certificate, "x.rrdp.example.net", 0, 0, NULL), 0);
	assert_int_equal(X509_check_ip_asc(certificate, "127.0.0.2", 0), 0);
	/* An address is no name: a client that asks for the name "127.0.0.1" is refused. */
	assert_int_equal(X509_check_host(certificate, "127.0.0.1", 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL), 0);
}

static void
tls_certificate__is_another_each_time(void **state)
{
	static const char *const names[] = { "rrdp.example.net" };
	(void)state;
	AUTO_CLEAR(struct made, made_free) one = make(names, 1);
	AUTO_CLEAR(struct made, made_free) other = make(names, 1);
	assert_int_equal(EVP_PKEY_eq(one.key, other.key), 0);
	assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(one.certificate), X509_get0_serialNumber(other.certificate)), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tls_certificate__fits_its_key_and_itself),
		cmocka_unit_test(tls_certificate__is_no_ca),
		cmocka_unit_test(tls_certificate__is_valid_for_ten_years),
		cmocka_unit_test(tls_certificate__is_for_all_its_names_and_no_other),
		cmocka_unit_test(tls_certificate__is_another_each_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
