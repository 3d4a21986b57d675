/* A stock over documents in memory: searched from the first to the last, the plain twin of the home's index. */
#include "health/trace/stock.h"

static struct stock_unit unit_of(const struct document *document, uint32_t at) {
	struct stock_unit out = {.unit = document->units[at], .batch = document->batches[document->units[at].batch]};
	if (out.unit.part != DOCUMENT_NO_PART) out.part = document->parts[out.unit.part];
	out.unit.batch = out.part.batch = out.unit.part = 0;
	out.unit.container = DOCUMENT_NO_CONTAINER;
	return out;
}

static bool is_at(const struct document *document, uint32_t at, const struct medicines_unit *ref) {
	const struct document_unit *unit = &document->units[at];
	return unit->index == ref->index && hash32_equal(&document->batches[unit->batch].id, &ref->batch);
}

static enum status find_unit(void *context, struct stock_unit *out, bool *found, struct arena *arena, const char *gtin,
    const char *serial, struct err *err) {
	const struct stock_documents *stock = context;
	(void)err;
	*found = false;
	for (size_t d = 0; d < stock->count; d++)
		for (uint32_t i = 0; i < stock->documents[d].unit_count; i++) {
			const struct stock_unit unit = unit_of(&stock->documents[d], i);
			if (strcmp(unit.unit.serial, serial) != 0 || strcmp(unit.batch.gtin, gtin) != 0) continue;
			if (*found) {
				stock_note_rival(out, &unit, arena);
			} else {
				*out = unit;
			}
			*found = true;
		}
	return STATUS_OK;
}

static enum status find_unit_at(void *context, struct stock_unit *out, bool *found, struct arena *arena,
    const struct medicines_unit *ref, struct err *err) {
	const struct stock_documents *stock = context;
	(void)arena, (void)err;
	*found = false;
	for (size_t d = 0; d < stock->count && !*found; d++)
		for (uint32_t i = 0; i < stock->documents[d].unit_count && !*found; i++) {
			*found = is_at(&stock->documents[d], i, ref);
			if (*found) *out = unit_of(&stock->documents[d], i);
		}
	return STATUS_OK;
}

static enum status find_lot(void *context, struct document_batch *out, bool *found, struct arena *arena,
    const char *gtin, const char *lot, struct err *err) {
	const struct stock_documents *stock = context;
	(void)arena, (void)err;
	*found = false;
	for (size_t d = 0; d < stock->count && !*found; d++)
		for (uint32_t i = 0; i < stock->documents[d].batch_count && !*found; i++) {
			*out = stock->documents[d].batches[i];
			*found = strcmp(out->gtin, gtin) == 0 && strcmp(out->lot, lot) == 0;
		}
	return STATUS_OK;
}

static enum status find_containers(void *context, struct document_container *out, size_t *count, struct arena *arena,
    const char *code, struct err *err) {
	const struct stock_documents *stock = context;
	(void)arena, (void)err;
	*count = 0;
	for (size_t d = stock->count; d > 0; d--)
		for (uint32_t i = stock->documents[d - 1].container_count; i > 0 && *count < STOCK_CONTAINERS_MAX;
		     i--) {
			const struct document_container *container = &stock->documents[d - 1].containers[i - 1];
			bool is_new = strcmp(container->code, code) == 0;
			for (size_t n = 0; n < *count && is_new; n++)
				is_new = !hash32_equal(&out[n].id, &container->id);
			if (is_new) out[(*count)++] = *container;
		}
	return STATUS_OK;
}

static enum status find_container_at(void *context, struct document_container *out, bool *found, struct arena *arena,
    const hash32 *id, struct err *err) {
	const struct stock_documents *stock = context;
	(void)arena, (void)err;
	*found = false;
	for (size_t d = 0; d < stock->count && !*found; d++)
		for (uint32_t i = 0; i < stock->documents[d].container_count && !*found; i++) {
			*out = stock->documents[d].containers[i];
			*found = hash32_equal(&out->id, id);
		}
	return STATUS_OK;
}

static bool has_unit(const struct stock_unit *units, size_t count, const struct stock_unit *unit) {
	for (size_t i = 0; i < count; i++)
		if (units[i].unit.index == unit->unit.index && hash32_equal(&units[i].batch.id, &unit->batch.id))
			return true;
	return false;
}

static enum status units_in(void *context, struct stock_unit **out, size_t *count, struct arena *arena,
    const hash32 *container, struct err *err) {
	const struct stock_documents *stock = context;
	size_t room = 1;
	(void)err;
	for (size_t d = 0; d < stock->count; d++) room += stock->documents[d].unit_count;
	*out = arena_zalloc(arena, room, sizeof **out);
	*count = 0;
	for (size_t d = 0; d < stock->count; d++) {
		const struct document *document = &stock->documents[d];
		for (uint32_t i = 0; i < document->unit_count; i++) {
			struct stock_unit unit = unit_of(document, i);
			uint32_t in = document->units[i].container;
			if (in == DOCUMENT_NO_CONTAINER || !hash32_equal(&document->containers[in].id, container))
				continue;
			if (!has_unit(*out, *count, &unit)) (*out)[(*count)++] = unit;
		}
	}
	return STATUS_OK;
}

static enum status containers_of(void *context, hash32 **out, size_t *count, struct arena *arena,
    const struct medicines_unit *ref, struct err *err) {
	const struct stock_documents *stock = context;
	size_t room = 1;
	(void)err;
	for (size_t d = 0; d < stock->count; d++) room += stock->documents[d].container_count;
	*out = arena_zalloc(arena, room, sizeof **out);
	*count = 0;
	for (size_t d = 0; d < stock->count; d++) {
		const struct document *document = &stock->documents[d];
		for (uint32_t i = 0; i < document->unit_count; i++) {
			uint32_t in = document->units[i].container;
			bool is_new = in != DOCUMENT_NO_CONTAINER && is_at(document, i, ref);
			for (size_t n = 0; n < *count && is_new; n++)
				is_new = !hash32_equal(&(*out)[n], &document->containers[in].id);
			if (is_new && *count + 1 < room) (*out)[(*count)++] = document->containers[in].id;
		}
	}
	return STATUS_OK;
}

static enum status list_lots(void *context, hash32 **out, size_t *count, struct arena *arena, struct err *err) {
	const struct stock_documents *stock = context;
	size_t room = 1;
	(void)err;
	for (size_t d = 0; d < stock->count; d++) room += stock->documents[d].batch_count;
	*out = arena_alloc(arena, room * sizeof **out);
	*count = 0;
	for (size_t d = 0; d < stock->count; d++)
		for (uint32_t i = 0; i < stock->documents[d].batch_count; i++) {
			const hash32 *id = &stock->documents[d].batches[i].id;
			bool is_new = true;
			for (size_t n = 0; n < *count && is_new; n++) is_new = !hash32_equal(&(*out)[n], id);
			if (is_new) (*out)[(*count)++] = *id;
		}
	return STATUS_OK;
}

static enum status count_units(void *context, size_t *out, const char *gtin, struct err *err) {
	const struct stock_documents *stock = context;
	*out = 0;
	for (size_t d = 0; d < stock->count; d++)
		for (uint32_t i = 0; i < stock->documents[d].unit_count; i++) {
			const struct stock_unit unit = unit_of(&stock->documents[d], i);
			const struct medicines_unit ref = {unit.batch.id, unit.unit.index};
			const struct stock_documents before = {stock->documents, d};
			struct stock_unit other;
			bool is_counted;
			if (strcmp(unit.batch.gtin, gtin) != 0) continue;
			TRY(find_unit_at((void *)&before, &other, &is_counted, NULL, &ref, err));
			for (uint32_t n = 0; n < i && !is_counted; n++)
				is_counted = is_at(&stock->documents[d], n, &ref);
			*out += !is_counted;
		}
	return STATUS_OK;
}

/* They are the caller's. */
static enum status take(void *context, const struct document *document, struct err *err) {
	(void)context, (void)document, (void)err;
	return STATUS_OK;
}

const struct stock_source stock_documents_source = {find_unit, find_unit_at, find_lot, find_containers,
    find_container_at, units_in, containers_of, list_lots, count_units, take};
