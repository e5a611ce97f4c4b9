/*
 * scope: owning locals that clean up after themselves, so that every return is safe and no function needs a goto.
 *
 *     AUTO(struct ca_state, ca_state_free) state = NULL;     a pointer, freed when the scope ends
 *     AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT; a value, cleared when the scope ends
 *     return use(MOVE(state));                                hands the pointer over: the local is NULL from then on
 *
 * A type that is used with AUTO says SCOPED(type, free_fn) once, in its header, after the prototype of free_fn.
 */
#ifndef CA_BASE_SCOPE_H
#define CA_BASE_SCOPE_H

#include <stdlib.h>

#define SCOPED(type, free_fn)                                    \
	static inline void free_fn##_scope(type **owned)         \
	{                                                        \
		free_fn(*owned);                                 \
	}

#define AUTO(type, free_fn) __attribute__((cleanup(free_fn##_scope))) type *
#define AUTO_CLEAR(type, clear_fn) __attribute__((cleanup(clear_fn))) type
#define MOVE(pointer)                                   \
	({                                              \
		__typeof__(pointer) moved_ = (pointer); \
		(pointer) = NULL;                       \
		moved_;                                 \
	})

/* Plain heap memory: AUTO(char, free) text = NULL; */
static inline void
free_scope(void *owned)
{
	free(*(void **)owned);
}

/* A file descriptor, -1 when there is none: AUTO_CLEAR(int, descriptor_close) fd = open(…); Closes, keeping errno. */
void descriptor_close(int *fd);

#endif
