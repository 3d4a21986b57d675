/*
 * CometBFT's application interface (ABCI 2.0, package tendermint.abci): its requests as structs, and its answers.
 *
 * Only what an application without vote extensions meets is here; the wire is the same from
 * CometBFT v0.38 to v0.40. A request is a message with one field, whose number says what it is. Unknown fields are
 * skipped, a field that occurs again replaces the earlier one, and what is absent is zero. Views of a decoded request
 * point into the frame; lists of views are in the arena. Answers are appended to a buffer, whole messages without the
 * length before them (abci_server.h).
 *
 * Source: CometBFT's spec/abci and proto/tendermint/abci/types.proto. Threads: pure.
 */
#ifndef LEDGER_CONSENSUS_ABCI_H
#define LEDGER_CONSENSUS_ABCI_H

#include "base/mem.h"

/* The numbers of the requests' fields. */
enum abci_kind {
	ABCI_ECHO = 1,
	ABCI_FLUSH = 2,
	ABCI_INFO = 3,
	ABCI_INIT_CHAIN = 5,
	ABCI_QUERY = 6,
	ABCI_CHECK_TX = 8,
	ABCI_COMMIT = 11,
	ABCI_LIST_SNAPSHOTS = 12,
	ABCI_OFFER_SNAPSHOT = 13,
	ABCI_LOAD_SNAPSHOT_CHUNK = 14,
	ABCI_APPLY_SNAPSHOT_CHUNK = 15,
	ABCI_PREPARE_PROPOSAL = 16,
	ABCI_PROCESS_PROPOSAL = 17,
	ABCI_FINALIZE_BLOCK = 20
};

enum { ABCI_KEY_BYTES = 32, ABCI_VALIDATORS_MAX = 1024, ABCI_TXS_MAX = 1 << 20 };

/* One who votes. In an update a power of 0 removes it. */
struct abci_validator {
	uint8_t key[ABCI_KEY_BYTES]; /* Ed25519 */
	uint64_t power;
};

struct abci_init {
	struct bytes chain_id;
	const struct abci_validator *validators;
	size_t validator_count;
	uint64_t initial_height;
};

struct abci_query {
	struct bytes path, data;
};

/* A proposed or decided block, in the three requests that have one. */
struct abci_block {
	uint64_t height;
	uint64_t time_ms; /* the header's time, down to a millisecond */
	const struct bytes *txs;
	size_t tx_count;
	uint64_t max_tx_bytes; /* PrepareProposal alone: of the transactions and the bytes before each */
	struct bytes hash;     /* of CometBFT's block; empty in PrepareProposal */
	struct bytes proposer; /* the proposer's address, 20 bytes */
	const struct bytes
	    *voters; /* addresses whose votes for the height before it are in it; not in PrepareProposal */
	size_t voter_count;
	size_t misbehaviour_count;  /* validators that were seen to break the protocol */
	struct bytes misbehaved[8]; /* the addresses of the first of them */
};

/* A state that somebody offers, or has; `manifest` is the application's own. */
struct abci_snapshot {
	uint64_t height;
	uint32_t format, chunk_count;
	struct bytes hash, manifest;
};
struct abci_offer {
	struct abci_snapshot snapshot;
	struct bytes app_hash; /* after its height: CometBFT's light client proved it */
};
struct abci_chunk {
	uint64_t height; /* in LoadSnapshotChunk alone, as the format */
	uint32_t format, index;
	struct bytes content, sender; /* in ApplySnapshotChunk alone; the peer's identifier */
};

struct abci_request {
	enum abci_kind kind;
	union {
		struct bytes echo;
		struct bytes version; /* ABCI_INFO: CometBFT's own, for the log */
		struct abci_init init;
		struct abci_query query;
		struct bytes check_tx;
		struct abci_block block;
		struct abci_offer offer;
		struct abci_chunk chunk;
	};
};

/* STATUS_INVALID: it is not a request; STATUS_UNSUPPORTED: one whose number is not above. The message says why. */
MUST_USE enum status abci_request_decode(
    struct abci_request *out, struct arena *arena, struct bytes message, struct err *err);

/* --- answers --- */

void abci_put_exception(struct buf *out, const char *text);
void abci_put_echo(struct buf *out, struct bytes text);
void abci_put_flush(struct buf *out);
/* The newest height whose Commit was completed, and the application hash after it. */
void abci_put_info(struct buf *out, const char *name, uint64_t height, struct bytes app_hash);
void abci_put_init_chain(struct buf *out, const struct abci_validator *validators, size_t count, struct bytes app_hash);
/* `code` 0: yes. `log` is for people. */
void abci_put_query(struct buf *out, uint32_t code, const char *log, struct bytes value);
void abci_put_check_tx(struct buf *out, uint32_t code, const char *log);
void abci_put_prepared(struct buf *out, const struct bytes *txs, size_t count);
void abci_put_processed(struct buf *out, bool accepted);
/* Every transaction's result is the same: this code, so much gas, no data. */
struct abci_decided {
	size_t tx_count;
	uint32_t code;
	const struct abci_validator *updates;
	size_t update_count;
	struct bytes app_hash;
};
void abci_put_finalized(struct buf *out, const struct abci_decided *decided);
/* `retain_height` 0: all heights are kept. */
void abci_put_commit(struct buf *out, uint64_t retain_height);
void abci_put_snapshots(struct buf *out, const struct abci_snapshot *snapshots, size_t count);
enum abci_offered {
	ABCI_OFFER_ACCEPT = 1,
	ABCI_OFFER_ABORT = 2, /* no snapshot at all */
	ABCI_OFFER_REJECT = 3,
	ABCI_OFFER_REJECT_FORMAT = 4,
	ABCI_OFFER_REJECT_SENDER = 5 /* nothing more of those who have it */
};
void abci_put_offered(struct buf *out, enum abci_offered verdict);
void abci_put_loaded(struct buf *out, struct bytes chunk); /* empty: it is not there */
enum abci_applied { ABCI_APPLY_ACCEPT = 1, ABCI_APPLY_ABORT = 2, ABCI_APPLY_RETRY = 3, ABCI_APPLY_REJECT_SNAPSHOT = 5 };
struct abci_applying {
	enum abci_applied verdict;
	bool fetch_again; /* the chunk `index` */
	uint32_t index;
	const struct bytes *senders; /* of whom nothing more is taken */
	size_t sender_count;
};
void abci_put_applied(struct buf *out, const struct abci_applying *applying);

#endif
