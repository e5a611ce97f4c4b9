/* init_uri: what init has to know about the URIs it is given: are they right, and which parts do they have. Pure. */
#ifndef API_CLI_INIT_URI_H
#define API_CLI_INIT_URI_H

#include "ca/base/bytes.h"
#include "ca/base/fault.h"

#define INIT_HOST_SIZE 300

/*
 * rrdp_uri: https://host[:port]/path/; rsync_uri: rsync://host[:port]/module/. Appends a line to warnings for what only some validators
 * take (localhost, IP addresses, ports). Faults: INVALID.
 */
CHECKED enum fault_code init_uri_check(const char *rrdp_uri, const char *rsync_uri, struct bytes *warnings, struct fault *fault);

void init_uri_host(const char *uri, char ret_host[INIT_HOST_SIZE]);              /* without port and brackets */
void init_uri_listen_host(const char *listen, char ret_host[INIT_HOST_SIZE]);    /* "" for all addresses */
void init_uri_module(const char *rsync_uri, char ret_module[INIT_HOST_SIZE]);    /* the first segment of its path */
int init_uri_origin_length(const char *uri);                                     /* of "scheme://authority" */

/* DER of a certificate that comes as DER or PEM. Faults: MALFORMED, MEMORY. */
CHECKED enum fault_code init_uri_unwrap_pem(const struct bytes *file, struct bytes *ret_der, struct fault *fault);

#endif
