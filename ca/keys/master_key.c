#include "ca/keys/master_key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "ca/base/base64.h"
#include "ca/base/memory.h"
#include "ca/base/randomness.h"
#include "ca/keys/openssl_fault.h"

/*
 * Nonces are random: NIST SP 800-38D §8.3 allows 2^32 of them under one key, and a registry wraps some thousands of keys a year.
 */
#define NONCE_SIZE 12
#define TAG_SIZE 16
#define PLAIN_MAX 65536
#define FILE_SIZE (2 * MASTER_KEY_SIZE + 1) /* hex digits and a newline */

SCOPED(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)

enum fault_code
master_key_create(int directory, const char *path, struct fault *fault)
{
	AUTO(struct secret, secret_free) key = NULL;
	AUTO(struct secret, secret_free) text = NULL;
	TRY(secret_new(MASTER_KEY_SIZE, &key, fault));
	TRY(secret_new(FILE_SIZE + 1, &text, fault));
	TRY(randomness_fill_private(key->data, key->length, fault));
	hex_encode(SPAN(key->data, key->length), (char *)text->data);
	text->data[FILE_SIZE - 1] = '\n';

	/* A link and not a rename: a key that is there already is never replaced, whatever happens in between. */
	AUTO_CLEAR(struct atomic_file, atomic_file_clear) file = ATOMIC_FILE_INIT;
	TRY(atomic_file_open(&file, directory, path, 0600, fault));
	TRY(atomic_file_write(&file, text->data, FILE_SIZE, fault));
	if (fsync(file.fd) != 0)
		return fault_set_errno(fault, errno, "%s", path);
	if (linkat(directory, file.temporary, directory, path, 0) != 0)
		return errno == EEXIST ? fault_set(fault, FAULT_CONFLICT, "%s exists already and is left as it is", path) :
			fault_set_errno(fault, errno, "%s", path);
	atomic_file_clear(&file); /* before the flush, so that no second name of the key comes back after a crash */
	return atomic_file_sync_parent(directory, path, fault);
}

/* Which file to read, and which permission bits it must not have. */
struct key_file {
	int directory;
	const char *path;
	mode_t forbidden;
};

static enum fault_code
key_file_open(const struct key_file *key_file, int *ret_fd, struct fault *fault)
{
	AUTO_CLEAR(int, descriptor_close) fd = openat(key_file->directory, key_file->path,
		O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return fault_set(fault, FAULT_KEY,
			"no master key at %s: restore it from your backup; without it no CA key can be opened", key_file->path);
	if (fd < 0)
		return fault_set_errno(fault, errno, "%s", key_file->path);
	struct stat status;
	if (fstat(fd, &status) != 0)
		return fault_set_errno(fault, errno, "%s", key_file->path);
	if (!S_ISREG(status.st_mode))
		return fault_set(fault, FAULT_KEY, "%s is not a plain file, so it can't be a master key", key_file->path);
	if ((status.st_mode & key_file->forbidden) != 0)
		return fault_set(fault, FAULT_KEY,
			"%s has mode %04o, so others may read the master key: chmod 0600 it, and think about who has",
			key_file->path, (unsigned)(status.st_mode & 07777));
	*ret_fd = fd;
	fd = -1;
	return FAULT_NONE;
}

static enum fault_code
key_file_read(int fd, const char *path, struct secret **ret_text, struct fault *fault)
{
	AUTO(struct secret, secret_free) text = NULL;
	TRY(secret_new(FILE_SIZE + 1, &text, fault)); /* one more, to see a file that is longer */
	size_t length = 0;
	for (;;) {
		ssize_t n = read(fd, text->data + length, text->length - length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fault_set_errno(fault, errno, "%s", path);
		length += (size_t)n;
		if (n == 0 || length == text->length)
			break;
	}
	bool newline = length == FILE_SIZE && text->data[FILE_SIZE - 1] == '\n';
	if (!newline && length != FILE_SIZE - 1)
		return fault_set(fault, FAULT_KEY, "%s is no master key: that is %d hexadecimal digits and a newline", path,
			FILE_SIZE - 1);
	*ret_text = MOVE(text);
	return FAULT_NONE;
}

static enum fault_code
key_file_load(const struct key_file *key_file, struct secret **ret_key, struct fault *fault)
{
	AUTO_CLEAR(int, descriptor_close) fd = -1;
	AUTO(struct secret, secret_free) text = NULL;
	AUTO(struct secret, secret_free) key = NULL;
	TRY(key_file_open(key_file, &fd, fault));
	TRY(key_file_read(fd, key_file->path, &text, fault));
	TRY(secret_new(MASTER_KEY_SIZE, &key, fault));
	text->data[FILE_SIZE - 1] = '\0';
	if (!hex_decode((const char *)text->data, key->data, key->length))
		return fault_set(fault, FAULT_KEY, "%s is no master key: it holds something else than hexadecimal digits",
			key_file->path);
	*ret_key = MOVE(key);
	return FAULT_NONE;
}

enum fault_code
master_key_load(int directory, const char *path, struct secret **ret_key, struct fault *fault)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	if (credentials != NULL && credentials[0] != '\0') {
		AUTO(char, free) credential = NULL;
		TRY(memory_printf(&credential, fault, "%s/%s", credentials, MASTER_KEY_CREDENTIAL));
		/* systemd gives access by an ACL, whose mask shows in the bits of the group. */
		if (faccessat(AT_FDCWD, credential, F_OK, AT_EACCESS) == 0)
			return key_file_load(&(struct key_file){ AT_FDCWD, credential, S_IRWXO }, ret_key, fault);
	}
	return key_file_load(&(struct key_file){ directory, path, S_IRWXG | S_IRWXO }, ret_key, fault);
}

static enum fault_code
cipher_new(const struct secret *master_key, const char *purpose, const uint8_t nonce[NONCE_SIZE], bool encrypting,
	EVP_CIPHER_CTX **ret_cipher, struct fault *fault)
{
	INVARIANT(master_key->length == MASTER_KEY_SIZE);
	AUTO(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free) cipher = EVP_CIPHER_CTX_new();
	int length;
	if (cipher == NULL || EVP_CipherInit_ex2(cipher, EVP_aes_256_gcm(), master_key->data, nonce, encrypting, NULL) != 1 ||
		EVP_CipherUpdate(cipher, NULL, &length, (const uint8_t *)purpose, (int)strlen(purpose)) != 1)
		return openssl_fault_set(fault, FAULT_CRYPTO, "AES-256-GCM");
	*ret_cipher = MOVE(cipher);
	return FAULT_NONE;
}

enum fault_code
master_key_wrap(const struct secret *master_key, const char *purpose, struct span plain, struct bytes *ret_wrapped,
	struct fault *fault)
{
	INVARIANT(plain.length <= PLAIN_MAX);
	uint8_t nonce[NONCE_SIZE];
	TRY(randomness_fill(nonce, sizeof nonce, fault));
	AUTO(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free) cipher = NULL;
	TRY(cipher_new(master_key, purpose, nonce, true, &cipher, fault));
	AUTO_CLEAR(struct bytes, bytes_clear) wrapped = BYTES_INIT;
	TRY(bytes_reserve(&wrapped, NONCE_SIZE + plain.length + TAG_SIZE, fault));
	TRY(bytes_append(&wrapped, nonce, sizeof nonce, fault));
	int length = 0, more = 0;
	uint8_t tag[TAG_SIZE];
	uint8_t *out = wrapped.data + wrapped.length;
	if (EVP_EncryptUpdate(cipher, out, &length, plain.data, (int)plain.length) != 1 ||
		EVP_EncryptFinal_ex(cipher, out + length, &more) != 1 || (size_t)length + (size_t)more != plain.length ||
		EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, tag) != 1)
		return openssl_fault_set(fault, FAULT_CRYPTO, "AES-256-GCM");
	wrapped.length += plain.length;
	TRY(bytes_append(&wrapped, tag, sizeof tag, fault));
	bytes_swap(ret_wrapped, &wrapped);
	return FAULT_NONE;
}

enum fault_code
master_key_unwrap(const struct secret *master_key, const char *purpose, struct span wrapped, struct secret **ret_plain,
	struct fault *fault)
{
	if (wrapped.length < NONCE_SIZE + TAG_SIZE || wrapped.length > NONCE_SIZE + PLAIN_MAX + TAG_SIZE)
		return fault_set(fault, FAULT_KEY, "a stored key of %zu bytes is damaged", wrapped.length);
	AUTO(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free) cipher = NULL;
	TRY(cipher_new(master_key, purpose, wrapped.data, false, &cipher, fault));
	size_t plain_length = wrapped.length - NONCE_SIZE - TAG_SIZE;
	AUTO(struct secret, secret_free) plain = NULL;
	TRY(secret_new(plain_length, &plain, fault));
	uint8_t tag[TAG_SIZE];
	memcpy(tag, wrapped.data + wrapped.length - TAG_SIZE, TAG_SIZE);
	int length = 0, more = 0;
	if (EVP_DecryptUpdate(cipher, plain->data, &length, wrapped.data + NONCE_SIZE, (int)plain_length) != 1 ||
		EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) != 1)
		return openssl_fault_set(fault, FAULT_CRYPTO, "AES-256-GCM");
	if (EVP_DecryptFinal_ex(cipher, plain->data + length, &more) != 1)
		return openssl_fault_set(fault, FAULT_KEY,
			"a stored key doesn't open: it is damaged, or this is not the master key it was stored under");
	*ret_plain = MOVE(plain);
	return FAULT_NONE;
}

enum fault_code
master_key_fingerprint(const struct secret *master_key, uint8_t ret_fingerprint[32], struct fault *fault)
{
	/* A MAC of fixed words: it tells keys apart and nothing about them. */
	static const char words[] = "cadastre master key fingerprint";
	uint8_t fingerprint[32];
	size_t length = 0;
	INVARIANT(master_key->length == MASTER_KEY_SIZE);
	if (EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, master_key->data, master_key->length, (const uint8_t *)words,
		strlen(words), fingerprint, sizeof fingerprint, &length) == NULL || length != sizeof fingerprint)
		return openssl_fault_set(fault, FAULT_CRYPTO, "HMAC-SHA256");
	memcpy(ret_fingerprint, fingerprint, sizeof fingerprint);
	return FAULT_NONE;
}
