/*
 * precondition: conditional requests (RFC 9110 §13): what If-Match, If-None-Match and If-Modified-Since ask. Pure.
 *
 * Our entity tags are strong: "7" is version 7 of a list that is settled; "7-9f86d081884c7d65" is the same version with states
 * that are still changing by themselves, of which the second part is a digest. A change asks for a version alone: If-Match
 * takes both.
 */
#ifndef API_SERVER_PRECONDITION_H
#define API_SERVER_PRECONDITION_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/base/fault.h"

#define PRECONDITION_TAG 48
void precondition_tag(int64_t version, char tag[PRECONDITION_TAG]);
void precondition_tag_states(int64_t version, uint64_t digest, char tag[PRECONDITION_TAG]);

/* Is the field "*": any version will do? NULL: no. */
bool precondition_any(const char *field);

/*
 * If-Match with a version of ours. field: as sent, NULL when absent (then it matches). "*" matches any version (the thing
 * exists). Weak tags never match (§13.1.1). Faults: MALFORMED when it is no list of entity tags.
 */
CHECKED enum fault_code precondition_match(const char *field, int64_t version, bool *ret_matches, struct fault *fault);

/*
 * If-None-Match: true when it names this tag (weak comparison, §13.1.2): nothing new. A field that makes no sense is as if
 * absent.
 */
bool precondition_unchanged(const char *field, const char *tag);

/*
 * If-Modified-Since: true when the file is of that very time. §13.1.3 has "no newer than", but after a clock that went back a newer file
 * has an earlier time and would stay hidden. A field that is no date is as if absent.
 */
bool precondition_not_modified(const char *field, int64_t modified_at);

/* Accept-Encoding: may the answer be gzip (§12.5.3)? NULL: no. */
bool precondition_takes_gzip(const char *field);

#endif
