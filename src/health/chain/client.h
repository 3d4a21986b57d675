/*
 * A client of any Ethereum JSON-RPC endpoint: calls, transactions, receipts, logs, proofs. It knows no ledger/ header
 * and would work against another node; only blobs.h needs a xinglin node.
 *
 * A verdict of the chain (a revert, a refused transaction) is a `struct client_verdict`; a status other than STATUS_OK
 * means that the node was not reached or its answer made no sense. Everything a node says is checked for form, nothing
 * is believed blindly where a proof exists (proof.h).
 *
 * Threads: one owner a client. Ownership: what is returned lives in the caller's arena.
 * Sources: ethereum/execution-apis; EIP-1186, 1474.
 */
#ifndef HEALTH_CHAIN_CLIENT_H
#define HEALTH_CHAIN_CLIENT_H

#include "base/http.h"
#include "base/world.h"
#include "codec/json.h"
#include "eth/types.h"
#include "health/contracts/errors.h"

struct client;

struct client_options {
	const char *url; /* of JSON-RPC, e.g. "http://127.0.0.1:8545" */
	const struct http_client *http;
	const struct clock_source *clock;
	/* Sleeps between polls for a receipt. */
	void (*sleep_ms)(void *context, uint32_t ms);
	void *sleep_context;
	uint64_t chain_id; /* 0: the node is asked */
};
/* Asks for the chain id if it is not given; STATUS_IO if nobody answers. */
MUST_USE enum status client_open(struct client **out, const struct client_options *options, struct err *err);
void client_close(struct client *client);
uint64_t client_chain_id(const struct client *client);
const char *client_url(const struct client *client);
const struct client_options *client_options_of(const struct client *client);
/* Until when anything may wait that is done with this client, by the clock's now_ms; 0: no deadline. A call that begins
 * after it is STATUS_TIMEOUT. */
void client_set_deadline(struct client *client, uint64_t deadline_ms);

/* One JSON-RPC call. `params` is a JSON array. STATUS_DENIED if the node answers with an error object, whose code,
 * message and data are then in `*error` (may be NULL); STATUS_PRUNED if it says that it has dropped what is asked for.
 */
struct client_error {
	int64_t code;
	char message[201]; /* its first 200 characters, without control characters */
	struct bytes data; /* of a revert; in the arena */
};
MUST_USE enum status client_rpc(struct client *client, const struct json **result, struct client_error *error,
    struct arena *arena, const char *method, struct bytes params, struct err *err);

/* What became of a call or a transaction: a plain value. */
struct client_verdict {
	bool ok;
	/* CONTRACT_ERROR_NONE if no contract refused. Its `text` is empty here: it is in `reason`. */
	struct contract_refusal refusal;
	/* For people: "StaleEpoch: the folder has another epoch by now", "out of gas", the node's text; empty if ok. */
	char reason[200];
};

/* A local call at the newest block. */
MUST_USE enum status client_call(struct client *client, struct bytes *output, struct client_verdict *verdict,
    struct arena *arena, const addr20 *from, const addr20 *to, struct bytes data, struct err *err);

/* The gas of a transaction as such a call, at the newest block. A revert, or gas that no transaction may use, is a
 * verdict. */
MUST_USE enum status client_call_gas(struct client *client, uint64_t *gas, struct client_verdict *verdict,
    struct arena *arena, const addr20 *from, const addr20 *to, struct bytes data, struct err *err);

/*
 * Transactions of one account to one contract, one after another on the newest block: what each would use, and which
 * limit serves it whatever it is refunded. A revert, or a lack of gas, is a verdict. A node bounds the gas of all
 * together (50 million mostly): those that go beyond it lack gas. STATUS_UNSUPPORTED: the node does not simulate.
 */
struct client_simulated {
	struct client_verdict verdict;
	uint64_t used_gas, limit_gas;
};
MUST_USE enum status client_simulate(struct client *client, struct client_simulated *out, struct arena *arena,
    const addr20 *from, const addr20 *to, const struct bytes *calls, size_t count, struct err *err);

struct client_receipt {
	hash32 tx_hash;
	hash32 block_hash;
	uint64_t block_number;
	uint64_t gas_used;
	bool success;
	addr20 created;
	struct log *logs;
	size_t log_count;
};

/* What the account's next transaction needs: those in the pool count. */
MUST_USE enum status client_nonce(struct client *client, uint64_t *nonce, const addr20 *address, struct err *err);
MUST_USE enum status client_block_number(struct client *client, uint64_t *number, struct err *err);

struct client_log_filter {
	uint64_t from_block; /* to the newest */
	const addr20 *address;
	hash32 topics[4];
	bool has_topic[4];
};
struct client_log {
	struct log log;
	uint64_t block_number;
	uint32_t log_index; /* in its block */
	uint64_t timestamp; /* seconds; 0 if the node does not say */
	hash32 tx_hash;
};
/*
 * Logs that pass the filter, oldest first, each once. The node is asked each time, so that what one node hid or
 * invented is not remembered of the next; a node that limits blocks or logs of one answer is asked in pages (logs.h).
 */
MUST_USE enum status client_logs(struct client *client, struct client_log **logs, size_t *count, struct arena *arena,
    const struct client_log_filter *filter, struct err *err);
/* Logs that pass any of the filters. What a keeper has read before is not asked again. */
MUST_USE enum status client_logs_kept(struct client *client, struct client_log **logs, size_t *count,
    struct arena *arena, const struct client_log_filter *filters, size_t filter_count, struct err *err);
/* Whoever remembers logs between commands: the home's index (health/index). It answers as client_logs_kept does. */
struct client_log_keeper {
	MUST_USE enum status (*logs)(void *context, struct client *client, struct client_log **logs, size_t *count,
	    struct arena *arena, const struct client_log_filter *filters, size_t filter_count, struct err *err);
	void *context;
};
/* Borrowed until the client is closed; NULL: none, the node is asked for all. */
void client_keep_logs(struct client *client, const struct client_log_keeper *keeper);

/* eth_getProof at a block, the block's header (RLP), and its seal (eth/seal.h) or the light block that decided it
 * (comet/light_block.h): what a disclosure proof needs. */
struct client_proof {
	struct bytes header_rlp;
	uint8_t seal[65];    /* r s v, v 27 or 28; zeros where the node has none */
	struct bytes commit; /* empty where the node has none */
	struct bytes *account_nodes;
	size_t account_node_count;
	struct {
		hash32 key;
		struct bytes *nodes;
		size_t node_count;
	} * storage;
	size_t storage_count;
};
MUST_USE enum status client_proof(struct client *client, struct client_proof *out, struct arena *arena,
    const addr20 *address, const hash32 *slots, size_t slot_count, struct err *err);

#endif
