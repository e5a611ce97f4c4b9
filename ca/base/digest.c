#include "ca/base/digest.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

#include "ca/base/memory.h"

struct digest {
	EVP_MD_CTX *context;
};

/* Looked up once: OpenSSL does it again for each digest of EVP_sha256(), which costs more than hashing a small object. */
static const EVP_MD *sha256, *sha1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
look_up(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	sha256 = sha256 != NULL ? sha256 : EVP_sha256();
	sha1 = sha1 != NULL ? sha1 : EVP_sha1();
}

static enum fault_code
digest_fault(const char *what, struct fault *fault)
{
	const char *reason = ERR_reason_error_string(ERR_get_error());
	ERR_clear_error();
	return fault_set(fault, FAULT_CRYPTO, "%s: %s", what, reason != NULL ? reason : "OpenSSL gives no reason");
}

enum fault_code
digest_sha256(struct span data, uint8_t ret_hash[SHA256_SIZE], struct fault *fault)
{
	(void)pthread_once(&once, look_up);
	if (EVP_Digest(data.data, data.length, ret_hash, NULL, sha256, NULL) != 1)
		return digest_fault("SHA-256", fault);
	return FAULT_NONE;
}

enum fault_code
digest_sha1(struct span data, uint8_t ret_hash[SHA1_SIZE], struct fault *fault)
{
	(void)pthread_once(&once, look_up);
	if (EVP_Digest(data.data, data.length, ret_hash, NULL, sha1, NULL) != 1)
		return digest_fault("SHA-1", fault);
	return FAULT_NONE;
}

enum fault_code
digest_new(struct digest **ret_digest, struct fault *fault)
{
	AUTO(struct digest, digest_free) digest = NULL;
	TRY(memory_new(1, sizeof *digest, &digest, fault));
	(void)pthread_once(&once, look_up);
	digest->context = EVP_MD_CTX_new();
	if (digest->context == NULL || EVP_DigestInit_ex(digest->context, sha256, NULL) != 1)
		return digest_fault("start of SHA-256", fault);
	*ret_digest = MOVE(digest);
	return FAULT_NONE;
}

enum fault_code
digest_update(struct digest *digest, const void *data, size_t length, struct fault *fault)
{
	if (EVP_DigestUpdate(digest->context, data, length) != 1)
		return digest_fault("SHA-256", fault);
	return FAULT_NONE;
}

enum fault_code
digest_finish(struct digest *digest, uint8_t ret_hash[SHA256_SIZE], struct fault *fault)
{
	if (EVP_DigestFinal_ex(digest->context, ret_hash, NULL) != 1)
		return digest_fault("end of SHA-256", fault);
	return FAULT_NONE;
}

void
digest_free(struct digest *digest)
{
	if (digest == NULL)
		return;
	EVP_MD_CTX_free(digest->context);
	free(digest);
}
