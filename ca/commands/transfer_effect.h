/*
 * transfer_effect: what moving resources does to ROAs: those of the giver that lie in them, those that lie in them with a part
 * only and what could take their place, and those that the receiver has asked for already. Reads the intents of both sides; changes
 * nothing.
 */
#ifndef CA_COMMANDS_TRANSFER_EFFECT_H
#define CA_COMMANDS_TRANSFER_EFFECT_H

#include "ca/commands/command.h"

#define TRANSFER_REPLACEMENTS_MAX 20000                 /* for all straddling ROAs of one transfer */

/* A ROA of the giver that it holds now and would not hold any more. */
struct transfer_roa {
	struct payload payload;
	char *comment;                                  /* owned; NULL: none */
	int64_t created_at;
	bool straddles;                                 /* a part of its prefix stays */
	bool wanted;                                    /* the receiver has the same: it is published throughout */
	/* runs of transfer_effect.replacements, for one that straddles: for what stays, and for what goes */
	size_t first_remaining, remaining, first_transferred, transferred;
};

struct transfer_effect {
	bool known;                                     /* it got so far that this was found */
	struct transfer_roa *roas;                      /* in order of payload_compare() */
	size_t roas_count, roas_capacity;
	struct payload *replacements;
	size_t replacements_count, replacements_capacity;
	size_t within, straddling, wanted;              /* of the ROAs */
	bool undecided;                                 /* some straddle, and nobody has said what becomes of those */
	size_t gained;                                  /* ROAs of the receiver that it could not have until now */
};

#define TRANSFER_EFFECT_INIT ((struct transfer_effect){ .roas = NULL })
void transfer_effect_clear(struct transfer_effect *effect);

/* One side: what it holds before and after. ca_id 0: another registry. */
struct transfer_side {
	int64_t ca_id;
	struct resource_set before, after;
};

/* Replaces what was in *ret_effect. Faults: TOO_LARGE (more replacements than the limit), DATABASE, MEMORY. */
CHECKED enum fault_code transfer_effect_find(struct db_connection *connection, const struct transfer_side *from,
	const struct transfer_side *to, const struct resource_set *resources, struct transfer_effect *ret_effect, struct fault *fault);

#endif
