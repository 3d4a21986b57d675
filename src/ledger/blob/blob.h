/*
 * Sealed blobs beside the transactions: put by accounts that a contract lists, served by item only to accounts that a
 * contract allows at that moment, erased for good (docs/wire-formats.md §1, §5, §6). Which contracts are asked stands
 * in the genesis (config.xinglin.blobGates); what they stand for is not known here.
 *
 * On disk, under one folder: `segments/`, content if it is not in an object store, whether it waits for a transaction
 * of its putter that names it or is an item's from then on; `audit.log`. Which item has which blob, and where, is in
 * TABLE_BLOB. An item's content is its own: nobody can have another's kept, or deleted, by naming it.
 *
 * Nobody fills or silences the room for others: a stranger to the gates leaves nothing behind, and each account that
 * they know has a share of requests, of audit entries, and of what waits.
 *
 * Threads: the routes' handlers, blob_admits and blob_counts from any thread; the observer on the committing thread;
 * blob_duties on one thread.
 */
#ifndef LEDGER_BLOB_BLOB_H
#define LEDGER_BLOB_BLOB_H

#include "base/route.h"
#include "base/threads.h"
#include "base/world.h"
#include "crypto/ed25519.h"
#include "crypto/threshold/vss.h"
#include "ledger/blob/blob_s3_client.h"
#include "ledger/chain/chain.h"

struct blob_room;

/*
 * The other nodes that keep the same items: members of a consortium. What is put here is given to some of them before
 * the answer, and what was named and is not here is asked of them (blob_fetch), whoever they say they are: content
 * proves itself by its name.
 */
#define BLOB_PEERS_MAX 64u
struct blob_place {
	addr20 node;     /* the identifier of the member's node, as the members' contract has it */
	const char *url; /* where its blobs are, without '/' at the end */
};
struct blob_members {
	const struct blob_place *places; /* without this node; borrowed until blob_open returns */
	size_t count;                    /* at most BLOB_PEERS_MAX */
	struct ed25519_secret secret;    /* of this node */
	/* What of the members' power (`all`) this node has at the head; 0: it is no member. */
	MUST_USE enum status (*power)(
	    void *context, uint64_t *power, uint64_t *all, const addr20 *node, struct err *err);
	/* May this node be given what members are, though it has no power: a follower? NULL: nobody may. */
	bool (*is_guest)(void *context, const addr20 *node);
	/* This node's share of the outer seal's key (eth/outer.h). *number: of the statement that the chain has at the
	 * head, 0 if it has none. STATUS_NOTFOUND: this node holds no share of it. */
	MUST_USE enum status (*share)(void *context, struct vss_share *out, uint64_t *number, struct err *err);
	/* That statement. STATUS_NOTFOUND: this node does not have it. */
	MUST_USE enum status (*statement)(void *context, struct buf *out, struct err *err);
	MUST_USE enum status (*open)(void *context, struct http_client *out, struct err *err);
	void (*close)(void *context, struct http_client *client);
	void *context;
};

struct blob_options {
	const char *directory;
	addr20 node;      /* the account of this node: confirms erasures, and anchors */
	addr20 addressee; /* whom requests must name: the sealer; zeros if any member of a consortium is meant */
	/* Text that stays the same as long as the machine runs, at most 63 bytes: after another run, what was not
	 * synced may be lost. */
	char machine_run[64];
	const struct clock_source *clock;
	const struct random_source *random;
	const struct threads *threads; /* NULL: one thread calls everything. Borrowed */
	uint64_t bytes_max;            /* of all content; 0: 1 TiB */
	uint32_t anchor_every_ms;      /* the root of the audit log is anchored if there were reads; 0: a minute */
	/* Sends a transaction of the node's own; the answer is whether it was taken in. Called from blob_duties. */
	MUST_USE enum status (*send)(void *context, const addr20 *to, struct bytes data, struct err *err);
	void *send_context;
	const struct blob_members *members; /* NULL: this node keeps blobs alone */
	const struct blob_s3_options *s3;   /* an object store; NULL: contents are in files of `directory` */
};
/* Catches up with the chain's events since the last run. */
MUST_USE enum status blob_open(struct blob_room **out, struct chain *chain, struct store *store,
    const struct blob_options *options, struct err *err);
void blob_close(struct blob_room *room);
/* Where the other members' nodes are by now; who is not among them is asked no more. Of a room that was opened among
 * members. STATUS_LIMIT: over the years too many were named. Any thread. */
MUST_USE enum status blob_members_move(
    struct blob_room *room, const struct blob_place *places, size_t count, struct err *err);

/* What is served over HTTP; the context is the room. */
extern const struct route blob_routes[];
extern const size_t blob_route_count;
/* Those that may wait for an object store and for nobody else: their workers are their own, since other members' may
 * all wait for these. */
extern const struct route blob_store_routes[];
extern const size_t blob_store_route_count;

/* Pool admission. BLOB_NOT_PUT: `tx` goes to a gate and names a blob that `sender` has not put here for that gate, one
 * blob twice, or more than 64. BLOB_OTHER_SIZE: it says another size than the blob has. */
enum blob_admission { BLOB_ADMITTED, BLOB_NOT_PUT, BLOB_OTHER_SIZE };
MUST_USE enum status blob_admits(struct blob_room *room, enum blob_admission *admission, const struct transaction *tx,
    const addr20 *sender, struct err *err);

/* For chain_observe: names and erasures of a new head take effect. */
struct chain_observer blob_observer(struct blob_room *room);

/* What is due: dropping what nothing named, confirming erasures, anchoring the audit log. Call about twice a second. */
MUST_USE enum status blob_duties(struct blob_room *room, struct err *err);

/* Asks other members for what was named and is not here, and looks through what is here. *more: there is more to do at
 * once. On one thread of its own, about ten times a second; without members it does nothing. */
MUST_USE enum status blob_fetch(struct blob_room *room, bool *more, struct err *err);

/* What an object store still has to be told, and what it should not have. On one thread of its own, about ten times a
 * second; with files it does nothing. *more as above. */
MUST_USE enum status blob_store_duties(struct blob_room *room, bool *more, struct err *err);

/* Where contents are put. */
struct blob_store_state {
	bool is_remote; /* what follows is zero otherwise, but for `is_usable` */
	bool is_usable;
	char why[256];           /* if it is not */
	uint64_t objects, bytes; /* that the newest pass found, of those that it has to have */
	uint64_t passes, strays; /* objects that it must not have, since the start */
	uint64_t owed, deleted;  /* objects that are to be deleted, and that were */
	uint64_t requests, retries, failures;
};
struct blob_store_state blob_store_state(struct blob_room *room);

/* What this node saw of a member, since its start. */
struct blob_peer_counts {
	addr20 node;
	uint64_t asked, failed; /* requests, and those without a sensible answer */
	uint64_t fetched;       /* contents that were right */
	uint64_t absent;        /* that another member had then */
	uint64_t forged;        /* that were not what was asked for */
};
/* False: there are not so many. */
bool blob_peer_counts(struct blob_room *room, size_t index, struct blob_peer_counts *out);

struct blob_counts {
	uint64_t items, bytes;
	uint64_t waiting, waiting_bytes; /* put, and not yet named by a transaction */
	uint64_t audit_entries;
	uint64_t strangers; /* requests of accounts that no gate knows, since the start */
	uint64_t missing;   /* named items whose content is not here, when they were last asked for */
	uint64_t damaged;   /* contents that were found lost or changed, since the start */
};
struct blob_counts blob_counts(struct blob_room *room);

/* Of a stopped node, without a room: reads every item's content and makes its name again. STATUS_CORRUPT names the
 * first item whose content is not what was put. Changes nothing. */
struct blob_verification {
	uint64_t items, bytes;
	uint64_t unseen; /* contents in an object store that was not named */
	uint64_t erased; /* items whose content is gone, and whose rows the next start will change */
};
/* `s3` NULL: contents in an object store are counted as `unseen`, and not read. */
MUST_USE enum status blob_verify(struct store *store, const char *directory, const struct blob_s3_options *s3,
    struct blob_verification *out, struct err *err);

#endif
