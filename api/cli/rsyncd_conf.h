/* rsyncd_conf: the settings of an rsync daemon that serves a data directory's tree. */
#ifndef API_CLI_RSYNCD_CONF_H
#define API_CLI_RSYNCD_CONF_H

#include "ca/base/fault.h"

/* Writes DIR/rsyncd.conf. directory: a descriptor of `data`. Faults: DISK, IO, MEMORY. */
CHECKED enum fault_code rsyncd_conf_write(int directory, const char *data, const char *rsync_uri, struct fault *fault);

#endif
