#include "health/fhir/names.h"

#include "crypto/hash.h"

void names_init(struct names *names, struct arena *arena, size_t count_max) {
	names->capacity = 16;
	while (names->capacity < 2 * count_max) names->capacity *= 2;
	names->slots = arena_zalloc(arena, names->capacity, sizeof *names->slots);
}

/* Where the name stands or would stand. A cryptographic hash, so that no document can make all its names collide. */
static struct names_slot *slot_of(const struct names *names, struct bytes name, uint64_t *digest) {
	hash32 hash = sha256(name);
	*digest = load_be64(hash.b);
	for (size_t i = *digest;; i++) {
		struct names_slot *slot = &names->slots[i & (names->capacity - 1)];
		if (!slot->name.data || (slot->digest == *digest && bytes_equal(slot->name, name))) return slot;
	}
}

bool names_put(struct names *names, struct bytes name, size_t value) {
	uint64_t digest;
	struct names_slot *slot = slot_of(names, name, &digest);
	if (slot->name.data) return false;
	*slot = (struct names_slot){name, digest, value};
	return true;
}

void names_share(struct names *names, struct bytes name, size_t value) {
	uint64_t digest;
	if (!names_put(names, name, value)) slot_of(names, name, &digest)->value = NAMES_SEVERAL;
}

size_t names_find(const struct names *names, struct bytes name) {
	uint64_t digest;
	const struct names_slot *slot = slot_of(names, name, &digest);
	return slot->name.data ? slot->value : NAMES_NONE;
}
