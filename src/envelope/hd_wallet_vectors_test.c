/* Official vectors of BIP-39 and BIP-32. */
#include "tests/unit.h"

#include "crypto/hash.h"
#include "crypto/secp256k1_keys.h"
#include "envelope/hd_wallet.h"
#include "tests/vectors.h"

/* Big-endian bytes as a base-58 number behind one "1" a leading zero byte. */
static void put_base58(struct buf *out, const uint8_t *data, size_t len) {
	static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
	uint8_t number[128], digits[256];
	size_t count = 0, zeros = 0;
	assert_true(len <= sizeof number);
	memcpy(number, data, len);
	while (zeros < len && number[zeros] == 0) zeros++;
	for (size_t first = zeros; first < len;) {
		unsigned rest = 0;
		for (size_t i = first; i < len; i++) {
			rest = rest << 8 | number[i];
			number[i] = (uint8_t)(rest / 58);
			rest %= 58;
		}
		digits[count++] = (uint8_t)rest;
		while (first < len && number[first] == 0) first++;
	}
	while (zeros--) buf_byte(out, '1');
	while (count) buf_byte(out, (uint8_t)alphabet[digits[--count]]);
}

/* "xprv…" (BIP-32, serialization format). */
static struct bytes extended(struct arena *arena, const struct hd_key *key) {
	uint8_t data[82] = {0x04, 0x88, 0xad, 0xe4, key->depth};
	store_be32(data + 5, key->parent_fingerprint);
	store_be32(data + 9, key->index);
	memcpy(data + 13, key->chain_code.b, 32);
	memcpy(data + 46, key->secret.b, 32);
	hash32 check = sha256(bytes_make(data, 78));
	check = sha256(BYTES_OF(check));
	memcpy(data + 78, check.b, 4);
	struct buf text;
	buf_init(&text, 200);
	put_base58(&text, data, sizeof data);
	struct bytes kept = arena_dup(arena, buf_view(&text));
	buf_fini(&text);
	return kept;
}

static bool is_ascii(struct bytes text) {
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] >= 0x80) return false;
	return true;
}

/* Phrase, entropy and seed all agree. */
static bool phrase_fits(struct bytes phrase, struct bytes passphrase, struct bytes entropy, struct bytes seed) {
	struct hd_entropy found;
	struct hd_seed made;
	struct buf again;
	buf_init(&again, 1000);
	bool fits = hd_phrase_check(&found, phrase, NULL) == STATUS_OK &&
		    bytes_equal(bytes_make(found.bytes, found.len), entropy) &&
		    hd_phrase(&again, &found, NULL) == STATUS_OK && bytes_equal(buf_view(&again), phrase) &&
		    hd_seed_of(&made, phrase, passphrase, NULL) == STATUS_OK &&
		    bytes_equal(bytes_make(made.bytes, sizeof made.bytes), seed);
	buf_fini(&again);
	return fits;
}

/* Other languages have other lists: skipped, after a look that they are refused. */
static void bip39(void **state) {
	(void)state;
	static const char file[] = "ethereum/hd-wallet/bip39/vectors.json";
	vectors_need(file);
	struct vectors vectors = {.name = file};
	struct arena arena;
	arena_init(&arena);
	json_foreach (language, vectors_json(&arena, file)) {
		bool is_english = bytes_equal(language->name, BYTES_LITERAL("english"));
		json_foreach (item, language) {
			struct bytes phrase = json_string(json_at(item, 1)), name = json_string(json_at(item, 0));
			if (!is_english) {
				assert_int_equal(hd_phrase_check(NULL, phrase, NULL), STATUS_INVALID);
				vectors.skipped++;
				continue;
			}
			struct bytes seed = vectors_hex(&arena, json_string(json_at(item, 2)));
			struct hd_key root;
			bool fits = phrase_fits(phrase, BYTES_LITERAL("TREZOR"), vectors_hex(&arena, name), seed) &&
				    hd_root(&root, seed, NULL) == STATUS_OK &&
				    bytes_equal(extended(&arena, &root), json_string(json_at(item, 3)));
			vectors_count(&vectors, fits, "entropy", name);
		}
	}
	arena_fini(&arena);
	vectors_report(&vectors);
}

static bool node_fits(struct arena *arena, const struct hd_key *key, const struct json *node, const char *secret,
    const char *public_key, const char *xprv) {
	uint8_t compressed[33];
	assert_int_equal(secp_public_key_compressed(compressed, &key->secret), STATUS_OK);
	return bytes_equal(BYTES_OF(key->secret), vectors_hex(arena, json_string(json_get(node, secret)))) &&
	       bytes_equal(BYTES_OF(key->chain_code), vectors_hex(arena, json_string(json_get(node, "chainCode")))) &&
	       bytes_equal(bytes_make(compressed, 33), vectors_hex(arena, json_string(json_get(node, public_key)))) &&
	       bytes_equal(extended(arena, key), json_string(json_get(node, xprv)));
}

/*
 * A child may be given from its master, or (where its path has no "m/") step by step. Skipped: children of public keys
 * and other networks' version bytes.
 */
static void bip32(void **state) {
	(void)state;
	static const char file[] = "ethereum/hd-wallet/bip32/index.json";
	vectors_need(file);
	struct vectors vectors = {.name = file};
	struct arena arena;
	arena_init(&arena);
	const struct json *root = vectors_json(&arena, file);
	json_foreach (chain, json_get(root, "valid")) {
		const struct json *master = json_get(chain, "master");
		struct bytes seed = json_string(json_get(master, "seed"));
		struct hd_key from, key;
		if (!seed.data || !json_string_is(json_get(chain, "network"), "bitcoin")) {
			vectors.skipped += 1 + (json_get(chain, "children") ? json_get(chain, "children")->count : 0);
			continue;
		}
		assert_int_equal(hd_root(&from, vectors_hex(&arena, seed), NULL), STATUS_OK);
		vectors_count(
		    &vectors, node_fits(&arena, &from, master, "privKey", "pubKey", "base58Priv"), "seed", seed);
		json_foreach (child, json_get(chain, "children")) {
			struct bytes path = json_string(json_get(child, "path"));
			if (!path.data || !json_get(child, "privKey")) {
				vectors.skipped++;
				continue;
			}
			bool fits = hd_derive(&key, &from, arena_strdup(&arena, path), NULL) == STATUS_OK &&
				    node_fits(&arena, &key, child, "privKey", "pubKey", "base58Priv");
			vectors_count(&vectors, fits, "path", path);
		}
	}
	arena_fini(&arena);
	vectors_report(&vectors);
}

/* Skipped: phrases of other languages. Their nodes run all the same, from the seed. */
static void ethers(void **state) {
	(void)state;
	static const char file[] = "ethereum/hd-wallet/ethers/mnemonics.json";
	vectors_need(file);
	struct vectors phrases = {.name = "ethers phrases"}, nodes = {.name = "ethers nodes"};
	struct arena file_arena, arena;
	arena_init(&file_arena);
	arena_init(&arena);
	json_foreach (item, vectors_json(&file_arena, file)) {
		struct bytes name = json_string(json_get(item, "name"));
		struct bytes phrase = vectors_hex(&arena, json_string(json_get(item, "phrase")));
		struct bytes passphrase = vectors_hex(&arena, json_string(json_get(item, "password")));
		struct bytes entropy = vectors_hex(&arena, json_string(json_get(item, "entropy")));
		struct bytes seed = vectors_hex(&arena, json_string(json_get(item, "seed")));
		if (json_string_is(json_get(item, "locale"), "en") && is_ascii(passphrase))
			vectors_count(&phrases, phrase_fits(phrase, passphrase, entropy, seed), "phrase", name);
		else
			phrases.skipped++;
		struct hd_key root, key;
		assert_int_equal(hd_root(&root, seed, NULL), STATUS_OK);
		json_foreach (node, json_get(item, "nodes")) {
			const char *path = arena_strdup(&arena, json_string(json_get(node, "path")));
			bool fits = hd_derive(&key, &root, path, NULL) == STATUS_OK &&
				    node_fits(&arena, &key, node, "privateKey", "publicKey", "xpriv");
			vectors_count(&nodes, fits, path, name);
		}
		arena_reset(&arena);
	}
	arena_fini(&arena);
	arena_fini(&file_arena);
	vectors_report(&phrases);
	vectors_report(&nodes);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bip39),
	    cmocka_unit_test(bip32),
	    cmocka_unit_test(ethers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
