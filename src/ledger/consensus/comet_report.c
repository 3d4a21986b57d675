#include "base/log.h"
#include "codec/hex.h"
#include "ledger/consensus/comet_private.h"

enum { REPORTED_BLOCKS = 4 };

static void put_hash(struct buf *out, const char *name, const hash32 *hash) {
	buf_printf(out, " %s ", name);
	hex_put(out, BYTES_OF(*hash), true);
}

/* One line, in the same words on every node: the first field that differs says what went another way. */
static void report_block(struct comet *comet, uint64_t number) {
	struct header header;
	struct buf line;
	struct err err;
	hash32 hash;
	uint64_t height = 0;
	buf_init(&line, 1024);
	if (chain_header_by_number(comet->chain, &header, &hash, number, &err) != STATUS_OK ||
	    (number > 0 && comet_decided_at(comet, &height, number, &err) != STATUS_OK)) {
		log_error("comet", "block %llu: %s", (unsigned long long)number, err.message);
	} else {
		put_hash(&line, "hash", &hash);
		put_hash(&line, "transactions", &header.transactions_root);
		put_hash(&line, "receipts", &header.receipts_root);
		put_hash(&line, "state", &header.state_root);
		log_error("comet", "height %llu, block %llu: time %llu, gas %llu,%s", (unsigned long long)height,
		    (unsigned long long)number, (unsigned long long)header.timestamp,
		    (unsigned long long)header.gas_used, buf_cstr(&line));
	}
	buf_fini(&line);
}

void comet_report(struct comet *comet) {
	struct chain_head *head = chain_head(comet->chain);
	const uint64_t newest = head->header.number;
	chain_head_release(head);
	log_error("comet", "CometBFT: %s", comet->why);
	log_error("comet", "this node holds height %llu; its newest blocks, to compare with another member's:",
	    (unsigned long long)atomic_load(&comet->height));
	for (uint64_t i = 0; i < REPORTED_BLOCKS && i <= newest; i++) report_block(comet, newest - i);
}
