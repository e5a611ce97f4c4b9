#include "ca/issue/object_set.h"

#include <stdlib.h>

#include "ca/base/memory.h"

enum fault_code
object_set_new(struct object_set **ret_set, struct fault *fault)
{
	return memory_new(1, sizeof **ret_set, ret_set, fault);
}

enum fault_code
object_set_add(struct object_set *set, enum object_kind kind, struct new_object **ret_object, struct fault *fault)
{
	TRY(memory_reserve(&set->items, &set->capacity, set->count + 1, sizeof *set->items, fault));
	set->items[set->count] = (struct new_object){ .kind = kind };
	*ret_object = &set->items[set->count++];
	return FAULT_NONE;
}

void
object_set_free(struct object_set *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < set->count; i++)
		bytes_clear(&set->items[i].der);
	free(set->items);
	bytes_clear(&set->key_handle);
	bytes_clear(&set->key_spki);
	free(set);
}
