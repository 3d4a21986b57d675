/* What the files of the CometBFT engine share. */
#ifndef LEDGER_CONSENSUS_COMET_PRIVATE_H
#define LEDGER_CONSENSUS_COMET_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "ledger/consensus/abci_server.h"
#include "ledger/consensus/bundle.h"
#include "ledger/consensus/comet.h"
#include "ledger/consensus/members.h"
#include "ledger/consensus/pace.h"
#include "ledger/consensus/work_queue.h"
#include "ledger/snapshot/load.h"

/* What FinalizeBlock decided, until Commit. */
struct decision {
	bool is_there;
	uint64_t height;
	struct pending_block *pending; /* NULL: nothing changes */
	struct bundle_txs txs;         /* as they were executed */
	size_t bundle_bytes;
	struct block_decision block;
	struct members members; /* after it, if they changed */
	bool members_changed, somebody_left;
	struct arena arena; /* of what execution views */
};

/* A snapshot that is being taken in. */
enum { SENDERS_MAX = 16, SENDER_BYTES = 64 };
struct taking {
	struct snapshot_load *load;              /* NULL: none is */
	char senders[SENDERS_MAX][SENDER_BYTES]; /* who sent its chunks so far, as many as there is room for */
	size_t sender_count;
};

struct comet {
	struct engine engine;
	struct chain *chain;
	struct pool *pool;
	struct store *store;
	struct comet_options options;
	struct abci_server *server;
	struct senders *senders;
	struct pace pace;
	struct work_queue work;
	atomic_ullong height;    /* the newest that is committed */
	atomic_ullong height_at; /* when it came, or the engine was made: monotonic nanoseconds */
	atomic_bool has_failed;
	char why[384]; /* written before has_failed */

	/* The executing thread's own. */
	uint64_t remembered; /* the height that this member's key remembered when it was last asked */
	addr20 contract;
	struct members members; /* after the head; none: the genesis names no contract, and nobody is refused */
	struct decision decision;
	struct taking taking;

	pthread_t bundler;
};

/* comet.c: the engine without its socket, as a simulation drives it through its application. */
MUST_USE enum status comet_make(struct comet **out, struct chain *chain, struct pool *pool, struct store *store,
    const struct comet_options *options, struct err *err);

/* comet_app.c: the application's functions, and what is kept. */
struct abci_application comet_application(struct comet *comet);
void comet_drop_decision(struct comet *comet);
/* The height at which block `number` was decided. STATUS_NOTFOUND. */
MUST_USE enum status comet_decided_at(struct comet *comet, uint64_t *height, uint64_t number, struct err *err);

/* Has evidence against this validator stood in a block? Any thread. */
bool comet_lied_at(struct comet *comet, uint64_t *height, const addr20 *validator);

/* The rows of META that keep the newest height, and the one of a block that was decided at it. */
struct height_notes {
	uint8_t key[16], value[8];
	struct chain_note notes[2];
};
void comet_note_height(struct height_notes *out, uint64_t height, uint64_t number);
/* Heights and members as the store and the head have them. */
MUST_USE enum status comet_read_standing(struct comet *comet, struct err *err);

/* comet_snapshots.c: the application's functions about snapshots. */
void comet_add_snapshots(struct abci_application *application);
/* A snapshot that was not taken in to its end is thrown away: the chain is at block 0 again. */
MUST_USE enum status comet_drop_taking(struct comet *comet, struct err *err);
/* The lowest height that CometBFT shall keep; 0: all. */
MUST_USE enum status comet_retain_height(struct comet *comet, uint64_t *out, struct err *err);

/* comet_report.c: what the newest blocks are here, into the log, so that members can compare them. */
void comet_report(struct comet *comet);

/* comet_bundler.c: a thread's body; until the work queue stops. */
void *comet_bundle(void *comet);
/* Its own. */
struct bundler {
	struct comet *comet;
	uint64_t again_from; /* the height when something was sent again, if anything waited long enough */
	bool has_failed;     /* the last time; it is logged once */
};
/* One sending of what the pool has; returns the pause after it, in milliseconds. */
uint64_t comet_bundler_turn(struct bundler *bundler);

#endif
