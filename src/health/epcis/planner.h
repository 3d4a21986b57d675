/* Inside epcis: what the handlers of events share while a plan is made. */
#ifndef HEALTH_EPCIS_PLANNER_H
#define HEALTH_EPCIS_PLANNER_H

#include "health/epcis/plan.h"

struct planner {
	struct actor_request *request;
	const struct stock *stock;
	const struct plan_wish *wish;
	struct plan *plan;
};
struct capture *planner_part(struct planner *planner);
MUST_USE enum status planner_new_part(struct planner *planner, struct err *err);
MUST_USE enum status planner_add(struct planner *planner, struct bytes operation, struct err *err);
MUST_USE enum status planner_recipient(struct planner *planner, const addr20 *actor, struct err *err);
MUST_USE enum status planner_scan(struct scan *out, struct bytes epc, struct err *err);
/* The unit's place in the plan's document, to which it is copied from the stock. STATUS_NOTFOUND: this home
 * has never heard of it. */
MUST_USE enum status planner_unit(struct planner *planner, uint32_t *out, const struct scan *scan, struct err *err);
uint32_t planner_copy_unit(struct planner *planner, const struct stock_unit *found);
struct medicines_unit planner_ref(const struct planner *planner, uint32_t unit);
/* The container's id; a new one is opened where `may_open`. */
MUST_USE enum status planner_container(
    struct planner *planner, hash32 *out, const struct scan *scan, bool may_open, struct err *err);
/* One operation for each batch and at most 256 units. */
typedef struct bytes planner_units_op(
    struct planner *planner, const hash32 *batch, const uint32_t *indexes, size_t count, void *context);
MUST_USE enum status planner_named_units(struct planner *planner, const uint32_t *units, size_t count,
    planner_units_op *make, void *context, struct err *err);
bool planner_party(struct actor_request *request, addr20 *out, struct bytes text);

/* plan_make.c: what comes to be */
MUST_USE enum status planner_commission(struct planner *planner, const struct epcis_event *event, struct err *err);
MUST_USE enum status planner_pack(struct planner *planner, const struct epcis_event *event, struct err *err);
/* plan_move.c: what moves and ends */
MUST_USE enum status planner_ship(struct planner *planner, const struct epcis_event *event, struct err *err);
MUST_USE enum status planner_receive(struct planner *planner, const struct epcis_event *event, struct err *err);
MUST_USE enum status planner_dispense(struct planner *planner, const struct epcis_event *event, struct err *err);
MUST_USE enum status planner_recall(struct planner *planner, const struct epcis_event *event, struct err *err);
/* Which state a step gives to units one by one; MEDICINES_STATE_NONE: it is no such step. */
enum medicines_state planner_state_of(const struct epcis_event *event);
MUST_USE enum status planner_change(struct planner *planner, const struct epcis_event *event, struct err *err);

#endif
