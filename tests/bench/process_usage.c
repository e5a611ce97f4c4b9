/*
 * process_usage PID: what a process has used until now: "<CPU nanoseconds> <peak memory, KiB>". All its threads count, also those
 * that have ended. Prints nothing and fails if there is no such process.
 */
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
	printf("%lld %ld\n", (long long)used.tv_sec * 1000000000 + used.tv_nsec, peak);
	return EXIT_SUCCESS;
}
