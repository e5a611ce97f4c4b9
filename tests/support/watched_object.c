#include "tests/support/watched_object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/der/roa.h"
#include "ca/der/signed_object.h"

void
watched_object_free(struct watched_object *object)
{
	if (object == NULL)
		return;
	certificate_clear(&object->certificate);
	crl_clear(&object->crl);
	manifest_clear(&object->manifest);
	bytes_clear(&object->der);
	free(object->payloads);
	free(object->uri);
	free(object);
}
SCOPED(struct watched_object, watched_object_free)

static void
take_certificate(struct watched_object *object, const struct certificate *certificate)
{
	/* A TA's own certificate may say nothing of its issuer. */
	const uint8_t *issuer = certificate->kind == CERTIFICATE_TA ? certificate->subject_key : certificate->authority_key;
	memcpy(object->issued.issuer, issuer, KEY_IDENTIFIER_SIZE);
	object->issued.serial.length = certificate->serial.length;
	memcpy(object->issued.serial.octets, certificate->serial.octets, certificate->serial.length);
	object->not_before_at = certificate->not_before_at;
	object->not_after_at = certificate->not_after_at;
}

static enum fault_code
read_certificate(struct watched_object *object, struct fault *fault)
{
	TRY(certificate_decode(bytes_span(&object->der), &object->certificate, fault));
	take_certificate(object, &object->certificate);
	return FAULT_NONE;
}

static enum fault_code
read_crl(struct watched_object *object, struct fault *fault)
{
	TRY(crl_decode(bytes_span(&object->der), &object->crl, fault));
	memcpy(object->issued.issuer, object->crl.authority_key, KEY_IDENTIFIER_SIZE);
	object->not_before_at = object->crl.this_update_at;
	object->not_after_at = object->crl.next_update_at;
	return FAULT_NONE;
}

static enum fault_code
read_signed(struct watched_object *object, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) ee = BYTES_INIT;
	AUTO_CLEAR(struct certificate, certificate_clear) certificate = CERTIFICATE_INIT;
	enum content_type type;
	int64_t signing_time_at;
	TRY(signed_object_decode(bytes_span(&object->der), &type, &content, &ee, &signing_time_at, fault));
	TRY(certificate_decode(bytes_span(&ee), &certificate, fault));
	take_certificate(object, &certificate);
	if (strcmp(certificate.object_uri, object->uri) != 0)
		return fault_set(fault, FAULT_MALFORMED, "its certificate says that it is at %s", certificate.object_uri);
	if (object->kind == WATCHED_ROA)
		return roa_decode(bytes_span(&content), &object->payloads, &object->payloads_count, fault);
	TRY(manifest_decode(bytes_span(&content), &object->manifest, fault));
	if (object->manifest.this_update_at != object->not_before_at || object->manifest.next_update_at != object->not_after_at)
		return fault_set(fault, FAULT_MALFORMED, "its certificate has other times");
	return FAULT_NONE;
}

static enum fault_code
read_object(struct watched_object *object, struct fault *fault)
{
	static const struct {
		const char *extension;
		enum watched_kind kind;
		enum fault_code (*read)(struct watched_object *object, struct fault *fault);
	} kinds[] = {
		{ ".cer", WATCHED_CER, read_certificate }, { ".crl", WATCHED_CRL, read_crl },
		{ ".mft", WATCHED_MFT, read_signed }, { ".roa", WATCHED_ROA, read_signed },
	};
	const char *extension = strrchr(object->uri, '.');
	for (size_t i = 0; extension != NULL && i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(extension, kinds[i].extension) == 0) {
			object->kind = kinds[i].kind;
			return kinds[i].read(object, fault);
		}
	return fault_set(fault, FAULT_MALFORMED, "its kind is unknown");
}

const char *
watched_object_read(const char *uri, struct span der, struct watched_object **ret_object)
{
	static char words[900];
	AUTO(struct watched_object, watched_object_free) object = calloc(1, sizeof *object);
	struct fault fault = FAULT_INIT;
	INVARIANT(object != NULL);
	object->uri = strdup(uri);
	INVARIANT(object->uri != NULL);
	INVARIANT(bytes_append(&object->der, der.data, der.length, NULL) == FAULT_NONE);
	INVARIANT(digest_sha256(der, object->hash, NULL) == FAULT_NONE);
	if (read_object(object, &fault) != FAULT_NONE) {
		(void)snprintf(words, sizeof words, "%.300s: %s", uri, fault.message);
		return words;
	}
	*ret_object = MOVE(object);
	return NULL;
}
