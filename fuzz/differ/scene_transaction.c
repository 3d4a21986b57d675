/* What is sent, most of it well-formed and paid for. */
#include "fuzz/differ/program.h"
#include "fuzz/differ/scene.h"
#include "ledger/exec/exec.h"

static bool chance(struct scene *scene, unsigned in_thousand) {
	return random_chance(&scene->random, in_thousand);
}

static uint64_t pick(struct scene *scene, uint64_t limit) {
	return random_below(&scene->random, limit);
}

static enum tx_type pick_type(struct scene *scene) {
	static const uint16_t weights[] = {40, 15, 25, 8, 12};
	const enum fork fork = scene->one->fork;
	const size_t known = fork >= FORK_PRAGUE   ? 5
			     : fork >= FORK_CANCUN ? 4
			     : fork >= FORK_LONDON ? 3
			     : fork >= FORK_BERLIN ? 2
						   : 1;
	if (chance(scene, 5)) return (enum tx_type)pick(scene, 5); /* too new, perhaps */
	return (enum tx_type)random_weighted(&scene->random, weights, known);
}

static void set_sender(struct scene *scene, struct case_transaction *item, const struct scene_nonces *nonces) {
	item->sender = scene->signers[chance(scene, 850) ? pick(scene, 2) : pick(scene, SCENE_KEYS)];
	if (chance(scene, 8)) item->sender = scene_any_address(scene);
	item->tx.nonce = nonces->get(nonces->context, &item->sender);
	if (chance(scene, 15)) item->tx.nonce += pick(scene, 3) - 1;
	const bool may_name_chain = scene->one->fork >= FORK_SPURIOUS;
	item->tx.has_chain_id = item->tx.type != TX_LEGACY || (may_name_chain && chance(scene, 700));
	if (item->tx.has_chain_id) item->tx.chain_id = u256_from(scene->one->chain_id + chance(scene, 5));
}

static void put_call_data(struct scene *scene) {
	const uint64_t kind = pick(scene, 100);
	const size_t len = kind < 30 ? 0 : kind < 95 ? pick(scene, 140) : pick(scene, 3000);
	uint8_t *data = buf_extend(&scene->scratch, len);
	random_fill(&scene->random, data, len);
	for (size_t i = 0; i < len; i++)
		if (chance(scene, 400)) data[i] = 0;
}

static void put_zeros(struct buf *out, size_t len) {
	memset(buf_extend(out, len), 0, len);
}

/* To a contract mostly, to a precompile with its input, to anybody, or a creation. */
static void set_target(struct scene *scene, struct transaction *tx) {
	const struct program_world world = scene_world(scene);
	const uint64_t kind = pick(scene, 100);
	if (scene->is_recursion) {
		tx->to = scene->contracts[pick(scene, 2)];
	} else if (kind < 70) {
		tx->to = scene->contracts[pick(scene, SCENE_CONTRACTS)];
		put_call_data(scene);
	} else if (kind < 76) {
		const unsigned address = inputs_pick(&scene->random);
		tx->to = (addr20){{[18] = (uint8_t)(address >> 8), [19] = (uint8_t)address}};
		inputs_put(scene->inputs, &scene->scratch, &scene->random, address);
	} else if (kind < 86 || tx->type == TX_BLOB || tx->type == TX_SET_CODE) {
		tx->to = scene_any_address(scene);
		put_call_data(scene);
	} else {
		tx->is_create = true;
		if (chance(scene, 15))
			put_zeros(&scene->scratch, 49150 + pick(scene, 4)); /* EIP-3860's limit is 49152 */
		else
			program_put_init(&scene->scratch, &scene->random, &world);
	}
	tx->data = scene_keep(scene);
}

static void set_value(struct scene *scene, struct transaction *tx) {
	const uint64_t kind = pick(scene, 100);
	if (kind < 60) return;
	tx->value_wei = kind < 98 ? u256_from(pick(scene, 1000)) : random_word(&scene->random);
}

static void set_fees(struct scene *scene, struct transaction *tx) {
	const uint64_t base = scene->one->block.base_fee_wei.w[0];
	uint64_t fee = base + pick(scene, 1 + (chance(scene, 800) ? 100 : base));
	if (chance(scene, 8) && base > 0) fee = pick(scene, base);
	tx->max_fee_wei = u256_from(fee);
	tx->max_priority_fee_wei = tx->max_fee_wei;
	if (tx->type >= TX_DYNAMIC_FEE) {
		const uint64_t tip = pick(scene, 2) ? pick(scene, fee + 1) : pick(scene, 10);
		tx->max_priority_fee_wei = u256_from(tip > fee && !chance(scene, 50) ? fee : tip);
	}
	if (chance(scene, 3)) {
		tx->max_fee_wei = u256_shl(&tx->max_fee_wei, (unsigned)pick(scene, 60));
		if (tx->type < TX_DYNAMIC_FEE) tx->max_priority_fee_wei = tx->max_fee_wei;
	}
}

static void set_access_list(struct scene *scene, struct transaction *tx) {
	if (tx->type == TX_LEGACY || chance(scene, 350)) return;
	tx->access_count = pick(scene, 4);
	struct access_entry *list = arena_zalloc(&scene->arena, tx->access_count, sizeof *list);
	for (size_t i = 0; i < tx->access_count; i++) {
		list[i].address = scene_any_address(scene);
		if (chance(scene, 100)) list[i].address = (addr20){{[19] = (uint8_t)pick(scene, 20)}};
		list[i].slot_count = pick(scene, 4);
		hash32 *slots = arena_zalloc(&scene->arena, list[i].slot_count, sizeof *slots);
		for (size_t k = 0; k < list[i].slot_count; k++) slots[k].b[31] = (uint8_t)pick(scene, 5);
		list[i].slots = slots;
	}
	tx->access_list = list;
}

static void set_blobs(struct scene *scene, struct transaction *tx) {
	if (tx->type != TX_BLOB) return;
	const struct blob_schedule schedule = exec_blob_schedule(scene->one->fork);
	tx->blob_count = chance(scene, 900) ? 1 + pick(scene, 3) : pick(scene, 11);
	hash32 *hashes = arena_alloc(&scene->arena, tx->blob_count * sizeof *hashes);
	for (size_t i = 0; i < tx->blob_count; i++) {
		random_fill(&scene->random, hashes[i].b, sizeof hashes[i].b);
		hashes[i].b[0] = chance(scene, 990) ? 1 : 2;
	}
	tx->blob_hashes = hashes;
	tx->max_blob_fee_wei = exec_blob_base_fee(scene->one->block.excess_blob_gas, &schedule);
	if (chance(scene, 500)) tx->max_blob_fee_wei.w[0] += pick(scene, 10);
	if (chance(scene, 20)) tx->max_blob_fee_wei = u256_from(0);
}

/* Half of the order of secp256k1, and one (EIP-2). */
static const u256 high_s = {{0xdfe92f46681b20a1, 0x5d576e7357a4501d, 0xffffffffffffffff, 0x7fffffffffffffff}};

static void spoil(struct scene *scene, struct authorization *entry) {
	switch (pick(scene, 6)) {
	case 0: entry->s = high_s; return;
	case 1: entry->y_parity = u256_from(pick(scene, 256)); return;
	case 2: entry->r = random_word(&scene->random); return;
	case 3: entry->s = random_word(&scene->random); return;
	case 4: entry->nonce++; return; /* another signer, then */
	case 5: entry->r = u256_from(0); return;
	}
}

static void set_authorizations(
    struct scene *scene, struct transaction *tx, const addr20 *sender, const struct scene_nonces *nonces) {
	if (tx->type != TX_SET_CODE) return;
	tx->authorization_count = chance(scene, 985) ? 1 + pick(scene, 3) : 0;
	struct authorization *entries = arena_zalloc(&scene->arena, tx->authorization_count, sizeof *entries);
	for (size_t i = 0; i < tx->authorization_count; i++) {
		struct authorization *entry = &entries[i];
		const size_t key = pick(scene, SCENE_KEYS);
		entry->chain_id = u256_from(chance(scene, 500) ? 0 : scene->one->chain_id + chance(scene, 40));
		entry->address = chance(scene, 850)   ? scene->contracts[pick(scene, SCENE_CONTRACTS)]
				 : chance(scene, 500) ? scene_any_address(scene)
						      : (addr20){{[19] = (uint8_t)pick(scene, 3)}};
		entry->nonce = nonces->get(nonces->context, &scene->signers[key]);
		if (addr20_equal(&scene->signers[key], sender)) entry->nonce++; /* the transaction's own comes first */
		if (chance(scene, 60)) entry->nonce += pick(scene, 3) - 1;
		BUG_ON(authorization_sign(entry, &scene->secrets[key]) != STATUS_OK);
		if (chance(scene, 80)) spoil(scene, entry);
	}
	tx->authorizations = entries;
}

static void set_gas_limit(struct scene *scene, struct transaction *tx) {
	const enum fork fork = scene->one->fork;
	const uint64_t floor = exec_floor_gas(tx, fork), intrinsic = exec_intrinsic_gas(tx, fork);
	const uint64_t least = floor > intrinsic ? floor : intrinsic;
	const uint64_t kind = pick(scene, 1000);
	if (scene->is_recursion)
		tx->gas_limit = fork >= FORK_OSAKA ? TX_GAS_CAP : (uint64_t)1 << 44;
	else if (kind < 15)
		tx->gas_limit = pick(scene, 2) ? intrinsic - 1 + pick(scene, 3) : least - 1 + pick(scene, 3);
	else if (kind < 150)
		tx->gas_limit = least + pick(scene, 30000);
	else if (kind < 990)
		tx->gas_limit = least + 60000 + pick(scene, 700000);
	else if (kind < 997)
		tx->gas_limit = TX_GAS_CAP + pick(scene, 3) - 1;
	else
		tx->gas_limit = scene->one->block.gas_limit + pick(scene, 3) - 1;
}

const struct case_transaction *scene_add_transaction(struct scene *scene, const struct scene_nonces *nonces) {
	BUG_ON(scene->one->transaction_count == CASE_TRANSACTIONS_MAX);
	struct case_transaction *item = &scene->one->transactions[scene->one->transaction_count++];
	*item = (struct case_transaction){.tx.type = pick_type(scene)};
	set_sender(scene, item, nonces);
	set_target(scene, &item->tx);
	set_value(scene, &item->tx);
	set_fees(scene, &item->tx);
	set_access_list(scene, &item->tx);
	set_blobs(scene, &item->tx);
	set_authorizations(scene, &item->tx, &item->sender, nonces);
	set_gas_limit(scene, &item->tx);
	return item;
}
