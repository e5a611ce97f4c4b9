/*
 * upload: a request's body streamed into a file, for imports: DIR/imports/<random>.part until it is complete, then
 * DIR/imports/<id>.
 *
 * Threads: an upload belongs to its request.
 */
#ifndef API_SERVER_UPLOAD_H
#define API_SERVER_UPLOAD_H

#include <stddef.h>

#include "api/server/request.h"
#include "ca/base/fault.h"

#define UPLOAD_DIRECTORY "imports"      /* under the data directory, made when first needed */

/* Faults: DISK, IO, CRYPTO. */
CHECKED enum fault_code upload_open(struct request_upload *upload, int data_directory, struct fault *fault);
/* Faults: TOO_LARGE (more than limit bytes in all), DISK, IO. */
CHECKED enum fault_code upload_write(struct request_upload *upload, const void *data, size_t length, int64_t limit,
	struct fault *fault);
/* Flushes it. Faults: DISK, IO. */
CHECKED enum fault_code upload_flush(struct request_upload *upload, struct fault *fault);
/* Gives a flushed upload its final name and closes it. Faults: DISK, IO. */
CHECKED enum fault_code upload_name(struct request_upload *upload, int data_directory, const char *id, struct fault *fault);
/* Closes and unlinks it, unless it was named. */
void upload_discard(struct request_upload *upload, int data_directory);
/* At start: unlinks what uploads left behind that a kill cut off. Faults: IO. */
CHECKED enum fault_code upload_clean(int data_directory, struct fault *fault);

#endif
