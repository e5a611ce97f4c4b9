#include "ca/commands/repository_choice.h"

#include <inttypes.h>
#include <stdio.h>

#include "ca/base/randomness.h"

#define DETAIL_SIZE 160

int64_t
repository_choice_size(const struct repository_load *load, int64_t issuing_members_max)
{
	int64_t more = issuing_members_max * REPOSITORY_PLACE_BYTES;
	int64_t by_places = load->issuing * issuing_members_max * REPOSITORY_PLACE_BYTES;
	int64_t by_intent = load->members * REPOSITORY_MEMBER_BYTES + load->roas * REPOSITORY_ROA_BYTES +
		load->payloads * REPOSITORY_PAYLOAD_BYTES;
	return (by_intent > by_places ? by_intent : by_places) + more;
}

struct issuing_bounds
repository_choice_bounds(const struct command_placing *placing)
{
	return (struct issuing_bounds){
		.children_max = placing->issuing_members_max, .places_max = placing->repository_size_max / REPOSITORY_PLACE_BYTES,
		.snapshot_max = placing->repository_size_max, .repositories_max = REPOSITORIES_MAX,
	};
}

static enum fault_code
open_another(struct db_connection *connection, const struct actor *actor, int64_t now_at, int64_t repository_id, int64_t size,
	struct fault *fault)
{
	char session[37], detail[DETAIL_SIZE];
	TRY(randomness_uuid(session, fault));
	TRY(repository_store_open(connection, repository_id, session, fault));
	(void)snprintf(detail, sizeof detail, "repository %" PRId64 ": with a further issuing CA the snapshot of the one before could come to %"
		PRId64 " bytes", repository_id, size);
	struct audit_event event = { .action = "repository.create", .outcome = "done", .detail = detail };
	return audit_write(connection, now_at, actor, &event, fault);
}

enum fault_code
repository_choice_make(struct db_connection *connection, const struct actor *actor, int64_t now_at, const struct command_placing *placing,
	int64_t *ret_repository_id, struct fault *fault)
{
	struct repository_load load;
	TRY(repository_store_newest(connection, placing->member_roas_max, &load, fault));
	int64_t size = repository_choice_size(&load, placing->issuing_members_max);
	size = load.snapshot_size > size ? load.snapshot_size : size;
	bool another = size > placing->repository_size_max && load.issuing > 0 && load.repository_id < REPOSITORIES_MAX;
	if (another)
		TRY(open_another(connection, actor, now_at, load.repository_id + 1, size, fault));
	*ret_repository_id = load.repository_id + another;
	return FAULT_NONE;
}
