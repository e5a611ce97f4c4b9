/*
 * views: what the API and the command line read. Each list is given row by row to a callback, nothing is held whole; rows and their
 * strings are borrowed for the call. A callback that returns a fault ends the list with that fault.
 *
 * All functions read on the connection they are given, so that several calls see one state. Threads: as the connection.
 */
#ifndef CA_VIEWS_VIEWS_H
#define CA_VIEWS_VIEWS_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/audit/audit.h"
#include "ca/base/fault.h"
#include "ca/resources/payload.h"
#include "ca/resources/resource_set.h"
#include "db/db.h"

#define PAGE_MAX 1000
#define PAGE_DEFAULT 100

struct ca_row {
	int64_t ca_id;
	const char *handle, *kind, *state;              /* state: "active", "deleting" */
	const struct resource_set *resources;           /* empty for a CA that inherits */
	bool inherits;
	int64_t version, roas_version, roas_count;
	const char *parent_handle;                      /* NULL for the TA */
	int64_t changed_at;                             /* 0: nothing waits */
	const char *set_aside_reason;                   /* NULL: it works */
	int64_t held_at, suspended_at;                  /* 0: it isn't */
	int64_t created_at;
};
typedef enum fault_code (*ca_row_fn)(void *argument, const struct ca_row *row, struct fault *fault);

/* The CA with this handle that is not deleted. Faults: NOT_FOUND. */
CHECKED enum fault_code ca_view_find(struct db_connection *connection, const char *handle, int64_t *ret_ca_id,
	struct fault *fault);
CHECKED enum fault_code ca_view_get(struct db_connection *connection, int64_t ca_id, ca_row_fn give, void *argument,
	struct fault *fault);
/* Members in order of handle, from the one after `after` (NULL: from the first), at most limit. only_ca_id: just that one, 0: all. */
CHECKED enum fault_code ca_view_list(struct db_connection *connection, int64_t only_ca_id, const char *after, int64_t limit,
	ca_row_fn give, void *argument, struct fault *fault);
/* The same of CAs of any kind that are set aside: those above members, too. */
CHECKED enum fault_code ca_view_list_set_aside(struct db_connection *connection, int64_t only_ca_id, const char *after, int64_t limit,
	ca_row_fn give, void *argument, struct fault *fault);

enum roa_status { ROA_PENDING, ROA_PUBLISHED, ROA_NOT_HELD };
struct roa_row {
	struct payload payload;
	const char *comment;                            /* NULL: none */
	enum roa_status status;
	const char *reason;                             /* why pending or not held; NULL when published */
	int64_t created_at;
};
typedef enum fault_code (*roa_row_fn)(void *argument, const struct roa_row *row, struct fault *fault);
/* All ROAs of a CA in the order of payload_compare(), and the version that this list is. */
CHECKED enum fault_code roa_view_list(struct db_connection *connection, int64_t ca_id, roa_row_fn give, void *argument,
	int64_t *ret_version,
	struct fault *fault);

struct object_row {
	const char *uri, *kind;
	struct span hash, serial;                       /* serial: data NULL for a CRL */
	int64_t size, not_before_at, not_after_at, published_serial;
};
typedef enum fault_code (*object_row_fn)(void *argument, const struct object_row *row, struct fault *fault);
/* What the notification on disk has of this CA: its products and its own certificate. */
CHECKED enum fault_code object_view_list(struct db_connection *connection, int64_t ca_id, object_row_fn give, void *argument,
	struct fault *fault);

struct key_row {
	const char *state;                              /* "staged", "current", "retired", "destroyed" */
	struct span identifier;
	bool offline;                                   /* its private half is on another machine */
	int64_t created_at, published_at, retired_at;   /* 0: not yet */
	int64_t manifest_number, crl_number;            /* last ones published */
};
/* A CA's keys, the newest first; destroyed ones only if asked for. */
CHECKED enum fault_code key_view_list(struct db_connection *connection, int64_t ca_id, bool destroyed,
	enum fault_code (*give)(void *argument, const struct key_row *row, struct fault *fault), void *argument, struct fault *fault);

/*
 * Of all that is published, and again of each repository. Of all: session, URIs, serials and times are those of repository 1, the rest is
 * of all together. Of one: `cas`, `roas` and what was refused are not told.
 */
struct publication_row {
	int64_t repository_id;
	const char *session, *rrdp_uri, *rsync_uri;
	int64_t serial, notified_at;                    /* of the notification on disk */
	int64_t cut_serial, cut_at;                     /* of the last cut */
	int64_t rsync_serial, rsync_at;
	int64_t objects, bytes;                         /* published now */
	int64_t snapshot_size, deltas, deltas_size;     /* in the notification */
	int64_t cas, cas_waiting, cas_set_aside, roas;
	const char *refused_code;                       /* of what its guard refuses; NULL: nothing */
	int64_t refused_at, refused_payloads, refused_payloads_lost, refused_cas, refused_cas_lost;
	bool refused_accepted;                          /* an operator accepted it: it goes with the next cut */
};
typedef enum fault_code (*publication_row_fn)(void *argument, const struct publication_row *row, struct fault *fault);
/* give is called once, then give_repository for each. */
CHECKED enum fault_code publication_view_get(struct db_connection *connection, publication_row_fn give,
	publication_row_fn give_repository, void *argument, struct fault *fault);

struct token_row {
	const char *token_id, *name, *ca_handle;        /* ca_handle NULL: bound to no CA */
	enum role role;
	int64_t created_at, expires_at, revoked_at;     /* 0: never */
};
/* ca_id 0: those bound to no CA. */
CHECKED enum fault_code token_view_list(struct db_connection *connection, int64_t ca_id,
	enum fault_code (*give)(void *argument, const struct token_row *row, struct fault *fault), void *argument,
	struct fault *fault);
/* For authentication. hash is compared in constant time. Faults: UNAUTHORIZED (unknown, wrong, expired, revoked: always the same words). */
struct token_identity {
	char token_id[20], name[104];
	enum role role;
	int64_t ca_id;
};
CHECKED enum fault_code token_view_identify(struct db_connection *connection, const char *token, int64_t now_at,
	struct token_identity *ret_identity, struct fault *fault);

struct audit_row {
	int64_t audit_id, at;
	const char *actor, *token_id, *action, *ca_handle, *outcome, *detail, *request_id; /* NULL where absent */
};
/* Newest first, ids below `before` (0: from the newest). only_ca_id 0: all. handle NULL: all. */
CHECKED enum fault_code audit_view_list(struct db_connection *connection, int64_t only_ca_id, int64_t before, int64_t limit,
	enum fault_code (*give)(void *argument, const struct audit_row *row, struct fault *fault), void *argument,
	struct fault *fault);

struct import_row {
	const char *import_id, *kind, *state, *actor, *error;
	int64_t started_at, finished_at;
	int64_t entries_total, entries_done, members_created, members_unchanged, members_different;
	int64_t roas_created, roas_unchanged, roas_not_held, warnings;
	int64_t cas_to_issue, cas_waiting;              /* cas_waiting: not yet reconciled */
	int64_t serial;                                 /* 0: not known yet */
};
CHECKED enum fault_code import_view_get(struct db_connection *connection, const char *import_id,
	enum fault_code (*give)(void *argument, const struct import_row *row, struct fault *fault), void *argument,
	struct fault *fault);
CHECKED enum fault_code import_view_remarks(struct db_connection *connection, const char *import_id, int64_t after, int64_t limit,
	enum fault_code (*give)(void *argument, int64_t remark_id, const char *kind, const char *text, struct fault *fault),
	void *argument, struct fault *fault);

struct transfer_row {
	int64_t transfer_id;
	const char *state;                              /* "prepared", "issuing", "done", "cancelled" */
	const char *from_handle, *to_handle;            /* NULL: another registry */
	const struct resource_set *resources;
	const char *roas, *straddling;                  /* as asked for: "move", …; "refuse", … */
	int64_t roas_within, roas_straddling, roas_added;
	const char *actor;
	int64_t created_at, confirmed_at;               /* confirmed_at 0: not completed or cancelled by anybody */
	int64_t serial;                                 /* of the cut that carries it; 0: none yet */
	int64_t published_at;                           /* when that was notified; 0: not yet, or a later serial was */
};
typedef enum fault_code (*transfer_row_fn)(void *argument, const struct transfer_row *row, struct fault *fault);
CHECKED enum fault_code transfer_view_get(struct db_connection *connection, int64_t transfer_id, transfer_row_fn give, void *argument,
	struct fault *fault);
/* Newest first, ids below `before` (0: from the newest); ca_id 0: of all CAs. */
CHECKED enum fault_code transfer_view_list(struct db_connection *connection, int64_t ca_id, int64_t before, int64_t limit,
	transfer_row_fn give, void *argument, struct fault *fault);
enum ta_urgency { TA_ONLINE, TA_OK, TA_SOON, TA_DUE, TA_OVERDUE };
struct ta_row {
	enum ta_urgency urgency;                        /* TA_ONLINE: its key is on this server, and there are no ceremonies */
	char reason[160];                               /* a sentence for a person: what is needed, and by when */
	int64_t number, installed_at;                   /* of the last ceremony; 0: none yet */
	int64_t pending, requested_at;                  /* the request that waits for its response; 0: none */
	int64_t due_at, ends_at;                        /* when the next ceremony is due; when the first of the objects ends; 0: none */
};
const char *ta_view_urgency_text(enum ta_urgency urgency); /* "online", "ok", "soon", "due", "overdue" */
/* How the next ceremony of an offline trust anchor stands. */
CHECKED enum fault_code ta_view_get(struct db_connection *connection, int64_t now_at, struct ta_row *ret_row, struct fault *fault);

#endif
