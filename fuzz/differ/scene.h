/*
 * Makes cases from seeds: the block, who is there, and what they send. Threads: one owner a `struct scene`.
 */
#ifndef DIFFER_SCENE_H
#define DIFFER_SCENE_H

#include "fuzz/differ/case.h"
#include "fuzz/differ/inputs.h"
#include "fuzz/differ/random.h"

enum { SCENE_KEYS = 6, SCENE_CONTRACTS = 6, SCENE_OTHERS = 12 };

struct scene {
	struct inputs *inputs;
	hash32 secrets[SCENE_KEYS];
	addr20 signers[SCENE_KEYS];
	addr20 contracts[SCENE_CONTRACTS];
	addr20 others[SCENE_OTHERS]; /* all that programs name, but for contracts and precompiles */
	struct random random;
	struct arena arena; /* one case's */
	struct buf scratch;
	struct differ_case *one;
	bool is_recursion; /* this case is about depth */
};

void scene_init(struct scene *scene);
void scene_fini(struct scene *scene);

/* A new case, with no transaction yet; it is valid until the next. */
void scene_begin(struct scene *scene, struct differ_case *one, uint64_t seed);
/* How many transactions the case is to have. */
size_t scene_transactions(struct scene *scene);
/* The nonce that an account has by now. */
struct scene_nonces {
	uint64_t (*get)(void *context, const addr20 *address);
	void *context;
};
/* Appends one more. */
const struct case_transaction *scene_add_transaction(struct scene *scene, const struct scene_nonces *nonces);

/* scene_transaction.c */
struct bytes scene_keep(struct scene *scene); /* moves `scratch` into the arena */
struct program_world scene_world(const struct scene *scene);
addr20 scene_any_address(struct scene *scene);

#endif
