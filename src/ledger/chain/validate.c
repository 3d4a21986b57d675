/* May this header, these ommers, stand in the chain? (Yellow Paper §4.4.4, §11.1; EIP-1559, 3675, 4844, 4788, 7685.) */
#include "codec/rlp.h"
#include "crypto/hash.h"
#include "ledger/chain/chain_private.h"

enum { GAS_LIMIT_BOUND_DIVISOR = 1024, GAS_LIMIT_MIN = 5000, OMMERS_MAX = 2, OMMER_GENERATIONS = 6 };

static enum status reject(struct err *err, const char *why) {
	return err_set(err, STATUS_INVALID, "invalid block: %s", why);
}

static enum status check_gas_limit(
    const struct header *header, const struct header *parent, bool first_of_london, struct err *err) {
	const uint64_t before = parent->gas_limit * (first_of_london ? 2 : 1);
	const uint64_t limit = header->gas_limit, distance = limit > before ? limit - before : before - limit;
	if (distance >= before / GAS_LIMIT_BOUND_DIVISOR) return reject(err, "the gas limit moves too far");
	if (limit < GAS_LIMIT_MIN || limit > INT64_MAX) return reject(err, "the gas limit is out of range");
	if (header->gas_used > limit) return reject(err, "more gas used than the limit");
	return STATUS_OK;
}

static enum status check_difficulty(
    const struct chain *chain, const struct header *header, const struct header *parent, bool merged, struct err *err) {
	static const uint8_t zero_nonce[8];
	if (!merged) {
		const u256 difficulty = chain_difficulty(chain->genesis, parent, header->timestamp);
		if (u256_is_zero(&header->difficulty)) return reject(err, "the chain is not merged yet");
		return u256_equal(&header->difficulty, &difficulty) ? STATUS_OK : reject(err, "wrong difficulty");
	}
	if (!u256_is_zero(&header->difficulty)) return reject(err, "a difficulty after the merge");
	if (memcmp(header->nonce, zero_nonce, sizeof zero_nonce) != 0) return reject(err, "a nonce after the merge");
	if (!hash32_equal(&header->ommers_hash, &empty_ommers_hash)) return reject(err, "ommers after the merge");
	return STATUS_OK;
}

static enum status check_fees(const struct header *header, const struct header *parent, const struct exec_rules *rules,
    bool parent_is_london, struct err *err) {
	if (rules->fork >= FORK_LONDON) {
		const u256 fee = exec_next_base_fee(parent, rules, parent_is_london);
		if (!u256_equal(&fee, &header->base_fee_wei)) return reject(err, "wrong base fee");
	}
	if (rules->fork < FORK_CANCUN) return STATUS_OK;
	if (header->excess_blob_gas != exec_excess_blob_gas(parent, rules)) return reject(err, "wrong excess blob gas");
	if (header->blob_gas_used % GAS_PER_BLOB != 0 || header->blob_gas_used > rules->blob.max * GAS_PER_BLOB)
		return reject(err, "wrong blob gas used");
	return STATUS_OK;
}

enum status chain_check_header(
    const struct chain *chain, const struct header *header, const struct header *parent, bool merged, struct err *err) {
	const struct exec_rules rules = genesis_rules(chain->genesis, header->number, header->timestamp, merged);
	const bool parent_is_london = parent->field_count >= HEADER_LONDON;
	if (parent->number == UINT64_MAX || header->number != parent->number + 1) return reject(err, "wrong number");
	const uint64_t least = parent->timestamp + !genesis_equal_timestamps(chain->genesis);
	if (header->timestamp < least || least < parent->timestamp) return reject(err, "not later than its parent");
	if (header->field_count != header_field_count(rules.fork))
		return reject(err, "wrong header fields for its fork");
	if (!dao_extra_is_valid(chain->genesis, header)) return reject(err, "wrong extra data near the DAO fork");
	TRY(check_gas_limit(header, parent, rules.fork >= FORK_LONDON && !parent_is_london, err));
	TRY(check_difficulty(chain, header, parent, merged, err));
	return check_fees(header, parent, &rules, parent_is_london, err);
}

/* --- ommers --- */

hash32 chain_ommers_hash(const struct block *block) {
	struct buf rlp;
	buf_init(&rlp, BUF_MAX_DEFAULT);
	const size_t mark = rlp_list_begin(&rlp);
	for (size_t i = 0; i < block->ommer_count; i++) header_encode(&rlp, &block->ommers[i]);
	rlp_list_end(&rlp, mark);
	const hash32 hash = keccak256(buf_view(&rlp));
	buf_fini(&rlp);
	return hash;
}

/* Is it, or was it named by, one of the block's last ancestors? */
static enum status is_known_ommer(
    struct chain *chain, bool *known, uint64_t block_number, const hash32 *ommer, struct err *err) {
	struct arena arena;
	enum status status = STATUS_OK;
	*known = false;
	arena_init(&arena);
	for (uint64_t back = 1; back <= OMMER_GENERATIONS + 1 && back <= block_number && !*known; back++) {
		hash32 hash;
		struct block ancestor;
		status = chain_canonical_hash(chain, &hash, block_number - back, err);
		if (status == STATUS_OK) status = chain_block_by_hash(chain, &ancestor, &arena, &hash, err);
		if (status != STATUS_OK) break;
		*known = hash32_equal(&hash, ommer);
		for (size_t i = 0; i < ancestor.ommer_count && !*known; i++) {
			const hash32 named = header_hash(&ancestor.ommers[i]);
			*known = hash32_equal(&named, ommer);
		}
	}
	arena_fini(&arena);
	return status;
}

static enum status check_ommer(
    struct chain *chain, const struct header *block, const struct header *ommer, struct err *err) {
	struct header parent;
	hash32 parent_hash;
	bool known;
	if (ommer->number == 0 || ommer->number >= block->number || block->number - ommer->number > OMMER_GENERATIONS)
		return reject(err, "an ommer of the wrong generation");
	TRY(chain_header_by_number(chain, &parent, &parent_hash, ommer->number - 1, err));
	if (!hash32_equal(&parent_hash, &ommer->parent_hash))
		return reject(err, "an ommer whose parent is no ancestor");
	const hash32 hash = header_hash(ommer);
	TRY(is_known_ommer(chain, &known, block->number, &hash, err));
	if (known) return reject(err, "an ommer that is known already");
	return chain_check_header(chain, ommer, &parent, false, err);
}

enum status chain_check_ommers(struct chain *chain, const struct block *block, struct err *err) {
	const hash32 hash = chain_ommers_hash(block);
	if (!hash32_equal(&hash, &block->header.ommers_hash)) return reject(err, "wrong ommers hash");
	if (block->ommer_count > OMMERS_MAX) return reject(err, "too many ommers");
	for (size_t i = 0; i < block->ommer_count; i++) TRY(check_ommer(chain, &block->header, &block->ommers[i], err));
	if (block->ommer_count < 2) return STATUS_OK;
	const hash32 first = header_hash(&block->ommers[0]), second = header_hash(&block->ommers[1]);
	return hash32_equal(&first, &second) ? reject(err, "the same ommer twice") : STATUS_OK;
}
