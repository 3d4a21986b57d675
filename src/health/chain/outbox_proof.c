/*
 * What the outbox believes: the account's nonce, the base fee and the end of a transaction, proved at a head or below
 * it (settled.h). An outbox without heads believes its node: whoever deploys makes the anchor on a node of their own.
 */
#include "base/log.h"
#include "health/chain/heads_private.h"
#include "health/chain/outbox_private.h"
#include "health/contracts/cause.h"

#define HEAD_REUSE_MS 1000u
#define HEAD_AGE_S (1000u * 365u * 86400u) /* any: a block is final, and an old nonce is refused by the node */

/* `anew`: not one that was taken a moment ago. */
static enum status take_head(struct outbox *outbox, bool anew, struct err *err) {
	const uint64_t now_ms = clock_now_ms(client_options_of(outbox->client)->clock);
	const bool is_recent = outbox->has_head && now_ms - outbox->head_ms < HEAD_REUSE_MS;
	if (!anew && is_recent) return STATUS_OK;
	TRY(heads_take(outbox->options.heads, &outbox->head, outbox->client, HEAD_AGE_S, err));
	outbox->has_head = true;
	outbox->head_ms = now_ms;
	return STATUS_OK;
}

enum status outbox_nonce(struct outbox *outbox, uint64_t *nonce, struct arena *arena, struct err *err) {
	if (!outbox->options.heads) return client_mined_nonce(outbox->client, nonce, &outbox->account, err);
	TRY(take_head(outbox, true, err));
	return settled_nonce(nonce, outbox->client, arena, &outbox->head, &outbox->account, err);
}

enum status outbox_base_fee(
    struct outbox *outbox, u256 *base_fee_wei, bool anew, struct arena *arena, struct err *err) {
	struct header header;
	uint64_t shown;
	if (!outbox->options.heads) {
		TRY(client_base_fee(outbox->client, &shown, arena, err));
		*base_fee_wei = u256_from(shown);
		return STATUS_OK;
	}
	TRY(take_head(outbox, anew, err));
	BUG_ON(header_decode(&header, bytes_make(outbox->head.rlp, outbox->head.rlp_len), NULL) != STATUS_OK);
	*base_fee_wei = header.base_fee_wei;
	return STATUS_OK;
}

/* --- the end of a transaction --- */

/* Where the block holds it, under any of its hashes; block->count: nowhere. */
static size_t place_of(const struct settled_block *block, const struct outbox_tx *tx) {
	size_t place = block->count;
	for (size_t i = tx->hash_count; i-- > 0 && place == block->count;) place = settled_place(block, &tx->hashes[i]);
	return place;
}

/* It ended so. What took its place is a transfer of nothing, which no entry is. */
static void end(struct outbox *outbox, struct outbox_tx *tx, const struct transaction *found,
    const struct client_receipt *receipt, struct arena *arena) {
	const bool is_filler = !found->is_create && found->data.len == 0 && addr20_equal(&found->to, &outbox->account);
	if (is_filler)
		outbox_tx_filled(outbox, tx);
	else
		outbox_tx_mined(outbox, tx, receipt, arena);
}

/* Ends what the block holds, from the lowest nonce on. */
static enum status end_those_of(
    struct outbox *outbox, const struct settled_block *block, struct arena *arena, struct err *err) {
	size_t *places = arena_zalloc(arena, block->count + 1, sizeof *places), count = 0;
	for (const struct outbox_tx *tx = outbox->txs; tx && count < block->count; tx = tx->next) {
		places[count] = place_of(block, tx);
		if (places[count] == block->count) break;
		count++;
	}
	struct client_receipt *receipts = arena_zalloc(arena, count + 1, sizeof *receipts);
	TRY(settled_receipts(receipts, outbox->client, arena, block, places, count, err));
	for (size_t i = 0; i < count && outbox->txs; i++)
		end(outbox, outbox->txs, &block->transactions[places[i]], &receipts[i], arena);
	return STATUS_OK;
}

/* The block where the node says that it ended; *found false: it names none that holds it. */
static enum status find_where_named(struct outbox *outbox, struct settled_block *block, bool *found,
    struct arena *arena, const struct outbox_tx *tx, struct err *err) {
	*found = false;
	for (size_t i = tx->hash_count; i-- > 0 && !*found;) {
		struct client_receipt named;
		bool is_named;
		TRY(client_find_receipt(outbox->client, &named, &is_named, arena, &tx->hashes[i], err));
		if (!is_named || named.block_number > outbox->head.number) continue;
		arena_reset(arena);
		TRY(settled_read(block, outbox->client, arena, &outbox->head, named.block_number, err));
		*found = place_of(block, tx) < block->count;
	}
	return STATUS_OK;
}

/* Its nonce is used at the head, and no block that was read holds it. */
static enum status find_user(struct outbox *outbox, struct outbox_tx *tx, struct arena *arena, struct err *err) {
	struct settled_block block;
	bool found;
	arena_reset(arena);
	TRY(find_where_named(outbox, &block, &found, arena, tx, err));
	if (!found)
		TRY(settled_user_of_nonce(
		    &block, outbox->client, arena, &outbox->head, &outbox->account, tx->nonce, err));
	if (place_of(&block, tx) < block.count) return end_those_of(outbox, &block, arena, err);
	outbox_tx_displaced(outbox, tx);
	return STATUS_OK;
}

/* The blocks that came since the last look, if they are few: what they hold has ended. */
static enum status read_new_blocks(struct outbox *outbox, struct arena *arena, struct err *err) {
	struct settled_block blocks[SETTLED_BLOCKS_MAX];
	const uint64_t count = outbox->head.number - outbox->looked_at;
	if (count > SETTLED_BLOCKS_MAX || !outbox->has_looked) return STATUS_OK;
	enum status status = settled_read_newest(blocks, (size_t)count, outbox->client, arena, &outbox->head, err);
	for (size_t i = 0; i < count && status == STATUS_OK; i++) status = end_those_of(outbox, &blocks[i], arena, err);
	/* Together they may be too much for one answer; what is wrong with one of them shows when it is read alone. */
	return outbox_is_disbelief(err) ? STATUS_OK : status;
}

/* Nothing that is in flight was in a block up to here. */
static void looked(struct outbox *outbox) {
	outbox->looked_at = outbox->head.number;
	outbox->has_looked = true;
}

void outbox_begin_looking(struct outbox *outbox) {
	if (!outbox->txs && outbox->has_head) looked(outbox);
}

/* If the node took it and waited for its block, the new blocks are read at once: if they hold all that is in flight,
 * the account's nonce need not be proved. */
static enum status read_shown(struct outbox *outbox, bool *progress, struct arena *arena, struct err *err) {
	const uint64_t lowest = outbox->txs->nonce;
	if (!outbox->is_shown) return STATUS_OK;
	outbox->is_shown = false;
	arena_reset(arena);
	TRY(read_new_blocks(outbox, arena, err));
	*progress |= !outbox->txs || outbox->txs->nonce != lowest;
	if (!outbox->txs) looked(outbox);
	return STATUS_OK;
}

enum status outbox_look(struct outbox *outbox, bool *progress, struct arena *arena, struct err *err) {
	uint64_t nonce;
	if (!outbox->txs) return STATUS_OK;
	TRY(take_head(outbox, true, err));
	if (outbox->has_looked && outbox->looked_at == outbox->head.number) return STATUS_OK;
	TRY(read_shown(outbox, progress, arena, err));
	if (!outbox->txs) return STATUS_OK;
	const uint64_t lowest = outbox->txs->nonce;
	arena_reset(arena);
	TRY(settled_nonce(&nonce, outbox->client, arena, &outbox->head, &outbox->account, err));
	arena_reset(arena);
	if (nonce > lowest) TRY(read_new_blocks(outbox, arena, err));
	while (outbox->txs && outbox->txs->nonce < nonce) TRY(find_user(outbox, outbox->txs, arena, err));
	*progress |= nonce > lowest;
	looked(outbox);
	return STATUS_OK;
}

/* --- what is not believed --- */

bool outbox_is_disbelief(const struct err *err) {
	return err->cause == CAUSE_NOT_PROVED || err->cause == CAUSE_OLD_HEAD || err->cause == CAUSE_OLD_ANCHOR ||
	       err->cause == CAUSE_TWO_BLOCKS;
}
