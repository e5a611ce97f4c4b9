#include "tests/unit/feed_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

void
feed_file_write_bytes(const char *path, const void *data, size_t length)
{
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

void
feed_file_write(const char *path, const char *text)
{
	feed_file_write_bytes(path, text, strlen(text));
}

void
feed_file_write_gzip(const char *path, const void *data, size_t length)
{
	gzFile file = gzopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(gzwrite(file, data, (unsigned)length), length);
	assert_int_equal(gzclose(file), Z_OK);
}

const char *
feed_file_real(const char *name)
{
	static char path[4096];
	const char *directory = getenv("CADASTRE_DATA");
	(void)snprintf(path, sizeof path, "%s/%s", directory != NULL ? directory : "../shared/data", name);
	if (access(path, R_OK) == 0)
		return path;
	print_message("# skipped: there is no %s here (CADASTRE_DATA says where real files are)\n", path);
	return NULL;
}
