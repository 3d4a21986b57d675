/* The table of what was put and waits for a transaction: in memory, since the next start finds it in the segments. */
#include "ledger/blob/blob_room.h"

#define BUCKETS_LEAST 256u /* a power of two */

struct blob_rows {
	struct blob_row **buckets;
	size_t count, capacity;
};

struct blob_rows *blob_rows_new(void) {
	struct blob_rows *rows = mem_zalloc(1, sizeof *rows);
	rows->capacity = BUCKETS_LEAST;
	rows->buckets = mem_zalloc(rows->capacity, sizeof(struct blob_row *));
	return rows;
}

void blob_rows_free(struct blob_rows *rows) {
	if (!rows) return;
	for (size_t i = 0; i < rows->capacity; i++)
		while (rows->buckets[i]) blob_rows_remove(rows, rows->buckets[i]);
	mem_free(rows->buckets);
	mem_free(rows);
}

/* A blob's name is a hash: whoever chose many alike would have to find them. */
static struct blob_row **bucket_of(const struct blob_rows *rows, const hash32 *blob) {
	return &rows->buckets[load_be64(blob->b) & (rows->capacity - 1)];
}

static void grow(struct blob_rows *rows) {
	const struct blob_rows old = *rows;
	rows->capacity *= 2;
	rows->buckets = mem_zalloc(rows->capacity, sizeof(struct blob_row *));
	for (size_t i = 0; i < old.capacity; i++) {
		for (struct blob_row *row = old.buckets[i], *next; row; row = next) {
			struct blob_row **bucket = bucket_of(rows, &row->waiting.blob);
			next = row->next;
			row->next = *bucket;
			*bucket = row;
		}
	}
	mem_free(old.buckets);
}

struct blob_row *blob_rows_add(
    struct blob_rows *rows, const struct blob_waiting *waiting, const struct segments_place *place) {
	if (rows->count == rows->capacity) grow(rows);
	struct blob_row *row = mem_zalloc(1, sizeof *row);
	struct blob_row **bucket = bucket_of(rows, &waiting->blob);
	*row = (struct blob_row){.next = *bucket, .waiting = *waiting, .place = *place, .state = BLOB_STORING};
	*bucket = row;
	rows->count++;
	return row;
}

struct blob_row *blob_rows_find(const struct blob_rows *rows, const struct blob_waiting *waiting) {
	struct blob_row *row = *bucket_of(rows, &waiting->blob);
	while (row && (row->state == BLOB_STORING || !hash32_equal(&row->waiting.blob, &waiting->blob) ||
			  !addr20_equal(&row->waiting.gate, &waiting->gate) ||
			  !addr20_equal(&row->waiting.putter, &waiting->putter)))
		row = row->next;
	return row;
}

void blob_rows_remove(struct blob_rows *rows, struct blob_row *row) {
	struct blob_row **link = bucket_of(rows, &row->waiting.blob);
	while (*link != row) link = &(*link)->next;
	*link = row->next;
	rows->count--;
	mem_free(row);
}

struct blob_row *blob_rows_older(const struct blob_rows *rows, uint64_t since_ms) {
	for (size_t i = 0; i < rows->capacity; i++)
		for (struct blob_row *row = rows->buckets[i]; row; row = row->next)
			if (row->state != BLOB_STORING && row->since_ms < since_ms) return row;
	return NULL;
}

struct segments_place blob_rows_lowest(const struct blob_rows *rows, const struct segments_place *end) {
	struct segments_place lowest = *end;
	for (size_t i = 0; i < rows->capacity; i++) {
		for (const struct blob_row *row = rows->buckets[i]; row; row = row->next) {
			const struct segments_place *place = &row->place;
			const bool is_lower = place->segment < lowest.segment ||
					      (place->segment == lowest.segment && place->at < lowest.at);
			if (is_lower) lowest = *place;
		}
	}
	return lowest;
}
