#include "health/trace/judge.h"

#include "codec/hex.h"
#include "health/gs1/gs1.h"
#include "health/trace/products.h"
#include "health/trace/tags.h"

enum judge_print judge_print(
    const char *lot, const char *expiry, const struct document_batch *batch, unsigned this_year) {
	uint64_t printed;
	if (lot[0] && strcmp(lot, batch->lot) != 0) return JUDGE_PRINT_LOT;
	if (expiry[0] && (!gs1_expiry_seconds(&printed, bytes_text(expiry), this_year) || printed != batch->expiry_s))
		return JUDGE_PRINT_EXPIRY;
	return JUDGE_PRINT_AGREES;
}

const char *judge_print_text(struct arena *arena, enum judge_print print, const char *lot) {
	switch (print) {
	case JUDGE_PRINT_AGREES: return "";
	case JUDGE_PRINT_LOT: return arena_printf(arena, "wrong-lot: this serial belongs to another lot than %s", lot);
	case JUDGE_PRINT_EXPIRY: return "wrong-expiry: this serial has another expiry";
	}
	BUG_ON(true);
}

const char *judge_rival_text(struct arena *arena, const struct stock_unit *unit) {
	struct buf one, other;
	buf_init(&one, 64);
	buf_init(&other, 64);
	hex_put(&one, BYTES_OF(unit->batch.owner), true);
	hex_put(&other, BYTES_OF(unit->rival->owner), true);
	const char *text = arena_printf(arena,
	    "two-packs: documents name two packs of this GTIN and serial, of lot %s (maker %s) and of lot %s (maker %s); "
	    "one of them is no pack of this GTIN: ask a regulator which (xinglin pack check)",
	    unit->batch.lot, buf_cstr(&one), unit->rival->lot, buf_cstr(&other));
	buf_fini(&one);
	buf_fini(&other);
	return text;
}

static enum status judge_known(struct actor_request *request, struct judge_result *out, const struct scan *scan,
    unsigned this_year, struct err *err) {
	struct medicines_unit place = {out->unit.batch.id, out->unit.unit.index};
	TRY(medicines_unit(request, &out->state, &place, err));
	enum medicines_state state = out->state.effective;
	out->print = judge_print(scan->lot, scan->expiry, &out->unit.batch, this_year);
	bool agrees = out->print == JUDGE_PRINT_AGREES && !out->unit.rival;
	bool is_here = state == MEDICINES_STATE_ACTIVE || state == MEDICINES_STATE_PACKED;
	out->is_saleable = agrees && is_here && !out->state.barred;
	out->verdict = agrees && (is_here || state == MEDICINES_STATE_IN_TRANSIT) ? JUDGE_GOOD : JUDGE_BAD;
	return STATUS_OK;
}

/* Whoever holds the product's key can say more than that it is unknown here. */
static enum status judge_unknown(struct actor_request *request, struct judge_result *out, const struct stock *stock,
    const struct scan *scan, struct err *err) {
	struct product product;
	out->verdict = JUDGE_UNKNOWN;
	TRY(stock_diagnose(stock, out->advice, scan, err));
	enum status status = product_load(request, &product, scan->gtin, err);
	if (status == STATUS_NOTFOUND) return STATUS_OK;
	TRY(status);
	hash32 product_tag = product.tag;
	hash32 unit_tag = tag_unit(&product.key, scan->gtin, scan->serial);
	mem_wipe(&product, sizeof product);
	out->verdict = JUDGE_FOREIGN;
	return medicines_is_commissioned(request, &out->is_commissioned, &product_tag, &unit_tag, err);
}

enum status judge_pack(struct actor_request *request, struct judge_result *out, const struct stock *stock,
    const struct scan *scan, unsigned this_year, struct err *err) {
	bool found;
	*out = (struct judge_result){.verdict = JUDGE_UNKNOWN};
	TRY(stock_unit(stock, &out->unit, &found, scan->gtin, scan->serial, err));
	return found ? judge_known(request, out, scan, this_year, err) : judge_unknown(request, out, stock, scan, err);
}

enum status judge_lot(struct actor_request *request, hash32 *batch, const struct stock *stock, const char *gtin,
    const char *lot, struct err *err) {
	struct document_batch known;
	struct product product;
	bool found;
	TRY(stock_lot(stock, &known, &found, gtin, lot, err));
	if (found) {
		*batch = known.id;
		return STATUS_OK;
	}
	enum status status = product_load(request, &product, gtin, err);
	if (status == STATUS_NOTFOUND)
		return err_set(err, status, "this home knows neither lot %s nor the key of product %s", lot, gtin);
	TRY(status);
	hash32 product_tag = product.tag, batch_tag = tag_batch(&product.key, gtin, lot);
	mem_wipe(&product, sizeof product);
	*batch = tag_batch_id(&product_tag, &batch_tag);
	return STATUS_OK;
}

enum status judge_holders(
    struct actor_request *request, struct judge_holders *out, const hash32 *batch, struct err *err) {
	*out = (struct judge_holders){.live = 0};
	TRY(medicines_batch(request, &out->batch, batch, err));
	if (out->batch.number == 0)
		return err_set(err, STATUS_NOTFOUND, "UNKNOWN_BATCH: this batch was never commissioned");
	TRY(medicines_holders(request, &out->rows, &out->count, batch, err));
	for (size_t i = 0; i < out->count; i++) out->live += out->rows[i].count;
	if (out->live <= out->batch.commissioned) return STATUS_OK;
	return err_set(err, STATUS_CORRUPT, "holders do not add up: %llu live of %u", (unsigned long long)out->live,
	    out->batch.commissioned);
}
