/* What the files of health/chain share. */
#ifndef HEALTH_CHAIN_CLIENT_PRIVATE_H
#define HEALTH_CHAIN_CLIENT_PRIVATE_H

#include "health/chain/client.h"

#define CLIENT_ANSWER_MAX ((size_t)128 << 20)

struct client {
	struct client_options options;
	char *url;
	uint64_t chain_id;
	uint64_t next_id;
	uint64_t deadline_ms;                   /* 0: none */
	const struct client_log_keeper *keeper; /* NULL: none */
};

/* Before each exchange: gives the HTTP client what is left until the deadline. STATUS_TIMEOUT: nothing is. */
MUST_USE enum status client_begin_exchange(const struct client *client, struct err *err);

struct client_question {
	const char *method;
	struct bytes params; /* a JSON array */
	/* STATUS_OK: `result`. STATUS_DENIED: the node refused this one, and `error` says why. */
	enum status status;
	const struct json *result;
	struct client_error error;
};
/* One call, also at another address than the client's: of a witness. Returns the question's status. */
MUST_USE enum status client_ask_at(
    struct client *client, const char *url, struct client_question *question, struct arena *arena, struct err *err);
#define CLIENT_BATCH_MAX 256u
/* Several calls in one exchange. STATUS_INTERNAL unless each is answered once. */
MUST_USE enum status client_batch(
    struct client *client, struct client_question *questions, size_t count, struct arena *arena, struct err *err);

/* transact.c: the steps of sending. */

/* Gas of `tx` (its `to` and data) at the newest block. A revert is a verdict. */
MUST_USE enum status client_estimate(struct client *client, uint64_t *gas, struct client_verdict *verdict,
    struct arena *arena, const struct transaction *tx, const addr20 *from, struct err *err);
MUST_USE enum status client_base_fee(
    struct client *client, uint64_t *base_fee_wei, struct arena *arena, struct err *err);
/* The verdict holds the node's refusal in its own words. */
MUST_USE enum status client_send_raw(
    struct client *client, struct client_verdict *verdict, struct arena *arena, struct bytes raw, struct err *err);
/* The same, and waits until the node has it in a block, `wait_ms` at most (EIP-7966). `*taken` false: the node does not
 * take it, or does not know the method; client_send_raw says which. What the receipt says is not read: it is to be
 * proved. */
MUST_USE enum status client_send_raw_and_wait(
    struct client *client, bool *taken, struct arena *arena, struct bytes raw, uint32_t wait_ms, struct err *err);
MUST_USE enum status client_find_receipt(struct client *client, struct client_receipt *out, bool *found,
    struct arena *arena, const hash32 *hash, struct err *err);
/* Transactions of the account in blocks. */
MUST_USE enum status client_mined_nonce(struct client *client, uint64_t *nonce, const addr20 *address, struct err *err);

/* What a JSON-RPC error says; an absent one says nothing. */
void client_read_error(struct client_error *out, struct arena *arena, const struct json *error);
/* Not the transaction's fault: the node is overloaded, or broken for now (EIP-1474). */
bool client_error_is_of_node(const struct client_error *error);
/* verdict.c: why a call or a transaction failed, in words. */
void client_verdict_of_error(struct client_verdict *verdict, const struct client_error *error);

/* An answer that makes no sense is a lie like others: STATUS_INTERNAL with CAUSE_NOT_PROVED. */
enum status client_senseless(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);
/* Parameters of a method that takes one hash. */
struct bytes client_hash_param(struct arena *arena, const hash32 *hash);
/* Typed reads of an answer; STATUS_INTERNAL names the member that makes no sense. */
MUST_USE enum status client_answer_quantity(uint64_t *out, const struct json *value, const char *what, struct err *err);
MUST_USE enum status client_answer_fixed(
    uint8_t *out, size_t len, const struct json *value, const char *what, struct err *err);
MUST_USE enum status client_answer_data(
    struct bytes *out, struct arena *arena, const struct json *value, const char *what, struct err *err);
/* queries.c: a log as JSON-RPC writes it. */
MUST_USE enum status client_read_log(struct log *out, struct arena *arena, const struct json *entry, struct err *err);

#endif
