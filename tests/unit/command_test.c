#include "ca/commands/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/registry.h"

static void
command__takes_handles_of_the_alphabet(void **state)
{
	static const char *const good[] = { "a", "A-1_z", "001a45be-7d62-4de6-8f6c-47ade879798a", "-", "__" };
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_int_equal(command_check_handle(good[i], NULL), FAULT_NONE);
	char longest[HANDLE_MAX + 1];
	memset(longest, 'x', HANDLE_MAX);
	longest[HANDLE_MAX] = '\0';
	assert_int_equal(command_check_handle(longest, NULL), FAULT_NONE);
}

static void
command__refuses_other_handles(void **state)
{
	static const char *const bad[] = { "", " ", "a b", "a/b", "..", "a.b", "ä", "a\n", "a%00", "{ca}", "a\"" };
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(command_check_handle(bad[i], NULL), FAULT_INVALID);
	char longer[HANDLE_MAX + 2];
	memset(longer, 'x', HANDLE_MAX + 1);
	longer[HANDLE_MAX + 1] = '\0';
	assert_int_equal(command_check_handle(longer, NULL), FAULT_INVALID);
}

static void
command__counts_complaints_past_the_limit(void **state)
{
	AUTO_CLEAR(struct complaints, complaints_clear) complaints = COMPLAINTS_INIT;
	struct fault fault = FAULT_INIT;
	(void)state;
	assert_int_equal(complaints_check(&complaints, &fault), FAULT_NONE);
	for (size_t i = 0; i < COMPLAINTS_MAX + 5; i++)
		assert_int_equal(complaints_add(&complaints, &fault, "added", i, "asn", "wrong by %zu", i), FAULT_NONE);
	assert_int_equal(complaints.count, COMPLAINTS_MAX);
	assert_int_equal(complaints.total, COMPLAINTS_MAX + 5);
	assert_int_equal(complaints_check(&complaints, &fault), FAULT_INVALID);
	assert_string_equal(fault.message, "1005 entries are faulty; added[0].asn: wrong by 0");
}

static void
command__cuts_long_reasons(void **state)
{
	AUTO_CLEAR(struct complaints, complaints_clear) complaints = COMPLAINTS_INIT;
	char words[1000];
	(void)state;
	memset(words, 'w', sizeof words - 1);
	words[sizeof words - 1] = '\0';
	assert_int_equal(complaints_add(&complaints, NULL, "removed", 1, NULL, "%s", words), FAULT_NONE);
	assert_int_equal(strlen(complaints.items[0].reason), sizeof complaints.items[0].reason - 1);
}

static void
command__sorts_complaints_by_list_and_index(void **state)
{
	AUTO_CLEAR(struct complaints, complaints_clear) complaints = COMPLAINTS_INIT;
	(void)state;
	assert_int_equal(complaints_add(&complaints, NULL, "removed", 0, NULL, "d"), FAULT_NONE);
	assert_int_equal(complaints_add(&complaints, NULL, "added", 7, NULL, "c"), FAULT_NONE);
	assert_int_equal(complaints_add(&complaints, NULL, "added", 2, NULL, "b"), FAULT_NONE);
	assert_int_equal(complaints_add(&complaints, NULL, "added", 0, NULL, "a"), FAULT_NONE);
	complaints_sort(&complaints);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(complaints.items[i].reason[0], "abcd"[i]);
}

static void
command__audits_refusals_with_their_type(void **state)
{
	struct registry *registry = *state;
	struct fault refusal = FAULT_INIT;
	struct audit_event event = { .action = "ca.create", .ca_id = 77, .ca_handle = "" };
	(void)fault_set(&refusal, FAULT_CONFLICT, "there is one already");
	command_audit_refusal(&registry->context, &registry_admin, event, &refusal);
	assert_string_equal(registry_text(registry, "SELECT actor || '|' || token_id || '|' || action || '|' || ca_id || '|' ||"
		" COALESCE(ca_handle, 'none') || '|' || outcome || '|' || detail || '|' || request_id AS it FROM audit"
		" ORDER BY audit_id DESC LIMIT 1"),
		"the admin|00000000000000aa|ca.create|77|none|conflict|there is one already|r-1");
}

static void
command__hides_other_cas_from_bound_actors(void **state)
{
	struct actor member = registry_member(5);
	(void)state;
	assert_int_equal(command_check_actor(&member, 5, NULL), FAULT_NONE);
	assert_int_equal(command_check_actor(&member, 6, NULL), FAULT_NOT_FOUND);
	assert_int_equal(command_check_actor(&member, 0, NULL), FAULT_NOT_FOUND);
	assert_int_equal(command_check_actor(&registry_admin, 6, NULL), FAULT_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command__takes_handles_of_the_alphabet),
		cmocka_unit_test(command__refuses_other_handles),
		cmocka_unit_test(command__counts_complaints_past_the_limit),
		cmocka_unit_test(command__cuts_long_reasons),
		cmocka_unit_test(command__sorts_complaints_by_list_and_index),
		cmocka_unit_test_setup_teardown(command__audits_refusals_with_their_type, registry_setup, registry_teardown),
		cmocka_unit_test(command__hides_other_cas_from_bound_actors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
