/*
 * object_set: what was signed for one plan, ready to be stored in one transaction. Owns its bytes.
 *
 * Threads: belongs to one thread at a time.
 */
#ifndef CA_ISSUE_OBJECT_SET_H
#define CA_ISSUE_OBJECT_SET_H

#include "ca/base/bytes.h"
#include "ca/base/digest.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"
#include "ca/der/certificate.h"
#include "ca/plan/ca_state.h"

struct new_object {
	enum object_kind kind;
	bool passive;                            /* signed with the plan's passive key, or the certificate of that one */
	char name[STATE_NAME_MAX];
	struct bytes der;
	uint8_t hash[SHA256_SIZE];
	struct serial_number serial;             /* of the certificate or EE certificate; length 0: a CRL */
	int64_t not_before_at, not_after_at;     /* CRL: thisUpdate and nextUpdate */
	int64_t modified_at;                     /* its file's time (publication-server BCP: signingTime, thisUpdate, notBefore) */
	int64_t asn, slot;                       /* ROA */
	size_t first_payload, payloads_count;    /* ROA: run of the plan's layout.payloads */
	int64_t replaces_id;                     /* object_id of the one it takes the place of; 0: none */
};

struct object_set {
	bool made_key;
	struct bytes key_handle, key_spki;
	uint8_t key_identifier[KEY_IDENTIFIER_SIZE];
	struct new_object *items;                /* its own certificate, if issued, stands at the parent's publication point */
	size_t count, capacity;
};

CHECKED enum fault_code object_set_new(struct object_set **ret_set, struct fault *fault);
/* A fresh item at the end, borrowed until the next call. Faults: MEMORY. */
CHECKED enum fault_code object_set_add(struct object_set *set, enum object_kind kind, struct new_object **ret_object, struct fault *fault);
void object_set_free(struct object_set *set);
SCOPED(struct object_set, object_set_free)

#endif
