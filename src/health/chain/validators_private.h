/* What the files of a consortium's heads share. */
#ifndef HEALTH_CHAIN_VALIDATORS_PRIVATE_H
#define HEALTH_CHAIN_VALIDATORS_PRIVATE_H

#include "health/chain/client_private.h"
#include "health/chain/validators.h"

/* validators_blocks.c: as comet_light_follow, but an earlier block counts too, by the votes of those who are trusted.
 * STATUS_DENIED with CAUSE_OLD_ANCHOR: they are trusted no more. */
MUST_USE enum status validators_follow(struct comet_trusted *trusted, const struct comet_light_block *block,
    const struct comet_rules *rules, const struct comet_source *source, struct err *err);

/* A comet_source: asks the node for blocks between, and notes what was shown if there is room for it. */
struct validators_asking {
	struct client *client;
	struct arena *arena;
	struct bytes *shown; /* COMET_STEPS_MAX; NULL: nobody wants them */
	uint64_t *heights;
	size_t count;
};
MUST_USE enum status validators_ask(void *context, struct comet_light_block *out, uint64_t height, struct err *err);

#endif
