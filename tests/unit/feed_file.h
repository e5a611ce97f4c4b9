/* feed_file: files for readers of outside files: written by a test, or the real ones where they are at hand. */
#ifndef TESTS_UNIT_FEED_FILE_H
#define TESTS_UNIT_FEED_FILE_H

#include <stdbool.h>
#include <stddef.h>

void feed_file_write(const char *path, const char *text);
void feed_file_write_bytes(const char *path, const void *data, size_t length);
/* The same, packed with gzip. */
void feed_file_write_gzip(const char *path, const void *data, size_t length);

/* Path of a file of $CADASTRE_DATA (else ../shared/data); NULL where it is not, which is then said. Valid until the next call. */
const char *feed_file_real(const char *name);

#endif
