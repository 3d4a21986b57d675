/* Dispenses taken back: one operation for each capture that dispensed some of the packs. */
#include "health/epcis/planner.h"
#include "health/trace/dispensed.h"

struct undo {
	struct dispensed dispensed;
	uint32_t *which; /* places in its list */
	size_t count;
};

/* The undo of the capture that dispensed the pack: one of `undos`, or the next one. */
static enum status undo_of(struct planner *planner, struct undo **out, struct undo *undos, size_t *count,
    const struct medicines_unit *unit, struct err *err) {
	struct undo *next = &undos[*count];
	for (size_t i = 0; i < *count; i++)
		if (dispensed_place(&undos[i].dispensed, unit) < undos[i].dispensed.count) {
			*out = &undos[i];
			return STATUS_OK;
		}
	TRY(dispensed_find(planner->request, &next->dispensed, unit, err));
	next->which = arena_alloc(planner->request->arena, next->dispensed.count * sizeof *next->which);
	*out = next;
	++*count;
	return STATUS_OK;
}

static enum status add_pack(
    struct planner *planner, struct undo *undos, size_t *count, uint32_t unit, struct err *err) {
	struct medicines_unit ref;
	struct undo *undo;
	TRY(planner_ref(planner, &ref, unit, err));
	TRY(undo_of(planner, &undo, undos, count, &ref, err));
	const uint32_t place = (uint32_t)dispensed_place(&undo->dispensed, &ref);
	for (size_t i = 0; i < undo->count; i++)
		if (undo->which[i] == place) return err_set(err, STATUS_INVALID, "a pack is named twice");
	undo->which[undo->count++] = place;
	return STATUS_OK;
}

enum status planner_undo(struct planner *planner, const struct epcis_event *event, struct err *err) {
	struct arena *arena = planner->request->arena;
	struct undo *undos = arena_zalloc(arena, event->epc_count + 1, sizeof *undos);
	uint32_t *units;
	size_t count = 0;
	TRY(planner_units(planner, &units, event, err));
	for (size_t i = 0; i < event->epc_count; i++) TRY(add_pack(planner, undos, &count, units[i], err));
	for (size_t i = 0; i < count; i++) {
		const struct medicines_undo_dispense_args args = {.document_hash = undos[i].dispensed.document,
		    .part = undos[i].dispensed.part,
		    .dispensed = undos[i].dispensed.units,
		    .dispensed_count = undos[i].dispensed.count,
		    .which = undos[i].which,
		    .which_count = undos[i].count};
		planner_add_call(planner, medicines_undo_dispense_call(arena, &args));
	}
	return STATUS_OK;
}
