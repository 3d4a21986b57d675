/* Inside epcis: what the handlers of events share while a plan is made. */
#ifndef HEALTH_EPCIS_PLANNER_H
#define HEALTH_EPCIS_PLANNER_H

#include "health/epcis/plan.h"
#include "health/trace/places.h"

/* A container that this plan puts into another one: the chain does not know it yet. */
struct planner_child {
	hash32 parent, child;
};
struct planner {
	struct actor_request *request;
	const struct stock *stock;
	const struct plan_wish *wish;
	struct plan *plan;
	struct places units;      /* of the document, by GTIN and serial */
	struct places containers; /* of the document, by code */
	struct places cases;      /* codes that an aggregation of this document has as its parent */
	struct places opened;     /* ids of containers that this plan opens */
	struct places batches;    /* ids of those that this plan commissions into: the day of their expiry */
	struct places moved;      /* units of the document that this plan packs or unpacks, by GTIN and serial */
	struct planner_child *children;
	size_t child_count, child_room;
	struct places products;    /* GTINs that were looked for: 1 if this home knows the product */
	struct places handed;      /* units of the document by GTIN and serial: 1 if it dispenses them */
	struct plan_prints prints; /* of the events so far */
	size_t event;              /* the one that is read, from 1; 0: none */
	struct bytes *shipments;   /* calls that go last */
	size_t shipment_count, shipment_room;
};
/* Steps in order; shipments go last. */
void planner_add_step(struct planner *planner, const struct plan_step *step);
void planner_add_call(struct planner *planner, struct bytes call);
/* Of a container, or (NULL) of a lot. */
void planner_add_opening(struct planner *planner, struct bytes call, const hash32 *container);
void planner_add_shipment(struct planner *planner, struct bytes call);
MUST_USE enum status planner_recipient(struct planner *planner, const addr20 *actor, struct err *err);
/* What the event's scans and its ilmd say of lot and expiry is kept, and judged when all events were read. */
MUST_USE enum status planner_scan(struct planner *planner, struct scan *out, struct bytes epc, struct err *err);
/* The unit's place in the plan's document, to which it is copied from the stock. STATUS_NOTFOUND: this home
 * has never heard of it. */
MUST_USE enum status planner_unit(struct planner *planner, uint32_t *out, const struct scan *scan, struct err *err);
uint32_t planner_copy_unit(struct planner *planner, const struct stock_unit *found);
/* STATUS_INVALID: this document commissions it. */
MUST_USE enum status planner_ref(
    const struct planner *planner, struct medicines_unit *out, uint32_t unit, struct err *err);
/* Of all packs that the event names, in its order. */
MUST_USE enum status planner_units(
    struct planner *planner, uint32_t **out, const struct epcis_event *event, struct err *err);
/* Adds a unit that the document does not name yet. */
void planner_add_unit(struct planner *planner, const struct document_unit *unit);
/* Packed into the container, or DOCUMENT_NO_CONTAINER. */
void planner_set_container(struct planner *planner, uint32_t unit, uint32_t container);
bool planner_has_moved(const struct planner *planner, uint32_t unit);
/*
 * Is it a container? Every SSCC is one. A GTIN with a serial is one (a case) if an aggregation of this document has it
 * as its parent; if its GTIN's indicator (1 to 8) says that it is a package of others, and a document of this home
 * knows it as a container, or nobody knows it as a pack: no document, and no key of its product in this home.
 */
MUST_USE enum status planner_is_container(struct planner *planner, bool *out, const struct scan *scan, struct err *err);
/* Which container of those that have the code: whoever opens one chooses its code, so a code alone names none. */
enum planner_choice {
	PLANNER_HELD,   /* in this account's custody */
	PLANNER_FILLED, /* likewise; else a new one is opened */
	PLANNER_COMING, /* on its way to this account */
};
/* Its id. If none fits, one that this account has to do with otherwise, or any: the contract refuses it. */
MUST_USE enum status planner_container(
    struct planner *planner, hash32 *out, const struct scan *scan, enum planner_choice choice, struct err *err);
void planner_add_child(struct planner *planner, const hash32 *parent, const hash32 *child);
/* A step of these units, batch by batch. `like` has its kind and what belongs to it. */
void planner_add_units(struct planner *planner, const struct plan_step *like, const uint32_t *units, size_t count);
bool planner_party(struct actor_request *request, addr20 *out, struct bytes text);

/* How far a plan is: whole steps, and units of the next one. */
struct plan_position {
	uint32_t step, unit;
};
/* plan_keep.c: a plan that is on its way, and where its parts were cut, by their numbers. One that turned out too large
 * is cut again: the rest of it becomes the last part. STATUS_NOTFOUND: none is kept for this document. */
struct plan_cut {
	struct plan_position begin, end;
};
struct plan_cuts {
	struct plan_cut *list;
	size_t count, room;
};
MUST_USE enum status plan_keep(struct actor_request *request, const struct plan *plan, struct err *err);
MUST_USE enum status plan_keep_cuts(
    struct actor_request *request, const struct plan *plan, const struct plan_cuts *cuts, struct err *err);
MUST_USE enum status plan_find(struct actor_request *request, struct plan *plan, struct err *err);
MUST_USE enum status plan_find_cuts(
    struct actor_request *request, const struct plan *plan, struct plan_cuts *cuts, struct err *err);
/* The texts of both, whatever they are. */
MUST_USE enum status plan_parse(struct actor_request *request, struct plan *plan, struct bytes text, struct err *err);
MUST_USE enum status plan_parse_cuts(struct plan_cuts *cuts, struct arena *arena, struct bytes text, struct err *err);
void plan_forget(struct actor_request *request, const struct plan *plan);

/* plan_serials.c: the first tag that the product's table would take for another one, although it was not commissioned;
 * `count`: none. plan_look_up_serials: for one that the table has, as a node says, and nobody proves. `depths`: of
 * those before it, where the table has their places; 0: the node did not say. plan_compare_serials: for one before it
 * in the list. */
MUST_USE enum status plan_look_up_serials(struct actor_request *request, size_t *at, uint8_t *depths,
    const hash32 *product, const hash32 *tags, size_t count, struct err *err);
MUST_USE enum status plan_compare_serials(struct actor_request *request, size_t *at, const hash32 *product,
    const hash32 *tags, size_t count, struct err *err);

/* What a manufacturer does about a sound serial that is taken for another: a sentence. */
const char *plan_admit_text(struct arena *arena, const char *gtin, const char *serial);
/* medicines_refusal, with the serial that it is about if there is one. */
MUST_USE enum status plan_refusal(
    const struct plan *plan, struct arena *arena, const struct client_verdict *verdict, struct err *err);

/* plan_strange.c: is nothing that the event names known to this home, no product, pack or container? */
MUST_USE enum status planner_is_strange(
    struct planner *planner, bool *out, const struct epcis_event *event, struct err *err);

/* plan_order.c: mixes what is commissioned, so that no pack's place tells its neighbours' serials. */
void plan_order(struct plan *plan, struct arena *arena);

/* plan_check.c: would the chain take all of it? STATUS_DENIED says what it would refuse, by its stable name. A document
 * of one transaction is not looked at: the contract does that. Sets the plan's depths. */
MUST_USE enum status plan_check(
    struct actor_request *request, const struct stock *stock, struct plan *plan, struct err *err);

/* plan_print.c. STATUS_DENIED: a lot or an expiry is not the registered one. */
MUST_USE enum status planner_print_ilmd(
    struct planner *planner, const struct scan *scan, const struct epcis_event *event, struct err *err);
MUST_USE enum status planner_judge_prints(struct planner *planner, struct err *err);

/* plan_make.c: what comes to be */
MUST_USE enum status planner_commission(struct planner *planner, const struct epcis_event *event, struct err *err);
MUST_USE enum status planner_pack(struct planner *planner, const struct epcis_event *event, struct err *err);
/* plan_move.c: what moves and ends */
MUST_USE enum status planner_ship(struct planner *planner, const struct epcis_event *event, struct err *err);
/* Of a document that was captured before: whoever a shipment goes to reads it too. */
MUST_USE enum status planner_receiver(struct planner *planner, const struct epcis_event *event, struct err *err);
MUST_USE enum status planner_receive(struct planner *planner, const struct epcis_event *event, struct err *err);
MUST_USE enum status planner_dispense(struct planner *planner, const struct epcis_event *event, struct err *err);
/* Or takes a recall back. */
MUST_USE enum status planner_recall(struct planner *planner, const struct epcis_event *event, struct err *err);
/* Which state a step gives to units one by one; MEDICINES_STATE_NONE: it is no such step. */
enum medicines_state planner_state_of(const struct epcis_event *event);
MUST_USE enum status planner_void(struct planner *planner, const struct epcis_event *event, struct err *err);
MUST_USE enum status planner_change(struct planner *planner, const struct epcis_event *event, struct err *err);
/* What this home's account dispensed, and now says it did not. */
MUST_USE enum status planner_undo(struct planner *planner, const struct epcis_event *event, struct err *err);

#endif
