/*
 * backup_archive: what is inside a backup: named parts one after the other, first "about", in a sealed file (ca/keys/sealed_file).
 *
 *     'P', length of the name, name, 8 octets size (big-endian), content; … ; 'E' behind the last
 *
 * The parts come as they are read, nothing is held whole. A reader takes known names alone, each once, in the order of the table.
 */
#ifndef API_CLI_BACKUP_ARCHIVE_H
#define API_CLI_BACKUP_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/keys/sealed_file.h"
#include "db/epoch.h"

enum backup_part {
	BACKUP_ABOUT,
	BACKUP_SETTINGS,
	BACKUP_MASTER_KEY,
	BACKUP_TLS_CERTIFICATE,
	BACKUP_TLS_KEY,
	BACKUP_TOKEN,
	BACKUP_TAL,
	BACKUP_DATABASE,
	BACKUP_PARTS
};

#define BACKUP_FILE_MAX (INT64_C(1) << 20)      /* of each part but the database */

/* Its name in the archive; also that of the file it is extracted to. */
const char *backup_archive_name(enum backup_part part);

/* What a backup says of itself. */
struct backup_about {
	int64_t made_at;
	struct epoch_mark mark;         /* of the database */
};

CHECKED enum fault_code backup_archive_print_about(const struct backup_about *about, struct bytes *text, struct fault *fault);
/* Changes the text. Faults: MALFORMED. */
CHECKED enum fault_code backup_archive_parse_about(struct bytes *text, struct backup_about *ret_about, struct fault *fault);

/* `size` bytes of content have to follow. */
CHECKED enum fault_code backup_archive_put(struct sealed_writer *writer, enum backup_part part, int64_t size, struct fault *fault);
CHECKED enum fault_code backup_archive_end(struct sealed_writer *writer, struct fault *fault);

struct backup_reader {
	struct sealed_reader *sealed;   /* borrowed */
	int next;                       /* the first part that may come */
	int64_t left;                   /* of the content of the part that is being read */
};

/* *ret_part BACKUP_PARTS: that was all, and the file ends there. The content before must have been read. Faults: MALFORMED, those of reading. */
CHECKED enum fault_code backup_archive_next(struct backup_reader *reader, enum backup_part *ret_part, int64_t *ret_size, struct fault *fault);
/* Up to length bytes of the part; 0: that was all of it. */
CHECKED enum fault_code backup_archive_read(struct backup_reader *reader, void *data, size_t length, size_t *ret_length, struct fault *fault);

#endif
