/* Forming parts: operations of a step's units, as many as one transaction takes. */
#include "health/epcis/plan_parts.h"

/* --- operations --- */

hash32 plan_part_root(const struct plan *plan, const struct plan_step *step, uint32_t from, uint32_t count) {
	const struct document *document = &plan->document;
	hash32 *leaves = mem_zalloc(count, sizeof *leaves);
	for (uint32_t i = 0; i < count; i++) {
		const struct document_unit *unit = &document->units[step->units[from + i]];
		leaves[i] = document_leaf(&document->batches[unit->batch], unit);
	}
	hash32 root = merkle_root(leaves, count);
	mem_free(leaves);
	return root;
}

static struct bytes commission_call(
    const struct plan_runner *runner, const struct plan_step *step, uint32_t from, uint32_t count) {
	const struct document *document = &runner->plan->document;
	hash32 *tags = mem_zalloc(count, sizeof *tags), root = plan_part_root(runner->plan, step, from, count);
	uint8_t *depths = mem_zalloc(count, 1);
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t unit = step->units[from + i];
		tags[i] = document->units[unit].tag;
		if (runner->plan->depths) depths[i] = runner->plan->depths[unit];
	}
	uint32_t batch = document->units[step->units[from]].batch;
	struct bytes call =
	    medicines_commission_tags(runner->request->arena, &document->batches[batch].id, &root, tags, depths, count);
	mem_free(tags);
	mem_free(depths);
	return call;
}

/* One after the other: a range, which costs the contract less. */
static bool are_in_order(const uint32_t *indexes, uint32_t count) {
	for (uint32_t i = 1; i < count; i++)
		if (indexes[i] != indexes[0] + i) return false;
	return true;
}

/* Of units of one batch. */
static struct bytes units_call(
    const struct plan_runner *runner, const struct plan_step *step, uint32_t from, uint32_t count) {
	const struct document *document = &runner->plan->document;
	struct arena *arena = runner->request->arena;
	const hash32 *batch = &document->batches[document->units[step->units[from]].batch].id;
	uint32_t indexes[CAPTURE_NAMED_UNITS_MAX];
	struct medicines_unit refs[CAPTURE_NAMED_UNITS_MAX];
	for (uint32_t i = 0; i < count; i++) {
		const struct document_unit *unit = &document->units[step->units[from + i]];
		indexes[i] = unit->index;
		refs[i] = (struct medicines_unit){document->batches[unit->batch].id, unit->index};
	}
	const bool in_order = are_in_order(indexes, count);
	switch (step->kind) {
	case PLAN_PACK:
		return in_order ? medicines_pack_range_call(arena, &step->container, batch, indexes[0], count)
				: medicines_pack_units_call(arena, &step->container, batch, indexes, count);
	case PLAN_UNPACK:
		return in_order ? medicines_unpack_range_call(arena, &step->container, batch, indexes[0], count)
				: medicines_unpack_units_call(arena, &step->container, batch, indexes, count);
	case PLAN_CHANGE: return medicines_change_units_call(arena, batch, indexes, count, step->state);
	case PLAN_DISPENSE: return medicines_dispense_call(arena, refs, count);
	case PLAN_UNRECALL: return medicines_reverse_units_call(arena, batch, indexes, count);
	case PLAN_UNDO: return medicines_undo_dispense_call(arena, batch, indexes, count);
	case PLAN_CALL:
	case PLAN_OPEN:
	case PLAN_COMMISSION:
	case PLAN_KIND_COUNT: break;
	}
	BUG_ON(true);
}

/* How many of a step's units, from one on, one operation may have. A dispense may name several batches. */
static uint32_t operation_units(
    const struct plan_runner *runner, const struct plan_step *step, uint32_t from, uint32_t most) {
	const struct document *document = &runner->plan->document;
	uint32_t left = step->unit_count - from, n = 1;
	if (step->kind == PLAN_COMMISSION) return left < most ? left : most;
	if (most > CAPTURE_NAMED_UNITS_MAX) most = CAPTURE_NAMED_UNITS_MAX;
	while (n < left && n < most &&
	       (step->kind == PLAN_DISPENSE ||
		   document->units[step->units[from + n]].batch == document->units[step->units[from]].batch))
		n++;
	return n;
}

/* --- forming a part --- */

/* Indexes that the units will have, if nobody commissions into the same lot meanwhile: nobody else may. */
static void foresee(
    struct plan_runner *runner, struct plan_part *part, const struct plan_step *step, uint32_t from, uint32_t count) {
	struct document *document = &runner->plan->document;
	for (uint32_t i = 0; i < count; i++) {
		struct document_unit *unit = &document->units[step->units[from + i]];
		unit->index = runner->next[unit->batch]++;
	}
	part->commissioned[2 * part->commissioned_count] = (uint32_t)(step - runner->plan->steps);
	part->commissioned[2 * part->commissioned_count + 1] = from;
	part->counts[part->commissioned_count++] = count;
}

/* Adds what comes next, and nothing behind `cut` if that is not NULL; false: the part is full. */
static bool add_next(
    struct plan_runner *runner, struct plan_part *part, const struct plan_position *cut, bool *has_dispense) {
	const struct plan_step *step = &runner->plan->steps[part->end.step];
	struct capture *capture = &part->entry.capture;
	const bool is_call = plan_step_is_call(step);
	uint32_t left = runner->units_max - part->units, n = 0;
	if (cut && cut->step == part->end.step && cut->unit - part->end.unit < left) left = cut->unit - part->end.unit;
	if (is_call) {
		if (!capture_add(capture, step->call)) return false;
	} else {
		if (left == 0 || (step->kind == PLAN_DISPENSE && *has_dispense)) return false;
		n = operation_units(runner, step, part->end.unit, left);
		struct bytes call = step->kind == PLAN_COMMISSION ? commission_call(runner, step, part->end.unit, n)
								  : units_call(runner, step, part->end.unit, n);
		if (!capture_add(capture, call)) return false;
		if (step->kind == PLAN_COMMISSION) foresee(runner, part, step, part->end.unit, n);
		if (step->kind == PLAN_DISPENSE) *has_dispense = true;
	}
	part->units += n;
	part->end.unit += n;
	if (is_call || part->end.unit == step->unit_count) part->end = (struct plan_position){part->end.step + 1, 0};
	return true;
}

/* Is each of these units of the step on the chain, so that its index is known? */
static bool are_on_chain(const struct plan *plan, const struct plan_step *step, uint32_t from, uint32_t to) {
	for (uint32_t i = from; i < to; i++)
		if (plan->document.units[step->units[i]].part == DOCUMENT_NO_PART) return false;
	return true;
}

static enum plan_part_kind kind_of(const struct plan *plan, const struct plan_part *part) {
	bool commissions = false, packs = false;
	for (uint32_t at = part->begin.step; at < plan->step_count && at <= part->end.step; at++) {
		const struct plan_step *step = &plan->steps[at];
		const uint32_t from = at == part->begin.step ? part->begin.unit : 0;
		const uint32_t to = at == part->end.step ? part->end.unit : step->unit_count;
		if (step->kind == PLAN_OPEN || (at == part->end.step && to == from)) continue;
		const bool is_known_pack = step->kind == PLAN_PACK && are_on_chain(plan, step, from, to);
		if (step->kind != PLAN_COMMISSION && !is_known_pack) return PLAN_PART_ALONE;
		commissions |= step->kind == PLAN_COMMISSION;
		packs |= is_known_pack;
	}
	if (commissions == packs) return PLAN_PART_ALONE;
	return commissions ? PLAN_PART_COMMISSIONS : PLAN_PART_PACKS;
}

void plan_part_form(struct plan_runner *runner, struct plan_part *part, const struct plan_position *cut) {
	struct arena *arena = runner->request->arena;
	bool has_dispense = false;
	*part = (struct plan_part){.begin = runner->at, .end = runner->at};
	part->entry.capture = (struct capture){.document = runner->plan->document.hash,
	    .events_root = runner->plan->events_root,
	    .part = runner->number++};
	part->commissioned = arena_alloc(arena, 2 * CAPTURE_OPERATIONS_MAX * sizeof *part->commissioned);
	part->counts = arena_alloc(arena, CAPTURE_OPERATIONS_MAX * sizeof *part->counts);
	while (part->end.step < runner->plan->step_count &&
	       !(cut && part->end.step == cut->step && part->end.unit == cut->unit))
		if (!add_next(runner, part, cut, &has_dispense)) break;
	part->entry.capture.is_whole = part->entry.capture.part == 0 && part->end.step == runner->plan->step_count;
	part->kind = kind_of(runner->plan, part);
	runner->at = part->end;
}

void plan_part_unform(struct plan_runner *runner, const struct plan_part *part) {
	const struct document *document = &runner->plan->document;
	for (size_t i = 0; i < part->commissioned_count; i++) {
		const struct plan_step *step = &runner->plan->steps[part->commissioned[2 * i]];
		runner->next[document->units[step->units[part->commissioned[2 * i + 1]]].batch] -= part->counts[i];
	}
	runner->at = part->begin;
	runner->number--;
}
