#include "codec/hex.h"
#include "eth/eip712.h"

#include <stdlib.h>

#define TYPES_MAX 256

struct typed {
	const struct json *types;
	struct arena *arena;
	struct err *err;
};

/* A struct type as it is encoded: its name and its members [{name, type}, …]. */
struct member_type {
	struct bytes name, type;
};

static enum status refuse(const struct typed *typed, const char *what, struct bytes name) {
	return err_set(typed->err, STATUS_INVALID, "typed data: %s: %.*s", what, (int)(name.len < 64 ? name.len : 64),
	    name.data ? (const char *)name.data : "");
}

static const struct json *struct_of(const struct typed *typed, struct bytes name) {
	json_foreach (item, typed->types)
		if (bytes_equal(item->name, name)) return item;
	return NULL;
}

static enum status read_member(struct member_type *out, const struct typed *typed, const struct json *member) {
	out->name = json_string(json_get(member, "name"));
	out->type = json_string(json_get(member, "type"));
	if (out->name.len && out->type.len) return STATUS_OK;
	return refuse(typed, "a member has no name or type", out->name);
}

/* "T" of "T[2][]". */
static struct bytes base_type(struct bytes type) {
	const uint8_t *bracket = memchr(type.data, '[', type.len);
	return bracket ? bytes_make(type.data, (size_t)(bracket - type.data)) : type;
}

/* Splits "T[2]" into "T" and "2"; false if the type is not an array. */
static bool split_array(struct bytes *element, struct bytes *count, struct bytes type) {
	if (type.len < 2 || type.data[type.len - 1] != ']') return false;
	size_t open = type.len - 1;
	while (open > 0 && type.data[open] != '[') open--;
	*element = bytes_slice(type, 0, open);
	*count = bytes_slice(type, open + 1, type.len - open - 2);
	return true;
}

/* "uint64" → 64 with prefix "uint"; 0 if there are no digits, a leading zero, or a number over `max`. */
static unsigned width_of(struct bytes type, const char *prefix, unsigned max) {
	size_t len = strlen(prefix);
	if (type.len <= len || type.len > len + 3 || memcmp(type.data, prefix, len) != 0 || type.data[len] == '0')
		return 0;
	unsigned width = 0;
	for (size_t i = len; i < type.len; i++) {
		if (type.data[i] < '0' || type.data[i] > '9') return 0;
		width = width * 10 + (type.data[i] - '0');
	}
	return width <= max ? width : 0;
}

/* A type that is neither array nor struct. */
static bool is_atomic(struct bytes type) {
	static const char *const plain[] = {"string", "bytes", "bool", "address"};
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (bytes_equal(type, bytes_text(plain[i]))) return true;
	unsigned bits = width_of(type, "uint", 256);
	if (!bits) bits = width_of(type, "int", 256);
	return width_of(type, "bytes", 32) || (bits && bits % 8 == 0);
}

static int compare_type_names(const void *a, const void *b) {
	const struct json *const *left = a, *const *right = b;
	return bytes_compare((*left)->name, (*right)->name);
}

static enum status append_type(struct buf *out, const struct typed *typed, const struct json *type) {
	if (!json_is(type, JSON_ARRAY)) return refuse(typed, "a type is no list of members", type->name);
	buf_append(out, type->name);
	buf_byte(out, '(');
	json_foreach (item, type) {
		struct member_type member;
		TRY(read_member(&member, typed, item));
		struct bytes base = base_type(member.type);
		if (!struct_of(typed, base) && !is_atomic(base)) return refuse(typed, "unknown type", member.type);
		for (const struct json *earlier = type->first; earlier != item; earlier = earlier->next)
			if (bytes_equal(json_string(json_get(earlier, "name")), member.name))
				return refuse(typed, "a type has two members of one name", member.name);
		if (item != type->first) buf_byte(out, ',');
		buf_append(out, member.type);
		buf_byte(out, ' ');
		buf_append(out, member.name);
	}
	buf_byte(out, ')');
	return STATUS_OK;
}

/* Appends the struct types that `type`'s members name and that are not found yet. */
static enum status find_references(
    const struct json **found, size_t *count, const struct typed *typed, const struct json *type) {
	json_foreach (item, type) {
		struct member_type member;
		TRY(read_member(&member, typed, item));
		const struct json *referred = struct_of(typed, base_type(member.type));
		for (size_t i = 0; referred && i < *count; i++)
			if (found[i] == referred) referred = NULL;
		if (!referred) continue;
		if (*count == TYPES_MAX) return refuse(typed, "too many types behind", type->name);
		found[(*count)++] = referred;
	}
	return STATUS_OK;
}

/* encodeType: the type itself first, then what it refers to by name. */
static enum status hash_type(hash32 *out, const struct typed *typed, const struct json *type) {
	const struct json *found[TYPES_MAX] = {type};
	size_t count = 1;
	for (size_t i = 0; i < count; i++) TRY(find_references(found, &count, typed, found[i]));
	qsort(found + 1, count - 1, sizeof *found, compare_type_names);
	struct buf text;
	buf_init(&text, BUF_MAX_DEFAULT);
	enum status status = STATUS_OK;
	for (size_t i = 0; i < count && !status; i++) status = append_type(&text, typed, found[i]);
	if (!status) status = buf_status(&text, typed->err);
	*out = keccak256(buf_view(&text));
	buf_fini(&text);
	return status;
}

static enum status put_integer(
    uint8_t word[32], const struct typed *typed, const struct json *value, unsigned bits, bool is_signed) {
	struct bytes text = json_is(value, JSON_NUMBER) ? value->text : json_string(value);
	bool is_negative = is_signed && text.len && text.data[0] == '-';
	if (is_negative) text = bytes_slice(text, 1, text.len);
	u256 number;
	const u256 zero = u256_from(0);
	uint8_t be[32];
	if (json_is(value, JSON_STRING) && hex_quantity256(be, text) == STATUS_OK)
		number = u256_load_be(be);
	else if (!u256_from_decimal(&number, text))
		return refuse(typed, "not an integer", value->raw);
	unsigned used = u256_bit_length(&number);
	u256 least = u256_from(1);
	least = u256_shl(&least, bits - 1);
	bool fits = is_signed ? used < bits || (is_negative && u256_equal(&number, &least)) : used <= bits;
	if (!fits) return refuse(typed, "integer is out of its type's range", value->raw);
	if (is_negative) u256_sub_overflow(&number, &zero, &number);
	u256_store_be(word, &number);
	return STATUS_OK;
}

static enum status put_dynamic_bytes(uint8_t word[32], const struct typed *typed, const struct json *value) {
	struct buf data;
	buf_init(&data, BUF_MAX_DEFAULT);
	enum status status = hex_data(&data, json_string(value));
	hash32 hash = keccak256(buf_view(&data));
	buf_fini(&data);
	if (status) return refuse(typed, "not bytes", value->raw);
	memcpy(word, hash.b, 32);
	return STATUS_OK;
}

/* encodeData of a value whose type is neither array nor struct. */
static enum status put_atomic(
    uint8_t word[32], const struct typed *typed, struct bytes type, const struct json *value) {
	memset(word, 0, 32);
	if (bytes_equal(type, BYTES_LITERAL("string"))) {
		if (!json_is(value, JSON_STRING)) return refuse(typed, "not a string", value->raw);
		hash32 hash = keccak256(value->text);
		memcpy(word, hash.b, 32);
		return STATUS_OK;
	}
	if (bytes_equal(type, BYTES_LITERAL("bytes"))) return put_dynamic_bytes(word, typed, value);
	if (bytes_equal(type, BYTES_LITERAL("bool"))) {
		word[31] = json_is(value, JSON_TRUE);
		return word[31] || json_is(value, JSON_FALSE) ? STATUS_OK : refuse(typed, "not a bool", value->raw);
	}
	if (bytes_equal(type, BYTES_LITERAL("address")))
		return hex_fixed(word + 12, 20, json_string(value)) ? refuse(typed, "not an address", value->raw)
								    : STATUS_OK;
	unsigned width = width_of(type, "bytes", 32);
	if (width)
		return hex_fixed(word, width, json_string(value)) ? refuse(typed, "not such bytes", value->raw)
								  : STATUS_OK;
	width = width_of(type, "uint", 256);
	if (width && width % 8 == 0) return put_integer(word, typed, value, width, false);
	width = width_of(type, "int", 256);
	if (width && width % 8 == 0) return put_integer(word, typed, value, width, true);
	return refuse(typed, "unknown type", type);
}

static enum status hash_struct(
    hash32 *out, const struct typed *typed, const struct json *type, const struct json *value);
static enum status put_value(uint8_t word[32], const struct typed *typed, struct bytes type, const struct json *value);

static enum status hash_array(
    hash32 *out, const struct typed *typed, struct bytes element, struct bytes count, const struct json *value) {
	if (!json_is(value, JSON_ARRAY)) return refuse(typed, "not an array", value->raw);
	u256 expected;
	if (count.len && (!u256_from_decimal(&expected, count) || u256_clamp_u64(&expected) != value->count))
		return refuse(typed, "array has the wrong length", value->raw);
	struct keccak keccak;
	keccak256_init(&keccak);
	json_foreach (item, value) {
		uint8_t word[32];
		TRY(put_value(word, typed, element, item));
		keccak256_update(&keccak, bytes_make(word, sizeof word));
	}
	*out = keccak256_final(&keccak);
	return STATUS_OK;
}

/* Each level of recursion goes one level down in the JSON value, whose depth the parser has bounded. */
static enum status put_value(uint8_t word[32], const struct typed *typed, struct bytes type, const struct json *value) {
	struct bytes element, count;
	hash32 hash;
	const struct json *struct_type = struct_of(typed, type);
	if (split_array(&element, &count, type))
		TRY(hash_array(&hash, typed, element, count, value));
	else if (struct_type)
		TRY(hash_struct(&hash, typed, struct_type, value));
	else
		return put_atomic(word, typed, type, value);
	memcpy(word, hash.b, 32);
	return STATUS_OK;
}

static enum status hash_struct(
    hash32 *out, const struct typed *typed, const struct json *type, const struct json *value) {
	if (!json_is(value, JSON_OBJECT)) return refuse(typed, "not an object of type", type->name);
	hash32 type_hash;
	TRY(hash_type(&type_hash, typed, type));
	if (value->count != type->count) return refuse(typed, "members do not fit the type", type->name);
	struct keccak keccak;
	keccak256_init(&keccak);
	keccak256_update(&keccak, BYTES_OF(type_hash));
	json_foreach (item, type) {
		struct member_type member;
		uint8_t word[32];
		TRY(read_member(&member, typed, item));
		const struct json *found = value->first;
		while (found && !bytes_equal(found->name, member.name)) found = found->next;
		if (!found) return refuse(typed, "member is missing", member.name);
		TRY(put_value(word, typed, member.type, found));
		keccak256_update(&keccak, bytes_make(word, sizeof word));
	}
	*out = keccak256_final(&keccak);
	return STATUS_OK;
}

/* The domain's type where none is given: the members that are there, in the standard's order. */
static const struct json *implied_domain_type(const struct typed *typed, const struct json *domain) {
	static const char *const standard[][2] = {{"name", "string"}, {"version", "string"}, {"chainId", "uint256"},
	    {"verifyingContract", "address"}, {"salt", "bytes32"}};
	struct buf text;
	buf_init(&text, BUF_MAX_DEFAULT);
	struct json_writer writer = json_writer(&text);
	json_array_begin(&writer, NULL);
	for (size_t i = 0; i < sizeof standard / sizeof *standard; i++) {
		if (!json_get(domain, standard[i][0])) continue;
		json_object_begin(&writer, NULL);
		json_put_text(&writer, "name", standard[i][0]);
		json_put_text(&writer, "type", standard[i][1]);
		json_object_end(&writer);
	}
	json_array_end(&writer);
	const struct json *parsed = NULL;
	enum status status =
	    json_parse(&parsed, typed->arena, arena_dup(typed->arena, buf_view(&text)), &json_limits_default, NULL);
	buf_fini(&text);
	BUG_ON(status != STATUS_OK);
	struct json *type = arena_alloc(typed->arena, sizeof *type);
	*type = *parsed;
	type->name = BYTES_LITERAL("EIP712Domain");
	return type;
}

enum status eip712_typed_data(hash32 *digest, struct arena *arena, const struct json *typed_data, struct err *err) {
	struct typed typed = {json_get(typed_data, "types"), arena, err};
	const struct json *domain = json_get(typed_data, "domain");
	const struct json *message = json_get(typed_data, "message");
	struct bytes primary = json_string(json_get(typed_data, "primaryType"));
	if (!json_is(typed.types, JSON_OBJECT) || !json_is(domain, JSON_OBJECT) || !message || !primary.len)
		return refuse(&typed, "types, primaryType, domain or message is missing or of the wrong kind", primary);
	const struct json *domain_type = struct_of(&typed, BYTES_LITERAL("EIP712Domain"));
	const struct json *message_type = struct_of(&typed, primary);
	if (!message_type) return refuse(&typed, "unknown primaryType", primary);
	if (!domain_type) domain_type = implied_domain_type(&typed, domain);
	hash32 domain_hash, message_hash;
	TRY(hash_struct(&domain_hash, &typed, domain_type, domain));
	TRY(hash_struct(&message_hash, &typed, message_type, message));
	*digest = eip712_digest(&domain_hash, &message_hash);
	return STATUS_OK;
}
