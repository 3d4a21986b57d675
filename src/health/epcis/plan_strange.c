/* Which events are about nothing that this home has to do with: a repository keeps them, and the chain has no say. */
#include "health/epcis/planner.h"
#include "health/trace/products.h"

/* Of which product there is a key, or some pack. */
static enum status knows_product(struct planner *planner, bool *out, const char *gtin, struct err *err) {
	const hash32 name = places_name(gtin, "");
	const uint32_t *before = places_get(&planner->products, &name);
	struct product product;
	size_t packs = 0;
	if (before) {
		*out = *before != 0;
		return STATUS_OK;
	}
	enum status status = product_load(planner->request, &product, gtin, err);
	mem_wipe(&product, sizeof product);
	*out = status == STATUS_OK;
	if (status == STATUS_NOTFOUND) {
		status = stock_count(planner->stock, &packs, gtin, err);
		*out = packs > 0;
	}
	if (status == STATUS_OK) places_put(&planner->products, planner->request->arena, &name, *out);
	return status;
}

static enum status knows_container(struct planner *planner, bool *out, const struct scan *scan, struct err *err) {
	struct document_container known[STOCK_CONTAINERS_MAX];
	char code[EPC_CODE_MAX];
	size_t count;
	*out = false;
	if (!epc_container_code(code, scan)) return STATUS_OK;
	const hash32 name = places_name(code, "");
	*out = places_get(&planner->containers, &name) != NULL;
	if (*out) return STATUS_OK;
	TRY(stock_containers(planner->stock, known, &count, code, err));
	*out = count > 0;
	return STATUS_OK;
}

static enum status knows(struct planner *planner, bool *out, struct bytes epc, struct err *err) {
	struct scan scan;
	scan_read(&scan, epc);
	*out = false;
	if (scan.fault != SCAN_FAULT_NONE) return STATUS_OK;
	if (scan.gtin[0]) TRY(knows_product(planner, out, scan.gtin, err));
	if (*out) return STATUS_OK;
	return knows_container(planner, out, &scan, err);
}

enum status planner_is_strange(struct planner *planner, bool *out, const struct epcis_event *event, struct err *err) {
	bool is_known = false;
	if (event->parent.len) TRY(knows(planner, &is_known, event->parent, err));
	for (size_t i = 0; i < event->epc_count && !is_known; i++) TRY(knows(planner, &is_known, event->epcs[i], err));
	for (size_t i = 0; i < event->class_count && !is_known; i++)
		TRY(knows(planner, &is_known, event->classes[i], err));
	*out = !is_known;
	return STATUS_OK;
}
