#include "health/chain/holders.h"

#include "codec/hex.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "health/contracts/cause.h"

#define SLOTS_PER_MEMBER 3u
#define MEMBERS_MAX 64u

/* --- the answer --- */

static bool read_one(struct held_receipt *out, const struct json *receipt) {
	return hex_fixed(out->key.b, sizeof out->key.b, json_string(json_get(receipt, "key"))) == STATUS_OK &&
	       json_u64(&out->time_s, json_get(receipt, "time")) &&
	       hex_fixed(out->signature, sizeof out->signature, json_string(json_get(receipt, "signature"))) ==
		   STATUS_OK;
}

void holders_read(struct holders *out, struct bytes answer) {
	struct arena arena;
	const struct json *root;
	out->count = 0;
	arena_init(&arena);
	if (json_parse(&root, &arena, answer, NULL, NULL) == STATUS_OK) {
		json_foreach (receipt, json_get(root, "held"))
			if (out->count < HELD_RECEIPTS_MAX && read_one(&out->receipts[out->count], receipt))
				out->count++;
	}
	arena_fini(&arena);
}

/* --- the list of members, by the storage of contracts/src/Members.sol --- */

struct members {
	struct {
		addr20 node;
		uint64_t power;
	} list[MEMBERS_MAX];
	size_t count;
	uint64_t power;
};

static enum status read_members(struct members *out, struct verified *verified, struct err *err) {
	static const hash32 list_slot;
	const hash32 first = keccak256(BYTES_OF(list_slot));
	hash32 length, words[MEMBERS_MAX * SLOTS_PER_MEMBER];
	TRY(verified_struct(verified, &length, &deployment_members, &list_slot, 1, err));
	const uint64_t count = load_be64(length.b + 24);
	if (count == 0 || count > MEMBERS_MAX)
		return err_because(err, CAUSE_NOT_PROVED,
		    err_set(err, STATUS_DENIED, "the chain has no list of 1 to %u members", MEMBERS_MAX));
	TRY(verified_struct(verified, words, &deployment_members, &first, count * SLOTS_PER_MEMBER, err));
	out->power = 0;
	for (out->count = 0; out->count < count; out->count++) {
		const hash32 *member = &words[out->count * SLOTS_PER_MEMBER];
		out->list[out->count].power = load_be64(member[0].b + 4);
		memcpy(out->list[out->count].node.b, member[2].b + 12, 20);
		out->power += out->list[out->count].power;
	}
	return STATUS_OK;
}

static bool is_new(const struct held_receipt *receipt, uint64_t now_s) {
	return receipt->time_s + HOLDERS_AGE_S >= now_s && receipt->time_s <= now_s + HOLDERS_AGE_S;
}

/* Each member counts once. */
static uint64_t take_power(struct members *members, const struct held_receipt *receipt) {
	const addr20 node = held_node_of(&receipt->key);
	for (size_t i = 0; i < members->count; i++) {
		if (!addr20_equal(&members->list[i].node, &node)) continue;
		const uint64_t power = members->list[i].power;
		members->list[i].power = 0;
		return power;
	}
	return 0;
}

enum status holders_are_enough(
    struct verified *verified, bool *enough, const struct holders *holders, struct err *err) {
	const uint64_t now_s = verified_now_s(verified);
	struct members members;
	uint64_t power = 0;
	TRY(read_members(&members, verified, err));
	for (size_t i = 0; i < holders->count; i++) {
		const struct held_receipt *receipt = &holders->receipts[i];
		if (is_new(receipt, now_s) && held_verify(receipt, &holders->blob))
			power += take_power(&members, receipt);
	}
	*enough = 3 * power >= members.power;
	return STATUS_OK;
}
