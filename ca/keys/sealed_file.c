#include "ca/keys/sealed_file.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>
#include <unistd.h>

#include "ca/base/memory.h"
#include "ca/base/randomness.h"
#include "ca/keys/openssl_fault.h"

#define MAGIC "CADASTREBACKUP\r\n" /* a copy as text would change its end */
#define MAGIC_SIZE 16
#define VERSION 1
#define CHUNK_LOG 16
#define CHUNK ((size_t)1 << CHUNK_LOG)
#define TAG_SIZE 16
#define NONCE_SIZE 12
#define KEY_SIZE 32
#define CHECK_SIZE 32
#define SALT_SIZE 32
#define SCRYPT_R 8
#define SCRYPT_P 1
#define DERIVED_SIZE (KEY_SIZE + CHECK_SIZE)

/* Places in the header. */
enum { AT_VERSION = MAGIC_SIZE, AT_METHOD, AT_COST, AT_CHUNK, AT_SALT, AT_CHECK = AT_SALT + SALT_SIZE, HEADER = AT_CHECK + CHECK_SIZE };
_Static_assert(HEADER == SEALED_FILE_HEADER, "the header is as sealed_file.h has it");

SCOPED(EVP_KDF, EVP_KDF_free)
SCOPED(EVP_KDF_CTX, EVP_KDF_CTX_free)

/* What writer and reader share. */
struct seal {
	uint8_t header[HEADER];
	struct secret *derived;              /* key, then check */
	EVP_CIPHER_CTX *cipher;
	uint64_t number;                     /* of the next chunk */
};

static void
seal_clear(struct seal *seal)
{
	secret_free(seal->derived);
	EVP_CIPHER_CTX_free(seal->cipher);
}

static enum fault_code
stretch(const struct seal *seal, const struct sealed_secret *secret, struct fault *fault)
{
	uint64_t n = UINT64_C(1) << seal->header[AT_COST];
	uint64_t memory = n * SCRYPT_R * 128 + (UINT64_C(1) << 20);
	if (EVP_PBE_scrypt((const char *)secret->secret->data, secret->secret->length, seal->header + AT_SALT, SALT_SIZE, n, SCRYPT_R,
		SCRYPT_P, memory, seal->derived->data, DERIVED_SIZE) != 1)
		return openssl_fault_set(fault, FAULT_CRYPTO, "scrypt");
	return FAULT_NONE;
}

static enum fault_code
expand(const struct seal *seal, const struct sealed_secret *secret, struct fault *fault)
{
	static const char purpose[] = "cadastre backup";
	AUTO(EVP_KDF, EVP_KDF_free) kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	AUTO(EVP_KDF_CTX, EVP_KDF_CTX_free) context = EVP_KDF_CTX_new(kdf);
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret->secret->data, secret->secret->length),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(seal->header + AT_SALT), SALT_SIZE),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)purpose, sizeof purpose - 1),
		OSSL_PARAM_construct_end(),
	};
	if (context == NULL || EVP_KDF_derive(context, seal->derived->data, DERIVED_SIZE, parameters) != 1)
		return openssl_fault_set(fault, FAULT_CRYPTO, "HKDF");
	return FAULT_NONE;
}

/* The header is complete but for its check. */
static enum fault_code
derive(struct seal *seal, const struct sealed_secret *secret, struct fault *fault)
{
	TRY(secret_new(DERIVED_SIZE, &seal->derived, fault));
	seal->cipher = EVP_CIPHER_CTX_new();
	if (seal->cipher == NULL)
		return openssl_fault_set(fault, FAULT_CRYPTO, "AES-256-GCM");
	return secret->method == SEALED_PASSPHRASE ? stretch(seal, secret, fault) : expand(seal, secret, fault);
}

/* The key belongs to this file alone, so the number of a chunk is nonce enough. */
static enum fault_code
start_chunk(struct seal *seal, bool last, bool encrypting, struct fault *fault)
{
	uint8_t nonce[NONCE_SIZE] = { 0 };
	int length;
	for (size_t i = 0; i < sizeof seal->number; i++)
		nonce[NONCE_SIZE - 2 - i] = (uint8_t)(seal->number >> (8 * i));
	nonce[NONCE_SIZE - 1] = last;
	if (EVP_CipherInit_ex2(seal->cipher, EVP_aes_256_gcm(), seal->derived->data, nonce, encrypting, NULL) != 1 ||
		EVP_CipherUpdate(seal->cipher, NULL, &length, seal->header, HEADER) != 1)
		return openssl_fault_set(fault, FAULT_CRYPTO, "AES-256-GCM");
	return FAULT_NONE;
}

/* ---- writing ---- */

struct sealed_writer {
	struct seal seal;
	struct atomic_file *file;
	size_t length;                       /* in plain */
	uint8_t plain[CHUNK], sealed[CHUNK + TAG_SIZE];
};

static enum fault_code
put_chunk(struct sealed_writer *writer, bool last, struct fault *fault)
{
	int length = 0, more = 0;
	EVP_CIPHER_CTX *cipher = writer->seal.cipher;
	TRY(start_chunk(&writer->seal, last, true, fault));
	if (EVP_EncryptUpdate(cipher, writer->sealed, &length, writer->plain, (int)writer->length) != 1 ||
		EVP_EncryptFinal_ex(cipher, writer->sealed + length, &more) != 1 || (size_t)length + (size_t)more != writer->length ||
		EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, writer->sealed + writer->length) != 1)
		return openssl_fault_set(fault, FAULT_CRYPTO, "AES-256-GCM");
	TRY(atomic_file_write(writer->file, writer->sealed, writer->length + TAG_SIZE, fault));
	writer->seal.number++;
	writer->length = 0;
	return FAULT_NONE;
}

enum fault_code
sealed_writer_new(struct atomic_file *file, const struct sealed_secret *secret, struct sealed_writer **ret_writer, struct fault *fault)
{
	AUTO(struct sealed_writer, sealed_writer_free) writer = NULL;
	TRY(memory_new(1, sizeof *writer, &writer, fault));
	uint8_t *header = writer->seal.header;
	writer->file = file;
	memcpy(header, MAGIC, MAGIC_SIZE);
	header[AT_VERSION] = VERSION;
	header[AT_METHOD] = (uint8_t)secret->method;
	header[AT_COST] = secret->method == SEALED_PASSPHRASE ? (uint8_t)secret->cost : 0;
	header[AT_CHUNK] = CHUNK_LOG;
	TRY(randomness_fill(header + AT_SALT, SALT_SIZE, fault));
	TRY(derive(&writer->seal, secret, fault));
	memcpy(header + AT_CHECK, writer->seal.derived->data + KEY_SIZE, CHECK_SIZE);
	TRY(atomic_file_write(file, header, HEADER, fault));
	*ret_writer = MOVE(writer);
	return FAULT_NONE;
}

enum fault_code
sealed_writer_write(struct sealed_writer *writer, const void *data, size_t length, struct fault *fault)
{
	for (const uint8_t *at = data; length > 0;) {
		size_t part = length < CHUNK - writer->length ? length : CHUNK - writer->length;
		memcpy(writer->plain + writer->length, at, part);
		writer->length += part;
		at += part;
		length -= part;
		if (writer->length == CHUNK)
			TRY(put_chunk(writer, false, fault));
	}
	return FAULT_NONE;
}

enum fault_code
sealed_writer_finish(struct sealed_writer *writer, struct fault *fault)
{
	return put_chunk(writer, true, fault);
}

void
sealed_writer_free(struct sealed_writer *writer)
{
	if (writer == NULL)
		return;
	seal_clear(&writer->seal);
	secret_wipe(writer->plain, sizeof writer->plain);
	free(writer);
}

/* ---- reading ---- */

struct sealed_chunk {
	uint8_t data[CHUNK + TAG_SIZE];
	size_t length;
};

struct sealed_reader {
	struct seal seal;
	int fd;
	struct sealed_chunk chunks[2];       /* the next one, and the one behind it, by which the last one is known */
	size_t next;
	uint8_t plain[CHUNK];
	size_t length, taken;
	bool ended;
};

static enum fault_code
read_some(int fd, uint8_t *data, size_t wanted, size_t *ret_length, struct fault *fault)
{
	size_t length = 0;
	while (length < wanted) {
		ssize_t n = read(fd, data + length, wanted - length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fault_set_errno(fault, errno, "reading the backup");
		if (n == 0)
			break;
		length += (size_t)n;
	}
	*ret_length = length;
	return FAULT_NONE;
}

static enum fault_code
read_header(int fd, uint8_t header[HEADER], struct fault *fault)
{
	size_t length;
	TRY(read_some(fd, header, HEADER, &length, fault));
	if (length < MAGIC_SIZE || memcmp(header, MAGIC, MAGIC_SIZE) != 0)
		return fault_set(fault, FAULT_MALFORMED, "it is no backup of Cadastre's, or was changed on its way (copied as text?)");
	if (length < HEADER)
		return fault_set(fault, FAULT_MALFORMED, "it is cut off: it ends in its header");
	if (header[AT_VERSION] != VERSION)
		return fault_set(fault, FAULT_SCHEMA, "its format has version %d; this release reads version %d", header[AT_VERSION], VERSION);
	bool passphrase = header[AT_METHOD] == SEALED_PASSPHRASE;
	bool cost = passphrase ? header[AT_COST] >= SEALED_FILE_COST_MIN && header[AT_COST] <= SEALED_FILE_COST_MAX : header[AT_COST] == 0;
	if ((!passphrase && header[AT_METHOD] != SEALED_KEY_FILE) || !cost || header[AT_CHUNK] != CHUNK_LOG)
		return fault_set(fault, FAULT_MALFORMED, "its header is damaged");
	return FAULT_NONE;
}

enum fault_code
sealed_reader_method(int fd, enum sealed_method *ret_method, struct fault *fault)
{
	uint8_t header[HEADER];
	TRY(read_header(fd, header, fault));
	if (lseek(fd, 0, SEEK_SET) != 0)
		return fault_set_errno(fault, errno, "the backup has to be a plain file");
	*ret_method = header[AT_METHOD];
	return FAULT_NONE;
}

enum fault_code
sealed_reader_new(int fd, const struct sealed_secret *secret, struct sealed_reader **ret_reader, struct fault *fault)
{
	AUTO(struct sealed_reader, sealed_reader_free) reader = NULL;
	TRY(memory_new(1, sizeof *reader, &reader, fault));
	uint8_t *header = reader->seal.header;
	reader->fd = fd;
	TRY(read_header(fd, header, fault));
	if (header[AT_METHOD] != secret->method)
		return fault_set(fault, FAULT_KEY, "it was made with a %s", header[AT_METHOD] == SEALED_PASSPHRASE ?
			"passphrase: --passphrase-file, or answer the question" : "key file: --key-file");
	TRY(derive(&reader->seal, secret, fault));
	if (!secret_equal(header + AT_CHECK, reader->seal.derived->data + KEY_SIZE, CHECK_SIZE))
		return fault_set(fault, FAULT_KEY, "this is not the %s that it was made with (or its header is damaged)",
			secret->method == SEALED_PASSPHRASE ? "passphrase" : "key file");
	TRY(read_some(fd, reader->chunks[0].data, CHUNK + TAG_SIZE, &reader->chunks[0].length, fault));
	*ret_reader = MOVE(reader);
	return FAULT_NONE;
}

static bool
opens(struct sealed_reader *reader, const struct sealed_chunk *chunk, bool last)
{
	int length = 0, more = 0;
	EVP_CIPHER_CTX *cipher = reader->seal.cipher;
	uint8_t tag[TAG_SIZE];
	if (chunk->length < TAG_SIZE)
		return false;
	int plain = (int)(chunk->length - TAG_SIZE);
	memcpy(tag, chunk->data + plain, TAG_SIZE);
	if (start_chunk(&reader->seal, last, false, NULL) != FAULT_NONE ||
		EVP_DecryptUpdate(cipher, reader->plain, &length, chunk->data, plain) != 1 ||
		EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) != 1 ||
		EVP_DecryptFinal_ex(cipher, reader->plain + length, &more) != 1)
		return false;
	reader->length = (size_t)plain;
	return true;
}

static enum fault_code
next_chunk(struct sealed_reader *reader, struct fault *fault)
{
	struct sealed_chunk *chunk = &reader->chunks[reader->next], *behind = &reader->chunks[1 - reader->next];
	behind->length = 0;
	if (chunk->length == sizeof chunk->data)
		TRY(read_some(reader->fd, behind->data, sizeof behind->data, &behind->length, fault));
	bool last = behind->length == 0;
	reader->taken = reader->length = 0;
	if (!opens(reader, chunk, last)) {
		bool cut = chunk->length < TAG_SIZE || (last && opens(reader, chunk, false));
		reader->length = 0;
		return openssl_fault_set(fault, FAULT_MALFORMED, cut ? "the backup is cut off: its end is missing" :
			last ? "the backup was altered, or is cut off" : "the backup was altered");
	}
	reader->seal.number++;
	reader->next = 1 - reader->next;
	reader->ended = last;
	return FAULT_NONE;
}

enum fault_code
sealed_reader_read(struct sealed_reader *reader, void *data, size_t length, size_t *ret_length, struct fault *fault)
{
	while (reader->taken == reader->length && !reader->ended)
		TRY(next_chunk(reader, fault));
	size_t part = length < reader->length - reader->taken ? length : reader->length - reader->taken;
	if (part > 0)
		memcpy(data, reader->plain + reader->taken, part);
	reader->taken += part;
	*ret_length = part;
	return FAULT_NONE;
}

void
sealed_reader_free(struct sealed_reader *reader)
{
	if (reader == NULL)
		return;
	seal_clear(&reader->seal);
	secret_wipe(reader->plain, sizeof reader->plain);
	free(reader);
}
