/*
 * publish_fixture: one sample repository for each test case, with what the parts of the publisher take. For cmocka
 * programs alone.
 */
#ifndef TESTS_SUPPORT_PUBLISH_FIXTURE_H
#define TESTS_SUPPORT_PUBLISH_FIXTURE_H

#include "tests/support/published.h"

struct publish_fixture {
	void *scratch;
	struct sample_repository sample;
	struct site site;
	struct publication_repository repository; /* as of publish_fixture_read() */
	struct publication_cut cut;               /* the last one, as of then */
};

/* *state is the fixture. */
int publish_fixture_setup(void **state);
int publish_fixture_teardown(void **state);

void publish_fixture_read(struct publish_fixture *fixture);
/* sample_repository_cut() and publisher_publish(), which must succeed. Returns the serial. */
int64_t publish_fixture_publish(struct publish_fixture *fixture);
/* A file below DIR as text, valid until the next call; "" when there is none. */
const char *publish_fixture_text(struct publish_fixture *fixture, const char *path);

/* Fails the case with the fault's words unless the call, which may use `fault`, succeeds. */
#define REQUIRE_DONE(call)                                                                      \
	do {                                                                                    \
		struct fault required_ = FAULT_INIT, *fault = &required_;                       \
		if ((call) != FAULT_NONE)                                                       \
			fail_msg("%s (%s:%d)", fault->message, fault->file, fault->line);       \
	} while (0)
/* The same for published_check…(). */
#define REQUIRE_RIGHT(check)                            \
	do {                                            \
		const char *wrong_ = (check);           \
		if (wrong_ != NULL)                     \
			fail_msg("%s", wrong_);         \
	} while (0)
#define PUBLISH_CASE(name) cmocka_unit_test_setup_teardown(name, publish_fixture_setup, publish_fixture_teardown)

#endif
