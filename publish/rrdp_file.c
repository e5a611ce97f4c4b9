#include "publish/rrdp_file.h"

#include <pthread.h>
#include <string.h>

#include "ca/base/memory.h"

/* Takes full blocks over from who gathers them, one at a time: while one is hashed and written, the next is filled. */
struct rrdp_writer {
	struct rrdp_file *file;
	pthread_t thread;
	pthread_mutex_t mutex;  /* guards what follows */
	pthread_cond_t changed;
	struct bytes block;
	bool full;              /* the block is the thread's */
	bool ending;
	enum fault_code code;   /* of the first block that could not be written */
	struct fault fault;
};

static enum fault_code
write_block(struct rrdp_file *file, struct bytes *block, struct fault *fault)
{
	TRY(digest_update(file->digest, block->data, block->length, fault));
	TRY(atomic_file_write(&file->file, block->data, block->length, fault));
	file->size += (int64_t)block->length;
	bytes_reset(block);
	return site_write_out(file->file.fd, file->size, &file->started, fault);
}

static void *
run(void *argument)
{
	struct rrdp_writer *writer = argument;
	pthread_mutex_lock(&writer->mutex);
	for (;;) {
		while (!writer->full && !writer->ending)
			pthread_cond_wait(&writer->changed, &writer->mutex);
		if (!writer->full)
			break;
		pthread_mutex_unlock(&writer->mutex);
		struct fault fault = FAULT_INIT;
		enum fault_code code = write_block(writer->file, &writer->block, &fault);
		pthread_mutex_lock(&writer->mutex);
		writer->full = false;
		if (code != FAULT_NONE) {
			writer->code = code;
			writer->fault = fault;
			break;
		}
		pthread_cond_signal(&writer->changed);
	}
	pthread_cond_signal(&writer->changed);
	pthread_mutex_unlock(&writer->mutex);
	return NULL;
}

/* Waits for the block that is with the thread and ends it. What it met is told. NULL is harmless. */
static enum fault_code
end_writer(struct rrdp_file *file, struct fault *fault)
{
	struct rrdp_writer *writer = file->writer;
	if (writer == NULL)
		return FAULT_NONE;
	pthread_mutex_lock(&writer->mutex);
	writer->ending = true;
	pthread_cond_signal(&writer->changed);
	pthread_mutex_unlock(&writer->mutex);
	INVARIANT(pthread_join(writer->thread, NULL) == 0);
	enum fault_code code = writer->code;
	if (code != FAULT_NONE && fault != NULL)
		*fault = writer->fault;
	(void)pthread_cond_destroy(&writer->changed);
	(void)pthread_mutex_destroy(&writer->mutex);
	bytes_clear(&writer->block);
	free(writer);
	file->writer = NULL;
	return code;
}

/* Where no thread can be had, blocks are written by who gathers them: file->writer stays NULL. */
static enum fault_code
start_writer(struct rrdp_file *file, struct fault *fault)
{
	struct rrdp_writer *writer;
	TRY(memory_new(1, sizeof *writer, &writer, fault));
	writer->file = file;
	writer->block = BYTES_INIT;
	INVARIANT(pthread_mutex_init(&writer->mutex, NULL) == 0);
	INVARIANT(pthread_cond_init(&writer->changed, NULL) == 0);
	if (pthread_create(&writer->thread, NULL, run, writer) == 0) {
		(void)pthread_setname_np(writer->thread, "rrdp-writer");
		file->writer = writer;
		return FAULT_NONE;
	}
	(void)pthread_cond_destroy(&writer->changed);
	(void)pthread_mutex_destroy(&writer->mutex);
	free(writer);
	return FAULT_NONE;
}

static enum fault_code
hand_over(struct rrdp_file *file, struct fault *fault)
{
	struct rrdp_writer *writer = file->writer;
	pthread_mutex_lock(&writer->mutex);
	while (writer->full && writer->code == FAULT_NONE)
		pthread_cond_wait(&writer->changed, &writer->mutex);
	enum fault_code code = writer->code;
	if (code == FAULT_NONE) {
		bytes_swap(&writer->block, &file->text);
		writer->full = true;
		pthread_cond_signal(&writer->changed);
	}
	pthread_mutex_unlock(&writer->mutex);
	return code == FAULT_NONE ? FAULT_NONE : end_writer(file, fault);
}

enum fault_code
rrdp_file_open(struct rrdp_file *file, const struct site *site, const char *path, struct fault *fault)
{
	TRY(site_make_way(site, path, fault));
	TRY(digest_new(&file->digest, fault));
	return atomic_file_open(&file->file, site->directory, path, SITE_FILE_MODE, fault);
}

enum fault_code
rrdp_file_drain(struct rrdp_file *file, struct fault *fault)
{
	if (file->text.length < SITE_BLOCK)
		return FAULT_NONE;
	if (file->writer == NULL)
		TRY(start_writer(file, fault));
	return file->writer != NULL ? hand_over(file, fault) : write_block(file, &file->text, fault);
}

enum fault_code
rrdp_file_commit(struct rrdp_file *file, int64_t modified_at, const struct publication_content *expected,
	struct publication_content *ret_content, struct fault *fault)
{
	struct publication_content content;
	TRY(end_writer(file, fault));
	TRY(write_block(file, &file->text, fault));
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
	enum fault_code code = end_writer(file, NULL);
	(void)code; /* the file is given up */
	atomic_file_clear(&file->file);
	digest_free(file->digest);
	bytes_clear(&file->text);
	*file = RRDP_FILE_INIT;
}
