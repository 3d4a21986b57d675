/* Shipping, receiving, dispensing, changes of single units, recalls. */
#include "crypto/hash.h"
#include "health/contracts/cause.h"
#include "health/epcis/planner.h"
#include "health/trace/judge.h"
#include "health/trace/products.h"
#include "health/trace/tags.h"

#define CONTAINERS_MAX 4096u

/* --- what is inside a container --- */

struct tree {
	hash32 *ids;
	size_t *inside; /* of each: containers that the chain has directly inside; NULL in a list */
	size_t count;
};

static bool has(const struct tree *tree, const hash32 *id) {
	for (size_t i = 0; i < tree->count; i++)
		if (hash32_equal(&tree->ids[i], id)) return true;
	return false;
}

static enum status join(struct tree *tree, const hash32 *id, struct err *err) {
	if (has(tree, id)) return STATUS_OK;
	if (tree->count == CONTAINERS_MAX) return err_set(err, STATUS_LIMIT, "more than %u containers", CONTAINERS_MAX);
	tree->ids[tree->count++] = *id;
	return STATUS_OK;
}

/* The container and all that is inside it, at any depth: on the chain, or by events of this document. */
static enum status read_tree(struct planner *planner, struct tree *out, const hash32 *root, struct err *err) {
	out->ids = arena_alloc(planner->request->arena, CONTAINERS_MAX * sizeof *out->ids);
	out->inside = arena_zalloc(planner->request->arena, CONTAINERS_MAX, sizeof *out->inside);
	out->ids[0] = *root;
	out->count = 1;
	for (size_t at = 0; at < out->count; at++) {
		hash32 *children;
		size_t count;
		const hash32 id = out->ids[at];
		for (size_t i = 0; i < planner->child_count; i++)
			if (hash32_equal(&planner->children[i].parent, &id))
				TRY(join(out, &planner->children[i].child, err));
		if (places_get(&planner->opened, &id)) continue; /* the chain does not know it yet */
		TRY(medicines_children(planner->request, &children, &count, &id, err));
		out->inside[at] = count;
		for (size_t i = 0; i < count; i++) TRY(join(out, &children[i], err));
	}
	return STATUS_OK;
}

/* A node that leaves a child out, and a document that this home never had, both show: the contract counts what is
 * directly inside. A shipment whose document names less than it holds would strand packs with the receiver. */
static enum status check_contents(
    struct planner *planner, const hash32 *id, const char *code, size_t known, struct err *err) {
	struct medicines_container_view view;
	bool found;
	TRY(medicines_container(planner->request, &view, &found, id, err));
	if (view.contents == known) return STATUS_OK;
	return err_because(err, CAUSE_UNKNOWN_CONTENTS,
	    err_set(err, STATUS_NOTFOUND,
		"container %s holds %u packs and cases, and this home's documents and the node name %zu of them",
		code && code[0] ? code : "of a loose shipment", view.contents, known));
}

/* Adds to the plan's document every unit that stands, on the chain, directly in the container. `known`: containers that
 * do. */
static enum status add_units(struct planner *planner, const hash32 *id, size_t known, struct err *err) {
	struct document *document = &planner->plan->document;
	struct document_container around;
	struct stock_unit *units;
	bool is_known;
	size_t count;
	if (places_get(&planner->opened, id)) return STATUS_OK;
	TRY(stock_units_in(planner->stock, &units, &count, id, err));
	TRY(stock_container_at(planner->stock, &around, &is_known, id, err));
	struct medicines_unit *refs = arena_alloc(planner->request->arena, (count + 1) * sizeof *refs);
	for (size_t i = 0; i < count; i++) refs[i] = (struct medicines_unit){units[i].batch.id, units[i].unit.index};
	TRY(medicines_expect_units(planner->request, refs, count, err));
	for (size_t i = 0; i < count; i++) {
		struct medicines_unit ref = {units[i].batch.id, units[i].unit.index};
		struct medicines_holding holding;
		progress_at(planner->request->progress, "asking the chain for the packs of a container", i, count);
		TRY(medicines_holder(planner->request, &holding, &ref, err));
		if (!hash32_equal(&holding.container, id)) continue;
		known++;
		BUG_ON(!is_known); /* a document that puts a pack into a container names it */
		uint32_t container = document_add_container(document, planner->request->arena, &around);
		uint32_t at = planner_copy_unit(planner, &units[i]);
		if (!planner_has_moved(planner, at)) document->units[at].container = container;
	}
	if (count)
		progress_at(planner->request->progress, "asking the chain for the packs of a container", count, count);
	return check_contents(planner, id, is_known ? around.code : "", known, err);
}

static enum status add_contents(struct planner *planner, const hash32 *root, struct err *err) {
	struct tree tree;
	TRY(read_tree(planner, &tree, root, err));
	for (size_t i = 0; i < tree.count; i++) TRY(add_units(planner, &tree.ids[i], tree.inside[i], err));
	return STATUS_OK;
}

/* --- shipping --- */

static enum status receiver_of(struct planner *planner, addr20 *out, const struct epcis_event *event, struct err *err) {
	addr20 named = {{0}};
	bool is_named = planner_party(planner->request, &named, event->destination);
	*out = addr20_is_zero(&planner->wish->to) ? named : planner->wish->to;
	if (addr20_is_zero(out))
		return err_because(err, CAUSE_NO_DESTINATION,
		    err_set(err, STATUS_INVALID, "the event's destination is not an actor of this chain"));
	if (is_named && !addr20_equal(&named, out))
		return err_because(err, CAUSE_OTHER_DESTINATION,
		    err_set(err, STATUS_INVALID, "the event goes to another actor than the one named"));
	return STATUS_OK;
}

enum status planner_receiver(struct planner *planner, const struct epcis_event *event, struct err *err) {
	addr20 to = {{0}};
	if (strcmp(event->step, "shipping") == 0) TRY(receiver_of(planner, &to, event, err));
	return planner_recipient(planner, &to, err);
}

/* A container without an SSCC, for this document alone. */
static void ship_loose(struct planner *planner, const uint32_t *units, size_t count, const addr20 *to) {
	struct actor_request *request = planner->request;
	struct document *document = &planner->plan->document;
	hash32 key = tag_container_key(request->home->entropy);
	uint8_t text[15 + 32 + 4];
	memcpy(text, "xinglin/loose/1", 15);
	memcpy(text + 15, document->hash.b, 32);
	store_be32(text + 47, document->container_count);
	struct document_container loose = {.code = "", .opener = request->home->account};
	loose.salt = hmac_sha256(BYTES_OF(key), bytes_make(text, sizeof text));
	mem_wipe(&key, sizeof key);
	document_name_container(&loose);
	const hash32 tag = tag_container(&loose.salt, ""), id = loose.id;
	uint32_t container = document_add_container(document, request->arena, &loose);
	for (size_t i = 0; i < count; i++) document->units[units[i]].container = container;
	planner_add_opening(planner, medicines_open_container_call(request->arena, &tag), &id);
	planner_add_units(planner, &(struct plan_step){.kind = PLAN_PACK, .container = id}, units, count);
	planner_add_shipment(planner, medicines_ship_call(request->arena, &id, to, planner->wish->purpose));
}

enum status planner_ship(struct planner *planner, const struct epcis_event *event, struct err *err) {
	struct arena *arena = planner->request->arena;
	bool ends = strcmp(event->step, "void_shipping") == 0;
	uint32_t *units = arena_alloc(arena, (event->epc_count + 1) * sizeof *units);
	size_t unit_count = 0;
	addr20 to = {{0}};
	if (!ends) TRY(receiver_of(planner, &to, event, err));
	for (size_t i = 0; i < event->epc_count; i++) {
		struct scan scan;
		bool is_container;
		hash32 container;
		TRY(planner_scan(planner, &scan, event->epcs[i], err));
		TRY(planner_is_container(planner, &is_container, &scan, err));
		if (!is_container) {
			if (ends) return err_set(err, STATUS_INVALID, "void_shipping names containers");
			TRY(planner_unit(planner, &units[unit_count++], &scan, err));
			continue;
		}
		TRY(planner_container(planner, &container, &scan, PLANNER_HELD, err));
		if (!ends) TRY(add_contents(planner, &container, err));
		if (ends)
			planner_add_call(planner, medicines_end_shipping_call(arena, &container));
		else
			planner_add_shipment(
			    planner, medicines_ship_call(arena, &container, &to, planner->wish->purpose));
	}
	if (unit_count) ship_loose(planner, units, unit_count, &to);
	return planner_recipient(planner, &to, err);
}

/* --- receiving --- */

/* A loose unit came in a container of its own: that is accepted once, the unit unpacked. */
static enum status receive_loose(
    struct planner *planner, const struct scan *scan, struct tree *accepted, struct err *err) {
	struct arena *arena = planner->request->arena;
	struct medicines_holding holding;
	uint32_t unit;
	TRY(planner_unit(planner, &unit, scan, err));
	struct medicines_unit ref;
	TRY(planner_ref(planner, &ref, unit, err));
	TRY(medicines_holder(planner->request, &holding, &ref, err));
	if (hash32_is_zero(&holding.container))
		return err_set(err, STATUS_DENIED, "NOT_PENDING: serial %s is in no shipment", scan->serial);
	const char *code;
	TRY(stock_code(planner->stock, &code, &holding.container, err));
	if (code && code[0])
		return err_set(err, STATUS_INVALID, "serial %s came in container %s: receive that", scan->serial, code);
	if (!has(accepted, &holding.container)) {
		planner_add_call(planner, medicines_accept_call(arena, &holding.container));
		accepted->ids[accepted->count++] = holding.container;
	}
	planner_add_units(planner, &(struct plan_step){.kind = PLAN_UNPACK, .container = holding.container}, &unit, 1);
	return STATUS_OK;
}

enum status planner_receive(struct planner *planner, const struct epcis_event *event, struct err *err) {
	struct arena *arena = planner->request->arena;
	struct tree accepted = {.ids = arena_alloc(arena, (event->epc_count + 1) * sizeof(hash32))};
	for (size_t i = 0; i < event->epc_count; i++) {
		struct scan scan;
		bool is_container;
		hash32 container;
		TRY(planner_scan(planner, &scan, event->epcs[i], err));
		TRY(planner_is_container(planner, &is_container, &scan, err));
		if (!is_container) {
			TRY(receive_loose(planner, &scan, &accepted, err));
			continue;
		}
		TRY(planner_container(planner, &container, &scan, PLANNER_COMING, err));
		planner_add_call(planner, medicines_accept_call(arena, &container));
	}
	return STATUS_OK;
}

/* --- single units --- */

static hash32 name_of(const struct planner *planner, uint32_t unit) {
	const struct document *document = &planner->plan->document;
	return places_name(document->batches[document->units[unit].batch].gtin, document->units[unit].serial);
}

/* The second time would be refused by the chain, with an alert against whoever did the first. */
static enum status hand_out(struct planner *planner, const uint32_t *units, size_t count, struct err *err) {
	for (size_t i = 0; i < count; i++) {
		const hash32 name = name_of(planner, units[i]);
		const uint32_t *before = places_get(&planner->handed, &name);
		if (before && *before)
			return err_set(err, STATUS_INVALID, "serial %s is dispensed twice in this document",
			    planner->plan->document.units[units[i]].serial);
		places_put(&planner->handed, planner->request->arena, &name, 1);
	}
	return STATUS_OK;
}

/* Nobody hands out a pack whose code another pack has too. */
static enum status check_rivals(struct planner *planner, const struct epcis_event *event, struct err *err) {
	for (size_t i = 0; i < event->epc_count; i++) {
		struct stock_unit unit;
		struct scan scan;
		bool found;
		TRY(planner_scan(planner, &scan, event->epcs[i], err));
		TRY(stock_unit(planner->stock, &unit, &found, scan.gtin, scan.serial, err));
		if (found && unit.rival)
			return err_set(err, STATUS_DENIED, "serial %s of GTIN %s is not dispensed: %s", scan.serial,
			    scan.gtin, judge_rival_text(planner->request->arena, &unit));
	}
	return STATUS_OK;
}

enum status planner_dispense(struct planner *planner, const struct epcis_event *event, struct err *err) {
	uint32_t *units;
	TRY(check_rivals(planner, event, err));
	TRY(planner_units(planner, &units, event, err));
	TRY(hand_out(planner, units, event->epc_count, err));
	planner_add_units(planner, &(struct plan_step){.kind = PLAN_DISPENSE}, units, event->epc_count);
	return STATUS_OK;
}

enum status planner_undo(struct planner *planner, const struct epcis_event *event, struct err *err) {
	uint32_t *units;
	TRY(planner_units(planner, &units, event, err));
	for (size_t i = 0; i < event->epc_count; i++) {
		const hash32 name = name_of(planner, units[i]);
		places_put(&planner->handed, planner->request->arena, &name, 0);
	}
	planner_add_units(planner, &(struct plan_step){.kind = PLAN_UNDO}, units, event->epc_count);
	return STATUS_OK;
}

enum medicines_state planner_state_of(const struct epcis_event *event) {
	static const struct {
		const char *step, *disposition; /* NULL: any */
		enum medicines_state state;
	} rows[] = {
	    {NULL, "stolen", MEDICINES_STATE_STOLEN},
	    {"destroying", NULL, MEDICINES_STATE_DESTROYED},
	    {"sampling", NULL, MEDICINES_STATE_SAMPLED},
	    {"holding", NULL, MEDICINES_STATE_HELD},
	    {"dispensing", "partially_dispensed", MEDICINES_STATE_PARTIAL},
	    {"retail_selling", "partially_dispensed", MEDICINES_STATE_PARTIAL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if ((!rows[i].step || strcmp(rows[i].step, event->step) == 0) &&
		    (!rows[i].disposition || strcmp(rows[i].disposition, event->disposition) == 0))
			return rows[i].state;
	return MEDICINES_STATE_NONE;
}

/* Packs that a line rejects: their serials are no packs any more. Of a case that is given up nothing is on the chain.
 */
enum status planner_void(struct planner *planner, const struct epcis_event *event, struct err *err) {
	uint32_t *units = arena_alloc(planner->request->arena, (event->epc_count + 1) * sizeof *units);
	size_t count = 0;
	for (size_t i = 0; i < event->epc_count; i++) {
		struct scan scan;
		bool is_case;
		TRY(planner_scan(planner, &scan, event->epcs[i], err));
		TRY(planner_is_container(planner, &is_case, &scan, err));
		if (!is_case) TRY(planner_unit(planner, &units[count++], &scan, err));
	}
	if (count)
		planner_add_units(
		    planner, &(struct plan_step){.kind = PLAN_CHANGE, .state = MEDICINES_STATE_VOID}, units, count);
	return STATUS_OK;
}

enum status planner_change(struct planner *planner, const struct epcis_event *event, struct err *err) {
	enum medicines_state to = planner_state_of(event);
	uint32_t *units;
	TRY(planner_units(planner, &units, event, err));
	planner_add_units(planner, &(struct plan_step){.kind = PLAN_CHANGE, .state = to}, units, event->epc_count);
	return STATUS_OK;
}

/* --- recall --- */

/* Those packs of the event that a recall changes: not recalled yet, by themselves or with their lot. */
static enum status not_recalled(
    struct planner *planner, uint32_t **out, size_t *count, const struct epcis_event *event, struct err *err) {
	uint32_t *units;
	TRY(planner_units(planner, &units, event, err));
	*out = units;
	*count = 0;
	for (size_t i = 0; i < event->epc_count; i++) {
		struct medicines_unit ref;
		struct medicines_unit_view view;
		TRY(planner_ref(planner, &ref, units[i], err));
		TRY(medicines_unit(planner->request, &view, &ref, err));
		if (!view.recalled) units[(*count)++] = units[i];
	}
	return STATUS_OK;
}

/* The batch of a lot: from the product's key, or from a document. */
static enum status batch_of(
    struct planner *planner, struct document_batch *out, const struct scan *scan, struct err *err) {
	struct product product;
	bool known;
	TRY(stock_lot(planner->stock, out, &known, scan->gtin, scan->lot, err));
	if (known) return STATUS_OK;
	TRY(product_load(planner->request, &product, scan->gtin, err));
	hash32 batch_tag = tag_batch(&product.key, scan->gtin, scan->lot);
	*out = (struct document_batch){.gtin = arena_strdup(planner->request->arena, bytes_text(scan->gtin)),
	    .lot = arena_strdup(planner->request->arena, bytes_text(scan->lot)),
	    .owner = product.owner,
	    .regulator = product.regulator,
	    .id = tag_batch_id(&product.tag, &batch_tag)};
	mem_wipe(&product, sizeof product);
	struct medicines_stored_batch view;
	TRY(medicines_batch(planner->request, &view, &out->id, err));
	out->expiry_s = view.expiry;
	return STATUS_OK;
}

/* Words of a reason are few: it is salted as the document is. */
static hash32 reason_of(const struct planner *planner) {
	struct bytes parts[] = {BYTES_LITERAL("xinglin/reason/1"), BYTES_OF(planner->plan->document.salt),
	    bytes_text(planner->wish->reason ? planner->wish->reason : "")};
	return sha256_parts(parts, 3);
}

static enum status check_class(
    struct planner *planner, const struct scan *scan, const struct document_batch *batch, struct err *err) {
	const enum judge_print print = judge_print(scan->lot, scan->expiry, batch, planner->wish->this_year);
	if (print == JUDGE_PRINT_AGREES) return STATUS_OK;
	const char *text = judge_print_text(planner->request->arena, print, scan->lot);
	return err_because(err, CAUSE_OTHER_PRINT, err_set(err, STATUS_DENIED, "%s (lot %s)", text, scan->lot));
}

static enum status recall_lots(struct planner *planner, const struct epcis_event *event, struct err *err) {
	struct arena *arena = planner->request->arena;
	const hash32 reason = reason_of(planner);
	for (size_t i = 0; i < event->class_count; i++) {
		struct scan scan;
		struct document_batch batch;
		TRY(planner_scan(planner, &scan, event->classes[i], err));
		if (!scan.gtin[0] || !scan.lot[0])
			return err_set(err, STATUS_INVALID, "a recall names a GTIN and a lot");
		TRY(batch_of(planner, &batch, &scan, err));
		TRY(check_class(planner, &scan, &batch, err));
		document_add_batch(&planner->plan->document, arena, &batch);
		planner_add_call(planner, event->sets_recalled
					      ? medicines_recall_batch_call(arena, &batch.id, &reason)
					      : medicines_reverse_recall_call(arena, &batch.id, &reason));
	}
	return STATUS_OK;
}

enum status planner_recall(struct planner *planner, const struct epcis_event *event, struct err *err) {
	struct plan_step step = {.kind = PLAN_UNRECALL};
	uint32_t *units;
	size_t count = event->epc_count;
	TRY(recall_lots(planner, event, err));
	if (event->sets_recalled) {
		step = (struct plan_step){.kind = PLAN_CHANGE, .state = MEDICINES_STATE_RECALLED};
		TRY(not_recalled(planner, &units, &count, event, err));
	} else {
		TRY(planner_units(planner, &units, event, err));
	}
	planner_add_units(planner, &step, units, count);
	return STATUS_OK;
}
