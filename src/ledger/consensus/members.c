#include "ledger/consensus/members.h"

#include "crypto/hash.h"

enum { SLOTS_PER_MEMBER = 3 };

static enum status read_slot(
    uint8_t out[32], const struct state_source *state, const addr20 *contract, const u256 *slot, struct err *err) {
	u256 value;
	TRY(state->storage(state->context, &value, contract, slot, err));
	uint8_t digits[32];
	const struct bytes trimmed = u256_trimmed_be(digits, &value);
	memset(out, 0, 32);
	if (trimmed.len > 0) memcpy(out + 32 - trimmed.len, trimmed.data, trimmed.len);
	return STATUS_OK;
}

static enum status read_member(struct member *out, const struct state_source *state, const addr20 *contract,
    const u256 *first_slot, struct err *err) {
	uint8_t words[SLOTS_PER_MEMBER][32];
	for (uint64_t i = 0; i < SLOTS_PER_MEMBER; i++) {
		const u256 offset = u256_from(i);
		u256 slot;
		u256_add_overflow(&slot, first_slot, &offset);
		TRY(read_slot(words[i], state, contract, &slot, err));
	}
	memcpy(out->account.b, words[0] + 12, sizeof out->account.b);
	out->validator.power = load_be64(words[0] + 4);
	memcpy(out->validator.key, words[1], sizeof out->validator.key);
	memcpy(out->node.b, words[2] + 12, sizeof out->node.b);
	const hash32 digest = sha256(bytes_make(out->validator.key, sizeof out->validator.key));
	memcpy(out->address.b, digest.b, sizeof out->address.b);
	return STATUS_OK;
}

enum status members_read(
    struct members *out, const struct state_source *state, const addr20 *contract, struct err *err) {
	static const uint8_t list_slot[32];
	uint8_t length[32];
	u256 slot = u256_from(0);
	const u256 step = u256_from(SLOTS_PER_MEMBER);
	TRY(read_slot(length, state, contract, &slot, err));
	const uint64_t count = load_be64(length + 24);
	static const uint8_t zeros[24];
	if (memcmp(length, zeros, sizeof zeros) != 0 || count == 0 || count > MEMBERS_MAX)
		return err_set(
		    err, STATUS_CORRUPT, "the members' contract has no list of 1 to %d members", MEMBERS_MAX);
	const hash32 first = keccak256(bytes_make(list_slot, sizeof list_slot));
	slot = u256_from_be(BYTES_OF(first));
	for (out->count = 0; out->count < count; out->count++) {
		TRY(read_member(&out->list[out->count], state, contract, &slot, err));
		u256_add_overflow(&slot, &slot, &step);
	}
	return STATUS_OK;
}

enum status members_seal_read(
    struct members_seal *out, const struct state_source *state, const addr20 *contract, struct err *err) {
	u256 slot = u256_from(4);
	uint8_t number[32];
	TRY(read_slot(out->statement.b, state, contract, &slot, err));
	slot = u256_from(5);
	TRY(read_slot(number, state, contract, &slot, err));
	out->number = load_be64(number + 24);
	return STATUS_OK;
}

bool members_changed(const struct receipt *receipts, size_t count, const addr20 *contract) {
	const hash32 topic = keccak256(bytes_text("MembersChanged(uint64)"));
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < receipts[i].log_count; k++) {
			const struct log *log = &receipts[i].logs[k];
			if (log->topic_count > 0 && addr20_equal(&log->address, contract) &&
			    hash32_equal(&log->topics[0], &topic))
				return true;
		}
	return false;
}

static const struct abci_validator *by_key(const struct members *members, const uint8_t key[ABCI_KEY_BYTES]) {
	for (size_t i = 0; i < members->count; i++)
		if (memcmp(members->list[i].validator.key, key, ABCI_KEY_BYTES) == 0)
			return &members->list[i].validator;
	return NULL;
}

size_t members_updates(
    struct abci_validator out[MEMBERS_UPDATES_MAX], const struct members *before, const struct members *after) {
	size_t count = 0;
	for (size_t i = 0; i < before->count; i++) {
		out[count] = before->list[i].validator;
		out[count].power = 0;
		if (by_key(after, out[count].key) == NULL) count++;
	}
	for (size_t i = 0; i < after->count; i++) {
		const struct abci_validator *is = &after->list[i].validator, *was = by_key(before, is->key);
		if (was == NULL || was->power != is->power) out[count++] = *is;
	}
	return count;
}

bool members_are(const struct members *members, const struct abci_validator *validators, size_t count) {
	if (count != members->count) return false;
	for (size_t i = 0; i < count; i++) {
		const struct abci_validator *member = by_key(members, validators[i].key);
		if (member == NULL || member->power != validators[i].power) return false;
	}
	return true;
}

const struct member *members_by_address(const struct members *members, struct bytes address) {
	for (size_t i = 0; i < members->count; i++)
		if (bytes_equal(BYTES_OF(members->list[i].address), address)) return &members->list[i];
	return NULL;
}

const struct member *members_by_node(const struct members *members, const addr20 *node) {
	for (size_t i = 0; i < members->count; i++)
		if (addr20_equal(&members->list[i].node, node)) return &members->list[i];
	return NULL;
}
