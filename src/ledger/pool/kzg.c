#include "ledger/pool/kzg.h"

#include <ckzg.h>
#include <kzg_setup.h>
#include <pthread.h>

enum { ROOTS = FIELD_ELEMENTS_PER_EXT_BLOB, ROOTS_LOG2 = 13, G1_POINTS = FIELD_ELEMENTS_PER_CELL, G2_POINTS = 65 };

_Static_assert(sizeof(Blob) == KZG_BLOB_BYTES && CELLS_PER_EXT_BLOB == KZG_BLOB_CELLS, "c-kzg's sizes");
_Static_assert(sizeof(Bytes48) == KZG_POINT_BYTES && 1 << ROOTS_LOG2 == ROOTS, "c-kzg's sizes");
_Static_assert(sizeof kzg_setup_g1 == G1_POINTS * 48 && sizeof kzg_setup_g2 == G2_POINTS * 96, "the setup's sizes");

/* What checking reads of c-kzg's settings; the other members stay NULL. */
struct unpacked {
	fr_t roots[ROOTS + 1], reverse_roots[ROOTS + 1], permuted_roots[ROOTS];
	g1_t g1[G1_POINTS]; /* powers of s: a cell's interpolating polynomial is committed to */
	g2_t g2[G2_POINTS];
};

struct kzg {
	pthread_mutex_t lock; /* of the unpacking */
	struct unpacked *unpacked;
	KZGSettings settings;
};

struct kzg *kzg_new(void) {
	struct kzg *kzg = mem_zalloc(1, sizeof *kzg);
	pthread_mutex_init(&kzg->lock, NULL);
	return kzg;
}

void kzg_free(struct kzg *kzg) {
	if (kzg == NULL) return;
	pthread_mutex_destroy(&kzg->lock);
	mem_free(kzg->unpacked);
	mem_free(kzg);
}

/* The powers of the root; backwards; and in the order of their index' bits read backwards. */
static void unpack_roots(struct unpacked *out) {
	fr_t root;
	blst_scalar scalar;
	blst_scalar_from_bendian(&scalar, kzg_setup_root[0]);
	blst_fr_from_scalar(&root, &scalar);
	blst_fr_from_uint64(&out->roots[0], (const uint64_t[4]){1});
	for (size_t i = 0; i < ROOTS; i++) blst_fr_mul(&out->roots[i + 1], &out->roots[i], &root);
	for (size_t i = 0; i <= ROOTS; i++) out->reverse_roots[i] = out->roots[ROOTS - i];
	for (size_t i = 0; i < ROOTS; i++) {
		size_t mirrored = 0;
		for (size_t bit = 0; bit < ROOTS_LOG2; bit++) mirrored |= (i >> bit & 1) << (ROOTS_LOG2 - 1 - bit);
		out->permuted_roots[i] = out->roots[mirrored];
	}
}

static void unpack_points(struct unpacked *out) {
	for (size_t i = 0; i < G1_POINTS; i++) {
		blst_p1_affine point;
		BUG_ON(blst_p1_uncompress(&point, kzg_setup_g1[i]) != BLST_SUCCESS);
		blst_p1_from_affine(&out->g1[i], &point);
	}
	for (size_t i = 0; i < G2_POINTS; i++) {
		blst_p2_affine point;
		BUG_ON(blst_p2_uncompress(&point, kzg_setup_g2[i]) != BLST_SUCCESS);
		blst_p2_from_affine(&out->g2[i], &point);
	}
}

static const KZGSettings *settings_of(struct kzg *kzg) {
	pthread_mutex_lock(&kzg->lock);
	if (kzg->unpacked == NULL) {
		struct unpacked *unpacked = mem_zalloc(1, sizeof *unpacked);
		unpack_roots(unpacked);
		unpack_points(unpacked);
		kzg->settings = (KZGSettings){.roots_of_unity = unpacked->roots,
		    .reverse_roots_of_unity = unpacked->reverse_roots,
		    .brp_roots_of_unity = unpacked->permuted_roots,
		    .g1_values_monomial = unpacked->g1,
		    .g2_values_monomial = unpacked->g2};
		kzg->unpacked = unpacked;
	}
	pthread_mutex_unlock(&kzg->lock);
	return &kzg->settings;
}

/* Out of memory ends the process, as everywhere (docs/decisions/0002); bad arguments are the sender's. */
static bool is_good(C_KZG_RET result) {
	BUG_ON(result == C_KZG_MALLOC || result == C_KZG_ERROR);
	return result == C_KZG_OK;
}

bool kzg_blobs_are_proved(
    struct kzg *kzg, const uint8_t *blobs, const uint8_t *commitments, const uint8_t *proofs, size_t count) {
	bool proved = false;
	return is_good(verify_blob_kzg_proof_batch(&proved, (const Blob *)blobs, (const Bytes48 *)commitments,
		   (const Bytes48 *)proofs, count, settings_of(kzg))) &&
	       proved;
}

bool kzg_cells_are_proved(
    struct kzg *kzg, const uint8_t *blobs, const uint8_t *commitments, const uint8_t *proofs, size_t count) {
	const KZGSettings *settings = settings_of(kzg);
	const size_t cell_count = count * KZG_BLOB_CELLS;
	Cell *cells = mem_alloc(cell_count * sizeof *cells);
	Bytes48 *owners = mem_alloc(cell_count * sizeof *owners); /* each cell's commitment */
	uint64_t *indices = mem_alloc(cell_count * sizeof *indices);
	bool good = true, proved = false;
	for (size_t i = 0; i < count && good; i++)
		good = is_good(
		    compute_cells_and_kzg_proofs(&cells[i * KZG_BLOB_CELLS], NULL, (const Blob *)blobs + i, settings));
	for (size_t i = 0; i < cell_count; i++) {
		indices[i] = i % KZG_BLOB_CELLS;
		memcpy(&owners[i], commitments + i / KZG_BLOB_CELLS * KZG_POINT_BYTES, KZG_POINT_BYTES);
	}
	if (good)
		good = is_good(verify_cell_kzg_proof_batch(
		    &proved, owners, indices, cells, (const Bytes48 *)proofs, cell_count, settings));
	mem_free(cells);
	mem_free(owners);
	mem_free(indices);
	return good && proved;
}
