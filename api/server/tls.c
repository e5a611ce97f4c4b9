#include "api/server/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "ca/base/atomic_file.h"
#include "ca/base/log.h"
#include "ca/base/memory.h"
#include "ca/base/secret.h"

#define KEY_ID_MAX 64

struct pair {
	gnutls_x509_crt_t chain[TLS_CHAIN_MAX];
	unsigned count;
	gnutls_x509_privkey_t key;
};

/* What tells one version of a file from the next. */
struct version {
	struct timespec modified;
	off_t size;
	ino_t inode;
};

struct tls {
	int directory;                  /* borrowed */
	char *certificate_path, *key_path;
	struct version versions[2];     /* of the files last tried, whether or not they were any good */
	pthread_mutex_t lock;           /* guards pair */
	struct pair pair;
};

static void
pair_clear(struct pair *pair)
{
	for (unsigned i = 0; i < pair->count; i++)
		gnutls_x509_crt_deinit(pair->chain[i]);
	if (pair->key != NULL)
		gnutls_x509_privkey_deinit(pair->key);
	*pair = (struct pair){ .count = 0 };
}

static void
wipe(struct bytes *bytes)
{
	if (bytes->data != NULL)
		secret_wipe(bytes->data, bytes->capacity);
	bytes_clear(bytes);
}

static enum fault_code
read_pem(int directory, const char *path, struct bytes *ret_content, struct fault *fault)
{
	enum fault_code code = atomic_file_read(directory, path, TLS_FILE_MAX, ret_content, fault);
	if (code == FAULT_NOT_FOUND)
		return fault_set(fault, FAULT_CONFIG, "there is no file %s for TLS", path);
	return code;
}

static enum fault_code
read_chain(const struct tls *tls, struct pair *pair, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	TRY(read_pem(tls->directory, tls->certificate_path, &content, fault));
	const gnutls_datum_t datum = { content.data, (unsigned)content.length };
	unsigned count = TLS_CHAIN_MAX;
	int error = gnutls_x509_crt_list_import(pair->chain, &count, &datum, GNUTLS_X509_FMT_PEM,
		GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
	if (error <= 0)
		return fault_set(fault, FAULT_CONFIG, "%s holds no certificate chain in PEM: %s", tls->certificate_path,
			error == 0 ? "it is empty" : gnutls_strerror(error));
	pair->count = (unsigned)error;
	return FAULT_NONE;
}

static enum fault_code
read_key(const struct tls *tls, struct pair *pair, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, wipe) content = BYTES_INIT;
	TRY(read_pem(tls->directory, tls->key_path, &content, fault));
	const gnutls_datum_t datum = { content.data, (unsigned)content.length };
	if (gnutls_x509_privkey_init(&pair->key) != 0)
		return fault_set(fault, FAULT_MEMORY, "no memory for a key");
	int error = gnutls_x509_privkey_import2(pair->key, &datum, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN);
	if (error != 0)
		return fault_set(fault, FAULT_CONFIG, "%s holds no private key in PEM without a password: %s", tls->key_path,
			gnutls_strerror(error));
	return FAULT_NONE;
}

/* Same public key: the hash of both says so. */
static bool
fits(const struct pair *pair)
{
	unsigned char of_certificate[KEY_ID_MAX], of_key[KEY_ID_MAX];
	size_t certificate_size = sizeof of_certificate, key_size = sizeof of_key;
	return gnutls_x509_crt_get_key_id(pair->chain[0], GNUTLS_KEYID_USE_SHA256, of_certificate, &certificate_size) == 0 &&
		gnutls_x509_privkey_get_key_id(pair->key, GNUTLS_KEYID_USE_SHA256, of_key, &key_size) == 0 &&
		certificate_size == key_size && memcmp(of_certificate, of_key, key_size) == 0;
}

static enum fault_code
read_pair(const struct tls *tls, struct pair *ret_pair, struct fault *fault)
{
	AUTO_CLEAR(struct pair, pair_clear) pair = { .count = 0 };
	TRY(read_chain(tls, &pair, fault));
	TRY(read_key(tls, &pair, fault));
	if (!fits(&pair))
		return fault_set(fault, FAULT_CONFIG, "%s is not the key of the first certificate in %s", tls->key_path,
			tls->certificate_path);
	*ret_pair = pair;
	pair = (struct pair){ .count = 0 };
	return FAULT_NONE;
}

/* A file that isn't there is a version of its own. */
static void
look(const struct tls *tls, struct version versions[2])
{
	const char *const paths[2] = { tls->certificate_path, tls->key_path };
	for (size_t i = 0; i < 2; i++) {
		struct stat status;
		versions[i] = (struct version){ .size = -1 };
		if (fstatat(tls->directory, paths[i], &status, 0) == 0)
			versions[i] = (struct version){ status.st_mtim, status.st_size, status.st_ino };
	}
}

static bool
same(const struct version *a, const struct version *b)
{
	return a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec && a->size == b->size &&
		a->inode == b->inode;
}

enum fault_code
tls_new(int data_directory, const char *certificate_path, const char *key_path, struct tls **ret_tls, struct fault *fault)
{
	AUTO(struct tls, tls_free) tls = NULL;
	TRY(memory_new(1, sizeof *tls, &tls, fault));
	(void)pthread_mutex_init(&tls->lock, NULL);
	tls->directory = data_directory;
	TRY(memory_copy_string(certificate_path, &tls->certificate_path, fault));
	TRY(memory_copy_string(key_path, &tls->key_path, fault));
	look(tls, tls->versions);
	TRY(read_pair(tls, &tls->pair, fault));
	*ret_tls = MOVE(tls);
	return FAULT_NONE;
}

void
tls_free(struct tls *tls)
{
	if (tls == NULL)
		return;
	pair_clear(&tls->pair);
	(void)pthread_mutex_destroy(&tls->lock);
	free(tls->certificate_path);
	free(tls->key_path);
	free(tls);
}

void
tls_refresh(struct tls *tls)
{
	struct version versions[2];
	struct pair fresh, former;
	struct fault fault = FAULT_INIT;
	look(tls, versions);
	if (same(&versions[0], &tls->versions[0]) && same(&versions[1], &tls->versions[1]))
		return;
	memcpy(tls->versions, versions, sizeof versions);
	if (read_pair(tls, &fresh, &fault) != FAULT_NONE) {
		log_fault(LOG_ERROR, &fault, "the changed TLS certificate is not taken, the one before stays in use");
		return;
	}
	(void)pthread_mutex_lock(&tls->lock);
	former = tls->pair;
	tls->pair = fresh;
	(void)pthread_mutex_unlock(&tls->lock);
	pair_clear(&former);
	log_write(LOG_INFO, "took the changed TLS certificate %s", tls->certificate_path);
}

static int
copy_chain(const struct pair *pair, gnutls_pcert_st *chain, unsigned *copied)
{
	int error = 0;
	for (*copied = 0; error == 0 && *copied < pair->count;) {
		error = gnutls_pcert_import_x509(&chain[*copied], pair->chain[*copied], 0);
		*copied += error == 0;
	}
	return error;
}

static int
copy_key(const struct pair *pair, gnutls_privkey_t *ret_key)
{
	gnutls_privkey_t key;
	int error = gnutls_privkey_init(&key);
	if (error != 0)
		return error;
	error = gnutls_privkey_import_x509(key, pair->key, GNUTLS_PRIVKEY_IMPORT_COPY);
	if (error != 0)
		gnutls_privkey_deinit(key);
	else
		*ret_key = key;
	return error;
}

int
tls_copy(struct tls *tls, gnutls_pcert_st **ret_chain, unsigned *ret_count, gnutls_privkey_t *ret_key)
{
	unsigned copied = 0;
	gnutls_pcert_st *chain = gnutls_malloc(TLS_CHAIN_MAX * sizeof *chain);
	if (chain == NULL)
		return GNUTLS_E_MEMORY_ERROR;
	(void)pthread_mutex_lock(&tls->lock);
	int error = copy_chain(&tls->pair, chain, &copied);
	if (error == 0)
		error = copy_key(&tls->pair, ret_key);
	(void)pthread_mutex_unlock(&tls->lock);
	if (error == 0) {
		*ret_chain = chain;
		*ret_count = copied;
		return 0;
	}
	while (copied > 0)
		gnutls_pcert_deinit(&chain[--copied]);
	gnutls_free(chain);
	return error;
}
