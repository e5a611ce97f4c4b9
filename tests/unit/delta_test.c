#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "publish/delta.h"
#include "tests/support/publish_fixture.h"
#include "tests/support/rrdp_reader.h"

static enum fault_code
write(struct publish_fixture *fixture, const struct publication_content *expected, bool *ret_has, struct fault *fault)
{
	struct publication_content content;
	publish_fixture_read(fixture);
	return delta_write(&fixture->site, &fixture->repository, &fixture->cut, expected, ret_has, &content, fault);
}

static void
first_cut(struct publish_fixture *fixture)
{
	sample_repository_put(&fixture->sample, "a.roa", "roa", 10);
	sample_repository_put(&fixture->sample, "b.roa", "roa", 10);
	sample_repository_put(&fixture->sample, "c.roa", "roa", 10);
	sample_repository_put(&fixture->sample, "d.roa", "roa", 10);
	sample_repository_put(&fixture->sample, "ta/ta.cer", "ta", 10);
	(void)sample_repository_cut(&fixture->sample, 1);
}

static void
expect(const struct rrdp_element *element, const char *name, const char *uri, bool has_hash, size_t length)
{
	assert_string_equal(element->name, name);
	assert_string_equal(element->uri, uri);
	assert_int_equal(element->hash[0] != '\0', has_hash);
	assert_int_equal(element->object.length, length);
}

static void
delta__publishes_then_withdraws(void **state)
{
	struct publish_fixture *fixture = *state;
	AUTO_CLEAR(struct rrdp_document, rrdp_reader_clear) document = { .count = 0 };
	bool has = false;
	first_cut(fixture);
	sample_repository_remove(&fixture->sample, "c.roa");
	sample_repository_put(&fixture->sample, "b.roa", "roa", 20);
	sample_repository_put(&fixture->sample, "0.roa", "roa", 30);
	sample_repository_put(&fixture->sample, "ta/ta.cer", "ta", 40);
	sample_repository_remove(&fixture->sample, "a.roa");
	(void)sample_repository_cut(&fixture->sample, 1);
	REQUIRE_DONE(write(fixture, NULL, &has, fault));
	assert_true(has);
	const char *text = publish_fixture_text(fixture, published_path(&fixture->sample, 2, "delta.xml"));
	assert_null(rrdp_reader_parse(SPAN(text, strlen(text)), &document));
	assert_int_equal(document.count, 4);
	expect(&document.elements[0], "publish", SAMPLE_REPOSITORY_RSYNC "b.roa", true, 20);
	expect(&document.elements[1], "publish", SAMPLE_REPOSITORY_RSYNC "0.roa", false, 30);
	expect(&document.elements[2], "withdraw", SAMPLE_REPOSITORY_RSYNC "a.roa", true, 0);
	expect(&document.elements[3], "withdraw", SAMPLE_REPOSITORY_RSYNC "c.roa", true, 0);
}

/* RFC 8182 §3.5.3.3: at least one element. */
static void
delta__is_never_empty(void **state)
{
	struct publish_fixture *fixture = *state;
	bool has = true;
	first_cut(fixture);
	sample_repository_put(&fixture->sample, "ta/ta.cer", "ta", 40);
	(void)sample_repository_cut(&fixture->sample, 1);
	REQUIRE_DONE(write(fixture, NULL, &has, fault));
	assert_false(has);
	assert_false(published_exists(&fixture->sample, published_path(&fixture->sample, 2, "delta.xml")));
}

static void
delta__refuses_rows_that_are_not_whole(void **state)
{
	struct publish_fixture *fixture = *state;
	const struct publication_content other = { .size = 5 };
	bool has = false;
	first_cut(fixture);
	sample_repository_put(&fixture->sample, "b.roa", "roa", 20);
	(void)sample_repository_cut(&fixture->sample, 1);
	assert_int_equal(write(fixture, &other, &has, NULL), FAULT_DATABASE);
	sample_repository_run(&fixture->sample, "UPDATE objects SET path = '/b.roa' WHERE published_serial = 2");
	assert_int_equal(write(fixture, NULL, &has, NULL), FAULT_DATABASE);
	sample_repository_run(&fixture->sample, "UPDATE objects SET path = 'b.roa' WHERE published_serial = 2");
	sample_repository_run(&fixture->sample,
		"DELETE FROM object_bytes WHERE object_id = (SELECT max(object_id) FROM objects)");
	assert_int_equal(write(fixture, NULL, &has, NULL), FAULT_DATABASE);
	assert_false(published_exists(&fixture->sample, published_path(&fixture->sample, 2, "delta.xml")));
	sample_repository_put(&fixture->sample, "d.roa", "roa", 20);
	(void)sample_repository_cut(&fixture->sample, 1);
	sample_repository_run(&fixture->sample, "UPDATE objects SET hash = zeroblob(32) WHERE published_serial = 3");
	assert_int_equal(write(fixture, NULL, &has, NULL), FAULT_DATABASE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PUBLISH_CASE(delta__publishes_then_withdraws),
		PUBLISH_CASE(delta__is_never_empty),
		PUBLISH_CASE(delta__refuses_rows_that_are_not_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
