/*
 * A share of the node for each account: requests in two minutes, wishes for parts of the outer seal's key in two
 * minutes and at once, audit entries in a day, and bytes that were put and wait for a transaction. One that uses up its
 * own is refused, and nobody else notices. A row is made only for an account that a gate knows, and goes when nothing
 * of it counts any more.
 */
#include "ledger/blob/blob_room.h"

#define REQUESTS_MAX 262144u /* in a window */
#define WISHES_MAX 30000u    /* in a window, for a part of the outer seal's key: each takes about 0.7 ms */
#define COLLECTED_MAX 8u     /* at once, wishes that wait for other members: half of the node's workers */
#define ENTRIES_MAX 1000000u /* in a day, of reads that were served */
#define REFUSALS_MAX 1000u   /* in a day, of reads that were refused; as on the chain */
#define DAY_S 86400u
#define ROWS_LEAST 256u /* a power of two */

struct row {
	addr20 who;
	bool is_used;
	uint64_t window, day; /* of the counters: Unix time in windows, in days */
	uint32_t requests, wishes, entries, refusals;
	uint32_t collected; /* now */
	uint64_t waiting_bytes[BLOB_GATES_MAX];
};

struct blob_accounts {
	struct row *rows; /* open addressing, at most half full */
	size_t count, capacity;
};

struct blob_accounts *blob_accounts_new(void) {
	struct blob_accounts *accounts = mem_zalloc(1, sizeof *accounts);
	accounts->capacity = ROWS_LEAST;
	accounts->rows = mem_zalloc(ROWS_LEAST, sizeof *accounts->rows);
	return accounts;
}

void blob_accounts_free(struct blob_accounts *accounts) {
	if (!accounts) return;
	mem_free(accounts->rows);
	mem_free(accounts);
}

/* The account's row, or the free one where it belongs. */
static struct row *place_of(struct row *rows, size_t capacity, const addr20 *who) {
	size_t at = load_be64(who->b) & (capacity - 1);
	while (rows[at].is_used && !addr20_equal(&rows[at].who, who)) at = (at + 1) & (capacity - 1);
	return &rows[at];
}

static bool counts(const struct row *row, uint64_t now_s) {
	for (size_t i = 0; i < BLOB_GATES_MAX; i++)
		if (row->waiting_bytes[i]) return true;
	return row->collected || ((row->requests || row->wishes) && row->window == now_s / BLOB_EXPIRY_AHEAD_S) ||
	       ((row->entries || row->refusals) && row->day == now_s / DAY_S);
}

/* Moves the rows that count into a table that they fill to a quarter at most. */
static void rebuild(struct blob_accounts *accounts, uint64_t now_s) {
	size_t kept = 0, capacity = ROWS_LEAST;
	for (size_t i = 0; i < accounts->capacity; i++)
		kept += accounts->rows[i].is_used && counts(&accounts->rows[i], now_s);
	while (capacity < 4 * (kept + 1)) capacity *= 2;
	struct row *rows = mem_zalloc(capacity, sizeof *rows);
	for (size_t i = 0; i < accounts->capacity; i++) {
		const struct row *row = &accounts->rows[i];
		if (row->is_used && counts(row, now_s)) *place_of(rows, capacity, &row->who) = *row;
	}
	mem_free(accounts->rows);
	*accounts = (struct blob_accounts){rows, kept, capacity};
}

static uint64_t now_s_of(const struct blob_room *room) {
	return clock_now_ms(room->options.clock) / 1000;
}

/* Under the lock; counters of a past window or day are zero. */
static struct row *row_of(struct blob_room *room, const addr20 *who) {
	struct blob_accounts *accounts = room->accounts;
	const uint64_t now_s = now_s_of(room), window = now_s / BLOB_EXPIRY_AHEAD_S, day = now_s / DAY_S;
	if (2 * (accounts->count + 1) > accounts->capacity) rebuild(accounts, now_s);
	struct row *row = place_of(accounts->rows, accounts->capacity, who);
	if (!row->is_used) {
		*row = (struct row){.who = *who, .is_used = true};
		accounts->count++;
	}
	if (row->window != window) row->requests = row->wishes = 0;
	if (row->day != day) row->entries = row->refusals = 0;
	row->window = window;
	row->day = day;
	return row;
}

static size_t gate_index(const struct blob_room *room, const addr20 *gate) {
	size_t i = 0;
	while (i < room->gate_count && !addr20_equal(&room->gates[i], gate)) i++;
	BUG_ON(i == room->gate_count);
	return i;
}

/* Under the lock: one more, if it is not over its maximum. */
static bool take_one(uint32_t *count, uint32_t max) {
	if (*count >= max) return false;
	(*count)++;
	return true;
}

bool blob_account_asks(struct blob_room *room, const addr20 *who) {
	pthread_mutex_lock(&room->lock);
	const bool taken = take_one(&row_of(room, who)->requests, REQUESTS_MAX);
	pthread_mutex_unlock(&room->lock);
	return taken;
}

bool blob_account_wishes(struct blob_room *room, const addr20 *who) {
	pthread_mutex_lock(&room->lock);
	const bool taken = take_one(&row_of(room, who)->wishes, WISHES_MAX);
	pthread_mutex_unlock(&room->lock);
	return taken;
}

bool blob_account_collects(struct blob_room *room, const addr20 *who) {
	pthread_mutex_lock(&room->lock);
	const bool taken = take_one(&row_of(room, who)->collected, COLLECTED_MAX);
	pthread_mutex_unlock(&room->lock);
	return taken;
}

void blob_account_collected(struct blob_room *room, const addr20 *who) {
	pthread_mutex_lock(&room->lock);
	row_of(room, who)->collected--;
	pthread_mutex_unlock(&room->lock);
}

bool blob_account_is_logged(struct blob_room *room, const addr20 *who, bool served) {
	pthread_mutex_lock(&room->lock);
	struct row *row = row_of(room, who);
	const bool taken = served ? take_one(&row->entries, ENTRIES_MAX) : take_one(&row->refusals, REFUSALS_MAX);
	pthread_mutex_unlock(&room->lock);
	return taken;
}

enum status blob_account_waits(
    struct blob_room *room, uint64_t *waiting_bytes, const addr20 *gate, const addr20 *who, uint64_t size_bytes) {
	enum status status = STATUS_OK;
	pthread_mutex_lock(&room->lock);
	const uint64_t held = room->content_bytes + room->waiting_bytes, max = room->options.bytes_max;
	if (size_bytes > max || held > max - size_bytes) {
		status = STATUS_LIMIT;
	} else {
		uint64_t *own = &row_of(room, who)->waiting_bytes[gate_index(room, gate)];
		*own += size_bytes;
		*waiting_bytes = *own;
		room->waiting_bytes += size_bytes;
		room->waiting_count++;
	}
	pthread_mutex_unlock(&room->lock);
	return status;
}

void blob_account_waits_no_more(struct blob_room *room, const addr20 *gate, const addr20 *who, uint64_t size_bytes) {
	pthread_mutex_lock(&room->lock);
	uint64_t *own = &row_of(room, who)->waiting_bytes[gate_index(room, gate)];
	BUG_ON(*own < size_bytes || room->waiting_bytes < size_bytes || room->waiting_count == 0);
	*own -= size_bytes;
	room->waiting_bytes -= size_bytes;
	room->waiting_count--;
	pthread_mutex_unlock(&room->lock);
}

void blob_accounts_sweep(struct blob_room *room) {
	pthread_mutex_lock(&room->lock);
	rebuild(room->accounts, now_s_of(room));
	pthread_mutex_unlock(&room->lock);
}
