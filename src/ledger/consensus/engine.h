/*
 * What orders transactions into blocks: one interface, and an engine behind it: solo (solo.h), CometBFT
 * (comet.h), or another node (replica.h), with the same chain_execute and chain_commit under all (architecture rule 7).
 * What only a development chain orders is not in it: dev.h.
 *
 * Threads: engine_run is the body of the one thread that executes and commits. The others may be called from any
 * thread, engine_seal inside engine_work only. Ownership: the maker of an engine frees it, after engine_run has
 * returned.
 */
#ifndef LEDGER_CONSENSUS_ENGINE_H
#define LEDGER_CONSENSUS_ENGINE_H

#include "crypto/secp256k1_keys.h"
#include "eth/seal.h"
#include "eth/sign.h"
#include "ledger/chain/chain.h"

struct engine;

/* Runs on the executing thread, between two blocks. */
typedef enum status engine_work(void *context, struct engine *engine, struct err *err);

/* The block that would come next, if it were sealed now; release the head. */
struct engine_next {
	struct chain_head *head; /* its parent */
	struct header header;    /* but for what execution gives */
};

struct engine_kind {
	MUST_USE enum status (*run)(struct engine *engine, struct err *err);
	void (*stop)(struct engine *engine);
	MUST_USE enum status (*call)(struct engine *engine, engine_work *work, void *context, struct err *err);
	MUST_USE enum status (*seal)(struct engine *engine, struct err *err);
	MUST_USE enum status (*next)(struct engine *engine, struct engine_next *out, struct err *err);
	addr20 (*sealer)(const struct engine *engine);
	MUST_USE enum status (*sign_seal)(const struct engine *engine, struct secp_signature *out, uint64_t number,
	    const hash32 *hash, struct err *err);
	MUST_USE enum status (*sign_head)(
	    const struct engine *engine, struct eth_signature *out, const struct head_statement *head, struct err *err);
	/* NULL, both: the engine has no light blocks. */
	MUST_USE enum status (*light_block)(struct engine *engine, struct buf *out, uint64_t height, struct err *err);
	MUST_USE enum status (*decided_at)(struct engine *engine, uint64_t *height, uint64_t number, struct err *err);
	void (*free)(struct engine *engine);
	bool is_final; /* does a sealed block stay for ever? */
};
/* The first member of every engine. */
struct engine {
	const struct engine_kind *kind;
};

/* Orders, executes and commits until engine_stop, or until the failure that it returns. */
MUST_USE static inline enum status engine_run(struct engine *engine, struct err *err) {
	return engine->kind->run(engine, err);
}

static inline void engine_stop(struct engine *engine) {
	engine->kind->stop(engine);
}

/* Runs `work` and waits for it; returns what it returned, or STATUS_BUSY once stopped. */
MUST_USE static inline enum status engine_call(
    struct engine *engine, engine_work *work, void *context, struct err *err) {
	return engine->kind->call(engine, work, context, err);
}

/* Inside engine_work: seals one block of what is executable, possibly an empty one. */
MUST_USE static inline enum status engine_seal(struct engine *engine, struct err *err) {
	return engine->kind->seal(engine, err);
}

/* Its header is the one that engine_seal would begin with at this moment. */
MUST_USE static inline enum status engine_next(struct engine *engine, struct engine_next *out, struct err *err) {
	return engine->kind->next(engine, out, err);
}

/* Whose signature this node's blocks bear; zeros: nobody's alone. */
static inline addr20 engine_sealer(const struct engine *engine) {
	return engine->kind->sealer(engine);
}

/* Inside engine_work: the seal of a block that is about to be committed (eth/seal.h). */
MUST_USE static inline enum status engine_sign_seal(
    const struct engine *engine, struct secp_signature *out, uint64_t number, const hash32 *hash, struct err *err) {
	return engine->kind->sign_seal(engine, out, number, hash, err);
}

/* Signs what somebody asks who wants to know that a head is new (eth/seal.h), with the key of this node's blocks. */
MUST_USE static inline enum status engine_sign_head(
    const struct engine *engine, struct eth_signature *out, const struct head_statement *head, struct err *err) {
	return engine->kind->sign_head(engine, out, head, err);
}

/* Are blocks proved by a commit of many, and not by one node's signature? Only then the next two may be called. */
static inline bool engine_has_light_blocks(const struct engine *engine) {
	return engine->kind->light_block != NULL;
}

/* The light block of a height, 0: of the newest. Its header's app_hash is the hash of the block that was the head
 * before that height. STATUS_NOTFOUND: it is not kept. May wait for the process that has it. */
MUST_USE static inline enum status engine_light_block(
    struct engine *engine, struct buf *out, uint64_t height, struct err *err) {
	return engine->kind->light_block(engine, out, height, err);
}

/* The height at which a block of the chain was decided: the light block of the next one proves it. STATUS_NOTFOUND. */
MUST_USE static inline enum status engine_decided_at(
    struct engine *engine, uint64_t *height, uint64_t number, struct err *err) {
	return engine->kind->decided_at(engine, height, number, err);
}

static inline bool engine_is_final(const struct engine *engine) {
	return engine->kind->is_final;
}

/* NULL is allowed. */
static inline void engine_free(struct engine *engine) {
	if (engine != NULL) engine->kind->free(engine);
}

#endif
