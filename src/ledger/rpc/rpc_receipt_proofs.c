/* xinglin_receiptProofs: receipts with their way to the block's receiptsRoot, so that nobody needs the whole list. */
#include "eth/hash_builder.h"
#include "ledger/rpc/rpc_chain.h"
#include "ledger/rpc/rpc_methods.h"

#define PLACES_MAX 64u
#define NODES_BYTES_MAX ((size_t)4 << 20) /* of one answer, and one receipt more (2.1 MB at most, EIP-7825) */

static enum status read_places(struct rpc_call *call, size_t places[PLACES_MAX], size_t *count, size_t receipt_count) {
	const struct json *given = rpc_param(call, 1);
	*count = 0;
	if (!json_is(given, JSON_ARRAY)) return rpc_bad_param(call, 1, "expected an array of indices");
	if (given->count > PLACES_MAX)
		return rpc_bad_param(call, 1, "too many indices (max %u, got %u)", PLACES_MAX, given->count);
	json_foreach (place, given) {
		uint64_t index;
		TRY(rpc_number_of(call, &index, place, 1));
		if (index >= receipt_count) return rpc_bad_param(call, 1, "the block has %zu receipts", receipt_count);
		places[(*count)++] = (size_t)index;
	}
	return STATUS_OK;
}

static struct bytes *encode_receipts(struct arena *arena, const struct mined_receipt *receipts, size_t count) {
	struct bytes *encoded = arena_alloc(arena, (count + 1) * sizeof *encoded);
	struct buf bytes;
	buf_init(&bytes, BUF_MAX_DEFAULT);
	for (size_t i = 0; i < count; i++) {
		buf_clear(&bytes);
		receipt_encode(&bytes, &receipts[i].receipt);
		encoded[i] = arena_dup(arena, buf_view(&bytes));
	}
	buf_fini(&bytes);
	return encoded;
}

/* The first ones that fit, one at least. */
static void put_proofs(struct json_writer *out, const struct ordered_proof *proofs, size_t count) {
	size_t bytes = 0;
	json_array_begin(out, NULL);
	for (size_t i = 0; i < count && bytes < NODES_BYTES_MAX; i++) {
		json_array_begin(out, NULL);
		for (size_t k = 0; k < proofs[i].count; k++) {
			json_put_hex(out, NULL, proofs[i].nodes[k]);
			bytes += proofs[i].nodes[k].len;
		}
		json_array_end(out);
	}
	json_array_end(out);
}

enum status rpc_xinglin_receipt_proofs(struct rpc_call *call) {
	struct rpc_block_id id;
	struct rpc_found_block found;
	struct mined_receipt *receipts;
	struct ordered_proof proofs[PLACES_MAX];
	size_t places[PLACES_MAX], place_count, count;
	TRY(rpc_param_block(call, &id, 0));
	TRY(rpc_require_block(call, &found, &id));
	TRY(chain_receipts(
	    call->rpc->options.chain, &receipts, &count, call->arena, found.header.number, &found.hash, &call->err));
	TRY(read_places(call, places, &place_count, count));
	const struct bytes *encoded = encode_receipts(call->arena, receipts, count);
	const hash32 root = ordered_trie_prove(proofs, call->arena, encoded, count, places, place_count);
	if (!hash32_equal(&root, &found.header.receipts_root))
		return err_set(&call->err, STATUS_CORRUPT, "the receipts of a block do not give its root");
	put_proofs(&call->out, proofs, place_count);
	return STATUS_OK;
}
