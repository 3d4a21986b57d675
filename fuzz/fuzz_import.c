/* Blocks one RLP after another, as `xinglin import` takes them: what is refused changes nothing, and what is taken can
 * be taken back to block 0. */
#include "codec/rlp.h"
#include "fuzz/ledger.h"
#include "fuzz/target.h"
#include "ledger/chain/branches.h"

#define BLOCKS_MAX 16

static hash32 head_hash(struct chain *chain) {
	struct chain_head *head = chain_head(chain);
	const hash32 hash = head->hash;
	chain_head_release(head);
	return hash;
}

static void unwind_all(struct chain *chain, struct err *err) {
	for (;;) {
		struct chain_head *head = chain_head(chain);
		const uint64_t number = head->header.number;
		chain_head_release(head);
		if (number == 0) return;
		BUG_ON(chain_unwind_head(chain, err) != STATUS_OK);
	}
}

/* How long the item is that stands first; 0: there is none. */
static size_t item_bytes(struct bytes rest) {
	if (rest.len == 0 || rest.data[0] < 0xc0) return 0;
	size_t len = rest.data[0] - 0xc0u, head = 1;
	if (rest.data[0] > 0xf7) {
		head += rest.data[0] - 0xf7u;
		if (head > 5 || head > rest.len) return 0;
		len = 0;
		for (size_t i = 1; i < head; i++) len = len << 8 | rest.data[i];
	}
	return len <= rest.len - head ? head + len : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct chain *chain = fuzz_ledger_open()->chain;
	const hash32 genesis = head_hash(chain);
	struct bytes rest = bytes_make(data, size);
	struct err err = {0};
	for (int i = 0; i < BLOCKS_MAX; i++) {
		const size_t len = item_bytes(rest);
		if (len == 0) break;
		enum chain_taken taken;
		const hash32 before = head_hash(chain);
		const enum status status = chain_take(chain, &taken, bytes_slice(rest, 0, len), &err);
		const hash32 after = head_hash(chain);
		BUG_ON(status == STATUS_CORRUPT || status == STATUS_INTERNAL || status == STATUS_IO);
		BUG_ON(status != STATUS_OK && !hash32_equal(&before, &after));
		rest = bytes_slice(rest, len, rest.len);
	}
	unwind_all(chain, &err);
	const hash32 again = head_hash(chain);
	BUG_ON(!hash32_equal(&again, &genesis));
	return 0;
}
