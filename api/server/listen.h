/*
 * listen: the address that the server listens on, as text and as a socket.
 *
 * Threads: safe.
 */
#ifndef API_SERVER_LISTEN_H
#define API_SERVER_LISTEN_H

#include <sys/socket.h>

#include "ca/base/fault.h"

struct listen_address {
	struct sockaddr_storage address;
	socklen_t length;
};

/*
 * "192.0.2.1:8443", "[2001:db8::1]:8443", "localhost:8443", "*:8443" (all addresses of both families). Never asks a name
 * server. Faults: INVALID.
 */
CHECKED enum fault_code listen_parse(const char *text, struct listen_address *ret_address, struct fault *fault);

/*
 * A socket that listens there; *ret_port is its port, also where 0 was asked for.
 * Faults: CONFLICT (another program has that port), INVALID (not an address of this machine), IO.
 */
CHECKED enum fault_code listen_open(const char *text, int *ret_socket, int *ret_port, struct fault *fault);

#endif
