/*
 * site: what all parts of the publisher work on: database, data directory, settings, one repository at a time; and small acts on files
 * of that directory.
 *
 * Threads: the publisher's thread, and the one that compresses. They meet where a file and its .gz change places: whoever
 * replaces or removes either holds `exchange` for that moment, so that no .gz ever stands beside a file that it was not made
 * from.
 */
#ifndef PUBLISH_SITE_H
#define PUBLISH_SITE_H

#include <pthread.h>

#include "publish/layout.h"
#include "publish/publisher.h"

#define SITE_BLOCK 262144 /* bytes that are written at once */
#define SITE_FILE_MODE 0644
#define SITE_DIRECTORY_MODE 0755
#define SITE_WRITE_OUT 2097152 /* bytes; twice as many are on their way to the disk at most */
#define SITE_READ 65536   /* bytes that are read at once */
#define SITE_PAGE 1000    /* objects that are read in one view of the database */

/* Where the two threads meet. */
struct site_exchange {
	pthread_mutex_t mutex;
	char compressing[LAYOUT_PATH]; /* the file whose .gz is being written, "": none */
};

/* May be copied: one of another repository shares all else. */
struct site {
	struct db *db;
	int directory;
	const struct clock *clock;
	struct publisher_settings settings;
	int64_t repository_id;         /* that is worked on; of no meaning to the rsync trees, which are of all */
	struct site_exchange *exchange;
	publisher_pass pass;           /* publisher_let_pass(); NULL: nobody wants to */
	void *pass_argument;
};

/* Holds `exchange` until the end of the scope: SITE_EXCHANGE(site); */
#define SITE_EXCHANGE(site) AUTO_CLEAR(pthread_mutex_t *, site_unlock) site_exchange_ __attribute__((unused)) = site_lock(site)
pthread_mutex_t *site_lock(struct site *site);
void site_unlock(pthread_mutex_t **mutex);

/* The same site for another repository. */
struct site site_of(const struct site *site, int64_t repository_id);
/* All repositories that there are now, upwards: more may open at any time. *ret_heads is to be freed. Faults: DATABASE, MEMORY. */
CHECKED enum fault_code site_repositories(const struct site *site, struct publication_head **ret_heads, size_t *ret_count,
	struct fault *fault);

/*
 * Called between pages of what takes long (rsync trees, verification): a cut that waits is published right here, and notification, cuts
 * and repository may be newer afterwards. Trees stay as they are. No view of the database is held. Faults: BUSY (to end here).
 */
CHECKED enum fault_code site_let_pass(const struct site *site, struct fault *fault);

/*
 * Makes the directory that a file shall stand in, durably; whatever is in the way of it or of the file, but a file, is
 * removed.
 */
CHECKED enum fault_code site_make_way(const struct site *site, const char *path, struct fault *fault);
/* Removes whatever is at a path; that there is nothing is fine. */
CHECKED enum fault_code site_remove(const struct site *site, const char *path, struct fault *fault);
/* The size of a file, 0 if there is none. */
int64_t site_size(const struct site *site, const char *path);
/* ".gz" behind a path. */
void site_gzip_path(char gzip_path[LAYOUT_PATH], const char *path);

/*
 * Starts writing to the disk what was appended to a file since, once it is SITE_WRITE_OUT bytes, and waits for what was started before;
 * *started: where that has got to. All of a large file at once, or as fast as it comes, would keep the database's commits waiting behind
 * it. Faults: IO, DISK: what the disk tells here it doesn't tell again when the file is flushed.
 */
CHECKED enum fault_code site_write_out(int fd, int64_t size, int64_t *started, struct fault *fault);
/*
 * Hash and size of an open file from where it stands; *ret_read is false if it can't be read to its end. Faults: CRYPTO,
 * MEMORY.
 */
CHECKED enum fault_code site_hash(int fd, bool *ret_read, struct publication_content *ret_content, struct fault *fault);

/* DATABASE unless these are the bytes of the object: rather nothing new is published than an object that fails its manifest. */
CHECKED enum fault_code site_check_object(const struct publication_object *object, struct span der, struct fault *fault);

/*
 * Whether a file is there, a plain file with this content. Then its time and mode are set right if they aren't. A file that
 * can't be read is not good: what replaces it is a new one.
 */
CHECKED enum fault_code site_check(const struct site *site, const char *path, const struct publication_content *content,
	int64_t modified_at, bool *ret_good, struct fault *fault);

#endif
