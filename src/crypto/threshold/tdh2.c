#include "crypto/threshold/tdh2.h"

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/p256_hash.h"

#define KEY_LABEL "xinglin/outer/1"
#define GENERATOR_DOMAIN "xinglin/outer/1 second generator"
#define CHALLENGE_DOMAIN "xinglin/outer/1 challenge"
#define POINTS_HASHED 4u

static const uint8_t zero_iv[12]; /* each key is used once */

static void multiply(struct p256_work *work, EC_POINT *product, const EC_POINT *point, const BIGNUM *scalar) {
	BUG_ON(EC_POINT_mul(
		   p256_group(), product, point ? NULL : scalar, point, point ? scalar : NULL, work->numbers) != 1);
}

static EC_POINT *second_generator(struct p256_work *work) {
	EC_POINT *point = EC_POINT_new(p256_group());
	BUG_ON(!point);
	BUG_ON(!p256_hash_to_point(
	    work, point, (struct bytes){NULL, 0}, bytes_make(GENERATOR_DOMAIN, sizeof GENERATOR_DOMAIN - 1)));
	return point;
}

/* e: over the text, the label, and u, w, v, z. */
static BIGNUM *challenge(
    struct p256_work *work, const hash32 *text, struct bytes label, const struct p256_public *const *points) {
	struct buf said;
	uint8_t length[4], element[VOPRF_ELEMENT_BYTES];
	buf_init(&said, sizeof *text + sizeof length + TDH2_LABEL_MAX + POINTS_HASHED * sizeof element);
	buf_append(&said, BYTES_OF(*text));
	store_be32(length, (uint32_t)label.len);
	buf_append(&said, bytes_make(length, sizeof length));
	buf_append(&said, label);
	for (unsigned i = 0; i < POINTS_HASHED; i++) {
		voprf_element_write(element, points[i]);
		buf_append(&said, bytes_make(element, sizeof element));
	}
	BUG_ON(said.overflow);
	BIGNUM *e =
	    p256_hash_to_scalar(work, buf_view(&said), bytes_make(CHALLENGE_DOMAIN, sizeof CHALLENGE_DOMAIN - 1));
	buf_fini(&said);
	return e;
}

static void derive_key(uint8_t out[32], const struct p256_public *shared, struct bytes label) {
	struct buf info;
	buf_init(&info, sizeof KEY_LABEL + TDH2_LABEL_MAX);
	buf_append(&info, bytes_make(KEY_LABEL, sizeof KEY_LABEL - 1));
	buf_append(&info, label);
	BUG_ON(info.overflow);
	hkdf_sha256(out, 32, (struct bytes){NULL, 0}, bytes_make(shared->xy, 32), buf_view(&info));
	buf_fini(&info);
}

/* --- locking --- */

/* Of r: u, v and rX. False: the key is not on the curve. */
static bool make_points(struct p256_work *work, struct tdh2_head *head, struct p256_public *shared,
    const struct p256_public *key, const BIGNUM *r) {
	EC_POINT *h = second_generator(work);
	const bool is_key = p256_load_point(work, work->point, key);
	if (is_key) {
		multiply(work, work->result, work->point, r);
		p256_store_point(work, shared->xy, work->result);
		multiply(work, work->result, NULL, r);
		p256_store_point(work, head->u.xy, work->result);
		multiply(work, work->result, h, r);
		p256_store_point(work, head->v.xy, work->result);
	}
	EC_POINT_free(h);
	return is_key;
}

static void prove(struct p256_work *work, struct tdh2_head *head, struct bytes label, const BIGNUM *r,
    const struct random_source *random) {
	struct p256_public w, z;
	EC_POINT *h = second_generator(work);
	const BIGNUM *s = p256_secret_draw(work, random);
	BIGNUM *f = p256_secret_number(work, NULL);
	multiply(work, work->result, NULL, s);
	p256_store_point(work, w.xy, work->result);
	multiply(work, work->result, h, s);
	p256_store_point(work, z.xy, work->result);
	const struct p256_public *points[POINTS_HASHED] = {&head->u, &w, &head->v, &z};
	const BIGNUM *e = challenge(work, &head->text, label, points);
	p256_multiply(work, f, e, r);
	BUG_ON(BN_mod_add_quick(f, f, s, p256_order()) != 1);
	BUG_ON(BN_bn2binpad(e, head->e, 32) != 32 || BN_bn2binpad(f, head->f, 32) != 32);
	EC_POINT_free(h);
}

static void encrypt(struct buf *out, const struct p256_public *shared, struct bytes label, struct bytes message) {
	uint8_t key[32], tag[TDH2_TAG_BYTES], *text = mem_alloc(message.len + 1);
	derive_key(key, shared, label);
	aes256gcm_seal(text, tag, key, zero_iv, (struct bytes){NULL, 0}, message);
	buf_append(out, bytes_make(tag, sizeof tag));
	buf_append(out, bytes_make(text, message.len));
	mem_wipe(key, sizeof key);
	mem_free(text);
}

enum status tdh2_lock(struct buf *out, const struct p256_public *key, struct bytes label, struct bytes message,
    const struct random_source *random) {
	struct tdh2_head head;
	struct p256_public shared;
	struct p256_work work;
	struct buf text;
	uint8_t bytes[TDH2_HEAD_BYTES];
	if (label.len > TDH2_LABEL_MAX) return STATUS_LIMIT;
	p256_work_init(&work);
	const BIGNUM *r = p256_secret_draw(&work, random);
	const bool is_key = make_points(&work, &head, &shared, key, r);
	if (is_key) {
		buf_init(&text, message.len + TDH2_TAG_BYTES);
		encrypt(&text, &shared, label, message);
		head.text = sha256(buf_view(&text));
		prove(&work, &head, label, r, random);
		tdh2_head_write(bytes, &head);
		buf_append(out, bytes_make(bytes, TDH2_PROOF_BYTES));
		buf_append(out, buf_view(&text));
		buf_fini(&text);
		mem_wipe(&shared, sizeof shared);
	}
	p256_work_fini(&work);
	return is_key ? STATUS_OK : STATUS_INVALID;
}

/* --- checking --- */

/* out = f * base - e * point, all public. False: it is infinity. */
static bool commitment(struct p256_work *work, struct p256_public *out, const EC_POINT *base,
    const struct p256_public *point, const struct tdh2_head *head) {
	const BIGNUM *e = p256_number(work, head->e), *f = p256_number(work, head->f);
	BUG_ON(!p256_load_point(work, work->point, point));
	multiply(work, work->point, work->point, e);
	BUG_ON(EC_POINT_invert(p256_group(), work->point, work->numbers) != 1);
	multiply(work, work->result, base, f);
	BUG_ON(EC_POINT_add(p256_group(), work->result, work->result, work->point, work->numbers) != 1);
	if (EC_POINT_is_at_infinity(p256_group(), work->result)) return false;
	p256_store_point(work, out->xy, work->result);
	return true;
}

static bool proof_holds(struct p256_work *work, const EC_POINT *h, const struct tdh2_head *head, struct bytes label) {
	struct p256_public w, z;
	const struct p256_public *points[POINTS_HASHED] = {&head->u, &w, &head->v, &z};
	const BIGNUM *e = p256_number(work, head->e), *f = p256_number(work, head->f);
	if (BN_ucmp(e, p256_order()) >= 0 || BN_ucmp(f, p256_order()) >= 0) return false;
	return commitment(work, &w, NULL, &head->u, head) && commitment(work, &z, h, &head->v, head) &&
	       BN_cmp(challenge(work, &head->text, label, points), e) == 0;
}

bool tdh2_is_for(const struct tdh2_head *head, struct bytes label) {
	struct p256_work work;
	if (label.len > TDH2_LABEL_MAX || !p256_public_is_valid(&head->u) || !p256_public_is_valid(&head->v))
		return false;
	p256_work_init(&work);
	EC_POINT *h = second_generator(&work);
	const bool holds = proof_holds(&work, h, head, label);
	EC_POINT_free(h);
	p256_work_fini(&work);
	return holds;
}

/* --- opening --- */

enum status tdh2_open(struct buf *out, struct bytes lock, struct bytes label, const struct p256_public *opened) {
	uint8_t key[32];
	if (lock.len < TDH2_OVERHEAD_BYTES || label.len > TDH2_LABEL_MAX || !p256_public_is_valid(opened))
		return STATUS_INVALID;
	const struct bytes text = bytes_slice(lock, TDH2_OVERHEAD_BYTES, lock.len);
	uint8_t *message = mem_alloc(text.len + 1);
	derive_key(key, opened, label);
	const enum status status =
	    aes256gcm_open(message, lock.data + TDH2_PROOF_BYTES, key, zero_iv, (struct bytes){NULL, 0}, text);
	if (status == STATUS_OK) buf_append(out, bytes_make(message, text.len));
	mem_wipe(message, text.len);
	mem_wipe(key, sizeof key);
	mem_free(message);
	return status;
}

enum status tdh2_open_alone(struct buf *out, struct bytes lock, struct bytes label, const struct p256_secret *secret) {
	struct tdh2_head head;
	struct p256_public opened;
	TRY(tdh2_head_of(&head, lock));
	if (!tdh2_is_for(&head, label)) return STATUS_DENIED;
	struct p256_work work;
	p256_work_init(&work);
	const BIGNUM *x = p256_secret_number(&work, secret->d);
	enum status status = p256_is_scalar(x) ? STATUS_OK : STATUS_INVALID;
	if (status == STATUS_OK) {
		BUG_ON(!p256_load_point(&work, work.point, &head.u));
		multiply(&work, work.result, work.point, x);
		p256_store_point(&work, opened.xy, work.result);
		status = tdh2_open(out, lock, label, &opened);
		mem_wipe(&opened, sizeof opened);
	}
	p256_work_fini(&work);
	return status;
}

/* --- bytes --- */

void tdh2_head_write(uint8_t out[TDH2_HEAD_BYTES], const struct tdh2_head *head) {
	voprf_element_write(out, &head->u);
	voprf_element_write(out + VOPRF_ELEMENT_BYTES, &head->v);
	memcpy(out + 2 * VOPRF_ELEMENT_BYTES, head->e, 32);
	memcpy(out + 2 * VOPRF_ELEMENT_BYTES + 32, head->f, 32);
	memcpy(out + TDH2_PROOF_BYTES, head->text.b, 32);
}

enum status tdh2_head_read(struct tdh2_head *out, struct bytes data) {
	if (data.len != TDH2_HEAD_BYTES) return STATUS_INVALID;
	TRY(voprf_element_read(&out->u, bytes_slice(data, 0, VOPRF_ELEMENT_BYTES)));
	TRY(voprf_element_read(&out->v, bytes_slice(data, VOPRF_ELEMENT_BYTES, VOPRF_ELEMENT_BYTES)));
	memcpy(out->e, data.data + 2 * VOPRF_ELEMENT_BYTES, 32);
	memcpy(out->f, data.data + 2 * VOPRF_ELEMENT_BYTES + 32, 32);
	memcpy(out->text.b, data.data + TDH2_PROOF_BYTES, 32);
	return STATUS_OK;
}

enum status tdh2_head_of(struct tdh2_head *out, struct bytes lock) {
	uint8_t bytes[TDH2_HEAD_BYTES];
	if (lock.len < TDH2_OVERHEAD_BYTES) return STATUS_INVALID;
	const hash32 text = sha256(bytes_slice(lock, TDH2_PROOF_BYTES, lock.len));
	memcpy(bytes, lock.data, TDH2_PROOF_BYTES);
	memcpy(bytes + TDH2_PROOF_BYTES, text.b, 32);
	return tdh2_head_read(out, bytes_make(bytes, sizeof bytes));
}
