/* mutation: one way to damage what is published, and the kinds of findings that the check must tell of it. */
#ifndef TESTS_CHECK_MUTATION_H
#define TESTS_CHECK_MUTATION_H

#include "tests/support/forge.h"

struct mutation {
	const char *name;
	void (*damage)(struct forge *forge);
	const char *kinds;                      /* exactly these, separated by spaces */
};

/* Of objects: judged without a database and without rsync, from a snapshot that is written anew. */
const struct mutation *mutation_objects(size_t *ret_count);
/* Of files, and of what the database knows better: judged with all. */
const struct mutation *mutation_files(size_t *ret_count);
/* Frees what damages kept. */
void mutation_clear(void);

#endif
