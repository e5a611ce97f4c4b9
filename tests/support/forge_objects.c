/* Objects made anew with the real keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after what it needs */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/base64.h"
#include "ca/base/instant.h"
#include "ca/der/manifest.h"
#include "ca/der/signed_object.h"
#include "db/connection.h"
#include "tests/support/der_builder.h"
#include "tests/support/forge.h"

static void
sign_with(struct forge *forge, const char *sql, struct span argument, struct span tbs, struct bytes *ret_der)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	uint8_t signature[RSA_SIGNATURE_SIZE];
	bool row;
	WORLD_OK(db_reader_acquire(forge->served->world->db, &connection, fault));
	WORLD_OK(stmt_prepare(connection, "forge", sql, &stmt, fault));
	stmt_bind_blob(stmt, ":argument", argument);
	WORLD_OK(stmt_step(stmt, &row, fault));
	assert_true(row);
	WORLD_OK(signer_sign(forge->served->world->signer, stmt_blob(stmt, "handle"), tbs, signature, fault));
	WORLD_OK(certificate_assemble(tbs, signature, ret_der, fault));
}

static void
sign_by_key(struct forge *forge, const uint8_t identifier[KEY_IDENTIFIER_SIZE], struct span tbs, struct bytes *ret_der)
{
	sign_with(forge, "SELECT handle FROM keys WHERE key_identifier = :argument", SPAN(identifier, KEY_IDENTIFIER_SIZE), tbs, ret_der);
}

void
forge_sign(struct forge *forge, const char *directory, struct span tbs, struct bytes *ret_der)
{
	sign_with(forge, "SELECT k.handle FROM keys k JOIN cas c USING (ca_id) WHERE CAST(c.directory AS BLOB) = :argument",
		SPAN(directory, strlen(directory)), tbs, ret_der);
}

static struct certificate_fields
fields_of(const struct certificate *certificate)
{
	struct certificate_fields fields = {
		.kind = certificate->kind, .serial = certificate->serial, .issuer = certificate->issuer, .subject = certificate->subject,
		.not_before_at = certificate->not_before_at, .not_after_at = certificate->not_after_at,
		.spki = bytes_span(&certificate->spki), .crl_uri = certificate->crl_uri, .issuer_uri = certificate->issuer_uri,
		.repository_uri = certificate->repository_uri, .manifest_uri = certificate->manifest_uri,
		.notification_uri = certificate->notification_uri, .object_uri = certificate->object_uri,
		.resources = &certificate->resources, .inherit_asns = certificate->inherit_asns,
		.inherit_ipv4 = certificate->inherit_ipv4, .inherit_ipv6 = certificate->inherit_ipv6,
	};
	memcpy(fields.authority_key, certificate->authority_key, sizeof fields.authority_key);
	if (certificate->inherit_asns || certificate->inherit_ipv4 || certificate->inherit_ipv6)
		fields.resources = NULL;
	return fields;
}

/* Whose key signs: who signed before, whatever the fields say now. */
static void
certify(struct forge *forge, const struct certificate *certificate, struct certificate_fields *fields, forge_edit edit,
	struct bytes *ret_der)
{
	AUTO_CLEAR(struct bytes, bytes_clear) tbs = BYTES_INIT;
	if (edit != NULL)
		edit(forge, fields);
	WORLD_OK(certificate_encode_tbs(fields, &tbs, fault));
	sign_by_key(forge, certificate->kind == CERTIFICATE_TA ? certificate->subject_key : certificate->authority_key,
		bytes_span(&tbs), ret_der);
}

void
forge_certificate(struct forge *forge, struct bytes *der, forge_edit edit)
{
	AUTO_CLEAR(struct certificate, certificate_clear) certificate = CERTIFICATE_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) made = BYTES_INIT;
	WORLD_OK(certificate_decode(bytes_span(der), &certificate, fault));
	struct certificate_fields fields = fields_of(&certificate);
	certify(forge, &certificate, &fields, edit, &made);
	bytes_swap(der, &made);
}

void
forge_signed(struct forge *forge, struct bytes *der, struct span content, forge_edit edit)
{
	AUTO_CLEAR(struct certificate, certificate_clear) certificate = CERTIFICATE_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) old_content = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) ee = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) made = BYTES_INIT;
	AUTO(struct onetime_key, onetime_key_free) key = NULL;
	uint8_t identifier[KEY_IDENTIFIER_SIZE];
	char subject[2 * KEY_IDENTIFIER_SIZE + 1];
	enum content_type type;
	int64_t signing_time_at;
	WORLD_OK(signed_object_decode(bytes_span(der), &type, &old_content, &ee, &signing_time_at, fault));
	WORLD_OK(certificate_decode(bytes_span(&ee), &certificate, fault));
	WORLD_OK(key_pool_take(forge->served->world->pool, &key, fault));
	WORLD_OK(certificate_key_identifier(onetime_key_spki(key), identifier, fault));
	hex_encode(SPAN(identifier, sizeof identifier), subject);
	struct certificate_fields fields = fields_of(&certificate);
	fields.spki = onetime_key_spki(key);
	fields.subject = subject;
	certify(forge, &certificate, &fields, edit, &ee);
	int64_t latest_at = fields.not_after_at < signing_time_at ? fields.not_after_at : signing_time_at;
	WORLD_OK(signed_object_make(type, content.data != NULL ? content : bytes_span(&old_content), bytes_span(&ee), latest_at, key, &made,
		fault));
	bytes_swap(der, &made);
}

void
forge_crl(struct forge *forge, struct bytes *der, void (*edit)(struct forge *forge, struct crl_fields *fields))
{
	AUTO_CLEAR(struct crl, crl_clear) crl = CRL_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) tbs = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) made = BYTES_INIT;
	WORLD_OK(crl_decode(bytes_span(der), &crl, fault));
	struct crl_fields fields = {
		.issuer = crl.issuer, .number = crl.number, .this_update_at = crl.this_update_at, .next_update_at = crl.next_update_at,
		.revocations = crl.revocations, .revocations_count = crl.revocations_count,
	};
	memcpy(fields.authority_key, crl.authority_key, sizeof fields.authority_key);
	edit(forge, &fields);
	WORLD_OK(crl_encode_tbs(&fields, &tbs, fault));
	sign_by_key(forge, crl.authority_key, bytes_span(&tbs), &made);
	bytes_swap(der, &made);
}

struct serial_number
forge_serial(const struct forge_object *object)
{
	AUTO_CLEAR(struct certificate, certificate_clear) certificate = CERTIFICATE_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) ee = BYTES_INIT;
	enum content_type type;
	int64_t at;
	if (strstr(object->path, ".cer") == NULL)
		WORLD_OK(signed_object_decode(bytes_span(&object->der), &type, &content, &ee, &at, fault));
	WORLD_OK(certificate_decode(ee.length > 0 ? bytes_span(&ee) : bytes_span(&object->der), &certificate, fault));
	return certificate.serial;
}

struct forge_object *
forge_certificate_of(struct forge *forge, const char *issuer, const char *directory)
{
	for (size_t i = 0; i < forge->count; i++) {
		AUTO_CLEAR(struct certificate, certificate_clear) certificate = CERTIFICATE_INIT;
		struct forge_object *object = &forge->objects[i];
		if (strncmp(object->path, issuer, strlen(issuer)) != 0 || strstr(object->path, ".cer") == NULL)
			continue;
		WORLD_OK(certificate_decode(bytes_span(&object->der), &certificate, fault));
		if (strstr(certificate.repository_uri, directory) != NULL)
			return object;
	}
	fail_msg("there is no certificate of %s in %s", directory, issuer);
	return NULL;
}

/* Manifests are written as text, so that they can be wrong. */

static void
append_time(struct bytes *text, int64_t at)
{
	struct civil_time civil = instant_civil(at);
	WORLD_OK(bytes_printf(text, fault, "GENERALIZED \"%04d%02d%02d%02d%02d%02dZ\" ", civil.year, civil.month, civil.day, civil.hour,
		civil.minute, civil.second));
}

static bool
ends_with(const char *name, const char *ending)
{
	return ending != NULL && strlen(name) >= strlen(ending) && strcmp(name + strlen(name) - strlen(ending), ending) == 0;
}

static int
by_path(const void *a, const void *b)
{
	return strcmp((*(const struct forge_object *const *)a)->path, (*(const struct forge_object *const *)b)->path);
}

static void
append_entry(struct bytes *text, const struct forge_object *object, const char *name, bool wrong)
{
	uint8_t hash[SHA256_SIZE];
	char digits[2 * SHA256_SIZE + 1];
	WORLD_OK(digest_sha256(bytes_span(&object->der), hash, fault));
	hash[0] ^= wrong;
	hex_encode(SPAN(hash, SHA256_SIZE), digits);
	WORLD_OK(bytes_printf(text, fault, "SEQUENCE { IA5 \"%s\" BITS %s/0 } ", name, digits));
}

static void
append_entries(struct forge *forge, const char *directory, const struct forge_list *list, struct bytes *text)
{
	const struct forge_object *found[64];
	size_t count = 0, base = strlen(directory);
	for (size_t i = 0; i < forge->count; i++) {
		const char *name = forge->objects[i].path + base;
		if (strncmp(forge->objects[i].path, directory, base) == 0 && !ends_with(name, ".mft") && !ends_with(name, list->drop))
			found[count++] = &forge->objects[i];
	}
	qsort(found, count, sizeof *found, by_path);
	for (size_t i = 0; i < count; i++) {
		const struct forge_object *object = found[list->reversed ? count - 1 - i : i];
		append_entry(text, object, object->path + base, ends_with(object->path, list->wrong));
		if (list->twice && ends_with(object->path, ".roa"))
			append_entry(text, object, object->path + base, false);
	}
	if (list->extra != NULL)
		WORLD_OK(bytes_append_text(text, list->extra, fault));
}

static struct {
	int64_t not_before_at, not_after_at;
	forge_edit edit;
} manifest_edit;

static void
edit_manifest(struct forge *forge, struct certificate_fields *fields)
{
	fields->not_before_at = manifest_edit.not_before_at;
	fields->not_after_at = manifest_edit.not_after_at;
	if (manifest_edit.edit != NULL)
		manifest_edit.edit(forge, fields);
}

void
forge_manifest(struct forge *forge, const char *directory, const struct forge_list *list)
{
	AUTO_CLEAR(struct manifest, manifest_clear) manifest = MANIFEST_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) ee = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	static const struct forge_list plain;
	struct forge_object *object = forge_find(forge, directory, ".mft");
	enum content_type type;
	int64_t at;
	if (list == NULL)
		list = &plain;
	WORLD_OK(signed_object_decode(bytes_span(&object->der), &type, &content, &ee, &at, fault));
	WORLD_OK(manifest_decode(bytes_span(&content), &manifest, fault));
	manifest_edit.not_before_at = list->this_update_s != 0 ? forge->now_at + list->this_update_s : manifest.this_update_at;
	manifest_edit.not_after_at = list->next_update_s != 0 ? forge->now_at + list->next_update_s : manifest.next_update_at;
	manifest_edit.edit = list->edit;
	WORLD_OK(bytes_printf(&text, fault, "SEQUENCE { INTEGER %llu ", (unsigned long long)manifest.number));
	append_time(&text, manifest_edit.not_before_at);
	append_time(&text, manifest_edit.not_after_at);
	WORLD_OK(bytes_append_text(&text, "OID 2.16.840.1.101.3.4.2.1 SEQUENCE { ", fault));
	append_entries(forge, directory, list, &text);
	WORLD_OK(bytes_append_text(&text, "} }", fault));
	bytes_clear(&content);
	der_builder_encode(bytes_text(&text), &content);
	forge_signed(forge, &object->der, bytes_span(&content), edit_manifest);
}
