#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "publish/check/check_index.h"
#include "publish/check/check_known.h"

#define URIS 5000
#define MANY 250000

static size_t
resident(void)
{
	unsigned long size, all;
	FILE *file = fopen("/proc/self/statm", "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu %lu", &size, &all), 2);
	assert_int_equal(fclose(file), 0);
	return (size_t)all * (size_t)sysconf(_SC_PAGESIZE);
}

static void
check_index__finds_what_was_added(void **state)
{
	AUTO_CLEAR(struct check_index, check_index_clear) index = CHECK_INDEX(-1);
	struct check_entry *entry;
	char uri[64];
	(void)state;
	assert_null(check_index_find(&index, "a", 1));
	for (int i = 0; i < URIS; i++) {
		(void)snprintf(uri, sizeof uri, "rsync://a.example/m/%d.roa", i);
		assert_int_equal(check_index_add(&index, uri, &entry, NULL), FAULT_NONE);
		entry->size = (uint32_t)i;
	}
	for (int i = 0; i < URIS; i++) {
		(void)snprintf(uri, sizeof uri, "rsync://a.example/m/%d.roa", i);
		entry = check_index_find(&index, uri, strlen(uri));
		assert_non_null(entry);
		assert_int_equal(entry->size, i);
		assert_string_equal(entry->uri, uri);
	}
	assert_int_equal(index.count, URIS);
	assert_null(check_index_find(&index, "rsync://a.example/m/5000.roa", 28));
	assert_null(check_index_find(&index, "rsync://a.example/m/1.ro", 24));
}

static void
check_index__has_each_once(void **state)
{
	AUTO_CLEAR(struct check_index, check_index_clear) index = CHECK_INDEX(-1);
	struct check_entry *first, *again;
	(void)state;
	assert_int_equal(check_index_add(&index, "a", &first, NULL), FAULT_NONE);
	first->published = true;
	assert_int_equal(check_index_add(&index, "a", &again, NULL), FAULT_NONE);
	assert_ptr_equal(first, again);
	assert_true(again->published);
	assert_int_equal(check_index_add(&index, "", &again, NULL), FAULT_NONE);
	assert_false(again->published);
	assert_int_equal(index.count, 2);
}

/* However many there are, few of them are in memory. */
static void
check_index__takes_little_memory(void **state)
{
	AUTO_CLEAR(struct check_index, check_index_clear) index = CHECK_INDEX(-1);
	struct check_entry *entry;
	char uri[100];
	size_t before = resident(), position = 0;
	(void)state;
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(uri, sizeof uri, "rsync://a.example/m/0123456789abcdef0123456789abcdef01234567/%d.roa", i);
		assert_int_equal(check_index_add(&index, uri, &entry, NULL), FAULT_NONE);
		entry->size = (uint32_t)i;
	}
	assert_true(resident() < before + (size_t)MANY * 40);
	for (uint32_t i = 0; i < MANY; i++) {
		entry = check_index_next(&index, &position);
		assert_non_null(entry);
		assert_int_equal(entry->size, i);
		(void)snprintf(uri, sizeof uri, "rsync://a.example/m/0123456789abcdef0123456789abcdef01234567/%d.roa", (int)(i * 7919U % MANY));
		entry = check_index_find(&index, uri, strlen(uri));
		assert_non_null(entry);
		assert_int_equal(entry->size, i * 7919U % MANY);
	}
	assert_null(check_index_next(&index, &position));
	assert_true(resident() < before + 20 * 1048576);
}

/* A URI longer than a page, and than what a file grows by. */
static void
check_index__takes_long_uris(void **state)
{
	AUTO_CLEAR(struct check_index, check_index_clear) index = CHECK_INDEX(-1);
	static char uri[2000000];
	struct check_entry *entry;
	(void)state;
	memset(uri, 'a', sizeof uri - 1);
	assert_int_equal(check_index_add(&index, uri, &entry, NULL), FAULT_NONE);
	assert_ptr_equal(check_index_find(&index, uri, sizeof uri - 1), entry);
	assert_null(check_index_find(&index, uri, sizeof uri - 2));
}

static struct check_known_ca
ca_of(uint32_t number)
{
	struct check_known_ca ca = { .payloads = number };
	memcpy(ca.manifest, &number, sizeof number);
	memset(ca.certificate, 7, sizeof ca.certificate);
	return ca;
}

static void
check_known__turns_when_a_check_came_to_its_end(void **state)
{
	AUTO(struct check_known, check_known_free) known = NULL;
	(void)state;
	assert_int_equal(check_known_new(-1, &known, NULL), FAULT_NONE);
	for (uint32_t i = 0; i < URIS; i++) {
		struct check_known_ca ca = ca_of(i);
		assert_int_equal(check_known_add(known, &ca, NULL), FAULT_NONE);
		assert_null(check_known_find(known, ca.certificate, ca.manifest));
	}
	check_known_turn(known, true);
	for (uint32_t i = 0; i < URIS; i++) {
		struct check_known_ca ca = ca_of(i);
		const struct check_known_ca *found = check_known_find(known, ca.certificate, ca.manifest);
		assert_non_null(found);
		assert_int_equal(found->payloads, i);
		ca.certificate[31] ^= 1;
		assert_null(check_known_find(known, ca.certificate, ca.manifest));
	}
	struct check_known_ca more = ca_of(URIS), first = ca_of(0);
	assert_int_equal(check_known_add(known, &more, NULL), FAULT_NONE);
	check_known_turn(known, false);
	assert_null(check_known_find(known, more.certificate, more.manifest));
	assert_non_null(check_known_find(known, first.certificate, first.manifest));
	check_known_turn(known, true);
	assert_null(check_known_find(known, first.certificate, first.manifest));
}

static void
check_known__knows_deltas_by_their_hash(void **state)
{
	AUTO(struct check_known, check_known_free) known = NULL;
	(void)state;
	assert_int_equal(check_known_new(-1, &known, NULL), FAULT_NONE);
	for (int i = 0; i < 1000; i++) {
		struct check_known_delta delta = { .size = i, .hash = { (uint8_t)(i * 7), (uint8_t)(i >> 8) } };
		delta.hash[31] = (uint8_t)i;
		assert_int_equal(check_known_add_delta(known, &delta, NULL), FAULT_NONE);
		assert_null(check_known_find_delta(known, delta.hash));
	}
	check_known_turn(known, true);
	for (int i = 0; i < 1000; i++) {
		struct check_known_delta delta = { .hash = { (uint8_t)(i * 7), (uint8_t)(i >> 8) } };
		delta.hash[31] = (uint8_t)i;
		assert_non_null(check_known_find_delta(known, delta.hash));
		assert_int_equal(check_known_find_delta(known, delta.hash)->size, i);
		delta.hash[30] = 1;
		assert_null(check_known_find_delta(known, delta.hash));
	}
	check_known_turn(known, true);
	assert_null(check_known_find_delta(known, (const uint8_t[SHA256_SIZE]){ 0 }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_index__finds_what_was_added),
		cmocka_unit_test(check_index__has_each_once),
		cmocka_unit_test(check_index__takes_little_memory),
		cmocka_unit_test(check_index__takes_long_uris),
		cmocka_unit_test(check_known__turns_when_a_check_came_to_its_end),
		cmocka_unit_test(check_known__knows_deltas_by_their_hash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
