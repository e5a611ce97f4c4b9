#include "tests/support/publish_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "ca/base/atomic_file.h"
#include "ca/base/memory.h"
#include "tests/unit/scratch.h"

int
publish_fixture_setup(void **state)
{
	struct publish_fixture *fixture = NULL;
	if (memory_new(1, sizeof *fixture, &fixture, NULL) != FAULT_NONE || scratch_setup(&fixture->scratch) != 0)
		return -1;
	sample_repository_open(&fixture->sample, fixture->scratch, 1);
	sample_repository_site(&fixture->sample, &fixture->site);
	*state = fixture;
	return 0;
}

int
publish_fixture_teardown(void **state)
{
	struct publish_fixture *fixture = *state;
	(void)pthread_mutex_destroy(&fixture->site.exchange->mutex);
	free(fixture->site.exchange);
	publisher_store_clear_repository(&fixture->repository);
	sample_repository_close(&fixture->sample);
	int result = scratch_teardown(&fixture->scratch);
	free(fixture);
	return result;
}

void
publish_fixture_read(struct publish_fixture *fixture)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	bool found = false;
	if (db_reader_acquire(fixture->sample.db, &connection, NULL) != FAULT_NONE ||
		publisher_store_repository(connection, 1, &fixture->repository, NULL) != FAULT_NONE ||
		publisher_store_cut(connection, 1, fixture->repository.serial, &fixture->cut, &found, NULL) != FAULT_NONE ||
		!found)
		abort();
	fixture->site.settings = fixture->sample.settings;
}

int64_t
publish_fixture_publish(struct publish_fixture *fixture)
{
	struct fault fault = FAULT_INIT;
	int64_t published, serial = sample_repository_cut(&fixture->sample, 1);
	if (publisher_publish(fixture->sample.publisher, &published, &fault) != FAULT_NONE || published != serial) {
		(void)fprintf(stderr, "publish: %s\n", fault.message);
		abort();
	}
	publish_fixture_read(fixture);
	return serial;
}

const char *
publish_fixture_text(struct publish_fixture *fixture, const char *path)
{
	static struct bytes text;
	bytes_clear(&text);
	return atomic_file_read(fixture->sample.directory, path, 1 << 26, &text, NULL) == FAULT_NONE ? bytes_text(&text) : "";
}
