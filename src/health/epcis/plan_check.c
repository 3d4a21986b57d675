/*
 * What the contract would refuse in a later transaction of a large document, found before the first one is sent: a
 * document is true with all of its events or with none. A document of one transaction needs none of this, since the
 * contract itself takes all of it or nothing.
 *
 * Everything here is read as proved storage, but for one question (plan_serials.c). What others change between this
 * check and the last transaction can still refuse one of them: the same document again then goes on from there.
 */
#include "health/actors/directory.h"
#include "health/contracts/cause.h"
#include "health/epcis/planner.h"
#include "health/trace/products.h"

#define UNITS_FEW 1000u /* this many fit in one transaction, whatever is done with them */
#define STEPS_FEW 32u
#define SERIALS_PROGRESS "checking that no serial was commissioned before"

struct checking {
	struct actor_request *request;
	const struct stock *stock;
	struct plan *plan;
	struct places seen; /* units of the document that a step named before, by their place */
	bool has_moved;     /* a step moved containers: where units stand now says nothing of what comes later */
};

static enum status refuse(struct err *err, enum medicines_code code, const char *what) {
	return err_because(err, CAUSE_MEDICINES + code,
	    err_set(err, STATUS_DENIED, "%s: %s; nothing was sent", medicines_code_name(code), what));
}

static bool is_large(const struct plan *plan) {
	uint64_t units = 0;
	unsigned dispenses = 0; /* one a transaction */
	for (size_t i = 0; i < plan->step_count; i++) {
		units += plan->steps[i].unit_count;
		dispenses += plan->steps[i].kind == PLAN_DISPENSE;
	}
	return units > UNITS_FEW || plan->step_count > STEPS_FEW || dispenses > 1;
}

static const struct document_unit *unit_of(const struct checking *checking, const struct plan_step *step, uint32_t at) {
	return &checking->plan->document.units[step->units[at]];
}

/* --- commissioning --- */

/* All that the document commissions of a product, in its order. */
struct commissioned {
	const char *gtin;
	hash32 product;
	const char **serials;
	uint32_t *units; /* their numbers in the document */
	hash32 *tags;
	size_t count;
};

static const struct document_batch *batch_of(const struct checking *checking, const struct plan_step *step) {
	return &checking->plan->document.batches[unit_of(checking, step, 0)->batch];
}

static struct commissioned commissioned_of(const struct checking *checking, const char *gtin, const hash32 *product) {
	const struct plan *plan = checking->plan;
	struct arena *arena = checking->request->arena;
	struct commissioned out = {.gtin = gtin,
	    .product = *product,
	    .serials = arena_alloc(arena, (plan->document.unit_count + (size_t)1) * sizeof *out.serials),
	    .units = arena_alloc(arena, (plan->document.unit_count + (size_t)1) * sizeof *out.units),
	    .tags = arena_alloc(arena, (plan->document.unit_count + (size_t)1) * sizeof *out.tags)};
	for (size_t s = 0; s < plan->step_count; s++) {
		const struct plan_step *step = &plan->steps[s];
		if (step->kind != PLAN_COMMISSION || strcmp(batch_of(checking, step)->gtin, gtin) != 0) continue;
		for (uint32_t i = 0; i < step->unit_count; i++) {
			out.serials[out.count] = unit_of(checking, step, i)->serial;
			out.units[out.count] = step->units[i];
			out.tags[out.count++] = unit_of(checking, step, i)->tag;
		}
	}
	return out;
}

/* The first that was commissioned before: by the home's own documents, if they name every serial that the product has
 * on the chain; else by the chain's table. */
static enum status find_commissioned(struct checking *checking, size_t *at, bool *is_known,
    const struct commissioned *all, const struct products_product *held, struct err *err) {
	size_t known;
	TRY(stock_count(checking->stock, &known, all->gtin, err));
	*is_known = known >= held->units;
	if (!*is_known)
		return medicines_find_commissioned(checking->request, at, &all->product, all->tags, all->count, err);
	for (*at = 0; *at < all->count; ++*at) {
		struct stock_unit unit;
		bool found;
		TRY(stock_unit(checking->stock, &unit, &found, all->gtin, all->serials[*at], err));
		if (found) return STATUS_OK;
	}
	return STATUS_OK;
}

static enum status refuse_serial(
    struct checking *checking, const struct commissioned *all, size_t at, const char *why, struct err *err) {
	return refuse(err, MEDICINES_CODE_DUPLICATE_SERIAL,
	    arena_printf(checking->request->arena, "serial %s of GTIN %s %s", all->serials[at], all->gtin, why));
}

/* By the table, as a node has it. Where it has their places is the plan's to say if this is far from changing it: a
 * document of half as many packs as the product has splits more places than that helps. */
static enum status look_up(struct checking *checking, size_t *at, const struct commissioned *all,
    const struct products_product *held, struct err *err) {
	struct plan *plan = checking->plan;
	struct arena *arena = checking->request->arena;
	uint8_t *depths = arena_alloc(arena, all->count + 1);
	TRY(plan_look_up_serials(checking->request, at, depths, &all->product, all->tags, all->count, err));
	if (all->count > held->units / 2) return STATUS_OK;
	if (!plan->depths) plan->depths = arena_zalloc(arena, plan->document.unit_count, 1);
	for (size_t i = 0; i < all->count; i++) plan->depths[all->units[i]] = depths[i];
	return STATUS_OK;
}

static enum status check_serials(
    struct checking *checking, const struct commissioned *all, const struct products_product *held, struct err *err) {
	struct actor_request *request = checking->request;
	size_t at = all->count;
	bool is_known = true;
	progress_at(request->progress, SERIALS_PROGRESS, 0, all->count);
	if (held->units) TRY(find_commissioned(checking, &at, &is_known, all, held, err));
	if (at < all->count)
		return refuse_serial(checking, all, at,
		    is_known
			? "was commissioned before, in this lot or another"
			: "was commissioned before, or looks like one that was, and this home has not all documents",
		    err);
	if (held->units) TRY(look_up(checking, &at, all, held, err));
	if (at == all->count) TRY(plan_compare_serials(request, &at, &all->product, all->tags, all->count, err));
	progress_at(request->progress, SERIALS_PROGRESS, all->count, all->count);
	if (at == all->count) return STATUS_OK;
	return refuse_serial(checking, all, at,
	    arena_printf(request->arena, "cannot be told from another one by the product's table: %s",
		plan_admit_text(request->arena, all->gtin, all->serials[at])),
	    err);
}

/* A product's serials are checked with its first step: those of all of them meet in one table. */
static bool is_first_of_product(const struct checking *checking, const struct plan_step *step) {
	for (const struct plan_step *before = checking->plan->steps; before < step; before++)
		if (before->kind == PLAN_COMMISSION &&
		    strcmp(batch_of(checking, before)->gtin, batch_of(checking, step)->gtin) == 0)
			return false;
	return true;
}

static enum status check_commission(struct checking *checking, const struct plan_step *step, struct err *err) {
	struct actor_request *request = checking->request;
	const struct document_batch *batch = batch_of(checking, step);
	struct medicines_stored_batch lot;
	struct products_product held;
	struct product product;
	TRY(product_load(request, &product, batch->gtin, err));
	const hash32 tag = product.tag;
	mem_wipe(&product, sizeof product);
	TRY(medicines_product(request, &held, &tag, err));
	if (addr20_is_zero(&held.owner))
		return refuse(err, MEDICINES_CODE_UNKNOWN_PRODUCT,
		    arena_printf(request->arena, "product %s was never registered", batch->gtin));
	if (!addr20_equal(&held.owner, &request->home->account))
		return refuse(err, MEDICINES_CODE_NOT_OWNER,
		    arena_printf(request->arena, "product %s is another actor's", batch->gtin));
	TRY(medicines_batch(request, &lot, &batch->id, err));
	if (lot.flags & MEDICINES_LOT_CLOSED)
		return refuse(
		    err, MEDICINES_CODE_CLOSED, arena_printf(request->arena, "lot %s takes no more packs", batch->lot));
	if (!is_first_of_product(checking, step)) return STATUS_OK;
	const struct commissioned all = commissioned_of(checking, batch->gtin, &tag);
	return check_serials(checking, &all, &held, err);
}

/* --- packs that the chain has --- */

/* Those of the step that no step before names, and whose place is not this document's to give. */
static size_t take_unseen(
    struct checking *checking, const struct plan_step *step, uint32_t *units, struct medicines_unit *refs) {
	const struct document *document = &checking->plan->document;
	size_t count = 0;
	for (uint32_t i = 0; i < step->unit_count; i++) {
		const struct document_unit *unit = unit_of(checking, step, i);
		const struct document_batch *batch = &document->batches[unit->batch];
		const hash32 name = places_name(batch->gtin, unit->serial);
		const bool is_seen = places_get(&checking->seen, &name);
		places_put(&checking->seen, checking->request->arena, &name, 0);
		if (is_seen || unit->part == DOCUMENT_NO_PART) continue;
		units[count] = i;
		refs[count++] = (struct medicines_unit){batch->id, unit->index};
	}
	return count;
}

static enum status check_unit(struct checking *checking, const struct plan_step *step, const struct document_unit *unit,
    const struct medicines_unit *ref, struct err *err) {
	struct actor_request *request = checking->request;
	struct medicines_holding holding;
	TRY(medicines_holder(request, &holding, ref, err));
	const bool is_mine = addr20_equal(&holding.custodian, &request->home->account);
	const bool is_loose = hash32_is_zero(&holding.container);
	if (step->kind == PLAN_PACK && holding.count == 0)
		return refuse(err, MEDICINES_CODE_FINAL,
		    arena_printf(request->arena, "serial %s is not there any more", unit->serial));
	if (step->kind == PLAN_PACK && !is_loose)
		return refuse(err, MEDICINES_CODE_NOT_LOOSE,
		    arena_printf(request->arena, "serial %s is packed: unpack it first", unit->serial));
	if (step->kind == PLAN_UNPACK && !hash32_equal(&holding.container, &step->container))
		return refuse(err, MEDICINES_CODE_NOT_A_CHILD,
		    arena_printf(request->arena, "serial %s is not in that container", unit->serial));
	if (is_mine || step->kind == PLAN_CHANGE) return STATUS_OK; /* the product's owner and regulators may, too */
	return refuse(err, MEDICINES_CODE_NOT_CUSTODIAN,
	    arena_printf(request->arena, "this account does not hold serial %s", unit->serial));
}

static enum status check_units(struct checking *checking, const struct plan_step *step, struct err *err) {
	struct arena *arena = checking->request->arena;
	uint32_t *units = arena_alloc(arena, (step->unit_count + 1u) * sizeof *units);
	struct medicines_unit *refs = arena_alloc(arena, (step->unit_count + 1u) * sizeof *refs);
	const size_t count = take_unseen(checking, step, units, refs);
	if (checking->has_moved) return STATUS_OK;
	TRY(medicines_expect_units(checking->request, refs, count, err));
	for (size_t i = 0; i < count; i++)
		TRY(check_unit(checking, step, unit_of(checking, step, units[i]), &refs[i], err));
	return STATUS_OK;
}

/* --- all of it --- */

static enum status check_step(struct checking *checking, const struct plan_step *step, struct err *err) {
	switch (step->kind) {
	case PLAN_CALL: checking->has_moved = true; return STATUS_OK;
	case PLAN_OPEN: return STATUS_OK;
	case PLAN_COMMISSION: return check_commission(checking, step, err);
	case PLAN_PACK:
	case PLAN_UNPACK:
	case PLAN_CHANGE: return check_units(checking, step, err);
	case PLAN_DISPENSE: /* a refused pack is an answer, and refuses no other */
	case PLAN_UNRECALL:
	case PLAN_UNDO: return STATUS_OK;
	case PLAN_KIND_COUNT: break;
	}
	BUG_ON(true);
}

/* The sealed document is what goods travel with: whoever gets it has a key in the directory. */
static enum status check_recipients(const struct checking *checking, struct err *err) {
	for (size_t i = 0; i < checking->plan->recipient_count; i++) {
		struct directory_listed listed;
		TRY(directory_find(checking->request, &listed, &checking->plan->recipients[i], err));
	}
	return STATUS_OK;
}

enum status plan_check(struct actor_request *request, const struct stock *stock, struct plan *plan, struct err *err) {
	struct checking checking = {.request = request, .stock = stock, .plan = plan};
	uint64_t captured_at;
	if (!is_large(plan)) return STATUS_OK;
	TRY(medicines_captured_at(request, &captured_at, &request->home->account, &plan->document.hash, 0, err));
	if (captured_at) return STATUS_OK; /* the same document again: what it did stands */
	TRY(check_recipients(&checking, err));
	for (size_t i = 0; i < plan->step_count; i++) TRY(check_step(&checking, &plan->steps[i], err));
	return STATUS_OK;
}
