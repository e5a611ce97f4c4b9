#include "api/cli/rsyncd_conf.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "api/cli/init_uri.h"
#include "ca/base/atomic_file.h"

/*
 * Started by root, rsyncd would turn into "nobody", who can't enter the data directory: uid and gid say whose it is. Started by that
 * owner, they are ignored. The module's path goes through the link that each new tree flips; the client stays in the tree it began with.
 */
enum fault_code
rsyncd_conf_write(int directory, const char *data, const char *rsync_uri, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	AUTO(char, free) path = realpath(data, NULL);
	char module[INIT_HOST_SIZE];
	struct stat status;
	if (path == NULL || fstat(directory, &status) != 0)
		return fault_set_errno(fault, errno, "looking at %s", data);
	init_uri_module(rsync_uri, module);
	TRY(bytes_printf(&text, fault,
		"# rsync --daemon --config=%s/rsyncd.conf --port=PORT --address=ADDRESS\n"
		"# Serves what %s names. Written by cadastre; yours to change.\n"
		"use chroot = no\n"
		"read only = yes\n"
		"list = yes\n"
		"numeric ids = yes\n"
		"reverse lookup = no\n"
		"max connections = 500\n"
		"timeout = 300\n"
		"uid = %ld\n"
		"gid = %ld\n"
		"\n"
		"[%s]\n"
		"comment = RPKI repository\n"
		"path = %s/rsync/current\n",
		path, rsync_uri, (long)status.st_uid, (long)status.st_gid, module, path));
	return atomic_file_put(directory, "rsyncd.conf", bytes_span(&text), 0644, ATOMIC_FILE_KEEP_TIME, fault);
}
