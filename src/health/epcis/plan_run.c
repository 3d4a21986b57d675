/* Sending a plan. What one transaction takes is found out by asking the chain for its gas, never reckoned. */
#include "health/epcis/planner.h"

#define PROGRESS "sending the packs of the document"
#define UNITS_FIRST 2000u                     /* of the first part; what is measured then decides */
#define GAS_AIM (OUTBOX_GAS_MAX / 100u * 88u) /* of one transaction: the rest is for what others change meanwhile */
#define GAS_MOST (OUTBOX_GAS_MAX / 100u * 97u)

/* How far the plan is: whole steps, and units of the next one. */
struct position {
	uint32_t step, unit;
};
struct runner {
	struct actor_request *request;
	struct plan *plan;
	struct position at;
	struct plan_cuts cuts;
	uint32_t units_max; /* of a part */
	uint32_t *next;     /* by batch: the index that its next unit will have */
	uint64_t sent, all; /* units */
};
/* A part that is formed: from the runner's place up to `end`. */
struct formed {
	struct capture capture;
	struct position end;
	uint32_t units;
	uint32_t *commissioned; /* pairs: a step, and the first of its units; in the order of the operations */
	uint32_t *counts;       /* and how many */
	size_t commissioned_count;
};

/* --- operations --- */

static struct bytes commission_call(
    const struct runner *runner, const struct plan_step *step, uint32_t from, uint32_t count) {
	const struct document *document = &runner->plan->document;
	struct arena *arena = runner->request->arena;
	hash32 *tags = mem_zalloc(count, sizeof *tags), *leaves = mem_zalloc(count, sizeof *leaves);
	for (uint32_t i = 0; i < count; i++) {
		tags[i] = document->units[step->units[from + i]].tag;
		leaves[i] = merkle_leaf(BYTES_OF(tags[i]));
	}
	hash32 root = merkle_root(leaves, count);
	uint32_t batch = document->units[step->units[from]].batch;
	struct bytes call = medicines_commission_tags(arena, &document->batches[batch].id, &root, tags, count);
	mem_free(tags);
	mem_free(leaves);
	return call;
}

/* Of units of one batch. */
static struct bytes units_call(
    const struct runner *runner, const struct plan_step *step, uint32_t from, uint32_t count) {
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
	switch (step->kind) {
	case PLAN_PACK: return medicines_pack_units_call(arena, &step->container, batch, indexes, count);
	case PLAN_UNPACK: return medicines_unpack_units_call(arena, &step->container, batch, indexes, count);
	case PLAN_CHANGE: return medicines_change_units_call(arena, batch, indexes, count, step->state);
	case PLAN_DISPENSE: return medicines_dispense_call(arena, refs, count);
	case PLAN_UNRECALL: return medicines_reverse_units_call(arena, batch, indexes, count);
	case PLAN_CALL:
	case PLAN_COMMISSION:
	case PLAN_KIND_COUNT: break;
	}
	BUG_ON(true);
}

/* How many of a step's units, from one on, one operation may have. A dispense may name several batches. */
static uint32_t operation_units(
    const struct runner *runner, const struct plan_step *step, uint32_t from, uint32_t most) {
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
    struct runner *runner, struct formed *part, const struct plan_step *step, uint32_t from, uint32_t count) {
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
static bool add_next(struct runner *runner, struct formed *part, const struct position *cut, bool *has_dispense) {
	const struct plan_step *step = &runner->plan->steps[part->end.step];
	uint32_t left = runner->units_max - part->units, n = 0;
	if (cut && cut->step == part->end.step) left = cut->unit - part->end.unit;
	if (step->kind == PLAN_CALL) {
		if (!capture_add(&part->capture, step->call)) return false;
	} else {
		if (left == 0 || (step->kind == PLAN_DISPENSE && *has_dispense)) return false;
		n = operation_units(runner, step, part->end.unit, left);
		struct bytes call = step->kind == PLAN_COMMISSION ? commission_call(runner, step, part->end.unit, n)
								  : units_call(runner, step, part->end.unit, n);
		if (!capture_add(&part->capture, call)) return false;
		if (step->kind == PLAN_COMMISSION) foresee(runner, part, step, part->end.unit, n);
		if (step->kind == PLAN_DISPENSE) *has_dispense = true;
	}
	part->units += n;
	part->end.unit += n;
	if (part->end.unit == step->unit_count || step->kind == PLAN_CALL)
		part->end = (struct position){part->end.step + 1, 0};
	return true;
}

static bool is_at(const struct position *a, const struct position *b) {
	return a->step == b->step && a->unit == b->unit;
}

/* As much as fits; or, if `cut` is not NULL, exactly up to there, as it was once before. */
static void form(struct runner *runner, struct formed *part, const struct position *cut) {
	struct arena *arena = runner->request->arena;
	bool has_dispense = false;
	*part = (struct formed){.end = runner->at};
	part->capture = (struct capture){.document = runner->plan->document.hash,
	    .events_root = runner->plan->events_root,
	    .part = (uint32_t)runner->cuts.count};
	part->commissioned = arena_alloc(arena, 2 * CAPTURE_OPERATIONS_MAX * sizeof *part->commissioned);
	part->counts = arena_alloc(arena, CAPTURE_OPERATIONS_MAX * sizeof *part->counts);
	while (part->end.step < runner->plan->step_count && !(cut && is_at(&part->end, cut)))
		if (!add_next(runner, part, cut, &has_dispense)) break;
}

/* Takes back what was foreseen for a part that is formed anew. */
static void unform(struct runner *runner, const struct formed *part) {
	const struct document *document = &runner->plan->document;
	for (size_t i = 0; i < part->commissioned_count; i++) {
		const struct plan_step *step = &runner->plan->steps[part->commissioned[2 * i]];
		runner->next[document->units[step->units[part->commissioned[2 * i + 1]]].batch] -= part->counts[i];
	}
}

/* Forms parts until one fits a transaction. */
static enum status form_fitting(struct runner *runner, struct formed *part, struct err *err) {
	struct actor_request *request = runner->request;
	for (;;) {
		struct client_verdict verdict;
		uint64_t gas = 0;
		form(runner, part, NULL);
		TRY(client_call_gas(request->client, &gas, &verdict, request->arena, &request->home->account,
		    &request->home->deployment.medicines, capture_call(request, &part->capture), err));
		if (!verdict.ok && verdict.refusal.error != CONTRACT_ERROR_NONE)
			return medicines_refusal(&verdict, err);
		if (verdict.ok && gas <= GAS_MOST) {
			if (part->units) {
				uint64_t fit = (uint64_t)part->units * GAS_AIM / gas;
				runner->units_max = fit > UINT32_MAX ? UINT32_MAX : fit ? (uint32_t)fit : 1;
			}
			return STATUS_OK;
		}
		if (part->units < 2) return medicines_refusal(&verdict, err);
		unform(runner, part);
		uint64_t fit = verdict.ok ? (uint64_t)part->units * GAS_AIM / gas : part->units / 2;
		runner->units_max = fit && fit < part->units ? (uint32_t)fit : part->units / 2;
	}
}

/* --- what became of it --- */

/* The part of a batch that has this root: found again after a crash. */
static enum status find_part(struct actor_request *request, struct medicines_commissioned_event *out,
    const hash32 *batch, const hash32 *root, struct err *err) {
	struct medicines_stored_batch held;
	TRY(medicines_batch(request, &held, batch, err));
	for (uint32_t number = held.parts; number-- > 0;) {
		struct medicines_stored_part part;
		TRY(medicines_part(request, &part, batch, number, err));
		if (memcmp(part.root, root->b, sizeof part.root) != 0) continue;
		*out = (struct medicines_commissioned_event){*batch, number, part.first, part.count, *root};
		return STATUS_OK;
	}
	return err_set(
	    err, STATUS_CORRUPT, "the chain captured this part of the document, and does not hold its packs");
}

/* Places of the units that an operation commissioned. */
static enum status place_units(struct runner *runner, const struct plan_step *step, uint32_t from, uint32_t count,
    const struct medicines_commissioned_event *event, struct err *err) {
	struct document *document = &runner->plan->document;
	uint32_t batch = document->units[step->units[from]].batch;
	struct document_part part = {batch, event->part, event->first, event->count, {{0}}};
	if (event->count != count || !hash32_equal(&event->batch, &document->batches[batch].id))
		return err_set(err, STATUS_CORRUPT, "the chain commissioned other packs than this document's");
	uint32_t at = document_add_part(document, runner->request->arena, &part);
	bool as_foreseen = document->units[step->units[from]].index == event->first;
	for (uint32_t i = 0; i < count; i++) {
		struct document_unit *unit = &document->units[step->units[from + i]];
		unit->part = at;
		unit->index = event->first + i;
	}
	runner->next[batch] = event->first + count;
	if (!document_prove_part(document, runner->request->arena, at, NULL, 0))
		return err_set(err, STATUS_CORRUPT, "a part of lot %s does not add up", document->batches[batch].lot);
	if (as_foreseen || runner->at.step == runner->plan->step_count) return STATUS_OK;
	return err_set(err, STATUS_CORRUPT,
	    "another program commissioned packs of lot %s with this account meanwhile: hold what was packed against the "
	    "chain (xinglin pack verify)",
	    document->batches[batch].lot);
}

static enum status settle(
    struct runner *runner, const struct formed *part, const struct capture_result *result, struct err *err) {
	const struct document *document = &runner->plan->document;
	for (size_t i = 0; i < part->commissioned_count; i++) {
		const struct plan_step *step = &runner->plan->steps[part->commissioned[2 * i]];
		uint32_t from = part->commissioned[2 * i + 1];
		struct medicines_commissioned_event event = {.count = 0};
		if (i < result->commissioned_count) {
			event = result->commissioned[i];
		} else {
			hash32 *leaves = mem_zalloc(part->counts[i], sizeof *leaves);
			for (uint32_t n = 0; n < part->counts[i]; n++)
				leaves[n] = merkle_leaf(BYTES_OF(document->units[step->units[from + n]].tag));
			hash32 root = merkle_root(leaves, part->counts[i]);
			mem_free(leaves);
			TRY(find_part(runner->request, &event,
			    &document->batches[document->units[step->units[from]].batch].id, &root, err));
			for (uint32_t n = 0; n < part->counts[i]; n++) /* what was foreseen then is known now */
				runner->plan->document.units[step->units[from + n]].index = event.first + n;
		}
		TRY(place_units(runner, step, from, part->counts[i], &event, err));
	}
	return STATUS_OK;
}

/* --- parts in order --- */

static enum status keep_cut(struct runner *runner, const struct position *end, struct err *err) {
	struct plan_cuts *cuts = &runner->cuts;
	bool is_whole = cuts->count == 0 && end->step == runner->plan->step_count;
	if (is_whole) {
		cuts->count++;
		return STATUS_OK;
	}
	if (cuts->count == 0) TRY(plan_keep(runner->request, runner->plan, err));
	if (cuts->count == cuts->room) {
		size_t room = cuts->room ? 2 * cuts->room : 64;
		uint32_t *larger = arena_zalloc(runner->request->arena, room, 2 * sizeof *larger);
		if (cuts->count) memcpy(larger, cuts->pairs, cuts->count * 2 * sizeof *larger);
		cuts->pairs = larger;
		cuts->room = room;
	}
	cuts->pairs[2 * cuts->count] = end->step;
	cuts->pairs[2 * cuts->count + 1] = end->unit;
	cuts->count++;
	return plan_keep_cuts(runner->request, runner->plan, cuts, err);
}

static struct capture_result *one_more(struct plan_results *results, struct arena *arena) {
	if (results->count == results->room) {
		size_t room = results->room ? 2 * results->room : 16;
		struct capture_result *larger = arena_zalloc(arena, room, sizeof *larger);
		if (results->count) memcpy(larger, results->parts, results->count * sizeof *larger);
		results->parts = larger;
		results->room = room;
	}
	return &results->parts[results->count++];
}

static enum status send_part(
    struct runner *runner, struct formed *part, struct plan_results *results, struct err *err) {
	struct capture_result *result = one_more(results, runner->request->arena);
	TRY(capture_send(runner->request, result, &part->capture, err));
	runner->at = part->end;
	runner->sent += part->units;
	TRY(settle(runner, part, result, err));
	progress_at(runner->request->progress, PROGRESS, runner->sent, runner->all);
	return STATUS_OK;
}

/* The indexes that the next units of each lot get, by the chain. */
static enum status look_at_lots(struct runner *runner, struct err *err) {
	const struct document *document = &runner->plan->document;
	for (uint32_t i = 0; i < document->batch_count; i++) {
		struct medicines_stored_batch held;
		TRY(medicines_batch(runner->request, &held, &document->batches[i].id, err));
		runner->next[i] = held.commissioned;
	}
	return STATUS_OK;
}

/* Parts that were cut before a crash: those that the chain captured are found there, the others are sent. */
static enum status send_again(
    struct runner *runner, const struct plan_cuts *kept, struct plan_results *results, struct err *err) {
	struct actor_request *request = runner->request;
	for (size_t i = 0; i < kept->count; i++) {
		const struct position cut = {kept->pairs[2 * i], kept->pairs[2 * i + 1]};
		struct formed part;
		uint64_t captured_at;
		runner->units_max = UINT32_MAX;
		TRY(look_at_lots(runner, err));
		form(runner, &part, &cut);
		runner->cuts.count++;
		if (!is_at(&part.end, &cut))
			return err_set(err, STATUS_CORRUPT, "the kept plan is not cut where its parts end");
		TRY(medicines_captured_at(
		    request, &captured_at, &request->home->account, &part.capture.document, part.capture.part, err));
		if (!captured_at) {
			TRY(send_part(runner, &part, results, err));
			continue;
		}
		struct capture_result *result = one_more(results, request->arena);
		*result =
		    (struct capture_result){.repeated = true, .id = capture_id(&request->home->account, &part.capture)};
		runner->at = part.end;
		runner->sent += part.units;
		TRY(settle(runner, &part, result, err));
	}
	return STATUS_OK;
}

enum status plan_run(struct actor_request *request, const struct stock *stock, struct plan *plan,
    struct plan_results *results, struct err *err) {
	struct runner runner = {.request = request, .plan = plan, .units_max = UNITS_FIRST};
	struct plan_cuts kept = {.count = 0};
	*results = (struct plan_results){.count = 0};
	runner.next = arena_zalloc(request->arena, plan->document.batch_count + 1, sizeof *runner.next);
	for (size_t i = 0; i < plan->step_count; i++) runner.all += plan->steps[i].unit_count;
	enum status status = plan_find_cuts(request, plan, &kept, err);
	if (status != STATUS_OK && status != STATUS_NOTFOUND) return status;
	if (kept.count) {
		runner.cuts = kept;
		runner.cuts.count = 0;
		TRY(send_again(&runner, &kept, results, err));
		runner.units_max = UNITS_FIRST;
	}
	TRY(look_at_lots(&runner, err));
	while (runner.at.step < plan->step_count) {
		struct formed part;
		TRY(form_fitting(&runner, &part, err));
		TRY(keep_cut(&runner, &part.end, err));
		status = send_part(&runner, &part, results, err);
		if (status != STATUS_OK && results->count > 1)
			return err_prefix(
			    err, status, "part %zu (the same document again goes on from there)", results->count);
		TRY(status);
	}
	TRY(stock_save(request, stock, &plan->document, err));
	plan_forget(request, plan);
	return STATUS_OK;
}
