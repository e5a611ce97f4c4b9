#include "ca/ceremony/ceremony_ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/base64.h"
#include "ca/base/instant.h"
#include "ca/base/memory.h"

#define WHAT "ledger"

enum fault_code
ceremony_ledger_new(struct ceremony_ledger **ret_ledger, struct fault *fault)
{
	return memory_new(1, sizeof **ret_ledger, ret_ledger, fault);
}

void
ceremony_ledger_free(struct ceremony_ledger *ledger)
{
	if (ledger == NULL)
		return;
	bytes_clear(&ledger->ta_key);
	bytes_clear(&ledger->request_key);
	free(ledger->entries);
	free(ledger);
}

enum fault_code
ceremony_ledger_add(struct ceremony_ledger *ledger, const struct ledger_entry *entry, struct fault *fault)
{
	TRY(memory_reserve(&ledger->entries, &ledger->entries_capacity, ledger->entries_count + 1, sizeof *ledger->entries, fault));
	ledger->entries[ledger->entries_count++] = *entry;
	return FAULT_NONE;
}

static enum fault_code
print_last(const struct ceremony_ledger *ledger, struct bytes *text, struct fault *fault)
{
	char request[2 * SHA256_SIZE + 1], signed_at[INSTANT_TEXT], not_before[INSTANT_TEXT];
	hex_encode(SPAN(ledger->request, sizeof ledger->request), request);
	instant_rfc3339(ledger->signed_at, signed_at);
	instant_rfc3339(ledger->not_before_at, not_before);
	TRY(bytes_printf(text, fault, "instance: %s\nrequest-key: ", ledger->instance));
	TRY(base64_append(text, bytes_span(&ledger->request_key), fault));
	return bytes_printf(text, fault,
		"\nnumber: %lld\nrequest: %s\nsigned: %s\nnot-before: %s\ncrl-number: %llu\nmanifest-number: %llu\n",
		(long long)ledger->number, request, signed_at, not_before, (unsigned long long)ledger->crl_number,
		(unsigned long long)ledger->manifest_number);
}

static enum fault_code
print_body(const struct ceremony_ledger *ledger, struct bytes *text, struct fault *fault)
{
	TRY(bytes_append_text(text, CEREMONY_LEDGER_TITLE "\nta-key: ", fault));
	TRY(base64_append(text, bytes_span(&ledger->ta_key), fault));
	TRY(bytes_append_text(text, "\n", fault));
	if (ledger->number != 0)
		TRY(print_last(ledger, text, fault));
	for (size_t i = 0; i < ledger->entries_count; i++) {
		const struct ledger_entry *entry = &ledger->entries[i];
		char serial[2 * SERIAL_MAX + 1], not_after[INSTANT_TEXT], revoked[INSTANT_TEXT] = "-";
		hex_encode(SPAN(entry->serial.octets, entry->serial.length), serial);
		instant_rfc3339(entry->not_after_at, not_after);
		if (entry->revoked_at != 0)
			instant_rfc3339(entry->revoked_at, revoked);
		TRY(bytes_printf(text, fault, "issued: %s %s %s %s\n", object_kind_text(entry->kind), serial, not_after, revoked));
	}
	return FAULT_NONE;
}

enum fault_code
ceremony_ledger_seal(const struct ceremony_ledger *ledger, struct signer *signer, struct span handle, struct bytes *ret_file,
	struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) file = BYTES_INIT;
	TRY(print_body(ledger, &file, fault));
	TRY(sealed_text_seal(&file, signer, handle, fault));
	if (file.length > SEALED_TEXT_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "the ledger would have more than %d bytes", SEALED_TEXT_MAX);
	bytes_swap(ret_file, &file);
	return FAULT_NONE;
}

static enum fault_code
parse_last(struct sealed_lines *lines, struct ceremony_ledger *ledger, struct fault *fault)
{
	int64_t crl_number, manifest_number;
	TRY(sealed_lines_text(lines, "instance", ledger->instance, sizeof ledger->instance, fault));
	TRY(sealed_lines_base64(lines, "request-key", &ledger->request_key, fault));
	TRY(sealed_lines_number(lines, "number", 1, INT64_MAX, &ledger->number, fault));
	TRY(sealed_lines_hex(lines, "request", ledger->request, sizeof ledger->request, fault));
	TRY(sealed_lines_instant(lines, "signed", &ledger->signed_at, fault));
	TRY(sealed_lines_instant(lines, "not-before", &ledger->not_before_at, fault));
	TRY(sealed_lines_number(lines, "crl-number", 0, INT64_MAX, &crl_number, fault));
	TRY(sealed_lines_number(lines, "manifest-number", 0, INT64_MAX, &manifest_number, fault));
	ledger->crl_number = (uint64_t)crl_number;
	ledger->manifest_number = (uint64_t)manifest_number;
	return FAULT_NONE;
}

static enum fault_code
parse_entry(struct sealed_lines *lines, struct ceremony_ledger *ledger, struct fault *fault)
{
	struct span value, words[4];
	struct ledger_entry entry = { .revoked_at = 0 };
	char kind[4] = "";
	TRY(sealed_lines_take(lines, "issued", &value, fault));
	bool right = sealed_words(value, words, 4) && words[0].length < sizeof kind;
	if (right)
		memcpy(kind, words[0].data, words[0].length);
	if (!right || !object_kind_parse(kind, &entry.kind) ||
		!sealed_word_hex(words[1], entry.serial.octets, SERIAL_MAX, &entry.serial.length) ||
		!sealed_word_instant(words[2], &entry.not_after_at) ||
		!(span_equal(words[3], SPAN("-", 1)) || sealed_word_instant(words[3], &entry.revoked_at)))
		return sealed_lines_fault(lines, fault, "not a certificate that was issued");
	return ceremony_ledger_add(ledger, &entry, fault);
}

enum fault_code
ceremony_ledger_parse(struct span file, struct span spki, struct ceremony_ledger **ret_ledger, struct fault *fault)
{
	AUTO(struct ceremony_ledger, ceremony_ledger_free) ledger = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) printed = BYTES_INIT;
	struct sealed_text text;
	struct sealed_lines lines;
	TRY(sealed_text_open(file, CEREMONY_LEDGER_TITLE, WHAT, &text, &lines, fault));
	TRY(ceremony_ledger_new(&ledger, fault));
	TRY(sealed_lines_base64(&lines, "ta-key", &ledger->ta_key, fault));
	if (sealed_lines_next_is(&lines, "instance"))
		TRY(parse_last(&lines, ledger, fault));
	while (sealed_lines_next_is(&lines, "issued"))
		TRY(parse_entry(&lines, ledger, fault));
	TRY(sealed_lines_end(&lines, fault));
	TRY(print_body(ledger, &printed, fault));
	TRY(sealed_text_compare(&text, &printed, WHAT, fault));
	TRY(sealed_text_check(&text, spki, WHAT, fault));
	*ret_ledger = MOVE(ledger);
	return FAULT_NONE;
}
