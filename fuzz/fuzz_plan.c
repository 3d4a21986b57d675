/* A plan that a home keeps, and where it was cut, with anything in them: what is taken names only what is there. */
#include "fuzz/target.h"
#include "health/epcis/planner.h"

static void read_plan(struct arena *arena, struct bytes data) {
	static struct home home = {.deployment = {.chain_id = 7697, .medicines = {{0x22}}}};
	struct actor_request request = {.home = &home, .arena = arena};
	struct plan plan = {.step_count = 0};
	if (plan_parse(&request, &plan, data, NULL) != STATUS_OK) return;
	BUG_ON(plan.recipient_count > DOCUMENT_RECIPIENTS_MAX);
	for (size_t i = 0; i < plan.step_count; i++) {
		const struct plan_step *step = &plan.steps[i];
		BUG_ON(plan_step_is_call(step) ? !step->call.data : step->unit_count == 0);
		for (uint32_t n = 0; n < step->unit_count; n++) BUG_ON(step->units[n] >= plan.document.unit_count);
	}
	for (uint32_t i = 0; i < plan.document.unit_count; i++)
		BUG_ON(plan.document.units[i].batch >= plan.document.batch_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const struct bytes rest = bytes_slice(bytes_make(data, size), 1, size);
	struct plan_cuts cuts;
	struct arena arena;
	arena_init(&arena);
	if (size && data[0] % 2 == 0) read_plan(&arena, rest);
	if (size && data[0] % 2 == 1 && plan_parse_cuts(&cuts, &arena, rest, NULL) == STATUS_OK)
		BUG_ON(cuts.count > size);
	arena_fini(&arena);
	return 0;
}
