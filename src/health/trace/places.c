#include "health/trace/places.h"

#include "crypto/hash.h"

struct place {
	hash32 name;
	uint32_t value;
	bool taken;
};

/* A cryptographic hash, since whoever writes a document chooses the names in it. */
hash32 places_name(const char *first, const char *second) {
	struct bytes parts[] = {bytes_text(first), BYTES_LITERAL("\0"), bytes_text(second)};
	return sha256_parts(parts, 3);
}

/* The name's row, or the free one where it belongs. There is a free one always. */
static struct place *row_of(const struct places *places, const hash32 *name) {
	size_t at = (size_t)load_be64(name->b) & (places->room - 1);
	while (places->rows[at].taken && !hash32_equal(&places->rows[at].name, name))
		at = (at + 1) & (places->room - 1);
	return &places->rows[at];
}

const uint32_t *places_get(const struct places *places, const hash32 *name) {
	if (!places->count) return NULL;
	const struct place *row = row_of(places, name);
	return row->taken ? &row->value : NULL;
}

static void grow(struct places *places, struct arena *arena) {
	struct places larger = {.room = places->room ? 2 * places->room : 64, .count = places->count};
	larger.rows = arena_zalloc(arena, larger.room, sizeof *larger.rows);
	for (size_t i = 0; i < places->room; i++)
		if (places->rows[i].taken) *row_of(&larger, &places->rows[i].name) = places->rows[i];
	*places = larger;
}

void places_put(struct places *places, struct arena *arena, const hash32 *name, uint32_t value) {
	if (2 * (places->count + 1) > places->room) grow(places, arena);
	struct place *row = row_of(places, name);
	if (!row->taken) places->count++;
	*row = (struct place){*name, value, true};
}
