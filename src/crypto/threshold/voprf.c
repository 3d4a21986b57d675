#include "crypto/threshold/voprf.h"

#include "base/mem.h"
#include "crypto/hash.h"
#include "crypto/p256_hash.h"
#include "crypto/threshold/vss_work.h"

#define CONTEXT "OPRFV1-\x01-P256-SHA256"
#define TRANSCRIPT_MAX 512u
#define POINTS 8u /* that one operation uses */

/* Points and numbers of one operation. */
struct voprf {
	struct p256_work work;
	EC_POINT *points[POINTS];
	unsigned used;
};

static void begin(struct voprf *voprf) {
	p256_work_init(&voprf->work);
	voprf->used = 0;
}

static void end(struct voprf *voprf) {
	while (voprf->used > 0) EC_POINT_clear_free(voprf->points[--voprf->used]);
	p256_work_fini(&voprf->work);
}

static EC_POINT *new_point(struct voprf *voprf) {
	EC_POINT *point = EC_POINT_new(p256_group());
	BUG_ON(!point || voprf->used == POINTS);
	return voprf->points[voprf->used++] = point;
}

/* NULL: not on the curve. */
static EC_POINT *load(struct voprf *voprf, const struct p256_public *from) {
	EC_POINT *point = new_point(voprf);
	return p256_load_point(&voprf->work, point, from) ? point : NULL;
}

/* scalar * point; NULL: the generator. */
static EC_POINT *multiply(struct voprf *voprf, const EC_POINT *point, const BIGNUM *scalar) {
	EC_POINT *product = new_point(voprf);
	BUG_ON(EC_POINT_mul(p256_group(), product, point ? NULL : scalar, point, point ? scalar : NULL,
		   voprf->work.numbers) != 1);
	return product;
}

/* --- transcripts --- */

/* Length (two bytes) and bytes. */
static void put(struct buf *out, struct bytes part) {
	const uint8_t len[2] = {(uint8_t)(part.len >> 8), (uint8_t)part.len};
	buf_append(out, bytes_make(len, sizeof len));
	buf_append(out, part);
}

static void put_point(struct voprf *voprf, struct buf *out, const EC_POINT *point) {
	uint8_t encoded[VOPRF_ELEMENT_BYTES] = {0}; /* infinity is one zero byte: no valid transcript has it */
	(void)EC_POINT_point2oct(
	    p256_group(), point, POINT_CONVERSION_COMPRESSED, encoded, sizeof encoded, voprf->work.numbers);
	put(out, bytes_make(encoded, sizeof encoded));
}

static BIGNUM *scalar_of(struct voprf *voprf, struct buf *transcript, const char *label) {
	buf_append(transcript, bytes_text(label));
	BUG_ON(transcript->overflow);
	BIGNUM *scalar =
	    p256_hash_to_scalar(&voprf->work, buf_view(transcript), BYTES_LITERAL("HashToScalar-" CONTEXT));
	buf_fini(transcript);
	return scalar;
}

/* ComputeComposites for one pair: the factor d of M = d C and Z = d D. */
static BIGNUM *composite(struct voprf *voprf, const EC_POINT *key, const EC_POINT *c, const EC_POINT *d) {
	struct buf transcript;
	static const uint8_t first[2] = {0, 0};
	buf_init(&transcript, TRANSCRIPT_MAX);
	put_point(voprf, &transcript, key);
	put(&transcript, BYTES_LITERAL("Seed-" CONTEXT));
	const hash32 seed = sha256(buf_view(&transcript));
	buf_fini(&transcript);
	buf_init(&transcript, TRANSCRIPT_MAX);
	put(&transcript, BYTES_OF(seed));
	buf_append(&transcript, bytes_make(first, sizeof first));
	put_point(voprf, &transcript, c);
	put_point(voprf, &transcript, d);
	return scalar_of(voprf, &transcript, "Composite");
}

static BIGNUM *challenge(struct voprf *voprf, const EC_POINT *const points[5]) {
	struct buf transcript;
	buf_init(&transcript, TRANSCRIPT_MAX);
	for (unsigned i = 0; i < 5; i++) put_point(voprf, &transcript, points[i]);
	return scalar_of(voprf, &transcript, "Challenge");
}

/* --- asking --- */

static enum status hash_text(struct voprf *voprf, EC_POINT **out, struct bytes text) {
	if (text.len > VOPRF_TEXT_MAX) return STATUS_LIMIT;
	*out = new_point(voprf);
	const bool is_point = p256_hash_to_point(&voprf->work, *out, text, BYTES_LITERAL("HashToGroup-" CONTEXT));
	return is_point ? STATUS_OK : STATUS_INVALID;
}

enum status voprf_blind(struct p256_public *blinded, const struct p256_secret *blind, struct bytes text) {
	struct voprf voprf;
	EC_POINT *point;
	begin(&voprf);
	const BIGNUM *scalar = p256_secret_number(&voprf.work, blind->d);
	enum status status = p256_is_scalar(scalar) ? hash_text(&voprf, &point, text) : STATUS_INVALID;
	if (status == STATUS_OK) p256_store_point(&voprf.work, blinded->xy, multiply(&voprf, point, scalar));
	end(&voprf);
	return status;
}

enum status voprf_finalize(
    hash32 *out, struct bytes text, const struct p256_secret *blind, const struct p256_public *evaluated) {
	struct voprf voprf;
	struct p256_public unblinded;
	uint8_t element[VOPRF_ELEMENT_BYTES];
	if (text.len > VOPRF_TEXT_MAX) return STATUS_LIMIT;
	begin(&voprf);
	const EC_POINT *point = load(&voprf, evaluated);
	BIGNUM *scalar = p256_secret_number(&voprf.work, blind->d);
	const bool is_sound = point && p256_is_scalar(scalar);
	if (is_sound) {
		p256_invert(&voprf.work, scalar, scalar);
		p256_store_point(&voprf.work, unblinded.xy, multiply(&voprf, point, scalar));
	}
	end(&voprf);
	if (!is_sound) return STATUS_INVALID;
	voprf_element_write(element, &unblinded);
	const uint8_t text_len[2] = {(uint8_t)(text.len >> 8), (uint8_t)text.len}, element_len[2] = {0, sizeof element};
	const struct bytes parts[] = {bytes_make(text_len, sizeof text_len), text,
	    bytes_make(element_len, sizeof element_len), bytes_make(element, sizeof element),
	    BYTES_LITERAL("Finalize")};
	*out = sha256_parts(parts, 5);
	mem_wipe(&unblinded, sizeof unblinded);
	mem_wipe(element, sizeof element);
	return STATUS_OK;
}

/* --- answering --- */

/* GenerateProof: log_G(key) = log_C(D). */
static void prove(struct voprf *voprf, uint8_t proof[VOPRF_PROOF_BYTES], const BIGNUM *secret, const EC_POINT *c,
    const EC_POINT *d, const struct random_source *random) {
	const EC_POINT *key = multiply(voprf, NULL, secret);
	const EC_POINT *m = multiply(voprf, c, composite(voprf, key, c, d)), *z = multiply(voprf, m, secret);
	const BIGNUM *nonce = p256_secret_draw(&voprf->work, random);
	const EC_POINT *points[5] = {key, m, z, multiply(voprf, NULL, nonce), multiply(voprf, m, nonce)};
	const BIGNUM *c_value = challenge(voprf, points);
	BIGNUM *s = p256_secret_number(&voprf->work, NULL);
	p256_multiply(&voprf->work, s, c_value, secret);
	BUG_ON(BN_mod_sub_quick(s, nonce, s, p256_order()) != 1);
	BUG_ON(BN_bn2binpad(c_value, proof, 32) != 32 || BN_bn2binpad(s, proof + 32, 32) != 32);
}

enum status voprf_evaluate(struct voprf_part *out, const struct vss_share *share, const struct p256_public *blinded,
    const struct random_source *random) {
	struct voprf voprf;
	begin(&voprf);
	const EC_POINT *c = load(&voprf, blinded);
	const BIGNUM *secret = p256_secret_number(&voprf.work, share->value.d);
	const bool is_sound = c && p256_is_scalar(secret) && share->index >= 1 && share->index <= VSS_SHARES_MAX;
	if (is_sound) {
		const EC_POINT *d = multiply(&voprf, c, secret);
		*out = (struct voprf_part){.index = share->index};
		p256_store_point(&voprf.work, out->evaluated.xy, d);
		prove(&voprf, out->proof, secret, c, d, random);
	}
	end(&voprf);
	return is_sound ? STATUS_OK : STATUS_INVALID;
}

/* --- checking --- */

/* a * s + b * c; a NULL: the generator. All public. */
static EC_POINT *sum_of(struct voprf *voprf, const EC_POINT *a, const BIGNUM *s, const EC_POINT *b, const BIGNUM *c) {
	EC_POINT *sum = multiply(voprf, a, s), *second = voprf->work.point;
	BUG_ON(EC_POINT_mul(p256_group(), second, NULL, b, c, voprf->work.numbers) != 1);
	BUG_ON(EC_POINT_add(p256_group(), sum, sum, second, voprf->work.numbers) != 1);
	return sum;
}

static bool proof_holds(struct voprf *voprf, const struct voprf_part *part, const struct p256_public *public_share,
    const struct p256_public *blinded) {
	const EC_POINT *key = load(voprf, public_share), *c = load(voprf, blinded), *d = load(voprf, &part->evaluated);
	const BIGNUM *c_value = p256_number(&voprf->work, part->proof),
		     *s = p256_number(&voprf->work, part->proof + 32);
	if (!key || !c || !d || BN_ucmp(c_value, p256_order()) >= 0 || BN_ucmp(s, p256_order()) >= 0) return false;
	const BIGNUM *factor = composite(voprf, key, c, d);
	const EC_POINT *m = multiply(voprf, c, factor), *z = multiply(voprf, d, factor);
	const EC_POINT *points[5] = {key, m, z, sum_of(voprf, NULL, s, key, c_value), sum_of(voprf, m, s, z, c_value)};
	return BN_cmp(challenge(voprf, points), c_value) == 0;
}

bool voprf_part_is_valid(
    const struct voprf_part *part, const struct p256_public *key, const struct p256_public *blinded) {
	struct voprf voprf;
	begin(&voprf);
	const bool holds = proof_holds(&voprf, part, key, blinded);
	end(&voprf);
	return holds;
}

/* --- putting together --- */

/* The sum of the parts' elements, each times its weight at 0. False: it is infinity. */
static bool interpolate(
    struct p256_public *out, const struct voprf_part *const *parts, const uint8_t *indexes, size_t count) {
	struct p256_work work;
	p256_work_init(&work);
	BUG_ON(EC_POINT_set_to_infinity(p256_group(), work.result) != 1);
	for (size_t i = 0; i < count; i++) {
		const BIGNUM *weight = vss_weight(&work, indexes, count, i);
		BUG_ON(!p256_load_point(&work, work.point, &parts[i]->evaluated));
		BUG_ON(EC_POINT_mul(p256_group(), work.point, NULL, work.point, weight, work.numbers) != 1);
		BUG_ON(EC_POINT_add(p256_group(), work.result, work.result, work.point, work.numbers) != 1);
	}
	const bool is_point = !EC_POINT_is_at_infinity(p256_group(), work.result);
	if (is_point) p256_store_point(&work, out->xy, work.result);
	p256_work_fini(&work);
	return is_point;
}

static bool is_good(
    const struct voprf_part *part, const struct vss_commitments *commitments, const struct p256_public *blinded) {
	struct p256_public key;
	return vss_public_share(&key, commitments, part->index) == STATUS_OK &&
	       voprf_part_is_valid(part, &key, blinded);
}

enum status voprf_combine(struct p256_public *out, uint64_t *false_parts, const struct voprf_part *parts, size_t count,
    const struct vss_commitments *commitments, const struct p256_public *blinded) {
	const struct voprf_part *good[VSS_SHARES_MAX];
	uint8_t indexes[VSS_SHARES_MAX];
	size_t found = 0;
	*false_parts = 0;
	if (count > VSS_SHARES_MAX) return STATUS_INVALID;
	for (size_t i = 0; i < count; i++) {
		indexes[found] = parts[i].index;
		if (!vss_are_indexes(indexes, found + 1) || !is_good(&parts[i], commitments, blinded))
			*false_parts |= (uint64_t)1 << i;
		else
			good[found++] = &parts[i];
	}
	if (found < commitments->threshold || found == 0) return STATUS_DENIED;
	return interpolate(out, good, indexes, commitments->threshold) ? STATUS_OK : STATUS_DENIED;
}

/* --- bytes --- */

void voprf_element_write(uint8_t out[VOPRF_ELEMENT_BYTES], const struct p256_public *element) {
	out[0] = (uint8_t)(2 + (element->xy[63] & 1));
	memcpy(out + 1, element->xy, 32);
}

enum status voprf_element_read(struct p256_public *out, struct bytes data) {
	if (data.len != VOPRF_ELEMENT_BYTES || (data.data[0] != 2 && data.data[0] != 3)) return STATUS_INVALID;
	struct p256_work work;
	p256_work_init(&work);
	const bool is_point = EC_POINT_oct2point(p256_group(), work.point, data.data, data.len, work.numbers) == 1;
	if (is_point) p256_store_point(&work, out->xy, work.point);
	p256_work_fini(&work);
	return is_point ? STATUS_OK : STATUS_INVALID;
}

void voprf_part_write(uint8_t out[VOPRF_PART_BYTES], const struct voprf_part *part) {
	out[0] = part->index;
	voprf_element_write(out + 1, &part->evaluated);
	memcpy(out + 1 + VOPRF_ELEMENT_BYTES, part->proof, VOPRF_PROOF_BYTES);
}

enum status voprf_part_read(struct voprf_part *out, struct bytes data) {
	if (data.len != VOPRF_PART_BYTES || data.data[0] < 1 || data.data[0] > VSS_SHARES_MAX) return STATUS_INVALID;
	out->index = data.data[0];
	memcpy(out->proof, data.data + 1 + VOPRF_ELEMENT_BYTES, VOPRF_PROOF_BYTES);
	return voprf_element_read(&out->evaluated, bytes_make(data.data + 1, VOPRF_ELEMENT_BYTES));
}
