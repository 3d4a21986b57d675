/*
 * Would the product's table take all of these serials? It keeps 41 bits of each and rarely takes a sound one for
 * another (docs/decisions/0073).
 *
 * For one that the table has: neither the home's documents nor a proof of a slot say so before it happens, so a node is
 * asked. Nobody proves the answer: a node that lies here can only bring about what happened without asking, or make the
 * maker pay for reads. For another one of the same document: that is seen here.
 */
#include "health/contracts/cause.h"
#include "health/contracts/products.h"
#include "health/epcis/planner.h"
#include "health/gs1/epc.h"

#define ASKED_AT_ONCE 5000u /* what nodes run in one call, at up to 5,000 gas a serial */
#define DEPTH_REFUSED 0xffu

static enum status ask(struct actor_request *request, struct bytes *depths, const hash32 *product, const hash32 *tags,
    size_t count, struct err *err) {
	const struct deployment *deployment = &request->home->deployment;
	struct client_verdict verdict;
	struct bytes output;
	const struct bytes call =
	    products_look_up_call(request->arena, product, serial_packs(request->arena, tags, NULL, count));
	*depths = bytes_make(NULL, 0);
	TRY(client_call(request->client, &output, &verdict, request->arena, &request->home->account,
	    &deployment->products, call, err));
	if (!verdict.ok) return STATUS_OK; /* a node that does not run it so far: the transactions are tried again */
	TRY(products_look_up_read(depths, output, err));
	if (depths->len == count) return STATUS_OK;
	return err_set(err, STATUS_CORRUPT, "the node says nothing of some serials");
}

enum status plan_look_up_serials(struct actor_request *request, size_t *at, uint8_t *depths, const hash32 *product,
    const hash32 *tags, size_t count, struct err *err) {
	memset(depths, 0, count);
	for (*at = 0; *at < count;) {
		const size_t some = count - *at < ASKED_AT_ONCE ? count - *at : ASKED_AT_ONCE;
		const size_t end = *at + some;
		struct bytes said;
		TRY(ask(request, &said, product, tags + *at, some, err));
		for (size_t i = 0; i < said.len; i++, ++*at) {
			if (said.data[i] == DEPTH_REFUSED) return STATUS_OK;
			depths[*at] = said.data[i];
		}
		*at = end;
	}
	return STATUS_OK;
}

struct table {
	struct actor_request *request;
	const hash32 *product;
};

static enum status is_in(void *context, bool *out, uint64_t fragment, struct err *err) {
	const struct table *table = context;
	return medicines_serial_is_in(table->request, out, table->product, fragment, err);
}

enum status plan_compare_serials(struct actor_request *request, size_t *at, const hash32 *product, const hash32 *tags,
    size_t count, struct err *err) {
	struct table table = {request, product};
	uint64_t *fragments = arena_alloc(request->arena, (count + 1) * sizeof *fragments);
	for (size_t i = 0; i < count; i++) fragments[i] = serial_fragment(&tags[i]);
	return serials_first_alike(at, fragments, count, is_in, &table, err);
}

/* --- refusals --- */

const char *plan_admit_text(struct arena *arena, const char *gtin, const char *serial) {
	struct scan scan = {.fault = SCAN_FAULT_NONE};
	char link[EPC_TEXT_MAX] = "";
	memcpy(scan.gtin, gtin, strlen(gtin) + 1);
	memcpy(scan.serial, serial, strlen(serial) + 1);
	if (!epc_digital_link(link, &scan)) link[0] = 0;
	return arena_printf(arena,
	    "if it is on no other pack, a regulator admits it (xinglin product admit \"%s\"): then send this again",
	    link);
}

static bool is_about(const struct document_unit *unit, const struct client_verdict *verdict) {
	return memcmp(unit->tag.b, verdict->refusal.refused.thing.b, SERIAL_FRAGMENT_BYTES) == 0;
}

enum status plan_refusal(
    const struct plan *plan, struct arena *arena, const struct client_verdict *verdict, struct err *err) {
	const struct document *document = &plan->document;
	const enum medicines_code code = verdict->refusal.refused.code;
	if (verdict->refusal.error != CONTRACT_ERROR_REFUSED || code != MEDICINES_CODE_DUPLICATE_SERIAL)
		return medicines_refusal(verdict, err);
	for (uint32_t i = 0; i < document->unit_count; i++) {
		const struct document_unit *unit = &document->units[i];
		const char *gtin = document->batches[unit->batch].gtin;
		if (!is_about(unit, verdict)) continue;
		return err_because(err, CAUSE_MEDICINES + code,
		    err_set(err, STATUS_DENIED,
			"%s: serial %s of GTIN %s was commissioned before, or looks like one that was; %s",
			medicines_code_name(code), unit->serial, gtin, plan_admit_text(arena, gtin, unit->serial)));
	}
	return medicines_refusal(verdict, err);
}
