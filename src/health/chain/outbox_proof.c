/*
 * What the outbox believes: the account's nonce, the base fee and the end of a transaction, proved at a head or below
 * it (settled.h). An outbox without heads believes its node: whoever deploys makes the anchor on a node of their own.
 */
#include "base/log.h"
#include "health/chain/cause.h"
#include "health/chain/heads_private.h"
#include "health/chain/outbox_private.h"

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

/* The transaction of the block that is this one, under any of its hashes; NULL: none is. */
static const struct transaction *find(const struct settled_block *block, struct client_receipt *receipt,
    const struct outbox *outbox, const struct outbox_tx *tx) {
	const struct transaction *found = NULL;
	for (size_t i = tx->hash_count; i-- > 0 && !found;)
		found = settled_find(receipt, block, &tx->hashes[i], &outbox->account);
	return found;
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

/* In the block where the node says that it ended; NULL: it names none that holds it. */
static enum status find_where_named(struct outbox *outbox, const struct transaction **found,
    struct client_receipt *receipt, struct arena *arena, const struct outbox_tx *tx, struct err *err) {
	*found = NULL;
	for (size_t i = tx->hash_count; i-- > 0 && !*found;) {
		struct settled_block block;
		bool is_named;
		TRY(client_find_receipt(outbox->client, receipt, &is_named, arena, &tx->hashes[i], err));
		if (!is_named || receipt->block_number > outbox->head.number) continue;
		arena_reset(arena);
		TRY(settled_read(&block, outbox->client, arena, &outbox->head, receipt->block_number, err));
		*found = find(&block, receipt, outbox, tx);
	}
	return STATUS_OK;
}

/* Its nonce is used at the head, and no block that was read holds it. */
static enum status find_user(struct outbox *outbox, struct outbox_tx *tx, struct arena *arena, struct err *err) {
	struct client_receipt receipt;
	struct settled_block block;
	const struct transaction *found;
	hash32 user;
	arena_reset(arena);
	TRY(find_where_named(outbox, &found, &receipt, arena, tx, err));
	if (!found) {
		TRY(settled_user_of_nonce(
		    &block, &user, outbox->client, arena, &outbox->head, &outbox->account, tx->nonce, err));
		found = find(&block, &receipt, outbox, tx);
	}
	if (found)
		end(outbox, tx, found, &receipt, arena);
	else
		outbox_tx_displaced(outbox, tx);
	return STATUS_OK;
}

/* The blocks that came since the last look, if they are few: what they hold has ended. */
static enum status read_new_blocks(struct outbox *outbox, struct arena *arena, struct err *err) {
	struct settled_block blocks[SETTLED_BLOCKS_MAX];
	const uint64_t count = outbox->head.number - outbox->looked_at;
	if (count > SETTLED_BLOCKS_MAX || !outbox->has_looked) return STATUS_OK;
	const enum status status =
	    settled_read_newest(blocks, (size_t)count, outbox->client, arena, &outbox->head, err);
	/* Together they may be too much for one answer; what is wrong with one of them shows when it is read alone. */
	if (status != STATUS_OK) return outbox_is_disbelief(err) ? STATUS_OK : status;
	for (size_t i = 0; i < count; i++) {
		struct client_receipt receipt;
		const struct transaction *found;
		while (outbox->txs && (found = find(&blocks[i], &receipt, outbox, outbox->txs)))
			end(outbox, outbox->txs, found, &receipt, arena);
	}
	return STATUS_OK;
}

/* Nothing that is in flight was in a block up to here. */
static void looked(struct outbox *outbox) {
	outbox->looked_at = outbox->head.number;
	outbox->has_looked = true;
}

void outbox_begin_looking(struct outbox *outbox) {
	if (!outbox->txs && outbox->has_head) looked(outbox);
}

enum status outbox_look(struct outbox *outbox, bool *progress, struct arena *arena, struct err *err) {
	uint64_t nonce;
	if (!outbox->txs) return STATUS_OK;
	const uint64_t lowest = outbox->txs->nonce;
	TRY(take_head(outbox, true, err));
	if (outbox->has_looked && outbox->looked_at == outbox->head.number) return STATUS_OK;
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
	return err->cause == CAUSE_NOT_PROVED || err->cause == CAUSE_OLD_HEAD || err->cause == CAUSE_TWO_BLOCKS;
}
