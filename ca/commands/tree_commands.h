/*
 * tree_commands: the first rows of an instance. Trust anchor → one online CA with the same resources → an issuing CA that inherits →
 * members. Only the online CA's certificate needs the trust anchor's key. Run once, by init; the objects come from the reconciler
 * like all others.
 */
#ifndef CA_COMMANDS_TREE_COMMANDS_H
#define CA_COMMANDS_TREE_COMMANDS_H

#include "ca/commands/command.h"

/* A key that the signer made, for one of the engine's CAs; an empty handle: its private half is on another machine. Borrowed. */
struct tree_key {
	struct span handle, spki;
	uint8_t identifier[20];
};

/* A trust anchor certificate that exists already, whose key the tree goes on with. */
struct tree_adopted {
	struct span der, serial;
	uint8_t hash[32];
	int64_t not_before_at, not_after_at;
};

struct tree_request {
	const char *rrdp_uri, *rsync_uri;               /* each ends with '/' */
	uint8_t master_key_fingerprint[32];
	const struct resource_set *resources;           /* of the trust anchor and the online CA */
	struct tree_key ta, online, issuing;
	const struct tree_adopted *adopted;             /* NULL: the trust anchor is new */
};

/* Faults: CONFLICT (there is a tree already), INVALID (URIs), CRYPTO, DATABASE, DISK. */
CHECKED enum fault_code tree_create(const struct command_context *context, const struct actor *actor, const struct tree_request *request,
	struct fault *fault);

/*
 * The trust anchor's key was taken to another machine: forgets it here. From now on ceremonies sign for it. Faults: CONFLICT (it is not
 * here), DATABASE, DISK.
 */
CHECKED enum fault_code tree_forget_ta_key(const struct command_context *context, const struct actor *actor, struct fault *fault);

struct tree_instance {
	char uuid[37];
	uint8_t master_key_fingerprint[32];
	int64_t epoch, repository_id;
	char rrdp_uri[512], rsync_uri[512];
};

/* What this database is. Faults: NOT_FOUND (init was not completed), DATABASE. */
CHECKED enum fault_code tree_instance_get(struct db *db, struct tree_instance *ret_instance, struct fault *fault);

#endif
