#include "api/cli/backup_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Into locked memory, at most `limit` bytes; one more shows that there are more. */
static enum fault_code
read_file(const char *path, size_t limit, struct secret **ret_content, size_t *ret_length, struct fault *fault)
{
	AUTO(struct secret, secret_free) content = NULL;
	AUTO_CLEAR(int, descriptor_close) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t length = 0;
	if (fd < 0)
		return errno == ENOENT ? fault_set(fault, FAULT_NOT_FOUND, "there is no file %s", path) : fault_set_errno(fault, errno, "%s", path);
	TRY(secret_new(limit + 1, &content, fault));
	for (ssize_t n = 1; n > 0 && length < content->length; length += (size_t)n) {
		n = read(fd, content->data + length, content->length - length);
		if (n < 0)
			return fault_set_errno(fault, errno, "reading %s", path);
	}
	*ret_content = MOVE(content);
	*ret_length = length;
	return FAULT_NONE;
}

static enum fault_code
take(const uint8_t *data, size_t length, struct secret **ret_secret, struct fault *fault)
{
	AUTO(struct secret, secret_free) secret = NULL;
	if (length < BACKUP_PASSPHRASE_MIN || length > BACKUP_PASSPHRASE_MAX)
		return fault_set(fault, FAULT_INVALID, "a passphrase has %d characters at least, and %d at most", BACKUP_PASSPHRASE_MIN,
			BACKUP_PASSPHRASE_MAX);
	TRY(secret_new(length, &secret, fault));
	memcpy(secret->data, data, length);
	*ret_secret = MOVE(secret);
	return FAULT_NONE;
}

/* Up to the end of the first line, whoever wrote it. */
static size_t
line_length(const uint8_t *data, size_t length)
{
	const uint8_t *end = memchr(data, '\n', length);
	size_t line = end != NULL ? (size_t)(end - data) : length;
	return line > 0 && data[line - 1] == '\r' ? line - 1 : line;
}

enum fault_code
backup_secret_passphrase_file(const char *path, struct secret **ret_secret, struct fault *fault)
{
	AUTO(struct secret, secret_free) content = NULL;
	size_t length;
	TRY(read_file(path, BACKUP_PASSPHRASE_MAX + 2, &content, &length, fault));
	enum fault_code code = take(content->data, line_length(content->data, length), ret_secret, fault);
	if (code == FAULT_INVALID)
		(void)fault_prefix(fault, "%s: ", path);
	return code;
}

enum fault_code
backup_secret_key_file(const char *path, struct secret **ret_secret, struct fault *fault)
{
	AUTO(struct secret, secret_free) content = NULL;
	AUTO(struct secret, secret_free) secret = NULL;
	size_t length;
	TRY(read_file(path, BACKUP_KEY_MAX, &content, &length, fault));
	if (length > BACKUP_KEY_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "%s is no key file: it has more than %d bytes", path, BACKUP_KEY_MAX);
	if (length < BACKUP_KEY_MIN)
		return fault_set(fault, FAULT_INVALID, "%s is too short for a key: openssl rand -hex 32 >FILE makes one", path);
	TRY(secret_new(length, &secret, fault));
	memcpy(secret->data, content->data, length);
	*ret_secret = MOVE(secret);
	return FAULT_NONE;
}

/* One line from the terminal, unseen. */
static enum fault_code
ask(int terminal, const char *question, struct secret **ret_secret, struct fault *fault)
{
	AUTO(struct secret, secret_free) line = NULL;
	struct termios seen, unseen;
	TRY(secret_new(BACKUP_PASSPHRASE_MAX + 2, &line, fault));
	if (tcgetattr(terminal, &seen) != 0)
		return fault_set_errno(fault, errno, "the terminal");
	unseen = seen;
	unseen.c_lflag &= ~(tcflag_t)ECHO;
	(void)!write(terminal, question, strlen(question));
	(void)tcsetattr(terminal, TCSAFLUSH, &unseen);
	ssize_t length = read(terminal, line->data, line->length);
	(void)tcsetattr(terminal, TCSAFLUSH, &seen);
	(void)!write(terminal, "\n", 1);
	if (length < 0)
		return fault_set_errno(fault, errno, "reading from the terminal");
	return take(line->data, line_length(line->data, (size_t)length), ret_secret, fault);
}

enum fault_code
backup_secret_ask(bool is_new, struct secret **ret_secret, struct fault *fault)
{
	AUTO(struct secret, secret_free) first = NULL;
	AUTO(struct secret, secret_free) second = NULL;
	AUTO_CLEAR(int, descriptor_close) terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (terminal < 0)
		return fault_set(fault, FAULT_USAGE, "there is no terminal to ask for a passphrase on: --passphrase-file FILE, or --key-file FILE");
	TRY(ask(terminal, is_new ? "Passphrase for the backup: " : "Passphrase of the backup: ", &first, fault));
	if (is_new) {
		TRY(ask(terminal, "Once more: ", &second, fault));
		if (first->length != second->length || !secret_equal(first->data, second->data, first->length))
			return fault_set(fault, FAULT_USAGE, "the two passphrases differ");
	}
	*ret_secret = MOVE(first);
	return FAULT_NONE;
}
