/*
 * The outbox of one account: the one place that gives nonces, signs and sends its transactions, and awaits receipts.
 *
 * What outbox_submit accepted is in the journal (fsync), and ends on the chain exactly once or is refused: a
 * transaction is journaled before it is sent, and after a restart the same bytes are sent again. An entry that waits
 * while another of the same merge kind and key waits too may be sent in one transaction with it. An account has one
 * outbox at a time: its owner holds the home's lock (health/actors/actor.h).
 *
 * What follows from what the node says of a transaction:
 *	its pool forgot it                 it is sent again
 *	its fee is below the base fee      it is signed again, with the same nonce and a higher fee
 *	its nonce is used up               the block that used it shows whether another program did; what was in it then
 *	                                   gets a new nonce
 *	it will never be taken             a transfer of nothing uses its nonce; once that is in a block, it is refused
 *	its estimate reverts               that is believed once nothing sent earlier is on its way
 *
 * The node is a carrier: nonces and the base fee are a believed head's, and a transaction succeeded or failed if the
 * receipts of its block say so, proved (settled.h). If the node shows something else, everybody who waits hears
 * OUTBOX_UNPROVED, and the entries go on.
 *
 * Threads: outbox_submit, outbox_send, outbox_has, outbox_let_go and outbox_stop may be called from any thread if
 * `threads` is given. Then one thread calls outbox_run, and callbacks are called on it, without a lock (or on that of
 * outbox_let_go). Without `threads`, outbox_send does the work itself. Sources: EIP-1559, 2718, 7825 (gas of one
 * transaction); execution-apis.
 */
#ifndef HEALTH_CHAIN_OUTBOX_H
#define HEALTH_CHAIN_OUTBOX_H

#include "base/threads.h"
#include "health/chain/heads.h"

#define OUTBOX_GAS_MAX 16777216u                 /* EIP-7825 */
#define OUTBOX_TX_BYTES_MAX ((size_t)128 * 1024) /* what pools take */
#define OUTBOX_MERGED_MAX 64u                    /* entries of one transaction */
#define OUTBOX_ENTRIES_MAX 16384u                /* that wait or are on their way */
#define OUTBOX_NAMES_MAX 64u                     /* of one entry */
#define OUTBOX_SENT_MAX 16u                      /* entries of one outbox_send_all */

struct outbox;

struct outbox_options {
	/* Borrowed. Whoever runs the outbox uses it, and nobody else meanwhile. Gives clock and sleep too. */
	struct client *client;
	const hash32 *secret; /* of the account; copied, and wiped by outbox_close */
	const addr20 *node;   /* the sealer, to whom blobs are put again */
	const hash32 *genesis;
	const struct random_source *random; /* for requests that put blobs */
	const char *journal_path;
	const struct threads *threads; /* NULL: one thread calls everything */
	unsigned in_flight_max;        /* transactions sent and without a receipt; 0: 64 */
	/* Nonces, fees and ends of transactions are proved at these. NULL: the node is believed, which is for whoever
	 * makes the anchor on a node of their own. Borrowed. */
	struct heads *heads;
};
/* Reads the journal; entries that were not finished go on. A torn end is cut off. STATUS_IO, STATUS_CORRUPT. */
MUST_USE enum status outbox_open(struct outbox **out, const struct outbox_options *options, struct err *err);
/*
 * For a journal that came from a backup, before it is opened: what was signed is sent again as it was signed and never
 * anew, since the original home may have done that; what waited unsigned is dropped, since it may have been sent. Both
 * are counted. STATUS_NOTFOUND: there is no journal.
 */
MUST_USE enum status outbox_mark_restored(size_t *kept, size_t *dropped, const char *journal_path, struct err *err);

/* Entries that are not finished stay in the journal; their callbacks get OUTBOX_KEPT. NULL is allowed. */
void outbox_close(struct outbox *outbox);

enum outbox_end {
	OUTBOX_DONE,     /* in a block; `receipt` */
	OUTBOX_REVERTED, /* in a block and failed; `receipt`, and `verdict` says why */
	OUTBOX_REFUSED,  /* in no block, and never will be: the estimate reverted, or the node does not take it */
	OUTBOX_KEPT,     /* the deadline is over; the journal keeps it, and it goes on */
	OUTBOX_UNPROVED, /* `verdict` says what the node does not prove; the journal keeps it, and it goes on */
};
struct outbox_result {
	enum outbox_end end;
	struct client_receipt receipt; /* tx_hash is set from the first sending on; all of it if DONE or REVERTED */
	struct client_verdict verdict;
	size_t place, merged; /* this entry is number `place` (from 0) of `merged` in its transaction */
};
/* Views live during the call. It may submit, and must not block. */
typedef void outbox_callback(void *context, const struct outbox_result *result);

/* How entries of one kind become one transaction. Static. */
struct outbox_merger {
	size_t max; /* entries of one transaction, at most OUTBOX_MERGED_MAX */
	void (*encode)(struct buf *data, const struct bytes *items, size_t count);
};

/* What accompanies a transaction at the node (health/chain/blobs.h). The submitter has put it already; the outbox puts
 * it again where the node lost it. */
struct outbox_blob {
	addr20 gate;
	struct bytes container;
};

struct outbox_entry {
	const addr20 *to;  /* NULL: creates a contract */
	struct bytes data; /* the calldata if it is sent alone */
	/* Its limit, which the submitter has found out. 0: it is estimated; so it is after a restart before it was
	 * signed. */
	uint64_t gas_limit;
	/* NULL: always alone. Entries with the same merger and the same key may travel together. One that would fail
	 * is found before they are sent, and goes alone; if the chain has moved on by their block, all go alone. */
	const struct outbox_merger *merger;
	hash32 merge_key;
	struct bytes merge_item;
	const struct outbox_blob *blobs;
	size_t blob_count;
	/* What the submitter knows it by, as the records that it registers; journaled. */
	const hash32 *names;
	size_t name_count;          /* at most OUTBOX_NAMES_MAX */
	uint64_t deadline_ms;       /* by the clock's now_ms; 0: none. It ends the waiting, not the entry */
	outbox_callback *completed; /* once; may be NULL */
	void *context;
};
/* The entry is copied. STATUS_OK: accepted, and journaled. STATUS_LIMIT: too large. STATUS_BUSY: OUTBOX_ENTRIES_MAX. */
MUST_USE enum status outbox_submit(struct outbox *outbox, const struct outbox_entry *entry, struct err *err);

/* Somebody begins to prepare an entry that may travel with others; and false, once each: it is submitted, or will not
 * be. The runner waits a moment for those that are prepared, and never for long. */
void outbox_expect(struct outbox *outbox, bool comes);

/*
 * Submits, and waits until it is finished or the deadline is over. `entry->completed` is not used. `result` lives in
 * the arena. STATUS_TIMEOUT: accepted, kept, and not in a block yet (`result->end` is OUTBOX_KEPT). STATUS_DENIED
 * with CAUSE_NOT_PROVED_SENT: accepted, kept, and what the node shows is not believed (OUTBOX_UNPROVED). STATUS_OK
 * otherwise: see `result->end`.
 */
MUST_USE enum status outbox_send(struct outbox *outbox, struct outbox_result *result, struct arena *arena,
    const struct outbox_entry *entry, struct err *err);
/*
 * The same of up to OUTBOX_SENT_MAX entries with one deadline: they are on their way together, in this order. Each of
 * `results` is set; the status is that of the first entry that did not end. If one is not accepted, those before it are
 * awaited, those behind it are not taken, and its status is returned.
 */
MUST_USE enum status outbox_send_all(struct outbox *outbox, struct outbox_result *results, struct arena *arena,
    const struct outbox_entry *entries, size_t count, struct err *err);

/* Is an entry of this name accepted, and not finished? */
bool outbox_has(struct outbox *outbox, const hash32 *name);
/* Whoever waits until `deadline_ms` or shorter (UINT64_MAX: everybody) hears OUTBOX_KEPT now, on this thread; the
 * entries go on. For the end of a service's drain, and for when the runner itself waits for a node. */
void outbox_let_go(struct outbox *outbox, uint64_t deadline_ms);
/*
 * Is told of every entry with names that the chain or the node refused, before the journal forgets it, also if an
 * earlier run accepted it; after a kill maybe once more. On the runner's thread, without a lock.
 */
struct outbox_witness {
	void (*refused)(void *context, const hash32 *names, size_t name_count, const struct client_verdict *verdict);
	void *context;
};
/* Copied; before outbox_run. */
void outbox_set_witness(struct outbox *outbox, const struct outbox_witness *witness);

/* Works until outbox_stop. A node that does not answer is asked again and again. */
void outbox_run(struct outbox *outbox);
void outbox_stop(struct outbox *outbox);
/* Works until nothing is left, or until `deadline_ms`. STATUS_TIMEOUT. For a command that goes on with what an earlier
 * one left; not beside outbox_run. */
MUST_USE enum status outbox_drain(struct outbox *outbox, uint64_t deadline_ms, struct err *err);

struct outbox_counts {
	size_t waiting, in_flight;     /* entries that are not finished; transactions without a receipt */
	uint64_t done, refused;        /* entries since it was opened; `refused` with those reverted */
	uint64_t transactions, resent; /* signed; sent again */
	bool is_broken; /* its journal could not be synced: it accepts nothing until it is opened again */
};
struct outbox_counts outbox_counts(struct outbox *outbox);

#endif
