/*
 * Logs of a range of blocks, asked of a node in pages.
 *
 * Nodes limit the blocks or the logs of one answer, each in its own words. So no text is compared: any error answer to
 * eth_getLogs over more than one block halves the range, and each page that is answered doubles it again. Only the
 * errors that no smaller range can mend (no such method, a request that is not understood) are believed at once.
 *
 * What a node shows is checked for form, and that it was asked for: contract, topics, range. Threads: as the client.
 * Source: ethereum/execution-apis, eth_getLogs.
 */
#ifndef HEALTH_CHAIN_LOGS_H
#define HEALTH_CHAIN_LOGS_H

#include "health/chain/client.h"

#define LOGS_SUBJECTS_MAX 256u     /* values of one topic in a request; xinglin's own node takes 1,000 */
#define LOGS_SPAN_MAX (1ull << 20) /* blocks of a page */

struct logs_query {
	const addr20 *address;
	/* Each place that has values takes any of them. */
	struct logs_topic {
		const hash32 *any_of; /* count 0: anything */
		size_t count;
	} topics[4];
};
/* Does this log pass? */
bool logs_match(const struct logs_query *query, const struct log *log);

/* Where a walk stands; begin with {.next_block, .last_block}. */
struct logs_walk {
	uint64_t next_block, last_block; /* inclusive; at the end next_block is last_block + 1 */
	uint64_t span;                   /* blocks of the next page; 0: LOGS_SPAN_MAX */
};
/* The next page's last block. */
uint64_t logs_page_end(const struct logs_walk *walk);
/*
 * One question: next_block to logs_page_end. Ordered, each log once. If the node refuses the range, nothing is found,
 * next_block stays, and the next page is half as long. STATUS_DENIED: the node refuses even one block. STATUS_INTERNAL:
 * it shows what was not asked.
 */
MUST_USE enum status logs_page(struct logs_walk *walk, struct client *client, struct client_log **logs, size_t *count,
    struct arena *arena, const struct logs_query *query, struct err *err);

/* By block, and in it by place. */
int logs_compare(const struct client_log *a, const struct client_log *b);
/* Sorts, and leaves out what occurs twice. */
void logs_settle(struct client_log *logs, size_t *count);

#endif
