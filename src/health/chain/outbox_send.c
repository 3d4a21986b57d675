/* What is on its way: sent in the order of nonces, its receipt found, sent again, replaced or given up. */
#include <stdio.h>

#include "base/log.h"
#include "health/chain/blobs.h"
#include "health/chain/outbox_private.h"
#include "health/contracts/cause.h"

#define RESEND_FIRST_MS 2000u
#define RESEND_MAX_MS 30000u
#define BLOCK_WAIT_MS 25u
#define NONCE_GONE_MAX 2u /* a node may show the nonce of a block before its receipts */

/* --- what the node says to a transaction --- */

enum answer { TAKEN, NONCE_GONE, FEE_LOW, NOT_NOW, NEEDS_BLOBS, NEVER };

/* Texts as geth's and our node's; others say them too. */
static enum answer answer_of(const struct client_verdict *verdict) {
	static const struct {
		const char *text;
		enum answer answer;
	} known[] = {
	    {"already known", TAKEN},
	    {"replacement transaction underpriced",
		TAKEN}, /* ours with a higher fee, or another's: its receipt shows which */
	    {"nonce too low", NONCE_GONE},
	    {"max fee per gas less than block base fee", FEE_LOW},
	    {"underpriced", FEE_LOW},
	    {"nonce too high", NOT_NOW},
	    {"pool is full", NOT_NOW},
	    {"too many queued", NOT_NOW},
	    {"was not put here", NEEDS_BLOBS},
	};
	if (verdict->ok) return TAKEN;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strstr(verdict->reason, known[i].text)) return known[i].answer;
	return NEVER;
}

/* --- the end of a transaction --- */

static void write_end(struct outbox *outbox, uint64_t nonce, enum outbox_fate fate) {
	struct buf record;
	buf_init(&record, 64);
	outbox_record_tx_end(&record, nonce, fate);
	/* If this is not written, a restart finds the receipt, or that the nonce is gone, and ends it then. */
	(void)!outbox_journal_append(&outbox->journal, NULL, buf_view(&record), NULL);
	buf_fini(&record);
}

void outbox_tx_end(struct outbox *outbox, struct outbox_tx *tx, struct outbox_result *result) {
	for (size_t i = 0; i < tx->count; i++) outbox_item_testify(outbox, tx->items[i], result);
	outbox_enter(outbox);
	write_end(outbox, tx->nonce, OUTBOX_FATE_FINISHED);
	result->merged = tx->count;
	for (size_t i = 0; i < tx->count; i++) {
		result->place = i;
		outbox_item_end(outbox, tx->items[i], result);
	}
	outbox_tx_free(outbox, tx);
	outbox_leave(outbox);
}

/* Nobody knows whether the original home signed it anew after the backup. */
static void end_restored(struct outbox *outbox, struct outbox_item *item) {
	struct outbox_result result = {.end = OUTBOX_REFUSED, .merged = 1};
	snprintf(result.verdict.reason, sizeof result.verdict.reason,
	    "as it was signed before the backup it cannot be sent; it may stand on the chain already");
	outbox_item_end(outbox, item, &result);
}

void outbox_tx_undo(struct outbox *outbox, struct outbox_tx *tx, bool alone) {
	outbox_enter(outbox);
	write_end(outbox, tx->nonce, OUTBOX_FATE_WAITS_AGAIN);
	for (size_t i = 0; i < tx->count; i++) {
		struct outbox_item *item = tx->items[i];
		item->tx = NULL;
		item->asks_again = false;
		item->goes_alone |= alone;
		if (item->is_restored) end_restored(outbox, item);
	}
	outbox_tx_free(outbox, tx);
	outbox_leave(outbox);
}

/* The node will not take it: its nonce is free, and must be filled if later ones are on their way. */
static void give_up(struct outbox *outbox, struct outbox_tx *tx, const struct client_verdict *verdict) {
	struct outbox_result result = {.end = OUTBOX_REFUSED, .verdict = *verdict};
	const uint64_t nonce = tx->nonce;
	result.receipt.tx_hash = tx->hashes[tx->hash_count - 1];
	if (!tx->next) {
		outbox->next_nonce = nonce;
	} else {
		outbox->hole_first = true;
	}
	if (tx->count > 1)
		outbox_tx_undo(outbox, tx, true);
	else
		outbox_tx_end(outbox, tx, &result);
}

void outbox_tx_filled(struct outbox *outbox, struct outbox_tx *tx) {
	struct outbox_result result = {.end = OUTBOX_REFUSED, .verdict = tx->refusal};
	if (!tx->is_refused) /* an earlier run heard why */
		snprintf(result.verdict.reason, sizeof result.verdict.reason, "the node did not take it");
	result.receipt.tx_hash = tx->hashes[0];
	if (tx->count > 1)
		outbox_tx_undo(outbox, tx, true);
	else
		outbox_tx_end(outbox, tx, &result);
}

/* With heads: what was signed can come into a block until something else has used its nonce, whatever the node says. So
 * a transfer of nothing is to take its place, and what is in the block decides. */
static enum status take_its_place(struct outbox *outbox, struct outbox_tx *tx, const struct client_verdict *verdict,
    struct arena *arena, struct err *err) {
	if (tx->is_refused || tx->hash_count == OUTBOX_HASHES_MAX) {
		err_set(err, STATUS_DENIED,
		    "not proved: the node refuses the transaction, and another of its nonce: %s", verdict->reason);
		return err_because(err, CAUSE_NOT_PROVED, STATUS_DENIED);
	}
	struct transaction fields = outbox_filler(outbox);
	tx->is_refused = true;
	tx->refusal = *verdict;
	TRY(outbox_sign(outbox, tx, &fields, arena, err));
	tx->is_sent = false;
	tx->resend_ms = 0;
	return outbox_journal_sync(&outbox->journal, err);
}

void outbox_tx_displaced(struct outbox *outbox, struct outbox_tx *tx) {
	log_warn("outbox", "nonce %llu was used by another program with this account", (unsigned long long)tx->nonce);
	outbox->knows_nonce = false;
	outbox_tx_undo(outbox, tx, false);
}

/* --- receipts --- */

/* Asked anew, since a receipt does not say why. */
static void find_reason(
    struct outbox *outbox, const struct outbox_tx *tx, struct outbox_result *result, struct arena *arena) {
	const struct outbox_item *item = tx->items[0];
	struct bytes output;
	enum status status = STATUS_IO;
	if (!item->is_create)
		status = client_call(
		    outbox->client, &output, &result->verdict, arena, &outbox->account, &item->to, item->data, NULL);
	if (status == STATUS_OK && !result->verdict.ok) return;
	result->verdict = (struct client_verdict){.ok = false};
	snprintf(result->verdict.reason, sizeof result->verdict.reason, "the transaction failed in block %llu",
	    (unsigned long long)result->receipt.block_number);
}

void outbox_tx_mined(
    struct outbox *outbox, struct outbox_tx *tx, const struct client_receipt *receipt, struct arena *arena) {
	struct outbox_result result = {
	    .end = receipt->success ? OUTBOX_DONE : OUTBOX_REVERTED, .receipt = *receipt, .verdict = {.ok = true}};
	if (!receipt->success && tx->count > 1) {
		outbox_tx_undo(outbox, tx, true);
		return;
	}
	if (!receipt->success && tx->count == 1) find_reason(outbox, tx, &result, arena);
	outbox_tx_end(outbox, tx, &result);
}

/* As the node says. */
static enum status find_receipt(struct outbox *outbox, struct client_receipt *receipt, bool *found, struct arena *arena,
    const struct outbox_tx *tx, struct err *err) {
	*found = false;
	for (size_t i = tx->hash_count; i-- > 0 && !*found;)
		TRY(client_find_receipt(outbox->client, receipt, found, arena, &tx->hashes[i], err));
	return STATUS_OK;
}

/* From the lowest nonce on, until one is in no block yet. */
static enum status look_for_receipts(struct outbox *outbox, bool *progress, struct arena *arena, struct err *err) {
	if (outbox->options.heads) return outbox_look(outbox, progress, arena, err);
	while (outbox->txs && outbox->txs->is_sent) {
		struct client_receipt receipt;
		struct outbox_tx *tx = outbox->txs;
		bool found;
		arena_reset(arena);
		TRY(find_receipt(outbox, &receipt, &found, arena, tx, err));
		if (!found) break;
		*progress = true;
		outbox_tx_mined(outbox, tx, &receipt, arena);
	}
	return STATUS_OK;
}

/* --- sending --- */

static enum status put_blob(void *context, const struct outbox_blob *blob, struct err *err) {
	struct outbox *outbox = context;
	struct blob_asker asker = {.client = outbox->client,
	    .secret = &outbox->secret,
	    .node = &outbox->node,
	    .genesis = &outbox->genesis,
	    .random = outbox->options.random};
	struct blob_verdict verdict;
	struct holders holders; /* whoever submitted it has judged its receipts */
	TRY(blobs_put(&asker, &holders, &verdict, &blob->gate, blob->container, err));
	if (verdict.ok) return STATUS_OK;
	const bool may_pass = verdict.http_status >= 500 || verdict.http_status == 429;
	const enum status status = may_pass ? STATUS_IO : STATUS_DENIED;
	return err_set(err, status, "the node did not take a blob: %s (%s)", verdict.detail, verdict.code);
}

static enum status put_blobs(struct outbox *outbox, const struct outbox_tx *tx, struct err *err) {
	enum status status = STATUS_OK;
	for (size_t i = 0; i < tx->count && status == STATUS_OK; i++) {
		struct buf record;
		buf_init(&record, BUF_MAX_DEFAULT);
		outbox_enter(outbox);
		status = outbox_journal_read(&outbox->journal, &record, tx->items[i]->journal_at, err);
		outbox_leave(outbox);
		if (status == STATUS_OK) status = outbox_record_blobs(buf_view(&record), put_blob, outbox, err);
		buf_fini(&record);
	}
	return status;
}

static enum status raise_fee(struct outbox *outbox, struct outbox_tx *tx, struct arena *arena, struct err *err) {
	struct transaction fields;
	if (tx->hash_count == OUTBOX_HASHES_MAX) return STATUS_OK; /* it waits for a lower base fee */
	TRY(transaction_decode(&fields, NULL, arena, arena_dup(arena, buf_view(&tx->raw)), err));
	fields.max_fee_wei = fields.max_priority_fee_wei = u256_from(0);
	TRY(outbox_sign(outbox, tx, &fields, arena, err));
	tx->is_sent = false;
	tx->resend_ms = 0;
	return outbox_journal_sync(&outbox->journal, err);
}

/* The node says that the nonce is used up. With heads, the look that follows says whether and by what. */
static enum status check_nonce(struct outbox *outbox, struct outbox_tx *tx, struct arena *arena, struct err *err) {
	struct client_receipt receipt;
	bool found;
	uint64_t next;
	tx->resend_ms = RESEND_FIRST_MS / 8;
	if (outbox->options.heads) return STATUS_OK;
	TRY(outbox_nonce(outbox, &next, arena, err));
	TRY(find_receipt(outbox, &receipt, &found, arena, tx, err));
	if (found)
		outbox_tx_mined(outbox, tx, &receipt, arena);
	else if (next > tx->nonce && ++tx->nonce_gone >= NONCE_GONE_MAX)
		outbox_tx_displaced(outbox, tx);
	return STATUS_OK;
}

/* A service waits for the block of the last one, a moment: it is told at once instead of asking again and again, and
 * what is submitted meanwhile travels together. */
static enum status send(struct outbox *outbox, const struct outbox_tx *tx, struct client_verdict *verdict,
    struct arena *arena, struct err *err) {
	bool taken = false;
	if (outbox->monitor && !tx->next && !tx->is_sent && tx->count > 0)
		TRY(client_send_raw_and_wait(outbox->client, &taken, arena, buf_view(&tx->raw), BLOCK_WAIT_MS, err));
	*verdict = (struct client_verdict){.ok = true};
	outbox->is_shown = taken;
	return taken ? STATUS_OK : client_send_raw(outbox->client, verdict, arena, buf_view(&tx->raw), err);
}

/* `*on`: the next one may be sent. `tx` may be gone afterwards. */
static enum status send_one(
    struct outbox *outbox, struct outbox_tx *tx, bool *on, struct arena *arena, struct err *err) {
	struct client_verdict verdict;
	*on = false;
	TRY(send(outbox, tx, &verdict, arena, err));
	enum answer answer = answer_of(&verdict);
	if (answer == NEEDS_BLOBS) {
		enum status put = put_blobs(outbox, tx, err);
		if (put != STATUS_OK && put != STATUS_DENIED) return put;
		if (put == STATUS_OK) TRY(client_send_raw(outbox->client, &verdict, arena, buf_view(&tx->raw), err));
		answer = answer_of(&verdict) == NEEDS_BLOBS ? NEVER : answer_of(&verdict);
	}
	if (tx->is_sent) outbox->counts.resent++;
	tx->is_sent = answer != NOT_NOW;
	tx->sent_ns = clock_monotonic_ns(client_options_of(outbox->client)->clock);
	tx->resend_ms = tx->resend_ms ? 2 * tx->resend_ms : RESEND_FIRST_MS;
	if (tx->resend_ms > RESEND_MAX_MS) tx->resend_ms = RESEND_MAX_MS;
	*on = answer != NOT_NOW && answer != FEE_LOW;
	switch (answer) {
	case TAKEN:
	case NOT_NOW:
	case NEEDS_BLOBS: return STATUS_OK;
	case NONCE_GONE: return check_nonce(outbox, tx, arena, err);
	case FEE_LOW: return raise_fee(outbox, tx, arena, err);
	case NEVER:
		if (outbox->options.heads) return take_its_place(outbox, tx, &verdict, arena, err);
		give_up(outbox, tx, &verdict);
	}
	return STATUS_OK;
}

static bool is_due(const struct outbox *outbox, const struct outbox_tx *tx) {
	uint64_t now_ns = clock_monotonic_ns(client_options_of(outbox->client)->clock);
	return now_ns - tx->sent_ns >= (uint64_t)tx->resend_ms * 1000000;
}

/* What is not sent yet, and what has waited long for a block. A node that forgot one has forgotten those behind it. */
static enum status send_all(struct outbox *outbox, bool *progress, struct arena *arena, struct err *err) {
	bool on = true;
	for (struct outbox_tx *tx = outbox->txs, *next; tx && on; tx = next) {
		next = tx->next;
		if (tx->resend_ms && !is_due(outbox, tx)) {
			if (!tx->is_sent) break;
			continue;
		}
		*progress |= !tx->is_sent;
		arena_reset(arena);
		TRY(send_one(outbox, tx, &on, arena, err));
	}
	return STATUS_OK;
}

enum status outbox_deliver(struct outbox *outbox, bool *progress, struct err *err) {
	struct arena arena;
	arena_init(&arena);
	enum status status = STATUS_OK;
	if (outbox->journal.is_broken) /* what may not be on the disk is not sent */
		status = err_set(err, STATUS_IO, "the outbox's journal could not be synced");
	else
		status = send_all(outbox, progress, &arena, err);
	struct err why = {0}; /* what sending said is not written over */
	const enum status looked = look_for_receipts(outbox, progress, &arena, &why);
	arena_fini(&arena);
	if (status != STATUS_OK) return status;
	*err = why;
	return looked;
}
