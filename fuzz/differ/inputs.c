#include "fuzz/differ/inputs.h"

#include "crypto/hash.h"
#include "eth/sign.h"
#include "fuzz/differ/case.h"
#include "ledger/evm/precompiles.h"

enum { POINTS = 6, SIGNATURES = 4, BN_G1 = 64, BN_G2 = 128, BLS_FIELD = 64, BLS_G1 = 128, BLS_G2 = 256 };

struct inputs {
	uint8_t bn_g1[POINTS][BN_G1], bn_g2[BN_G2], bn_g2_minus[BN_G2];
	uint8_t bls_g1[POINTS][BLS_G1], bls_g2[POINTS][BLS_G2];
	uint8_t recoveries[SIGNATURES][128];
};

/* The generators (EIP-197, EIP-2537). */
static const char bn_g2_hex[] = "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
				"1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
				"090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
				"12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa";
static const char bls_g1_hex[] = "0000000000000000000000000000000017f1d3a73197d7942695638c4fa9ac0f"
				 "c3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
				 "0000000000000000000000000000000008b3f481e3aaa0f1a09e30ed741d8ae4"
				 "fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1";
static const char bls_g2_hex[] = "00000000000000000000000000000000024aa2b2f08f0a91260805272dc51051"
				 "c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8"
				 "0000000000000000000000000000000013e02b6052719f607dacd3a088274f65"
				 "596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e"
				 "000000000000000000000000000000000ce5d527727d6e118cc9cdc6da2e351a"
				 "adfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801"
				 "000000000000000000000000000000000606c4a02ea734cc32acd2b02bc28b99"
				 "cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be";
/* -y of the first; the field's order is 21888…8583. */
static const char bn_g2_minus_y_hex[] = "275dc4a288d1afb3cbb1ac09187524c7db36395df7be3b99e673b13a075a65ec"
					"1d9befcd05a5323e6da4d435f3b617cdb3af83285c2df711ef39c01571827f9d";
/* RFC 6979 A.2.5, "sample" with SHA-256: digest, r, s, x, y. */
static const char p256_hex[] = "af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf"
			       "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
			       "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
			       "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
			       "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";

static void from_hex(uint8_t *out, const char *text) {
	for (; text[0] != 0; text += 2, out++) {
		const unsigned high = (unsigned char)text[0], low = (unsigned char)text[1];
		*out = (uint8_t)((high > '9' ? high - 'a' + 10 : high - '0') << 4 |
				 (low > '9' ? low - 'a' + 10 : low - '0'));
	}
}

/* out = point * scalar, by the precompile at `last`. */
static void multiply(uint8_t *out, size_t len, uint8_t last, const uint8_t *point, const hash32 *scalar) {
	const addr20 address = {{[19] = last}};
	const struct precompile *precompile = precompile_find(FORK_OSAKA, &address);
	struct buf input, output;
	memcpy(out, point, len);
	if (precompile == NULL) return; /* a build without blst */
	buf_init(&input, BUF_MAX_DEFAULT);
	buf_init(&output, BUF_MAX_DEFAULT);
	buf_append(&input, bytes_make(point, len));
	buf_append(&input, BYTES_OF(*scalar));
	BUG_ON(!precompile->run(&output, buf_view(&input)) || output.len != len);
	memcpy(out, output.data, len);
	buf_fini(&input);
	buf_fini(&output);
}

static void make_recovery(uint8_t out[128], const hash32 *secret) {
	struct eth_signature signature;
	const hash32 digest = keccak256(BYTES_OF(*secret));
	BUG_ON(eth_sign_digest(&signature, secret, &digest) != STATUS_OK);
	memset(out, 0, 128);
	memcpy(out, digest.b, 32);
	out[63] = signature.b[64];
	memcpy(out + 64, signature.b, 64);
}

struct inputs *inputs_new(void) {
	struct inputs *inputs = mem_zalloc(1, sizeof *inputs);
	const uint8_t one_two[BN_G1] = {[31] = 1, [63] = 2};
	uint8_t bls_g1[BLS_G1], bls_g2[BLS_G2];
	from_hex(inputs->bn_g2, bn_g2_hex);
	memcpy(inputs->bn_g2_minus, inputs->bn_g2, BN_G2);
	from_hex(inputs->bn_g2_minus + 64, bn_g2_minus_y_hex);
	from_hex(bls_g1, bls_g1_hex);
	from_hex(bls_g2, bls_g2_hex);
	for (uint8_t i = 0; i < POINTS; i++) { /* the first is at infinity */
		const hash32 scalar = {{[31] = i}};
		multiply(inputs->bn_g1[i], BN_G1, 0x07, one_two, &scalar);
		multiply(inputs->bls_g1[i], BLS_G1, 0x0c, bls_g1, &scalar);
		multiply(inputs->bls_g2[i], BLS_G2, 0x0e, bls_g2, &scalar);
	}
	for (uint8_t i = 0; i < SIGNATURES; i++) {
		const hash32 secret = {{[31] = (uint8_t)(i + 1)}};
		make_recovery(inputs->recoveries[i], &secret);
	}
	return inputs;
}

void inputs_free(struct inputs *inputs) {
	mem_free(inputs);
}

static void put_any(struct buf *out, struct random *random, size_t len) {
	random_fill(random, buf_extend(out, len), len);
}

static void put_scalar(struct buf *out, struct random *random) {
	const u256 scalar = random_word(random);
	put_word(out, &scalar);
}

static void put_bn_point(struct inputs *inputs, struct buf *out, struct random *random) {
	buf_append(out, bytes_make(inputs->bn_g1[random_below(random, POINTS)], BN_G1));
}

/* Sometimes a point that is not on the curve, or not in the group. */
static void put_bls_point(struct inputs *inputs, struct buf *out, struct random *random, bool in_g2) {
	const size_t i = random_below(random, POINTS), len = in_g2 ? BLS_G2 : BLS_G1;
	buf_append(out, bytes_make(in_g2 ? inputs->bls_g2[i] : inputs->bls_g1[i], len));
	if (random_chance(random, 30)) out->data[out->len - 1 - random_below(random, len)] ^= 1;
}

static void put_lengths(struct buf *out, const uint64_t lengths[3]) {
	for (int i = 0; i < 3; i++) {
		const u256 length = u256_from(lengths[i]);
		put_word(out, &length);
	}
}

static void put_modexp(struct buf *out, struct random *random) {
	static const uint64_t edges[] = {0, 1, 31, 32, 33, 64, 65, 128, 256, 1024, 1025};
	uint64_t lengths[3];
	for (int i = 0; i < 3; i++)
		lengths[i] = random_chance(random, 700)
				 ? random_below(random, 48)
				 : edges[random_below(random, random_chance(random, 700) ? 9 : 11)];
	if (random_chance(random, 400)) lengths[1] = random_below(random, 2); /* or long numbers would be too dear */
	if (random_chance(random, 10)) lengths[random_below(random, 3)] = random_next(random);
	put_lengths(out, lengths);
	for (int i = 0; i < 3; i++) {
		const size_t len = lengths[i] > 2048 ? 100 : (size_t)lengths[i];
		const size_t zeros = random_chance(random, 200) ? random_below(random, len + 1) : 0;
		memset(buf_extend(out, zeros), 0, zeros);
		put_any(out, random, len - zeros);
	}
}

static void put_blake2f(struct buf *out, struct random *random) {
	put_u32(out, random_chance(random, 950) ? random_below(random, 20) : random_below(random, 5000));
	put_any(out, random, 64 + 128 + 16);
	buf_byte(out, random_chance(random, 950) ? (uint8_t)random_below(random, 2) : (uint8_t)random_next(random));
}

/* A constant polynomial c: its commitment is c times the generator, its proof the point at infinity, wherever one
 * looks; here c is 0 or 1. */
static void put_point_evaluation(struct inputs *inputs, struct buf *out, struct random *random) {
	uint8_t commitment[48] = {0xc0};
	const uint8_t infinity[48] = {0xc0};
	const bool is_one = random_chance(random, 500);
	if (is_one) {
		memcpy(commitment, inputs->bls_g1[1] + 16, 48);
		commitment[0] |= 0x80;
	}
	hash32 name;
	name = sha256(bytes_make(commitment, sizeof commitment));
	name.b[0] = random_chance(random, 970) ? 0x01 : 0x02;
	buf_append(out, BYTES_OF(name));
	const u256 z = u256_from(random_next(random)), y = u256_from(random_chance(random, 900) ? is_one : 2);
	put_word(out, &z);
	put_word(out, &y);
	buf_append(out, bytes_make(commitment, sizeof commitment));
	buf_append(out, bytes_make(infinity, sizeof infinity));
}

static void put_bn_pairing(struct inputs *inputs, struct buf *out, struct random *random) {
	const size_t pairs = random_below(random, 3);
	const size_t point = random_below(random, POINTS);
	for (size_t i = 0; i < pairs; i++) { /* e(P, Q) e(P, -Q) = 1 */
		buf_append(out, bytes_make(inputs->bn_g1[random_chance(random, 850) ? point : 1], BN_G1));
		buf_append(out, bytes_make(i == 0 ? inputs->bn_g2 : inputs->bn_g2_minus, BN_G2));
	}
}

static void put_bls(struct inputs *inputs, struct buf *out, struct random *random, unsigned address) {
	const size_t items = 1 + random_below(random, random_chance(random, 970) ? 3 : 60);
	switch (address) {
	case 0x0b:
	case 0x0d:
		for (int i = 0; i < 2; i++) put_bls_point(inputs, out, random, address == 0x0d);
		break;
	case 0x0c:
	case 0x0e:
		for (size_t i = 0; i < items; i++) {
			put_bls_point(inputs, out, random, address == 0x0e);
			put_scalar(out, random);
		}
		break;
	case 0x0f:
		for (size_t i = 0; i < items; i++) {
			put_bls_point(inputs, out, random, false);
			put_bls_point(inputs, out, random, true);
		}
		break;
	case 0x10:
	case 0x11:
		for (unsigned i = 0; i < address - 0x0f; i++) {
			memset(buf_extend(out, 16), 0, 16);
			put_any(out, random, 48);
			out->data[out->len - 48] &= 0x0f;
		}
		break;
	}
}

static void put_good(struct inputs *inputs, struct buf *out, struct random *random, unsigned address) {
	switch (address) {
	case 0x01: buf_append(out, bytes_make(inputs->recoveries[random_below(random, SIGNATURES)], 128)); return;
	case 0x02:
	case 0x03:
	case 0x04: put_any(out, random, random_below(random, 200)); return;
	case 0x05: put_modexp(out, random); return;
	case 0x06:
		put_bn_point(inputs, out, random);
		put_bn_point(inputs, out, random);
		return;
	case 0x07:
		put_bn_point(inputs, out, random);
		put_scalar(out, random);
		return;
	case 0x08: put_bn_pairing(inputs, out, random); return;
	case 0x09: put_blake2f(out, random); return;
	case 0x0a: put_point_evaluation(inputs, out, random); return;
	case 0x100: from_hex(buf_extend(out, 160), p256_hex); return;
	}
	put_bls(inputs, out, random, address);
}

void inputs_put(struct inputs *inputs, struct buf *out, struct random *random, unsigned address) {
	const size_t start = out->len;
	if (random_chance(random, 30)) {
		put_any(out, random, random_below(random, 300));
		return;
	}
	put_good(inputs, out, random, address);
	const size_t len = out->len - start;
	if (random_chance(random, 80) && len > 0)
		out->data[start + random_below(random, len)] ^= (uint8_t)random_next(random);
	if (random_chance(random, 30) && len > 0) out->len = start + random_below(random, len);
	if (random_chance(random, 30)) put_any(out, random, 1 + random_below(random, 40));
}

unsigned inputs_pick(struct random *random) {
	static const uint16_t weights[] = {30, 30, 20, 60, 80, 60, 30, 6, 40, 3, 20, 6, 16, 4, 3, 8, 5, 20};
	const size_t i = random_weighted(random, weights, sizeof weights / sizeof *weights);
	return i == 17 ? 0x100 : (unsigned)i + 1;
}
