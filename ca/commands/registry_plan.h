/*
 * registry_plan: what a registry's file would change: members new, gone, grown and shrunk, resources that move between members,
 * ROAs that would no longer be held, and whether that is more than an operator wants to happen unasked. Reads the file and the
 * database; changes nothing.
 *
 * The file is the whole truth: who is not in it loses everything, though CA, handle and intents stay, so that all comes back when
 * the resources do. Members are told by what they hold (holder_match.h). A member that is held keeps what it has, and what would move
 * to or from it stays where it is; so does what a prepared transfer promises to another registry. Each with a remark. Nobody is made
 * of nothing but what stays with others.
 *
 * Threads: safe for different calls. Memory: some 500 bytes a member, 150 a range; lists that are only shown end at
 * REGISTRY_LIST_MAX.
 */
#ifndef CA_COMMANDS_REGISTRY_PLAN_H
#define CA_COMMANDS_REGISTRY_PLAN_H

#include "ca/commands/command.h"
#include "ca/commands/registry_feed.h"
#include "ca/resources/resource_range.h"

#define REGISTRY_LIST_MAX 1000                  /* ROAs and remarks that are kept to be shown; further ones are counted */
#define REGISTRY_REPLACEMENTS_MAX 32            /* proposed for one ROA, likewise */
#define REGISTRY_CODE_SIZE 25                   /* of a change's code, with its NUL */
#define REGISTRY_REMARK_SIZE 300

/* The operator's limits: a file that changes more is refused, unless its code is given back. */
struct registry_limits {
	const char *registry;                   /* whose files are taken; "": of the registry that the last one was of */
	int64_t changes_free;                   /* so few entries gained and lost are never too many */
	int64_t changes_share_max;              /* per cent of all entries that are gained or lost */
	int64_t members_max;                    /* members made, changed and gone */
	int64_t shrink_ipv4_max, shrink_ipv6_max, shrink_asns_max; /* per cent that nobody holds any more */
};

enum registry_change {
	REGISTRY_SAME,
	REGISTRY_NEW,                           /* to be made */
	REGISTRY_GONE,                          /* not in the file: loses everything */
	REGISTRY_GROWN,
	REGISTRY_SHRUNK,
	REGISTRY_EXCHANGED,                     /* gains some, loses some */
};
#define REGISTRY_CHANGES 6
const char *registry_change_text(enum registry_change change);      /* "same", "new", … */

/* A member, there already or to be made. */
struct registry_party {
	int64_t ca_id;                          /* 0: to be made */
	char *handle;
	char *known_as;                         /* its stored alias; NULL: none */
	const char *alias;                      /* what the file calls it, to be stored; NULL: that is known, or it isn't in it */
	uint32_t line;                          /* of the file; 0: not in it */
	bool held;                              /* on hold, set aside, or in an exchange that is not published yet */
	int64_t roas_count;
	struct resource_set before, after;
	struct resource_set gained, lost;       /* the differences */
	enum registry_change change;
	bool withheld;                          /* the file gives it something that stays with another for now */
	bool gives, takes;                      /* resources that another member gains, or loses */
	uint32_t group;                         /* those that exchange resources have the same; else its own place */
};

struct registry_move {
	struct resource_range range;
	uint32_t from, to;                      /* parties */
};

/* An intent that is held now and would not be. */
struct registry_roa {
	uint32_t party;
	struct payload payload;
	bool straddles;                         /* a part of its prefix remains held */
	size_t first_replacement, replacements; /* for that part; more_replacements of them are counted only */
	size_t more_replacements;
};

struct registry_counts {
	int64_t holders;                        /* in the file */
	int64_t members;                        /* before */
	int64_t changes[REGISTRY_CHANGES];      /* of members, by kind */
	int64_t aliases;                        /* members that the file calls otherwise than before */
	int64_t entries, entries_gained, entries_lost; /* ranges: before, and those of the differences */
	int64_t moves;                          /* ranges */
	int64_t roas_lost, roas_straddling;     /* the second are some of the first */
	int64_t roas_back;                      /* intents that are not held now and would be */
	int64_t remarks;
};

/* Sizes of what all members hold, by kind: AS numbers, IPv4 addresses, IPv6 /64s. */
enum { REGISTRY_ASNS, REGISTRY_IPV4, REGISTRY_IPV6, REGISTRY_KINDS };

struct registry_plan {
	struct registry_feed feed;
	struct resource_set promised;           /* of prepared transfers */
	struct registry_party *parties;         /* members in order of ca_id, then those to be made in order of the file */
	size_t parties_count, parties_capacity;
	struct registry_move *moves;            /* in order of range */
	size_t moves_count, moves_capacity;
	struct registry_roa *roas;              /* at most REGISTRY_LIST_MAX of each sort, by party */
	size_t roas_count, roas_capacity;
	struct payload *replacements;
	size_t replacements_count, replacements_capacity;
	char (*remarks)[REGISTRY_REMARK_SIZE];
	size_t remarks_count, remarks_capacity;
	struct registry_counts counts;
	uint64_t held[REGISTRY_KINDS], vanishing[REGISTRY_KINDS]; /* before; and of that what nobody holds afterwards */
	struct bytes over_limits;               /* which limits it is beyond, for a person; empty: none */
	char code[REGISTRY_CODE_SIZE];          /* of exactly this change of this state */
};

/*
 * Faults: those of registry_feed_read(); INVALID with "line N: …" (resources beyond those of the CAs above); CONFLICT (another
 * registry's file); DATABASE, MEMORY.
 */
CHECKED enum fault_code registry_plan_make(struct db_connection *connection, const char *path, const struct registry_limits *limits,
	struct registry_plan **ret_plan, struct fault *fault);
void registry_plan_free(struct registry_plan *plan);
SCOPED(struct registry_plan, registry_plan_free)

bool registry_plan_changes_nothing(const struct registry_plan *plan); /* aliases apart */

/* Keeps a remark, or counts it. For those who make a plan. Faults: MEMORY. */
CHECKED enum fault_code registry_plan_remark(struct registry_plan *plan, struct fault *fault, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
