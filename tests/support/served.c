#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after what it needs */
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "ca/der/tal.h"
#include "db/connection.h"
#include "tests/support/served.h"

static enum fault_code
ta_key(struct db_connection *connection, struct bytes *spki, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_prepare(connection, "served", "SELECT spki FROM keys WHERE ca_id = 1", &stmt, fault));
	TRY(stmt_step(stmt, &row, fault));
	return bytes_append(spki, stmt_blob(stmt, "spki").data, stmt_blob(stmt, "spki").length, fault);
}

static void
write_tal(struct served *served)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) spki = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	WORLD_OK(db_reader_acquire(served->world->db, &connection, fault));
	WORLD_OK(ta_key(connection, &spki, fault));
	WORLD_OK(tal_print("https://rrdp.example.net/ta/ta.cer", "rsync://rsync.example.net/repo/ta/ta.cer", bytes_span(&spki), &text,
		fault));
	WORLD_OK(atomic_file_make_directories(served->directory, "ta", 0755, fault));
	WORLD_OK(atomic_file_put(served->directory, "ta/ta.tal", bytes_span(&text), 0644, ATOMIC_FILE_KEEP_TIME, fault));
}

int64_t
served_publish_rrdp(struct served *served)
{
	const atomic_bool go_on = false;
	int64_t serial, published;
	serial = world_cut(served->world);
	WORLD_OK(publisher_publish(served->publisher, &published, fault));
	assert_int_equal(published, serial);
	WORLD_OK(publisher_compress(served->publisher, &go_on, fault));
	return serial;
}

int64_t
served_publish(struct served *served)
{
	int64_t serial = served_publish_rrdp(served), tree;
	WORLD_OK(publisher_rsync(served->publisher, &tree, fault));
	return serial;
}

int
served_open(void **state)
{
	struct served *served = calloc(1, sizeof *served);
	void *world;
	assert_non_null(served);
	if (world_open(&world) != 0)
		return -1;
	served->world = world;
	(void)snprintf(served->path, sizeof served->path, "%s/data", served->world->directory);
	assert_int_equal(mkdir(served->path, 0755), 0);
	served->directory = open(served->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct publisher_settings settings = {
		.deltas_max = 250, .delta_age_max_s = 86400, .file_grace_s = 7200,
		.file_budget = INT64_C(1) << 40, .tree_grace_s = 7200, .tree_links_max = 1000000,
	};
	WORLD_OK(publisher_new(served->world->db, served->directory, &served->world->clock, &settings, &served->publisher, fault));
	write_tal(served);
	served->alpha = world_add_member(served->world, "alpha", "192.0.2.0/24, 203.0.113.0/24, 2001:db8::/32, AS64496");
	served->beta = world_add_member(served->world, "beta", "198.51.100.0/24, AS64497-AS64500");
	served->gamma = world_add_member(served->world, "gamma", "10.0.0.0/8");
	served_publish_rrdp(served);
	world_change_roas(served->world, served->alpha, "192.0.2.0/24", NULL);
	world_change_roas(served->world, served->beta, "198.51.100.0/24", NULL);
	served_publish_rrdp(served);
	world_change_roas(served->world, served->alpha, "2001:db8::/32", NULL);
	served_publish(served);
	*state = served;
	return 0;
}

int
served_close(void **state)
{
	struct served *served = *state;
	void *world = served->world;
	publisher_free(served->publisher);
	(void)close(served->directory);
	free(served);
	return world_close(&world);
}

struct check_request
served_request(const struct served *served)
{
	return (struct check_request){
		.directory = served->directory, .db = served->world->db,
		.now_at = clock_now(&served->world->clock),
	};
}

void
served_check(const struct check_request *request, struct check_report *report)
{
	*report = CHECK_REPORT_INIT;
	WORLD_OK(check_run(request, report, fault));
}

static bool
names(const char *kinds, const char *kind)
{
	size_t length = strlen(kind);
	for (const char *at = strstr(kinds, kind); at != NULL; at = strstr(at + 1, kind))
		if ((at == kinds || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
			return true;
	return false;
}

void
served_expect(const struct check_report *report, const char *kinds)
{
	bool right = true;
	for (enum check_kind kind = 0; kind < CHECK_KINDS; kind++)
		right = right && (report->counts[kind] > 0) == names(kinds, check_kind_name(kind));
	if (right)
		return;
	for (size_t i = 0; i < report->findings_count; i++)
		print_message("%s %s: %s\n", check_kind_name(report->findings[i].kind), report->findings[i].place, report->findings[i].words);
	fail_msg("expected: %s", kinds[0] != '\0' ? kinds : "nothing");
}
