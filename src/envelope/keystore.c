#include "envelope/keystore.h"

#include "codec/hex.h"
#include "codec/json.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/secp256k1_keys.h"

#define KEY_BYTES 32u
#define SALT_BYTES_MAX 128u
#define PBKDF2_ITERATIONS_MAX 10000000u

const struct keystore_cost keystore_cost_standard = {.n = 1 << 18, .r = 8, .p = 1};
const struct keystore_cost keystore_cost_light = {.n = 1 << 12, .r = 8, .p = 6};

static const struct json_limits file_limits = {.bytes_max = 64 << 10, .depth_max = 16, .values_max = 1024};

/* Digits without "0x", which is how these files spell bytes; `out` has room for *len, and *len becomes what was there.
 */
static enum status bare_hex(uint8_t *out, size_t *len, const struct json *value) {
	struct bytes text = json_string(value);
	if (!text.data || text.len % 2 || text.len / 2 > *len) return STATUS_INVALID;
	struct buf prefixed, decoded;
	buf_init(&prefixed, text.len + 2);
	buf_init(&decoded, *len);
	buf_text(&prefixed, "0x");
	buf_append(&prefixed, text);
	enum status status = hex_data(&decoded, buf_view(&prefixed));
	if (status == STATUS_OK) {
		*len = decoded.len;
		if (decoded.len) memcpy(out, decoded.data, decoded.len);
	}
	buf_fini(&prefixed);
	buf_fini(&decoded);
	return status;
}

static enum status bare_hex_fixed(
    uint8_t *out, size_t len, const struct json *value, const char *name, struct err *err) {
	size_t there = len;
	if (bare_hex(out, &there, value) == STATUS_OK && there == len) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "key file: %s is not %zu bytes in hexadecimal", name, len);
}

static hash32 mac_of(const uint8_t derived[KEY_BYTES], struct bytes ciphertext) {
	struct keccak keccak;
	keccak256_init(&keccak);
	keccak256_update(&keccak, bytes_make(derived + 16, 16));
	keccak256_update(&keccak, ciphertext);
	hash32 mac = keccak256_final(&keccak);
	mem_wipe(&keccak, sizeof keccak);
	return mac;
}

static enum status address_of(addr20 *address, const hash32 *secret) {
	uint8_t xy[64];
	TRY(secp_public_key(xy, secret));
	hash32 hash = keccak256(bytes_make(xy, sizeof xy));
	memcpy(address->b, hash.b + 12, 20);
	return STATUS_OK;
}

static enum status derive(
    uint8_t derived[KEY_BYTES], const struct json *crypto, struct bytes password, struct err *err) {
	const struct json *kdf = json_get(crypto, "kdf"), *params = json_get(crypto, "kdfparams");
	uint8_t salt_bytes[SALT_BYTES_MAX];
	size_t salt_len = sizeof salt_bytes;
	uint64_t dklen;
	if (bare_hex(salt_bytes, &salt_len, json_get(params, "salt")) != STATUS_OK)
		return err_set(err, STATUS_INVALID, "key file: salt is no hexadecimal, or too long");
	if (!json_u64(&dklen, json_get(params, "dklen")) || dklen != KEY_BYTES)
		return err_set(err, STATUS_UNSUPPORTED, "key file: dklen is not %u", KEY_BYTES);
	struct bytes salt = bytes_make(salt_bytes, salt_len);
	if (json_string_is(kdf, "scrypt")) {
		uint64_t n, r, p;
		if (!json_u64(&n, json_get(params, "n")) || !json_u64(&r, json_get(params, "r")) ||
		    !json_u64(&p, json_get(params, "p")) || r > UINT32_MAX || p > UINT32_MAX)
			return err_set(err, STATUS_INVALID, "key file: n, r or p of scrypt is no number in range");
		return scrypt(derived, KEY_BYTES, password, salt, n, (uint32_t)r, (uint32_t)p, err);
	}
	if (!json_string_is(kdf, "pbkdf2")) return err_set(err, STATUS_UNSUPPORTED, "key file: kdf is not known");
	uint64_t iterations;
	if (!json_string_is(json_get(params, "prf"), "hmac-sha256"))
		return err_set(err, STATUS_UNSUPPORTED, "key file: prf is not hmac-sha256");
	if (!json_u64(&iterations, json_get(params, "c")) || iterations == 0)
		return err_set(err, STATUS_INVALID, "key file: c of pbkdf2 is no positive number");
	if (iterations > PBKDF2_ITERATIONS_MAX)
		return err_set(err, STATUS_LIMIT, "key file: more than %u iterations", PBKDF2_ITERATIONS_MAX);
	pbkdf2_sha256(derived, KEY_BYTES, password, salt, (uint32_t)iterations);
	return STATUS_OK;
}

/* geth once wrote "Crypto"; a file has one of the two. */
static const struct json *crypto_of(const struct json *file) {
	const struct json *lower = json_get(file, "crypto"), *upper = json_get(file, "Crypto");
	return lower && upper ? NULL : lower ? lower : upper;
}

static enum status open_crypto(hash32 *secret, const struct json *crypto, struct bytes password, struct err *err) {
	uint8_t iv[16], ciphertext[32], derived[KEY_BYTES];
	hash32 mac;
	if (!json_is(crypto, JSON_OBJECT)) return err_set(err, STATUS_INVALID, "key file: crypto is missing");
	if (!json_string_is(json_get(crypto, "cipher"), "aes-128-ctr"))
		return err_set(err, STATUS_UNSUPPORTED, "key file: cipher is not aes-128-ctr");
	TRY(bare_hex_fixed(iv, 16, json_get(json_get(crypto, "cipherparams"), "iv"), "iv", err));
	TRY(bare_hex_fixed(ciphertext, 32, json_get(crypto, "ciphertext"), "ciphertext", err));
	TRY(bare_hex_fixed(mac.b, 32, json_get(crypto, "mac"), "mac", err));
	TRY(derive(derived, crypto, password, err));
	hash32 expected = mac_of(derived, bytes_make(ciphertext, 32));
	enum status status = STATUS_OK;
	if (constant_time_equal(BYTES_OF(mac), BYTES_OF(expected)))
		aes128ctr(secret->b, derived, iv, bytes_make(ciphertext, 32));
	else
		status = err_set(err, STATUS_DENIED, "key file: wrong password");
	mem_wipe(derived, sizeof derived);
	return status;
}

/* Where the file names an address, it must be the key's. */
static enum status check_address(const hash32 *secret, const struct json *file, struct err *err) {
	addr20 address, named;
	if (address_of(&address, secret) != STATUS_OK)
		return err_set(err, STATUS_INVALID, "key file: what it holds is no key of secp256k1");
	const struct json *member = json_get(file, "address");
	if (!member) return STATUS_OK;
	if (hex_fixed(named.b, 20, json_string(member)) != STATUS_OK)
		TRY(bare_hex_fixed(named.b, 20, member, "address", err));
	if (addr20_equal(&address, &named)) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "key file: its address is not its key's");
}

enum status keystore_open(hash32 *secret, struct bytes json, struct bytes password, struct err *err) {
	struct arena arena;
	arena_init(&arena);
	const struct json *file;
	hash32 found = {0};
	uint64_t version;
	enum status status = json_parse(&file, &arena, json, &file_limits, err);
	if (status != STATUS_OK)
		status = err_prefix(err, status, "key file");
	else if (!json_u64(&version, json_get(file, "version")) || version != 3)
		status = err_set(err, STATUS_UNSUPPORTED, "key file: not version 3 of Web3 Secret Storage");
	else
		status = open_crypto(&found, crypto_of(file), password, err);
	if (status == STATUS_OK) status = check_address(&found, file, err);
	if (status == STATUS_OK) *secret = found;
	mem_wipe(&found, sizeof found);
	arena_fini(&arena);
	return status;
}

static void put_bare_hex(struct json_writer *writer, const char *name, const void *data, size_t len) {
	struct buf text;
	buf_init(&text, 2 * len);
	hex_put(&text, bytes_make(data, len), false);
	json_put_string(writer, name, buf_view(&text));
	buf_fini(&text);
}

/* A random UUID (RFC 9562 §5.4). */
static void put_id(struct json_writer *writer, const struct random_source *random) {
	uint8_t id[16];
	random_fill(random, id, sizeof id);
	id[6] = (uint8_t)((id[6] & 0x0f) | 0x40);
	id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
	struct buf text;
	buf_init(&text, 36);
	for (size_t i = 0; i < sizeof id; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10) buf_byte(&text, '-');
		hex_put(&text, bytes_make(id + i, 1), false);
	}
	json_put_string(writer, "id", buf_view(&text));
	buf_fini(&text);
}

struct sealed {
	uint8_t salt[32], iv[16], ciphertext[32];
	hash32 mac;
};

static void put_crypto(struct json_writer *writer, const struct sealed *sealed, const struct keystore_cost *cost) {
	json_object_begin(writer, "crypto");
	json_put_text(writer, "cipher", "aes-128-ctr");
	json_object_begin(writer, "cipherparams");
	put_bare_hex(writer, "iv", sealed->iv, sizeof sealed->iv);
	json_object_end(writer);
	put_bare_hex(writer, "ciphertext", sealed->ciphertext, sizeof sealed->ciphertext);
	json_put_text(writer, "kdf", "scrypt");
	json_object_begin(writer, "kdfparams");
	json_put_u64(writer, "dklen", KEY_BYTES);
	json_put_u64(writer, "n", cost->n);
	json_put_u64(writer, "r", cost->r);
	json_put_u64(writer, "p", cost->p);
	put_bare_hex(writer, "salt", sealed->salt, sizeof sealed->salt);
	json_object_end(writer);
	put_bare_hex(writer, "mac", sealed->mac.b, sizeof sealed->mac.b);
	json_object_end(writer);
}

enum status keystore_seal(struct buf *out, const hash32 *secret, struct bytes password,
    const struct keystore_cost *cost, const struct random_source *random, struct err *err) {
	struct sealed sealed;
	addr20 address;
	uint8_t derived[KEY_BYTES];
	if (address_of(&address, secret) != STATUS_OK)
		return err_set(err, STATUS_INVALID, "a secret of secp256k1 is in [1, n)");
	random_fill(random, sealed.salt, sizeof sealed.salt);
	random_fill(random, sealed.iv, sizeof sealed.iv);
	TRY(scrypt(derived, sizeof derived, password, bytes_make(sealed.salt, sizeof sealed.salt), cost->n, cost->r,
	    cost->p, err));
	aes128ctr(sealed.ciphertext, derived, sealed.iv, BYTES_OF(*secret));
	sealed.mac = mac_of(derived, bytes_make(sealed.ciphertext, sizeof sealed.ciphertext));
	mem_wipe(derived, sizeof derived);
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_u64(&writer, "version", 3);
	put_id(&writer, random);
	put_bare_hex(&writer, "address", address.b, sizeof address.b);
	put_crypto(&writer, &sealed, cost);
	json_object_end(&writer);
	return buf_status(out, err);
}
