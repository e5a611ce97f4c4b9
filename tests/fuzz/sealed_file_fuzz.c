/*
 * A backup, from outside: the header and chunks of a sealed file, and what is inside one once it is opened. The first byte says which: odd, the
 * rest is the file; even, the rest is sealed first, so that the archive's own reader sees it.
 */
#include "api/cli/backup_archive.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

#include <fcntl.h>
#include <string.h>

static const char words[] = "the words that seal it, long enough for a key";

static void
read_all(int fd, enum sealed_method method)
{
	AUTO(struct secret, secret_free) secret = NULL;
	AUTO(struct sealed_reader, sealed_reader_free) sealed = NULL;
	INVARIANT(secret_new(sizeof words, &secret, NULL) == FAULT_NONE);
	memcpy(secret->data, words, sizeof words);
	struct sealed_secret key = { .method = method, .secret = secret };
	if (sealed_reader_new(fd, &key, &sealed, NULL) != FAULT_NONE)
		return;
	struct backup_reader reader = { .sealed = sealed };
	for (int parts = 0;; parts++) {
		enum backup_part part;
		int64_t size, read = 0;
		INVARIANT(parts <= BACKUP_PARTS);
		if (backup_archive_next(&reader, &part, &size, NULL) != FAULT_NONE || part == BACKUP_PARTS)
			return;
		AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
		for (size_t n = 1; n > 0; read += (int64_t)n) {
			uint8_t buffer[100];
			if (backup_archive_read(&reader, buffer, sizeof buffer, &n, NULL) != FAULT_NONE)
				return;
			INVARIANT(bytes_append(&content, buffer, n, NULL) == FAULT_NONE);
		}
		INVARIANT(read == size);
		struct backup_about about;
		if (part == BACKUP_ABOUT && content.length > 0 && backup_archive_parse_about(&content, &about, NULL) == FAULT_NONE)
			INVARIANT(strlen(about.mark.uuid) == 36 && about.made_at >= 0);
	}
}

/* In memory there is no directory to rename in: written to the file's own descriptor. */
static void
seal(int fd, const uint8_t *data, size_t size)
{
	AUTO(struct secret, secret_free) secret = NULL;
	AUTO(struct sealed_writer, sealed_writer_free) writer = NULL;
	struct atomic_file file = { .directory = AT_FDCWD, .fd = fd };
	INVARIANT(secret_new(sizeof words, &secret, NULL) == FAULT_NONE);
	memcpy(secret->data, words, sizeof words);
	struct sealed_secret key = { .method = SEALED_KEY_FILE, .secret = secret };
	INVARIANT(sealed_writer_new(&file, &key, &writer, NULL) == FAULT_NONE);
	INVARIANT(sealed_writer_write(writer, data, size, NULL) == FAULT_NONE);
	INVARIANT(sealed_writer_finish(writer, NULL) == FAULT_NONE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	bool as_it_is = data[0] % 2 == 1;
	AUTO_CLEAR(struct fuzz_file, fuzz_file_clear) file = fuzz_file_new(data + 1, as_it_is ? size - 1 : 0);
	enum sealed_method method;
	if (!as_it_is)
		seal(file.fd, data + 1, size - 1);
	INVARIANT(lseek(file.fd, 0, SEEK_SET) == 0);
	/* A passphrase takes its time by intent: its chunks are the same. */
	if (sealed_reader_method(file.fd, &method, NULL) == FAULT_NONE)
		read_all(file.fd, SEALED_KEY_FILE);
	return 0;
}
