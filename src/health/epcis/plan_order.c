/*
 * The order in which packs go onto the chain. A document names them as a line made them, serial by serial: whoever
 * holds one pack would read from the chain, by its place, when its neighbours are dispensed. So cases are mixed among
 * each other, packs inside their case, and loose packs, by a permutation that only this home knows. The same document
 * has the same salt and so the same order again.
 *
 * Packs of a case stay side by side, cases of equal size too, and cases are packed in the order of their places: then
 * the contract keeps a range for each, as it did before.
 */
#include <stdlib.h>

#include "crypto/hash.h"
#include "health/epcis/planner.h"

#define NOT_BORN UINT32_MAX /* the document does not commission it */

/* Where a unit goes in its step. */
struct rank {
	bool is_loose;
	uint32_t inverse_size; /* of its case: larger ones first */
	uint64_t group, own;   /* a case's, and the unit's */
	uint32_t unit;
};
struct ordering {
	const struct document *document;
	hash32 key;
	uint32_t *sizes;          /* of containers of the document: units in them */
	uint32_t *places;         /* of units of the document: their rank in all that is commissioned, or NOT_BORN */
	struct packing *packings; /* room for all steps, and so of the next */
	struct plan_step *steps;
};

static uint64_t random_of(const struct ordering *ordering, char what, uint32_t number) {
	uint8_t text[32 + 1 + 4];
	memcpy(text, ordering->key.b, 32);
	text[32] = (uint8_t)what;
	store_be32(text + 33, number);
	const hash32 hash = sha256(bytes_make(text, sizeof text));
	return load_be64(hash.b);
}

static int compare_ranks(const void *a, const void *b) {
	const struct rank *one = a, *other = b;
	if (one->is_loose != other->is_loose) return one->is_loose ? 1 : -1;
	if (one->inverse_size != other->inverse_size) return one->inverse_size < other->inverse_size ? -1 : 1;
	if (one->group != other->group) return one->group < other->group ? -1 : 1;
	if (one->own != other->own) return one->own < other->own ? -1 : 1;
	return one->unit < other->unit ? -1 : one->unit > other->unit;
}

static struct rank rank_of(const struct ordering *ordering, uint32_t unit) {
	const uint32_t container = ordering->document->units[unit].container;
	struct rank out = {
	    .is_loose = container == DOCUMENT_NO_CONTAINER, .own = random_of(ordering, 'u', unit), .unit = unit};
	if (out.is_loose) return out;
	out.inverse_size = UINT32_MAX - ordering->sizes[container];
	out.group = random_of(ordering, 'c', container);
	return out;
}

/* Of a step that commissions; its units' places count on from `*next`. */
static void order_step(struct ordering *ordering, struct arena *arena, struct plan_step *step, uint32_t *next) {
	struct rank *ranks = mem_zalloc(step->unit_count, sizeof *ranks);
	uint32_t *units = arena_alloc(arena, step->unit_count * sizeof *units);
	for (uint32_t i = 0; i < step->unit_count; i++) ranks[i] = rank_of(ordering, step->units[i]);
	qsort(ranks, step->unit_count, sizeof *ranks, compare_ranks);
	for (uint32_t i = 0; i < step->unit_count; i++) {
		units[i] = ranks[i].unit;
		ordering->places[units[i]] = (*next)++;
	}
	step->units = units;
	mem_free(ranks);
}

/* --- packing in the same order --- */

static int compare_places(const void *a, const void *b) {
	const uint32_t *one = a, *other = b; /* a place, and the unit */
	return one[0] < other[0] ? -1 : one[0] > other[0];
}

/* Packs that the chain has keep the order that the document names them in. */
static void follow(const struct ordering *ordering, struct arena *arena, struct plan_step *step) {
	uint32_t(*pairs)[2] = mem_zalloc(step->unit_count + 1u, sizeof *pairs);
	uint32_t *units = arena_alloc(arena, (step->unit_count + 1u) * sizeof *units);
	bool are_born = true;
	for (uint32_t i = 0; i < step->unit_count; i++) {
		pairs[i][0] = ordering->places[step->units[i]];
		pairs[i][1] = step->units[i];
		are_born = are_born && pairs[i][0] != NOT_BORN;
	}
	if (are_born) {
		qsort(pairs, step->unit_count, sizeof *pairs, compare_places);
		for (uint32_t i = 0; i < step->unit_count; i++) units[i] = pairs[i][1];
		step->units = units;
	}
	mem_free(pairs);
}

/* A case that is packed, and its opening if that comes right before: what is moved together. */
struct packing {
	uint32_t place;      /* of its first unit */
	size_t first, count; /* steps */
};

static int compare_packings(const void *a, const void *b) {
	const struct packing *one = a, *other = b;
	if (one->place != other->place) return one->place < other->place ? -1 : 1;
	return one->first < other->first ? -1 : one->first > other->first;
}

static bool is_opened_in(const struct plan *plan, size_t begin, size_t end, const hash32 *container) {
	for (size_t i = begin; i < end; i++)
		if (plan->steps[i].kind == PLAN_OPEN && hash32_equal(&plan->steps[i].container, container)) return true;
	return false;
}

/* The packing that begins at step `at` and may change places with those from `begin` on: it opens its case itself, or
 * none of those does. `count` 0: none is. */
static struct packing packing_at(const struct ordering *ordering, const struct plan *plan, size_t begin, size_t at) {
	const struct packing none = {.count = 0};
	const size_t pack = at + (plan->steps[at].kind == PLAN_OPEN);
	if (pack == plan->step_count || plan->steps[pack].kind != PLAN_PACK) return none;
	const struct plan_step *step = &plan->steps[pack];
	if (pack > at && !hash32_equal(&plan->steps[at].container, &step->container)) return none;
	if (is_opened_in(plan, begin, at, &step->container)) return none;
	const uint32_t place = ordering->places[step->units[0]];
	return place == NOT_BORN ? none : (struct packing){place, at, pack + 1 - at};
}

/* Orders the packings that follow each other from `at` on, and gives the step behind them. */
static size_t order_packings(const struct ordering *ordering, struct plan *plan, size_t at) {
	const size_t begin = at;
	size_t count = 0, done = 0;
	while (at < plan->step_count) {
		const struct packing packing = packing_at(ordering, plan, begin, at);
		if (packing.count == 0) break;
		ordering->packings[count++] = packing;
		at += packing.count;
	}
	qsort(ordering->packings, count, sizeof *ordering->packings, compare_packings);
	for (size_t i = 0; i < count; i++)
		for (size_t s = 0; s < ordering->packings[i].count; s++)
			ordering->steps[done++] = plan->steps[ordering->packings[i].first + s];
	if (!done) return at + 1;
	memcpy(&plan->steps[begin], ordering->steps, done * sizeof *ordering->steps);
	return at;
}

void plan_order(struct plan *plan, struct arena *arena) {
	const struct document *document = &plan->document;
	struct ordering ordering = {.document = document,
	    .sizes = arena_zalloc(arena, document->container_count + 1u, sizeof *ordering.sizes),
	    .places = arena_alloc(arena, (document->unit_count + 1u) * sizeof *ordering.places),
	    .packings = arena_alloc(arena, (plan->step_count + 1) * sizeof *ordering.packings),
	    .steps = arena_alloc(arena, (plan->step_count + 1) * sizeof *ordering.steps)};
	uint32_t next = 0;
	hkdf_expand_sha256(ordering.key.b, sizeof ordering.key.b, &document->salt, BYTES_LITERAL("order"));
	for (uint32_t i = 0; i < document->unit_count; i++) {
		ordering.places[i] = NOT_BORN;
		if (document->units[i].container != DOCUMENT_NO_CONTAINER)
			ordering.sizes[document->units[i].container]++;
	}
	for (size_t i = 0; i < plan->step_count; i++)
		if (plan->steps[i].kind == PLAN_COMMISSION) order_step(&ordering, arena, &plan->steps[i], &next);
	for (size_t i = 0; i < plan->step_count; i++)
		if (plan->steps[i].kind == PLAN_PACK) follow(&ordering, arena, &plan->steps[i]);
	for (size_t at = 0; at < plan->step_count;) at = order_packings(&ordering, plan, at);
	mem_wipe(&ordering.key, sizeof ordering.key);
}
