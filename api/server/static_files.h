/*
 * static_files: what validators fetch, as it lies on disk: DIR/ta and DIR/rrdp. Nothing is computed, nothing is looked up
 * elsewhere.
 *
 * Only names of the exact shape are opened, below descriptors and without following links; so whatever a path says, nothing
 * else of the data directory can be reached.
 *
 * Threads: safe.
 */
#ifndef API_SERVER_STATIC_FILES_H
#define API_SERVER_STATIC_FILES_H

#include "api/server/reply.h"
#include "api/server/request.h"
#include "ca/base/fault.h"

#define STATIC_FILES_IMMUTABLE_S 7200   /* how long caches may keep a snapshot or delta: as long as it surely stays */

/*
 * Fills the reply for /ta/{ta.cer,ta.tal}, /rrdp/notification.xml and /rrdp/<session>/<serial>/<random>/{snapshot,delta}.xml, also
 * with the number of a further repository behind /rrdp: the file's descriptor, its type, Last-Modified, Cache-Control; 304 where the
 * client has it (RFC 9110 §13.1.3). The .gz beside it is sent instead where the client takes gzip and its time is the file's own.
 * Faults: NOT_FOUND, IO.
 */
CHECKED enum fault_code static_files_serve(int data_directory, const struct request *request, int64_t notification_max_age_s,
	struct reply *reply, struct fault *fault);

#endif
