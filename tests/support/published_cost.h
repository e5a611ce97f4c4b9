/*
 * published_cost: the least CPU time that publishing can take. For each serial: to read as many bytes as its snapshot, delta and
 * notification have, to hash them, to write and flush them, and to compress them as the product does (same library, same level); for
 * each rsync tree, to hash and write one file for each object that changed. Nothing else: no database, no XML, no names.
 *
 * The bytes are the published ones, read again from the files of the serial that is on disk. Of large snapshots, which are alike, each
 * SAMPLE-th is done, and counts for those in between by its size. Threads: one.
 */
#ifndef TESTS_SUPPORT_PUBLISHED_COST_H
#define TESTS_SUPPORT_PUBLISHED_COST_H

#include <stdint.h>

#include "ca/base/fault.h"
#include "ca/base/scope.h"
#include "db/db.h"

#define PUBLISHED_COST_LARGE (64 << 20) /* bytes */
#define PUBLISHED_COST_SAMPLE 8

struct published_cost;

/* db and directory (of data) are borrowed; a directory for scratch files is made in there. Faults: MEMORY, IO. */
CHECKED enum fault_code published_cost_new(struct db *db, int directory, struct published_cost **ret_cost, struct fault *fault);
void published_cost_free(struct published_cost *cost);
SCOPED(struct published_cost, published_cost_free)

/* The files of the serials that are on disk now, and weren't when this was called last. Faults: IO, DATABASE, CRYPTO, MEMORY. */
CHECKED enum fault_code published_cost_serial(struct published_cost *cost, struct fault *fault);
/* What changed since the last tree. Faults: IO, CRYPTO. */
CHECKED enum fault_code published_cost_tree(struct published_cost *cost, struct fault *fault);

void published_cost_reset(struct published_cost *cost);             /* begins anew */
int64_t published_cost_ns(const struct published_cost *cost);        /* what it takes, in all */
int64_t published_cost_spent_ns(const struct published_cost *cost);  /* what measuring it took of this process's CPU time */

#endif
