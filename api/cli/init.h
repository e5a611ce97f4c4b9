/*
 * init: lays a new data directory: configuration, master key, TLS certificate, database, trust anchor, tree, the first publication, the
 * administrator's token, rsyncd.conf. Works without a server. All or nothing: what fails leaves the directory as empty as it was.
 */
#ifndef API_CLI_INIT_H
#define API_CLI_INIT_H

#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"

struct init_request {
	const char *data;                /* the directory: absent or empty */
	const char *rrdp_uri;            /* https://…/ */
	const char *rsync_uri;           /* rsync://host/module/ */
	const char *listen;              /* address:port; NULL: the default */
	int64_t batch_window_s;          /* -1: the default */
	const char *ta_key;              /* file: an existing trust anchor key (PEM or DER); NULL: a new one */
	const char *ta_public;           /* file: the public half of a key on another machine (`cadastre ta init`); NULL: the key is here */
	const char *ta_certificate;      /* file: its certificate (DER or PEM); NULL: none */
	const char *ta_resources;        /* "AS64496-AS64511, 192.0.2.0/24, 2001:db8::/32"; NULL: everything */
};

/* warnings: a line for each thing that some validators refuse. Faults: INVALID, CONFLICT (the directory holds something), KEY, IO, DISK. */
CHECKED enum fault_code init_run(const struct init_request *request, struct bytes *warnings, struct fault *fault);

#endif
