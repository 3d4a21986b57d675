/* txpool_*: what waits, by sender and nonce. */
#include "ledger/rpc/rpc_methods.h"
#include "ledger/rpc/rpc_params.h"
#include "ledger/rpc/rpc_write.h"

#include <stdio.h>
#include <stdlib.h>

/* One waiting transaction: its JSON, written while the pool held still. */
struct entry {
	bool executable;
	addr20 sender;
	uint64_t nonce;
	size_t from, len; /* in the scratch buffer */
};
struct listing {
	struct buf *text;
	struct entry *entries;
	size_t count, cap;
	const addr20 *only; /* NULL: every sender */
	bool brief;         /* one line each */
};

static void put_brief(struct json_writer *out, const struct transaction *tx) {
	char line[400], to[43] = "contract creation", value[80], price[80];
	if (!tx->is_create) address_checksum(to, &tx->to);
	u256_to_decimal(value, &tx->value_wei);
	u256_to_decimal(price, &tx->max_fee_wei);
	snprintf(
	    line, sizeof line, "%s: %s wei + %llu gas × %s wei", to, value, (unsigned long long)tx->gas_limit, price);
	json_put_text(out, NULL, line);
}

static void on_tx(void *context, const struct transaction *tx, const addr20 *sender, bool executable) {
	struct listing *listing = context;
	if (listing->only && !addr20_equal(listing->only, sender)) return;
	if (tx->type == TX_BLOB) return; /* as geth, whose pool of them does not list */
	if (listing->count == listing->cap) {
		listing->cap = listing->cap ? 2 * listing->cap : 64;
		listing->entries = mem_realloc(listing->entries, listing->cap * sizeof *listing->entries);
	}
	struct json_writer out = json_writer(listing->text);
	const size_t from = listing->text->len;
	if (listing->brief)
		put_brief(&out, tx);
	else
		rpc_write_tx(&out, NULL, tx, sender, NULL, NULL, 0);
	listing->entries[listing->count++] =
	    (struct entry){executable, *sender, tx->nonce, from, listing->text->len - from};
}

static int compare_entries(const void *a, const void *b) {
	const struct entry *left = a, *right = b;
	const int order = memcmp(left->sender.b, right->sender.b, 20);
	if (order) return order;
	return left->nonce < right->nonce ? -1 : left->nonce > right->nonce;
}

static void put_entry(struct json_writer *out, const struct listing *listing, const struct entry *entry) {
	char nonce[24];
	snprintf(nonce, sizeof nonce, "%llu", (unsigned long long)entry->nonce);
	json_put_raw(out, nonce, bytes_make(listing->text->data + entry->from, entry->len));
}

/* Entries of one sender stand together; one sender's listing has no level for the sender. */
static void put_group(struct json_writer *out, const char *name, const struct listing *listing, bool executable) {
	const struct entry *previous = NULL;
	json_object_begin(out, name);
	for (size_t i = 0; i < listing->count; i++) {
		const struct entry *entry = &listing->entries[i];
		if (entry->executable != executable) continue;
		if (!listing->only && (!previous || !addr20_equal(&previous->sender, &entry->sender))) {
			char address[43];
			address_checksum(address, &entry->sender);
			if (previous) json_object_end(out);
			json_object_begin(out, address);
		}
		put_entry(out, listing, entry);
		previous = entry;
	}
	if (previous && !listing->only) json_object_end(out);
	json_object_end(out);
}

static enum status list(struct rpc_call *call, const addr20 *only, bool brief) {
	struct listing listing = {.text = &call->worker->scratch, .only = only, .brief = brief};
	buf_clear(listing.text);
	pool_visit(call->rpc->options.pool, on_tx, &listing);
	enum status status = buf_status(listing.text, &call->err);
	if (status == STATUS_OK) {
		if (listing.count) qsort(listing.entries, listing.count, sizeof *listing.entries, compare_entries);
		json_object_begin(&call->out, NULL);
		put_group(&call->out, "pending", &listing, true);
		put_group(&call->out, "queued", &listing, false);
		json_object_end(&call->out);
	}
	mem_free(listing.entries);
	return status;
}

enum status rpc_txpool_content(struct rpc_call *call) {
	return list(call, NULL, false);
}

enum status rpc_txpool_inspect(struct rpc_call *call) {
	return list(call, NULL, true);
}

enum status rpc_txpool_content_from(struct rpc_call *call) {
	addr20 address;
	TRY(rpc_param_address(call, &address, 0));
	return list(call, &address, false);
}

enum status rpc_txpool_status(struct rpc_call *call) {
	const struct pool_counts counts = pool_counts(call->rpc->options.pool);
	json_object_begin(&call->out, NULL);
	json_put_quantity(&call->out, "pending", counts.pending);
	json_put_quantity(&call->out, "queued", counts.queued);
	json_object_end(&call->out);
	return STATUS_OK;
}
