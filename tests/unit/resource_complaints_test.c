#include "ca/commands/resource_complaints.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/registry.h"

static void
complain(const char *asked, const char *wrong, const char *expected)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) asked_set = registry_resources(asked);
	AUTO_CLEAR(struct resource_set, resource_set_clear) wrong_set = registry_resources(wrong);
	AUTO_CLEAR(struct complaints, complaints_clear) complaints = COMPLAINTS_INIT;
	char text[2048] = "";
	assert_int_equal(resource_complaints_add(&complaints, &resource_lists_add, &asked_set, &wrong_set, "is wrong", NULL), FAULT_NONE);
	for (size_t i = 0; i < complaints.count; i++) {
		size_t length = strlen(text);
		(void)snprintf(text + length, sizeof text - length, "%s[%zu] %s\n", complaints.items[i].list, complaints.items[i].index,
			complaints.items[i].reason);
	}
	assert_string_equal(text, expected);
}

/* The index is that of the range asked for, whatever part of it is wrong. */
static void
resource_complaints__name_the_place(void **state)
{
	(void)state;
	complain("AS1-AS9 AS20 AS30-AS40 10.0.0.0/8 192.0.2.0/24 2001:db8::/32", "", "");
	complain("AS1-AS9 AS20 AS30-AS40 10.0.0.0/8 192.0.2.0/24 2001:db8::/32",
		"AS2-AS3 AS9 AS40 10.1.0.0/16 10.3.0.0/16 192.0.2.0/25 2001:db8::/32",
		"add.asns[0] AS2-AS3 is wrong\nadd.asns[0] AS9 is wrong\nadd.asns[2] AS40 is wrong\n"
		"add.ipv4[0] 10.1.0.0/16 is wrong\nadd.ipv4[0] 10.3.0.0/16 is wrong\nadd.ipv4[1] 192.0.2.0/25 is wrong\n"
		"add.ipv6[0] 2001:db8::/32 is wrong\n");
	complain("AS1 AS3 AS5 192.0.2.0/25 198.51.100.0/24", "AS5 198.51.100.7", "add.asns[2] AS5 is wrong\nadd.ipv4[1] 198.51.100.7/32 is wrong\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resource_complaints__name_the_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
