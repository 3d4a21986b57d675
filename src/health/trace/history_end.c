/* Is every event of a story one of the chain's, and does the story account for what the chain proves of the pack now?
 */
#include "health/chain/settled.h"
#include "health/contracts/cause.h"
#include "health/trace/history_private.h"

/* --- events --- */

/* Its transaction's receipt holds it. */
static enum status prove(struct verified *verified, struct arena *arena, const struct settled_block *block,
    const struct client_log *log, struct err *err) {
	struct client_receipt receipt;
	const size_t place = settled_place(block, &log->tx_hash);
	bool holds = false;
	if (place < block->count) {
		TRY(settled_receipts(&receipt, verified->client, arena, block, &place, 1, err));
		holds = settled_holds(&receipt, log);
	}
	if (holds) return STATUS_OK;
	return err_because(err, CAUSE_NOT_PROVED,
	    err_set(err, STATUS_DENIED, "not proved: block %llu does not hold what the node shows of the pack",
		(unsigned long long)log->block_number));
}

/* `count` events of one block, which the head descends from. */
static enum status prove_block(
    struct verified *verified, const struct client_log *const *logs, size_t count, struct err *err) {
	struct settled_block block;
	struct arena arena;
	arena_init(&arena);
	enum status status =
	    settled_read(&block, verified->client, &arena, &verified->head, logs[0]->block_number, err);
	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = prove(verified, &arena, &block, logs[i], err);
	arena_fini(&arena);
	return status;
}

enum status history_prove(
    struct actor_request *request, const struct client_log *const *logs, size_t count, struct err *err) {
	struct verified *verified;
	size_t n;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	if (count && logs[count - 1]->block_number > verified->head.number)
		TRY(verified_head(verified, HEADS_FRESH, err));
	for (size_t at = 0; at < count; at += n) {
		for (n = 1; at + n < count; n++)
			if (logs[at + n]->block_number != logs[at]->block_number) break;
		progress_at(request->progress, "proving the pack's history", at + n, count);
		TRY(prove_block(verified, logs + at, n, err));
	}
	return STATUS_OK;
}

/* --- the end --- */

struct telling {
	struct actor_request *request;
	const struct history_entry *entries;
	size_t count;
	const struct stock_unit *unit;
	const hash32 *around;
	size_t around_count;
};

static bool is_around(const struct telling *telling, const hash32 *container) {
	for (size_t i = 0; i < telling->around_count; i++)
		if (hash32_equal(&telling->around[i], container)) return true;
	return false;
}

/* Whom the pack is said to have gone to, or, with `ships`, to be on its way to. */
static bool goes_to(const struct telling *telling, const addr20 *actor, bool ships) {
	for (size_t i = 0; i < telling->count; i++) {
		const struct medicines_event *event = &telling->entries[i].event;
		const addr20 *to = NULL;
		if (event->kind == MEDICINES_EVENT_SHIPPED && ships) to = &event->shipped.to;
		if (event->kind == MEDICINES_EVENT_ACCEPTED && !ships) to = &event->accepted.to;
		if (event->kind == MEDICINES_EVENT_CONTAINER_MOVED && !ships) to = &event->container_moved.to;
		if (event->kind == MEDICINES_EVENT_STOCK_MOVED && !ships) to = &event->stock_moved.to;
		if (to && addr20_equal(to, actor)) return true;
	}
	return false;
}

/* The newest change that is no mark; NONE: there is none. */
static enum medicines_state last_state(const struct telling *telling) {
	for (size_t i = telling->count; i-- > 0;) {
		const struct medicines_event *event = &telling->entries[i].event;
		if (event->kind == MEDICINES_EVENT_DISPENSED) return MEDICINES_STATE_DISPENSED;
		if (event->kind != MEDICINES_EVENT_UNIT_CHANGED) continue;
		const enum medicines_state state = (enum medicines_state)event->unit_changed.state;
		if (state != MEDICINES_STATE_ACTIVE && state != MEDICINES_STATE_HELD &&
		    state != MEDICINES_STATE_LOCKED && state != MEDICINES_STATE_RECALLED)
			return state;
	}
	return MEDICINES_STATE_NONE;
}

/* A hold or a recall of the pack or of a container around it. */
static bool was_marked(const struct telling *telling) {
	for (size_t i = 0; i < telling->count; i++) {
		const struct medicines_event *event = &telling->entries[i].event;
		if (event->kind == MEDICINES_EVENT_CONTAINER_HELD || event->kind == MEDICINES_EVENT_BATCH_RECALLED)
			return true;
		if (event->kind == MEDICINES_EVENT_UNIT_CHANGED && event->unit_changed.state != MEDICINES_STATE_ACTIVE)
			return true;
	}
	return false;
}

static enum status check_place(struct telling *telling, const char **missing, struct err *err) {
	const struct medicines_unit ref = {telling->unit->batch.id, telling->unit->unit.index};
	struct medicines_holding holding;
	TRY(medicines_holder(telling->request, &holding, &ref, err));
	if (!addr20_equal(&holding.custodian, &telling->unit->batch.owner) &&
	    !goes_to(telling, &holding.custodian, false))
		*missing = "how it came to its present holder";
	if (!addr20_is_zero(&holding.receiver) && !goes_to(telling, &holding.receiver, true))
		*missing = "the shipment that it is in";
	for (hash32 at = holding.container; !hash32_is_zero(&at);) {
		struct medicines_container_view view;
		bool found;
		if (!is_around(telling, &at)) *missing = "how it came into its present containers";
		TRY(medicines_container(telling->request, &view, &found, &at, err));
		at = view.parent;
	}
	return STATUS_OK;
}

static enum status check_state(struct telling *telling, const char **missing, struct err *err) {
	const struct medicines_unit ref = {telling->unit->batch.id, telling->unit->unit.index};
	struct medicines_unit_view view;
	TRY(medicines_unit(telling->request, &view, &ref, err));
	const enum medicines_state told = last_state(telling);
	const bool is_opened = view.stored == MEDICINES_STATE_OPENED_DISPENSED;
	const enum medicines_state now = is_opened ? MEDICINES_STATE_DISPENSED : view.stored;
	if (now != MEDICINES_STATE_ACTIVE && now != MEDICINES_STATE_BACK && now != told)
		*missing = "how it came to its present state";
	if ((view.held || view.recalled) && !was_marked(telling)) *missing = "who held or recalled it";
	return STATUS_OK;
}

/* Alerts are a list that is proved whole. */
static enum status check_alerts(struct telling *telling, const char **missing, struct err *err) {
	struct medicines_alert *alerts;
	size_t count, ours = 0, told = 0;
	TRY(medicines_alerts(telling->request, &alerts, &count, &telling->unit->batch.id, 1, NULL, err));
	for (size_t i = 0; i < count; i++) ours += alerts[i].event.index == telling->unit->unit.index;
	for (size_t i = 0; i < telling->count; i++) told += telling->entries[i].event.kind == MEDICINES_EVENT_ALERT;
	if (ours != told) *missing = "alerts";
	return STATUS_OK;
}

enum status history_check_end(struct actor_request *request, struct history_end *out,
    const struct history_entry *entries, size_t count, const struct stock_unit *unit,
    const struct history_containers *around, struct err *err) {
	struct telling telling = {request, entries, count, unit, around->ids, around->count};
	struct medicines_stored_batch batch;
	bool is_recalled = false;
	*out = (struct history_end){.missing = NULL};
	TRY(check_place(&telling, &out->missing, err));
	TRY(check_state(&telling, &out->missing, err));
	TRY(check_alerts(&telling, &out->missing, err));
	TRY(medicines_batch(request, &batch, &unit->batch.id, err));
	for (size_t i = 0; i < count; i++)
		if (entries[i].event.kind == MEDICINES_EVENT_BATCH_RECALLED)
			is_recalled = entries[i].event.batch_recalled.recalled;
	if (is_recalled != ((batch.flags & MEDICINES_LOT_RECALLED) != 0))
		out->missing = "a recall of its lot, or that it was taken back";
	out->is_complete = !out->missing;
	return STATUS_OK;
}
