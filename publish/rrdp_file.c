#include "publish/rrdp_file.h"

#include <string.h>

enum fault_code
rrdp_file_open(struct rrdp_file *file, const struct site *site, const char *path, struct fault *fault)
{
	TRY(site_make_way(site, path, fault));
	TRY(digest_new(&file->digest, fault));
	return atomic_file_open(&file->file, site->directory, path, SITE_FILE_MODE, fault);
}

static enum fault_code
write_text(struct rrdp_file *file, struct fault *fault)
{
	TRY(digest_update(file->digest, file->text.data, file->text.length, fault));
	TRY(atomic_file_write(&file->file, file->text.data, file->text.length, fault));
	file->size += (int64_t)file->text.length;
	site_write_out(file->file.fd, file->size, &file->started);
	bytes_reset(&file->text);
	return FAULT_NONE;
}

enum fault_code
rrdp_file_drain(struct rrdp_file *file, struct fault *fault)
{
	return file->text.length < SITE_BLOCK ? FAULT_NONE : write_text(file, fault);
}

enum fault_code
rrdp_file_commit(struct rrdp_file *file, int64_t modified_at, const struct publication_content *expected,
	struct publication_content *ret_content, struct fault *fault)
{
	struct publication_content content;
	TRY(write_text(file, fault));
	content.size = file->size;
	TRY(digest_finish(file->digest, content.hash, fault));
	/* RFC 9697: validators remember hashes. A file with another one under the same URI is worse than none. */
	if (expected != NULL && (content.size != expected->size || memcmp(content.hash, expected->hash, SHA256_SIZE) != 0))
		return fault_set(fault, FAULT_DATABASE, "the database gives another %s than the one that was published",
			file->file.path);
	TRY(atomic_file_commit(&file->file, modified_at, fault));
	*ret_content = content;
	return FAULT_NONE;
}

void
rrdp_file_clear(struct rrdp_file *file)
{
	atomic_file_clear(&file->file);
	digest_free(file->digest);
	bytes_clear(&file->text);
	*file = RRDP_FILE_INIT;
}
