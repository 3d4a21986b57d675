/* Accepting, waiting, and the loop. Making transactions is in outbox_form.c, delivering them in outbox_send.c. */
#include "health/chain/outbox.h"

#include <stdio.h>
#include <unistd.h>

#include "base/files.h"
#include "base/log.h"
#include "health/chain/outbox_private.h"
#include "health/contracts/cause.h"

#define IN_FLIGHT_DEFAULT 64u
#define POLL_FIRST_MS 2u
#define POLL_MAX_MS 100u
#define RETRY_MAX_MS 5000u /* of a node that does not answer */
#define IDLE_MS 1000u
#define GATHER_MS 4u
#define DATA_MAX (OUTBOX_TX_BYTES_MAX - 512)
#define COMPACT_BYTES ((uint64_t)64 << 20)

void outbox_enter(struct outbox *outbox) {
	if (outbox->monitor) outbox->options.threads->lock(outbox->monitor);
}

void outbox_leave(struct outbox *outbox) {
	if (outbox->monitor) outbox->options.threads->unlock(outbox->monitor);
}

static uint64_t now_ms(const struct outbox *outbox) {
	return clock_now_ms(client_options_of(outbox->client)->clock);
}

static struct outbox *outbox_empty(void) {
	struct outbox *outbox = mem_zalloc(1, sizeof *outbox);
	outbox->last = &outbox->first;
	outbox->next_id = 1;
	outbox->hole_first = true; /* the last run may have ended before it filled one */
	outbox->pause_ms = POLL_FIRST_MS;
	outbox->compact_at_bytes = COMPACT_BYTES;
	outbox->journal.fd = -1;
	return outbox;
}

enum status outbox_open(struct outbox **out, const struct outbox_options *options, struct err *err) {
	struct outbox *outbox = outbox_empty();
	outbox->options = *options;
	if (!outbox->options.in_flight_max) outbox->options.in_flight_max = IN_FLIGHT_DEFAULT;
	outbox->client = options->client;
	outbox->secret = *options->secret;
	outbox->node = *options->node;
	outbox->genesis = *options->genesis;
	if (options->threads) outbox->monitor = options->threads->monitor_new(options->threads->context);
	enum status status = address_of_secret(&outbox->account, &outbox->secret);
	if (status != STATUS_OK) err_set(err, status, "the account's secret is not a valid key");
	if (status == STATUS_OK)
		status = outbox_journal_open(&outbox->journal, options->journal_path, outbox_record_read, outbox, err);
	if (status != STATUS_OK) {
		outbox_close(outbox);
		return status;
	}
	outbox->opened = true;
	if (outbox->item_count) log_info("outbox", "%zu entries of an earlier run go on", outbox->item_count);
	*out = outbox;
	return STATUS_OK;
}

static void free_lists(struct outbox *outbox) {
	static const struct outbox_result kept = {.end = OUTBOX_KEPT};
	outbox_enter(outbox);
	for (struct outbox_item *item = outbox->first; item; item = item->next) outbox_item_end(outbox, item, &kept);
	while (outbox->txs) outbox_tx_free(outbox, outbox->txs);
	while (outbox->first) outbox_item_free(outbox, outbox->first);
	outbox_leave(outbox);
}

/* Nothing in it is alive: the file goes, or an empty one takes its place. Never cut in place: a backup may read it. */
static void forget_journal(struct outbox *outbox) {
	if (outbox->first || outbox->txs) return;
	(void)!outbox_journal_replace(&outbox->journal, (struct bytes){NULL, 0}, NULL);
}

void outbox_close(struct outbox *outbox) {
	if (!outbox) return;
	const bool is_empty = !outbox->first && !outbox->txs;
	free_lists(outbox);
	if (outbox->opened && is_empty) unlink(outbox->journal.path);
	outbox_journal_close(&outbox->journal);
	if (outbox->monitor) outbox->options.threads->monitor_free(outbox->monitor);
	mem_wipe(&outbox->secret, sizeof outbox->secret);
	mem_free(outbox);
}

enum status outbox_mark_restored(size_t *kept, size_t *dropped, const char *journal_path, struct err *err) {
	struct outbox *outbox = outbox_empty();
	struct buf record;
	*kept = *dropped = 0;
	buf_init(&record, 64);
	outbox_record_restored(&record);
	enum status status = files_exists(journal_path) ? STATUS_OK : STATUS_NOTFOUND;
	if (status == STATUS_OK)
		status = outbox_journal_open(&outbox->journal, journal_path, outbox_record_read, outbox, err);
	for (const struct outbox_item *item = outbox->first; item; item = item->next) *(item->tx ? kept : dropped) += 1;
	if (status == STATUS_OK) status = outbox_journal_append(&outbox->journal, NULL, buf_view(&record), err);
	if (status == STATUS_OK) status = outbox_journal_sync(&outbox->journal, err);
	buf_fini(&record);
	free_lists(outbox);
	outbox_journal_close(&outbox->journal);
	mem_free(outbox);
	return status;
}

/* --- accepting --- */

static enum status check_entry(const struct outbox_entry *entry, struct err *err) {
	size_t bytes = 0;
	BUG_ON(entry->name_count > OUTBOX_NAMES_MAX);
	if (entry->data.len > DATA_MAX)
		return err_set(err, STATUS_LIMIT, "the calldata has %zu bytes; a transaction holds %zu",
		    entry->data.len, (size_t)DATA_MAX);
	for (size_t i = 0; i < entry->blob_count; i++) bytes += entry->blobs[i].container.len;
	if (bytes > (size_t)256 << 20) return err_set(err, STATUS_LIMIT, "the blobs of one entry have over 256 MiB");
	return STATUS_OK;
}

/* With the lock held. Whoever comes first syncs for all that were appended by then. */
static enum status sync_up_to(struct outbox *outbox, uint64_t end, struct err *err) {
	struct outbox_journal *journal = &outbox->journal;
	while (journal->synced_bytes < end && !journal->is_broken) {
		if (outbox->is_syncing) {
			outbox->options.threads->wait(outbox->monitor, IDLE_MS);
			continue;
		}
		const uint64_t size_bytes = journal->size_bytes;
		outbox->is_syncing = true;
		outbox_leave(outbox);
		enum status status = outbox_journal_sync(journal, err);
		outbox_enter(outbox);
		outbox->is_syncing = false;
		if (status == STATUS_OK && journal->synced_bytes < size_bytes) journal->synced_bytes = size_bytes;
		if (outbox->monitor) outbox->options.threads->wake_all(outbox->monitor);
		TRY(status);
	}
	return journal->is_broken ? err_set(err, STATUS_IO, "the outbox's journal could not be synced") : STATUS_OK;
}

/* With the lock held. */
static enum status accept(struct outbox *outbox, uint64_t *id, const struct outbox_entry *entry,
    struct outbox_waiter *waiter, struct err *err) {
	if (outbox->item_count >= OUTBOX_ENTRIES_MAX)
		return err_set(err, STATUS_BUSY, "%u entries wait already", OUTBOX_ENTRIES_MAX);
	struct buf record;
	struct outbox_item *item = outbox_item_new(outbox, entry);
	buf_init(&record, BUF_MAX_DEFAULT);
	outbox_record_item(&record, item, entry);
	item->is_settling = true;
	enum status status = outbox_journal_append(&outbox->journal, &item->journal_at, buf_view(&record), err);
	buf_fini(&record);
	if (status == STATUS_OK) status = sync_up_to(outbox, outbox->journal.size_bytes, err);
	if (status != STATUS_OK) {
		outbox_item_free(outbox, item);
		return status;
	}
	item->is_settling = false;
	item->waiter = waiter;
	*id = item->id;
	if (outbox->monitor && !outbox->has_work) outbox->options.threads->wake_all(outbox->monitor);
	outbox->has_work = true;
	return STATUS_OK;
}

enum status outbox_submit(struct outbox *outbox, const struct outbox_entry *entry, struct err *err) {
	uint64_t id;
	TRY(check_entry(entry, err));
	outbox_enter(outbox);
	enum status status = accept(outbox, &id, entry, NULL, err);
	outbox_leave(outbox);
	return status;
}

/* --- one round of the runner --- */

/* With the lock held. What is not durable yet is not accepted, and its caller hears of it from outbox_submit. */
static bool is_awaited(const struct outbox_item *item) {
	return !item->is_settling && (item->completed || item->waiter);
}

static const struct outbox_result in_no_block = {.end = OUTBOX_KEPT, .verdict = {.reason = "it is in no block yet"}};

/* A caller whose deadline is over gets an answer; the entry goes on. `*next_ms`: until the next one. */
static void expire(struct outbox *outbox, uint64_t *next_ms) {
	const uint64_t now = now_ms(outbox);
	*next_ms = IDLE_MS;
	outbox_enter(outbox);
	for (struct outbox_item *item = outbox->first; item; item = item->next) {
		if (!item->deadline_ms || !is_awaited(item)) continue;
		if (item->deadline_ms > now) {
			if (item->deadline_ms - now < *next_ms) *next_ms = item->deadline_ms - now;
			continue;
		}
		struct outbox_result result = in_no_block;
		if (item->tx) result.receipt.tx_hash = item->tx->hashes[item->tx->hash_count - 1];
		outbox_item_end(outbox, item, &result);
	}
	outbox_leave(outbox);
}

/* The live records alone, if the file has grown; not while a raised fee's older hashes stand in it alone. */
static void compact(struct outbox *outbox) {
	struct buf records, record;
	enum status status = STATUS_OK;
	outbox_enter(outbox);
	if (outbox->journal.size_bytes >= COMPACT_BYTES / 64) forget_journal(outbox);
	bool due = outbox->journal.size_bytes >= outbox->compact_at_bytes && !outbox->is_syncing;
	for (const struct outbox_tx *tx = outbox->txs; tx; tx = tx->next) due = due && tx->hash_count == 1;
	if (outbox->first && outbox->first->is_restored) due = false; /* the mark stands between the records */
	for (const struct outbox_item *item = outbox->first; item; item = item->next) due = due && !item->is_settling;
	buf_init(&records, (size_t)8 << 30);
	buf_init(&record, BUF_MAX_DEFAULT);
	for (struct outbox_item *item = outbox->first; due && item && status == STATUS_OK; item = item->next) {
		buf_clear(&record);
		status = outbox_journal_read(&outbox->journal, &record, item->journal_at, NULL);
		item->moved_to = records.len;
		outbox_journal_put(&records, buf_view(&record));
	}
	for (const struct outbox_tx *tx = outbox->txs; due && tx; tx = tx->next) {
		buf_clear(&record);
		outbox_record_tx(&record, tx);
		outbox_journal_put(&records, buf_view(&record));
	}
	if (due && status == STATUS_OK) status = buf_status(&records, NULL);
	if (due && status == STATUS_OK) status = outbox_journal_replace(&outbox->journal, buf_view(&records), NULL);
	for (struct outbox_item *item = outbox->first; due && item && status == STATUS_OK; item = item->next)
		item->journal_at = item->moved_to;
	if (due) {
		const uint64_t twice = 2 * outbox->journal.size_bytes;
		outbox->compact_at_bytes = twice > COMPACT_BYTES ? twice : COMPACT_BYTES;
	}
	outbox_leave(outbox);
	buf_fini(&records);
	buf_fini(&record);
}

/* Everybody who waits hears that the node is not believed, and why; the entries go on. */
static void doubt(struct outbox *outbox, const struct err *err) {
	struct outbox_result result = {.end = OUTBOX_UNPROVED};
	snprintf(result.verdict.reason, sizeof result.verdict.reason, "%.199s", err->message);
	outbox_enter(outbox);
	for (struct outbox_item *item = outbox->first; item;) {
		if (!is_awaited(item)) {
			item = item->next;
			continue;
		}
		result.receipt.tx_hash = item->tx ? item->tx->hashes[item->tx->hash_count - 1] : (hash32){{0}};
		outbox_item_end(outbox, item, &result);
		item = outbox->first; /* without the lock, what was next may be gone */
	}
	outbox_leave(outbox);
}

static enum status step(struct outbox *outbox, uint32_t *pause_ms, struct err *err) {
	bool progress = false;
	uint64_t next_ms;
	struct err later = {0};
	err->cause = 0;
	expire(outbox, &next_ms);
	enum status status = outbox_form(outbox, &progress, err);
	enum status delivered = outbox_deliver(outbox, &progress, &later);
	if (delivered != STATUS_OK && (status == STATUS_OK || outbox_is_disbelief(&later))) {
		*err = later;
		status = delivered;
	}
	if (status != STATUS_OK && outbox_is_disbelief(err)) doubt(outbox, err);
	uint32_t most = status == STATUS_OK ? POLL_MAX_MS : RETRY_MAX_MS;
	outbox->pause_ms = progress ? POLL_FIRST_MS : 2 * outbox->pause_ms < most ? 2 * outbox->pause_ms : most;
	*pause_ms = next_ms < outbox->pause_ms ? (uint32_t)next_ms : outbox->pause_ms;
	if (!outbox->first && !outbox->txs) *pause_ms = (uint32_t)next_ms;
	compact(outbox);
	return status;
}

/* With the lock held: entries that are in no transaction. */
static size_t left_to_send(const struct outbox *outbox) {
	size_t count = outbox->item_count;
	for (const struct outbox_tx *tx = outbox->txs; tx; tx = tx->next) count -= tx->count;
	return count;
}

/* With the lock held: more may travel with what waits. Clients who were answered together send their next ones at
 * nearly the same time: so as many come as travelled together last, and what is prepared comes as well. */
static bool more_come(const struct outbox *outbox) {
	const size_t left = left_to_send(outbox);
	return left > 0 && left < OUTBOX_MERGED_MAX && (left < outbox->last_merged || outbox->expected > 0);
}

/* With the lock held. Whoever is about to submit is awaited, for a moment: a transaction costs more than an entry. */
static void gather(struct outbox *outbox) {
	const struct clock_source *clock = client_options_of(outbox->client)->clock;
	const uint64_t until_ns = clock_monotonic_ns(clock) + (uint64_t)GATHER_MS * 1000000;
	while (!outbox->is_stopped && more_come(outbox) && clock_monotonic_ns(clock) < until_ns)
		outbox->options.threads->wait(outbox->monitor, 1);
}

void outbox_expect(struct outbox *outbox, bool comes) {
	outbox_enter(outbox);
	BUG_ON(!comes && outbox->expected == 0);
	outbox->expected += comes ? 1 : -1;
	outbox_leave(outbox);
}

void outbox_run(struct outbox *outbox) {
	struct err err = {0};
	enum status last = STATUS_OK;
	for (bool stopped = false; !stopped;) {
		uint32_t pause_ms;
		outbox_enter(outbox);
		gather(outbox);
		outbox->has_work = false;
		outbox_leave(outbox);
		enum status status = step(outbox, &pause_ms, &err);
		if (status != STATUS_OK && last == STATUS_OK) log_warn("outbox", "waiting: %s", err.message);
		if (status == STATUS_OK && last != STATUS_OK) log_info("outbox", "going on");
		last = status;
		outbox_enter(outbox);
		if (!outbox->has_work && !outbox->is_stopped) outbox->options.threads->wait(outbox->monitor, pause_ms);
		stopped = outbox->is_stopped;
		outbox_leave(outbox);
	}
}

void outbox_stop(struct outbox *outbox) {
	outbox_enter(outbox);
	outbox->is_stopped = true;
	if (outbox->monitor) outbox->options.threads->wake_all(outbox->monitor);
	outbox_leave(outbox);
}

/* --- waiting for one --- */

static void rest(const struct outbox *outbox, uint32_t pause_ms) {
	const struct client_options *options = client_options_of(outbox->client);
	options->sleep_ms(options->sleep_context, pause_ms);
}

/* What is left until the deadline (0: there is none), and no more than this. */
static uint32_t until(const struct outbox *outbox, uint64_t deadline_ms, uint32_t most_ms) {
	const uint64_t now = now_ms(outbox);
	if (!deadline_ms || deadline_ms >= now + most_ms) return most_ms;
	return deadline_ms > now ? (uint32_t)(deadline_ms - now) : 0;
}

static bool all_done(const struct outbox_waiter *waiters, size_t count) {
	size_t done = 0;
	while (done < count && waiters[done].is_done) done++;
	return done == count;
}

/* Until the entries end, or their deadline: a node that answers slowly costs no more time than one that does not
 * answer. */
static void work_for(
    struct outbox *outbox, const struct outbox_waiter *waiters, size_t count, uint64_t deadline_ms, struct err *last) {
	client_set_deadline(outbox->client, deadline_ms);
	while (!all_done(waiters, count)) {
		uint32_t pause_ms;
		uint64_t next_ms;
		if (until(outbox, deadline_ms, 1) == 0) {
			expire(outbox, &next_ms);
			continue;
		}
		last->message[0] = 0;
		(void)!step(outbox, &pause_ms, last);
		if (!all_done(waiters, count)) rest(outbox, until(outbox, deadline_ms, pause_ms));
	}
	client_set_deadline(outbox->client, 0);
}

/* With the lock held, while another thread runs the outbox. */
static void wait_for(struct outbox *outbox, const struct outbox_waiter *waiters, size_t count, uint64_t deadline_ms) {
	while (!all_done(waiters, count)) {
		const uint32_t left_ms = until(outbox, deadline_ms, IDLE_MS);
		if (left_ms == 0) return;
		outbox->options.threads->wait(outbox->monitor, left_ms);
	}
}

/* STATUS_OK: it ended. */
static enum status judge(const struct outbox_result *result, const struct err *last, struct err *err) {
	if (result->end == OUTBOX_UNPROVED)
		return err_because(
		    err, CAUSE_NOT_PROVED_SENT, err_set(err, STATUS_DENIED, "%s", result->verdict.reason));
	if (result->end != OUTBOX_KEPT) return STATUS_OK;
	return err_set(err, STATUS_TIMEOUT, "the transaction is accepted and kept, and is in no block yet%s%s",
	    last->message[0] ? ": " : "", last->message);
}

enum status outbox_send_all(struct outbox *outbox, struct outbox_result *results, struct arena *arena,
    const struct outbox_entry *entries, size_t count, struct err *err) {
	struct outbox_waiter waiters[OUTBOX_SENT_MAX];
	uint64_t ids[OUTBOX_SENT_MAX];
	struct err last = {0};
	enum status status = STATUS_OK;
	size_t accepted = 0;
	BUG_ON(count == 0 || count > OUTBOX_SENT_MAX);
	for (size_t i = 0; i < count; i++) {
		results[i] = (struct outbox_result){.end = OUTBOX_KEPT};
		waiters[i] = (struct outbox_waiter){.result = &results[i], .arena = arena};
		TRY(check_entry(&entries[i], err));
	}
	outbox_enter(outbox);
	while (accepted < count && status == STATUS_OK) {
		struct outbox_entry copy = entries[accepted];
		copy.completed = NULL;
		status = accept(outbox, &ids[accepted], &copy, &waiters[accepted], err);
		if (status == STATUS_OK) accepted++;
	}
	if (outbox->monitor) wait_for(outbox, waiters, accepted, entries[0].deadline_ms);
	for (size_t i = 0; i < accepted && outbox->monitor; i++) {
		struct outbox_item *item = waiters[i].is_done ? NULL : outbox_item_find(outbox, ids[i]);
		if (item) item->waiter = NULL; /* it goes on without this caller */
	}
	outbox_leave(outbox);
	if (!outbox->monitor) work_for(outbox, waiters, accepted, entries[0].deadline_ms, &last);
	for (size_t i = 0; i < accepted && status == STATUS_OK; i++) status = judge(&results[i], &last, err);
	return status;
}

enum status outbox_send(struct outbox *outbox, struct outbox_result *result, struct arena *arena,
    const struct outbox_entry *entry, struct err *err) {
	return outbox_send_all(outbox, result, arena, entry, 1, err);
}

enum status outbox_drain(struct outbox *outbox, uint64_t deadline_ms, struct err *err) {
	struct err last = {0};
	while (outbox->first || outbox->txs) {
		uint32_t pause_ms;
		last.message[0] = 0;
		if (deadline_ms && now_ms(outbox) >= deadline_ms)
			return err_set(err, STATUS_TIMEOUT, "%zu entries are in no block yet%s%s", outbox->item_count,
			    last.message[0] ? ": " : "", last.message);
		(void)!step(outbox, &pause_ms, &last);
		if (outbox->first || outbox->txs) rest(outbox, pause_ms);
	}
	return STATUS_OK;
}

/* --- what others ask --- */

void outbox_set_witness(struct outbox *outbox, const struct outbox_witness *witness) {
	outbox->witness = *witness;
}

static bool has_name(const struct outbox_item *item, const hash32 *name) {
	for (size_t i = 0; i < item->name_count; i++)
		if (hash32_equal(&item->names[i], name)) return true;
	return false;
}

bool outbox_has(struct outbox *outbox, const hash32 *name) {
	outbox_enter(outbox);
	const struct outbox_item *item = outbox->first;
	while (item && (item->is_settling || !has_name(item, name))) item = item->next;
	outbox_leave(outbox);
	return item != NULL;
}

void outbox_let_go(struct outbox *outbox, uint64_t deadline_ms) {
	outbox_enter(outbox);
	for (struct outbox_item *item = outbox->first; item;) {
		bool is_over = deadline_ms == UINT64_MAX || (item->deadline_ms && item->deadline_ms <= deadline_ms);
		if (!is_over || !is_awaited(item)) {
			item = item->next;
			continue;
		}
		outbox_item_end(outbox, item, &in_no_block); /* the hash of its transaction is the runner's */
		item = outbox->first;                        /* without the lock, what was next may be gone */
	}
	outbox_leave(outbox);
}

struct outbox_counts outbox_counts(struct outbox *outbox) {
	outbox_enter(outbox);
	struct outbox_counts counts = outbox->counts;
	counts.waiting = outbox->item_count;
	counts.is_broken = outbox->journal.is_broken;
	outbox_leave(outbox);
	return counts;
}
