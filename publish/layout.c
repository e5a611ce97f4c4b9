#include "publish/layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HEXADECIMAL "0123456789abcdef"
#define PORTABLE "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

const char *
layout_file_name(enum layout_file file)
{
	return file == LAYOUT_SNAPSHOT ? "snapshot.xml" : "delta.xml";
}

void
layout_repository(char path[LAYOUT_PATH], int64_t repository_id)
{
	if (repository_id > 1)
		(void)snprintf(path, LAYOUT_PATH, LAYOUT_RRDP "/%" PRId64, repository_id);
	else
		(void)snprintf(path, LAYOUT_PATH, LAYOUT_RRDP);
}

void
layout_notification(char path[LAYOUT_PATH], int64_t repository_id)
{
	char directory[LAYOUT_PATH];
	layout_repository(directory, repository_id);
	int length = snprintf(path, LAYOUT_PATH, "%s/" LAYOUT_NOTIFICATION_NAME, directory);
	INVARIANT(length > 0 && length < LAYOUT_PATH);
}

const char *
layout_below_repository(const char *path, int64_t repository_id)
{
	char directory[LAYOUT_PATH];
	layout_repository(directory, repository_id);
	return path + strlen(directory) + 1;
}

void
layout_rrdp(char path[LAYOUT_PATH], const char *session, const struct publication_cut *cut, const char *name)
{
	char directory[LAYOUT_PATH];
	layout_repository(directory, cut->repository_id);
	int length = snprintf(path, LAYOUT_PATH, "%s/%s/%" PRId64 "/%s%s%s", directory, session, cut->serial, cut->random,
		name != NULL ? "/" : "", name != NULL ? name : "");
	INVARIANT(length > 0 && length < LAYOUT_PATH);
}

void
layout_tree(char path[LAYOUT_PATH], const char *tree_name)
{
	int length = snprintf(path, LAYOUT_PATH, LAYOUT_RSYNC "/%s", tree_name);
	INVARIANT(length > 0 && length < LAYOUT_PATH);
}

enum fault_code
layout_check_names(const char *session, const struct publication_cut *cut, struct fault *fault)
{
	if (strlen(session) != PUBLICATION_SESSION - 1 || strspn(session, HEXADECIMAL "-") != PUBLICATION_SESSION - 1)
		return fault_set(fault, FAULT_DATABASE, "\"%s\" is no session id", session);
	if (strlen(cut->random) != PUBLICATION_RANDOM - 1 || strspn(cut->random, HEXADECIMAL) != PUBLICATION_RANDOM - 1)
		return fault_set(fault, FAULT_DATABASE, "serial %" PRId64 ": \"%s\" are not 32 hexadecimal digits", cut->serial,
			cut->random);
	return FAULT_NONE;
}

enum fault_code
layout_check_object_path(const char *path, struct fault *fault)
{
	bool good = path != NULL && strlen(path) < LAYOUT_OBJECT_PATH;
	for (const char *segment = path; good;) {
		size_t length = strspn(segment, PORTABLE);
		good = length > 0 && segment[0] != '.' && (segment[length] == '/' || segment[length] == '\0');
		if (segment[length] == '\0')
			break;
		segment += length + 1;
	}
	if (good)
		return FAULT_NONE;
	return fault_set(fault, FAULT_DATABASE, "\"%.200s\" can't be the path of an object", path != NULL ? path : "");
}
