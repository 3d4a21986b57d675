/*
 * What a home can find: the logs of packs that it has asked the chain for, and the documents, batches, units and
 * containers of its medicines. One SQLite file in the home, `index.db`, whose pages are encrypted under a key that
 * follows from the home's secret (docs/decisions/0022-an-encrypted-index.md).
 *
 * Nothing stands in it that the chain and the home's sealed documents do not hold: if the file is lost, damaged, of
 * another schema, key or deployment, index_open makes a new one and says so in the log, and it fills again from both.
 *
 * Logs of packs: a filter that was asked once is a watch with a cursor (health/chain/follow.h). Asking again costs the
 * node one question for what is new, and finds nothing that concerns others.
 *
 * Several programs may have one home's index open: SQLite locks the file, and each change is one transaction.
 * Ownership: what is returned lives in the caller's arena. Threads: with `threads` any thread may use the keeper and
 * index_follow; a node is waited for without the lock. A stock has one owner, and nobody else uses its index meanwhile.
 */
#ifndef HEALTH_INDEX_INDEX_H
#define HEALTH_INDEX_INDEX_H

#include "health/trace/stock.h"

struct index;

/* Opens nothing yet: the file is opened by the first question. `home` is borrowed and trusts a deployment. `threads`
 * NULL: one thread. */
struct index *index_new(const struct home *home, const struct threads *threads);
/* Hears how the index fills from the chain; borrowed while the index lives. NULL: nobody does. */
void index_show_progress(struct index *index, const struct progress *progress);
/* NULL is allowed. */
void index_free(struct index *index);

/* Answers client_logs_kept from the index; borrowed while the index lives. */
const struct client_log_keeper *index_keeper(struct index *index);
/* All watches that there are, brought to the newest block: what a service does in the background. */
MUST_USE enum status index_follow(struct index *index, struct client *client, struct err *err);

/* The first block that some watch has not read; UINT64_MAX: there are no watches. Asks no node. */
MUST_USE enum status index_next_block(struct index *index, uint64_t *out, struct err *err);

/*
 * What the home knows of medicines, by key. Documents of the home that are not in the index yet are taken in first,
 * with the request's keys; the stock lives as long as the index, its answers in the request's arena.
 */
MUST_USE enum status index_stock(
    struct index *index, struct stock *out, struct actor_request *request, struct err *err);

/* The same, without looking for documents that came into the home since index_stock did: a look takes the longer, the
 * more documents there are. */
void index_stock_as_it_is(struct index *index, struct stock *out, struct actor_request *request);

struct index_counts {
	uint64_t logs, watches, documents, units;
	uint64_t bytes; /* of the file */
};
MUST_USE enum status index_count(struct index *index, struct index_counts *out, struct err *err);

#endif
