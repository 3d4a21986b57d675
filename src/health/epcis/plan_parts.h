/* Inside epcis: a plan as parts, each of which is one transaction. */
#ifndef HEALTH_EPCIS_PLAN_PARTS_H
#define HEALTH_EPCIS_PLAN_PARTS_H

#include "health/epcis/planner.h"

/* Parts of one of the first two kinds do not depend on each other: if one of them fails, those behind it do what they
 * did anyway, and it can be sent again. */
enum plan_part_kind {
	PLAN_PART_COMMISSIONS, /* opens lots and containers, and commissions */
	PLAN_PART_PACKS,       /* opens containers, and packs what the chain holds already */
	PLAN_PART_ALONE,       /* anything else */
};
struct plan_runner {
	struct actor_request *request;
	struct plan *plan;
	struct plan_position at; /* the next part begins here */
	uint32_t number;         /* of the next part */
	struct plan_cuts cuts;   /* as they are kept */
	uint32_t units_max;      /* of a part */
	uint32_t *next;          /* by batch: the index that its next unit will have */
	uint64_t sent, all;      /* units */
};
struct plan_part {
	struct capture_entry entry;
	struct plan_position begin, end;
	enum plan_part_kind kind;
	uint32_t units;
	uint32_t *commissioned; /* pairs: a step, and the first of its units; in the order of the operations */
	uint32_t *counts;       /* and how many */
	size_t commissioned_count;
};
/* The next part: as much as fits, and nothing behind `cut` if that is not NULL. The plan is not at its end. */
void plan_part_form(struct plan_runner *runner, struct plan_part *part, const struct plan_position *cut);
/* Takes back the last part that was formed. */
void plan_part_unform(struct plan_runner *runner, const struct plan_part *part);
/* The root over the leaves of some units of a step. */
hash32 plan_part_root(const struct plan *plan, const struct plan_step *step, uint32_t from, uint32_t count);

#endif
