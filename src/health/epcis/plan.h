/*
 * From EPCIS events to the chain: which operations follow from a document, what its recipients must know, and sending
 * it all. The events of a document take effect together or not at all.
 *
 *	ObjectEvent ADD commissioning      openBatch and commission; openContainer for SSCCs
 *	AggregationEvent ADD / DELETE      packUnits, packContainers / unpackUnits, unpackContainers
 *	ObjectEvent shipping, void_shipping, receiving, accepting
 *	ObjectEvent dispensing, retail_selling
 *	ObjectEvent destroying, sampling, holding, or with disposition stolen: changeUnits
 *	persistentDisposition set recalled on a lot: recallBatch
 *
 * Anything else is listed as not captured, with the reason; so are events with an errorDeclaration. Loose units that
 * are shipped travel in a container of their own without an SSCC; receiving them unpacks them again.
 *
 * Ownership: the request's arena. Threads: as the request.
 */
#ifndef HEALTH_EPCIS_PLAN_H
#define HEALTH_EPCIS_PLAN_H

#include "health/epcis/epcis.h"
#include "health/trace/capture.h"
#include "health/trace/stock.h"

/* What a document may leave open. */
struct plan_wish {
	unsigned this_year;
	const char *lot;   /* NULL: none */
	uint64_t expiry_s; /* 0: none */
	addr20 to;         /* zero: the event's destination */
	enum medicines_purpose purpose;
	const char *reason; /* of a recall; the chain gets its salted hash */
	addr20 recipient;   /* a further reader of the sealed document; zero: none */
};
struct plan_skipped {
	size_t event; /* from 1 */
	const char *why;
};
#define PLAN_PARTS_MAX 64u
struct plan {
	const struct epcis_document *epcis;
	hash32 events_root;
	struct capture *parts;
	size_t part_count;
	struct document document;
	addr20 recipients[DOCUMENT_RECIPIENTS_MAX];
	size_t recipient_count;
	struct plan_skipped *skipped;
	size_t skipped_count;
};
/* STATUS_INVALID or STATUS_NOTFOUND name the event and what is missing; STATUS_UNSUPPORTED: nothing in it is captured.
 */
MUST_USE enum status plan_make(struct plan *out, struct actor_request *request, const struct stock *stock,
    const struct epcis_document *epcis, const struct plan_wish *wish, struct err *err);
/* Sends the parts in order and keeps the document; `results` has a place for each part. */
MUST_USE enum status plan_run(struct actor_request *request, const struct stock *stock, const struct plan *plan,
    struct capture_result *results, struct err *err);
/* To the sender, the plan's recipients, and of each batch the manufacturer and the regulator. */
MUST_USE enum status plan_seal(
    struct actor_request *request, struct buf *sealed, const struct plan *plan, struct err *err);

/* An actor in an event: "did:pkh:eip155:7697:0x…" (CAIP-10). */
const char *plan_party(struct actor_request *request, const addr20 *actor);

#endif
