#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "api/auth/bearer.h"
#include "ca/commands/token_commands.h"

static void
bearer__takes_the_token(void **state)
{
	const char *token = NULL;
	(void)state;
	assert_int_equal(bearer_token("Bearer cadastre_00ff_Ab-_", &token, NULL), FAULT_NONE);
	assert_string_equal(token, "cadastre_00ff_Ab-_");
	assert_int_equal(bearer_token("bEARER   x", &token, NULL), FAULT_NONE);
	assert_string_equal(token, "x");
}

static void
bearer__refuses_the_rest(void **state)
{
	char large[TOKEN_TEXT + 16];
	const char *const wrong[] = { NULL, "", "Bearer", "Bearer ", "Bearer  ", "Basic dTpw", "Bearerx y", "cadastre_00ff_x",
		"Bearer a b", "Bearer a,b", "Bearer a\tb", "Bearer \xc3\xa4", "Bearer\tx", " Bearer x", large };
	const char *token = NULL;
	(void)state;
	(void)snprintf(large, sizeof large, "Bearer %0*d", TOKEN_TEXT, 0);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		if (bearer_token(wrong[i], &token, NULL) != FAULT_UNAUTHORIZED)
			fail_msg("%s", wrong[i]);
	}
	assert_null(token);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bearer__takes_the_token),
		cmocka_unit_test(bearer__refuses_the_rest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
