/* Making transactions of what waits: which entries travel together, an estimate, a nonce, the signature, the journal.
 */
#include <stdio.h>

#include "health/chain/outbox_private.h"

#define GAS_HEADROOM 5u /* a fifth on top of the estimate */
#define TIP_WEI 1000000000u
#define FILLER_GAS 21000u
#define ENVELOPE_BYTES 512u /* what a transaction has around its calldata, at most */

/* --- choosing --- */

static bool may_go(const struct outbox *outbox, const struct outbox_item *item) {
	if (item->tx || item->is_settling) return false;
	return !item->asks_again || !outbox->txs || outbox->txs->nonce >= item->after_nonce;
}

static bool travels_with(const struct outbox_item *first, const struct outbox_item *item) {
	return item->merger == first->merger && !item->goes_alone && item->is_create == first->is_create &&
	       addr20_equal(&item->to, &first->to) && hash32_equal(&item->merge_key, &first->merge_key);
}

/* The first that may go, and what travels with it, in order. With the lock held. */
static size_t choose(const struct outbox *outbox, struct outbox_item *out[OUTBOX_MERGED_MAX]) {
	struct outbox_item *item = outbox->first;
	while (item && !may_go(outbox, item)) item = item->next;
	if (!item) return 0;
	struct outbox_item *first = out[0] = item;
	size_t count = 1, bytes = first->merge_item.len;
	if (!first->merger || first->goes_alone) return 1;
	for (item = item->next; item && count < first->merger->max && count < OUTBOX_MERGED_MAX; item = item->next) {
		if (!may_go(outbox, item) || !travels_with(first, item)) continue;
		bytes += item->merge_item.len;
		if (bytes > OUTBOX_TX_BYTES_MAX / 2) break;
		out[count++] = item;
	}
	return count;
}

static struct bytes calldata(struct arena *arena, struct outbox_item *const *items, size_t count) {
	struct bytes parts[OUTBOX_MERGED_MAX];
	struct buf data;
	if (count == 1) return items[0]->data;
	for (size_t i = 0; i < count; i++) parts[i] = items[i]->merge_item;
	buf_init(&data, OUTBOX_TX_BYTES_MAX);
	items[0]->merger->encode(&data, parts, count);
	BUG_ON(data.overflow);
	struct bytes copy = arena_dup(arena, buf_view(&data));
	buf_fini(&data);
	return copy;
}

/* --- signing --- */

static void raise_eighth(u256 *fee, const u256 *old) {
	const u256 eight = u256_from(8);
	u256 eighth = u256_div(old, &eight), one = u256_from(1), least;
	u256_add_overflow(&eighth, &eighth, &one);
	u256_add_overflow(&least, old, &eighth);
	if (u256_less(fee, &least)) *fee = least;
}

/* Twice the base fee, and a small tip if there is a base fee at all. A fee that was signed before is outbid. */
static enum status set_fees(struct outbox *outbox, struct transaction *fields, const struct outbox_tx *tx,
    struct arena *arena, struct err *err) {
	u256 base_fee, twice;
	TRY(outbox_base_fee(outbox, &base_fee, tx->hash_count > 0, arena, err));
	if (!u256_is_zero(&base_fee)) {
		u256_add_overflow(&twice, &base_fee, &base_fee);
		fields->max_priority_fee_wei = u256_from(TIP_WEI);
		u256_add_overflow(&fields->max_fee_wei, &twice, &fields->max_priority_fee_wei);
	}
	if (tx->hash_count && !tx->is_refused) { /* what was refused is in no pool */
		raise_eighth(&fields->max_fee_wei, &tx->max_fee_wei);
		raise_eighth(&fields->max_priority_fee_wei, &tx->tip_wei);
		if (u256_less(&fields->max_fee_wei, &fields->max_priority_fee_wei))
			fields->max_fee_wei = fields->max_priority_fee_wei;
	}
	return STATUS_OK;
}

enum status outbox_sign(
    struct outbox *outbox, struct outbox_tx *tx, struct transaction *fields, struct arena *arena, struct err *err) {
	struct buf record;
	TRY(set_fees(outbox, fields, tx, arena, err));
	fields->nonce = tx->nonce;
	TRY(transaction_sign(fields, arena, &outbox->secret, err));
	TRY(outbox_tx_take_raw(tx, fields->raw, err));
	buf_init(&record, 2 * OUTBOX_TX_BYTES_MAX);
	outbox_record_tx(&record, tx);
	outbox_enter(outbox);
	enum status status = outbox_journal_append(&outbox->journal, NULL, buf_view(&record), err);
	if (status == STATUS_OK) outbox->counts.transactions++;
	outbox_leave(outbox);
	buf_fini(&record);
	return status;
}

/* --- one transaction --- */

static void refuse(struct outbox *outbox, struct outbox_item *item, const struct client_verdict *verdict) {
	struct outbox_result result = {.end = OUTBOX_REFUSED, .verdict = *verdict, .merged = 1};
	struct buf record;
	buf_init(&record, 64);
	outbox_record_item_end(&record, item->id);
	outbox_item_testify(outbox, item, &result);
	outbox_enter(outbox);
	/* If this is not written, a restart asks once more, and is refused once more. */
	(void)!outbox_journal_append(&outbox->journal, NULL, buf_view(&record), NULL);
	outbox_item_end(outbox, item, &result);
	outbox_leave(outbox);
	buf_fini(&record);
}

/* Together they would fail: those go alone that would fail by themselves, one after the other; if that is not known, or
 * none would, all do. */
static enum status part(
    struct outbox *outbox, struct outbox_item *const *items, size_t count, struct arena *arena, struct err *err) {
	struct client_simulated simulated[OUTBOX_MERGED_MAX];
	struct bytes calls[OUTBOX_MERGED_MAX] = {{NULL, 0}};
	size_t failing = 0;
	for (size_t i = 0; i < count; i++) calls[i] = items[i]->data;
	const enum status status =
	    client_simulate(outbox->client, simulated, arena, &outbox->account, &items[0]->to, calls, count, err);
	if (status != STATUS_OK && status != STATUS_UNSUPPORTED) return status;
	for (size_t i = 0; status == STATUS_OK && i < count; i++) failing += !simulated[i].verdict.ok;
	for (size_t i = 0; i < count; i++)
		if (failing == 0 || !simulated[i].verdict.ok) items[i]->goes_alone = true;
	return STATUS_OK;
}

/* The estimate reverted, or it is too much for one transaction. */
static void judge_refusal(
    struct outbox *outbox, struct outbox_item *const *items, const struct client_verdict *verdict) {
	if (outbox->txs && !items[0]->asks_again) {
		const struct outbox_tx *last = outbox->txs;
		while (last->next) last = last->next;
		items[0]->asks_again = true;
		items[0]->after_nonce = last->nonce + 1;
		return;
	}
	refuse(outbox, items[0], verdict);
}

/* Once: what this outbox sends from then on is counted. */
static enum status learn_nonce(struct outbox *outbox, struct arena *arena, struct err *err) {
	if (outbox->knows_nonce) return STATUS_OK;
	TRY(outbox_nonce(outbox, &outbox->next_nonce, arena, err));
	for (const struct outbox_tx *tx = outbox->txs; tx; tx = tx->next)
		if (tx->nonce >= outbox->next_nonce) outbox->next_nonce = tx->nonce + 1;
	outbox->knows_nonce = true;
	return STATUS_OK;
}

/* What may travel with others comes often: it is tried once instead of often, as an estimate is. *done false: the node
 * does not simulate. */
static enum status simulate(struct outbox *outbox, bool *done, struct transaction *fields,
    struct client_verdict *verdict, struct arena *arena, struct err *err) {
	struct client_simulated simulated;
	const enum status status =
	    client_simulate(outbox->client, &simulated, arena, &outbox->account, &fields->to, &fields->data, 1, err);
	*done = status != STATUS_UNSUPPORTED;
	if (!*done) return STATUS_OK;
	TRY(status);
	*verdict = simulated.verdict;
	fields->gas_limit = simulated.limit_gas;
	return STATUS_OK;
}

/* `gas_limit`: what the submitter has found out; 0: the node is asked. */
static enum status set_gas(struct outbox *outbox, struct transaction *fields, struct client_verdict *verdict,
    uint64_t gas_limit, struct arena *arena, struct err *err) {
	uint64_t gas = 0;
	*verdict = (struct client_verdict){.ok = true};
	fields->gas_limit = gas_limit;
	if (gas_limit) return STATUS_OK;
	TRY(client_estimate(outbox->client, &gas, verdict, arena, fields, &outbox->account, err));
	if (!verdict->ok) return STATUS_OK;
	if (gas < FILLER_GAS) return err_set(err, STATUS_IO, "the node estimates less gas than any transaction uses");
	if (gas > OUTBOX_GAS_MAX) {
		*verdict = (struct client_verdict){.ok = false};
		snprintf(verdict->reason, sizeof verdict->reason,
		    "it needs %llu gas, and one transaction may use %u (EIP-7825)", (unsigned long long)gas,
		    OUTBOX_GAS_MAX);
		return STATUS_OK;
	}
	fields->gas_limit = gas + gas / GAS_HEADROOM;
	if (fields->gas_limit > OUTBOX_GAS_MAX) fields->gas_limit = OUTBOX_GAS_MAX;
	return STATUS_OK;
}

/* The lists change under the lock; the client is asked without it. */
static enum status form_one(
    struct outbox *outbox, struct outbox_item *const *items, size_t count, struct arena *arena, struct err *err) {
	struct client_verdict verdict;
	struct transaction fields = {.type = TX_DYNAMIC_FEE,
	    .has_chain_id = true,
	    .chain_id = u256_from(client_chain_id(outbox->client)),
	    .is_create = items[0]->is_create,
	    .to = items[0]->to,
	    .data = calldata(arena, items, count)};
	bool has_gas = false;
	if (items[0]->merger) TRY(simulate(outbox, &has_gas, &fields, &verdict, arena, err));
	if (!has_gas) TRY(set_gas(outbox, &fields, &verdict, count == 1 ? items[0]->gas_limit : 0, arena, err));
	if (!verdict.ok) {
		if (count > 1) return part(outbox, items, count, arena, err);
		judge_refusal(outbox, items, &verdict);
		return STATUS_OK;
	}
	TRY(learn_nonce(outbox, arena, err));
	struct outbox_tx *tx = mem_zalloc(1, sizeof *tx);
	buf_init(&tx->raw, OUTBOX_TX_BYTES_MAX);
	tx->nonce = outbox->next_nonce;
	tx->count = count;
	memcpy(tx->items, items, count * sizeof *items);
	enum status status = outbox_sign(outbox, tx, &fields, arena, err);
	if (status != STATUS_OK) {
		buf_fini(&tx->raw);
		mem_free(tx);
		return status;
	}
	outbox->next_nonce++;
	outbox->last_merged = count;
	outbox_begin_looking(outbox);
	outbox_enter(outbox);
	for (size_t i = 0; i < count; i++) items[i]->tx = tx;
	outbox_tx_insert(outbox, tx);
	outbox_leave(outbox);
	return STATUS_OK;
}

/* --- nonces that nothing will use, with later ones behind them --- */

struct transaction outbox_filler(const struct outbox *outbox) {
	return (struct transaction){.type = TX_DYNAMIC_FEE,
	    .has_chain_id = true,
	    .chain_id = u256_from(client_chain_id(outbox->client)),
	    .gas_limit = FILLER_GAS,
	    .to = outbox->account};
}

static enum status fill_hole(struct outbox *outbox, struct arena *arena, uint64_t nonce, struct err *err) {
	struct transaction fields = outbox_filler(outbox);
	struct outbox_tx *tx = mem_zalloc(1, sizeof *tx);
	buf_init(&tx->raw, OUTBOX_TX_BYTES_MAX);
	tx->nonce = nonce;
	enum status status = outbox_sign(outbox, tx, &fields, arena, err);
	if (status != STATUS_OK) {
		buf_fini(&tx->raw);
		mem_free(tx);
		return status;
	}
	outbox_enter(outbox);
	outbox_tx_insert(outbox, tx);
	outbox_leave(outbox);
	return STATUS_OK;
}

static bool has_gap(const struct outbox *outbox) {
	for (const struct outbox_tx *tx = outbox->txs; tx && tx->next; tx = tx->next)
		if (tx->next->nonce != tx->nonce + 1) return true;
	return false;
}

/* Each nonce that is not used on the chain and that nothing here will use, below the last that is on its way. */
static enum status fill_holes(struct outbox *outbox, struct arena *arena, bool *progress, struct err *err) {
	uint64_t nonce;
	if (!outbox->txs || !(outbox->hole_first || has_gap(outbox))) return STATUS_OK;
	TRY(outbox_nonce(outbox, &nonce, arena, err));
	for (struct outbox_tx *tx = outbox->txs; tx; tx = tx->next) {
		for (; nonce < tx->nonce; nonce++) {
			*progress = true;
			TRY(fill_hole(outbox, arena, nonce, err));
		}
		if (nonce <= tx->nonce) nonce = tx->nonce + 1;
	}
	outbox->hole_first = false;
	return STATUS_OK;
}

enum status outbox_form(struct outbox *outbox, bool *progress, struct err *err) {
	struct outbox_item *items[OUTBOX_MERGED_MAX];
	const uint64_t before = outbox->counts.transactions;
	struct arena arena;
	arena_init(&arena);
	enum status status = fill_holes(outbox, &arena, progress, err);
	while (status == STATUS_OK && outbox->counts.in_flight < outbox->options.in_flight_max) {
		outbox_enter(outbox);
		size_t count = choose(outbox, items);
		outbox_leave(outbox);
		if (!count) break;
		*progress = true;
		status = form_one(outbox, items, count, &arena, err);
		arena_reset(&arena);
	}
	if (outbox->counts.transactions != before) {
		enum status synced = outbox_journal_sync(&outbox->journal, err);
		if (status == STATUS_OK) status = synced;
	}
	arena_fini(&arena);
	return status;
}
