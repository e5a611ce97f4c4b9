/*
 * check_internal: what the files of publish/check share with each other and nobody else: one check as it goes on.
 *
 * Functions set faults only where nothing was found out; what is wrong with what is served goes into the report.
 */
#ifndef PUBLISH_CHECK_CHECK_INTERNAL_H
#define PUBLISH_CHECK_CHECK_INTERNAL_H

#include "ca/lint/lint.h"
#include "publish/check/check.h"
#include "publish/check/check_index.h"
#include "publish/check/check_rrdp_reader.h"

#define CHECK_URI 2049
#define CHECK_DEPTH_MAX 12                      /* of a chain of certificates: what rpki-client follows */
#define CHECK_DOCUMENT_MAX INT64_C(2147483648)  /* of one RRDP file: rpki-client takes no more */
#define CHECK_NOTIFICATION_MAX INT64_C(8388608)
#define CHECK_OBJECT_MIN 100                    /* rpki-client takes no smaller object, version 8 no larger one */
#define CHECK_OBJECT_MAX 4000000
#define CHECK_POINTS_MAX 100                    /* repositories */

/* Records a finding: TRY(FOUND(check, KIND, place, fault, format, …)). */
#define FOUND(check, kind, place, fault, ...) check_report_add((check)->report, CHECK_##kind, (place), (fault), __VA_ARGS__)

struct check_key {
	uint8_t identifier[20];
};

/* A repository: what a notification leads to. */
struct check_point {
	uint16_t number;                        /* from 1, in the order in which they were met */
	char notification_uri[CHECK_URI];
	struct check_repository repository;     /* with a database */
	struct check_rrdp_head head;            /* of the notification; serial 0: there is none that can be read */
	int snapshot;                           /* descriptor, -1: none */
	bool rrdp_read;                         /* the snapshot was read to its end */
	int64_t differences, fewest, fewest_serial; /* between the rsync tree and serials, where there is no database */
};

struct check {
	const struct check_request *request;
	struct check_report *report;
	int64_t now_at;                         /* at which objects are judged */
	struct check_index index;
	struct check_repository *repositories;  /* with a database: all that there are */
	size_t repositories_count;
	struct check_point *points[CHECK_POINTS_MAX];
	size_t points_count;
	struct check_point *point;              /* that is being read, or held against the database */
	char notification_uri[CHECK_URI];       /* of the trust anchor's certificate */
	char rrdp_base[CHECK_URI];              /* its directory, ends with '/' */
	char rsync_base[CHECK_URI];             /* ends with '/' */
	bool rsync_read;
	uint32_t manifests;                     /* that were looked at */
	struct check_key *keys;                 /* of CAs that were reached and are valid */
	size_t keys_count, keys_capacity;
};

/* BUSY once the check is to stop. */
CHECKED enum fault_code check_go_on(const struct check *check, struct fault *fault);
/* It has been read: what was issued meanwhile is of no future. */
void check_look_at_clock(struct check *check);
/* Counts an object and notes when it expires. */
CHECKED enum fault_code check_note(struct check *check, enum check_object object, const char *uri, int64_t not_after_at,
	struct fault *fault);

/* check_place: files. NOT_FOUND where there is none. */
CHECKED enum fault_code check_place_open(const struct check *check, const char *uri, int64_t limit, int *ret_fd, struct fault *fault);
/*
 * The .gz beside a file of RRDP in a data directory, which is served in its place to who takes it: it must unpack to that hash.
 * Nothing where there is none, and where the file has changed meanwhile.
 */
CHECKED enum fault_code check_place_gzip(struct check *check, const char *uri, const uint8_t hash[SHA256_SIZE], struct fault *fault);
CHECKED enum fault_code check_place_read(int fd, size_t limit, struct bytes *ret_content, struct fault *fault);
/* An object of the snapshot. */
CHECKED enum fault_code check_place_object(const struct check *check, const struct check_entry *entry, struct bytes *ret_der,
	struct fault *fault);
bool check_span_is(struct span span, const char *text);

/* check_point: the repositories. */
/* The first, of the trust anchor, and with a database all that it has notified: as of one cut, where that can be had. */
CHECKED enum fault_code check_point_read_all(struct check *check, struct fault *fault);
/*
 * That of a notification, which is read now if it wasn't before and is a further one below the trust anchor's. *ret_point NULL: no
 * repository of ours.
 */
CHECKED enum fault_code check_point_find(struct check *check, struct span notification_uri, struct check_point **ret_point,
	struct fault *fault);
struct check_authority;
/* What a validator finds for a CA: an object in the snapshot of its own repository. NULL: it isn't there. */
struct check_entry *check_point_published(struct check *check, const struct check_authority *authority, const char *uri);
void check_point_clear(struct check *check);

/* check_rrdp: notification, snapshot, deltas of check->point. */
CHECKED enum fault_code check_rrdp(struct check *check, struct fault *fault);

/* check_rsync: the tree that is served, against the state that the database has of its serial. */
CHECKED enum fault_code check_rsync(struct check *check, struct fault *fault);
/*
 * Without a database: the tree is read first, then the snapshot and each serial that the deltas are undone to are counted against
 * it; one of them it should be.
 */
CHECKED enum fault_code check_rsync_read(struct check *check, struct fault *fault);
void check_rsync_snapshot(struct check *check);
/* An object that no snapshot has is of the point in whose deltas it is met. */
void check_rsync_adopt(struct check *check, struct check_entry *entry);
int64_t check_rsync_differs(const struct check *check, const struct check_entry *entry);
void check_rsync_serial(struct check *check, int64_t serial);
CHECKED enum fault_code check_rsync_judge(struct check *check, struct fault *fault);

/* check_database: RRDP against the state of its serial; CAs and payloads against intent. */
CHECKED enum fault_code check_database_rrdp(struct check *check, struct fault *fault);
CHECKED enum fault_code check_database_cas(struct check *check, struct fault *fault);

/* A CA as its certificate has made it, while what it issued is looked at. */
struct check_authority {
	const struct check_point *point;        /* where it publishes */
	unsigned depth;
	bool valid;                             /* a validator comes as far as this, and takes its manifest */
	char name[65];
	uint8_t key_identifier[20];
	struct bytes spki;
	struct resource_set resources;          /* after inheritance */
	char certificate_uri[CHECK_URI], repository_uri[CHECK_URI], manifest_uri[CHECK_URI], crl_uri[CHECK_URI];
	struct bytes crl, manifest;             /* DER */
	int64_t crl_this_update_at, crl_next_update_at;
	int64_t manifest_expires_at;            /* its EE certificate */
	struct span *revoked;                   /* serials, in order; of `crl` */
	size_t revoked_count;
	struct payload *payloads;               /* that a validator takes */
	size_t payloads_count, payloads_capacity;
	bool parent;                            /* it has issued certificates of CAs */
	bool known;                             /* its ROAs were right before and are the same */
	int64_t payloads_before;                /* of a known one */
	int64_t roas, roas_expire_at;           /* that were looked at; the first of them, 0: none */
};
void check_authority_free(struct check_authority *authority);
SCOPED(struct check_authority, check_authority_free)
struct lint_issuer check_authority_issuer(const struct check_authority *authority);
bool check_authority_revoked(const struct check_authority *authority, struct span serial);

/* check_anchor: locator and certificate of the trust anchor. *ret_anchor NULL: there is nothing to go on from. */
CHECKED enum fault_code check_anchor(struct check *check, struct check_authority **ret_anchor, struct fault *fault);

/* check_certificate: what is wrong with a certificate. */
struct lint_look_certificate;
/* Is it right in all but signature (the caller's) and revocation? *ret_right; if not, the finding is recorded. */
CHECKED enum fault_code check_certificate_judge(struct check *check, const struct check_authority *issuer,
	const struct lint_look_certificate *look, const struct lint_certificate_wanted *wanted, const char *uri, bool *ret_right,
	struct fault *fault);
/* A CA's certificate below issuer: *ret_authority is NULL where nothing can be made of it. */
CHECKED enum fault_code check_certificate_ca(struct check *check, const struct check_authority *issuer, const char *uri,
	struct span der, struct check_authority **ret_authority, struct fault *fault);

/* check_signed: signed objects of an authority. `right`: a validator takes it. */
struct check_signed {
	struct bytes content;
	struct resource_set resources;          /* of a ROA: of the EE's certificate */
	int64_t not_after_at;                   /* of the EE's certificate */
	bool right, readable;
};
#define CHECK_SIGNED_INIT ((struct check_signed){ .resources = RESOURCE_SET_INIT })
void check_signed_clear(struct check_signed *object);
/* *ret_object must be CHECK_SIGNED_INIT; to be cleared, also on failure. */
CHECKED enum fault_code check_signed(struct check *check, const struct check_authority *issuer, const char *uri, struct span der,
	bool manifest, struct check_signed *ret_object, struct fault *fault);
CHECKED enum fault_code check_roa(struct check *check, struct check_authority *issuer, const char *uri, struct span der,
	struct fault *fault);

/* check_manifest: everything that an authority has issued, and all below. */
CHECKED enum fault_code check_manifest_walk(struct check *check, struct check_authority *authority, struct fault *fault);
/* check_recall: what was right before. Of an authority: NULL unless only what changed is to be looked at, and it is known as it is. */
const struct check_known_ca *check_recall_ca(struct check *check, const struct check_authority *authority);
/* Whether all that a known CA has issued can be taken as it was: nothing of it is about to expire, and there are no CAs below. */
bool check_recall_lasts(const struct check *check, const struct check_known_ca *ca);
/* It can: counts and times are what they were. */
CHECKED enum fault_code check_recall_products(struct check *check, const struct check_known_ca *ca, struct check_authority *authority,
	struct fault *fault);
/* All that it issued was right. */
CHECKED enum fault_code check_recall_learn(struct check *check, const struct check_authority *authority, struct fault *fault);

/* check_crl: *ret_right. Fills authority->revoked from authority->crl. */
CHECKED enum fault_code check_crl(struct check *check, struct check_authority *authority, bool *ret_right, struct fault *fault);
/* check_database: what a CA's key has issued, and its payloads, against the database. Without one, does nothing. */
CHECKED enum fault_code check_database_ca(struct check *check, const struct check_authority *authority, uint64_t manifest_number,
	struct fault *fault);

#endif
