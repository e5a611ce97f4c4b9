#include "api/server/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/base/scope.h"

#define HOST_MAX 64
#define PORT_MAX 65535

/* Decimal digits alone. */
static bool
parse_port(const char *text, uint16_t *ret_port)
{
	size_t length = strlen(text);
	if (length == 0 || length > 5 || strspn(text, "0123456789") != length)
		return false;
	long port = strtol(text, NULL, 10);
	if (port > PORT_MAX)
		return false;
	*ret_port = htons((uint16_t)port);
	return true;
}

static bool
set_ipv4(struct listen_address *address, const char *host, uint16_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&address->address;
	in->sin_family = AF_INET;
	in->sin_port = port;
	address->length = sizeof *in;
	return inet_pton(AF_INET, host, &in->sin_addr) == 1;
}

static bool
set_ipv6(struct listen_address *address, const char *host, uint16_t port)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address->address;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = port;
	address->length = sizeof *in6;
	return inet_pton(AF_INET6, host, &in6->sin6_addr) == 1;
}

enum fault_code
listen_parse(const char *text, struct listen_address *ret_address, struct fault *fault)
{
	struct listen_address address = { .length = 0 };
	char host[HOST_MAX];
	uint16_t port = 0;
	const char *colon = strrchr(text, ':');
	size_t length = colon == NULL ? 0 : (size_t)(colon - text);
	if (length == 0 || length >= sizeof host || !parse_port(colon + 1, &port))
		return fault_set(fault, FAULT_INVALID,
			"\"%.200s\" is not an address and port such as 127.0.0.1:8443 or [::1]:8443", text);
	memcpy(host, text, length);
	host[length] = '\0';
	bool understood = false;
	if (strcmp(host, "*") == 0)
		understood = set_ipv6(&address, "::", port);
	else if (strcmp(host, "localhost") == 0)
		understood = set_ipv4(&address, "127.0.0.1", port);
	else if (host[0] == '[' && host[length - 1] == ']') {
		host[length - 1] = '\0';
		understood = set_ipv6(&address, host + 1, port);
	} else
		understood = set_ipv4(&address, host, port);
	if (!understood)
		return fault_set(fault, FAULT_INVALID,
			"\"%.200s\" does not begin with an IP address (IPv6 in brackets), localhost or *", text);
	*ret_address = address;
	return FAULT_NONE;
}

/* A machine without IPv6 still has all its IPv4 addresses. */
static int
open_socket(struct listen_address *address, bool all_addresses)
{
	int fd = socket(address->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 && errno == EAFNOSUPPORT && all_addresses) {
		uint16_t port = ((struct sockaddr_in6 *)&address->address)->sin6_port;
		*address = (struct listen_address){ .length = 0 };
		if (set_ipv4(address, "0.0.0.0", port))
			fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	}
	return fd;
}

static int
port_of(int fd)
{
	struct sockaddr_storage bound = { .ss_family = AF_UNSPEC };
	socklen_t length = sizeof bound;
	if (getsockname(fd, (struct sockaddr *)&bound, &length) != 0)
		return 0;
	if (bound.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&bound)->sin6_port);
	return ntohs(((struct sockaddr_in *)&bound)->sin_port);
}

enum fault_code
listen_open(const char *text, int *ret_socket, int *ret_port, struct fault *fault)
{
	struct listen_address address;
	TRY(listen_parse(text, &address, fault));
	AUTO_CLEAR(int, descriptor_close) fd = open_socket(&address, text[0] == '*');
	if (fd < 0)
		return fault_set_errno(fault, errno, "can't make a socket for %s", text);
	const int on = 1, off = 0;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
		return fault_set_errno(fault, errno, "can't set up the socket for %s", text);
	if (address.address.ss_family == AF_INET6 && text[0] == '*')
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	if (bind(fd, (const struct sockaddr *)&address.address, address.length) != 0) {
		if (errno == EADDRINUSE)
			return fault_set(fault, FAULT_CONFLICT, "%s is in use by another program", text);
		if (errno == EADDRNOTAVAIL)
			return fault_set(fault, FAULT_INVALID, "%s is not an address of this machine", text);
		return fault_set_errno(fault, errno, "can't take %s", text);
	}
	/* Two sockets may bind one port as long as none listens (SO_REUSEADDR): the second to listen is told here. */
	if (listen(fd, SOMAXCONN) != 0) {
		if (errno == EADDRINUSE)
			return fault_set(fault, FAULT_CONFLICT, "%s is in use by another program", text);
		return fault_set_errno(fault, errno, "can't listen on %s", text);
	}
	*ret_port = port_of(fd);
	*ret_socket = fd;
	fd = -1;
	return FAULT_NONE;
}
