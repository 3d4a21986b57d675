/* The two lists of an outbox: what was accepted, in its order, and transactions, by nonce. */
#include "base/log.h"
#include "health/chain/outbox_private.h"

static struct bytes own(struct bytes view) {
	uint8_t *copy = mem_alloc(view.len);
	if (view.len) memcpy(copy, view.data, view.len);
	return bytes_make(copy, view.len);
}

struct outbox_item *outbox_item_new(struct outbox *outbox, const struct outbox_entry *entry) {
	struct outbox_item *item = mem_zalloc(1, sizeof *item);
	item->id = outbox->next_id++;
	item->is_create = !entry->to;
	if (entry->to) item->to = *entry->to;
	item->data = own(entry->data);
	item->gas_limit = entry->gas_limit;
	item->merger = entry->merger;
	item->merge_key = entry->merge_key;
	item->merge_item = own(entry->merge_item);
	item->name_count = entry->name_count;
	item->names = mem_alloc(item->name_count * sizeof *item->names);
	if (item->name_count) memcpy(item->names, entry->names, item->name_count * sizeof *item->names);
	item->deadline_ms = entry->deadline_ms;
	item->completed = entry->completed;
	item->context = entry->context;
	*outbox->last = item;
	outbox->last = &item->next;
	outbox->item_count++;
	return item;
}

struct outbox_item *outbox_item_find(const struct outbox *outbox, uint64_t id) {
	struct outbox_item *item = outbox->first;
	while (item && item->id != id) item = item->next;
	return item;
}

void outbox_item_free(struct outbox *outbox, struct outbox_item *item) {
	struct outbox_item **link = &outbox->first;
	while (*link != item) link = &(*link)->next;
	*link = item->next;
	if (outbox->last == &item->next) outbox->last = link;
	outbox->item_count--;
	mem_free((void *)(uintptr_t)item->data.data);
	mem_free((void *)(uintptr_t)item->merge_item.data);
	mem_free(item->names);
	mem_free(item);
}

/* The receipt's logs move into the arena of whoever waits. */
static void copy_result(struct outbox_waiter *waiter, const struct outbox_result *result) {
	struct arena *arena = waiter->arena;
	const struct client_receipt *from = &result->receipt;
	*waiter->result = *result;
	struct log *logs = arena_zalloc(arena, from->log_count, sizeof *logs);
	for (size_t i = 0; i < from->log_count; i++) {
		logs[i] = from->logs[i];
		logs[i].data = arena_dup(arena, from->logs[i].data);
	}
	waiter->result->receipt.logs = logs;
	waiter->is_done = true;
}

static void tell(struct outbox *outbox, struct outbox_waiter *waiter, outbox_callback *completed, void *context,
    const struct outbox_result *result) {
	if (waiter) {
		copy_result(waiter, result);
		if (outbox->monitor) outbox->options.threads->wake_all(outbox->monitor);
	}
	if (!completed) return;
	outbox_leave(outbox);
	completed(context, result);
	outbox_enter(outbox);
}

void outbox_item_testify(
    const struct outbox *outbox, const struct outbox_item *item, const struct outbox_result *result) {
	const struct outbox_witness *witness = &outbox->witness;
	bool is_refusal = result->end == OUTBOX_REVERTED || result->end == OUTBOX_REFUSED;
	if (is_refusal && witness->refused && item->name_count)
		witness->refused(witness->context, item->names, item->name_count, &result->verdict);
}

void outbox_item_end(struct outbox *outbox, struct outbox_item *item, const struct outbox_result *result) {
	struct outbox_waiter *waiter = item->waiter;
	outbox_callback *completed = item->completed;
	void *context = item->context;
	item->waiter = NULL;
	item->completed = NULL;
	if (result->end == OUTBOX_DONE) outbox->counts.done++;
	if (result->end == OUTBOX_REVERTED || result->end == OUTBOX_REFUSED) {
		outbox->counts.refused++;
		if (!waiter && !completed)
			log_warn("outbox", "what was accepted earlier is refused: %s", result->verdict.reason);
	}
	const bool goes_on = result->end == OUTBOX_KEPT || result->end == OUTBOX_UNPROVED;
	if (!goes_on) outbox_item_free(outbox, item);
	tell(outbox, waiter, completed, context, result);
}

/* --- transactions --- */

struct outbox_tx *outbox_tx_find(const struct outbox *outbox, uint64_t nonce) {
	struct outbox_tx *tx = outbox->txs;
	while (tx && tx->nonce != nonce) tx = tx->next;
	return tx;
}

void outbox_tx_insert(struct outbox *outbox, struct outbox_tx *tx) {
	struct outbox_tx **link = &outbox->txs;
	while (*link && (*link)->nonce < tx->nonce) link = &(*link)->next;
	tx->next = *link;
	*link = tx;
	outbox->counts.in_flight++;
}

void outbox_tx_free(struct outbox *outbox, struct outbox_tx *tx) {
	struct outbox_tx **link = &outbox->txs;
	while (*link != tx) link = &(*link)->next;
	*link = tx->next;
	outbox->counts.in_flight--;
	buf_fini(&tx->raw);
	mem_free(tx);
}

enum status outbox_tx_take_raw(struct outbox_tx *tx, struct bytes raw, struct err *err) {
	struct arena arena;
	struct transaction decoded;
	arena_init(&arena);
	enum status status = transaction_decode(&decoded, NULL, &arena, raw, err);
	if (status == STATUS_OK && decoded.nonce != tx->nonce)
		status = err_set(err, STATUS_CORRUPT, "a transaction of another nonce");
	if (status == STATUS_OK && tx->hash_count == OUTBOX_HASHES_MAX)
		status =
		    err_set(err, STATUS_LIMIT, "the fee of one transaction was raised %u times", OUTBOX_HASHES_MAX);
	if (status == STATUS_OK) {
		tx->hashes[tx->hash_count++] = transaction_hash(&decoded);
		tx->max_fee_wei = decoded.max_fee_wei;
		tx->tip_wei = decoded.max_priority_fee_wei;
		buf_clear(&tx->raw);
		buf_append(&tx->raw, raw);
	}
	arena_fini(&arena);
	return status == STATUS_OK ? buf_status(&tx->raw, err) : status;
}
