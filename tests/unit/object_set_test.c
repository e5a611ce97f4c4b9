#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "ca/issue/object_set.h"

static void
object_set__frees_nothing(void **state)
{
	struct object_set *set;
	(void)state;
	object_set_free(NULL);
	assert_int_equal(object_set_new(&set, NULL), FAULT_NONE);
	assert_int_equal(set->count, 0);
	assert_false(set->made_key);
	object_set_free(set);
}

/* Items move as the set grows: what they own moves along, and each new one is clean. */
static void
object_set__keeps_all_that_was_added(void **state)
{
	AUTO(struct object_set, object_set_free) set = NULL;
	struct fault fault = FAULT_INIT;
	char text[32];
	(void)state;
	assert_int_equal(object_set_new(&set, &fault), FAULT_NONE);
	for (int i = 0; i < 1000; i++) {
		struct new_object *object = NULL;
		assert_int_equal(object_set_add(set, i % 2 ? OBJECT_ROA : OBJECT_CER, &object, &fault), FAULT_NONE);
		assert_ptr_equal(object, &set->items[set->count - 1]);
		assert_int_equal(object->kind, i % 2 ? OBJECT_ROA : OBJECT_CER);
		assert_int_equal(object->der.length, 0);
		assert_int_equal(object->replaces_id, 0);
		assert_int_equal(object->serial.length, 0);
		assert_string_equal(object->name, "");
		assert_int_equal(bytes_printf(&object->der, &fault, "object %d", i), FAULT_NONE);
		object->replaces_id = i + 1;
	}
	assert_int_equal(set->count, 1000);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(text, sizeof text, "object %d", i);
		assert_string_equal(bytes_text(&set->items[i].der), text);
		assert_int_equal(set->items[i].replaces_id, i + 1);
	}
}

static void
object_set__owns_the_key_that_was_made(void **state)
{
	AUTO(struct object_set, object_set_free) set = NULL;
	(void)state;
	assert_int_equal(object_set_new(&set, NULL), FAULT_NONE);
	set->made_key = true;
	assert_int_equal(bytes_append_text(&set->key_handle, "handle", NULL), FAULT_NONE);
	assert_int_equal(bytes_append_text(&set->key_spki, "spki", NULL), FAULT_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(object_set__frees_nothing),
		cmocka_unit_test(object_set__keeps_all_that_was_added),
		cmocka_unit_test(object_set__owns_the_key_that_was_made),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
