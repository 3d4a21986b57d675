/* What the files of heads share. */
#ifndef HEALTH_CHAIN_HEADS_PRIVATE_H
#define HEALTH_CHAIN_HEADS_PRIVATE_H

#include "health/chain/client_private.h"
#include "health/chain/heads.h"

struct proved;
/* heads.c: what was proved at heads that were taken (proved.h). */
struct proved *heads_proved(const struct heads *heads);

/* heads_ask.c: what the node shows as its newest block, if it is signed as it must be, is not in front of the clock and
 * is at most `max_age_s` old. */
struct head_question {
	const struct heads_options *options;
	const hash32 *domain;
	struct client *client;
	struct arena *arena;
	uint32_t max_age_s;
	uint64_t asked_ms; /* by our clock, before the question */
};
MUST_USE enum status head_ask(struct head *out, const struct head_question *question, struct err *err);
/* Was it the newest at most `max_age_s` before `asked_ms`? */
bool head_is_young(const struct head *head, uint64_t asked_ms, uint32_t max_age_s);

/* heads_descent.c: does `head`, which is signed and higher, descend from `last`? *forks: no, it is of a chain that has
 * another block at that height, and this is proved. Other failures prove nothing. */
MUST_USE enum status head_descends(bool *forks, const struct head *head, const struct head *last, struct client *client,
    struct arena *arena, struct err *err);
/* The hash of block `number`, which is lower, in the chain that ends with `head`. */
MUST_USE enum status head_ancestor(
    hash32 *out, const struct head *head, uint64_t number, struct client *client, struct arena *arena, struct err *err);
/* EIP-2935's contract, and where it keeps the hash of a block. */
extern const addr20 head_history_contract;
hash32 head_history_slot(uint64_t number);

/* heads_proof.c: an answer to eth_getProof. Views into the arena. */
struct heads_proof {
	struct bytes *account_nodes;
	size_t account_node_count;
	struct heads_proof_slot {
		struct bytes *nodes;
		size_t node_count;
	} * slots;
	size_t slot_count;
};
/* eth_getProof's parameters, at the block of this hash (EIP-1898). */
struct bytes heads_proof_params(
    struct arena *arena, const addr20 *contract, const hash32 *slots, size_t count, const hash32 *block);
/* Bounded; STATUS_DENIED if it is not what was asked for. */
MUST_USE enum status heads_proof_read(
    struct heads_proof *out, struct arena *arena, const struct json *answer, size_t slots, struct err *err);

/* A list of a trie's nodes, bounded; STATUS_DENIED if it is not one. */
MUST_USE enum status heads_proof_nodes(
    struct bytes **nodes, size_t *count, struct arena *arena, const struct json *list, struct err *err);

/* The failure of a proof: STATUS_DENIED with its cause. */
enum status heads_not_proved(struct err *err);
/* That of what the node shows of a block. */
enum status heads_refuse_block(struct err *err, uint64_t number, const char *what);

#endif
