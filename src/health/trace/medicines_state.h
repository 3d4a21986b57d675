/*
 * What the contracts of products and medicines hold, proved at a head that this home believes
 * (health/chain/verified.h). A node can refuse to answer, and cannot lie.
 *
 * Ownership: the request's arena. Threads: as the request. Source: docs/wire-formats.md §8.
 */
#ifndef HEALTH_TRACE_MEDICINES_STATE_H
#define HEALTH_TRACE_MEDICINES_STATE_H

#include "health/actors/request.h"
#include "health/contracts/medicines.h"
#include "health/contracts/products.h"
#include "health/trace/serials.h"

/* By its ordinal in the directory; zeros for 0. */
MUST_USE enum status medicines_actor(struct actor_request *request, addr20 *out, uint32_t ordinal, struct err *err);
/* What an event says of the document of a unit that was dispensed alone. */
#define MEDICINES_DOCUMENT_BYTES 29u
static inline uint32_t medicines_dispenser(const struct medicines_dispensed_event *event) {
	const uint8_t *ordinal = event->document.b + MEDICINES_DOCUMENT_BYTES;
	return (uint32_t)ordinal[0] << 16 | (uint32_t)ordinal[1] << 8 | ordinal[2];
}
/* A product whose owner is 0 was never registered. */
MUST_USE enum status medicines_product(
    struct actor_request *request, struct products_product *out, const hash32 *product, struct err *err);
/* Flags of a batch: recalled; takes no more units; withdrawn with its product. */
enum medicines_lot_flag { MEDICINES_LOT_RECALLED = 1, MEDICINES_LOT_CLOSED = 2, MEDICINES_LOT_WITHDRAWN = 4 };
/* A batch whose `number` is 0 was never opened. */
MUST_USE enum status medicines_batch(
    struct actor_request *request, struct medicines_stored_batch *out, const hash32 *batch, struct err *err);
/* How many lots of a product were opened. */
MUST_USE enum status medicines_lots_of(
    struct actor_request *request, uint64_t *out, const hash32 *product, struct err *err);
/* A part whose `count` is 0 was never commissioned. */
MUST_USE enum status medicines_part(struct actor_request *request, struct medicines_stored_part *out,
    const hash32 *batch, uint32_t part, struct err *err);

/* A container, with custody as its outermost one has it. */
struct medicines_container_view {
	hash32 parent; /* zeros: outermost */
	addr20 custodian, receiver;
	enum medicines_purpose purpose; /* of the pending transfer */
	uint32_t contents;              /* units and containers directly inside */
	bool held;                      /* itself, or one around it */
};
/* `*found` false: it was never opened. */
MUST_USE enum status medicines_container(struct actor_request *request, struct medicines_container_view *out,
    bool *found, const hash32 *container, struct err *err);
/* Asks for what is said of these units in few questions; later ones about each of them cost none. */
MUST_USE enum status medicines_expect_units(
    struct actor_request *request, const struct medicines_unit *units, size_t count, struct err *err);

struct medicines_unit_view {
	enum medicines_state stored; /* without marks */
	enum medicines_state
	    effective; /* the worst of unit, product, batch, containers; an ended unit stays what it is */
	uint64_t expiry;
	bool held, recalled, barred, withdrawn, expired, packed, in_transit;
};
/* STATUS_NOTFOUND: the batch has no such unit. */
MUST_USE enum status medicines_unit(
    struct actor_request *request, struct medicines_unit_view *out, const struct medicines_unit *unit, struct err *err);

struct medicines_holding {
	addr20 custodian, receiver;
	hash32 container; /* that holds the units directly; zeros: loose */
	uint32_t count;   /* live units */
	uint32_t place;   /* the row's */
};
/* Of an ended unit, who had it then. */
MUST_USE enum status medicines_holder(
    struct actor_request *request, struct medicines_holding *out, const struct medicines_unit *unit, struct err *err);
/* All present holders of a batch: the counts of their rows add up to its live units. */
MUST_USE enum status medicines_holders(struct actor_request *request, const struct medicines_holding **rows,
    size_t *count, const hash32 *batch, struct err *err);
/* When was this document captured by this sender? 0: never. */
MUST_USE enum status medicines_captured_at(struct actor_request *request, uint64_t *seconds, const addr20 *sender,
    const hash32 *document, uint32_t part, struct err *err);
/*
 * A document of one unit that is dispensed is no capture. Is this one the last of its kind that the sender dispensed
 * from the same row, and is the unit dispensed?
 */
MUST_USE enum status medicines_is_last_dispense(struct actor_request *request, bool *out, const addr20 *sender,
    const hash32 *document, const struct medicines_unit *unit, struct err *err);
/* The place of the first of these tags that the product's table of serials does not hold; `count`: it holds all. */
MUST_USE enum status medicines_find_serials(struct actor_request *request, size_t *missing, const hash32 *product,
    const hash32 *tags, size_t count, struct err *err);
/* The place of the first of these tags that the table does hold; `count`: it holds none. */
MUST_USE enum status medicines_find_commissioned(struct actor_request *request, size_t *at, const hash32 *product,
    const hash32 *tags, size_t count, struct err *err);
/* Does the table have this fragment, or its like? */
MUST_USE enum status medicines_serial_is_in(
    struct actor_request *request, bool *out, const hash32 *product, uint64_t fragment, struct err *err);
/* Was this serial of the product ever commissioned? Its tag shows it. */
MUST_USE enum status medicines_is_commissioned(
    struct actor_request *request, bool *out, const hash32 *product, const hash32 *unit_tag, struct err *err);

#endif
