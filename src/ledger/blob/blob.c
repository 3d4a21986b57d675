#include "ledger/blob/blob.h"

#include "base/log.h"
#include "ledger/blob/blob_fetch.h"
#include "ledger/blob/blob_peers.h"

#define BYTES_MAX_DEFAULT ((uint64_t)1 << 40)
#define PENDING_AGE_MS (10u * 60 * 1000)
#define SWEEP_EVERY_MS (30u * 1000)
#define ANCHOR_EVERY_MS (60u * 1000)
#define RETRY_MS (2u * 1000)
#define CONFIRM_AT_ONCE 64u

enum status blob_open(struct blob_room **out, struct chain *chain, struct store *store,
    const struct blob_options *options, struct err *err) {
	struct blob_room *room = mem_zalloc(1, sizeof *room);
	room->chain = chain;
	room->store = store;
	room->options = *options;
	if (room->options.bytes_max == 0) room->options.bytes_max = BYTES_MAX_DEFAULT;
	if (room->options.anchor_every_ms == 0) room->options.anchor_every_ms = ANCHOR_EVERY_MS;
	room->directory = mem_strdup(options->directory);
	room->gate_count = genesis_blob_gates(chain_genesis(chain), room->gates);
	room->accounts = blob_accounts_new();
	room->waiting = blob_rows_new();
	room->asker = chain_asker_new(chain);
	pthread_mutex_init(&room->ask_lock, NULL);
	pthread_mutex_init(&room->index_lock, NULL);
	pthread_mutex_init(&room->nonce_lock, NULL);
	pthread_mutex_init(&room->audit_lock, NULL);
	audit_queue_init(&room->audit_queue);
	pthread_mutex_init(&room->lock, NULL);
	pthread_cond_init(&room->followed_more, NULL);
	room->fetch = blob_fetch_new();
	room->names = blob_names_new();
	enum status status = blob_peers_open(room, err);
	if (status == STATUS_OK) status = blob_content_open(room, err);
	if (status == STATUS_OK) status = blob_audit_open(room, err);
	if (status == STATUS_OK) status = blob_names_open(room, err);
	if (status == STATUS_OK) status = blob_index_catch_up(room, err);
	if (status == STATUS_OK) status = blob_nonces_open(room, err);
	if (status != STATUS_OK) {
		blob_close(room);
		return err_prefix(err, status, "blobs");
	}
	*out = room;
	return STATUS_OK;
}

void blob_close(struct blob_room *room) {
	if (!room) return;
	blob_nonces_close(room);
	blob_audit_close(room->audit);
	blob_fetch_free(room->fetch);
	blob_names_free(room->names);
	blob_peers_close(room);
	blob_content_close(room);
	blob_rows_free(room->waiting);
	chain_asker_free(room->asker);
	blob_accounts_free(room->accounts);
	pthread_mutex_destroy(&room->ask_lock);
	pthread_mutex_destroy(&room->index_lock);
	pthread_mutex_destroy(&room->nonce_lock);
	pthread_mutex_destroy(&room->audit_lock);
	audit_queue_fini(&room->audit_queue);
	pthread_mutex_destroy(&room->lock);
	pthread_cond_destroy(&room->followed_more);
	mem_free(room->directory);
	mem_free(room);
}

static bool is_among(const hash32 *blobs, size_t count, const hash32 *blob) {
	for (size_t i = 0; i < count; i++)
		if (hash32_equal(&blobs[i], blob)) return true;
	return false;
}

/* What waits becomes one item's content, so a second naming of it would find nothing. */
static enum status check_names(struct blob_room *room, enum blob_admission *admission, const struct transaction *tx,
    const addr20 *sender, struct err *err) {
	hash32 blobs[BLOB_NAMES_MAX];
	size_t count;
	TRY(blob_gate_blobs_of(room, blobs, &count, &tx->to, tx->data, err));
	if (count > BLOB_NAMES_MAX) *admission = BLOB_NOT_PUT;
	for (size_t i = 0; i < count && *admission == BLOB_ADMITTED; i++) {
		const struct blob_waiting waiting = {tx->to, blobs[i], *sender};
		uint64_t size_bytes;
		if (is_among(blobs, i, &blobs[i]) || !blob_content_waits(room, &size_bytes, &waiting))
			*admission = BLOB_NOT_PUT;
	}
	return STATUS_OK;
}

/* A transaction that would fail now (it stands on one before it) says no sizes: those are compared when it is mined. */
static enum status check_sizes(struct blob_room *room, enum blob_admission *admission, const struct transaction *tx,
    const addr20 *sender, struct err *err) {
	struct blob_claim claims[BLOB_NAMES_MAX];
	size_t count;
	TRY(blob_gate_claims_of(room, claims, &count, tx, sender, err));
	for (size_t i = 0; i < count && *admission == BLOB_ADMITTED; i++) {
		const struct blob_waiting waiting = {claims[i].gate, claims[i].blob, *sender};
		uint64_t size_bytes;
		if (!blob_content_waits(room, &size_bytes, &waiting))
			*admission = BLOB_NOT_PUT;
		else if (size_bytes != claims[i].size_bytes)
			*admission = BLOB_OTHER_SIZE;
	}
	return STATUS_OK;
}

enum status blob_admits(struct blob_room *room, enum blob_admission *admission, const struct transaction *tx,
    const addr20 *sender, struct err *err) {
	*admission = BLOB_ADMITTED;
	if (tx->is_create || !blob_gate_is(room, &tx->to)) return STATUS_OK;
	TRY(check_names(room, admission, tx, sender, err));
	return *admission == BLOB_ADMITTED ? check_sizes(room, admission, tx, sender, err) : STATUS_OK;
}

struct blob_counts blob_counts(struct blob_room *room) {
	struct blob_counts counts = {.audit_entries = blob_audit_count(room),
	    .missing = atomic_load(&room->missing),
	    .damaged = atomic_load(&room->damaged)};
	pthread_mutex_lock(&room->lock);
	counts.items = room->item_count;
	counts.bytes = room->content_bytes;
	counts.waiting = room->waiting_count;
	counts.waiting_bytes = room->waiting_bytes;
	counts.strangers = room->strangers;
	pthread_mutex_unlock(&room->lock);
	return counts;
}

/* --- duties --- */

/* Sends the call if it would succeed; `*sent` says whether it did. A node that the directory does not list yet tries
 * again later. */
static enum status send_if_useful(
    struct blob_room *room, bool *sent, const addr20 *gate, struct bytes data, struct err *err) {
	*sent = false;
	bool would;
	TRY(blob_gate_would_succeed(room, &would, gate, data, err));
	if (!would) return STATUS_OK;
	TRY(room->options.send(room->options.send_context, gate, data, err));
	*sent = true;
	return STATUS_OK;
}

static enum status confirm_erasures(struct blob_room *room, struct err *err) {
	struct blob_item items[CONFIRM_AT_ONCE];
	size_t count;
	TRY(blob_index_unconfirmed(room, items, &count, CONFIRM_AT_ONCE, err));
	enum status status = STATUS_OK;
	for (size_t i = 0; i < count && status == STATUS_OK; i++) {
		struct buf data;
		bool sent, owes;
		status = blob_content_owes(room, &owes, &items[i].gate, &items[i].item, err);
		if (status != STATUS_OK || owes) continue;
		buf_init(&data, 256);
		blob_gate_confirm_erased_data(&data, &items[i].item);
		status = send_if_useful(room, &sent, &items[i].gate, buf_view(&data), err);
		buf_fini(&data);
	}
	return status;
}

/* One transaction if there was a read since the last one, or if that one did not get into a block. */
static enum status anchor_audit(struct blob_room *room, struct err *err) {
	struct blob_anchor on_chain, anchor;
	const addr20 *gate;
	bool owed, sent;
	TRY(blob_gate_anchor(room, &gate, &on_chain, err));
	if (!gate) return STATUS_OK;
	TRY(blob_audit_owed(room, &owed, &anchor, &on_chain, err));
	if (owed) {
		struct buf data;
		buf_init(&data, 256);
		blob_gate_anchor_audit_data(&data, &anchor);
		const enum status status = send_if_useful(room, &sent, gate, buf_view(&data), err);
		buf_fini(&data);
		TRY(status);
	}
	return blob_audit_sweep(room, err);
}

enum status blob_duties(struct blob_room *room, struct err *err) {
	uint64_t now_ms = clock_now_ms(room->options.clock);
	if (now_ms >= room->swept_ms + SWEEP_EVERY_MS) {
		room->swept_ms = now_ms;
		TRY(blob_content_sweep(room, PENDING_AGE_MS, err));
		blob_accounts_sweep(room);
		TRY(blob_nonces_sweep(room, err));
	}
	if (now_ms >= room->confirm_after_ms) {
		room->confirm_after_ms = now_ms + RETRY_MS;
		TRY(confirm_erasures(room, err));
	}
	if (now_ms >= room->anchored_ms + room->options.anchor_every_ms) {
		room->anchored_ms = now_ms;
		TRY(anchor_audit(room, err));
	}
	return STATUS_OK;
}

enum status blob_store_duties(struct blob_room *room, bool *more, struct err *err) {
	return room->remote.work(room->remote.context, more, err);
}

struct blob_store_state blob_store_state(struct blob_room *room) {
	const struct blob_backend *backend = room->options.s3 ? &room->remote : &room->files;
	struct blob_store_state state;
	backend->state(backend->context, &state);
	return state;
}
