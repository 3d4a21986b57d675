/*
 * Official vectors of the primitives in crypto/. They stand in this room because reading them takes the JSON parser,
 * which is above crypto/.
 */
#include "tests/unit.h"

#include <openssl/ecdsa.h>

#include "crypto/aead.h"
#include "crypto/ed25519.h"
#include "crypto/ed25519_zip215.h"
#include "crypto/hash.h"
#include "crypto/p256.h"
#include "crypto/secp256k1_keys.h"
#include "tests/vectors.h"

enum outcome { RIGHT, WRONG, SKIPPED };

/* One case of a Wycheproof file. `hex` members are decoded into `arena`. */
struct wycheproof_case {
	struct arena *arena;
	const struct json *group, *test;
	bool is_valid;
};
typedef enum outcome wycheproof_check(const struct wycheproof_case *at);

static struct bytes hex_member(const struct wycheproof_case *at, const char *name) {
	return vectors_hex(at->arena, json_string(json_get(at->test, name)));
}

static uint64_t number_of(const struct json *object, const char *name) {
	uint64_t value = 0;
	assert_true(json_u64(&value, json_get(object, name)));
	return value;
}

static enum outcome right_if(bool is_right) {
	return is_right ? RIGHT : WRONG;
}

static void run_wycheproof(const char *relative, wycheproof_check *check) {
	vectors_need(relative);
	struct vectors vectors = {.name = relative};
	struct arena file, arena;
	arena_init(&file);
	arena_init(&arena);
	const struct json *root = vectors_json(&file, relative);
	json_foreach (group, json_get(root, "testGroups")) {
		json_foreach (test, json_get(group, "tests")) {
			struct wycheproof_case at = {
			    &arena, group, test, json_string_is(json_get(test, "result"), "valid")};
			/* "acceptable": a lax reader may take it; whichever we do is no failure. */
			bool is_open = json_string_is(json_get(test, "result"), "acceptable");
			enum outcome outcome = is_open ? SKIPPED : check(&at);
			if (outcome == SKIPPED)
				vectors.skipped++;
			else
				vectors_count(&vectors, outcome == RIGHT, "tcId", json_get(test, "tcId")->text);
			arena_reset(&arena);
		}
	}
	arena_fini(&arena);
	arena_fini(&file);
	vectors_report(&vectors);
}

/* Skipped: other key, IV and tag sizes than the one that aead.h has. */
static enum outcome check_gcm(const struct wycheproof_case *at) {
	struct bytes key = hex_member(at, "key"), iv = hex_member(at, "iv"), aad = hex_member(at, "aad");
	struct bytes message = hex_member(at, "msg"), ciphertext = hex_member(at, "ct"), tag = hex_member(at, "tag");
	if (key.len != 32 || iv.len != 12 || tag.len != 16) return SKIPPED;
	uint8_t *out = arena_alloc(at->arena, ciphertext.len), made_tag[16];
	bool opens = aes256gcm_open(out, tag.data, key.data, iv.data, aad, ciphertext) == STATUS_OK;
	if (!at->is_valid) return right_if(!opens);
	if (!opens || !bytes_equal(bytes_make(out, ciphertext.len), message)) return WRONG;
	aes256gcm_seal(out, made_tag, key.data, iv.data, aad, message);
	return right_if(bytes_equal(bytes_make(out, message.len), ciphertext) && memcmp(made_tag, tag.data, 16) == 0);
}

/* Skipped: other keys than 32 bytes under 32 bytes. */
static enum outcome check_key_wrap(const struct wycheproof_case *at) {
	struct bytes kek = hex_member(at, "key"), key = hex_member(at, "msg"), wrapped = hex_member(at, "ct");
	if (kek.len != 32 || wrapped.len != 40) return SKIPPED;
	uint8_t out[40];
	bool opens = aes256kw_unwrap(out, kek.data, wrapped.data) == STATUS_OK;
	if (!at->is_valid) return right_if(!opens);
	if (!opens || key.len != 32 || memcmp(out, key.data, 32) != 0) return WRONG;
	aes256kw_wrap(out, kek.data, key.data);
	return right_if(memcmp(out, wrapped.data, 40) == 0);
}

/* Right-aligned into 32 bytes; false if it does not fit. */
static bool load_number(uint8_t out[32], struct bytes number) {
	while (number.len > 32 && number.data[0] == 0) number = bytes_slice(number, 1, number.len);
	if (number.len > 32) return false;
	memset(out, 0, 32);
	if (number.len) memcpy(out + 32 - number.len, number.data, number.len);
	return true;
}

/* Skipped: encodings of points and keys other than the uncompressed, named-curve one. */
static enum outcome check_ecdh(const struct wycheproof_case *at) {
	static const char spki[] = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
	struct bytes encoded = hex_member(at, "public"), prefix = vectors_hex(at->arena, bytes_text(spki));
	if (encoded.len == prefix.len + 65 && bytes_equal(bytes_slice(encoded, 0, prefix.len), prefix))
		encoded = bytes_slice(encoded, prefix.len, 65);
	struct p256_secret secret;
	struct p256_public peer;
	uint8_t shared[32];
	if (encoded.len != 65 || encoded.data[0] != 4 || !load_number(secret.d, hex_member(at, "private")))
		return SKIPPED;
	memcpy(peer.xy, encoded.data + 1, 64);
	bool agrees = p256_ecdh(shared, &secret, &peer) == STATUS_OK;
	if (!at->is_valid) return right_if(!agrees);
	return right_if(agrees && bytes_equal(bytes_make(shared, 32), hex_member(at, "shared")));
}

/* r || s of a signature, by its group's encoding; false if it has no such form. DER is OpenSSL's to read here. */
static bool load_signature(uint8_t out[64], const struct wycheproof_case *at) {
	struct bytes encoded = hex_member(at, "sig");
	if (json_string_is(json_get(at->group, "type"), "EcdsaP1363Verify")) {
		if (encoded.len == 64) memcpy(out, encoded.data, 64);
		return encoded.len == 64;
	}
	const uint8_t *cursor = encoded.data;
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &cursor, (long)encoded.len);
	uint8_t *again = NULL;
	int again_len = signature ? i2d_ECDSA_SIG(signature, &again) : 0;
	bool is_der = again_len > 0 && bytes_equal(bytes_make(again, (size_t)again_len), encoded) &&
		      !BN_is_negative(ECDSA_SIG_get0_r(signature)) && !BN_is_negative(ECDSA_SIG_get0_s(signature)) &&
		      BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, 32) == 32 &&
		      BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + 32, 32) == 32;
	OPENSSL_free(again);
	ECDSA_SIG_free(signature);
	return is_der;
}

static struct bytes group_key(const struct wycheproof_case *at) {
	const struct json *key = json_get(json_get(at->group, "publicKey"), "uncompressed");
	struct bytes point = vectors_hex(at->arena, json_string(key));
	assert_int_equal(point.len, 65);
	return bytes_slice(point, 1, 64);
}

/* Skipped: what is no r || s of 32 bytes each, and so never reaches p256_verify. */
static enum outcome check_p256_verify(const struct wycheproof_case *at) {
	uint8_t signature[64];
	struct p256_public key;
	if (!load_signature(signature, at)) return at->is_valid ? WRONG : SKIPPED;
	memcpy(key.xy, group_key(at).data, 64);
	hash32 digest = sha256(hex_member(at, "msg"));
	return right_if(p256_verify(signature, &key, &digest) == at->is_valid);
}

/* r below p - n: the nonce point's x coordinate may have been r + n, which Ethereum's signatures cannot spell. */
static bool may_be_reduced(const uint8_t r[32]) {
	static const uint8_t bound[32] = {[15] = 0x01,
	    0x45,
	    0x51,
	    0x23,
	    0x19,
	    0x50,
	    0xb7,
	    0x5f,
	    0xc4,
	    0x40,
	    0x2d,
	    0xa1,
	    0x72,
	    0x2f,
	    0xc9,
	    0xba,
	    0xee};
	return memcmp(r, bound, 32) < 0;
}

/*
 * A signature is valid where one of the two parities recovers the key. Skipped also: valid ones whose r was reduced.
 */
static enum outcome check_secp_recover(const struct wycheproof_case *at) {
	uint8_t compact[64], recovered[64];
	struct secp_signature signature;
	if (!load_signature(compact, at)) return at->is_valid ? WRONG : SKIPPED;
	memcpy(signature.r, compact, 32);
	memcpy(signature.s, compact + 32, 32);
	hash32 digest = sha256(hex_member(at, "msg"));
	struct bytes key = group_key(at);
	bool fits = false;
	for (uint8_t parity = 0; parity < 2; parity++) {
		signature.y_parity = parity;
		if (secp_recover(recovered, &signature, &digest) == STATUS_OK)
			fits = fits || memcmp(recovered, key.data, 64) == 0;
	}
	if (json_string_is(json_get(at->group, "type"), "EcdsaBitcoinVerify"))
		fits = fits && secp_s_is_low(signature.s);
	if (at->is_valid && !fits && may_be_reduced(signature.r)) return SKIPPED;
	return right_if(fits == at->is_valid);
}

/* Skipped: more output than RFC 5869 allows, which is a bug of the caller here. */
static enum outcome check_hkdf(const struct wycheproof_case *at) {
	uint64_t size = number_of(at->test, "size");
	if (size == 0 || size > 8160) return SKIPPED;
	uint8_t *out = arena_alloc(at->arena, size);
	hkdf_sha256(out, size, hex_member(at, "salt"), hex_member(at, "ikm"), hex_member(at, "info"));
	return right_if(bytes_equal(bytes_make(out, size), hex_member(at, "okm")) == at->is_valid);
}

static enum outcome check_mac(const struct wycheproof_case *at, struct bytes made) {
	struct bytes tag = hex_member(at, "tag");
	return right_if(constant_time_equal(bytes_slice(made, 0, tag.len), tag) == at->is_valid);
}

static enum outcome check_hmac256(const struct wycheproof_case *at) {
	hash32 made = hmac_sha256(hex_member(at, "key"), hex_member(at, "msg"));
	return check_mac(at, BYTES_OF(made));
}

static enum outcome check_hmac512(const struct wycheproof_case *at) {
	uint8_t made[64];
	hmac_sha512(made, hex_member(at, "key"), hex_member(at, "msg"));
	return check_mac(at, bytes_make(made, 64));
}

typedef void pbkdf2_function(
    uint8_t *out, size_t out_len, struct bytes password, struct bytes salt, uint32_t iterations);

static enum outcome check_pbkdf2(const struct wycheproof_case *at, pbkdf2_function *pbkdf2) {
	uint64_t len = number_of(at->test, "dkLen"), iterations = number_of(at->test, "iterationCount");
	uint8_t *out = arena_alloc(at->arena, len);
	pbkdf2(out, len, hex_member(at, "password"), hex_member(at, "salt"), (uint32_t)iterations);
	return right_if(bytes_equal(bytes_make(out, len), hex_member(at, "dk")) == at->is_valid);
}

static enum outcome check_pbkdf2_256(const struct wycheproof_case *at) {
	return check_pbkdf2(at, pbkdf2_sha256);
}

static enum outcome check_pbkdf2_512(const struct wycheproof_case *at) {
	return check_pbkdf2(at, pbkdf2_sha512);
}

/* Case 151 encodes a point with x = 0 and the sign of x set: RFC 8032 refuses it, and ZIP 215 says that it is valid.
 * Skipped: what is not 64 bytes long. */
static enum outcome check_ed25519(const struct wycheproof_case *at) {
	const struct json *encoded = json_get(json_get(at->group, "publicKey"), "pk");
	const struct bytes key_bytes = vectors_hex(at->arena, json_string(encoded));
	const struct bytes signature = hex_member(at, "sig"), message = hex_member(at, "msg");
	const bool is_valid = at->is_valid || number_of(at->test, "tcId") == 151;
	hash32 key;
	assert_int_equal(key_bytes.len, 32);
	memcpy(key.b, key_bytes.data, 32);
	if (signature.len != ED25519_SIGNATURE_BYTES) return is_valid ? WRONG : SKIPPED;
	return right_if(ed25519_verify(signature.data, &key, message) == is_valid &&
			ed25519_verify_zip215(signature.data, &key, message) == is_valid);
}

struct suite_file {
	const char *path;
	wycheproof_check *check;
};
static const struct suite_file suite_files[] = {
    {"ethereum/wycheproof/aes_gcm_test.json", check_gcm},
    {"ethereum/wycheproof/aes_wrap_test.json", check_key_wrap},
    {"ethereum/wycheproof/ecdh_secp256r1_ecpoint_test.json", check_ecdh},
    {"ethereum/wycheproof/ecdh_secp256r1_test.json", check_ecdh},
    {"ethereum/wycheproof/ecdsa_secp256k1_sha256_bitcoin_test.json", check_secp_recover},
    {"ethereum/wycheproof/ecdsa_secp256k1_sha256_p1363_test.json", check_secp_recover},
    {"ethereum/wycheproof/ecdsa_secp256k1_sha256_test.json", check_secp_recover},
    {"ethereum/wycheproof/ecdsa_secp256r1_sha256_p1363_test.json", check_p256_verify},
    {"ethereum/wycheproof/ecdsa_secp256r1_sha256_test.json", check_p256_verify},
    {"ethereum/wycheproof/ed25519_test.json", check_ed25519},
    {"ethereum/wycheproof/hkdf_sha256_test.json", check_hkdf},
    {"ethereum/wycheproof/hmac_sha256_test.json", check_hmac256},
    {"ethereum/wycheproof/hmac_sha512_test.json", check_hmac512},
    {"ethereum/wycheproof/pbkdf2_hmacsha256_test.json", check_pbkdf2_256},
    {"ethereum/wycheproof/pbkdf2_hmacsha512_test.json", check_pbkdf2_512},
};

static void wycheproof(void **state) {
	const struct suite_file *file = *state;
	run_wycheproof(file->path, file->check);
}

static void hashes(void **state) {
	(void)state;
	static const char file[] = "ethereum/eth-primitives/ethers/hashes.json";
	vectors_need(file);
	struct vectors vectors = {.name = file};
	struct arena arena;
	arena_init(&arena);
	json_foreach (item, vectors_json(&arena, file)) {
		struct wycheproof_case at = {&arena, NULL, item, true};
		struct bytes data = hex_member(&at, "data");
		uint8_t long_hash[64], short_hash[20];
		hash32 sha = sha256(data), keccak = keccak256(data);
		sha512(long_hash, data);
		ripemd160(short_hash, data);
		bool is_good = bytes_equal(BYTES_OF(sha), hex_member(&at, "sha256")) &&
			       bytes_equal(BYTES_OF(keccak), hex_member(&at, "keccak256")) &&
			       bytes_equal(bytes_make(long_hash, 64), hex_member(&at, "sha512")) &&
			       bytes_equal(bytes_make(short_hash, 20), hex_member(&at, "ripemd160"));
		vectors_count(&vectors, is_good, "hashes", json_string(json_get(item, "name")));
	}
	arena_fini(&arena);
	vectors_report(&vectors);
}

int main(void) {
	enum { FILES = sizeof suite_files / sizeof *suite_files };
	struct CMUnitTest tests[FILES + 1] = {cmocka_unit_test(hashes)};
	for (size_t i = 0; i < FILES; i++)
		tests[i + 1] = (struct CMUnitTest){
		    .name = suite_files[i].path, .test_func = wycheproof, .initial_state = (void *)&suite_files[i]};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
