#include <stdio.h>
#include <string.h>

#include "ca/base/base64.h"
#include "ca/base/instant.h"
#include "ca/ceremony/ceremony_sign.h"

#define DAY_S INT64_C(86400)
#define ITEMS_A_LINE 96                  /* characters */

static enum fault_code
line_instant(struct bytes *text, const char *label, int64_t at, struct fault *fault)
{
	char instant[INSTANT_TEXT];
	instant_rfc3339(at, instant);
	return bytes_printf(text, fault, "%-22s %s\n", label, instant);
}

/* "2026-11-29T… to 2027-02-27T… (90 days)" */
static enum fault_code
line_validity(struct bytes *text, int64_t from_at, int64_t valid_s, struct fault *fault)
{
	char from[INSTANT_TEXT], to[INSTANT_TEXT];
	instant_rfc3339(from_at, from);
	instant_rfc3339(from_at + valid_s, to);
	return bytes_printf(text, fault, "%-22s %s to %s (%lld days)\n", "  valid", from, to, (long long)(valid_s / DAY_S));
}

/* All of them, wrapped: nothing is left out of what a person is asked to confirm. */
static enum fault_code
line_resources(struct bytes *text, const struct resource_set *set, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) list = BYTES_INIT;
	TRY(sealed_resources_print(set, &list, fault));
	const char *at = bytes_text(&list), *label = "  resources";
	while (*at != '\0') {
		size_t length = strlen(at);
		if (length > ITEMS_A_LINE) {
			length = ITEMS_A_LINE;
			while (length > 0 && at[length] != ' ')
				length--;
			length = length > 0 ? length : strcspn(at, " ");
		}
		TRY(bytes_printf(text, fault, "%-22s %.*s\n", label, (int)length, at));
		label = "";
		at += length;
		at += strspn(at, " ");
	}
	return FAULT_NONE;
}

static enum fault_code
describe_server(const struct ceremony_request *request, const struct ceremony_ledger *ledger, int64_t now_at, struct bytes *text,
	struct fault *fault)
{
	char fingerprint[CEREMONY_FINGERPRINT_SIZE];
	bool known = ledger->number != 0 && strcmp(request->instance, ledger->instance) == 0 &&
		span_equal(bytes_span(&request->request_key), bytes_span(&ledger->request_key));
	TRY(ceremony_fingerprint(bytes_span(&request->request_key), fingerprint, fault));
	TRY(bytes_printf(text, fault, "%-22s %lld", "Request", (long long)request->number));
	TRY(ledger->number == 0 ? bytes_append_text(text, " (no ceremony was held here yet)\n", fault) :
		bytes_printf(text, fault, " (the last one answered here is %lld)\n", (long long)ledger->number));
	TRY(bytes_printf(text, fault, "%-22s %s\n%-22s %s\n", "Server instance", request->instance, "Its request key", fingerprint));
	if (!known)
		TRY(bytes_printf(text, fault, "%-22s %s\n", "", ledger->number == 0 ?
			"NOT KNOWN YET: compare it with what `cadastre ta request` printed on the server." :
			"IN PLACE OF ANOTHER SERVER, as you asked: from now on only this one is served."));
	TRY(line_instant(text, "Written", request->created_at, fault));
	return line_instant(text, "This machine's clock", now_at, fault);
}

static enum fault_code
describe_anchor(const struct ceremony_request *request, int64_t now_at, struct bytes *text, struct fault *fault)
{
	char key[2 * KEY_IDENTIFIER_SIZE + 1];
	hex_encode(SPAN(request->ta_key, sizeof request->ta_key), key);
	TRY(bytes_printf(text, fault, "\nThe trust anchor's own certificate, with a new serial number\n%-22s %s\n", "  key", key));
	TRY(line_validity(text, now_at, request->valid_s, fault));
	TRY(line_resources(text, &request->resources, fault));
	return bytes_printf(text, fault, "%-22s %s%s\n%-22s %s\n", "  publication point", request->rsync_uri, request->directory,
		"  notification", request->notification_uri);
}

static enum fault_code
describe_child(const struct ceremony_request *request, const struct ceremony_child *child, int64_t now_at, struct bytes *text,
	struct fault *fault)
{
	uint8_t identifier[KEY_IDENTIFIER_SIZE];
	char key[2 * KEY_IDENTIFIER_SIZE + 1];
	TRY(certificate_key_identifier(bytes_span(&child->spki), identifier, fault));
	hex_encode(SPAN(identifier, sizeof identifier), key);
	TRY(bytes_printf(text, fault, "\nA certificate for the online CA, with a new serial number\n%-22s %s\n", "  key", key));
	TRY(line_validity(text, now_at, child->valid_s, fault));
	TRY(line_resources(text, &child->resources, fault));
	return bytes_printf(text, fault, "%-22s %s%s\n", "  publication point", request->rsync_uri, child->directory);
}

static enum fault_code
describe_serial(const struct serial_number *serial, int64_t revoked_at, int64_t now_at, struct bytes *text, struct fault *fault)
{
	char hex[2 * SERIAL_MAX + 1], at[INSTANT_TEXT];
	hex_encode(SPAN(serial->octets, serial->length), hex);
	instant_rfc3339(revoked_at, at);
	return bytes_printf(text, fault, "%-22s %s, revoked %s\n", "", hex, revoked_at >= now_at ? "now" : at);
}

static bool
in_ledger(const struct ceremony_ledger *ledger, const struct serial_number *serial)
{
	for (size_t i = 0; i < ledger->entries_count; i++)
		if (ledger->entries[i].serial.length == serial->length &&
			memcmp(ledger->entries[i].serial.octets, serial->octets, serial->length) == 0)
			return true;
	return false;
}

static enum fault_code
describe_lists(const struct ceremony_request *request, const struct ceremony_ledger *ledger, int64_t now_at, struct bytes *text,
	struct fault *fault)
{
	uint64_t crl = request->crl_number > ledger->crl_number ? request->crl_number : ledger->crl_number + 1;
	uint64_t manifest = request->manifest_number > ledger->manifest_number ? request->manifest_number : ledger->manifest_number + 1;
	size_t count = 0;
	AUTO_CLEAR(struct bytes, bytes_clear) serials = BYTES_INIT;
	for (size_t i = 0; i < ledger->entries_count; i++) {
		const struct ledger_entry *entry = &ledger->entries[i];
		if (entry->kind == OBJECT_TA || entry->not_after_at <= now_at)
			continue;
		TRY(describe_serial(&entry->serial, entry->revoked_at != 0 ? entry->revoked_at : now_at, now_at, &serials, fault));
		count++;
	}
	for (size_t i = 0; i < request->revocations_count; i++) {
		const struct ceremony_revocation *revocation = &request->revocations[i];
		if (revocation->not_after_at <= now_at || in_ledger(ledger, &revocation->serial))
			continue;
		TRY(describe_serial(&revocation->serial, revocation->revoked_at, now_at, &serials, fault));
		count++;
	}
	TRY(bytes_printf(text, fault, "\nCRL number %llu and manifest number %llu\n", (unsigned long long)crl, (unsigned long long)manifest));
	TRY(line_validity(text, now_at, request->valid_s, fault));
	TRY(bytes_printf(text, fault, "%-22s %zu serial numbers\n", "  revoked", count));
	return bytes_append(text, serials.data, serials.length, fault);
}

enum fault_code
ceremony_describe(const struct ceremony_request *request, const struct ceremony_ledger *ledger, int64_t now_at, struct bytes *ret_text,
	struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	TRY(describe_server(request, ledger, now_at, &text, fault));
	TRY(describe_anchor(request, now_at, &text, fault));
	for (size_t i = 0; i < request->children_count; i++)
		TRY(describe_child(request, &request->children[i], now_at, &text, fault));
	TRY(describe_lists(request, ledger, now_at, &text, fault));
	bytes_swap(ret_text, &text);
	return FAULT_NONE;
}
