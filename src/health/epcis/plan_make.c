/* Commissioning and packing. */
#include "health/contracts/cause.h"
#include "health/epcis/planner.h"
#include "health/trace/products.h"
#include "health/trace/tags.h"

/* A pack that an event commissions. */
struct pack {
	char gtin[15], serial[21];
};
/* What one event commissions of one product. */
struct lot_draft {
	char gtin[15], lot[21];
	const char **serials;
	size_t count;
};

/* Cases are opened at once; what packs there are is scanned in `*packs`, in order. */
static enum status read_packs(
    struct planner *planner, struct pack **packs, size_t *count, const struct epcis_event *event, struct err *err) {
	*packs = arena_zalloc(planner->request->arena, event->epc_count + 1, sizeof **packs);
	*count = 0;
	for (size_t i = 0; i < event->epc_count; i++) {
		struct pack *pack = &(*packs)[*count];
		struct scan scan;
		bool is_container;
		hash32 container;
		TRY(planner_scan(planner, &scan, event->epcs[i], err));
		TRY(planner_is_container(planner, &is_container, &scan, err));
		if (is_container) {
			TRY(planner_container(planner, &container, &scan, PLANNER_FILLED, err));
			continue;
		}
		if (!scan.gtin[0] || !scan.serial[0])
			return err_set(err, STATUS_INVALID, "only packs with serials and containers are commissioned");
		memcpy(pack->gtin, scan.gtin, sizeof pack->gtin);
		memcpy(pack->serial, scan.serial, sizeof pack->serial);
		++*count;
	}
	return STATUS_OK;
}

/* The packs of the first product among those that are left; the others move up. */
static void take_product(struct planner *planner, struct lot_draft *out, struct pack *packs, size_t *count) {
	struct arena *arena = planner->request->arena;
	size_t left = 0;
	*out = (struct lot_draft){.serials = arena_zalloc(arena, *count, sizeof *out->serials)};
	memcpy(out->gtin, packs[0].gtin, sizeof out->gtin);
	for (size_t i = 0; i < *count; i++)
		if (strcmp(packs[i].gtin, out->gtin) == 0)
			out->serials[out->count++] = arena_strdup(arena, bytes_text(packs[i].serial));
		else if (left++ != i)
			packs[left - 1] = packs[i];
	*count = left;
}

/* Lot and expiry: the event's, or what the wish adds; two that differ are refused. */
static enum status read_master(struct planner *planner, struct lot_draft *out, struct document_batch *batch,
    const struct epcis_event *event, struct err *err) {
	const struct plan_wish *wish = planner->wish;
	struct bytes lot = event->lot.len ? event->lot : bytes_text(wish->lot ? wish->lot : "");
	if (!lot.len)
		return err_because(err, CAUSE_NO_LOT, err_set(err, STATUS_INVALID, "the event's ilmd names no lot"));
	if (lot.len > 20 || !gs1_is_cset82(lot))
		return err_set(err, STATUS_INVALID, "a lot has 1 to 20 GS1 characters");
	if (event->lot.len && wish->lot && !bytes_equal(event->lot, bytes_text(wish->lot)))
		return err_because(err, CAUSE_OTHER_LOT,
		    err_set(err, STATUS_INVALID, "the event names lot %.*s, and the caller another", (int)lot.len,
			(const char *)lot.data));
	memcpy(out->lot, lot.data, lot.len);
	batch->expiry_s = wish->expiry_s;
	if (!event->expiry.len && !wish->expiry_s)
		return err_because(
		    err, CAUSE_NO_EXPIRY, err_set(err, STATUS_INVALID, "the event's ilmd names no expiry"));
	if (event->expiry.len && !epcis_date_seconds(&batch->expiry_s, event->expiry, wish->this_year))
		return err_set(err, STATUS_INVALID, "the event's expiry is not a date");
	if (batch->expiry_s < clock_now_ms(planner->request->clock) / 1000)
		return err_set(err, STATUS_INVALID, "the expiry of lot %s is in the past", out->lot);
	return STATUS_OK;
}

static enum status add_units(struct planner *planner, const struct lot_draft *lot, const struct product *product,
    const struct document_batch *batch, struct err *err) {
	struct arena *arena = planner->request->arena;
	struct plan_step step = {.kind = PLAN_COMMISSION, .unit_count = (uint32_t)lot->count};
	uint32_t *units = arena_alloc(arena, lot->count * sizeof *units);
	uint32_t at = document_add_batch(&planner->plan->document, arena, batch);
	for (size_t i = 0; i < lot->count; i++) {
		hash32 name = places_name(lot->gtin, lot->serials[i]);
		if (places_get(&planner->units, &name))
			return err_set(err, STATUS_INVALID, "serial %s of GTIN %s is commissioned twice",
			    lot->serials[i], lot->gtin);
		struct document_unit unit = {.serial = lot->serials[i],
		    .batch = at,
		    .part = DOCUMENT_NO_PART,
		    .tag = tag_unit(&product->key, lot->gtin, lot->serials[i]),
		    .container = DOCUMENT_NO_CONTAINER};
		units[i] = planner->plan->document.unit_count;
		planner_add_unit(planner, &unit);
	}
	step.units = units;
	planner_add_step(planner, &step);
	return STATUS_OK;
}

/* The chain's lot, or a new one. Lines commission into one lot for hours. */
static enum status open_lot(struct planner *planner, const struct document_batch *batch, const hash32 *product,
    const hash32 *tag, struct err *err) {
	struct medicines_stored_batch held;
	const uint32_t day = (uint32_t)(batch->expiry_s / 86400), *before = places_get(&planner->batches, &batch->id);
	if (before && *before != day)
		return err_set(err, STATUS_INVALID, "lot %s has two expiries in this document", batch->lot);
	if (before) return STATUS_OK;
	TRY(medicines_batch(planner->request, &held, &batch->id, err));
	if (held.number && held.expiry != batch->expiry_s)
		return err_set(err, STATUS_INVALID, "lot %s was opened with another expiry", batch->lot);
	places_put(&planner->batches, planner->request->arena, &batch->id, day);
	if (!held.number)
		planner_add_opening(
		    planner, medicines_open_batch_call(planner->request->arena, product, tag, batch->expiry_s), NULL);
	return STATUS_OK;
}

static enum status commission_lot(
    struct planner *planner, struct lot_draft *lot, const struct epcis_event *event, struct err *err) {
	struct arena *arena = planner->request->arena;
	struct document_batch batch = {.expiry_s = 0};
	struct product product;
	TRY(read_master(planner, lot, &batch, event, err));
	TRY(product_load(planner->request, &product, lot->gtin, err));
	hash32 batch_tag = tag_batch(&product.key, lot->gtin, lot->lot);
	batch.gtin = arena_strdup(arena, bytes_text(lot->gtin));
	batch.lot = arena_strdup(arena, bytes_text(lot->lot));
	batch.owner = product.owner;
	batch.regulator = product.regulator;
	batch.id = tag_batch_id(&product.tag, &batch_tag);
	enum status status = open_lot(planner, &batch, &product.tag, &batch_tag, err);
	if (status == STATUS_OK) status = add_units(planner, lot, &product, &batch, err);
	mem_wipe(&product, sizeof product);
	return status;
}

enum status planner_commission(struct planner *planner, const struct epcis_event *event, struct err *err) {
	struct pack *packs;
	size_t count;
	TRY(read_packs(planner, &packs, &count, event, err));
	while (count) {
		struct lot_draft lot;
		take_product(planner, &lot, packs, &count);
		TRY(commission_lot(planner, &lot, event, err));
	}
	return STATUS_OK;
}

/* --- packing and unpacking --- */

enum status planner_pack(struct planner *planner, const struct epcis_event *event, struct err *err) {
	struct arena *arena = planner->request->arena;
	bool packs = event->action == EPCIS_ADD;
	uint32_t *units = arena_alloc(arena, (event->epc_count + 1) * sizeof *units);
	hash32 *children = arena_alloc(arena, (event->epc_count + 1) * sizeof *children), parent;
	size_t unit_count = 0, child_count = 0;
	struct document *document = &planner->plan->document;
	struct scan scan;
	if (event->epc_count == 0)
		return err_set(err, STATUS_INVALID, "an aggregation that names no children one by one is not captured");
	if (event->class_count)
		return err_set(err, STATUS_UNSUPPORTED, "an aggregation of quantities of a class is not captured");
	TRY(planner_scan(planner, &scan, event->parent, err));
	TRY(planner_container(planner, &parent, &scan, packs ? PLANNER_FILLED : PLANNER_HELD, err));
	uint32_t container = document_container_at(document, &parent);
	for (size_t i = 0; i < event->epc_count; i++) {
		bool is_container;
		TRY(planner_scan(planner, &scan, event->epcs[i], err));
		TRY(planner_is_container(planner, &is_container, &scan, err));
		if (is_container) {
			TRY(planner_container(planner, &children[child_count], &scan, PLANNER_HELD, err));
			if (packs) planner_add_child(planner, &parent, &children[child_count]);
			child_count++;
			continue;
		}
		TRY(planner_unit(planner, &units[unit_count], &scan, err));
		planner_set_container(planner, units[unit_count++], packs ? container : DOCUMENT_NO_CONTAINER);
	}
	planner_add_units(planner, &(struct plan_step){.kind = packs ? PLAN_PACK : PLAN_UNPACK, .container = parent},
	    units, unit_count);
	if (!child_count) return STATUS_OK;
	planner_add_call(planner, packs ? medicines_pack_containers_call(arena, &parent, children, child_count)
					: medicines_unpack_containers_call(arena, &parent, children, child_count));
	return STATUS_OK;
}
