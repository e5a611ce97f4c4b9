#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "ca/base/atomic_file.h"
#include "ca/der/manifest.h"
#include "tests/support/der_builder.h"
#include "tests/support/lint_fixture.h"

/* What lint_fixture writes by hand, in another order. */
static const struct manifest_entry three_entries[] = {
	{ .name = "issuer.crl", .hash = { 0xc5, [31] = 0x5c } },
	{ .name = "0123456789abcdef.roa", .hash = { 0x0f, [31] = 0x5a } },
	{ .name = "Child-1_x.cer", .hash = { 0x0e, [31] = 0x5a } },
};

static struct manifest_fields
three_fields(void)
{
	return (struct manifest_fields){
		.number = 7,
		.this_update_at = LINT_FIXTURE_BEFORE,
		.next_update_at = LINT_FIXTURE_AFTER,
		.entries = three_entries,
		.entries_count = 3,
	};
}

static void
manifest__encodes_as_written_by_hand(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) by_hand = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) golden = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) encoded = BYTES_INIT;
	AUTO(char, free) text = lint_fixture_manifest();
	der_builder_encode(text, &by_hand);
	struct manifest_fields fields = three_fields();
	assert_int_equal(manifest_encode(&fields, &encoded, NULL), FAULT_NONE);
	assert_true(span_equal(bytes_span(&encoded), bytes_span(&by_hand)));
	assert_int_equal(atomic_file_read(AT_FDCWD, "tests/vectors/der/manifest_content.der", 65536, &golden, NULL), FAULT_NONE);
	assert_true(span_equal(bytes_span(&encoded), bytes_span(&golden)));
}

static void
manifest__comes_back(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	AUTO_CLEAR(struct manifest, manifest_clear) manifest = MANIFEST_INIT;
	struct manifest_fields fields = three_fields();
	static const int64_t times[][2] = { { 0, 1 }, { INT64_C(2524607999), INT64_C(2524608000) },
		{ INT64_C(253402300798), INT64_C(253402300799) } };
	static const uint64_t numbers[] = { 0, 127, 128, UINT64_C(1) << 63, UINT64_MAX };
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		fields.number = numbers[i];
		fields.this_update_at = times[i % 3][0];
		fields.next_update_at = times[i % 3][1];
		assert_int_equal(manifest_encode(&fields, &content, NULL), FAULT_NONE);
		assert_int_equal(manifest_decode(bytes_span(&content), &manifest, NULL), FAULT_NONE);
		assert_true(manifest.number == numbers[i]);
		assert_int_equal(manifest.this_update_at, times[i % 3][0]);
		assert_int_equal(manifest.next_update_at, times[i % 3][1]);
		assert_int_equal(manifest.entries_count, 3);
		assert_string_equal(manifest.entries[0].name, "0123456789abcdef.roa");
		assert_string_equal(manifest.entries[1].name, "Child-1_x.cer");
		assert_string_equal(manifest.entries[2].name, "issuer.crl");
		assert_memory_equal(manifest.entries[2].hash, three_entries[0].hash, SHA256_SIZE);
	}
}

/* A hash that ends in zero bits has all of them in DER: a list of named bits would lose them. */
static void
manifest__hashes_keep_their_zeros(void **state)
{
	(void)state;
	static const struct manifest_entry entry = { .name = "a.crl", .hash = { 0x80 } };
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	struct manifest_fields fields = three_fields();
	fields.entries = &entry;
	fields.entries_count = 1;
	assert_int_equal(manifest_encode(&fields, &content, NULL), FAULT_NONE);
	assert_memory_equal(content.data + content.length - SHA256_SIZE, entry.hash, SHA256_SIZE);
	assert_memory_equal(content.data + content.length - SHA256_SIZE - 3, "\x03\x21\x00", 3);
}

static void
manifest__largest(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	AUTO_CLEAR(struct manifest, manifest_clear) manifest = MANIFEST_INIT;
	AUTO(struct manifest_entry, free) entries = calloc(MANIFEST_ENTRIES_MAX + 1, sizeof *entries);
	for (size_t i = 0; i <= MANIFEST_ENTRIES_MAX; i++) {
		(void)snprintf(entries[i].name, sizeof entries[i].name, "%010zu.roa", i);
		memcpy(entries[i].hash, &i, sizeof i);
	}
	struct manifest_fields fields = three_fields();
	fields.entries = entries;
	fields.entries_count = MANIFEST_ENTRIES_MAX;
	assert_int_equal(manifest_encode(&fields, &content, NULL), FAULT_NONE);
	assert_int_equal(manifest_decode(bytes_span(&content), &manifest, NULL), FAULT_NONE);
	assert_int_equal(manifest.entries_count, MANIFEST_ENTRIES_MAX);
	fields.entries_count++;
	assert_int_equal(manifest_encode(&fields, &content, NULL), FAULT_TOO_LARGE);
	/* Long names fill it before the count does. */
	for (size_t i = 0; i < MANIFEST_ENTRIES_MAX; i++)
		(void)snprintf(entries[i].name, sizeof entries[i].name, "%030zu.roa", i);
	fields.entries_count = MANIFEST_ENTRIES_MAX;
	assert_int_equal(manifest_encode(&fields, &content, NULL), FAULT_TOO_LARGE);
	AUTO(uint8_t, free) huge = calloc(1, MANIFEST_SIZE_MAX + 1);
	assert_int_equal(manifest_decode(SPAN(huge, MANIFEST_SIZE_MAX + 1), &manifest, NULL), FAULT_TOO_LARGE);
}

static void
manifest__refuses_names_that_validators_refuse(void **state)
{
	(void)state;
	static const char *const names[] = { "", ".", "a", ".roa", "a.", "a.ro", "a.roas", "a.ROA", "a.r0a", "a.b.roa", "a..roa",
		"a b.roa", "../a.roa", "a/b.roa", "a.roa ", "\xc3\xa4.roa", "a+b.roa", "a.ro\n" };
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
		struct manifest_entry entry = { .hash = { 1 } };
		(void)snprintf(entry.name, sizeof entry.name, "%s", names[i]);
		struct manifest_fields fields = three_fields();
		fields.entries = &entry;
		fields.entries_count = 1;
		assert_int_equal(manifest_encode(&fields, &content, NULL), FAULT_INVALID);
		assert_null(content.data);
	}
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	struct manifest_entry unterminated = { .hash = { 1 } };
	memset(unterminated.name, 'a', sizeof unterminated.name);
	struct manifest_fields fields = three_fields();
	fields.entries = &unterminated;
	fields.entries_count = 1;
	assert_int_equal(manifest_encode(&fields, &content, NULL), FAULT_INVALID);
}

static void
manifest__refuses_pairs_emptiness_and_times(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	struct manifest_entry same_name[] = { three_entries[0], three_entries[1], three_entries[0] };
	struct manifest_entry same_hash[] = { three_entries[0], three_entries[1], three_entries[2] };
	same_name[2].hash[5] = 1;
	memcpy(same_hash[2].hash, same_hash[0].hash, SHA256_SIZE);
	struct manifest_fields fields = three_fields();
	fields.entries = same_name;
	assert_int_equal(manifest_encode(&fields, &content, NULL), FAULT_INVALID);
	fields.entries = same_hash;
	assert_int_equal(manifest_encode(&fields, &content, NULL), FAULT_INVALID);
	fields.entries_count = 0;
	assert_int_equal(manifest_encode(&fields, &content, NULL), FAULT_INVALID);
	fields = three_fields();
	fields.next_update_at = fields.this_update_at;
	assert_int_equal(manifest_encode(&fields, &content, NULL), FAULT_INVALID);
	fields.this_update_at = -1;
	assert_int_equal(manifest_encode(&fields, &content, NULL), FAULT_INVALID);
	fields.this_update_at = 0;
	fields.next_update_at = INT64_C(253402300800);
	assert_int_equal(manifest_encode(&fields, &content, NULL), FAULT_INVALID);
	assert_null(content.data);
}

static const struct {
	const char *from, *to;
} broken[] = {
	{ "INTEGER 7", "INTEGER 0xff" },
	{ "INTEGER 7", "=02020007" },
	{ "INTEGER 7", "=0200" },
	{ "INTEGER 7", "INTEGER 0x010000000000000000" },
	{ "INTEGER 7", "[0] { INTEGER 0 } INTEGER 7" },
	{ "INTEGER 7", "[0] { INTEGER 1 } INTEGER 7" },
	{ "INTEGER 7", "" },
	{ "GENERALIZED \"20261125000000Z\"", "UTC \"261125000000Z\"" },
	{ "GENERALIZED \"20261125000000Z\"", "GENERALIZED \"20261123000000Z\"" },
	{ "GENERALIZED \"20261125000000Z\"", "GENERALIZED \"20261125000000.0Z\"" },
	{ "GENERALIZED \"20261125000000Z\"", "GENERALIZED \"202611250000Z\"" },
	{ "GENERALIZED \"20261125000000Z\"", "GENERALIZED \"20261125000000\"" },
	{ "GENERALIZED \"20261125000000Z\"", "GENERALIZED \"20261131000000Z\"" },
	{ "GENERALIZED \"20261125000000Z\"", "GENERALIZED \"00001125000000Z\"" },
	{ "GENERALIZED \"20261125000000Z\"", "GENERALIZED \"20271125000000+0000\"" },
	{ "OID 2.16.840.1.101.3.4.2.1", "OID 2.16.840.1.101.3.4.2.2" },
	{ "OID 2.16.840.1.101.3.4.2.1", "SEQUENCE { OID 2.16.840.1.101.3.4.2.1 }" },
	{ "IA5 \"issuer.crl\"", "IA5 \"issuer.b.crl\"" },
	{ "IA5 \"issuer.crl\"", "IA5 \"Child-1_x.cer\"" },
	{ "IA5 \"issuer.crl\"", "IA5 \"\"" },
	{ "IA5 \"issuer.crl\"", "=1605612e63726c00" },
	{ "IA5 \"issuer.crl\"", "=1606612e63726c00" },
	{ "IA5 \"issuer.crl\"", "PRINTABLE \"issuer.crl\"" },
	{ "IA5 \"issuer.crl\"", "IA5 \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.crl\"" },
	{ "BITS c50", "BITS 00c50" },
	{ "5c/0 }", "5c/1 }" },
	{ "BITS c50000", "BITS c500" },
	{ "5c/0 }", "5c/0 NULL }" },
	{ "} }", "} } =00" },
	{ "} }", "} INTEGER 1 }" },
};

static void
manifest__decoder_refuses_each_broken_rule(void **state)
{
	(void)state;
	size_t taken = 0;
	AUTO(char, free) text = lint_fixture_manifest();
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
		AUTO_CLEAR(struct manifest, manifest_clear) manifest = MANIFEST_INIT;
		AUTO(char, free) edited = der_builder_edit(text, broken[i].from, broken[i].to);
		der_builder_encode(edited, &der);
		if (manifest_decode(bytes_span(&der), &manifest, NULL) != FAULT_MALFORMED) {
			fprintf(stderr, "row %zu is taken: %s\n", i, broken[i].to);
			taken++;
		}
	}
	assert_int_equal(taken, 0);
}

static void
manifest__decoder_refuses_an_empty_list(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	AUTO_CLEAR(struct manifest, manifest_clear) manifest = MANIFEST_INIT;
	der_builder_encode("SEQUENCE { INTEGER 7 GENERALIZED \"20261123000000Z\" GENERALIZED \"20261125000000Z\" "
		"OID 2.16.840.1.101.3.4.2.1 SEQUENCE { } }", &der);
	assert_int_equal(manifest_decode(bytes_span(&der), &manifest, NULL), FAULT_MALFORMED);
}

static void
manifest__decoder_survives_damage(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	struct manifest_fields fields = three_fields();
	assert_int_equal(manifest_encode(&fields, &der, NULL), FAULT_NONE);
	for (size_t length = 0; length < der.length; length++) {
		AUTO_CLEAR(struct manifest, manifest_clear) manifest = MANIFEST_INIT;
		AUTO(uint8_t, free) exact = malloc(length + 1);
		memcpy(exact, der.data, length);
		assert_int_equal(manifest_decode(SPAN(exact, length), &manifest, NULL), FAULT_MALFORMED);
	}
	for (size_t i = 0; i < 8 * der.length; i++) {
		AUTO_CLEAR(struct manifest, manifest_clear) manifest = MANIFEST_INIT;
		der.data[i / 8] ^= (uint8_t)(1U << i % 8);
		enum fault_code code = manifest_decode(bytes_span(&der), &manifest, NULL);
		assert_true(code == FAULT_NONE || code == FAULT_MALFORMED);
		der.data[i / 8] ^= (uint8_t)(1U << i % 8);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(manifest__encodes_as_written_by_hand),
		cmocka_unit_test(manifest__comes_back),
		cmocka_unit_test(manifest__hashes_keep_their_zeros),
		cmocka_unit_test(manifest__largest),
		cmocka_unit_test(manifest__refuses_names_that_validators_refuse),
		cmocka_unit_test(manifest__refuses_pairs_emptiness_and_times),
		cmocka_unit_test(manifest__decoder_refuses_each_broken_rule),
		cmocka_unit_test(manifest__decoder_refuses_an_empty_list),
		cmocka_unit_test(manifest__decoder_survives_damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
