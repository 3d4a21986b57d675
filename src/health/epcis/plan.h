/*
 * From EPCIS events to the chain: which operations follow from a document, what its recipients must know, and sending
 * it all. The events of a document take effect together or not at all.
 *
 *	ObjectEvent ADD commissioning      openBatch and commission; openContainer for SSCCs
 *	AggregationEvent ADD / DELETE      packUnits, packContainers / unpackUnits, unpackContainers
 *	ObjectEvent shipping, void_shipping, receiving, accepting
 *	ObjectEvent dispensing, retail_selling
 *	ObjectEvent destroying, sampling, holding, or with disposition stolen: changeUnits
 *	persistentDisposition set or unset recalled: of lots recallBatch, reverseRecall; of packs a mark
 *	dispensing with disposition partially_dispensed: changeUnits; with an errorDeclaration: undoDispense
 *
 * Anything else is listed as not captured, with the reason; another errorDeclaration refuses the document. Loose units
 * that are shipped travel in a container of their own without an SSCC; receiving them unpacks them again.
 *
 * Ownership: the request's arena. Threads: as the request.
 */
#ifndef HEALTH_EPCIS_PLAN_H
#define HEALTH_EPCIS_PLAN_H

#include "health/epcis/epcis.h"
#include "health/gs1/epc.h"
#include "health/trace/capture.h"
#include "health/trace/stock.h"

/* What a pack or a case says of itself beside its name. */
struct plan_print {
	size_t event;                                                      /* from 1; 0: the caller scanned it */
	char code[EPC_CODE_MAX], gtin[15], serial[21], lot[21], expiry[7]; /* as in a scan */
};
struct plan_prints {
	struct plan_print *list;
	size_t count, room;
};
/* Nothing is added of a scan that says neither lot nor expiry. */
void plan_print_scan(struct plan_prints *prints, struct arena *arena, const struct scan *scan, size_t event);

/* What a document may leave open. */
struct plan_wish {
	unsigned this_year;
	const char *lot;   /* NULL: none */
	uint64_t expiry_s; /* 0: none */
	addr20 to;         /* zero: the event's destination */
	enum medicines_purpose purpose;
	const char *reason;        /* of a recall or its reversal; the chain gets its salted hash */
	addr20 recipient;          /* a further reader of the sealed document; zero: none */
	struct plan_prints prints; /* what was scanned beside the document: held against what is registered */
	bool keeps_all;            /* a document that moves nothing on the chain is no failure */
};
struct plan_skipped {
	size_t event; /* from 1 */
	const char *why;
};
/* What a plan does, one after the other. Units are numbers in the plan's document. */
enum plan_kind {
	PLAN_CALL,
	PLAN_COMMISSION,
	PLAN_PACK,
	PLAN_UNPACK,
	PLAN_CHANGE,
	PLAN_DISPENSE,
	PLAN_UNRECALL,
	PLAN_UNDO, /* of a dispense */
	PLAN_OPEN,
	PLAN_KIND_COUNT
};
struct plan_step {
	enum plan_kind kind;
	struct bytes call;          /* CALL: an operation's calldata; OPEN: one that opens a lot or a container */
	hash32 container;           /* PACK, UNPACK; OPEN, until the plan is ordered: the one that it opens */
	enum medicines_state state; /* CHANGE */
	const uint32_t *units;      /* of all but these two; of COMMISSION those of one batch, not on the chain yet */
	uint32_t unit_count;
};
bool plan_step_is_call(const struct plan_step *step);
struct plan {
	const struct epcis_document *epcis;
	hash32 events_root;
	struct plan_step *steps;
	size_t step_count, step_room;
	struct document document;
	uint8_t *
	    depths; /* of its units: where their product's table has their places, as a node said; NULL, 0: not known */
	addr20 recipients[DOCUMENT_RECIPIENTS_MAX];
	size_t recipient_count;
	bool is_captured; /* by this home, to its end: the document is the kept one, and there are no steps */
	struct plan_skipped *skipped;
	size_t skipped_count;
	size_t failed_event; /* from 1: the one for which it was not made; 0: another reason */
};
/* The plan that was begun for this document and not ended, if the home keeps one; the document itself, if this home
 * captured it before; else a new one. STATUS_INVALID or
 * STATUS_NOTFOUND name the event and what is missing; STATUS_UNSUPPORTED: nothing in it is captured, or an event that
 * cannot be. STATUS_DENIED: it needs several transactions, and the chain would refuse a later one; or what is
 * printed on a pack is not what is registered. */
MUST_USE enum status plan_make(struct plan *out, struct actor_request *request, const struct stock *stock,
    const struct epcis_document *epcis, const struct plan_wish *wish, struct err *err);

/* What became of it: a result for each transaction. */
struct plan_results {
	struct capture_result *parts;
	size_t count, room;
};
/*
 * Sends the plan in as many transactions as the chain makes of it, and keeps the document. How much one of them takes
 * is measured. A plan of more than one is kept in the home until it ends, with where each part was cut: after a crash
 * the same document goes on from there.
 */
MUST_USE enum status plan_run(struct actor_request *request, const struct stock *stock, struct plan *plan,
    struct plan_results *results, struct err *err);
/* To the sender, the plan's recipients, and of each batch the manufacturer and the regulator. */
MUST_USE enum status plan_seal(
    struct actor_request *request, struct buf *sealed, const struct plan *plan, struct err *err);

/* An actor in an event: "did:pkh:eip155:7697:0x…" (CAIP-10). */
const char *plan_party(struct actor_request *request, const addr20 *actor);

#endif
