#include "ledger/pool/sidecar.h"

#include "crypto/hash.h"
#include "eth/rlp_u256.h"

enum { VERSION_CELL_PROOFS = 1, VERSIONED_HASH_VERSION = 1 };

/* A list of strings of `size` bytes, copied into one piece. */
static const uint8_t *take_pieces(size_t *count, struct arena *arena, struct rlp_cursor *parent, size_t size) {
	struct rlp_cursor list = rlp_enter(parent);
	*count = rlp_count(&list, size);
	uint8_t *pieces = arena_alloc(arena, *count * size);
	for (size_t i = 0; i < *count; i++) rlp_fixed(&list, pieces + i * size, size);
	rlp_leave(parent, &list);
	return pieces;
}

enum status sidecar_decode(struct sidecar *out, struct arena *arena, struct bytes items, struct err *err) {
	struct rlp_cursor cursor = rlp_cursor(items);
	*out = (struct sidecar){0};
	if (items.len == 0) return err_set(err, STATUS_INVALID, "missing sidecar in blob transaction");
	if (!rlp_next_is_list(&cursor)) {
		out->version = VERSION_CELL_PROOFS;
		if (rlp_u64(&cursor) != VERSION_CELL_PROOFS)
			return err_set(err, STATUS_INVALID, "unsupported sidecar version");
	}
	out->blobs = take_pieces(&out->blob_count, arena, &cursor, KZG_BLOB_BYTES);
	out->commitments = take_pieces(&out->commitment_count, arena, &cursor, KZG_POINT_BYTES);
	out->proofs = take_pieces(&out->proof_count, arena, &cursor, KZG_POINT_BYTES);
	return rlp_finish(&cursor, err);
}

/* EIP-4844's kzg_to_versioned_hash of each commitment is the transaction's. */
static enum status check_hashes(const struct sidecar *sidecar, const struct transaction *tx, struct err *err) {
	for (size_t i = 0; i < tx->blob_count; i++) {
		hash32 hash = sha256(bytes_make(sidecar->commitments + i * KZG_POINT_BYTES, KZG_POINT_BYTES));
		hash.b[0] = VERSIONED_HASH_VERSION;
		if (!hash32_equal(&hash, &tx->blob_hashes[i]))
			return err_set(err, STATUS_INVALID,
			    "blob %zu: computed hash of its commitment mismatches transaction one", i);
	}
	return STATUS_OK;
}

enum status sidecar_check(
    const struct sidecar *sidecar, const struct transaction *tx, enum fork fork, struct err *err) {
	const unsigned version = fork >= FORK_OSAKA ? VERSION_CELL_PROOFS : 0;
	const size_t count = tx->blob_count, proofs = count * (version == 0 ? 1 : KZG_BLOB_CELLS);
	if (sidecar->version != version)
		return err_set(
		    err, STATUS_INVALID, "unexpected sidecar version, want: %u, got: %u", version, sidecar->version);
	if (sidecar->blob_count != count)
		return err_set(err, STATUS_INVALID, "invalid number of %zu blobs compared to %zu blob hashes",
		    sidecar->blob_count, count);
	if (sidecar->commitment_count != count)
		return err_set(err, STATUS_INVALID,
		    "invalid number of %zu blob commitments compared to %zu blob hashes", sidecar->commitment_count,
		    count);
	if (sidecar->proof_count != proofs)
		return err_set(err, STATUS_INVALID, "invalid number of %zu blob proofs expected %zu",
		    sidecar->proof_count, proofs);
	return check_hashes(sidecar, tx, err);
}

enum status sidecar_prove(const struct sidecar *sidecar, struct kzg *kzg, struct err *err) {
	const bool proved =
	    sidecar->version == VERSION_CELL_PROOFS
		? kzg_cells_are_proved(kzg, sidecar->blobs, sidecar->commitments, sidecar->proofs, sidecar->blob_count)
		: kzg_blobs_are_proved(kzg, sidecar->blobs, sidecar->commitments, sidecar->proofs, sidecar->blob_count);
	return proved ? STATUS_OK : err_set(err, STATUS_INVALID, "invalid blob proof");
}
