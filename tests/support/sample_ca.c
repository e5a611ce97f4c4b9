#include "tests/support/sample_ca.h"

#include <stdio.h>
#include <string.h>

#include "ca/keys/master_key.h"
#include "ca/keys/software_signer.h"
#include "tests/support/fixed_keys.h"

#define SURE(call) INVARIANT((call) == FAULT_NONE)

static void
name_of(const uint8_t identifier[KEY_IDENTIFIER_SIZE], char name[NAME_TEXT])
{
	for (size_t i = 0; i < KEY_IDENTIFIER_SIZE; i++)
		(void)snprintf(name + 2 * i, 3, "%02X", identifier[i]);
}

void
sample_ca_init(struct sample_ca *ca)
{
	struct secret *master_key = NULL;
	*ca = (struct sample_ca){ .signer = NULL };
	SURE(secret_new(MASTER_KEY_SIZE, &master_key, NULL));
	SURE(software_signer_new(master_key, fixed_keys_source(), &ca->signer, NULL));
	SURE(key_pool_new(fixed_keys_source(), 0, 0, &ca->pool, NULL));
	SURE(signer_generate(ca->signer, &ca->handle, &ca->spki, NULL));
	SURE(certificate_key_identifier(bytes_span(&ca->spki), ca->identifier, NULL));
	name_of(ca->identifier, ca->name);
	SURE(resource_set_parse_addresses(&ca->resources, FAMILY_IPV4, "10.0.0.0/8", NULL));
	SURE(resource_set_parse_addresses(&ca->resources, FAMILY_IPV4, "192.0.2.0/24", NULL));
	SURE(resource_set_parse_addresses(&ca->resources, FAMILY_IPV6, "2001:db8::/32", NULL));
	SURE(resource_set_parse_asns(&ca->resources, "AS64496-AS64511", NULL));
	SURE(resource_set_normalise(&ca->resources, NULL));
}

void
sample_ca_clear(struct sample_ca *ca)
{
	signer_free(ca->signer);
	key_pool_free(ca->pool);
	bytes_clear(&ca->handle);
	bytes_clear(&ca->spki);
	resource_set_clear(&ca->resources);
}

struct certificate_fields
sample_ca_fields(const struct sample_ca *ca, enum certificate_kind kind, struct span spki)
{
	struct certificate_fields fields = {
		.kind = kind,
		.serial = { .length = SERIAL_SIZE, .octets = { 0x5a, [SERIAL_SIZE - 1] = 0x01 } },
		.issuer = ca->name,
		.subject = ca->name,
		.not_before_at = SAMPLE_NOW - SAMPLE_DAY,
		.not_after_at = SAMPLE_NOW + 30 * SAMPLE_DAY,
		.spki = spki,
		.resources = &ca->resources,
	};
	if (kind != CERTIFICATE_EE) {
		fields.repository_uri = SAMPLE_BASE "subject/";
		fields.manifest_uri = SAMPLE_BASE "subject/subject.mft";
		fields.notification_uri = "https://rrdp.example/notification.xml";
	}
	if (kind == CERTIFICATE_TA)
		return fields;
	fields.subject = "subject";
	fields.crl_uri = SAMPLE_BASE "issuer/issuer.crl";
	fields.issuer_uri = SAMPLE_BASE "parent/issuer.cer";
	memcpy(fields.authority_key, ca->identifier, KEY_IDENTIFIER_SIZE);
	if (kind == CERTIFICATE_EE) {
		fields.object_uri = SAMPLE_BASE "issuer/issuer.mft";
		fields.resources = NULL;
		fields.inherit_asns = fields.inherit_ipv4 = fields.inherit_ipv6 = true;
	}
	return fields;
}

struct crl_fields
sample_ca_crl_fields(const struct sample_ca *ca)
{
	struct crl_fields fields = {
		.issuer = ca->name,
		.number = 1,
		.this_update_at = SAMPLE_NOW,
		.next_update_at = SAMPLE_NOW + SAMPLE_DAY,
	};
	memcpy(fields.authority_key, ca->identifier, KEY_IDENTIFIER_SIZE);
	return fields;
}

void
sample_ca_sign(const struct sample_ca *ca, struct span tbs, struct bytes *ret_der)
{
	uint8_t signature[RSA_SIGNATURE_SIZE];
	SURE(signer_sign(ca->signer, bytes_span(&ca->handle), tbs, signature, NULL));
	SURE(certificate_assemble(tbs, signature, ret_der, NULL));
}

void
sample_ca_certificate(const struct sample_ca *ca, const struct certificate_fields *fields, struct bytes *ret_der)
{
	AUTO_CLEAR(struct bytes, bytes_clear) tbs = BYTES_INIT;
	SURE(certificate_encode_tbs(fields, &tbs, NULL));
	sample_ca_sign(ca, bytes_span(&tbs), ret_der);
}

void
sample_ca_crl(const struct sample_ca *ca, const struct crl_fields *fields, struct bytes *ret_der)
{
	AUTO_CLEAR(struct bytes, bytes_clear) tbs = BYTES_INIT;
	SURE(crl_encode_tbs(fields, &tbs, NULL));
	sample_ca_sign(ca, bytes_span(&tbs), ret_der);
}

void
sample_ca_object(const struct sample_ca *ca, enum content_type type, struct span content, const struct resource_set *resources,
	struct bytes *ret_der)
{
	AUTO(struct onetime_key, onetime_key_free) key = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) ee = BYTES_INIT;
	uint8_t identifier[KEY_IDENTIFIER_SIZE];
	char name[NAME_TEXT];
	SURE(key_pool_take(ca->pool, &key, NULL));
	SURE(certificate_key_identifier(onetime_key_spki(key), identifier, NULL));
	name_of(identifier, name);
	struct certificate_fields fields = sample_ca_fields(ca, CERTIFICATE_EE, onetime_key_spki(key));
	fields.subject = name;
	fields.not_before_at = SAMPLE_NOW;
	fields.not_after_at = SAMPLE_NOW + SAMPLE_DAY;
	if (type == CONTENT_ROA)
		fields.object_uri = SAMPLE_BASE "issuer/0123456789abcdef.roa";
	if (resources != NULL) {
		fields.resources = resources;
		fields.inherit_asns = fields.inherit_ipv4 = fields.inherit_ipv6 = false;
	}
	sample_ca_certificate(ca, &fields, &ee);
	SURE(signed_object_make(type, content, bytes_span(&ee), SAMPLE_NOW, key, ret_der, NULL));
}
