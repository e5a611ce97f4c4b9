/* The trust anchor: its locator (RFC 8630 §2) and the certificate that this leads to. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/base64.h"
#include "ca/base/memory.h"
#include "ca/lint/lint_look.h"
#include "publish/check/check_internal.h"

#define TAL "ta/ta.tal"
#define CERTIFICATE "ta/ta.cer"
#define TAL_MAX 65536
#define URIS_MAX 8

struct tal {
	struct bytes text;
	char uris[URIS_MAX][CHECK_URI];
	size_t uris_count;
	struct bytes spki;
};

static void
tal_clear(struct tal *tal)
{
	bytes_clear(&tal->text);
	bytes_clear(&tal->spki);
}

/* The next line, without its end; NULL behind the last. */
static const char *
next_line(const char **at, size_t *ret_length)
{
	const char *line = *at;
	if (*line == '\0')
		return NULL;
	size_t length = strcspn(line, "\n");
	*at = line + length + (line[length] == '\n');
	*ret_length = length > 0 && line[length - 1] == '\r' ? length - 1 : length;
	return line;
}

/* Comments, URIs, an empty line, the key in base64. false: it isn't that. */
static bool
read_tal(struct tal *tal, struct bytes *key)
{
	const char *at = bytes_text(&tal->text), *line;
	size_t length;
	while ((line = next_line(&at, &length)) != NULL && length > 0) {
		if (line[0] == '#')
			continue;
		if (length >= CHECK_URI || tal->uris_count == URIS_MAX)
			return false;
		char *uri = tal->uris[tal->uris_count++];
		memcpy(uri, line, length);
		uri[length] = '\0';
		if (!lint_uri(uri, "https") && !lint_uri(uri, "rsync"))
			return false;
	}
	while ((line = next_line(&at, &length)) != NULL)
		if (bytes_append(key, line, length, NULL) != FAULT_NONE)
			return false;
	return tal->uris_count > 0 && key->length > 0;
}

/* rpki-client wants one file name in all of them; ours is ta.cer. */
static const char *
uri_with(const struct tal *tal, const char *scheme)
{
	for (size_t i = 0; i < tal->uris_count; i++)
		if (strncmp(tal->uris[i], scheme, strlen(scheme)) == 0)
			return tal->uris[i];
	return NULL;
}

static enum fault_code
load_tal(struct check *check, struct tal *tal, bool *ret_loaded, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) key = BYTES_INIT;
	AUTO_CLEAR(int, descriptor_close) fd = -1;
	const char *path = check->request->tal != NULL ? check->request->tal : TAL;
	fd = openat(check->request->tal != NULL ? AT_FDCWD : check->request->directory, path, O_RDONLY | O_CLOEXEC);
	*ret_loaded = false;
	if (fd < 0)
		return FOUND(check, TAL_MALFORMED, path, fault, "it can't be opened: %s", strerror(errno));
	TRY(check_place_read(fd, TAL_MAX, &tal->text, fault));
	if (!read_tal(tal, &key) || base64_decode(bytes_text(&key), key.length, &tal->spki, NULL) != FAULT_NONE)
		return FOUND(check, TAL_MALFORMED, path, fault, "RFC 8630 §2: not URIs, an empty line and a key in base64");
	*ret_loaded = true;
	return FAULT_NONE;
}

/* Before the first ceremony there is none, and nothing is wrong. */
static enum fault_code
missing_certificate(struct check *check, const char *words, struct fault *fault)
{
	const struct check_request *request = check->request;
	bool awaits = false;
	if (request->db != NULL)
		TRY(check_view_awaits(request->db, check->repositories[0].repository_id, CERTIFICATE, &awaits, fault));
	return awaits ? FAULT_NONE : FOUND(check, TA_MISSING, CERTIFICATE, fault, "it can't be opened: %s", words);
}

static enum fault_code
load_certificate(struct check *check, const struct tal *tal, struct bytes *der, bool *ret_loaded, struct fault *fault)
{
	AUTO_CLEAR(int, descriptor_close) fd = -1;
	const char *uri = uri_with(tal, "https://");
	*ret_loaded = false;
	if (uri == NULL)
		return FOUND(check, TA_MISSING, TAL, fault, "the locator has no https URI");
	if (check->request->directory >= 0) {
		fd = openat(check->request->directory, CERTIFICATE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			return missing_certificate(check, strerror(errno), fault);
	} else {
		struct fault missing = FAULT_INIT;
		const struct check_source *source = check->request->source;
		enum fault_code code = source->open(source->self, uri, CHECK_OBJECT_MAX, &fd, &missing);
		if (code == FAULT_NOT_FOUND)
			return FOUND(check, TA_MISSING, uri, fault, "%s", missing.message);
		if (code != FAULT_NONE)
			return fault_set(fault, code, "%s", missing.message);
	}
	TRY(check_place_read(fd, CHECK_OBJECT_MAX, der, fault));
	*ret_loaded = true;
	return FAULT_NONE;
}

static enum fault_code
diagnose(struct check *check, const struct lint_look_certificate *look, const char *uri, const struct fault *refusal,
	struct fault *fault)
{
	bool verified;
	TRY(lint_look_verify(look->spki, look->tbs, look->signature, &verified, fault));
	if (!verified)
		return FOUND(check, CERTIFICATE_SIGNATURE, uri, fault, "the trust anchor's certificate isn't signed by its own key");
	if (look->not_after_at <= check->now_at)
		return FOUND(check, CERTIFICATE_EXPIRED, uri, fault, "notAfter has passed");
	if (look->not_before_at > check->now_at)
		return FOUND(check, CERTIFICATE_FUTURE, uri, fault, "notBefore lies ahead");
	return FOUND(check, OBJECT_PROFILE, uri, fault, "%s", refusal->message);
}

static enum fault_code
judge(struct check *check, struct check_authority *anchor, const struct lint_look_certificate *look, struct span der,
	struct fault *fault)
{
	struct fault refusal = FAULT_INIT;
	struct lint_issuer lint = check_authority_issuer(anchor);
	lint.certificate_uri = lint.crl_uri = NULL;
	struct lint_certificate_wanted wanted = {
		.ta = true, .ca = true, .spki = look->spki, .now_at = check->now_at, .resources = &anchor->resources,
		.repository_uri = anchor->repository_uri, .manifest_uri = anchor->manifest_uri,
		.notification_uri = check->notification_uri[0] != '\0' ? check->notification_uri : NULL,
	};
	enum fault_code code = lint_certificate_tbs(look->tbs, &lint, &wanted, &refusal);
	if (code == FAULT_NONE)
		code = lint_signed_certificate(der, look->tbs, &lint, &refusal);
	if (code != FAULT_NONE && code != FAULT_LINT)
		return fault_set(fault, code, "%s", refusal.message);
	anchor->valid = code == FAULT_NONE;
	return anchor->valid ? FAULT_NONE : diagnose(check, look, anchor->certificate_uri, &refusal, fault);
}

static bool
copy(struct span from, char *to, size_t size)
{
	if (from.data == NULL || from.length >= size || memchr(from.data, '\0', from.length) != NULL)
		return false;
	memcpy(to, from.data, from.length);
	to[from.length] = '\0';
	return true;
}

/* Where everything is, as the certificate and the locator have it. */
static bool
set_places(struct check *check, struct check_authority *anchor, const struct lint_look_certificate *look, const char *rsync_uri)
{
	size_t length = rsync_uri != NULL ? strlen(rsync_uri) : 0, ending = strlen(CERTIFICATE);
	if (length <= ending || strcmp(rsync_uri + length - ending, CERTIFICATE) != 0)
		return false;
	(void)snprintf(anchor->certificate_uri, sizeof anchor->certificate_uri, "%s", rsync_uri);
	(void)snprintf(check->rsync_base, sizeof check->rsync_base, "%.*s", (int)(length - ending), rsync_uri);
	if (!copy(look->notification_uri, check->notification_uri, sizeof check->notification_uri))
		return false;
	const char *slash = strrchr(check->notification_uri, '/');
	if (slash == NULL)
		return false;
	(void)snprintf(check->rrdp_base, sizeof check->rrdp_base, "%.*s", (int)(slash + 1 - check->notification_uri),
		check->notification_uri);
	return copy(look->repository_uri, anchor->repository_uri, sizeof anchor->repository_uri) &&
		copy(look->manifest_uri, anchor->manifest_uri, sizeof anchor->manifest_uri) &&
		copy(look->subject, anchor->name, sizeof anchor->name);
}

static enum fault_code
make_anchor(struct check *check, const struct tal *tal, struct span der, struct check_authority **ret_anchor, struct fault *fault)
{
	AUTO_CLEAR(struct lint_look_certificate, lint_look_certificate_clear) look = LINT_LOOK_CERTIFICATE_INIT;
	AUTO(struct check_authority, check_authority_free) anchor = NULL;
	struct fault refusal = FAULT_INIT;
	enum fault_code code = lint_look_certificate(der, &look, &refusal);
	if (code == FAULT_LINT)
		return FOUND(check, OBJECT_MALFORMED, CERTIFICATE, fault, "%s", refusal.message);
	if (code != FAULT_NONE)
		return fault_set(fault, code, "%s", refusal.message);
	if (!span_equal(look.spki, bytes_span(&tal->spki)))
		return FOUND(check, TAL_KEY, uri_with(tal, ""), fault, "RFC 8630 §3: the locator's key isn't the certificate's");
	TRY(memory_new(1, sizeof *anchor, &anchor, fault));
	if (!set_places(check, anchor, &look, uri_with(tal, "rsync://")))
		return FOUND(check, TAL_MALFORMED, TAL, fault, "no rsync URI that ends in " CERTIFICATE ", or no rpkiNotify in the certificate");
	memcpy(anchor->key_identifier, look.key_identifier, sizeof anchor->key_identifier);
	TRY(bytes_append(&anchor->spki, look.spki.data, look.spki.length, fault));
	TRY(resource_set_copy(&look.resources, &anchor->resources, fault));
	TRY(check_note(check, CHECK_TA, anchor->certificate_uri, look.not_after_at, fault));
	TRY(judge(check, anchor, &look, der, fault));
	*ret_anchor = MOVE(anchor);
	return FAULT_NONE;
}

enum fault_code
check_anchor(struct check *check, struct check_authority **ret_anchor, struct fault *fault)
{
	AUTO_CLEAR(struct tal, tal_clear) tal = { .uris_count = 0 };
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	bool loaded;
	TRY(load_tal(check, &tal, &loaded, fault));
	if (loaded)
		TRY(load_certificate(check, &tal, &der, &loaded, fault));
	check_look_at_clock(check);
	return loaded ? make_anchor(check, &tal, bytes_span(&der), ret_anchor, fault) : FAULT_NONE;
}
