#include "publish/rrdp_xml.h"

#include <inttypes.h>
#include <string.h>

#include "ca/base/base64.h"
#include "ca/base/digest.h"

static const char *const root_names[] = {
	[RRDP_NOTIFICATION] = "notification",
	[RRDP_SNAPSHOT] = "snapshot",
	[RRDP_DELTA] = "delta",
};

enum fault_code
rrdp_xml_open(struct bytes *text, enum rrdp_root root, const char *session, int64_t serial, struct fault *fault)
{
	return bytes_printf(text, fault,
		"<?xml version=\"1.0\" encoding=\"US-ASCII\"?>\n"
		"<%s xmlns=\"http://www.ripe.net/rpki/rrdp\" version=\"1\" session_id=\"%s\" serial=\"%" PRId64 "\">\n",
		root_names[root], session, serial);
}

enum fault_code
rrdp_xml_close(struct bytes *text, enum rrdp_root root, struct fault *fault)
{
	return bytes_printf(text, fault, "</%s>\n", root_names[root]);
}

static const char *
reference_of(char character)
{
	switch (character) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&apos;";
	default:
		return NULL;
	}
}

/* A part of a URI as a part of an attribute's value. RFC 8182 §3.5: the files are US-ASCII. */
static enum fault_code
append_uri(struct bytes *text, const char *uri, struct fault *fault)
{
	for (const char *at = uri; *at != '\0'; at++)
		if (*at <= ' ' || *at > '~')
			return fault_set(fault, FAULT_DATABASE, "a URI holds the byte 0x%02x", (unsigned)(unsigned char)*at);
	while (*uri != '\0') {
		size_t plain = strcspn(uri, "&<>\"'");
		TRY(bytes_append(text, uri, plain, fault));
		uri += plain;
		if (*uri != '\0')
			TRY(bytes_append_text(text, reference_of(*uri++), fault));
	}
	return FAULT_NONE;
}

/* ` uri="…"` */
static enum fault_code
append_uri_attribute(struct bytes *text, const char *base_uri, const char *path, struct fault *fault)
{
	TRY(bytes_append_text(text, " uri=\"", fault));
	TRY(append_uri(text, base_uri, fault));
	TRY(append_uri(text, path, fault));
	return bytes_append_text(text, "\"", fault);
}

/* ` hash="…"`: SHA-256 in hexadecimal (RFC 8182 §3.5.1.3); lower case, as all do. */
static enum fault_code
append_hash_attribute(struct bytes *text, struct span hash, struct fault *fault)
{
	char digits[2 * SHA256_SIZE + 1];
	if (hash.length != SHA256_SIZE)
		return fault_set(fault, FAULT_DATABASE, "a SHA-256 has %d bytes, not %zu", SHA256_SIZE, hash.length);
	hex_encode(hash, digits);
	TRY(bytes_append_text(text, " hash=\"", fault));
	TRY(bytes_append(text, digits, 2 * SHA256_SIZE, fault));
	return bytes_append_text(text, "\"", fault);
}

enum fault_code
rrdp_xml_publish(struct bytes *text, const char *base_uri, const char *path, struct span replaced_hash, struct span object,
	struct fault *fault)
{
	TRY(bytes_append_text(text, "<publish", fault));
	TRY(append_uri_attribute(text, base_uri, path, fault));
	if (replaced_hash.data != NULL)
		TRY(append_hash_attribute(text, replaced_hash, fault));
	TRY(bytes_append_text(text, ">", fault));
	TRY(base64_append(text, object, fault));
	return bytes_append_text(text, "</publish>\n", fault);
}

enum fault_code
rrdp_xml_withdraw(struct bytes *text, const char *base_uri, const char *path, struct span hash, struct fault *fault)
{
	TRY(bytes_append_text(text, "<withdraw", fault));
	TRY(append_uri_attribute(text, base_uri, path, fault));
	TRY(append_hash_attribute(text, hash, fault));
	return bytes_append_text(text, "/>\n", fault);
}

enum fault_code
rrdp_xml_name_snapshot(struct bytes *text, const char *base_uri, const char *path, struct span hash, struct fault *fault)
{
	TRY(bytes_append_text(text, "<snapshot", fault));
	TRY(append_uri_attribute(text, base_uri, path, fault));
	TRY(append_hash_attribute(text, hash, fault));
	return bytes_append_text(text, "/>\n", fault);
}

enum fault_code
rrdp_xml_name_delta(struct bytes *text, int64_t serial, const char *base_uri, const char *path, struct span hash,
	struct fault *fault)
{
	TRY(bytes_printf(text, fault, "<delta serial=\"%" PRId64 "\"", serial));
	TRY(append_uri_attribute(text, base_uri, path, fault));
	TRY(append_hash_attribute(text, hash, fault));
	return bytes_append_text(text, "/>\n", fault);
}
