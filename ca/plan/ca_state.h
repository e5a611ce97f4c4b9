/*
 * ca_state: all that a decision about one CA rests on, as plain values: what it may hold, what its member wants, its keys, what it has
 * issued. Loaded in one view of the database, then never changed. No key material, no DER.
 *
 * Threads: belongs to one thread.
 */
#ifndef CA_PLAN_CA_STATE_H
#define CA_PLAN_CA_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"
#include "ca/resources/payload.h"
#include "ca/resources/resource_set.h"

enum ca_kind { CA_TA, CA_ONLINE, CA_ISSUING, CA_MEMBER };
enum object_kind { OBJECT_TA, OBJECT_CER, OBJECT_CRL, OBJECT_MFT, OBJECT_ROA };

const char *ca_kind_text(enum ca_kind kind);             /* as in the database: "ta", "online", … */
bool ca_kind_parse(const char *text, enum ca_kind *ret_kind);
const char *object_kind_text(enum object_kind kind);
bool object_kind_parse(const char *text, enum object_kind *ret_kind);

#define STATE_SERIAL_MAX 20
#define STATE_NAME_MAX 64
#define STATE_URI_MAX 512

/* An object that stands, or is staged to stand, at a publication point. */
struct issued_object {
	int64_t object_id;
	int64_t key_id;
	enum object_kind kind;
	bool published;                                  /* false: staged, in no cut yet */
	char name[STATE_NAME_MAX];
	uint8_t hash[32];
	uint8_t serial[STATE_SERIAL_MAX];                /* of the certificate or EE certificate, big-endian */
	uint8_t serial_length;                           /* 0: a CRL */
	int64_t not_before_at, not_after_at;
	int64_t asn, slot;                               /* ROA */
	size_t first_payload, payloads_count;            /* ROA: its run of ca_state.issued_payloads */
};

struct revoked_serial {
	uint8_t octets[STATE_SERIAL_MAX];
	uint8_t length;
	int64_t revoked_at;
};

struct key_state {
	int64_t key_id;                                  /* 0: no such key */
	bool offline;                                    /* its private half is on another machine: nothing can be signed with it here */
	struct bytes handle;                             /* for the signer */
	struct bytes spki;
	uint8_t identifier[20];
	uint64_t crl_number, manifest_number;            /* of the last ones published; 0: none yet */
	int64_t this_update_at;
};

/* Where a key stands (RFC 6489 §2): its CA instance is the CURRENT, the NEW or the OLD one. */
enum key_stage { KEY_CURRENT, KEY_STAGED, KEY_RETIRED };

/*
 * A CA instance (RFC 6489): one key of a CA with what belongs to that key alone. Its CRL, its manifest and what it has signed are among
 * ca_state.objects, told by their key_id.
 */
struct ca_instance {
	struct key_state key;
	enum key_stage stage;
	int64_t staging_s;                               /* staged: for this long; below 0: as the settings say */
	int64_t published_at;                            /* when its first manifest went out; 0: not yet */
	int64_t retired_at;                              /* when another key took its place; 0: none did */
	bool certified;                                  /* it has a certificate, in `certificate` */
	struct issued_object certificate;
	struct resource_set certified_resources;         /* what that says; empty when it inherits */
	bool certified_inherits;
	struct revoked_serial *revoked;                  /* for its CRL: replaced or withdrawn, not yet expired */
	size_t revoked_count, revoked_capacity;
};

/* The CA above: what its child's certificate says of it and is signed with. */
struct parent_state {
	int64_t ca_id;                                   /* 0: there is none (TA) */
	int64_t repository_id;                           /* in which its publication point is */
	bool set_aside;                                  /* it can't issue now */
	struct key_state key;
	struct resource_set resources;                   /* what it may give, inheritance resolved */
	int64_t not_after_at;                            /* of its certificate; 0: it has none yet */
	char repository_uri[STATE_URI_MAX];
	char certificate_uri[STATE_URI_MAX];             /* where its own certificate is */
};

struct ca_state {
	int64_t ca_id;
	int64_t repository_id;
	enum ca_kind kind;
	int64_t version, roas_version;
	bool changed;                                    /* marked as changed since it was last reconciled */
	bool deleting;
	bool suspended;                                  /* all of it is withdrawn for now; keys and intent stay */
	bool held;                                       /* see ca_state_hold() */
	int64_t roll_at;                                 /* from when on a new key is wanted; 0: none is */
	int64_t roll_staging_s;                          /* how long that one is to be staged; below 0: as the settings say */
	bool by_origin;                                  /* ROAs are one object per origin AS now */
	bool inherits;                                   /* its certificate inherits all that its parent holds */
	struct resource_set resources;                   /* what it may hold, inheritance resolved */
	char rsync_uri[STATE_URI_MAX];                   /* of the repository */
	char directory[STATE_URI_MAX];                   /* below it, ends with '/' */
	char notification_uri[STATE_URI_MAX];

	struct parent_state parent;
	struct ca_instance current;                      /* its key_id 0: it has no key yet */
	struct ca_instance other;                        /* staged or retired, during a key roll; its key_id 0: there is none */

	struct payload *intents;                         /* what its member wants, in order of payload_compare() */
	size_t intents_count, intents_capacity;
	struct issued_object *objects;                   /* all that stands at its publication point */
	size_t objects_count, objects_capacity;
	struct payload *issued_payloads;                 /* of its ROAs, each ROA's run in order */
	size_t issued_payloads_count, issued_payloads_capacity;
};

CHECKED enum fault_code ca_state_new(struct ca_state **ret_state, struct fault *fault);
void ca_state_free(struct ca_state *state);
SCOPED(struct ca_state, ca_state_free)

/* The CRL or manifest of one of its keys, NULL if there is none. */
const struct issued_object *ca_state_object(const struct ca_state *state, int64_t key_id, enum object_kind kind);

/*
 * A CA on hold is planned as if what it had were all that is wanted, so that renewals go on and its changes wait: resources become those
 * it is certified for (as far as the CA above still has them, where that can issue), intents those that stand in its ROAs; it neither
 * goes nor is suspended nor starts a key roll. Faults: MEMORY.
 */
CHECKED enum fault_code ca_state_hold(struct ca_state *state, struct fault *fault);

#define KEY_NAME_SIZE 27
/* The stem of the files that belong to a key: <26 hex digits of its identifier>.{cer,crl,mft}. Never changes while the key lives. */
void ca_state_key_name(const uint8_t identifier[20], char ret_name[KEY_NAME_SIZE]);

#endif
