/* Which handler an event goes to, and what all of them share; the handlers are in plan_make.c and plan_move.c. */
#include "health/epcis/plan.h"

#include "codec/hex.h"
#include "health/contracts/cause.h"
#include "health/epcis/planner.h"
#include "health/gs1/epc.h"
#include "health/trace/products.h"
#include "health/trace/tags.h"

#define AHEAD_MS 86400000u /* of this home's clock */

const char *plan_party(struct actor_request *request, const addr20 *actor) {
	struct buf address;
	buf_init(&address, 64);
	hex_put(&address, BYTES_OF(*actor), true);
	const char *text = arena_printf(request->arena, "did:pkh:eip155:%llu:%s",
	    (unsigned long long)request->home->deployment.chain_id, buf_cstr(&address));
	buf_fini(&address);
	return text;
}

bool planner_party(struct actor_request *request, addr20 *out, struct bytes text) {
	const char *head = arena_printf(
	    request->arena, "did:pkh:eip155:%llu:", (unsigned long long)request->home->deployment.chain_id);
	size_t len = strlen(head);
	return text.len == len + 42 && bytes_equal(bytes_slice(text, 0, len), bytes_text(head)) &&
	       hex_fixed(out->b, 20, bytes_slice(text, len, 42)) == STATUS_OK;
}

/* Room for one more of `size` bytes. */
static void *grown(struct arena *arena, void *old, size_t count, size_t *room, size_t size) {
	if (count < *room) return old;
	*room = *room ? 2 * *room : 64;
	void *larger = arena_zalloc(arena, *room, size);
	if (count) memcpy(larger, old, count * size);
	return larger;
}

void planner_add_step(struct planner *planner, const struct plan_step *step) {
	struct plan *plan = planner->plan;
	plan->steps =
	    grown(planner->request->arena, plan->steps, plan->step_count, &plan->step_room, sizeof *plan->steps);
	plan->steps[plan->step_count++] = *step;
}

void planner_add_call(struct planner *planner, struct bytes call) {
	planner_add_step(planner, &(struct plan_step){.kind = PLAN_CALL, .call = call});
}

void planner_add_opening(struct planner *planner, struct bytes call, const hash32 *container) {
	struct plan_step step = {.kind = PLAN_OPEN, .call = call};
	if (container) step.container = *container;
	planner_add_step(planner, &step);
}

bool plan_step_is_call(const struct plan_step *step) {
	return step->kind == PLAN_CALL || step->kind == PLAN_OPEN;
}

void planner_add_shipment(struct planner *planner, struct bytes call) {
	planner->shipments = grown(planner->request->arena, planner->shipments, planner->shipment_count,
	    &planner->shipment_room, sizeof *planner->shipments);
	planner->shipments[planner->shipment_count++] = call;
}

enum status planner_recipient(struct planner *planner, const addr20 *actor, struct err *err) {
	struct plan *plan = planner->plan;
	if (addr20_is_zero(actor)) return STATUS_OK;
	for (size_t i = 0; i < plan->recipient_count; i++)
		if (addr20_equal(&plan->recipients[i], actor)) return STATUS_OK;
	if (plan->recipient_count == DOCUMENT_RECIPIENTS_MAX)
		return err_set(err, STATUS_LIMIT, "a document has at most %u recipients", DOCUMENT_RECIPIENTS_MAX);
	plan->recipients[plan->recipient_count++] = *actor;
	return STATUS_OK;
}

enum status planner_scan(struct planner *planner, struct scan *out, struct bytes epc, struct err *err) {
	scan_read(out, epc);
	if (out->fault != SCAN_FAULT_NONE)
		return err_set(err, STATUS_INVALID, "%.*s: %s", (int)(epc.len < 100 ? epc.len : 100),
		    (const char *)epc.data, out->advice);
	if (planner->event == 0) return STATUS_OK;
	plan_print_scan(&planner->prints, planner->request->arena, out, planner->event);
	return planner_print_ilmd(planner, out, &planner->plan->epcis->events[planner->event - 1], err);
}

/* --- units and containers --- */

static bool in_plan(uint32_t *out, const struct planner *planner, const char *gtin, const char *serial) {
	hash32 name = places_name(gtin, serial);
	const uint32_t *place = places_get(&planner->units, &name);
	if (place) *out = *place;
	return place != NULL;
}

static hash32 name_of(const struct planner *planner, uint32_t unit) {
	const struct document *document = &planner->plan->document;
	return places_name(document->batches[document->units[unit].batch].gtin, document->units[unit].serial);
}

void planner_add_unit(struct planner *planner, const struct document_unit *unit) {
	struct document *document = &planner->plan->document;
	document_add_unit(document, planner->request->arena, unit);
	hash32 name = name_of(planner, document->unit_count - 1);
	places_put(&planner->units, planner->request->arena, &name, document->unit_count - 1);
}

void planner_set_container(struct planner *planner, uint32_t unit, uint32_t container) {
	hash32 name = name_of(planner, unit);
	planner->plan->document.units[unit].container = container;
	places_put(&planner->moved, planner->request->arena, &name, unit);
}

bool planner_has_moved(const struct planner *planner, uint32_t unit) {
	hash32 name = name_of(planner, unit);
	return places_get(&planner->moved, &name) != NULL;
}

uint32_t planner_copy_unit(struct planner *planner, const struct stock_unit *found) {
	struct document *document = &planner->plan->document;
	struct document_unit unit = found->unit;
	uint32_t at;
	if (in_plan(&at, planner, found->batch.gtin, unit.serial)) return at;
	struct document_part part = found->part;
	unit.batch = part.batch = document_add_batch(document, planner->request->arena, &found->batch);
	unit.part = document_add_part(document, planner->request->arena, &part);
	unit.container = DOCUMENT_NO_CONTAINER;
	planner_add_unit(planner, &unit);
	return document->unit_count - 1;
}

enum status planner_unit(struct planner *planner, uint32_t *out, const struct scan *scan, struct err *err) {
	struct stock_unit found;
	char advice[256];
	bool known;
	if (!scan->gtin[0] || !scan->serial[0]) return err_set(err, STATUS_INVALID, "a unit has a GTIN and a serial");
	if (in_plan(out, planner, scan->gtin, scan->serial)) return STATUS_OK;
	TRY(stock_unit(planner->stock, &found, &known, scan->gtin, scan->serial, err));
	if (known) {
		*out = planner_copy_unit(planner, &found);
		return STATUS_OK;
	}
	TRY(stock_diagnose(planner->stock, advice, scan, err));
	return err_set(err, STATUS_NOTFOUND, "no document of this home names GTIN %s serial %s%s%s", scan->gtin,
	    scan->serial, advice[0] ? ": " : "", advice);
}

enum status planner_units(struct planner *planner, uint32_t **out, const struct epcis_event *event, struct err *err) {
	*out = arena_alloc(planner->request->arena, (event->epc_count + 1) * sizeof **out);
	for (size_t i = 0; i < event->epc_count; i++) {
		struct scan scan;
		TRY(planner_scan(planner, &scan, event->epcs[i], err));
		TRY(planner_unit(planner, &(*out)[i], &scan, err));
	}
	return STATUS_OK;
}

enum status planner_ref(const struct planner *planner, struct medicines_unit *out, uint32_t unit, struct err *err) {
	const struct document *document = &planner->plan->document;
	if (document->units[unit].part == DOCUMENT_NO_PART)
		return err_set(err, STATUS_INVALID, "serial %s is commissioned by this document: it cannot have come",
		    document->units[unit].serial);
	*out = (struct medicines_unit){document->batches[document->units[unit].batch].id, document->units[unit].index};
	return STATUS_OK;
}

static enum status is_known_container(struct planner *planner, bool *out, const char *code, struct err *err) {
	struct document_container known[STOCK_CONTAINERS_MAX];
	size_t count;
	TRY(stock_containers(planner->stock, known, &count, code, err));
	*out = count > 0;
	return STATUS_OK;
}

enum status planner_is_container(struct planner *planner, bool *out, const struct scan *scan, struct err *err) {
	char code[EPC_CODE_MAX];
	struct product product;
	struct stock_unit unit;
	bool is_unit;
	uint32_t place;
	*out = scan->sscc[0] != 0;
	if (*out || !epc_container_code(code, scan)) return STATUS_OK;
	hash32 name = places_name(code, "");
	*out = places_get(&planner->cases, &name) || places_get(&planner->containers, &name);
	if (*out || in_plan(&place, planner, scan->gtin, scan->serial)) return STATUS_OK;
	if (scan->gtin[0] < '1' || scan->gtin[0] > '8') return STATUS_OK; /* packs, most of all: nothing is asked */
	TRY(is_known_container(planner, out, code, err));
	if (*out) return STATUS_OK;
	TRY(stock_unit(planner->stock, &unit, &is_unit, scan->gtin, scan->serial, err));
	if (is_unit) return STATUS_OK;
	enum status status = product_load(planner->request, &product, scan->gtin, err);
	mem_wipe(&product, sizeof product);
	*out = status == STATUS_NOTFOUND;
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

/* One that this home opens. */
static struct document_container new_container(const struct planner *planner, const char *code) {
	struct document_container out = {.code = code, .opener = planner->request->home->account};
	hash32 key = tag_container_key(planner->request->home->entropy);
	out.salt = tag_container_salt(&key, code);
	mem_wipe(&key, sizeof key);
	document_name_container(&out);
	return out;
}

/* 3: it is what is chosen; 2: this account has to do with it; 1: it is on the chain. */
static enum status rank_container(
    struct planner *planner, unsigned *out, const hash32 *id, enum planner_choice choice, struct err *err) {
	const addr20 *me = &planner->request->home->account;
	struct medicines_container_view view;
	bool found;
	TRY(medicines_container(planner->request, &view, &found, id, err));
	const bool is_held = addr20_equal(&view.custodian, me), comes = addr20_equal(&view.receiver, me);
	*out = !found ? 0 : (choice == PLANNER_COMING ? comes : is_held) ? 3 : is_held || comes ? 2 : 1;
	return STATUS_OK;
}

/* `*found`: it is on the chain. */
static enum status choose_container(struct planner *planner, struct document_container *out, bool *found,
    const char *code, enum planner_choice choice, struct err *err) {
	struct document_container known[STOCK_CONTAINERS_MAX];
	size_t count;
	unsigned best = 0, rank;
	TRY(stock_containers(planner->stock, known, &count, code, err));
	for (size_t i = 0; i < count && best < 3; i++) {
		TRY(rank_container(planner, &rank, &known[i].id, choice, err));
		if (rank > best) *out = known[i];
		if (rank > best) best = rank;
	}
	*found = best > 0;
	if (best == 3 || (*found && choice != PLANNER_FILLED)) return STATUS_OK;
	*out = new_container(planner, code);
	TRY(rank_container(planner, &rank, &out->id, choice, err));
	*found = rank > 0;
	return STATUS_OK;
}

enum status planner_container(
    struct planner *planner, hash32 *out, const struct scan *scan, enum planner_choice choice, struct err *err) {
	struct document *document = &planner->plan->document;
	struct arena *arena = planner->request->arena;
	struct document_container container;
	char code[EPC_CODE_MAX];
	bool found;
	if (!epc_container_code(code, scan))
		return err_set(err, STATUS_INVALID, "a container has an SSCC, or a GTIN and a serial");
	hash32 name = places_name(code, "");
	const uint32_t *place = places_get(&planner->containers, &name);
	if (place) {
		*out = document->containers[*place].id;
		return STATUS_OK;
	}
	TRY(choose_container(planner, &container, &found, code, choice, err));
	*out = container.id;
	if (!found && choice != PLANNER_FILLED)
		return err_set(err, STATUS_NOTFOUND, "no document of this home names container %s", code);
	const hash32 tag = tag_container(&container.salt, code);
	if (!found) planner_add_opening(planner, medicines_open_container_call(arena, &tag), out);
	places_put(&planner->containers, arena, &name, document_add_container(document, arena, &container));
	if (!found) places_put(&planner->opened, arena, out, 0);
	return STATUS_OK;
}

void planner_add_child(struct planner *planner, const hash32 *parent, const hash32 *child) {
	planner->children = grown(planner->request->arena, planner->children, planner->child_count,
	    &planner->child_room, sizeof *planner->children);
	planner->children[planner->child_count++] = (struct planner_child){*parent, *child};
}

void planner_add_units(struct planner *planner, const struct plan_step *like, const uint32_t *units, size_t count) {
	const struct document *document = &planner->plan->document;
	struct plan_step step = *like;
	uint32_t *sorted = arena_alloc(planner->request->arena, (count + 1) * sizeof *sorted);
	for (uint32_t b = 0; b < document->batch_count && step.unit_count < count; b++)
		for (size_t i = 0; i < count; i++)
			if (document->units[units[i]].batch == b) sorted[step.unit_count++] = units[i];
	step.units = sorted;
	if (count) planner_add_step(planner, &step);
}

/* --- events --- */

typedef enum status planner_handler(struct planner *planner, const struct epcis_event *event, struct err *err);

/* What a step does with single packs and cases; NULL: nothing on the chain. */
static planner_handler *handler_of(const struct epcis_event *event) {
	static const struct {
		const char *step;
		planner_handler *handler;
	} rows[] = {
	    {"shipping", planner_ship},
	    {"void_shipping", planner_ship},
	    {"receiving", planner_receive},
	    {"accepting", planner_receive},
	    {"dispensing", planner_dispense},
	    {"retail_selling", planner_dispense},
	    {"decommissioning", planner_void},
	};
	if (event->action == EPCIS_ADD) return strcmp(event->step, "commissioning") == 0 ? planner_commission : NULL;
	if (event->corrects) return planner_undo;
	const bool changes = planner_state_of(event) != MEDICINES_STATE_NONE;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(event->step, rows[i].step) == 0)
			return changes && rows[i].handler == planner_dispense ? planner_change : rows[i].handler;
	return changes ? planner_change : NULL;
}

/* DELETE says that a thing is no more: what is moved or held afterwards is not deleted. */
static bool goes_on(const struct epcis_event *event, planner_handler *handler) {
	return handler == planner_ship || handler == planner_receive ||
	       (handler == planner_change && planner_state_of(event) == MEDICINES_STATE_HELD);
}

static enum status object_event(
    struct planner *planner, const struct epcis_event *event, const char **why, struct err *err) {
	planner_handler *handler = handler_of(event);
	const bool recalls = event->sets_recalled || event->unsets_recalled;
	if (recalls) TRY(planner_recall(planner, event, err));
	/* What is recalled is held by that already. */
	if (recalls && handler == planner_change && strcmp(event->step, "holding") == 0) return STATUS_OK;
	const bool has_more = event->class_count && !recalls; /* which would be left where it is, unseen */
	if (handler && event->action == EPCIS_DELETE && goes_on(event, handler))
		return err_set(err, STATUS_INVALID, "%s has the action OBSERVE: DELETE says that the packs are no more",
		    event->step);
	if (handler && event->epc_count && !has_more) return handler(planner, event, err);
	if (handler)
		return err_set(err, STATUS_UNSUPPORTED,
		    "%s of quantities of a class: only packs and cases with serials are captured", event->step);
	if (!recalls)
		*why = arena_printf(planner->request->arena, "%s%s%s moves nothing on the chain",
		    epcis_kind_name(event->kind), event->step[0] ? " " : "", event->step);
	return STATUS_OK;
}

static bool is_undo(const struct epcis_event *event) {
	return event->kind == EPCIS_OBJECT && event->action == EPCIS_OBSERVE && event->epc_count &&
	       !event->sets_recalled && !event->unsets_recalled &&
	       (strcmp(event->step, "dispensing") == 0 || strcmp(event->step, "retail_selling") == 0);
}

/* NULL in `*why` if the event was captured. What would move something and cannot be captured is STATUS_UNSUPPORTED:
 * a document is captured with all that it moves, or not at all. */
static enum status one_event(
    struct planner *planner, const struct epcis_event *event, const char **why, struct err *err) {
	*why = NULL;
	if (planner->wish->keeps_all) {
		bool is_strange;
		TRY(planner_is_strange(planner, &is_strange, event, err));
		if (is_strange) *why = "it names nothing that this home knows";
		if (event->corrects && !is_undo(event)) *why = "it declares an error, which moves nothing on the chain";
		if (*why) return STATUS_OK;
	}
	if (event->corrects && !is_undo(event))
		return err_set(
		    err, STATUS_UNSUPPORTED, "of what happened, only a dispense is taken back (errorDeclaration)");
	if (event->kind == EPCIS_AGGREGATION && event->action != EPCIS_OBSERVE)
		return planner_pack(planner, event, err);
	if (event->kind == EPCIS_OBJECT) return object_event(planner, event, why, err);
	*why = arena_printf(planner->request->arena, "%s%s%s moves nothing on the chain, or is not captured yet",
	    epcis_kind_name(event->kind), event->step[0] ? " " : "", event->step);
	return STATUS_OK;
}

/* A pack that is named as a case would vanish as a pack. Case and pack have GTINs of their own, so it is one if a
 * document of this home knows it as one, if this home has its product's key, or if what is in it has its GTIN. */
static enum status check_case(
    struct planner *planner, const struct epcis_event *event, const struct scan *parent, struct err *err) {
	struct stock_unit unit;
	struct product product;
	char code[EPC_CODE_MAX];
	bool is_pack, is_container;
	if (parent->sscc[0] || !epc_container_code(code, parent)) return STATUS_OK;
	TRY(is_known_container(planner, &is_container, code, err));
	if (is_container) return STATUS_OK;
	TRY(stock_unit(planner->stock, &unit, &is_pack, parent->gtin, parent->serial, err));
	if (!is_pack) {
		const enum status status = product_load(planner->request, &product, parent->gtin, err);
		mem_wipe(&product, sizeof product);
		if (status != STATUS_OK && status != STATUS_NOTFOUND) return status;
		is_pack = status == STATUS_OK;
	}
	for (size_t i = 0; i < event->epc_count && !is_pack; i++) {
		struct scan child;
		scan_read(&child, event->epcs[i]);
		is_pack = child.fault == SCAN_FAULT_NONE && strcmp(child.gtin, parent->gtin) == 0;
	}
	if (!is_pack) return STATUS_OK;
	return err_set(err, STATUS_INVALID,
	    "serial %s of GTIN %s is a pack, and holds no others: a case has an SSCC, or a GTIN of its own",
	    parent->serial, parent->gtin);
}

/* Cases of a GTIN are known by what aggregations do with them, wherever in the document those stand. */
static enum status find_cases(struct planner *planner, struct err *err) {
	const struct epcis_document *epcis = planner->plan->epcis;
	for (size_t i = 0; i < epcis->count; i++) {
		char code[EPC_CODE_MAX];
		struct scan scan;
		const struct epcis_event *event = &epcis->events[i];
		bool is_strange = false;
		if (event->kind != EPCIS_AGGREGATION || event->action == EPCIS_OBSERVE) continue;
		if (planner->wish->keeps_all) TRY(planner_is_strange(planner, &is_strange, event, err));
		if (is_strange) continue;
		enum status status = planner_scan(planner, &scan, event->parent, err);
		if (status == STATUS_OK) status = check_case(planner, event, &scan, err);
		if (status != STATUS_OK) planner->plan->failed_event = i + 1;
		if (status != STATUS_OK) return err_prefix(err, status, "event %zu", i + 1);
		if (!epc_container_code(code, &scan)) continue;
		hash32 name = places_name(code, "");
		places_put(&planner->cases, planner->request->arena, &name, 0);
	}
	return STATUS_OK;
}

static enum status all_batches_readers(struct planner *planner, struct err *err) {
	const struct document *document = &planner->plan->document;
	TRY(planner_recipient(planner, &planner->request->home->account, err));
	TRY(planner_recipient(planner, &planner->wish->recipient, err));
	for (uint32_t i = 0; i < document->batch_count; i++) {
		TRY(planner_recipient(planner, &document->batches[i].owner, err));
		TRY(planner_recipient(planner, &document->batches[i].regulator, err));
	}
	return STATUS_OK;
}

static enum status all_receivers(struct planner *planner, struct err *err) {
	const struct epcis_document *epcis = planner->plan->epcis;
	for (size_t i = 0; i < epcis->count; i++) {
		const struct epcis_event *event = &epcis->events[i];
		if (event->kind != EPCIS_OBJECT || handler_of(event) != planner_ship) continue;
		enum status status = planner_receiver(planner, event, err);
		if (status != STATUS_OK) return err_prefix(err, status, "event %zu", i + 1);
	}
	return all_batches_readers(planner, err);
}

/* Clocks differ; by more than a day they are wrong. */
static enum status check_time(const struct planner *planner, const struct epcis_event *event, struct err *err) {
	if (event->latest_ms <= clock_now_ms(planner->request->clock) + AHEAD_MS) return STATUS_OK;
	return err_because(err, CAUSE_FUTURE_EVENT,
	    err_set(err, STATUS_INVALID, "a time of the event lies in the future, by more than a day"));
}

static enum status all_events(struct planner *planner, struct err *err) {
	struct plan *plan = planner->plan;
	for (size_t i = 0; i < plan->epcis->count; i++) {
		const char *why;
		planner->event = i + 1;
		enum status status = check_time(planner, &plan->epcis->events[i], err);
		if (status == STATUS_OK) status = one_event(planner, &plan->epcis->events[i], &why, err);
		if (status != STATUS_OK) plan->failed_event = i + 1;
		if (status != STATUS_OK) return err_prefix(err, status, "event %zu", i + 1);
		if (why) plan->skipped[plan->skipped_count++] = (struct plan_skipped){i + 1, why};
	}
	for (size_t i = 0; i < planner->shipment_count; i++) planner_add_call(planner, planner->shipments[i]);
	return planner_judge_prints(planner, err);
}

/* The same text again: the home keeps the document, and the chain has it. */
static enum status find_captured(struct planner *planner, struct err *err) {
	struct actor_request *request = planner->request;
	struct plan *plan = planner->plan;
	struct document kept;
	bool is_captured;
	const enum status status = stock_find_document(request, &kept, &plan->document.hash, err);
	if (status == STATUS_NOTFOUND) return STATUS_OK;
	TRY(status);
	TRY(document_is_captured(request, &is_captured, &kept, err));
	if (!is_captured) return STATUS_OK;
	plan->document = kept;
	plan->is_captured = true;
	return STATUS_OK;
}

enum status plan_make(struct plan *out, struct actor_request *request, const struct stock *stock,
    const struct epcis_document *epcis, const struct plan_wish *wish, struct err *err) {
	struct planner planner = {.request = request, .stock = stock, .wish = wish, .plan = out};
	*out = (struct plan){.epcis = epcis};
	out->skipped = arena_zalloc(request->arena, epcis->count + 1, sizeof *out->skipped);
	document_init(&out->document, request, epcis->text);
	out->events_root = epcis_root(epcis, &out->document.salt);
	enum status kept = plan_find(request, out, err);
	if (kept != STATUS_NOTFOUND) return kept;
	TRY(find_captured(&planner, err));
	if (out->is_captured) return all_receivers(&planner, err);
	TRY(find_cases(&planner, err));
	TRY(all_events(&planner, err));
	if (out->step_count == 0 && !wish->keeps_all)
		return err_set(err, STATUS_UNSUPPORTED, "nothing in this document is captured: %s",
		    out->skipped_count ? out->skipped[0].why : "it has no events");
	TRY(all_batches_readers(&planner, err));
	plan_order(out, request->arena);
	return plan_check(request, stock, out, err);
}

enum status plan_seal(struct actor_request *request, struct buf *sealed, const struct plan *plan, struct err *err) {
	return document_seal(request, sealed, &plan->document, plan->recipients, plan->recipient_count, err);
}
