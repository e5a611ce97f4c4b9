#include "publish/check/check_fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "ca/base/memory.h"

#define CONNECT_TIMEOUT_S 15L
#define SLOW_BYTES 1000L  /* a second, */
#define SLOW_S 30L        /* for so long: given up */
#define TIMEOUT_S 600L
#define REDIRECTS 10
#define URI_SIZE 2049

SCOPED(CURL, curl_easy_cleanup)

struct check_fetch {
	struct check_source source;
	char *ca_file;
	char directory[300];
	bool rsync;
	unsigned files;
};

struct download {
	int fd;
	int64_t size, limit;
	bool too_large, failed;
};

static size_t
take(char *data, size_t size, size_t count, void *argument)
{
	struct download *download = argument;
	size_t length = size * count, written = 0;
	download->size += (int64_t)length;
	download->too_large = download->size > download->limit;
	while (!download->too_large && written < length) {
		ssize_t more = write(download->fd, data + written, length - written);
		if (more < 0 && errno == EINTR)
			continue;
		download->failed = more < 0;
		if (more < 0)
			return 0;
		written += (size_t)more;
	}
	return written;
}

static CURLcode
set_options(CURL *curl, const struct check_fetch *fetch, struct download *download, char *error)
{
	CURLcode code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
	code = code == CURLE_OK && fetch->ca_file != NULL ? curl_easy_setopt(curl, CURLOPT_CAINFO, fetch->ca_file) : code;
	code = code == CURLE_OK ? curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) : code;
	code = code == CURLE_OK ? curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S) : code;
	code = code == CURLE_OK ? curl_easy_setopt(curl, CURLOPT_TIMEOUT, TIMEOUT_S) : code;
	code = code == CURLE_OK ? curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES) : code;
	code = code == CURLE_OK ? curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, SLOW_S) : code;
	code = code == CURLE_OK ? curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "gzip") : code;
	code = code == CURLE_OK ? curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take) : code;
	code = code == CURLE_OK ? curl_easy_setopt(curl, CURLOPT_WRITEDATA, download) : code;
	return code == CURLE_OK ? curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error) : code;
}

static bool
same_origin(const char *a, const char *b)
{
	size_t scheme = strlen("https://"), origin = scheme + strcspn(a + scheme, "/") + 1;
	return strncmp(a, b, origin) == 0;
}

/* One request. *ret_status: HTTP's; *next: where a redirect leads, "" without one. */
static enum fault_code
request(CURL *curl, struct download *download, const char *uri, long *ret_status, char next[URI_SIZE], const char *error,
	struct fault *fault)
{
	const char *redirect = NULL;
	download->size = 0;
	if (ftruncate(download->fd, 0) != 0 || lseek(download->fd, 0, SEEK_SET) < 0)
		return fault_set_errno(fault, errno, "writing what was fetched");
	CURLcode code = curl_easy_setopt(curl, CURLOPT_URL, uri);
	if (code == CURLE_OK)
		code = curl_easy_perform(curl);
	if (download->too_large)
		return fault_set(fault, FAULT_TOO_LARGE, "%.200s has more than %lld bytes", uri, (long long)download->limit);
	if (code != CURLE_OK)
		return fault_set(fault, download->failed ? FAULT_DISK : FAULT_NETWORK, "%.200s: %s", uri, error[0] != '\0' ? error :
			curl_easy_strerror(code));
	next[0] = '\0';
	if (curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, ret_status) != CURLE_OK ||
		curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &redirect) != CURLE_OK)
		return fault_set(fault, FAULT_NETWORK, "%.200s: no status", uri);
	if (redirect != NULL && strlen(redirect) < URI_SIZE)
		memcpy(next, redirect, strlen(redirect) + 1);
	return FAULT_NONE;
}

/* RFC 9674 §3.2: a redirect to another origin is not followed. */
static enum fault_code
download_file(const struct check_fetch *fetch, const char *uri, struct download *download, struct fault *fault)
{
	AUTO(CURL, curl_easy_cleanup) curl = curl_easy_init();
	char error[CURL_ERROR_SIZE] = "", at[URI_SIZE], next[URI_SIZE];
	long status = 0;
	if (curl == NULL || set_options(curl, fetch, download, error) != CURLE_OK)
		return fault_set(fault, FAULT_NETWORK, "libcurl can't be set up for HTTPS");
	if (strlen(uri) >= sizeof at || strncmp(uri, "https://", 8) != 0)
		return fault_set(fault, FAULT_NOT_FOUND, "%.200s is no https URI", uri);
	memcpy(at, uri, strlen(uri) + 1);
	for (int i = 0; i < REDIRECTS; i++) {
		TRY(request(curl, download, at, &status, next, error, fault));
		if (next[0] == '\0')
			break;
		if (!same_origin(uri, next))
			return fault_set(fault, FAULT_NOT_FOUND, "%.200s leads to another origin, %.200s (RFC 9674)", uri, next);
		memcpy(at, next, sizeof at);
	}
	return status == 200 ? FAULT_NONE : fault_set(fault, FAULT_NOT_FOUND, "%.200s answers with status %ld", uri, status);
}

static enum fault_code
open_file(void *self, const char *uri, int64_t limit, int *ret_fd, struct fault *fault)
{
	struct check_fetch *fetch = self;
	char path[340];
	(void)snprintf(path, sizeof path, "%s/%u", fetch->directory, fetch->files++);
	AUTO_CLEAR(int, descriptor_close) fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fault_set_errno(fault, errno, "opening %s", path);
	/* It lives as long as it is open. */
	(void)unlink(path);
	struct download download = { .fd = fd, .limit = limit };
	TRY(download_file(fetch, uri, &download, fault));
	if (lseek(fd, 0, SEEK_SET) < 0)
		return fault_set_errno(fault, errno, "reading what was fetched");
	*ret_fd = fd;
	fd = -1;
	return FAULT_NONE;
}

/* As rpki-client calls it; the address can't be taken for an option. */
static enum fault_code
run_rsync(const char *uri, const char *directory, struct fault *fault)
{
	char *arguments[] = { "rsync", "-rtO", "--timeout=180", "--contimeout=15", "--max-size=20000000", "--no-motd", "--",
		(char *)(uintptr_t)uri, (char *)(uintptr_t)directory, NULL };
	extern char **environ;
	pid_t child;
	int status = 0, error = posix_spawnp(&child, "rsync", NULL, NULL, arguments, environ);
	if (error != 0)
		return fault_set(fault, FAULT_NOT_FOUND, "rsync can't be started: %s", strerror(error));
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return fault_set_errno(fault, errno, "waiting for rsync");
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? FAULT_NONE : fault_set(fault, FAULT_NOT_FOUND,
		"rsync of %.200s ended with status %d", uri, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static enum fault_code
open_tree(void *self, const char *rsync_uri, int *ret_directory, struct fault *fault)
{
	struct check_fetch *fetch = self;
	char path[340];
	if (!fetch->rsync)
		return fault_set(fault, FAULT_NOT_FOUND, "rsync wasn't asked for");
	(void)snprintf(path, sizeof path, "%s/tree/", fetch->directory);
	TRY(run_rsync(rsync_uri, path, fault));
	*ret_directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_directory >= 0 ? FAULT_NONE : fault_set_errno(fault, errno, "opening what rsync fetched");
}

enum fault_code
check_fetch_new(const char *ca_file, bool rsync, struct check_fetch **ret_fetch, struct fault *fault)
{
	AUTO(struct check_fetch, check_fetch_free) fetch = NULL;
	const char *parent = getenv("TMPDIR");
	TRY(memory_new(1, sizeof *fetch, &fetch, fault));
	if (ca_file != NULL)
		TRY(memory_copy_string(ca_file, &fetch->ca_file, fault));
	char directory[sizeof fetch->directory];
	(void)snprintf(directory, sizeof directory, "%s/cadastre-check-XXXXXX", parent != NULL ? parent : "/tmp");
	if (mkdtemp(directory) == NULL)
		return fault_set_errno(fault, errno, "making %s", directory);
	memcpy(fetch->directory, directory, sizeof directory);
	fetch->rsync = rsync;
	fetch->source = (struct check_source){ .open = open_file, .open_tree = open_tree, .self = fetch };
	*ret_fetch = MOVE(fetch);
	return FAULT_NONE;
}

void
check_fetch_free(struct check_fetch *fetch)
{
	if (fetch == NULL)
		return;
	if (fetch->directory[0] != '\0')
		(void)!atomic_file_remove_tree(AT_FDCWD, fetch->directory, NULL);
	free(fetch->ca_file);
	free(fetch);
}

const struct check_source *
check_fetch_source(const struct check_fetch *fetch)
{
	return &fetch->source;
}
