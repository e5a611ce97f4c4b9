#include "ca/ceremony/offline_anchor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "ca/base/base64.h"
#include "ca/base/instant.h"
#include "ca/base/memory.h"
#include "ca/base/randomness.h"
#include "ca/keys/master_key.h"
#include "ca/keys/passphrase.h"
#include "ca/keys/software_signer.h"

#define KEY_TITLE "cadastre-ta-key 1"
#define PUBLIC_TITLE "cadastre-ta-public 1"

/* What ta.key says. */
struct key_file {
	int64_t cost;
	uint8_t salt[PASSPHRASE_SALT_SIZE];
	uint8_t fingerprint[MASTER_KEY_SIZE];    /* of the key that the passphrase makes */
	struct bytes spki, handle;
};

struct offline_anchor {
	int directory;
	struct key_file key;
	struct ceremony_ledger *ledger;
};

static void
key_file_clear(struct key_file *key)
{
	bytes_clear(&key->spki);
	bytes_clear(&key->handle);
}

/* ---- ta.key and ta.public ---- */

static enum fault_code
print_key(const struct key_file *key, struct bytes *text, struct fault *fault)
{
	char salt[2 * PASSPHRASE_SALT_SIZE + 1], fingerprint[2 * MASTER_KEY_SIZE + 1];
	hex_encode(SPAN(key->salt, sizeof key->salt), salt);
	hex_encode(SPAN(key->fingerprint, sizeof key->fingerprint), fingerprint);
	TRY(bytes_printf(text, fault, KEY_TITLE "\nscrypt-cost: %lld\nscrypt-salt: %s\nfingerprint: %s\nta-key: ", (long long)key->cost, salt,
		fingerprint));
	TRY(base64_append(text, bytes_span(&key->spki), fault));
	TRY(bytes_append_text(text, "\nwrapped-key: ", fault));
	TRY(base64_append(text, bytes_span(&key->handle), fault));
	return bytes_append_text(text, "\n", fault);
}

static enum fault_code
parse_key(struct span file, struct key_file *ret_key, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) printed = BYTES_INIT;
	struct sealed_text text;
	struct sealed_lines lines;
	TRY(sealed_text_open(file, KEY_TITLE, OFFLINE_ANCHOR_KEY, &text, &lines, fault));
	TRY(sealed_lines_number(&lines, "scrypt-cost", PASSPHRASE_COST_MIN, PASSPHRASE_COST_MAX, &ret_key->cost, fault));
	TRY(sealed_lines_hex(&lines, "scrypt-salt", ret_key->salt, sizeof ret_key->salt, fault));
	TRY(sealed_lines_hex(&lines, "fingerprint", ret_key->fingerprint, sizeof ret_key->fingerprint, fault));
	TRY(sealed_lines_base64(&lines, "ta-key", &ret_key->spki, fault));
	TRY(sealed_lines_base64(&lines, "wrapped-key", &ret_key->handle, fault));
	TRY(sealed_lines_end(&lines, fault));
	TRY(print_key(ret_key, &printed, fault));
	TRY(sealed_text_compare(&text, &printed, OFFLINE_ANCHOR_KEY, fault));
	return sealed_text_check(&text, bytes_span(&ret_key->spki), OFFLINE_ANCHOR_KEY, fault);
}

static enum fault_code
print_public(const struct bytes *spki, int64_t created_at, struct bytes *text, struct fault *fault)
{
	char created[INSTANT_TEXT];
	instant_rfc3339(created_at, created);
	TRY(bytes_printf(text, fault, PUBLIC_TITLE "\ncreated: %s\nta-key: ", created));
	TRY(base64_append(text, bytes_span(spki), fault));
	return bytes_append_text(text, "\n", fault);
}

enum fault_code
offline_anchor_public_parse(struct span file, struct bytes *ret_spki, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) printed = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) spki = BYTES_INIT;
	struct sealed_text text;
	struct sealed_lines lines;
	int64_t created_at;
	TRY(sealed_text_open(file, PUBLIC_TITLE, OFFLINE_ANCHOR_PUBLIC, &text, &lines, fault));
	TRY(sealed_lines_instant(&lines, "created", &created_at, fault));
	TRY(sealed_lines_base64(&lines, "ta-key", &spki, fault));
	TRY(sealed_lines_end(&lines, fault));
	TRY(print_public(&spki, created_at, &printed, fault));
	TRY(sealed_text_compare(&text, &printed, OFFLINE_ANCHOR_PUBLIC, fault));
	TRY(sealed_text_check(&text, bytes_span(&spki), OFFLINE_ANCHOR_PUBLIC, fault));
	bytes_swap(ret_spki, &spki);
	return FAULT_NONE;
}

/* ---- the passphrase ---- */

/* The signer whose keys are wrapped under what the passphrase makes. */
static enum fault_code
unlock(const struct key_file *key, const struct secret *passphrase, struct key_source source, struct signer **ret_signer,
	struct fault *fault)
{
	AUTO(struct secret, secret_free) derived = NULL;
	uint8_t fingerprint[MASTER_KEY_SIZE];
	TRY(passphrase_derive(passphrase, key->salt, (int)key->cost, &derived, fault));
	TRY(master_key_fingerprint(derived, fingerprint, fault));
	if (!secret_equal(fingerprint, key->fingerprint, sizeof fingerprint))
		return fault_set(fault, FAULT_KEY, "this is not the passphrase of the trust anchor's key");
	return software_signer_new(MOVE(derived), source, ret_signer, fault);
}

/* ---- the directory ---- */

static enum fault_code
make_directory(const char *path, int *ret_directory, struct fault *fault)
{
	size_t entries = 0;
	TRY(atomic_file_make_directories(AT_FDCWD, path, 0700, fault));
	AUTO_CLEAR(int, descriptor_close) directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = opendir(path);
	if (directory < 0 || listing == NULL) {
		if (listing != NULL)
			(void)closedir(listing);
		return fault_set_errno(fault, errno, "opening %s", path);
	}
	while (readdir(listing) != NULL)
		entries++;
	(void)closedir(listing);
	if (entries > 2)
		return fault_set(fault, FAULT_CONFLICT, "%s holds something already: a trust anchor is laid in an empty or new directory", path);
	if (fchmod(directory, 0700) != 0)
		return fault_set_errno(fault, errno, "%s", path);
	*ret_directory = directory;
	directory = -1;
	return FAULT_NONE;
}

static enum fault_code
put(int directory, const char *name, const struct bytes *content, mode_t mode, struct fault *fault)
{
	return atomic_file_put(directory, name, bytes_span(content), mode, ATOMIC_FILE_KEEP_TIME, fault);
}

static enum fault_code
make_key(const struct offline_anchor_request *request, struct key_file *key, struct signer **ret_signer, struct fault *fault)
{
	AUTO(struct secret, secret_free) derived = NULL;
	AUTO(struct signer, signer_free) signer = NULL;
	key->cost = request->cost;
	TRY(randomness_fill(key->salt, sizeof key->salt, fault));
	TRY(passphrase_derive(request->passphrase, key->salt, request->cost, &derived, fault));
	TRY(master_key_fingerprint(derived, key->fingerprint, fault));
	TRY(software_signer_new(MOVE(derived), request->source, &signer, fault));
	if (request->existing.length > 0)
		TRY(signer_import(signer, request->existing, &key->handle, &key->spki, fault));
	else
		TRY(signer_generate(signer, &key->handle, &key->spki, fault));
	*ret_signer = MOVE(signer);
	return FAULT_NONE;
}

/* The key last: where it is, all is. */
static enum fault_code
write_files(int directory, const struct key_file *key, struct signer *signer, int64_t now_at, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) key_text = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) public_text = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) ledger_text = BYTES_INIT;
	AUTO(struct ceremony_ledger, ceremony_ledger_free) ledger = NULL;
	struct span handle = bytes_span(&key->handle);
	TRY(ceremony_ledger_new(&ledger, fault));
	TRY(bytes_append(&ledger->ta_key, key->spki.data, key->spki.length, fault));
	TRY(ceremony_ledger_seal(ledger, signer, handle, &ledger_text, fault));
	TRY(print_public(&key->spki, now_at, &public_text, fault));
	TRY(sealed_text_seal(&public_text, signer, handle, fault));
	TRY(print_key(key, &key_text, fault));
	TRY(sealed_text_seal(&key_text, signer, handle, fault));
	TRY(put(directory, OFFLINE_ANCHOR_LEDGER, &ledger_text, 0600, fault));
	TRY(put(directory, OFFLINE_ANCHOR_PUBLIC, &public_text, 0644, fault));
	return put(directory, OFFLINE_ANCHOR_KEY, &key_text, 0600, fault);
}

enum fault_code
offline_anchor_create(const struct offline_anchor_request *request, struct fault *fault)
{
	AUTO_CLEAR(struct key_file, key_file_clear) key = { .spki = BYTES_INIT, .handle = BYTES_INIT };
	AUTO_CLEAR(int, descriptor_close) directory = -1;
	AUTO(struct signer, signer_free) signer = NULL;
	TRY(make_key(request, &key, &signer, fault));
	TRY(make_directory(request->path, &directory, fault));
	return write_files(directory, &key, signer, request->now_at, fault);
}

static enum fault_code
open_directory(const char *path, int *ret_directory, struct fault *fault)
{
	AUTO_CLEAR(int, descriptor_close) directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return errno == ENOENT ? fault_set(fault, FAULT_NOT_FOUND, "there is no directory %s", path) :
			fault_set_errno(fault, errno, "opening %s", path);
	if (flock(directory, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? fault_set(fault, FAULT_LOCKED, "another cadastre works on %s", path) :
			fault_set_errno(fault, errno, "locking %s", path);
	*ret_directory = directory;
	directory = -1;
	return FAULT_NONE;
}

enum fault_code
offline_anchor_open(const char *path, struct offline_anchor **ret_anchor, struct fault *fault)
{
	AUTO(struct offline_anchor, offline_anchor_free) anchor = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) file = BYTES_INIT;
	TRY(memory_new(1, sizeof *anchor, &anchor, fault));
	anchor->directory = -1;
	TRY(open_directory(path, &anchor->directory, fault));
	enum fault_code code = atomic_file_read(anchor->directory, OFFLINE_ANCHOR_KEY, SEALED_TEXT_MAX, &file, fault);
	if (code == FAULT_NOT_FOUND)
		return fault_set(fault, FAULT_NOT_FOUND, "%s holds no trust anchor's key: `cadastre ta init %s` makes one", path, path);
	TRY(code);
	TRY(parse_key(bytes_span(&file), &anchor->key, fault));
	code = atomic_file_read(anchor->directory, OFFLINE_ANCHOR_LEDGER, SEALED_TEXT_MAX, &file, fault);
	if (code == FAULT_NOT_FOUND)
		return fault_set(fault, FAULT_NOT_FOUND, "%s has lost its ledger, which remembers all that was signed: bring it back from the copy "
			"that was made after the last ceremony (an older one does, but forgets what was issued since)", path);
	TRY(code);
	TRY(ceremony_ledger_parse(bytes_span(&file), bytes_span(&anchor->key.spki), &anchor->ledger, fault));
	if (!span_equal(bytes_span(&anchor->ledger->ta_key), bytes_span(&anchor->key.spki)))
		return fault_set(fault, FAULT_INVALID, "the ledger in %s is another trust anchor's", path);
	*ret_anchor = MOVE(anchor);
	return FAULT_NONE;
}

void
offline_anchor_free(struct offline_anchor *anchor)
{
	if (anchor == NULL)
		return;
	key_file_clear(&anchor->key);
	ceremony_ledger_free(anchor->ledger);
	if (anchor->directory >= 0)
		(void)close(anchor->directory);
	free(anchor);
}

const struct ceremony_ledger *
offline_anchor_ledger(const struct offline_anchor *anchor)
{
	return anchor->ledger;
}

enum fault_code
offline_anchor_sign(struct offline_anchor *anchor, const struct secret *passphrase, struct key_source source,
	const struct ceremony_request *request, int64_t now_at, struct bytes *ret_response, struct fault *fault)
{
	AUTO(struct signer, signer_free) signer = NULL;
	AUTO(struct key_pool, key_pool_free) pool = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) ledger = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) response = BYTES_INIT;
	struct span handle = bytes_span(&anchor->key.handle);
	TRY(unlock(&anchor->key, passphrase, source, &signer, fault));
	TRY(key_pool_new(source, 0, 0, &pool, fault));
	struct ceremony_anchor key = { .signer = signer, .pool = pool, .handle = handle, .spki = bytes_span(&anchor->key.spki) };
	TRY(ceremony_sign(&key, request, anchor->ledger, now_at, &response, fault));
	TRY(ceremony_ledger_seal(anchor->ledger, signer, handle, &ledger, fault));
	TRY(put(anchor->directory, OFFLINE_ANCHOR_LEDGER, &ledger, 0600, fault));
	bytes_swap(ret_response, &response);
	return FAULT_NONE;
}
