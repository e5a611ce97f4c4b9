#include "api/cli/passphrase_prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "ca/base/scope.h"

#define LINE_MAX_BYTES 1024

/* The first line of what is read, without its newline; the last one of a terminal, too. */
static enum fault_code
read_line(int fd, const char *what, struct secret **ret_line, struct fault *fault)
{
	AUTO(struct secret, secret_free) buffer = NULL;
	AUTO(struct secret, secret_free) line = NULL;
	size_t length = 0;
	TRY(secret_new(LINE_MAX_BYTES, &buffer, fault));
	for (;;) {
		ssize_t got = read(fd, buffer->data + length, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fault_set_errno(fault, errno, "reading %s", what);
		if (got == 0 || buffer->data[length] == '\n')
			break;
		if (++length == LINE_MAX_BYTES)
			return fault_set(fault, FAULT_INVALID, "the passphrase is too long");
	}
	TRY(secret_new(length, &line, fault));
	memcpy(line->data, buffer->data, length);
	*ret_line = MOVE(line);
	return FAULT_NONE;
}

static enum fault_code
ask(int terminal, const char *prompt, struct secret **ret_line, struct fault *fault)
{
	struct termios before, silent;
	if (tcgetattr(terminal, &before) != 0)
		return fault_set_errno(fault, errno, "the terminal");
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	if (write(terminal, prompt, strlen(prompt)) < 0 || tcsetattr(terminal, TCSAFLUSH, &silent) != 0)
		return fault_set_errno(fault, errno, "the terminal");
	enum fault_code code = read_line(terminal, "the terminal", ret_line, fault);
	(void)tcsetattr(terminal, TCSAFLUSH, &before);
	if (write(terminal, "\n", 1) < 0 && code == FAULT_NONE)
		return fault_set_errno(fault, errno, "the terminal");
	return code;
}

enum fault_code
passphrase_prompt(const char *file, bool twice, struct secret **ret_passphrase, struct fault *fault)
{
	AUTO_CLEAR(int, descriptor_close) fd = open(file != NULL ? file : "/dev/tty", (file != NULL ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY);
	AUTO(struct secret, secret_free) first = NULL;
	AUTO(struct secret, secret_free) second = NULL;
	if (fd < 0 && file == NULL)
		return fault_set(fault, FAULT_USAGE, "there is no terminal to ask for the passphrase at: give --passphrase-file FILE");
	if (fd < 0)
		return errno == ENOENT ? fault_set(fault, FAULT_NOT_FOUND, "there is no file %s", file) :
			fault_set_errno(fault, errno, "opening %s", file);
	if (file != NULL)
		return read_line(fd, file, ret_passphrase, fault);
	TRY(ask(fd, "Passphrase of the trust anchor's key: ", &first, fault));
	if (twice) {
		TRY(ask(fd, "The same again: ", &second, fault));
		if (second->length != first->length || !secret_equal(first->data, second->data, first->length))
			return fault_set(fault, FAULT_USAGE, "the two are not the same: nothing was done");
	}
	*ret_passphrase = MOVE(first);
	return FAULT_NONE;
}
