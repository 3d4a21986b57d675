/* ethers' vectors for addresses, CREATE, CREATE2 and typed data; ethereum/tests' keys and ABI. */
#include "tests/unit.h"

#include "crypto/hash.h"
#include "eth/abi.h"
#include "eth/eip712.h"
#include "eth/sign.h"
#include "eth/types.h"
#include "tests/vectors.h"

static struct bytes hex_of(struct arena *arena, const struct json *object, const char *name) {
	return vectors_hex(arena, json_string(json_get(object, name)));
}

static hash32 hash_of(struct arena *arena, const struct json *object, const char *name) {
	hash32 hash = {0};
	struct bytes data = hex_of(arena, object, name);
	assert_int_equal(data.len, 32);
	memcpy(hash.b, data.data, 32);
	return hash;
}

static addr20 address_in(struct arena *arena, const struct json *object, const char *name) {
	addr20 address = {0};
	struct bytes data = hex_of(arena, object, name);
	assert_int_equal(data.len, 20);
	memcpy(address.b, data.data, 20);
	return address;
}

/* Compares with the EIP-55 spelling. */
static bool spells(const addr20 *address, const struct json *expected) {
	char text[43];
	address_checksum(text, address);
	return json_string_is(expected, text);
}

static void test_accounts(void **state) {
	(void)state;
	vectors_need("ethereum/eth-primitives");
	struct vectors vectors = {.name = "accounts"};
	struct arena arena;
	arena_init(&arena);
	json_foreach (item, vectors_json(&arena, "ethereum/eth-primitives/ethers/accounts.json")) {
		hash32 secret = hash_of(&arena, item, "privateKey");
		addr20 address;
		bool is_good =
		    address_of_secret(&address, &secret) == STATUS_OK && spells(&address, json_get(item, "address"));
		vectors_count(&vectors, is_good, "accounts", json_string(json_get(item, "name")));
	}
	json_foreach (item, vectors_json(&arena, "ethereum/basic/keyaddrtest.json")) {
		hash32 secret = hash_of(&arena, item, "key");
		addr20 address, expected = address_in(&arena, item, "addr");
		bool is_good = address_of_secret(&address, &secret) == STATUS_OK && addr20_equal(&address, &expected);
		vectors_count(&vectors, is_good, "keyaddrtest", json_string(json_get(item, "seed")));
	}
	arena_fini(&arena);
	vectors_report(&vectors);
}

static void test_create(void **state) {
	(void)state;
	vectors_need("ethereum/eth-primitives");
	struct vectors vectors = {.name = "create and create2"};
	struct arena arena;
	arena_init(&arena);
	json_foreach (group, vectors_json(&arena, "ethereum/eth-primitives/ethers/create.json")) {
		addr20 sender = address_in(&arena, group, "sender");
		json_foreach (item, json_get(group, "creates")) {
			uint64_t nonce;
			assert_true(json_u64(&nonce, json_get(item, "nonce")));
			addr20 address = address_of_create(&sender, nonce);
			vectors_count(&vectors, spells(&address, json_get(item, "address")), "create", item->raw);
		}
	}
	json_foreach (group, vectors_json(&arena, "ethereum/eth-primitives/ethers/create2.json")) {
		addr20 sender = address_in(&arena, group, "sender");
		json_foreach (item, json_get(group, "creates")) {
			hash32 salt = hash_of(&arena, item, "salt"),
			       code_hash = keccak256(hex_of(&arena, item, "initCode"));
			addr20 address = address_of_create2(&sender, &salt, &code_hash);
			vectors_count(&vectors, spells(&address, json_get(item, "address")), "create2", item->raw);
		}
	}
	arena_fini(&arena);
	vectors_report(&vectors);
}

/* The vectors call the message "data". */
static const struct json *as_request(struct arena *arena, const struct json *item) {
	struct buf text;
	buf_init(&text, BUF_MAX_DEFAULT);
	struct json_writer writer = json_writer(&text);
	json_object_begin(&writer, NULL);
	json_put_raw(&writer, "types", json_get(item, "types")->raw);
	json_put_raw(&writer, "primaryType", json_get(item, "primaryType")->raw);
	json_put_raw(&writer, "domain", json_get(item, "domain")->raw);
	json_put_raw(&writer, "message", json_get(item, "data")->raw);
	json_object_end(&writer);
	const struct json *request;
	struct bytes copy = arena_dup(arena, buf_view(&text));
	buf_fini(&text);
	assert_int_equal(json_parse(&request, arena, copy, &json_limits_default, NULL), STATUS_OK);
	return request;
}

static void test_typed_data(void **state) {
	(void)state;
	vectors_need("ethereum/eth-primitives");
	struct vectors vectors = {.name = "typed data"};
	struct arena arena;
	arena_init(&arena);
	json_foreach (item, vectors_json(&arena, "ethereum/eth-primitives/ethers/typed-data.json")) {
		hash32 digest, expected = hash_of(&arena, item, "digest");
		struct err err = {0};
		enum status status = eip712_typed_data(&digest, &arena, as_request(&arena, item), &err);
		if (status) printf("%s\n", err.message);
		vectors_count(&vectors, !status && hash32_equal(&digest, &expected), "typed-data",
		    json_string(json_get(item, "name")));
		if (!json_get(item, "privateKey")) continue;
		hash32 secret = hash_of(&arena, item, "privateKey");
		struct eth_signature signature;
		struct bytes given = hex_of(&arena, item, "signature");
		assert_int_equal(eth_sign_digest(&signature, &secret, &digest), STATUS_OK);
		vectors_count(&vectors, bytes_equal(BYTES_OF(signature), given), "signature",
		    json_string(json_get(item, "name")));
	}
	arena_fini(&arena);
	vectors_report(&vectors);
}

/* A value of the types that the three ABI cases use, as a head; dynamic ones are put by the caller. */
static void put_static(struct buf *out, struct arena *arena, struct bytes type, const struct json *value) {
	uint64_t number;
	if (json_u64(&number, value))
		abi_put_u64(out, number);
	else if (bytes_equal(type, BYTES_LITERAL("address")))
		abi_put_address(out, (const addr20 *)vectors_hex(arena, value->text).data);
	else
		abi_put_fixed(out, value->text);
}

static bool is_dynamic(struct bytes type) {
	return bytes_equal(type, BYTES_LITERAL("bytes")) || type.data[type.len - 1] == ']';
}

static void encode_case(struct buf *out, struct arena *arena, const struct json *item) {
	struct abi_row row = abi_row_begin(out);
	const struct json *types = json_get(item, "types"), *args = json_get(item, "args");
	size_t heads[8];
	assert_true(args->count <= 8);
	for (size_t i = 0; i < args->count; i++) {
		struct bytes type = json_at(types, i)->text;
		heads[i] = out->len;
		if (is_dynamic(type))
			abi_reserve(out);
		else
			put_static(out, arena, type, json_at(args, i));
	}
	for (size_t i = 0; i < args->count; i++) {
		const struct json *arg = json_at(args, i);
		if (!is_dynamic(json_at(types, i)->text)) continue;
		abi_tail(&row, heads[i]);
		if (json_is(arg, JSON_STRING)) {
			abi_put_bytes(out, arg->text);
			continue;
		}
		abi_put_u64(out, arg->count);
		json_foreach (element, arg) put_static(out, arena, BYTES_LITERAL("uint32"), element);
	}
}

static void test_abi(void **state) {
	(void)state;
	vectors_need("ethereum/abi");
	struct vectors vectors = {.name = "ABI"};
	struct arena arena;
	arena_init(&arena);
	json_foreach (item, vectors_json(&arena, "ethereum/abi/basic_abi_tests.json")) {
		struct buf out;
		buf_init(&out, 1 << 16);
		encode_case(&out, &arena, item);
		vectors_count(&vectors, bytes_equal(buf_view(&out), hex_of(&arena, item, "result")), "abi", item->name);
		buf_fini(&out);
	}
	arena_fini(&arena);
	vectors_report(&vectors);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_accounts), cmocka_unit_test(test_create),
	    cmocka_unit_test(test_typed_data), cmocka_unit_test(test_abi)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
