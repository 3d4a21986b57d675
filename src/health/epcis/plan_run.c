/* Sending a plan: parts in waves. What a transaction takes is found out by trying, never reckoned. */
#include "health/epcis/plan_parts.h"

#define PROGRESS "sending the packs of the document"
#define UNITS_FIRST 1250u                     /* of the first parts; what is measured then decides */
#define GAS_AIM (OUTBOX_GAS_MAX / 100u * 88u) /* of one transaction: the rest is for what others change meanwhile */
#define GAS_MOST (OUTBOX_GAS_MAX / 100u * 97u)
#define WAVE_MAX 3u /* parts that are on their way together: with GAS_AIM each, what nodes simulate at once */

/* Parts of one kind that do not depend on each other, or one that may depend on anything. */
struct wave {
	struct plan_part parts[WAVE_MAX];
	size_t count;
};

static void form_wave(struct plan_runner *runner, struct wave *wave) {
	for (wave->count = 0; wave->count < WAVE_MAX && runner->at.step < runner->plan->step_count; wave->count++) {
		struct plan_part *part = &wave->parts[wave->count];
		plan_part_form(runner, part, NULL);
		const bool joins = part->kind == wave->parts[0].kind && part->kind != PLAN_PART_ALONE;
		if (wave->count == 0 || joins) continue;
		plan_part_unform(runner, part);
		return;
	}
}

static void shorten_wave(struct plan_runner *runner, struct wave *wave, size_t count) {
	while (wave->count > count) plan_part_unform(runner, &wave->parts[--wave->count]);
}

/* All of the wave; only its first part, by an estimate, if the node does not simulate. */
static enum status try_wave(
    struct plan_runner *runner, struct wave *wave, struct client_simulated *out, struct err *err) {
	struct actor_request *request = runner->request;
	const addr20 *from = &request->home->account, *to = &request->home->deployment.medicines;
	struct bytes calls[WAVE_MAX];
	for (size_t i = 0; i < wave->count; i++) calls[i] = capture_call(request, &wave->parts[i].entry.capture);
	enum status status = client_simulate(request->client, out, request->arena, from, to, calls, wave->count, err);
	if (status != STATUS_UNSUPPORTED) return status;
	shorten_wave(runner, wave, 1);
	out[0] = (struct client_simulated){.limit_gas = 0}; /* the outbox asks once more */
	return client_call_gas(
	    request->client, &out[0].used_gas, &out[0].verdict, request->arena, from, to, calls[0], err);
}

static bool fits(const struct client_simulated *tried) {
	return tried->verdict.ok && tried->used_gas <= GAS_MOST;
}

/* Of a part with this gas, as many as should be in one. */
static uint32_t units_for(uint32_t units, uint64_t gas) {
	const uint64_t fit = gas ? (uint64_t)units * GAS_AIM / gas : UINT32_MAX;
	return fit > UINT32_MAX ? UINT32_MAX : fit ? (uint32_t)fit : 1;
}

/* Smaller parts, since the first does not fit; false: it has one unit alone. */
static bool divide(struct plan_runner *runner, struct wave *wave, const struct client_simulated *tried) {
	const uint32_t units = wave->parts[0].units;
	const uint32_t fit = tried->verdict.ok ? units_for(units, tried->used_gas) : units / 2;
	shorten_wave(runner, wave, 0);
	runner->units_max = fit && fit < units ? fit : units / 2;
	return units > 1;
}

/* From what was tried: the largest part that should fit. */
static void measure(
    struct plan_runner *runner, const struct wave *wave, const struct client_simulated *tried, size_t good) {
	uint32_t fit = UINT32_MAX;
	for (size_t i = 0; i < good; i++) {
		const uint32_t units = wave->parts[i].units;
		const uint32_t one = units ? units_for(units, tried[i].used_gas) : UINT32_MAX;
		if (one < fit) fit = one;
	}
	if (fit != UINT32_MAX) runner->units_max = fit;
}

/* Forms waves until one fits the chain: what the contract refuses is known before anything of the wave is sent. */
static enum status form_fitting(struct plan_runner *runner, struct wave *wave, struct err *err) {
	for (;;) {
		struct client_simulated tried[WAVE_MAX];
		size_t good = 0;
		form_wave(runner, wave);
		TRY(try_wave(runner, wave, tried, err));
		for (; good < wave->count && fits(&tried[good]); good++)
			wave->parts[good].entry.gas_limit = tried[good].limit_gas;
		/* What comes behind one that lacks gas may be refused for that alone. */
		if (good < wave->count && tried[good].verdict.refusal.error != CONTRACT_ERROR_NONE)
			return plan_refusal(runner->plan, runner->request->arena, &tried[good].verdict, err);
		measure(runner, wave, tried, good);
		if (good) {
			shorten_wave(runner, wave, good);
			return STATUS_OK;
		}
		if (!divide(runner, wave, &tried[0]))
			return plan_refusal(runner->plan, runner->request->arena, &tried[0].verdict, err);
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
static enum status place_units(struct plan_runner *runner, const struct plan_step *step, uint32_t from, uint32_t count,
    const struct medicines_commissioned_event *event, struct err *err) {
	struct document *document = &runner->plan->document;
	uint32_t batch = document->units[step->units[from]].batch;
	struct document_part part = {batch, event->part, event->first, event->count, {{0}}};
	if (event->count != count || !hash32_equal(&event->batch, &document->batches[batch].id))
		return err_set(err, STATUS_CORRUPT, "the chain commissioned other packs than this document's");
	uint32_t at = document_add_part(document, runner->request->arena, &part);
	for (uint32_t i = 0; i < count; i++) {
		struct document_unit *unit = &document->units[step->units[from + i]];
		unit->part = at;
		unit->index = event->first + i;
	}
	runner->next[batch] = event->first + count;
	if (document_prove_part(document, runner->request->arena, at, NULL, 0)) return STATUS_OK;
	return err_set(err, STATUS_CORRUPT, "a part of lot %s does not add up", document->batches[batch].lot);
}

/* Packs that were commissioned and moved in one part were named by the places that they should get. */
static enum status check_foreseen(const struct plan_part *part, const struct document *document,
    const struct document_unit *unit, uint32_t first, struct err *err) {
	if (part->kind != PLAN_PART_ALONE || unit->index == first) return STATUS_OK;
	return err_set(err, STATUS_CORRUPT,
	    "another program commissioned packs of lot %s with this account meanwhile: hold what was packed against the "
	    "chain (xinglin pack verify)",
	    document->batches[unit->batch].lot);
}

static enum status settle(
    struct plan_runner *runner, const struct plan_part *part, const struct capture_result *result, struct err *err) {
	const struct document *document = &runner->plan->document;
	for (size_t i = 0; i < part->commissioned_count; i++) {
		const struct plan_step *step = &runner->plan->steps[part->commissioned[2 * i]];
		const uint32_t from = part->commissioned[2 * i + 1], count = part->counts[i];
		const struct document_unit unit = document->units[step->units[from]];
		struct medicines_commissioned_event event = {.count = 0};
		const bool is_told = i < result->commissioned_count;
		if (is_told) {
			event = result->commissioned[i];
		} else {
			const hash32 root = plan_part_root(runner->plan, step, from, count);
			TRY(find_part(runner->request, &event, &document->batches[unit.batch].id, &root, err));
		}
		TRY(place_units(runner, step, from, count, &event, err));
		if (is_told) TRY(check_foreseen(part, document, &unit, event.first, err));
	}
	return STATUS_OK;
}

/* --- waves in order --- */

static void add_cut(struct plan_cuts *cuts, struct arena *arena, const struct plan_cut *cut) {
	if (cuts->count == cuts->room) {
		size_t room = cuts->room ? 2 * cuts->room : 64;
		struct plan_cut *larger = arena_zalloc(arena, room, sizeof *larger);
		if (cuts->count) memcpy(larger, cuts->list, cuts->count * sizeof *larger);
		cuts->list = larger;
		cuts->room = room;
	}
	cuts->list[cuts->count++] = *cut;
}

/* Where the wave was cut is known to the home before anything of it is sent. */
static enum status keep_cuts(struct plan_runner *runner, const struct wave *wave, struct err *err) {
	struct plan_cuts *cuts = &runner->cuts;
	const bool is_first = cuts->count == 0;
	for (size_t i = 0; i < wave->count; i++)
		add_cut(cuts, runner->request->arena, &(struct plan_cut){wave->parts[i].begin, wave->parts[i].end});
	if (cuts->count == 1 && runner->at.step == runner->plan->step_count) return STATUS_OK; /* it is one part */
	if (is_first) TRY(plan_keep(runner->request, runner->plan, err));
	return plan_keep_cuts(runner->request, runner->plan, cuts, err);
}

/* Room for `count` more. */
static struct capture_result *more(struct plan_results *results, struct arena *arena, size_t count) {
	if (results->count + count > results->room) {
		size_t room = 2 * results->room + 16 + count;
		struct capture_result *larger = arena_zalloc(arena, room, sizeof *larger);
		if (results->count) memcpy(larger, results->parts, results->count * sizeof *larger);
		results->parts = larger;
		results->room = room;
	}
	return &results->parts[results->count];
}

static enum status send_parts(struct plan_runner *runner, const struct plan_part *parts, size_t count,
    struct plan_results *results, struct err *err) {
	struct actor_request *request = runner->request;
	const struct capture_entry *entries[WAVE_MAX];
	struct capture_result *ends = more(results, request->arena, count);
	size_t ended;
	for (size_t i = 0; i < count; i++) entries[i] = &parts[i].entry;
	const enum status status = capture_send(request, ends, &ended, entries, count, err);
	for (size_t i = 0; i < ended; i++) {
		results->count++;
		runner->sent += parts[i].units;
		TRY(settle(runner, &parts[i], &ends[i], status == STATUS_OK ? err : NULL));
	}
	progress_at(request->progress, PROGRESS, runner->sent, runner->all);
	return status;
}

/* The indexes that the next units of each lot get, by the chain. */
static enum status look_at_lots(struct plan_runner *runner, struct err *err) {
	const struct document *document = &runner->plan->document;
	for (uint32_t i = 0; i < document->batch_count; i++) {
		struct medicines_stored_batch held;
		TRY(medicines_batch(runner->request, &held, &document->batches[i].id, err));
		runner->next[i] = held.commissioned;
	}
	return STATUS_OK;
}

/* --- going on --- */

/* A kept part that the chain has not captured: sent whole, or too large by now. Then its first half keeps its number,
 * and the rest becomes the last part. */
static enum status send_kept(struct plan_runner *runner, size_t number, struct plan_part *part, bool *is_sent,
    struct plan_results *results, struct err *err) {
	struct actor_request *request = runner->request;
	struct client_verdict verdict;
	uint64_t gas = 0;
	TRY(client_call_gas(request->client, &gas, &verdict, request->arena, &request->home->account,
	    &request->home->deployment.medicines, capture_call(request, &part->entry.capture), err));
	*is_sent = verdict.ok && gas <= GAS_MOST;
	if (*is_sent) return send_parts(runner, part, 1, results, err);
	if (verdict.refusal.error != CONTRACT_ERROR_NONE || part->units < 2)
		return plan_refusal(runner->plan, request->arena, &verdict, err);
	const struct plan_cut whole = runner->cuts.list[number];
	plan_part_unform(runner, part);
	runner->units_max = part->units / 2;
	plan_part_form(runner, part, &whole.end);
	runner->cuts.list[number].end = part->end;
	add_cut(&runner->cuts, request->arena, &(struct plan_cut){part->end, whole.end});
	return plan_keep_cuts(request, runner->plan, &runner->cuts, err);
}

/* One that was cut before: if the chain captured it, it is found there. */
static enum status go_on(
    struct plan_runner *runner, size_t number, bool *is_sent, struct plan_results *results, struct err *err) {
	struct actor_request *request = runner->request;
	const struct plan_cut cut = runner->cuts.list[number];
	struct plan_part part;
	uint64_t captured_at;
	runner->units_max = UINT32_MAX;
	runner->at = cut.begin;
	runner->number = (uint32_t)number;
	TRY(look_at_lots(runner, err));
	const struct plan_step *first =
	    cut.begin.step < runner->plan->step_count ? &runner->plan->steps[cut.begin.step] : NULL;
	if (!first || (cut.begin.unit && cut.begin.unit >= first->unit_count))
		return err_set(err, STATUS_CORRUPT, "the kept plan is cut where it has no steps");
	plan_part_form(runner, &part, &cut.end);
	if (runner->at.step != cut.end.step || runner->at.unit != cut.end.unit)
		return err_set(err, STATUS_CORRUPT, "the kept plan is not cut where its parts end");
	const struct capture *capture = &part.entry.capture;
	TRY(medicines_captured_at(
	    request, &captured_at, &request->home->account, &capture->document, capture->part, err));
	if (!captured_at) return send_kept(runner, number, &part, is_sent, results, err);
	struct capture_result *result = more(results, request->arena, 1);
	*result = (struct capture_result){.repeated = true, .id = capture_id(&request->home->account, capture)};
	results->count++;
	runner->sent += part.units;
	*is_sent = true;
	return settle(runner, &part, result, err);
}

static enum status send_kept_parts(struct plan_runner *runner, struct plan_results *results, struct err *err) {
	struct plan_position last = {0, 0};
	for (size_t i = 0; i < runner->cuts.count;) {
		bool is_sent = false;
		TRY(go_on(runner, i, &is_sent, results, err));
		const struct plan_position *end = &runner->cuts.list[i].end;
		if (end->step > last.step || (end->step == last.step && end->unit > last.unit)) last = *end;
		i += is_sent;
	}
	runner->at = last;
	runner->number = (uint32_t)runner->cuts.count;
	return STATUS_OK;
}

static enum status send_rest(struct plan_runner *runner, struct plan_results *results, struct err *err) {
	TRY(look_at_lots(runner, err));
	runner->units_max = UNITS_FIRST;
	while (runner->at.step < runner->plan->step_count) {
		struct wave wave;
		TRY(form_fitting(runner, &wave, err));
		TRY(keep_cuts(runner, &wave, err));
		const enum status status = send_parts(runner, wave.parts, wave.count, results, err);
		if (status != STATUS_OK && runner->cuts.count > 1)
			return err_prefix(
			    err, status, "part %zu (the same document again goes on from there)", results->count + 1);
		TRY(status);
	}
	return STATUS_OK;
}

/* Of a document that was captured to its end: its parts are as many as the chain has. */
static enum status find_parts(
    struct actor_request *request, const struct plan *plan, struct plan_results *results, struct err *err) {
	struct capture capture = {.document = plan->document.hash};
	for (uint64_t captured_at = 1;; capture.part++) {
		TRY(medicines_captured_at(
		    request, &captured_at, &request->home->account, &capture.document, capture.part, err));
		if (!captured_at) return STATUS_OK;
		struct capture_result *result = more(results, request->arena, 1);
		*result =
		    (struct capture_result){.repeated = true, .id = capture_id(&request->home->account, &capture)};
		results->count++;
	}
}

enum status plan_run(struct actor_request *request, const struct stock *stock, struct plan *plan,
    struct plan_results *results, struct err *err) {
	struct plan_runner runner = {.request = request, .plan = plan};
	*results = (struct plan_results){.count = 0};
	if (plan->is_captured) {
		home_sweep(request->home); /* it may be again because it was killed at its end */
		return find_parts(request, plan, results, err);
	}
	runner.next = arena_zalloc(request->arena, plan->document.batch_count + 1, sizeof *runner.next);
	for (size_t i = 0; i < plan->step_count; i++) runner.all += plan->steps[i].unit_count;
	const enum status kept = plan_find_cuts(request, plan, &runner.cuts, err);
	if (kept != STATUS_OK && kept != STATUS_NOTFOUND) return kept;
	TRY(send_kept_parts(&runner, results, err));
	TRY(send_rest(&runner, results, err));
	TRY(stock_save(request, stock, &plan->document, err));
	plan_forget(request, plan);
	if (runner.cuts.count > 1) home_sweep(request->home); /* it may have been killed before */
	return STATUS_OK;
}
