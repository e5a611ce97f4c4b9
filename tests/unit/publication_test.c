#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "ca/jobs/publication.h"
#include "tests/support/world.h"

/* The publisher, played: it counts what it is asked for. */
struct played {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	int published, rsynced, verified, retired, told;
	enum fault_code publish_gives, rsync_gives;
	int64_t took_ms;
};

static struct played played;

static enum fault_code
note(int *counter)
{
	pthread_mutex_lock(&played.mutex);
	++*counter;
	pthread_cond_signal(&played.changed);
	pthread_mutex_unlock(&played.mutex);
	return FAULT_NONE;
}

static void
wait_for(const int *counter, int count)
{
	pthread_mutex_lock(&played.mutex);
	while (*counter < count)
		pthread_cond_wait(&played.changed, &played.mutex);
	pthread_mutex_unlock(&played.mutex);
}

static enum fault_code
play_publish(void *self, int64_t *ret_serial, struct fault *fault)
{
	struct world *world = self;
	*ret_serial = 1;
	if (played.publish_gives != FAULT_NONE) {
		(void)note(&played.published);
		return fault_set(fault, played.publish_gives, "played");
	}
	world_sql(world, "UPDATE repositories SET notified_serial = serial");
	return note(&played.published);
}

static enum fault_code
play_rsync(void *self, int64_t *ret_serial, struct fault *fault)
{
	(void)self;
	*ret_serial = 0;
	(void)note(&played.rsynced);
	return played.rsync_gives == FAULT_NONE ? FAULT_NONE : fault_set(fault, played.rsync_gives, "played");
}

static enum fault_code
play_verify(void *self, int64_t *ret_repaired, struct fault *fault)
{
	(void)self;
	(void)fault;
	*ret_repaired = 0;
	return note(&played.verified);
}

static enum fault_code
play_retire(void *self, struct fault *fault)
{
	(void)self;
	(void)fault;
	return note(&played.retired);
}

static enum fault_code
play_compress(void *self, const atomic_bool *stop, struct fault *fault)
{
	(void)self;
	(void)stop;
	(void)fault;
	return FAULT_NONE;
}

static void
play_published(void *self, int64_t took_ms)
{
	(void)self;
	played.took_ms = took_ms;
	(void)note(&played.told);
}

static struct publication *
open_publication(struct world *world, enum fault_code rsync_gives)
{
	struct publication *publication;
	struct publication_settings settings = { .verify_interval_s = 3600 };
	struct publication_operations operations = {
		.publish = play_publish, .rsync = play_rsync, .verify = play_verify, .retire = play_retire, .compress = play_compress,
		.published = play_published, .self = world,
	};
	played = (struct played){ .rsync_gives = rsync_gives };
	pthread_mutex_init(&played.mutex, NULL);
	pthread_cond_init(&played.changed, NULL);
	WORLD_OK(publication_new(world->db, &world->clock, &settings, &operations, &publication, fault));
	return publication;
}

/* Two rounds: what came of the first is known when the second one has begun. */
static enum fault_code
trouble_of(struct world *world, enum fault_code rsync_gives)
{
	struct fault trouble = FAULT_INIT;
	struct publication *publication = open_publication(world, rsync_gives);
	world_sql(world, "UPDATE repositories SET serial = 1, notified_serial = 0, rsync_serial = 0");
	WORLD_OK(publication_start(publication, fault));
	wait_for(&played.rsynced, 1);
	publication_wake(publication);
	wait_for(&played.rsynced, 2);
	enum fault_code code = publication_trouble(publication, &trouble);
	publication_free(publication);
	assert_int_equal(played.published, 1);
	assert_int_equal(played.told, 1);
	assert_true(played.took_ms >= 0);
	return code;
}

static void
publication__tells_what_rsync_meets(void **state)
{
	assert_int_equal(trouble_of(*state, FAULT_NONE), FAULT_NONE);
	assert_int_equal(trouble_of(*state, FAULT_DISK), FAULT_DISK);
}

/* A cut for it to publish: the next round. */
static void
next_round(struct world *world, struct publication *publication, int number)
{
	world_sql(world, "UPDATE repositories SET serial = serial + 1");
	publication_wake(publication);
	wait_for(&played.published, number);
}

/* All trees are in their grace time: that is how it should be, and no trouble. It lasts, so that not each round looks again. */
static void
publication__waits_for_a_tree_without_complaint(void **state)
{
	struct world *world = *state;
	struct fault trouble = FAULT_INIT;
	struct publication *publication = open_publication(world, FAULT_BUSY);
	world_sql(world, "UPDATE repositories SET serial = 1, notified_serial = 0, rsync_serial = 0");
	WORLD_OK(publication_start(publication, fault));
	wait_for(&played.rsynced, 1);
	next_round(world, publication, 2);
	next_round(world, publication, 3);
	assert_int_equal(publication_trouble(publication, &trouble), FAULT_NONE);
	publication_free(publication);
	assert_int_equal(played.rsynced, 1);
}

/* The second round's publication begins when all of the first one is over. */
static enum fault_code
trouble_with_publishing(struct world *world, enum fault_code publish_gives, enum fault_code rsync_gives)
{
	struct fault trouble = FAULT_INIT;
	struct publication *publication = open_publication(world, rsync_gives);
	played.publish_gives = publish_gives;
	world_sql(world, "UPDATE repositories SET serial = 2, notified_serial = 1, rsync_serial = 0");
	WORLD_OK(publication_start(publication, fault));
	wait_for(&played.published, 1);
	publication_wake(publication);
	wait_for(&played.published, 2);
	enum fault_code code = publication_trouble(publication, &trouble);
	publication_free(publication);
	return code;
}

/* A full disk: what is past its time goes, and makes room. Files are not checked while the newest can't be written. */
static void
publication__retires_while_publishing_fails(void **state)
{
	assert_int_equal(trouble_with_publishing(*state, FAULT_DISK, FAULT_NONE), FAULT_DISK);
	assert_int_equal(played.retired, 1);
	assert_true(played.rsynced >= 1);
	assert_int_equal(played.verified, 0);
	assert_int_equal(played.told, 0);
}

static void
publication__retires_and_verifies_while_rsync_fails(void **state)
{
	assert_int_equal(trouble_of(*state, FAULT_DISK), FAULT_DISK);
	assert_int_equal(played.retired, 1);
	assert_int_equal(played.verified, 1);
}

static void
publication__tells_the_first_of_several_troubles(void **state)
{
	assert_int_equal(trouble_with_publishing(*state, FAULT_DATABASE, FAULT_DISK), FAULT_DATABASE);
	assert_int_equal(played.retired, 1);
}

/* For what takes long on its thread; here there is none. */
static void
publication__publishes_in_passing(void **state)
{
	struct world *world = *state;
	struct publication *publication = open_publication(world, FAULT_NONE);
	WORLD_OK(publication_pass(publication, fault));
	assert_int_equal(played.published, 0);
	world_sql(world, "UPDATE repositories SET serial = 1");
	WORLD_OK(publication_pass(publication, fault));
	WORLD_OK(publication_pass(publication, fault));
	assert_int_equal(played.published, 1);
	publication_free(publication);
}

/* Who is told of publications may go after that, while the scheduler still wakes it. */
static void
publication__tells_nobody_once_it_has_stopped(void **state)
{
	struct world *world = *state;
	struct publication *publication = open_publication(world, FAULT_NONE);
	world_sql(world, "UPDATE repositories SET serial = 1, notified_serial = 0, rsync_serial = 0");
	WORLD_OK(publication_start(publication, fault));
	wait_for(&played.published, 1);
	publication_stop(publication);
	assert_int_equal(played.told, 1);
	world_sql(world, "UPDATE repositories SET serial = 2");
	publication_wake(publication);
	publication_stop(publication);
	publication_stop(NULL);
	publication_free(publication);
	assert_int_equal(played.published, 1);
	assert_int_equal(played.told, 1);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
	const struct CMUnitTest tests[] = {
		CASE(publication__tells_what_rsync_meets),
		CASE(publication__waits_for_a_tree_without_complaint),
		CASE(publication__retires_while_publishing_fails),
		CASE(publication__retires_and_verifies_while_rsync_fails),
		CASE(publication__tells_the_first_of_several_troubles),
		CASE(publication__publishes_in_passing),
		CASE(publication__tells_nobody_once_it_has_stopped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
