/* What is printed on packs and cases, or said of them in ilmd, against what was registered: before anything is sent. */
#include "health/contracts/cause.h"
#include "health/epcis/planner.h"
#include "health/gs1/epc.h"
#include "health/gs1/gs1.h"
#include "health/trace/judge.h"

static void add(struct plan_prints *prints, struct arena *arena, const struct plan_print *print) {
	if (prints->count == prints->room) {
		prints->room = prints->room ? 2 * prints->room : 16;
		struct plan_print *larger = arena_alloc(arena, prints->room * sizeof *larger);
		if (prints->count) memcpy(larger, prints->list, prints->count * sizeof *larger);
		prints->list = larger;
	}
	prints->list[prints->count++] = *print;
}

void plan_print_scan(struct plan_prints *prints, struct arena *arena, const struct scan *scan, size_t event) {
	struct plan_print print = {.event = event};
	if (!scan->lot[0] && !scan->expiry[0]) return;
	if (!epc_container_code(print.code, scan)) return; /* a lot or a product: whoever names it is asked by name */
	memcpy(print.gtin, scan->gtin, sizeof print.gtin);
	memcpy(print.serial, scan->serial, sizeof print.serial);
	memcpy(print.lot, scan->lot, sizeof print.lot);
	memcpy(print.expiry, scan->expiry, sizeof print.expiry);
	add(prints, arena, &print);
}

/* As AI (17) has it, which knows no century. */
static enum status read_expiry(char yymmdd[7], struct bytes text, unsigned this_year, struct err *err) {
	uint64_t said, read;
	if (epcis_date_seconds(&said, text, this_year)) {
		gs1_expiry_text(yymmdd, NULL, said);
		if (gs1_expiry_seconds(&read, bytes_text(yymmdd), this_year) && read == said) return STATUS_OK;
	}
	return err_set(err, STATUS_INVALID, "the event's expiry is not a date that a pack has");
}

enum status planner_print_ilmd(
    struct planner *planner, const struct scan *scan, const struct epcis_event *event, struct err *err) {
	if (!event->lot.len && !event->expiry.len) return STATUS_OK;
	if (event->action == EPCIS_ADD && strcmp(event->step, "commissioning") == 0)
		return STATUS_OK; /* it registers them */
	struct scan said = *scan;
	if (event->lot.len >= sizeof said.lot) return err_set(err, STATUS_INVALID, "a lot has 1 to 20 GS1 characters");
	memset(said.lot, 0, sizeof said.lot);
	memset(said.expiry, 0, sizeof said.expiry);
	if (event->lot.len) memcpy(said.lot, event->lot.data, event->lot.len);
	if (event->expiry.len) TRY(read_expiry(said.expiry, event->expiry, planner->wish->this_year, err));
	plan_print_scan(&planner->prints, planner->request->arena, &said, planner->event);
	return STATUS_OK;
}

/* --- judging --- */

struct mismatch {
	enum judge_print print;
	bool is_any; /* something was compared, and agreed */
};

static void compare(const struct planner *planner, struct mismatch *out, const struct plan_print *print,
    const struct document_batch *batch) {
	const enum judge_print here = judge_print(print->lot, print->expiry, batch, planner->wish->this_year);
	if (here == JUDGE_PRINT_AGREES)
		out->is_any = true;
	else
		out->print = here;
}

/* A case says lot and expiry of what is in it: of one of its packs at least, which this document or one of the home's
 * puts into it. */
static enum status compare_case(
    struct planner *planner, struct mismatch *out, const struct plan_print *print, struct err *err) {
	const struct document *document = &planner->plan->document;
	const hash32 name = places_name(print->code, "");
	const uint32_t *place = places_get(&planner->containers, &name);
	struct stock_unit *units;
	size_t count;
	if (!place) return STATUS_OK;
	const hash32 *id = &document->containers[*place].id;
	for (uint32_t i = 0; i < document->unit_count; i++) {
		const uint32_t in = document->units[i].container;
		if (in == DOCUMENT_NO_CONTAINER || !hash32_equal(&document->containers[in].id, id)) continue;
		compare(planner, out, print, &document->batches[document->units[i].batch]);
	}
	TRY(stock_units_in(planner->stock, &units, &count, id, err));
	for (size_t i = 0; i < count; i++) compare(planner, out, print, &units[i].batch);
	return STATUS_OK;
}

static enum status judge_one(struct planner *planner, const struct plan_print *print, struct err *err) {
	const struct document *document = &planner->plan->document;
	const hash32 name = places_name(print->gtin, print->serial);
	const uint32_t *unit = places_get(&planner->units, &name);
	struct mismatch found = {.print = JUDGE_PRINT_AGREES};
	if (unit)
		compare(planner, &found, print, &document->batches[document->units[*unit].batch]);
	else
		TRY(compare_case(planner, &found, print, err));
	if (found.is_any || found.print == JUDGE_PRINT_AGREES) return STATUS_OK;
	const char *text = judge_print_text(planner->request->arena, found.print, print->lot);
	const enum status status = err_because(
	    err, CAUSE_OTHER_PRINT, err_set(err, STATUS_DENIED, "%s (%s); nothing was sent", text, print->code));
	return print->event ? err_prefix(err, status, "event %zu", print->event) : status;
}

enum status planner_judge_prints(struct planner *planner, struct err *err) {
	const struct plan_prints *all[] = {&planner->prints, &planner->wish->prints};
	for (size_t l = 0; l < 2; l++)
		for (size_t i = 0; i < all[l]->count; i++) TRY(judge_one(planner, &all[l]->list[i], err));
	return STATUS_OK;
}
