/*
 * Inputs for precompiles: good ones for each, and what goes wrong with them. Points are multiples of generators that
 * our own precompiles made; if those were wrong, the peer would say so. Threads: one owner.
 */
#ifndef DIFFER_INPUTS_H
#define DIFFER_INPUTS_H

#include "base/mem.h"
#include "fuzz/differ/random.h"

struct inputs;
struct inputs *inputs_new(void);
void inputs_free(struct inputs *inputs);

/* Appends an input for the precompile at `address` ([1, 17] or 256), mostly a good one. */
void inputs_put(struct inputs *inputs, struct buf *out, struct random *random, unsigned address);
/* Any precompile's address, dear ones seldom. */
unsigned inputs_pick(struct random *random);

#endif
