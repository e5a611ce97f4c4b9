/*
 * Feeds the empty input and every file of the directories given as arguments to a fuzz target. The name of each file is printed
 * before it is tried, so the last line tells which one ended the program.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

/* No seed needs more: a larger file in a corpus is a mistake. */
#define REPLAY_FILE_MAX (16U << 20)

static int
replay_stream(FILE *stream, const char *path)
{
	uint8_t *buffer = malloc(REPLAY_FILE_MAX + 1U);
	if (buffer == NULL)
		return -1;
	size_t size = fread(buffer, 1, REPLAY_FILE_MAX + 1U, stream);
	if (ferror(stream) || size > REPLAY_FILE_MAX) {
		fprintf(stderr, "%s: %s\n", path, ferror(stream) ? "can't be read" : "larger than any seed may be");
		free(buffer);
		return -1;
	}
	/* Memory of exactly the input's size, so that the sanitiser sees a read behind its end. */
	uint8_t *input = malloc(size > 0 ? size : 1);
	if (input != NULL) {
		memcpy(input, buffer, size);
		(void)LLVMFuzzerTestOneInput(input, size);
	}
	free(buffer);
	free(input);
	return input == NULL ? -1 : 0;
}

static int
replay_file(const char *directory, const char *name)
{
	char path[4096];
	if ((size_t)snprintf(path, sizeof path, "%s/%s", directory, name) >= sizeof path)
		return -1;
	puts(path);
	fflush(stdout);
	FILE *stream = fopen(path, "rb");
	if (stream == NULL) {
		perror(path);
		return -1;
	}
	int result = replay_stream(stream, path);
	fclose(stream);
	return result;
}

/* Counts the files that were replayed; -1 when one could not be. */
static int
replay_directory(const char *directory)
{
	DIR *listing = opendir(directory);
	if (listing == NULL) {
		perror(directory);
		return -1;
	}
	int count = 0;
	for (const struct dirent *entry; count >= 0 && (entry = readdir(listing)) != NULL;) {
		if (entry->d_name[0] != '.')
			count = replay_file(directory, entry->d_name) == 0 ? count + 1 : -1;
	}
	closedir(listing);
	return count;
}

int
main(int argc, char **argv)
{
	static const uint8_t nothing[1];
	(void)LLVMFuzzerTestOneInput(nothing, 0);
	for (int i = 1; i < argc; i++) {
		int count = replay_directory(argv[i]);
		if (count == 0)
			fprintf(stderr, "%s: no files\n", argv[i]);
		if (count <= 0)
			return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
