/*
 * repository_choice: in which repository a further issuing CA, and so all of its members, publishes.
 *
 * Validators stop at a limit of bytes of one file (FORT at 10^9, rpki-client at 2^31), and a CA stays in its repository for ever. So
 * a further repository opens while the last one is still far from that: what it will have is foretold, from what its members want and
 * from what real registries need. Where a snapshot has become larger than was foretold (ROAs came later, or settings changed), its
 * repository takes no new members any more, however many places are free.
 *
 * Inside a transaction that somebody else runs.
 */
#ifndef CA_COMMANDS_REPOSITORY_CHOICE_H
#define CA_COMMANDS_REPOSITORY_CHOICE_H

#include "ca/commands/command.h"
#include "db/stores/ca_store.h"
#include "db/stores/repository_store.h"

/*
 * What a snapshot has in bytes for each, base64 (4/3 of the DER) and 170 bytes of XML and URI an object included:
 *   a member: certificate 1,450, CRL 450, manifest 1,900 and its line on the issuing CA's, 60: 3,860 × 4/3 + 3 × 170 = 5,660
 *   a ROA: 1,700 and its line on the manifest, 60: 1,760 × 4/3 + 170 = 2,520; and each of its payloads 20 × 4/3. With more than
 *     roa_aggregate_above payloads a member gets an object per origin AS: of those it is reckoned to have no more than that.
 *   a place for a member, whether it is taken or not: in 2026 the members of the largest registry have 17.4 kB each, ROAs included; some more, as
 *     members who are made first and given their ROAs later can have more than these.
 */
#define REPOSITORY_MEMBER_BYTES 5700
#define REPOSITORY_ROA_BYTES 2550
#define REPOSITORY_PAYLOAD_BYTES 27
#define REPOSITORY_PLACE_BYTES 20000

#define REPOSITORIES_MAX 100                    /* after that the last one takes all */

/* What a repository's snapshot may come to with a further issuing CA there, once that is full. Pure. */
int64_t repository_choice_size(const struct repository_load *load, int64_t issuing_members_max);

/* What an issuing CA may take: it shares the places of its repository with those beside it, whatever the settings were when they were made. */
struct issuing_bounds repository_choice_bounds(const struct command_placing *placing);

/*
 * The last repository if that is and stays within the limit, or has no issuing CA yet; else a new one, with its audit row. Faults: NOT_FOUND
 * (there is none), DATABASE, DISK, CRYPTO.
 */
CHECKED enum fault_code repository_choice_make(struct db_connection *connection, const struct actor *actor, int64_t now_at,
	const struct command_placing *placing, int64_t *ret_repository_id, struct fault *fault);

#endif
