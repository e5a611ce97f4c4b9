/*
 * forge: a copy of what a served registry publishes, to be damaged one rule at a time. Objects can be made anew with the real keys
 * of the CAs, so that nothing but the rule that is meant is broken. For cmocka programs. Threads: one.
 */
#ifndef TESTS_SUPPORT_FORGE_H
#define TESTS_SUPPORT_FORGE_H

#include "ca/der/certificate.h"
#include "ca/der/crl.h"
#include "tests/support/served.h"

struct forge_object {
	char path[160];                         /* below the rsync URI */
	struct bytes der;
};

struct forge {
	struct served *served;
	char path[320];                         /* of the copy of the data directory */
	int directory;
	int64_t now_at;
	struct forge_object objects[64];        /* of the last serial's snapshot */
	size_t count;
	char alpha[80], beta[80], issuing[80], online[80], ta[80]; /* directories of CAs, "xx/yyyy/" */
};

/* Copies files and reads the objects. */
void forge_open(struct forge *forge, struct served *served);
void forge_close(struct forge *forge);

/* The first object of a directory whose name has this ending (".mft"); fails the case if there is none. */
struct forge_object *forge_find(struct forge *forge, const char *directory, const char *ending);
/* An object more. */
struct forge_object *forge_add(struct forge *forge, const char *path, struct span der);
void forge_remove(struct forge *forge, struct forge_object *object);
/* The certificate that issuer's directory has for the CA of this directory. */
struct forge_object *forge_certificate_of(struct forge *forge, const char *issuer, const char *directory);

/* Made anew, signed by the key that signed it, after `edit` (may be NULL) changed its fields. */
typedef void (*forge_edit)(struct forge *forge, struct certificate_fields *fields);
void forge_certificate(struct forge *forge, struct bytes *der, forge_edit edit);
/* A signed object around another content (data NULL: its own), with a fresh EE key whose certificate `edit` changes. */
void forge_signed(struct forge *forge, struct bytes *der, struct span content, forge_edit edit);
void forge_crl(struct forge *forge, struct bytes *der, void (*edit)(struct forge *forge, struct crl_fields *fields));
/* Signs a TBS with the key of the CA of a directory. */
void forge_sign(struct forge *forge, const char *directory, struct span tbs, struct bytes *ret_der);
/* The serial number of an object's (EE) certificate. */
struct serial_number forge_serial(const struct forge_object *object);

/* The manifest of a directory made anew, of what is there now; all members may be 0. */
struct forge_list {
	int64_t this_update_s, next_update_s;   /* from now; 0: as they are */
	const char *drop;                       /* the name that ends so is left out */
	const char *extra;                      /* "SEQUENCE { IA5 … BITS … }", added at the end */
	const char *wrong;                      /* the name that ends so has another hash */
	bool twice, reversed;                   /* ROAs are there twice; in the opposite order */
	forge_edit edit;                        /* of its EE */
};
void forge_manifest(struct forge *forge, const char *directory, const struct forge_list *list);

/* Writes snapshot and a notification without deltas of what the objects are now, of the last serial. */
void forge_write(struct forge *forge);

/* Files of the copy. */
void forge_read_file(struct forge *forge, const char *path, struct bytes *ret_content);
void forge_write_file(struct forge *forge, const char *path, struct span content);
/* Replaces `from`, which must be there, with `to` in a file, once. */
void forge_replace(struct forge *forge, const char *path, const char *from, const char *to);
/* A file of RRDP of a serial, "" + "snapshot.xml" or "delta.xml", below the data directory. */
const char *forge_rrdp_path(struct forge *forge, int64_t serial, const char *name);
/* Sets the hash that the notification has of that file right. */
void forge_rehash(struct forge *forge, int64_t serial, const char *name, struct span before);

#endif
