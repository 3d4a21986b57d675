/* What the chain says of a sealed document. */
#include "health/actors/directory.h"
#include "health/trace/document.h"
#include "health/trace/medicines.h"
#include "health/trace/products.h"
#include "health/trace/tags.h"

/* The packs of a lot that a document names. */
struct serials {
	const char **names;
	hash32 *tags;
	size_t count;
};

static enum status check_part(
    struct actor_request *request, const struct document *document, const struct document_part *part, struct err *err) {
	const struct document_batch *batch = &document->batches[part->batch];
	struct medicines_stored_part held;
	TRY(medicines_part(request, &held, &batch->id, part->number, err));
	if (part->first == held.first && part->count == held.count &&
	    memcmp(part->root.b, held.root, sizeof held.root) == 0)
		return STATUS_OK;
	return err_set(err, STATUS_DENIED, "lot %s: what the chain holds has not this document's serials", batch->lot);
}

/* --- lots and serials --- */

/* What a document says of a lot beside its packs: who makes it, and which regulator gets every document about it. */
static enum status check_actors(struct actor_request *request, const struct document_batch *batch,
    const struct products_product *product, struct err *err) {
	struct directory_listed regulator;
	if (!addr20_equal(&product->owner, &batch->owner))
		return err_set(
		    err, STATUS_DENIED, "lot %s: its product has another owner than the document says", batch->lot);
	const enum status status = directory_find(request, &regulator, &batch->regulator, err);
	if (status != STATUS_OK && status != STATUS_NOTFOUND) return status;
	if (status == STATUS_OK && regulator.roles & ROLE_REGULATOR) return STATUS_OK;
	return err_set(
	    err, STATUS_DENIED, "lot %s: the document names a regulator that the directory does not list", batch->lot);
}

/* With the product's key: are lot and tags those of what is printed? Without it, the parts' leaves bind names to
 * tags, and only a maker that lies about its own packs is not seen. */
static enum status check_names(
    struct actor_request *request, const struct document_batch *batch, const struct serials *serials, struct err *err) {
	struct product product;
	size_t right = 0;
	const enum status status = product_load(request, &product, batch->gtin, err);
	if (status == STATUS_NOTFOUND && serials->count) return STATUS_OK;
	if (status == STATUS_NOTFOUND)
		return err_set(err, STATUS_DENIED,
		    "lot %s: the document names none of its packs, so it proves nothing without the product's key",
		    batch->lot);
	TRY(status);
	const hash32 tag = tag_batch(&product.key, batch->gtin, batch->lot), id = tag_batch_id(&product.tag, &tag);
	for (; right < serials->count; right++) {
		const hash32 unit = tag_unit(&product.key, batch->gtin, serials->names[right]);
		if (!hash32_equal(&unit, &serials->tags[right])) break;
	}
	mem_wipe(&product, sizeof product);
	if (right < serials->count)
		return err_set(err, STATUS_DENIED, "lot %s, serial %s: its tag is another serial's", batch->lot,
		    serials->names[right]);
	if (hash32_equal(&id, &batch->id)) return STATUS_OK;
	return err_set(
	    err, STATUS_DENIED, "lot %s: the document gives it another lot's place on the chain", batch->lot);
}

static struct serials serials_of(const struct document *document, uint32_t batch, struct arena *arena) {
	struct serials out = {.tags = arena_alloc(arena, ((size_t)document->unit_count + 1) * sizeof *out.tags),
	    .names = arena_alloc(arena, ((size_t)document->unit_count + 1) * sizeof *out.names)};
	for (uint32_t i = 0; i < document->unit_count; i++) {
		if (document->units[i].batch != batch) continue;
		out.names[out.count] = document->units[i].serial;
		out.tags[out.count++] = document->units[i].tag;
	}
	return out;
}

static enum status check_batch(
    struct actor_request *request, const struct document *document, uint32_t at, struct err *err) {
	const struct document_batch *batch = &document->batches[at];
	const struct serials serials = serials_of(document, at, request->arena);
	struct medicines_stored_batch held;
	struct products_product product;
	size_t missing;
	TRY(medicines_batch(request, &held, &batch->id, err));
	if (held.number == 0 || held.expiry != batch->expiry_s)
		return err_set(
		    err, STATUS_DENIED, "lot %s: the chain holds another batch than the document says", batch->lot);
	TRY(medicines_product(request, &product, &held.product, err));
	TRY(check_actors(request, batch, &product, err));
	/* Tags that the product's table does not hold could be commissioned a second time. */
	TRY(medicines_find_serials(request, &missing, &held.product, serials.tags, serials.count, err));
	if (missing < serials.count)
		return err_set(err, STATUS_DENIED, "lot %s, serial %s: it was not commissioned as this serial",
		    batch->lot, serials.names[missing]);
	return check_names(request, batch, &serials, err);
}

/* Code, opener and salt give the id, and somebody opened that: under this code. */
static enum status check_container(
    struct actor_request *request, const struct document_container *container, struct err *err) {
	struct medicines_container_view view;
	bool found;
	TRY(medicines_container(request, &view, &found, &container->id, err));
	if (found) return STATUS_OK;
	return err_set(err, STATUS_DENIED, "the chain holds no container %s as the document describes it",
	    container->code[0] ? container->code : "of a loose shipment");
}

/* --- captures --- */

/* The unit's event, for a document that dispensed one and of which the row has forgotten by now. The node tells it. */
static enum status has_dispensed(struct actor_request *request, bool *out, const struct document *document,
    const struct medicines_unit *unit, struct err *err) {
	const struct contract_topics topics = medicines_dispensed_event_topics(&unit->batch, &unit->index);
	struct client_log *logs;
	size_t count;
	TRY(request_logs(request, &logs, &count, &request->home->deployment.medicines, 0, &topics, err));
	for (size_t i = 0; i < count && !*out; i++) {
		struct medicines_dispensed_event event;
		addr20 dispenser;
		TRY(medicines_dispensed_event_read(&event, &logs[i].log, err));
		if (memcmp(event.document.b, document->hash.b, MEDICINES_DOCUMENT_BYTES) != 0) continue;
		TRY(medicines_actor(request, &dispenser, medicines_dispenser(&event), err));
		*out = addr20_equal(&dispenser, &document->sender);
	}
	return STATUS_OK;
}

enum status document_is_captured(
    struct actor_request *request, bool *out, const struct document *document, struct err *err) {
	uint64_t at = 0;
	TRY(medicines_captured_at(request, &at, &document->sender, &document->hash, 0, err));
	*out = at != 0;
	if (*out || document->unit_count != 1) return STATUS_OK;
	const struct document_unit *of = &document->units[0];
	const struct medicines_unit unit = {document->batches[of->batch].id, of->index};
	if (of->part == DOCUMENT_NO_PART) return STATUS_OK;
	TRY(medicines_is_last_dispense(request, out, &document->sender, &document->hash, &unit, err));
	return *out ? STATUS_OK : has_dispensed(request, out, document, &unit, err);
}

enum status document_check(struct actor_request *request, const struct document *document, struct err *err) {
	bool is_captured = document->epcis.len == 0; /* a reference has no EPCIS text: its parts' proofs speak for it */
	if (!is_captured) TRY(document_is_captured(request, &is_captured, document, err));
	if (!is_captured)
		return err_set(err, STATUS_DENIED, "the chain holds no capture of this document by its sender");
	for (uint32_t i = 0; i < document->batch_count; i++) TRY(check_batch(request, document, i, err));
	for (uint32_t i = 0; i < document->container_count; i++)
		TRY(check_container(request, &document->containers[i], err));
	for (uint32_t i = 0; i < document->part_count; i++)
		TRY(check_part(request, document, &document->parts[i], err));
	return STATUS_OK;
}
