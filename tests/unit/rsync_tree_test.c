#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ca/base/atomic_file.h"
#include "publish/rsync_tree.h"
#include "tests/support/publish_fixture.h"
#include "tests/unit/scratch.h"

#define MODIFIED_AT INT64_C(1700000000)

static struct publication_object
object_of(const char *path, const char *content, uint8_t hash[SHA256_SIZE])
{
	assert_int_equal(digest_sha256(SPAN(content, strlen(content)), hash, NULL), FAULT_NONE);
	return (struct publication_object){
		.object_id = 1,
		.path = path,
		.hash = SPAN(hash, SHA256_SIZE),
		.size = (int64_t)strlen(content),
		.modified_at = MODIFIED_AT,
		.published_serial = 1,
	};
}

static void
put(const struct rsync_tree *tree, const char *path, const char *content)
{
	uint8_t hash[SHA256_SIZE];
	struct publication_object object = object_of(path, content, hash);
	REQUIRE_DONE(rsync_tree_put(tree, &object, SPAN(content, strlen(content)), fault));
}

static bool
link_from(const struct rsync_tree *tree, const struct rsync_tree *from, const char *path, const char *content)
{
	uint8_t hash[SHA256_SIZE];
	struct publication_object object = object_of(path, content, hash);
	bool linked = false;
	REQUIRE_DONE(rsync_tree_link(tree, from, &object, &linked, fault));
	return linked;
}

static enum rsync_tree_state
check(const struct rsync_tree *tree, const char *path, const char *content, bool with_content)
{
	uint8_t hash[SHA256_SIZE];
	struct publication_object object = object_of(path, content, hash);
	enum rsync_tree_state state = RSYNC_TREE_BAD;
	REQUIRE_DONE(rsync_tree_check(tree, &object, with_content, &state, fault));
	return state;
}

static void
make_tree(struct publish_fixture *fixture, struct rsync_tree *tree, const char *name)
{
	bool found = false;
	REQUIRE_DONE(rsync_tree_open(tree, &fixture->site, name, true, &found, fault));
	assert_true(found);
}

static struct stat
look(const struct rsync_tree *tree, const char *path)
{
	struct stat status;
	if (fstatat(tree->root, path, &status, AT_SYMLINK_NOFOLLOW) != 0)
		fail_msg("%s is not there", path);
	return status;
}

static bool
is_there(const struct rsync_tree *tree, const char *path)
{
	return faccessat(tree->root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
expect_directory(const struct rsync_tree *tree, const char *path)
{
	struct stat status = look(tree, path);
	assert_int_equal(status.st_mtim.tv_sec, RSYNC_TREE_DIRECTORY_TIME);
	assert_int_equal(status.st_mtim.tv_nsec, 0);
	assert_int_equal(status.st_mode & 07777, 0755);
}

static void
rsync_tree__puts_files(void **state)
{
	AUTO_CLEAR(struct rsync_tree, rsync_tree_close) tree = RSYNC_TREE_INIT;
	mode_t before = umask(0077);
	make_tree(*state, &tree, "1");
	put(&tree, "a/b/c.roa", "first");
	put(&tree, "d.cer", "");
	(void)umask(before);
	struct stat status = look(&tree, "a/b/c.roa");
	assert_int_equal(status.st_mode & 07777, 0644);
	assert_int_equal(status.st_mtim.tv_sec, MODIFIED_AT);
	assert_int_equal(status.st_mtim.tv_nsec, 0);
	assert_int_equal(look(&tree, "d.cer").st_size, 0);
	expect_directory(&tree, ".");
	expect_directory(&tree, "a");
	expect_directory(&tree, "a/b");
	put(&tree, "a/b/c.roa", "second");
	assert_int_not_equal(look(&tree, "a/b/c.roa").st_ino, status.st_ino);
	assert_int_equal(check(&tree, "a/b/c.roa", "second", true), RSYNC_TREE_GOOD);
	expect_directory(&tree, "a/b");
	REQUIRE_DONE(rsync_tree_flush(&tree, fault));
	assert_false(published_exists(&((struct publish_fixture *)*state)->sample, "rsync/.incoming"));
}

static void
rsync_tree__shares_files_and_never_writes_through_them(void **state)
{
	AUTO_CLEAR(struct rsync_tree, rsync_tree_close) first = RSYNC_TREE_INIT;
	AUTO_CLEAR(struct rsync_tree, rsync_tree_close) second = RSYNC_TREE_INIT;
	make_tree(*state, &first, "1");
	make_tree(*state, &second, "2");
	put(&first, "m/a.roa", "alpha");
	put(&first, "m/b.roa", "beta");
	assert_true(link_from(&second, &first, "m/a.roa", "alpha"));
	assert_true(link_from(&second, &first, "m/a.roa", "alpha")); /* it is there already */
	assert_true(link_from(&second, &first, "m/b.roa", "beta"));
	assert_int_equal(look(&first, "m/a.roa").st_ino, look(&second, "m/a.roa").st_ino);
	put(&second, "m/a.roa", "gamma");
	REQUIRE_DONE(rsync_tree_remove(&second, "m/b.roa", fault));
	assert_int_equal(check(&first, "m/a.roa", "alpha", true), RSYNC_TREE_GOOD);
	assert_int_equal(check(&first, "m/b.roa", "beta", true), RSYNC_TREE_GOOD);
	assert_int_equal(check(&second, "m/a.roa", "gamma", true), RSYNC_TREE_GOOD);
	expect_directory(&second, "m");
}

/* What looks wrong is not shared. */
static void
rsync_tree__links_only_what_is_right(void **state)
{
	static const struct timespec odd[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	AUTO_CLEAR(struct rsync_tree, rsync_tree_close) first = RSYNC_TREE_INIT;
	AUTO_CLEAR(struct rsync_tree, rsync_tree_close) second = RSYNC_TREE_INIT;
	make_tree(*state, &first, "1");
	make_tree(*state, &second, "2");
	assert_false(link_from(&second, &first, "a.roa", "alpha"));
	put(&first, "a.roa", "alpha");
	assert_false(link_from(&second, &first, "a.roa", "alph"));
	assert_int_equal(utimensat(first.root, "a.roa", odd, 0), 0);
	assert_false(link_from(&second, &first, "a.roa", "alpha"));
	put(&first, "a.roa", "alpha");
	assert_int_equal(fchmodat(first.root, "a.roa", 0666, 0), 0);
	assert_false(link_from(&second, &first, "a.roa", "alpha"));
	assert_int_equal(unlinkat(first.root, "a.roa", 0), 0);
	assert_int_equal(symlinkat("b.roa", first.root, "a.roa"), 0);
	assert_false(link_from(&second, &first, "a.roa", "alpha"));
	assert_int_equal(unlinkat(first.root, "a.roa", 0), 0);
	assert_int_equal(mkdirat(first.root, "a.roa", 0755), 0);
	assert_false(link_from(&second, &first, "a.roa", "alpha"));
	assert_false(is_there(&second, "a.roa"));
}

/* Another file system: it becomes a file of its own, and the caller writes it. */
static void
rsync_tree__does_without_links(void **state)
{
	struct publish_fixture *fixture = *state;
	AUTO_CLEAR(struct rsync_tree, rsync_tree_close) first = RSYNC_TREE_INIT;
	AUTO_CLEAR(struct rsync_tree, rsync_tree_close) second = RSYNC_TREE_INIT;
	char path[4096];
	void *mounted = path;
	make_tree(fixture, &first, "1");
	rsync_tree_close(&first);
	(void)snprintf(path, sizeof path, "%s/data/rsync/1", fixture->sample.path);
	if (!scratch_mount(&mounted, 1 << 20))
		skip();
	/* A descriptor from before sees what was there before. */
	(void)snprintf(path, sizeof path, "%s/data", fixture->sample.path);
	fixture->site.directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_tree(fixture, &first, "1");
	make_tree(fixture, &second, "2");
	uint8_t hash[SHA256_SIZE];
	struct publication_object object = object_of("a.roa", "alpha", hash);
	int fd = openat(first.root, "a.roa", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	const struct timespec times[2] = { { .tv_sec = MODIFIED_AT }, { .tv_sec = MODIFIED_AT } };
	assert_int_equal(write(fd, "alpha", 5), 5);
	assert_int_equal(futimens(fd, times), 0);
	descriptor_close(&fd);
	assert_int_equal(check(&first, "a.roa", "alpha", true), RSYNC_TREE_GOOD);
	bool linked = true;
	REQUIRE_DONE(rsync_tree_link(&second, &first, &object, &linked, fault));
	assert_false(linked);
	assert_false(is_there(&second, "a.roa"));
	rsync_tree_close(&first);
	descriptor_close(&fixture->site.directory);
	(void)snprintf(path, sizeof path, "%s/data/rsync/1", fixture->sample.path);
	assert_int_equal(umount2(path, MNT_DETACH), 0);
}

static void
rsync_tree__removes_empty_directories(void **state)
{
	AUTO_CLEAR(struct rsync_tree, rsync_tree_close) tree = RSYNC_TREE_INIT;
	make_tree(*state, &tree, "1");
	put(&tree, "a/b/c/d.roa", "d");
	put(&tree, "a/e.roa", "e");
	REQUIRE_DONE(rsync_tree_remove(&tree, "a/b/c/d.roa", fault));
	assert_false(is_there(&tree, "a/b"));
	expect_directory(&tree, "a");
	REQUIRE_DONE(rsync_tree_remove(&tree, "a/b/c/d.roa", fault)); /* gone already */
	REQUIRE_DONE(rsync_tree_remove(&tree, "x/y/z.roa", fault));
	REQUIRE_DONE(rsync_tree_remove(&tree, "a/e.roa/f.roa", fault)); /* below a file */
	assert_true(is_there(&tree, "a/e.roa"));
	REQUIRE_DONE(rsync_tree_remove(&tree, "a/e.roa", fault));
	assert_false(is_there(&tree, "a"));
	expect_directory(&tree, ".");
}

static void
rsync_tree__makes_its_way(void **state)
{
	AUTO_CLEAR(struct rsync_tree, rsync_tree_close) tree = RSYNC_TREE_INIT;
	make_tree(*state, &tree, "1");
	put(&tree, "a", "a file");
	put(&tree, "a/b.roa", "below it");
	assert_int_equal(check(&tree, "a/b.roa", "below it", true), RSYNC_TREE_GOOD);
	put(&tree, "a", "a file");
	assert_int_equal(check(&tree, "a", "a file", true), RSYNC_TREE_GOOD);
	/* Left behind by a crash. */
	assert_int_equal(mkdirat(tree.parent, "x", 0755), 0);
	assert_int_equal(renameat(tree.parent, "x", tree.root, "e.roa"), 0);
	put(&tree, "e.roa", "e");
	int fd = openat(tree.parent, ".incoming", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	descriptor_close(&fd);
	put(&tree, "f.roa", "f");
	assert_int_equal(check(&tree, "f.roa", "f", true), RSYNC_TREE_GOOD);
}

static void
rsync_tree__refuses_other_bytes(void **state)
{
	AUTO_CLEAR(struct rsync_tree, rsync_tree_close) tree = RSYNC_TREE_INIT;
	uint8_t hash[SHA256_SIZE];
	make_tree(*state, &tree, "1");
	struct publication_object object = object_of("a.roa", "alpha", hash);
	assert_int_equal(rsync_tree_put(&tree, &object, SPAN("omega", 5), NULL), FAULT_DATABASE);
	assert_false(is_there(&tree, "a.roa"));
}

static void
rsync_tree__stays_inside(void **state)
{
	static const char *const paths[] = { "../a.roa", "/a.roa", "a/../../b.roa", "", "a//b", ".incoming", "a/" };
	AUTO_CLEAR(struct rsync_tree, rsync_tree_close) tree = RSYNC_TREE_INIT;
	uint8_t hash[SHA256_SIZE];
	bool linked = false;
	make_tree(*state, &tree, "1");
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct publication_object object = object_of(paths[i], "x", hash);
		assert_int_equal(rsync_tree_put(&tree, &object, SPAN("x", 1), NULL), FAULT_DATABASE);
		assert_int_equal(rsync_tree_link(&tree, &tree, &object, &linked, NULL), FAULT_DATABASE);
		assert_int_equal(rsync_tree_remove(&tree, paths[i], NULL), FAULT_DATABASE);
	}
}

static void
rsync_tree__tells_bad_from_rotten(void **state)
{
	AUTO_CLEAR(struct rsync_tree, rsync_tree_close) tree = RSYNC_TREE_INIT;
	make_tree(*state, &tree, "1");
	put(&tree, "a.roa", "alpha");
	assert_int_equal(check(&tree, "a.roa", "alpha", true), RSYNC_TREE_GOOD);
	assert_int_equal(check(&tree, "a.roa", "omega", false), RSYNC_TREE_GOOD);
	assert_int_equal(check(&tree, "a.roa", "omega", true), RSYNC_TREE_ROTTEN);
	assert_int_equal(check(&tree, "a.roa", "longer", true), RSYNC_TREE_BAD);
	assert_int_equal(check(&tree, "b.roa", "alpha", true), RSYNC_TREE_BAD);
	assert_int_equal(fchmodat(tree.root, "a.roa", 0600, 0), 0);
	assert_int_equal(check(&tree, "a.roa", "alpha", true), RSYNC_TREE_BAD);
}

static enum fault_code
expects_roas(void *argument, const char *path, bool *ret_expected, struct fault *fault)
{
	++*(int *)argument;
	*ret_expected = strcmp(path, "a/b.roa") == 0 || strcmp(path, "c.roa") == 0;
	(void)fault;
	return FAULT_NONE;
}

static void
rsync_tree__tidies(void **state)
{
	struct publish_fixture *fixture = *state;
	AUTO_CLEAR(struct rsync_tree, rsync_tree_close) tree = RSYNC_TREE_INIT;
	int64_t files = 0;
	int asked = 0;
	make_tree(fixture, &tree, "1");
	put(&tree, "a/b.roa", "b");
	put(&tree, "c.roa", "c");
	put(&tree, "stray/stray.roa", "s");
	assert_int_equal(mkdirat(tree.root, "a/hollow", 0700), 0);
	assert_int_equal(mkdirat(tree.root, "a/hollow/er", 0700), 0);
	assert_int_equal(symlinkat("c.roa", tree.root, "a/link.roa"), 0);
	assert_int_equal(mkfifoat(tree.root, "pipe", 0600), 0);
	assert_int_equal(fchmodat(tree.root, "a", 0700, 0), 0);
	REQUIRE_DONE(rsync_tree_tidy(&tree, &fixture->site, NULL, NULL, &files, fault));
	assert_int_equal(files, 3);
	assert_false(is_there(&tree, "a/hollow"));
	assert_false(is_there(&tree, "a/link.roa"));
	assert_false(is_there(&tree, "pipe"));
	expect_directory(&tree, "a");
	expect_directory(&tree, ".");
	REQUIRE_DONE(rsync_tree_tidy(&tree, &fixture->site, expects_roas, &asked, &files, fault));
	assert_int_equal(asked, 3);
	assert_int_equal(files, 2);
	assert_false(is_there(&tree, "stray"));
	expect_directory(&tree, ".");
}

struct passing {
	int passed, stop_at; /* 0: nowhere */
};

static enum fault_code
count_passing(void *argument, struct fault *fault)
{
	struct passing *passing = argument;
	return ++passing->passed == passing->stop_at ? fault_set(fault, FAULT_BUSY, "enough") : FAULT_NONE;
}

/* To walk over hundreds of thousands of files takes seconds: a cut doesn't wait for that, nor does a server that is to stop. */
static void
rsync_tree__lets_others_pass_while_it_tidies(void **state)
{
	struct publish_fixture *fixture = *state;
	struct passing passing = { .passed = 0 };
	AUTO_CLEAR(struct rsync_tree, rsync_tree_close) tree = RSYNC_TREE_INIT;
	int64_t files = 0;
	make_tree(fixture, &tree, "1");
	for (int i = 0; i < 2 * SITE_PAGE; i++) {
		char path[32];
		(void)snprintf(path, sizeof path, "d%d", i % 5);
		assert_true(i >= 5 || mkdirat(tree.root, path, 0755) == 0);
		(void)snprintf(path, sizeof path, "d%d/%d", i % 5, i);
		AUTO_CLEAR(int, descriptor_close) fd = openat(tree.root, path, O_WRONLY | O_CREAT, 0644);
		assert_true(fd >= 0);
	}
	fixture->site.pass = count_passing;
	fixture->site.pass_argument = &passing;
	REQUIRE_DONE(rsync_tree_tidy(&tree, &fixture->site, NULL, NULL, &files, fault));
	assert_int_equal(files, 2 * SITE_PAGE);
	assert_int_equal(passing.passed, 2);
	passing = (struct passing){ .stop_at = 1 };
	assert_int_equal(rsync_tree_tidy(&tree, &fixture->site, NULL, NULL, &files, NULL), FAULT_BUSY);
}

static void
rsync_tree__opens_only_directories(void **state)
{
	struct publish_fixture *fixture = *state;
	AUTO_CLEAR(struct rsync_tree, rsync_tree_close) tree = RSYNC_TREE_INIT;
	bool found = true;
	REQUIRE_DONE(rsync_tree_open(&tree, &fixture->site, "1", false, &found, fault));
	assert_false(found);
	assert_int_equal(mkdirat(fixture->sample.directory, "rsync", 0755), 0);
	assert_int_equal(symlinkat("/tmp", fixture->sample.directory, "rsync/1"), 0);
	REQUIRE_DONE(rsync_tree_open(&tree, &fixture->site, "1", false, &found, fault));
	assert_false(found);
	REQUIRE_DONE(atomic_file_put(fixture->sample.directory, "rsync/2", SPAN("x", 1), 0644, 1, fault));
	REQUIRE_DONE(rsync_tree_open(&tree, &fixture->site, "2", false, &found, fault));
	assert_false(found);
	REQUIRE_DONE(rsync_tree_open(&tree, &fixture->site, "2", true, &found, fault));
	assert_true(found);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PUBLISH_CASE(rsync_tree__puts_files),
		PUBLISH_CASE(rsync_tree__shares_files_and_never_writes_through_them),
		PUBLISH_CASE(rsync_tree__links_only_what_is_right),
		PUBLISH_CASE(rsync_tree__does_without_links),
		PUBLISH_CASE(rsync_tree__removes_empty_directories),
		PUBLISH_CASE(rsync_tree__makes_its_way),
		PUBLISH_CASE(rsync_tree__refuses_other_bytes),
		PUBLISH_CASE(rsync_tree__stays_inside),
		PUBLISH_CASE(rsync_tree__tells_bad_from_rotten),
		PUBLISH_CASE(rsync_tree__tidies),
		PUBLISH_CASE(rsync_tree__lets_others_pass_while_it_tidies),
		PUBLISH_CASE(rsync_tree__opens_only_directories),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
