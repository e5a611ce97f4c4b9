/*
 * sample_repository: a database with one repository, whose rows are made as the cut makes them, for tests of the publisher.
 * Objects are random bytes, not RPKI objects. Whatever fails in it ends the program. Threads: one.
 */
#ifndef TESTS_SUPPORT_SAMPLE_REPOSITORY_H
#define TESTS_SUPPORT_SAMPLE_REPOSITORY_H

#include "publish/site.h"

#define SAMPLE_REPOSITORY_AT INT64_C(1795478400) /* 2026-11-24T00:00:00Z */
#define SAMPLE_REPOSITORY_RRDP "https://rpki.example/rrdp/"
#define SAMPLE_REPOSITORY_RSYNC "rsync://rpki.example/repo/"
#define SAMPLE_REPOSITORY_SESSION "0d1c2b3a-4f5e-4d7c-8b9a-a0b1c2d3e4f5"
#define SAMPLE_REPOSITORY_SESSION_2 "7d2f4a90-51c3-4e8b-a6d7-2b90cf3e1d54"

struct sample_repository {
	char *path;                     /* of the directory with database and data */
	struct db *db;
	int directory;                  /* data */
	struct clock clock;
	struct publisher_settings settings;
	struct publisher *publisher;
	uint64_t random;                /* state of its generator */
	struct sample_staging *staged;  /* what waits for sample_repository_stage() */
	size_t staged_count, staged_capacity;
	int64_t looked_at;
};

/* Makes PATH/cadastre.db and PATH/data, both of which may be there already, and opens them; the clock stands at the last cut. */
void sample_repository_open(struct sample_repository *sample, const char *path, uint64_t seed);
/* From here on what is below "2/" is of a second repository. sample->looked_at: of which states and checks are, 1 at first. */
void sample_repository_open_second(struct sample_repository *sample);
void sample_repository_close(struct sample_repository *sample);
/* A publisher with other settings, or after a crash. */
void sample_repository_restart(struct sample_repository *sample);

/*
 * What the parts of the publisher work on, of repository 1 in the same database and directory; to be given back by
 * pthread_mutex_destroy(&site.exchange->mutex) and free(site.exchange).
 */
void sample_repository_site(const struct sample_repository *sample, struct site *ret_site);

uint64_t sample_repository_random(struct sample_repository *sample, uint64_t below);

/* For the next cut: an object of so many random bytes, in place of what stands at that path. kind: "roa", "ta", … */
void sample_repository_put(struct sample_repository *sample, const char *path, const char *kind, size_t size);
void sample_repository_remove(struct sample_repository *sample, const char *path);
/* Writes the rows of what was put and removed since, in one transaction. */
void sample_repository_stage(struct sample_repository *sample);
/* Stages what waits, then makes the cut, so many seconds after the last (1 at least). Returns its serial. */
int64_t sample_repository_cut(struct sample_repository *sample, int64_t later_s);

/* Statements for what no other function does: one without rows, one with a number in its first row's column n (-1: no row). */
void sample_repository_run(struct sample_repository *sample, const char *sql);
int64_t sample_repository_number(struct sample_repository *sample, const char *sql);

/* What a serial should hold, by the plainest reading of the rows. */
struct sample_object {
	char path[128];
	char hash[65];
	int64_t size, modified_at;
	bool trust_anchor;
};
struct sample_state {
	struct sample_object *objects; /* in order of their paths */
	size_t count;
};
void sample_repository_state(struct sample_repository *sample, int64_t serial, struct sample_state *ret_state);
void sample_repository_free_state(struct sample_state *state);

#endif
