#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ca/resources/resource_list.h"

/* A set as text: ranges parted by blanks, kinds by bars. */
static const char *
text_of(const struct resource_set *set)
{
	static char text[1000];
	char range[RANGE_TEXT];
	text[0] = '\0';
	for (size_t i = 0; i < set->asns_count; i++) {
		resource_set_asn_text(&set->asns[i], range);
		strcat(strcat(text, range), " ");
	}
	strcat(text, "| ");
	for (size_t i = 0; i < set->ipv4.count; i++) {
		resource_set_address_text(FAMILY_IPV4, &set->ipv4.items[i], range);
		strcat(strcat(text, range), " ");
	}
	strcat(text, "|");
	for (size_t i = 0; i < set->ipv6.count; i++) {
		resource_set_address_text(FAMILY_IPV6, &set->ipv6.items[i], range);
		strcat(strcat(text, " "), range);
	}
	return text;
}

static void
resource_list__refuses_what_is_none(void **state)
{
	static const char *const wrong[] = {
		"", " ", ",", ", ,\t\r\n", "x", "AS", "ASx", "AS-1", "AS4294967296", "AS64497-AS64496", "192.0.2.0/33", "192.0.2.1/24",
		"192.0.2.0/", "192.0.2", "192.0.2.9-192.0.2.1", "256.0.0.0/8", "2001:db8::/129", "2001:db8::1/32", ":", "::/0/0",
		"192.0.2.0-2001:db8::", "192.0.2.0/24;198.51.100.0/24", "192.0.2.0/24 -", "AS64496, AS64497, nonsense", "all", "inherit",
	};
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
		struct fault fault = FAULT_INIT;
		if (resource_list_parse(wrong[i], &set, &fault) != FAULT_INVALID)
			fail_msg("\"%s\" was taken: %s", wrong[i], text_of(&set));
		assert_true(fault.message[0] != '\0');
		assert_true(resource_set_empty(&set));
	}
}

static void
resource_list__names_the_faulty_item(void **state)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	struct fault fault = FAULT_INIT;
	(void)state;
	assert_int_equal(resource_list_parse("AS64496, 192.0.2.300/24, 2001:db8::/32", &set, &fault), FAULT_INVALID);
	assert_non_null(strstr(fault.message, "192.0.2.300"));
}

static void
resource_list__leaves_the_old_set_alone_when_it_fails(void **state)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	(void)state;
	assert_int_equal(resource_list_parse("192.0.2.0/24", &set, NULL), FAULT_NONE);
	assert_int_equal(resource_list_parse("198.51.100.0/24 x", &set, NULL), FAULT_INVALID);
	assert_string_equal(text_of(&set), "| 192.0.2.0/24 |");
	assert_int_equal(resource_list_parse("198.51.100.0/24", &set, NULL), FAULT_NONE);
	assert_string_equal(text_of(&set), "| 198.51.100.0/24 |");
}

static void
resource_list__takes_all_kinds_in_any_order(void **state)
{
	static const struct { const char *list, *set; } cases[] = {
		{ "AS64496-AS64511, 192.0.2.0/24, 2001:db8::/32", "AS64496-AS64511 | 192.0.2.0/24 | 2001:db8::/32" },
		{ " 2001:db8::/32 ,,\t192.0.2.0/24\r\n64496 ", "AS64496 | 192.0.2.0/24 | 2001:db8::/32" },
		{ "198.51.100.0-198.51.100.130", "| 198.51.100.0-198.51.100.130 |" },
		{ "192.0.2.128/25 192.0.2.0/25 192.0.2.0/24", "| 192.0.2.0/24 |" },
		{ "AS2 AS1 AS3 AS2", "AS1-AS3 | |" },
		{ "::/0 0.0.0.0/0 AS0-AS4294967295", "AS0-AS4294967295 | 0.0.0.0/0 | ::/0" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
		struct fault fault = FAULT_INIT;
		if (resource_list_parse(cases[i].list, &set, &fault) != FAULT_NONE)
			fail_msg("%s: %s", cases[i].list, fault.message);
		assert_string_equal(text_of(&set), cases[i].set);
	}
}

static void
resource_list__has_a_bound(void **state)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	AUTO(char, free) text = malloc((RESOURCE_SET_RANGES_MAX + 1) * 5 + 1);
	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i <= RESOURCE_SET_RANGES_MAX; i++)
		memcpy(text + i * 5, "AS64 ", 6);
	assert_int_equal(resource_list_parse(text, &set, NULL), FAULT_TOO_LARGE);
	assert_true(resource_set_empty(&set));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resource_list__refuses_what_is_none),
		cmocka_unit_test(resource_list__names_the_faulty_item),
		cmocka_unit_test(resource_list__leaves_the_old_set_alone_when_it_fails),
		cmocka_unit_test(resource_list__takes_all_kinds_in_any_order),
		cmocka_unit_test(resource_list__has_a_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
