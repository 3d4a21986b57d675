#include "ledger/state/overlay.h"

static uint64_t mix(uint64_t a, uint64_t b) {
	unsigned __int128 product = (unsigned __int128)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* An attacker who picks keys can find some that collide; the gas that each access takes bounds the cost. */
uint64_t overlay_hash(struct bytes key, uint64_t seed) {
	uint64_t hash = seed ^ 0x9e3779b97f4a7c15u;
	for (size_t i = 0; i < key.len; i += 8) {
		uint64_t word = 0;
		memcpy(&word, key.data + i, key.len - i < 8 ? key.len - i : 8);
		hash = mix(hash ^ word ^ 0xa0761d6478bd642fu, 0xe7037ed1a0b428dbu);
	}
	return mix(hash, 0x8ebc6af09c88c6e3u);
}

static void grow(struct index_table *table) {
	struct index_table larger = {.cap = table->cap ? 2 * table->cap : 256, .count = table->count};
	larger.cells = mem_zalloc(larger.cap, sizeof *larger.cells);
	for (size_t i = 0; i < table->cap; i++) {
		if (!table->cells[i].item) continue;
		size_t at = table->cells[i].hash & (larger.cap - 1);
		while (larger.cells[at].item) at = (at + 1) & (larger.cap - 1);
		larger.cells[at] = table->cells[i];
	}
	mem_free(table->cells);
	*table = larger;
}

/* The cell of the item, or the free one where it would stand. */
static size_t probe(const struct index_table *table, uint32_t hash, index_equal *equal, const void *context) {
	size_t at = hash & (table->cap - 1);
	for (; table->cells[at].item; at = (at + 1) & (table->cap - 1))
		if (table->cells[at].hash == hash && equal(context, table->cells[at].item - 1)) break;
	return at;
}

uint32_t index_get(const struct index_table *table, uint64_t hash, index_equal *equal, const void *context) {
	if (!table->count) return INDEX_NONE;
	uint32_t item = table->cells[probe(table, (uint32_t)hash, equal, context)].item;
	return item ? item - 1 : INDEX_NONE;
}

uint32_t index_find(struct index_table *table, uint64_t hash, index_equal *equal, const void *context, uint32_t next) {
	if (2 * (table->count + 1) > table->cap) grow(table);
	struct index_cell *cell = &table->cells[probe(table, (uint32_t)hash, equal, context)];
	if (cell->item) return cell->item - 1;
	*cell = (struct index_cell){next + 1, (uint32_t)hash};
	table->count++;
	return next;
}

void index_clear(struct index_table *table) {
	if (table->count) memset(table->cells, 0, table->cap * sizeof *table->cells);
	table->count = 0;
}
