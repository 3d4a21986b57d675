/* The chain's rows as they are stored: none that decodes reads past its end, and a receipt encodes to what it came
 * from. */
#include "fuzz/target.h"
#include "ledger/chain/log_index.h"
#include "ledger/chain/rows.h"

static void check_group(struct bytes row) {
	struct bytes item;
	size_t count;
	if (group_row_count(&count, row, NULL) != STATUS_OK) return;
	BUG_ON(count > GROUP_ITEMS);
	for (size_t i = 0; i < count; i++) {
		struct arena arena;
		struct mined_receipt receipt;
		struct buf again;
		if (group_row_item(&item, row, i, NULL) != STATUS_OK) continue;
		BUG_ON(item.data < row.data || item.data + item.len > row.data + row.len);
		arena_init(&arena);
		buf_init(&again, 1 << 24);
		if (receipt_item_decode(&receipt, &arena, item, i % 2, NULL) == STATUS_OK) {
			receipt_item_encode(&again, &receipt);
			BUG_ON(!bytes_equal(buf_view(&again), item));
		}
		buf_fini(&again);
		arena_fini(&arena);
	}
}

static void check_postings(struct bytes row) {
	struct log_index_reader reader = log_index_reader(row);
	uint32_t tx, before = 0;
	for (size_t i = 0; log_index_next(&reader, &tx); i++) {
		BUG_ON(i > 0 && tx <= before);
		BUG_ON(i > row.len);
		before = tx;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const struct bytes row = bytes_make(data, size);
	struct secp_signature seal;
	struct body_row body;
	uint64_t number;
	uint32_t index;
	uint8_t tx_row[TX_ROW_BYTES];
	if (tx_row_decode(&number, &index, row, NULL) == STATUS_OK) {
		tx_row_encode(tx_row, number, index);
		BUG_ON(memcmp(tx_row, row.data, TX_ROW_BYTES) != 0);
	}
	if (body_row_decode(&body, row, NULL) == STATUS_OK)
		BUG_ON(body.rlp.data < row.data || body.rlp.data + body.rlp.len > row.data + row.len);
	(void)!seal_row_decode(&seal, row, NULL);
	check_group(row);
	check_postings(row);
	return 0;
}
