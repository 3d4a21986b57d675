#include "ledger/consensus/bundle.h"

#include <pthread.h>
#include <stdlib.h>

#include "codec/rlp.h"
#include "crypto/hash.h"

/* --- bytes --- */

void bundle_encode(struct buf *out, const struct ordered_tx *txs, size_t count) {
	const size_t list = rlp_list_begin(out);
	for (size_t i = 0; i < count; i++) rlp_put_string(out, txs[i].tx->raw);
	rlp_list_end(out, list);
}

enum status bundle_decode(
    struct bytes **envelopes, size_t *count, struct arena *arena, struct bytes bundle, struct err *err) {
	struct rlp_cursor whole = rlp_cursor(bundle), items = rlp_enter(&whole), counted = items;
	*envelopes = NULL;
	*count = 0;
	if (bundle.len > BUNDLE_BYTES_MAX)
		return err_set(err, STATUS_INVALID, "a bundle of %zu bytes; at most %zu are allowed", bundle.len,
		    (size_t)BUNDLE_BYTES_MAX);
	size_t found = 0;
	for (; !rlp_at_end(&counted); found++) (void)rlp_string(&counted);
	if (counted.fault == NULL && (found == 0 || found > BUNDLE_TXS_MAX))
		return err_set(
		    err, STATUS_INVALID, "a bundle of %zu transactions; 1 to %d are allowed", found, BUNDLE_TXS_MAX);
	rlp_leave(&whole, &counted);
	if (rlp_finish(&whole, err) != STATUS_OK) return err_prefix(err, STATUS_INVALID, "a bundle");
	*envelopes = arena_alloc(arena, found * sizeof **envelopes);
	while (*count < found) (*envelopes)[(*count)++] = rlp_string(&items);
	return STATUS_OK;
}

/* --- senders --- */

enum { SENDERS_MAX = 1 << 16 }; /* a power of two: about 20 blocks' worth, 3.4 MB */

/* Each hash has one place; the last to come keeps it. */
struct senders {
	pthread_mutex_t lock;
	struct known_sender {
		hash32 tx_hash;
		addr20 sender;
	} known[SENDERS_MAX];
};

struct senders *senders_new(void) {
	struct senders *senders = mem_zalloc(1, sizeof *senders);
	pthread_mutex_init(&senders->lock, NULL);
	return senders;
}

void senders_free(struct senders *senders) {
	if (senders == NULL) return;
	pthread_mutex_destroy(&senders->lock);
	mem_free(senders);
}

static struct known_sender *place_of(struct senders *senders, const hash32 *tx_hash) {
	return &senders->known[load_be64(tx_hash->b) & (SENDERS_MAX - 1)];
}

void senders_put(struct senders *senders, const hash32 *tx_hash, const addr20 *sender) {
	pthread_mutex_lock(&senders->lock);
	*place_of(senders, tx_hash) = (struct known_sender){*tx_hash, *sender};
	pthread_mutex_unlock(&senders->lock);
}

bool senders_get(struct senders *senders, const hash32 *tx_hash, addr20 *sender) {
	pthread_mutex_lock(&senders->lock);
	const struct known_sender *known = place_of(senders, tx_hash);
	const bool found = hash32_equal(&known->tx_hash, tx_hash);
	if (found) *sender = known->sender;
	pthread_mutex_unlock(&senders->lock);
	return found;
}

/* --- reading --- */

/* While bundles are read: transactions whose sender nobody remembers. */
struct unknown {
	const struct transaction **txs;
	size_t *places;
	addr20 *senders;
	enum status *statuses;
	size_t count;
};

/* Adds the transaction without its sender; false: it is none. */
static bool read_envelope(struct ordered_tx *out, struct arena *arena, struct bytes envelope) {
	struct transaction *tx = arena_alloc(arena, sizeof *tx);
	hash32 *hash = arena_alloc(arena, sizeof *hash);
	struct bytes sidecar;
	if (transaction_decode(tx, &sidecar, arena, envelope, NULL) != STATUS_OK) return false;
	/* Impersonation's form is a signature of nobody, and a sidecar is no part of a transaction here. */
	if (sidecar.len != 0 || exec_is_impersonated(tx) || !bytes_equal(tx->raw, envelope)) return false;
	*hash = keccak256(envelope);
	*out = (struct ordered_tx){.tx = tx, .hash = hash};
	return true;
}

/* Recovers the unknown senders; those that cannot be recovered go. */
static void recover(struct bundle_txs *out, struct senders *senders, const struct unknown *unknown) {
	transaction_senders(unknown->senders, unknown->statuses, unknown->txs, unknown->count, true);
	for (size_t i = 0; i < unknown->count; i++) {
		struct ordered_tx *tx = &out->txs[unknown->places[i]];
		if (unknown->statuses[i] == STATUS_OK) {
			tx->sender = unknown->senders[i];
			senders_put(senders, tx->hash, &tx->sender);
		} else {
			tx->tx = NULL;
			out->bad++;
		}
	}
	size_t kept = 0;
	for (size_t i = 0; i < out->count; i++)
		if (out->txs[i].tx != NULL) out->txs[kept++] = out->txs[i];
	out->count = kept;
}

void bundles_read(
    struct bundle_txs *out, struct arena *arena, struct senders *senders, const struct bytes *bundles, size_t count) {
	struct bytes **envelopes = arena_alloc(arena, count * sizeof *envelopes);
	size_t *counts = arena_alloc(arena, count * sizeof *counts), all = 0;
	*out = (struct bundle_txs){0};
	for (size_t i = 0; i < count; i++) {
		out->bad += bundle_decode(&envelopes[i], &counts[i], arena, bundles[i], NULL) != STATUS_OK;
		all += counts[i];
	}
	out->txs = arena_alloc(arena, all * sizeof *out->txs);
	struct unknown unknown = {.txs = arena_alloc(arena, all * sizeof *unknown.txs),
	    .places = arena_alloc(arena, all * sizeof *unknown.places),
	    .senders = arena_alloc(arena, all * sizeof *unknown.senders),
	    .statuses = arena_alloc(arena, all * sizeof *unknown.statuses)};
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < counts[i]; k++) {
			struct ordered_tx *tx = &out->txs[out->count];
			if (!read_envelope(tx, arena, envelopes[i][k])) {
				out->bad++;
				continue;
			}
			if (!senders_get(senders, tx->hash, &tx->sender)) {
				unknown.txs[unknown.count] = tx->tx;
				unknown.places[unknown.count++] = out->count;
			}
			out->count++;
		}
	recover(out, senders, &unknown);
}

/* --- ordering --- */

struct placed {
	const struct ordered_tx *tx;
	size_t place;
};

static int compare_numbers(uint64_t a, uint64_t b) {
	return a < b ? -1 : a > b;
}

static int by_sender_and_place(const void *a, const void *b) {
	const struct placed *one = a, *other = b;
	const int senders = memcmp(one->tx->sender.b, other->tx->sender.b, sizeof one->tx->sender.b);
	return senders != 0 ? senders : compare_numbers(one->place, other->place);
}

/* Of the same nonce, the one that stands first stays first. */
static int by_sender_and_nonce(const void *a, const void *b) {
	const struct placed *one = a, *other = b;
	const int senders = memcmp(one->tx->sender.b, other->tx->sender.b, sizeof one->tx->sender.b);
	if (senders != 0) return senders;
	const int nonces = compare_numbers(one->tx->tx->nonce, other->tx->tx->nonce);
	return nonces != 0 ? nonces : compare_numbers(one->place, other->place);
}

void bundles_order(struct bundle_txs *txs, struct arena *arena) {
	struct ordered_tx *ordered = arena_alloc(arena, txs->count * sizeof *ordered);
	struct placed *places = arena_alloc(arena, txs->count * sizeof *places);
	struct placed *nonces = arena_alloc(arena, txs->count * sizeof *nonces);
	if (txs->count == 0) return;
	for (size_t i = 0; i < txs->count; i++) places[i] = nonces[i] = (struct placed){&txs->txs[i], i};
	qsort(places, txs->count, sizeof *places, by_sender_and_place);
	qsort(nonces, txs->count, sizeof *nonces, by_sender_and_nonce);
	/* Both have each sender's transactions together, and as many of them. */
	for (size_t i = 0; i < txs->count; i++) ordered[places[i].place] = *nonces[i].tx;
	txs->txs = ordered;
}
