/*
 * The application's end of ABCI: a unix socket that CometBFT connects to, four times, and one loop that reads requests
 * and answers them in order on each connection.
 *
 * A frame is an unsigned varint, the length, and the message. Requests are told apart by what they are, never by their
 * connection. The loop never waits for a peer that does not read: answers wait in the connection's buffer while the
 * others are served. Echo and Flush are answered here; the rest is the
 * application's. A connection that sends what is no request is closed, with an exception that says why; what CometBFT
 * makes of that is to stop, so its supervisor hears of it.
 *
 * Threads: one serves (abci_server_turn); abci_server_wake may be called from any, and from a signal handler.
 */
#ifndef LEDGER_CONSENSUS_ABCI_SERVER_H
#define LEDGER_CONSENSUS_ABCI_SERVER_H

#include "ledger/consensus/abci.h"

enum { ABCI_CONNECTIONS_MAX = 16, ABCI_SNAPSHOTS_MAX = 10 };
/* Of one request. A proposal has at most the consensus parameters' max_bytes. */
#define ABCI_FRAME_MAX ((size_t)64 << 20)

/* What the functions below answer with; the arena lives until the answer is written. */
struct abci_standing {
	uint64_t height;
	hash32 app_hash;
};
struct abci_started {
	const struct abci_validator *validators;
	size_t validator_count;
	hash32 app_hash;
};
struct abci_verdict {
	uint32_t code;   /* 0: yes */
	const char *log; /* why not; never NULL */
};
struct abci_outcome {
	const struct abci_validator *updates;
	size_t update_count;
	hash32 app_hash;
	uint32_t code; /* of each transaction; not 0: CometBFT will take the same bytes again */
};

/*
 * The application. A status other than STATUS_OK is a failure of this node, not a verdict: the peer gets an exception,
 * and abci_server_turn returns it. `closed`: a connection that brought blocks or transactions has ended: CometBFT is
 * gone, and what was decided and not committed will be decided again.
 */
struct abci_application {
	MUST_USE enum status (*info)(void *context, struct abci_standing *out, struct err *err);
	MUST_USE enum status (*init_chain)(void *context, struct abci_started *out, struct arena *arena,
	    const struct abci_init *init, struct err *err);
	MUST_USE enum status (*query)(
	    void *context, struct abci_verdict *out, const struct abci_query *query, struct err *err);
	MUST_USE enum status (*check_tx)(void *context, struct abci_verdict *out, struct bytes tx, struct err *err);
	/* Which of the block's transactions are proposed: puts them in `txs`, which has room for all. */
	MUST_USE enum status (*prepare)(
	    void *context, struct bytes *txs, size_t *count, const struct abci_block *block, struct err *err);
	MUST_USE enum status (*process)(
	    void *context, struct abci_verdict *out, const struct abci_block *block, struct err *err);
	MUST_USE enum status (*finalize)(void *context, struct abci_outcome *out, struct arena *arena,
	    const struct abci_block *block, struct err *err);
	MUST_USE enum status (*commit)(void *context, uint64_t *retain_height, struct err *err);
	void (*closed)(void *context);
	/* Snapshots that others may ask for, at most ABCI_SNAPSHOTS_MAX, in the arena. */
	MUST_USE enum status (*list)(
	    void *context, const struct abci_snapshot **out, size_t *count, struct arena *arena, struct err *err);
	/* A chunk of one of them, appended; nothing, if it is not there. */
	MUST_USE enum status (*read_chunk)(
	    void *context, struct buf *out, const struct abci_chunk *wanted, struct err *err);
	/* Somebody else's, for a node that has nothing. */
	MUST_USE enum status (*offer)(
	    void *context, enum abci_offered *out, const struct abci_offer *offer, struct err *err);
	MUST_USE enum status (*apply)(void *context, struct abci_applying *out, struct arena *arena,
	    const struct abci_chunk *given, struct err *err);
	const char *name; /* for Info */
	void *context;
};

struct abci_server;
/* Binds the socket, mode 0600; a file that is left there is replaced. `application` is copied. */
MUST_USE enum status abci_server_open(
    struct abci_server **out, const char *path, const struct abci_application *application, struct err *err);
/* NULL is allowed. Removes the socket. */
void abci_server_close(struct abci_server *server);
/* Serves what is there; waits for it up to `timeout_ms`, or until it is woken. Fails if the application did. */
MUST_USE enum status abci_server_turn(struct abci_server *server, int timeout_ms, struct err *err);
void abci_server_wake(struct abci_server *server);

#endif
