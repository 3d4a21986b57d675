/* BIP-32: the tree of keys. */
#include "envelope/hd_wallet.h"

#include "crypto/hash.h"
#include "crypto/secp256k1_keys.h"

enum status hd_root(struct hd_key *root, struct bytes seed, struct err *err) {
	if (seed.len < 16 || seed.len > 64)
		return err_set(err, STATUS_INVALID, "a seed has 16 to 64 bytes, not %zu", seed.len);
	uint8_t halves[64];
	hmac_sha512(halves, BYTES_LITERAL("Bitcoin seed"), seed);
	*root = (struct hd_key){0};
	memcpy(root->secret.b, halves, 32);
	memcpy(root->chain_code.b, halves + 32, 32);
	mem_wipe(halves, sizeof halves);
	if (secp_secret_is_valid(&root->secret)) return STATUS_OK;
	mem_wipe(root, sizeof *root);
	return err_set(err, STATUS_INVALID, "this seed has no root key");
}

/* The first four bytes of HASH160 of the compressed public key. */
static uint32_t fingerprint(const uint8_t compressed[33]) {
	uint8_t id[20];
	hash32 inner = sha256(bytes_make(compressed, 33));
	ripemd160(id, BYTES_OF(inner));
	return load_be32(id);
}

enum status hd_child(struct hd_key *child, const struct hd_key *parent, uint32_t index, struct err *err) {
	if (parent->depth == HD_DEPTH_MAX)
		return err_set(err, STATUS_LIMIT, "no key is more than %d steps deep", HD_DEPTH_MAX);
	uint8_t compressed[33], input[37], halves[64];
	if (secp_public_key_compressed(compressed, &parent->secret) != STATUS_OK)
		return err_set(err, STATUS_INVALID, "the parent's key is out of range");
	if (index & HD_HARDENED) {
		input[0] = 0;
		memcpy(input + 1, parent->secret.b, 32);
	} else {
		memcpy(input, compressed, 33);
	}
	store_be32(input + 33, index);
	hmac_sha512(halves, BYTES_OF(parent->chain_code), bytes_make(input, sizeof input));
	struct hd_key made = {.secret = parent->secret,
	    .parent_fingerprint = fingerprint(compressed),
	    .index = index,
	    .depth = (uint8_t)(parent->depth + 1)};
	hash32 tweak;
	memcpy(tweak.b, halves, 32);
	memcpy(made.chain_code.b, halves + 32, 32);
	enum status status = secp_secret_tweak_add(&made.secret, &tweak);
	if (status == STATUS_OK)
		*child = made;
	else
		status = err_set(err, STATUS_INVALID, "child %u has no key; take the next", index & ~HD_HARDENED);
	mem_wipe(&made, sizeof made);
	mem_wipe(&tweak, sizeof tweak);
	mem_wipe(input, sizeof input);
	mem_wipe(halves, sizeof halves);
	return status;
}

/* One "/7'" from *path, which moves behind it. */
static enum status read_step(uint32_t *index, const char **path, struct err *err) {
	const char *at = *path;
	if (*at++ != '/' || *at < '0' || *at > '9' || (*at == '0' && at[1] >= '0' && at[1] <= '9'))
		return err_set(err, STATUS_INVALID, "a path looks like m/44'/60'/0'/0/0");
	uint64_t value = 0;
	for (; *at >= '0' && *at <= '9'; at++) {
		value = value * 10 + (uint64_t)(*at - '0');
		if (value >= HD_HARDENED) return err_set(err, STATUS_INVALID, "a step of a path is below 2^31");
	}
	bool hardened = *at == '\'';
	*index = (uint32_t)value | (hardened ? HD_HARDENED : 0);
	*path = at + hardened;
	return STATUS_OK;
}

enum status hd_derive(struct hd_key *out, const struct hd_key *from, const char *path, struct err *err) {
	if (*path++ != 'm') return err_set(err, STATUS_INVALID, "a path looks like m/44'/60'/0'/0/0");
	struct hd_key key = *from;
	enum status status = STATUS_OK;
	while (status == STATUS_OK && *path) {
		uint32_t index = 0;
		status = read_step(&index, &path, err);
		if (status == STATUS_OK) status = hd_child(&key, &key, index, err);
	}
	if (status == STATUS_OK) *out = key;
	mem_wipe(&key, sizeof key);
	return status;
}

enum status hd_account(hash32 *secret, const struct hd_key *root, uint32_t account, struct err *err) {
	const uint32_t steps[] = {44 | HD_HARDENED, 60 | HD_HARDENED, HD_HARDENED, 0, account};
	if (account & HD_HARDENED) return err_set(err, STATUS_INVALID, "an account's number is below 2^31");
	struct hd_key key = *root;
	enum status status = STATUS_OK;
	for (size_t i = 0; status == STATUS_OK && i < sizeof steps / sizeof *steps; i++)
		status = hd_child(&key, &key, steps[i], err);
	if (status == STATUS_OK) *secret = key.secret;
	mem_wipe(&key, sizeof key);
	return status;
}
