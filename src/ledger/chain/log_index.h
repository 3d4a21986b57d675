/*
 * The index over logs: for an address, and for a topic in its place, which transactions of a block have such a log.
 * One LOG_INDEX row a block and distinct value, written and taken back with the block (docs/decisions).
 *
 * A value stands in it as a fingerprint of 64 bits. Two values with one fingerprint cost a look at a receipt, never a
 * wrong answer: the caller compares the logs themselves. Internal to chain/. Threads: pure, but for the batch.
 */
#ifndef LEDGER_CHAIN_LOG_INDEX_H
#define LEDGER_CHAIN_LOG_INDEX_H

#include "eth/types.h"
#include "ledger/store/store.h"

uint64_t log_index_address(const addr20 *address);
/* `place`: [0, 3]. */
uint64_t log_index_topic(const hash32 *topic, size_t place);

struct log_index_key {
	uint8_t b[16];
};
struct log_index_key log_index_key(uint64_t fingerprint, uint64_t number);

/* One block's rows in the making. */
struct log_index {
	struct log_posting *postings;
	size_t count, room;
};
void log_index_init(struct log_index *index);
void log_index_fini(struct log_index *index);
/* In the order of the block's transactions. */
void log_index_add(struct log_index *index, uint32_t tx, const struct receipt *receipt);
/* After the last was added: puts (or deletes) the block's rows. */
void log_index_write(
    struct log_index *index, struct store_batch *batch, struct store *store, uint64_t number, bool put);
/* Compares them with what is stored; STATUS_CORRUPT. `*rows`: how many there are. */
MUST_USE enum status log_index_check(
    struct log_index *index, uint64_t *rows, struct store *store, uint64_t number, struct err *err);

/* A row's transactions, in order: the next one, or false at the end; `failed` then says whether a row is malformed. */
struct log_index_reader {
	struct bytes left;
	uint64_t next;
	bool failed;
};
struct log_index_reader log_index_reader(struct bytes row);
bool log_index_next(struct log_index_reader *reader, uint32_t *tx);

#endif
