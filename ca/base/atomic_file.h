/*
 * atomic_file: files that are there whole or not at all. Written beside their place, flushed, renamed, the directory flushed.
 *
 * All paths are relative to a directory descriptor (AT_FDCWD for plain paths). Threads: safe for different files.
 */
#ifndef CA_BASE_ATOMIC_FILE_H
#define CA_BASE_ATOMIC_FILE_H

#include <stdint.h>
#include <sys/types.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"

#define ATOMIC_FILE_KEEP_TIME INT64_C(-1)

struct atomic_file {
	int directory;          /* borrowed descriptor that path is relative to */
	int fd;                 /* -1 when not open */
	char *path;             /* where it will be */
	char *temporary;        /* where it is until then: path + ".tmp-<random>" */
};

#define ATOMIC_FILE_INIT ((struct atomic_file){ .directory = -1, .fd = -1 })

/* Opens a new temporary file beside path with this mode, whatever the umask. Faults: IO, DISK, MEMORY. */
CHECKED enum fault_code atomic_file_open(struct atomic_file *file, int directory, const char *path, mode_t mode,
	struct fault *fault);
CHECKED enum fault_code atomic_file_write(struct atomic_file *file, const void *data, size_t length, struct fault *fault);
/* Sets the modification time (ATOMIC_FILE_KEEP_TIME: as it comes), flushes, renames into place, flushes the directory. */
CHECKED enum fault_code atomic_file_commit(struct atomic_file *file, int64_t modified_at, struct fault *fault);
/* Closes; unlinks the temporary file unless committed. For AUTO_CLEAR. */
void atomic_file_clear(struct atomic_file *file);

/* All of the above for bytes in memory. */
CHECKED enum fault_code atomic_file_put(int directory, const char *path, struct span content, mode_t mode, int64_t modified_at,
	struct fault *fault);

/* Reads a whole file of at most `limit` bytes; replaces *ret_content. Faults: NOT_FOUND, TOO_LARGE, IO, MEMORY. */
CHECKED enum fault_code atomic_file_read(int directory, const char *path, size_t limit, struct bytes *ret_content,
	struct fault *fault);

/* Makes a directory and its missing parents (mode 0755 or 0700 as given); that it exists already is fine. Nothing is flushed. */
CHECKED enum fault_code atomic_file_make_directories(int directory, const char *path, mode_t mode, struct fault *fault);
/* Flushes the directory that holds path. */
CHECKED enum fault_code atomic_file_sync_parent(int directory, const char *path, struct fault *fault);
/* Removes a tree, following no symbolic link. That it is not there is fine. */
CHECKED enum fault_code atomic_file_remove_tree(int directory, const char *path, struct fault *fault);

#endif
