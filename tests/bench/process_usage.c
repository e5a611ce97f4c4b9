/*
 * process_usage PID: what a process has used until now: "<CPU nanoseconds> <peak memory, KiB> <CPU nanoseconds of publishing>". All its
 * threads count, also those that have ended; in the third those that there are, of the threads which publish, compress and check what is
 * served. Prints nothing and fails if there is no such process.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long
status_kib(FILE *status, const char *name)
{
	char line[256];
	long kib = -1;
	while (kib < 0 && fgets(line, sizeof line, status) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			kib = strtol(line + strlen(name), NULL, 10);
	return kib;
}

/* What the first line of a file in /proc says; "" when it is gone. */
static void
read_line(long pid, const char *thread, const char *file, char line[256])
{
	char path[320];
	(void)snprintf(path, sizeof path, "/proc/%ld/task/%s/%s", pid, thread, file);
	FILE *stream = fopen(path, "re");
	line[0] = '\0';
	if (stream == NULL)
		return;
	if (fgets(line, 256, stream) == NULL)
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	(void)fclose(stream);
}

static bool
publishes(const char *name)
{
	static const char *const names[] = { "publication", "compress", "self-check" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static long long
publishing_ns(long pid)
{
	char path[64], line[256];
	long long sum = 0;
	(void)snprintf(path, sizeof path, "/proc/%ld/task", pid);
	DIR *threads = opendir(path);
	for (struct dirent *entry; threads != NULL && (entry = readdir(threads)) != NULL;) {
		read_line(pid, entry->d_name, "comm", line);
		if (!publishes(line))
			continue;
		read_line(pid, entry->d_name, "schedstat", line); /* time on a CPU, in nanoseconds, comes first */
		sum += strtoll(line, NULL, 10);
	}
	if (threads != NULL)
		(void)closedir(threads);
	return sum;
}

int
main(int argc, char **argv)
{
	char path[64];
	clockid_t clock;
	struct timespec used;
	long pid = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
	(void)snprintf(path, sizeof path, "/proc/%ld/status", pid);
	FILE *status = pid > 0 ? fopen(path, "re") : NULL;
	if (status == NULL || clock_getcpuclockid((pid_t)pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
		return EXIT_FAILURE;
	long peak = status_kib(status, "VmHWM:");
	(void)fclose(status);
	printf("%lld %ld %lld\n", (long long)used.tv_sec * 1000000000 + used.tv_nsec, peak, publishing_ns(pid));
	return EXIT_SUCCESS;
}
