#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <gnutls/x509.h>
#include <string.h>
#include <unistd.h>

#include "api/cli/tls_certificate.h"
#include "api/server/tls.h"
#include "ca/base/atomic_file.h"
#include "ca/base/log.h"
#include "tests/unit/scratch.h"

#define NOW INT64_C(1767225600)

struct pems {
	struct bytes certificate, key;
};

static void
pems_clear(struct pems *pems)
{
	bytes_clear(&pems->certificate);
	bytes_clear(&pems->key);
}

static struct pems
make(const char *name)
{
	struct pems pems = { .certificate = BYTES_INIT };
	const char *const names[] = { name };
	assert_int_equal(tls_certificate_make(names, 1, NOW, &pems.certificate, &pems.key, NULL), FAULT_NONE);
	return pems;
}

static void
put(void **state, const char *name, const struct bytes *content)
{
	assert_int_equal(atomic_file_put(AT_FDCWD, scratch_path(state, name), bytes_span(content), 0600, ATOMIC_FILE_KEEP_TIME,
				 NULL),
		FAULT_NONE);
}

static void
put_text(void **state, const char *name, const char *text)
{
	assert_int_equal(atomic_file_put(AT_FDCWD, scratch_path(state, name), SPAN(text, strlen(text)), 0600,
				 ATOMIC_FILE_KEEP_TIME, NULL),
		FAULT_NONE);
}

static enum fault_code
open_tls(void **state, struct tls **ret_tls, int *ret_directory, struct fault *fault)
{
	*ret_directory = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return tls_new(*ret_directory, "c.pem", "k.pem", ret_tls, fault);
}

/* Is the certificate given to handshakes for that name? */
static bool
serves(struct tls *tls, const char *name)
{
	gnutls_pcert_st *chain;
	gnutls_privkey_t key;
	gnutls_x509_crt_t certificate;
	unsigned count = 0;
	assert_int_equal(tls_copy(tls, &chain, &count, &key), 0);
	assert_int_equal(count, 1);
	assert_int_equal(gnutls_pcert_export_x509(&chain[0], &certificate), 0);
	bool result = gnutls_x509_crt_check_hostname(certificate, name) != 0;
	gnutls_x509_crt_deinit(certificate);
	gnutls_pcert_deinit(&chain[0]);
	gnutls_free(chain);
	gnutls_privkey_deinit(key);
	return result;
}

static void
tls__reads_a_pair(void **state)
{
	AUTO(struct tls, tls_free) tls = NULL;
	AUTO_CLEAR(int, descriptor_close) directory = -1;
	AUTO_CLEAR(struct pems, pems_clear) pems = make("a.example.net");
	put(state, "c.pem", &pems.certificate);
	put(state, "k.pem", &pems.key);
	assert_int_equal(open_tls(state, &tls, &directory, NULL), FAULT_NONE);
	assert_true(serves(tls, "a.example.net"));
	assert_false(serves(tls, "b.example.net"));
}

static void
tls__names_what_is_wrong(void **state)
{
	AUTO_CLEAR(struct pems, pems_clear) one = make("a.example.net"), other = make("b.example.net");
	const struct {
		const char *certificate, *key, *words;
	} cases[] = {
		{ NULL, NULL, "there is no file c.pem" },
		{ bytes_text(&one.certificate), NULL, "there is no file k.pem" },
		{ "", bytes_text(&one.key), "c.pem holds no certificate" },
		{ "nonsense", bytes_text(&one.key), "c.pem holds no certificate" },
		{ bytes_text(&one.key), bytes_text(&one.key), "c.pem holds no certificate" },
		{ bytes_text(&one.certificate), "", "k.pem holds no private key" },
		{ bytes_text(&one.certificate), bytes_text(&one.certificate), "k.pem holds no private key" },
		{ bytes_text(&one.certificate), bytes_text(&other.key),
			"k.pem is not the key of the first certificate in c.pem" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO(struct tls, tls_free) tls = NULL;
		AUTO_CLEAR(int, descriptor_close) directory = -1;
		struct fault fault = FAULT_INIT;
		if (cases[i].certificate != NULL)
			put_text(state, "c.pem", cases[i].certificate);
		if (cases[i].key != NULL)
			put_text(state, "k.pem", cases[i].key);
		assert_int_equal(open_tls(state, &tls, &directory, &fault), FAULT_CONFIG);
		if (strstr(fault.message, cases[i].words) == NULL)
			fail_msg("%s", fault.message);
	}
}

static void
tls__takes_a_changed_pair(void **state)
{
	AUTO(struct tls, tls_free) tls = NULL;
	AUTO_CLEAR(int, descriptor_close) directory = -1;
	AUTO_CLEAR(struct pems, pems_clear) one = make("a.example.net"), other = make("b.example.net");
	log_set_level(LOG_ERROR);
	put(state, "c.pem", &one.certificate);
	put(state, "k.pem", &one.key);
	assert_int_equal(open_tls(state, &tls, &directory, NULL), FAULT_NONE);
	tls_refresh(tls);
	assert_true(serves(tls, "a.example.net"));
	/* Half of it: logged, and the old pair stays. */
	put(state, "c.pem", &other.certificate);
	tls_refresh(tls);
	assert_true(serves(tls, "a.example.net"));
	put(state, "k.pem", &other.key);
	tls_refresh(tls);
	assert_true(serves(tls, "b.example.net"));
}

static void
tls__keeps_its_pair_when_the_files_go(void **state)
{
	AUTO(struct tls, tls_free) tls = NULL;
	AUTO_CLEAR(int, descriptor_close) directory = -1;
	AUTO_CLEAR(struct pems, pems_clear) one = make("a.example.net");
	put(state, "c.pem", &one.certificate);
	put(state, "k.pem", &one.key);
	assert_int_equal(open_tls(state, &tls, &directory, NULL), FAULT_NONE);
	assert_int_equal(unlink(scratch_path(state, "c.pem")), 0);
	tls_refresh(tls);
	tls_refresh(tls);
	put_text(state, "k.pem", "nonsense");
	tls_refresh(tls);
	assert_true(serves(tls, "a.example.net"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tls__reads_a_pair, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(tls__names_what_is_wrong, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(tls__takes_a_changed_pair, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(tls__keeps_its_pair_when_the_files_go, scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
