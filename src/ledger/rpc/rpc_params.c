#include "codec/hex.h"
#include "ledger/rpc/rpc_chain.h"

#include <stdarg.h>
#include <stdio.h>

#define SHOWN_MAX 80

const struct json *rpc_param(const struct rpc_call *call, size_t index) {
	const struct json *value = json_at(call->params, index);
	return json_is(value, JSON_NULL) ? NULL : value;
}

enum status rpc_bad_param(struct rpc_call *call, size_t index, const char *format, ...) {
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return rpc_fail(call, RPC_INVALID_PARAMS, "invalid argument %zu: %s", index, text);
}

/* Where a value stands, for messages: a member's name and ": ", or nothing. */
struct place {
	size_t index;
	const char *member; /* NULL: the parameter itself */
};

static enum status bad_value(struct rpc_call *call, struct place place, const char *why) {
	return rpc_bad_param(
	    call, place.index, "%s%s%s", place.member ? place.member : "", place.member ? ": " : "", why);
}

/* geth takes 0X for 0x wherever it reads hexadecimal. */
struct bytes rpc_hex_text(struct rpc_call *call, struct bytes text) {
	if (text.len < 2 || text.data[0] != '0' || text.data[1] != 'X') return text;
	uint8_t *copy = arena_alloc(call->arena, text.len);
	memcpy(copy, text.data, text.len);
	copy[1] = 'x';
	return bytes_make(copy, text.len);
}

/* Says why a text is not the hexadecimal that was wanted. A missing 0x has geth's words, which clients look for. */
static enum status bad_hex(struct rpc_call *call, struct place place, const struct json *value, const char *wanted) {
	char why[160];
	struct bytes text = rpc_hex_text(call, json_string(value));
	if (!text.data)
		snprintf(why, sizeof why, "expected %s as a hex string", wanted);
	else if (text.len == 0)
		snprintf(why, sizeof why, "empty hex string, expected %s", wanted);
	else if (text.len < 2 || text.data[0] != '0' || text.data[1] != 'x')
		snprintf(why, sizeof why, "hex string without 0x prefix");
	else
		snprintf(why, sizeof why, "expected %s", wanted);
	return bad_value(call, place, why);
}

static enum status take_fixed(
    struct rpc_call *call, uint8_t *out, size_t len, const struct json *value, struct place place) {
	struct bytes text = rpc_hex_text(call, json_string(value));
	if (hex_fixed(out, len, text) == STATUS_OK) return STATUS_OK;
	if (text.len && (text.len < 2 || text.data[0] != '0' || text.data[1] != 'x'))
		return bad_value(call, place,
		    len == 20
			? "json: cannot unmarshal hex string without 0x prefix into Go value of type common.Address"
			: "json: cannot unmarshal hex string without 0x prefix into Go value of type common.Hash");
	return bad_hex(call, place, value, len == 20 ? "an address of 20 bytes" : "32 bytes");
}

static enum status take_quantity(struct rpc_call *call, uint64_t *out, const struct json *value, struct place place) {
	if (hex_quantity(out, rpc_hex_text(call, json_string(value))) == STATUS_OK) return STATUS_OK;
	return bad_hex(call, place, value, "a quantity of at most 64 bits without leading zeros");
}

static enum status take_u256(struct rpc_call *call, u256 *out, const struct json *value, struct place place) {
	uint8_t big_endian[32];
	if (hex_quantity256(big_endian, rpc_hex_text(call, json_string(value))) != STATUS_OK)
		return bad_hex(call, place, value, "a quantity of at most 256 bits without leading zeros");
	*out = u256_load_be(big_endian);
	return STATUS_OK;
}

enum status rpc_param_address(struct rpc_call *call, addr20 *out, size_t index) {
	return take_fixed(call, out->b, sizeof out->b, rpc_param(call, index), (struct place){index, NULL});
}

enum status rpc_param_hash(struct rpc_call *call, hash32 *out, size_t index) {
	return take_fixed(call, out->b, sizeof out->b, rpc_param(call, index), (struct place){index, NULL});
}

enum status rpc_param_quantity(struct rpc_call *call, uint64_t *out, size_t index) {
	return take_quantity(call, out, rpc_param(call, index), (struct place){index, NULL});
}

enum status rpc_param_u256(struct rpc_call *call, u256 *out, size_t index) {
	return take_u256(call, out, rpc_param(call, index), (struct place){index, NULL});
}

enum status rpc_param_number(struct rpc_call *call, uint64_t *out, size_t index) {
	return rpc_number_of(call, out, rpc_param(call, index), index);
}

/* Digits after 0x or decimal ones, zeros in front or not; false if there are none, or others, or too many. */
static bool read_number(u256 *out, struct bytes text) {
	const bool is_hex = text.len > 2 && text.data[0] == '0' && (text.data[1] | 0x20) == 'x';
	const u256 base = u256_from(is_hex ? 16 : 10);
	*out = u256_from(0);
	for (size_t i = is_hex ? 2 : 0; i < text.len; i++) {
		const uint8_t c = text.data[i], lower = c | 0x20;
		const bool is_letter = is_hex && lower >= 'a' && lower <= 'f';
		if (!is_letter && (c < '0' || c > '9')) return false;
		const u256 digit = u256_from(is_letter ? lower - 'a' + 10u : c - (unsigned)'0');
		if (u256_mul_overflow(out, out, &base) || u256_add_overflow(out, out, &digit)) return false;
	}
	return text.len > 0;
}

enum status rpc_number_of(struct rpc_call *call, uint64_t *out, const struct json *value, size_t index) {
	u256 number;
	TRY(rpc_big_number_of(call, &number, value, index));
	*out = number.w[0];
	return u256_fits_u64(&number) ? STATUS_OK : rpc_bad_param(call, index, "a number over 64 bits");
}

enum status rpc_big_number_of(struct rpc_call *call, u256 *out, const struct json *value, size_t index) {
	if ((json_is(value, JSON_NUMBER) || json_is(value, JSON_STRING)) && read_number(out, value->text))
		return STATUS_OK;
	return rpc_bad_param(call, index, "expected a whole number of at most 256 bits, decimal or after 0x");
}

enum status rpc_param_bool(struct rpc_call *call, bool *out, size_t index, bool missing) {
	const struct json *value = rpc_param(call, index);
	*out = value ? json_is(value, JSON_TRUE) : missing;
	if (!value || json_is(value, JSON_TRUE) || json_is(value, JSON_FALSE)) return STATUS_OK;
	return rpc_bad_param(call, index, "expected true or false");
}

enum status rpc_param_data(struct rpc_call *call, struct bytes *out, size_t index) {
	const struct json *value = rpc_param(call, index);
	struct buf *scratch = &call->worker->scratch;
	buf_clear(scratch);
	if (hex_data(scratch, rpc_hex_text(call, json_string(value))) != STATUS_OK)
		return bad_hex(call, (struct place){index, NULL}, value, "an even number of hex digits");
	*out = buf_view(scratch);
	return STATUS_OK;
}

size_t rpc_slot_digits(struct bytes text) {
	const bool has_prefix = text.len >= 2 && text.data[0] == '0' && (text.data[1] | 0x20) == 'x';
	return has_prefix ? text.len - 2 : text.len;
}

enum status rpc_slot_of(struct rpc_call *call, u256 *out, const struct json *value, size_t index) {
	const struct bytes text = json_string(value);
	const size_t digits = rpc_slot_digits(text), shown = text.len > SHOWN_MAX ? SHOWN_MAX : text.len;
	if (!text.data) return bad_hex(call, (struct place){index, NULL}, value, "a storage slot");
	if (digits > 64)
		return rpc_fail(call, RPC_INVALID_PARAMS, "storage key too long (want at most 32 bytes): \"%.*s\"",
		    (int)shown, (const char *)text.data);
	char padded[66];
	uint8_t big_endian[32];
	memset(padded, '0', sizeof padded);
	padded[1] = 'x';
	memcpy(padded + 66 - digits, text.data + text.len - digits, digits);
	if (hex_fixed(big_endian, sizeof big_endian, bytes_make(padded, sizeof padded)) != STATUS_OK)
		return rpc_fail(call, RPC_INVALID_PARAMS, "invalid hex in storage key: \"%.*s\"", (int)shown,
		    (const char *)text.data);
	*out = u256_load_be(big_endian);
	return STATUS_OK;
}

/* --- blocks --- */

static bool take_tag(struct rpc_block_id *out, struct bytes text) {
	static const struct {
		const char *tag;
		enum rpc_block_kind kind;
	} tags[] = {{"latest", RPC_BLOCK_LATEST}, {"pending", RPC_BLOCK_PENDING}, {"earliest", RPC_BLOCK_NUMBER}};
	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
		if (!bytes_equal(text, bytes_text(tags[i].tag))) continue;
		*out = (struct rpc_block_id){.kind = tags[i].kind};
		return true;
	}
	return false;
}

static enum status take_block_number(
    struct rpc_call *call, struct rpc_block_id *out, const struct json *value, struct place place) {
	if (take_tag(out, json_string(value))) return STATUS_OK;
	if (json_string_is(value, "safe")) return rpc_find_safe(call, out, false);
	if (json_string_is(value, "finalized")) return rpc_find_safe(call, out, true);
	*out = (struct rpc_block_id){.kind = RPC_BLOCK_NUMBER};
	if (hex_quantity(&out->number, rpc_hex_text(call, json_string(value))) == STATUS_OK) return STATUS_OK;
	return bad_hex(call, place, value, "a block number, or latest, pending, safe, finalized, earliest");
}

/* EIP-1898. */
static enum status take_block_object(
    struct rpc_call *call, struct rpc_block_id *out, const struct json *object, size_t index) {
	const struct json *number = json_get(object, "blockNumber"), *hash = json_get(object, "blockHash");
	const struct json *canonical = json_get(object, "requireCanonical");
	if (!number == !hash)
		return rpc_bad_param(call, index,
		    number ? "cannot specify both BlockHash and BlockNumber, choose one or the other"
			   : "expected blockNumber or blockHash");
	if (number) return take_block_number(call, out, number, (struct place){index, "blockNumber"});
	*out = (struct rpc_block_id){.kind = RPC_BLOCK_HASH, .require_canonical = json_is(canonical, JSON_TRUE)};
	if (canonical && !json_is(canonical, JSON_TRUE) && !json_is(canonical, JSON_FALSE))
		return rpc_bad_param(call, index, "requireCanonical: expected true or false");
	return take_fixed(call, out->hash.b, 32, hash, (struct place){index, "blockHash"});
}

enum status rpc_block_id_of(struct rpc_call *call, struct rpc_block_id *out, const struct json *value, size_t index) {
	*out = (struct rpc_block_id){.kind = RPC_BLOCK_LATEST};
	if (!value) return STATUS_OK;
	if (json_is(value, JSON_OBJECT)) return take_block_object(call, out, value, index);
	if (json_string(value).len == 66) {
		out->kind = RPC_BLOCK_HASH;
		return take_fixed(call, out->hash.b, 32, value, (struct place){index, NULL});
	}
	return take_block_number(call, out, value, (struct place){index, NULL});
}

enum status rpc_param_block(struct rpc_call *call, struct rpc_block_id *out, size_t index) {
	return rpc_block_id_of(call, out, rpc_param(call, index), index);
}

enum status rpc_param_block_number(struct rpc_call *call, struct rpc_block_id *out, size_t index) {
	return take_block_number(call, out, rpc_param(call, index), (struct place){index, NULL});
}

/* --- members of objects --- */

static const struct json *member(const struct json *object, const char *name, bool *has) {
	const struct json *value = json_get(object, name);
	if (has) *has = value != NULL;
	return value;
}

enum status rpc_member_address(
    struct rpc_call *call, addr20 *out, bool *has, const struct json *object, const char *name, size_t index) {
	const struct json *value = member(object, name, has);
	return value ? take_fixed(call, out->b, 20, value, (struct place){index, name}) : STATUS_OK;
}

enum status rpc_member_hash(
    struct rpc_call *call, hash32 *out, bool *has, const struct json *object, const char *name, size_t index) {
	const struct json *value = member(object, name, has);
	return value ? take_fixed(call, out->b, 32, value, (struct place){index, name}) : STATUS_OK;
}

enum status rpc_member_quantity(
    struct rpc_call *call, uint64_t *out, bool *has, const struct json *object, const char *name, size_t index) {
	const struct json *value = member(object, name, has);
	return value ? take_quantity(call, out, value, (struct place){index, name}) : STATUS_OK;
}

enum status rpc_member_u256(
    struct rpc_call *call, u256 *out, bool *has, const struct json *object, const char *name, size_t index) {
	const struct json *value = member(object, name, has);
	return value ? take_u256(call, out, value, (struct place){index, name}) : STATUS_OK;
}

enum status rpc_member_data(
    struct rpc_call *call, struct bytes *out, bool *has, const struct json *object, const char *name, size_t index) {
	const struct json *value = member(object, name, has);
	if (!value) return STATUS_OK;
	struct bytes text = rpc_hex_text(call, json_string(value));
	if (text.len < 2 || text.len % 2)
		return bad_hex(call, (struct place){index, name}, value, "an even number of hex digits");
	const size_t len = text.len / 2 - 1;
	uint8_t *data = arena_alloc(call->arena, len);
	if (hex_fixed(data, len, text) != STATUS_OK)
		return bad_hex(call, (struct place){index, name}, value, "an even number of hex digits");
	*out = bytes_make(data, len);
	return STATUS_OK;
}
