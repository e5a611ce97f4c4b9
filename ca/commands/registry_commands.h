/*
 * registry_commands: a registry's file of the day: what it would change, and doing it.
 *
 * All of a feed is one transaction: members made, grown and shrunk, the rows of who holds what, aliases, the row in registry_feeds,
 * the audit. So no state lies between two feeds, a kill leaves the one before or the one after, and what is to be issued then is
 * found by the reconciler as any other change. Members that exchange resources get one change_group: they go into one cut, those
 * who only give after those who take.
 */
#ifndef CA_COMMANDS_REGISTRY_COMMANDS_H
#define CA_COMMANDS_REGISTRY_COMMANDS_H

#include "ca/commands/registry_plan.h"

/*
 * What would change. One file at a time is planned in a process. Faults: BUSY (another is), those of registry_plan_make(), audited
 * as a refused registry.plan.
 */
CHECKED enum fault_code registry_plan(const struct command_context *context, const struct actor *actor, const char *path,
	const struct registry_limits *limits, struct registry_plan **ret_plan, struct fault *fault);

/*
 * Does it. accept: the code of the change that is wanted, whatever the limits say; NULL: only what is within them. *ret_plan tells
 * what was done, *ret_feed_id is the feed's row. A feed that changes nothing is recorded too.
 * Faults: CONFLICT (beyond the limits: the message has the code; another code than `accept`; the state moved meanwhile; an import
 * is being applied; another registry's file), those of registry_plan().
 */
CHECKED enum fault_code registry_apply(const struct command_context *context, const struct actor *actor, const char *path,
	const struct registry_limits *limits, const char *accept, struct registry_plan **ret_plan, int64_t *ret_feed_id,
	struct fault *fault);

#endif
