#include "api/cli/backup_archive.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAG_PART 'P'
#define TAG_END 'E'
#define NAME_MAX_LENGTH 32
#define DATABASE_MAX (INT64_C(1) << 46)
#define MADE_AT "made_at "

static const char *const names[BACKUP_PARTS] = {
	[BACKUP_ABOUT] = "about",
	[BACKUP_SETTINGS] = "cadastre.conf",
	[BACKUP_MASTER_KEY] = "master.key",
	[BACKUP_TLS_CERTIFICATE] = "tls-certificate.pem",
	[BACKUP_TLS_KEY] = "tls-key.pem",
	[BACKUP_TOKEN] = "admin.token",
	[BACKUP_TAL] = "ta.tal",
	[BACKUP_DATABASE] = "cadastre.db",
};

const char *
backup_archive_name(enum backup_part part)
{
	return names[part];
}

enum fault_code
backup_archive_print_about(const struct backup_about *about, struct bytes *text, struct fault *fault)
{
	TRY(bytes_printf(text, fault, MADE_AT "%" PRId64 "\n", about->made_at));
	return epoch_print(&about->mark, NULL, text, fault);
}

enum fault_code
backup_archive_parse_about(struct bytes *text, struct backup_about *ret_about, struct fault *fault)
{
	struct backup_about about = { .made_at = 0 };
	const char *elsewhere;
	char *at = (char *)text->data, *end = NULL;
	size_t prefix = strlen(MADE_AT);
	if (text->length > prefix && strlen(at) == text->length && strncmp(at, MADE_AT, prefix) == 0 && at[prefix] >= '0' && at[prefix] <= '9')
		about.made_at = strtoll(at + prefix, &end, 10);
	if (end == NULL || *end != '\n' || !epoch_parse(end + 1, &about.mark, &elsewhere))
		return fault_set(fault, FAULT_MALFORMED, "the backup doesn't say what it is of");
	*ret_about = about;
	return FAULT_NONE;
}

/* ---- writing ---- */

enum fault_code
backup_archive_put(struct sealed_writer *writer, enum backup_part part, int64_t size, struct fault *fault)
{
	uint8_t head[2 + NAME_MAX_LENGTH + 8];
	size_t length = strlen(names[part]);
	head[0] = TAG_PART;
	head[1] = (uint8_t)length;
	memcpy(head + 2, names[part], length);
	for (size_t i = 0; i < 8; i++)
		head[2 + length + i] = (uint8_t)((uint64_t)size >> (8 * (7 - i)));
	return sealed_writer_write(writer, head, 2 + length + 8, fault);
}

enum fault_code
backup_archive_end(struct sealed_writer *writer, struct fault *fault)
{
	const uint8_t tag = TAG_END;
	TRY(sealed_writer_write(writer, &tag, 1, fault));
	return sealed_writer_finish(writer, fault);
}

/* ---- reading ---- */

static enum fault_code
damaged(struct fault *fault)
{
	return fault_set(fault, FAULT_MALFORMED, "the backup is opened, but what is in it is not as this release writes it");
}

static enum fault_code
read_all(struct backup_reader *reader, void *data, size_t length, struct fault *fault)
{
	for (size_t done = 0; done < length;) {
		size_t n;
		TRY(sealed_reader_read(reader->sealed, (uint8_t *)data + done, length - done, &n, fault));
		if (n == 0)
			return damaged(fault);
		done += n;
	}
	return FAULT_NONE;
}

/* Nothing may stand behind the end; reading it has the last chunk authenticated. */
static enum fault_code
read_end(struct backup_reader *reader, enum backup_part *ret_part, struct fault *fault)
{
	uint8_t more;
	size_t n;
	TRY(sealed_reader_read(reader->sealed, &more, 1, &n, fault));
	if (n != 0 || reader->next != BACKUP_PARTS)
		return damaged(fault);
	*ret_part = BACKUP_PARTS;
	return FAULT_NONE;
}

static enum fault_code
find_part(const char *name, int from, enum backup_part *ret_part, struct fault *fault)
{
	for (int part = from; part < BACKUP_PARTS; part++) {
		if (strcmp(name, names[part]) == 0) {
			*ret_part = (enum backup_part)part;
			return FAULT_NONE;
		}
		/* It may lack files that the operator keeps elsewhere, never these. */
		if (part == BACKUP_ABOUT || part == BACKUP_SETTINGS || part == BACKUP_MASTER_KEY || part == BACKUP_DATABASE)
			break;
	}
	return damaged(fault);
}

enum fault_code
backup_archive_next(struct backup_reader *reader, enum backup_part *ret_part, int64_t *ret_size, struct fault *fault)
{
	uint8_t tag, length, octets[8];
	char name[NAME_MAX_LENGTH + 1];
	enum backup_part part = BACKUP_PARTS;
	uint64_t size = 0;
	INVARIANT(reader->left == 0);
	TRY(read_all(reader, &tag, 1, fault));
	if (tag == TAG_END)
		return read_end(reader, ret_part, fault);
	TRY(read_all(reader, &length, 1, fault));
	if (tag != TAG_PART || length == 0 || length > NAME_MAX_LENGTH)
		return damaged(fault);
	TRY(read_all(reader, name, length, fault));
	name[length] = '\0';
	TRY(read_all(reader, octets, sizeof octets, fault));
	for (size_t i = 0; i < sizeof octets; i++)
		size = size << 8 | octets[i];
	TRY(find_part(name, reader->next, &part, fault));
	if (size > (uint64_t)(part == BACKUP_DATABASE ? DATABASE_MAX : BACKUP_FILE_MAX))
		return damaged(fault);
	reader->next = (int)part + 1;
	reader->left = (int64_t)size;
	*ret_part = part;
	*ret_size = reader->left;
	return FAULT_NONE;
}

enum fault_code
backup_archive_read(struct backup_reader *reader, void *data, size_t length, size_t *ret_length, struct fault *fault)
{
	size_t wanted = (int64_t)length < reader->left ? length : (size_t)reader->left;
	*ret_length = 0;
	if (wanted == 0)
		return FAULT_NONE;
	TRY(sealed_reader_read(reader->sealed, data, wanted, ret_length, fault));
	if (*ret_length == 0)
		return damaged(fault);
	reader->left -= (int64_t)*ret_length;
	return FAULT_NONE;
}
