/* Shares of a key from what several dealers dealt: the sum, or its weighted sum if an old key is dealt again. */
#include "base/mem.h"
#include "crypto/threshold/vss_work.h"

struct gathering {
	const struct vss_dealing *dealings;
	size_t count;
	uint8_t dealers[VSS_SHARES_MAX];
	const struct vss_commitments *old; /* NULL: the key is new, and each weight is 1 */
};

static bool is_old_share(const struct vss_commitments *old, const struct vss_dealing *dealing) {
	struct p256_public key;
	return vss_public_share(&key, old, dealing->dealer) == STATUS_OK &&
	       memcmp(key.xy, dealing->commitments.points[0].xy, sizeof key.xy) == 0;
}

static bool is_good(struct gathering *gathering, size_t i) {
	const struct vss_dealing *dealing = &gathering->dealings[i], *first = gathering->dealings;
	gathering->dealers[i] = dealing->dealer;
	return vss_are_indexes(gathering->dealers, i + 1) &&
	       dealing->commitments.threshold == first->commitments.threshold &&
	       dealing->share.index == first->share.index &&
	       vss_share_is_valid(&dealing->share, &dealing->commitments) &&
	       (!gathering->old || is_old_share(gathering->old, dealing));
}

static const BIGNUM *weight(struct p256_work *work, const struct gathering *gathering, size_t i) {
	return gathering->old ? vss_weight(work, gathering->dealers, gathering->count, i) : BN_value_one();
}

static bool add_shares(struct p256_work *work, struct vss_share *share, const struct gathering *gathering) {
	BIGNUM *sum = p256_secret_number(work, NULL), *term = p256_secret_number(work, NULL);
	for (size_t i = 0; i < gathering->count; i++) {
		const struct vss_share *part = &gathering->dealings[i].share;
		BUG_ON(!BN_bin2bn(part->value.d, sizeof part->value.d, term));
		p256_multiply(work, term, term, weight(work, gathering, i));
		BUG_ON(BN_mod_add_quick(sum, sum, term, p256_order()) != 1);
	}
	share->index = gathering->dealings->share.index;
	BUG_ON(BN_bn2binpad(sum, share->value.d, sizeof share->value.d) != sizeof share->value.d);
	return p256_is_scalar(sum);
}

/* Commitment `j` of the sum; false: it is infinity, so the polynomial has no such term. */
static bool add_commitments(
    struct p256_work *work, struct p256_public *out, const struct gathering *gathering, unsigned j) {
	BUG_ON(EC_POINT_set_to_infinity(p256_group(), work->result) != 1);
	for (size_t i = 0; i < gathering->count; i++) {
		BUG_ON(!p256_load_point(work, work->point, &gathering->dealings[i].commitments.points[j]));
		BUG_ON(EC_POINT_mul(p256_group(), work->point, NULL, work->point, weight(work, gathering, i),
			   work->numbers) != 1);
		BUG_ON(EC_POINT_add(p256_group(), work->result, work->result, work->point, work->numbers) != 1);
	}
	if (EC_POINT_is_at_infinity(p256_group(), work->result)) return false;
	p256_store_point(work, out->xy, work->result);
	return true;
}

static enum status gather(struct vss_commitments *commitments, struct vss_share *share, uint64_t *false_dealers,
    struct gathering *gathering) {
	*false_dealers = 0;
	if (gathering->count < 1 || gathering->count > VSS_SHARES_MAX) return STATUS_INVALID;
	for (size_t i = 0; i < gathering->count; i++) *false_dealers |= (uint64_t)!is_good(gathering, i) << i;
	if (*false_dealers) return STATUS_DENIED;
	struct p256_work work;
	p256_work_init(&work);
	*commitments = (struct vss_commitments){.threshold = gathering->dealings->commitments.threshold};
	bool is_sound = add_shares(&work, share, gathering);
	for (unsigned j = 0; j < commitments->threshold && is_sound; j++)
		is_sound = add_commitments(&work, &commitments->points[j], gathering, j);
	p256_work_fini(&work);
	if (!is_sound) mem_wipe(share, sizeof *share);
	return is_sound ? STATUS_OK : STATUS_INVALID;
}

enum status vss_found(struct vss_commitments *commitments, struct vss_share *share, uint64_t *false_dealers,
    const struct vss_dealing *dealings, size_t count) {
	struct gathering gathering = {.dealings = dealings, .count = count};
	return gather(commitments, share, false_dealers, &gathering);
}

enum status vss_reshare(struct vss_commitments *commitments, struct vss_share *share, uint64_t *false_dealers,
    const struct vss_dealing *dealings, size_t count, const struct vss_commitments *old) {
	struct gathering gathering = {.dealings = dealings, .count = count, .old = old};
	*false_dealers = 0;
	if (count < old->threshold) return STATUS_INVALID;
	return gather(commitments, share, false_dealers, &gathering);
}
