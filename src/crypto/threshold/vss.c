#include "base/mem.h"
#include "crypto/threshold/vss_work.h"

static bool is_index(uint8_t index) {
	return index >= 1 && index <= VSS_SHARES_MAX;
}

static BIGNUM *small_number(struct p256_work *work, uint8_t value) {
	BIGNUM *number = p256_number(work, NULL);
	BUG_ON(BN_set_word(number, value) != 1);
	return number;
}

/* --- dealing --- */

static void commit(struct p256_work *work, struct p256_public *out, const BIGNUM *coefficient) {
	BUG_ON(EC_POINT_mul(p256_group(), work->result, coefficient, NULL, NULL, work->numbers) != 1);
	p256_store_point(work, out->xy, work->result);
}

/* f(index), by Horner's rule. */
static void evaluate(struct p256_work *work, struct vss_share *share, BIGNUM *const *coefficients, uint8_t threshold) {
	BN_CTX_start(work->numbers);
	const BIGNUM *x = small_number(work, share->index);
	BIGNUM *sum = p256_secret_number(work, NULL);
	for (uint8_t j = threshold; j-- > 0;) {
		p256_multiply(work, sum, sum, x);
		BUG_ON(BN_mod_add_quick(sum, sum, coefficients[j], p256_order()) != 1);
	}
	BUG_ON(BN_bn2binpad(sum, share->value.d, 32) != 32);
	BN_CTX_end(work->numbers);
}

enum status vss_deal(struct vss_commitments *commitments, struct vss_share *shares, const struct p256_secret *secret,
    uint8_t threshold, uint8_t count, const struct random_source *random) {
	if (threshold < 1 || threshold > count || threshold > VSS_THRESHOLD_MAX || count > VSS_SHARES_MAX)
		return STATUS_INVALID;
	struct p256_work work;
	p256_work_init(&work);
	BIGNUM *coefficients[VSS_THRESHOLD_MAX] = {p256_secret_number(&work, secret->d)};
	const bool is_valid = p256_is_scalar(coefficients[0]);
	if (is_valid) {
		for (uint8_t j = 1; j < threshold; j++) coefficients[j] = p256_secret_draw(&work, random);
		*commitments = (struct vss_commitments){.threshold = threshold};
		for (uint8_t j = 0; j < threshold; j++) commit(&work, &commitments->points[j], coefficients[j]);
		for (uint8_t i = 0; i < count; i++) {
			shares[i].index = (uint8_t)(i + 1);
			evaluate(&work, &shares[i], coefficients, threshold);
		}
	}
	p256_work_fini(&work);
	return is_valid ? STATUS_OK : STATUS_INVALID;
}

/* --- checking --- */

/* work->result = f(index) G, from the commitments alone; all public. False if one is not on the curve. */
static bool find_public_share(struct p256_work *work, const struct vss_commitments *commitments, uint8_t index) {
	const BIGNUM *x = small_number(work, index);
	BUG_ON(commitments->threshold > VSS_THRESHOLD_MAX);
	BUG_ON(EC_POINT_set_to_infinity(p256_group(), work->result) != 1);
	for (uint8_t j = commitments->threshold; j-- > 0;) {
		if (!p256_load_point(work, work->point, &commitments->points[j])) return false;
		BUG_ON(EC_POINT_mul(p256_group(), work->result, NULL, work->result, x, work->numbers) != 1);
		BUG_ON(EC_POINT_add(p256_group(), work->result, work->result, work->point, work->numbers) != 1);
	}
	return true;
}

bool vss_share_is_valid(const struct vss_share *share, const struct vss_commitments *commitments) {
	struct p256_public own;
	if (!is_index(share->index) || p256_public_of(&own, &share->value) != STATUS_OK) return false;
	struct p256_work work;
	p256_work_init(&work);
	const bool is_valid = find_public_share(&work, commitments, share->index) &&
			      p256_load_point(&work, work.point, &own) &&
			      EC_POINT_cmp(p256_group(), work.result, work.point, work.numbers) == 0;
	p256_work_fini(&work);
	return is_valid;
}

enum status vss_public_share(struct p256_public *out, const struct vss_commitments *commitments, uint8_t index) {
	if (!is_index(index)) return STATUS_INVALID;
	struct p256_work work;
	p256_work_init(&work);
	const bool is_found =
	    find_public_share(&work, commitments, index) && !EC_POINT_is_at_infinity(p256_group(), work.result);
	if (is_found) p256_store_point(&work, out->xy, work.result);
	p256_work_fini(&work);
	return is_found ? STATUS_OK : STATUS_INVALID;
}

/* --- combining --- */

bool vss_are_indexes(const uint8_t *indexes, size_t count) {
	uint64_t seen = 0;
	for (size_t i = 0; i < count; i++) {
		if (!is_index(indexes[i])) return false;
		const uint64_t bit = (uint64_t)1 << (indexes[i] - 1);
		if (seen & bit) return false;
		seen |= bit;
	}
	return true;
}

BIGNUM *vss_weight(struct p256_work *work, const uint8_t *indexes, size_t count, size_t i) {
	BIGNUM *above = small_number(work, 1), *below = small_number(work, 1), *factor = p256_number(work, NULL);
	const BIGNUM *own = small_number(work, indexes[i]), *order = p256_order();
	for (size_t j = 0; j < count; j++) {
		if (j == i) continue;
		const BIGNUM *other = small_number(work, indexes[j]);
		BUG_ON(BN_mod_sub(factor, other, own, order, work->numbers) != 1);
		BUG_ON(BN_mod_mul(above, above, other, order, work->numbers) != 1);
		BUG_ON(BN_mod_mul(below, below, factor, order, work->numbers) != 1);
	}
	BUG_ON(!BN_mod_inverse(below, below, order, work->numbers));
	BUG_ON(BN_mod_mul(above, above, below, order, work->numbers) != 1);
	return above;
}

/* False if a value is not in [1, n). */
static bool interpolate(struct p256_work *work, struct p256_secret *secret, const struct vss_share *shares,
    const uint8_t *indexes, size_t count) {
	BIGNUM *sum = p256_secret_number(work, NULL);
	for (size_t i = 0; i < count; i++) {
		BIGNUM *term = p256_secret_number(work, shares[i].value.d);
		if (!p256_is_scalar(term)) return false;
		p256_multiply(work, term, term, vss_weight(work, indexes, count, i));
		BUG_ON(BN_mod_add_quick(sum, sum, term, p256_order()) != 1);
	}
	BUG_ON(BN_bn2binpad(sum, secret->d, 32) != 32);
	return true;
}

enum status vss_combine(struct p256_secret *secret, const struct vss_share *shares, size_t count,
    const struct vss_commitments *commitments) {
	uint8_t indexes[VSS_SHARES_MAX];
	*secret = (struct p256_secret){{0}};
	if (count < commitments->threshold || count == 0 || count > VSS_SHARES_MAX) return STATUS_INVALID;
	for (size_t i = 0; i < count; i++) indexes[i] = shares[i].index;
	if (!vss_are_indexes(indexes, count)) return STATUS_INVALID;
	struct p256_work work;
	p256_work_init(&work);
	enum status status = interpolate(&work, secret, shares, indexes, count) ? STATUS_OK : STATUS_INVALID;
	p256_work_fini(&work);
	struct p256_public key;
	if (status == STATUS_OK && (p256_public_of(&key, secret) != STATUS_OK ||
				       memcmp(key.xy, commitments->points[0].xy, sizeof key.xy) != 0))
		status = STATUS_DENIED;
	if (status != STATUS_OK) mem_wipe(secret, sizeof *secret);
	return status;
}

/* --- bytes --- */

void vss_share_write(uint8_t out[VSS_SHARE_BYTES], const struct vss_share *share) {
	out[0] = share->index;
	memcpy(out + 1, share->value.d, sizeof share->value.d);
}

static bool is_secret(const struct p256_secret *secret) {
	struct p256_work work;
	p256_work_init(&work);
	const bool is_scalar = p256_is_scalar(p256_secret_number(&work, secret->d));
	p256_work_fini(&work);
	return is_scalar;
}

enum status vss_share_read(struct vss_share *out, struct bytes data) {
	if (data.len != VSS_SHARE_BYTES || !is_index(data.data[0])) return STATUS_INVALID;
	out->index = data.data[0];
	memcpy(out->value.d, data.data + 1, sizeof out->value.d);
	if (is_secret(&out->value)) return STATUS_OK;
	mem_wipe(out, sizeof *out);
	return STATUS_INVALID;
}

enum status vss_commitments_read(
    struct vss_commitments *out, uint8_t threshold, const struct p256_public *key, struct bytes rest) {
	if (threshold < 1 || threshold > VSS_THRESHOLD_MAX) return STATUS_INVALID;
	if (rest.len != (threshold - 1u) * VSS_POINT_BYTES) return STATUS_INVALID;
	*out = (struct vss_commitments){.threshold = threshold, .points = {*key}};
	if (rest.len) memcpy(out->points + 1, rest.data, rest.len);
	for (uint8_t j = 0; j < threshold; j++)
		if (!p256_public_is_valid(&out->points[j])) return STATUS_INVALID;
	return STATUS_OK;
}
