#include "health/trace/history_private.h"

#define PARENTS_DEEP 8u /* containers nest no deeper, by the contract */

static bool has(const struct history_containers *set, const hash32 *id) {
	for (size_t i = 0; i < set->count; i++)
		if (hash32_equal(&set->ids[i], id)) return true;
	return false;
}

static bool add(struct history_containers *set, const hash32 *id) {
	if (has(set, id)) return true;
	if (set->count == HISTORY_CONTAINERS_MAX) return false;
	set->ids[set->count++] = *id;
	return true;
}

static void del(struct history_containers *set, const hash32 *id) {
	for (size_t i = 0; i < set->count; i++)
		if (hash32_equal(&set->ids[i], id)) {
			set->ids[i] = set->ids[--set->count];
			return;
		}
}

const char *history_word(enum medicines_event_kind kind) {
	static const char *const words[] = {
	    [MEDICINES_EVENT_BATCH_OPENED] = "opened",
	    [MEDICINES_EVENT_COMMISSIONED] = "commissioned",
	    [MEDICINES_EVENT_UNITS_PACKED] = "packed",
	    [MEDICINES_EVENT_UNITS_UNPACKED] = "unpacked",
	    [MEDICINES_EVENT_CONTAINER_PACKED] = "container packed",
	    [MEDICINES_EVENT_CONTAINER_UNPACKED] = "container unpacked",
	    [MEDICINES_EVENT_SHIPPED] = "shipped",
	    [MEDICINES_EVENT_ACCEPTED] = "accepted",
	    [MEDICINES_EVENT_SHIPPING_ENDED] = "shipping ended",
	    [MEDICINES_EVENT_CONTAINER_MOVED] = "moved by a regulator",
	    [MEDICINES_EVENT_STOCK_MOVED] = "stock moved by a regulator",
	    [MEDICINES_EVENT_CONTAINER_HELD] = "container held or released",
	    [MEDICINES_EVENT_UNIT_CHANGED] = "changed",
	    [MEDICINES_EVENT_DISPENSED] = "changed",
	    [MEDICINES_EVENT_ALERT] = "alert",
	    [MEDICINES_EVENT_BATCH_RECALLED] = "batch recalled",
	};
	return (size_t)kind < sizeof words / sizeof *words ? words[kind] : NULL;
}

struct history {
	struct actor_request *request;
	const struct stock_unit *unit;
	struct history_containers known;  /* that some document puts this pack into */
	struct history_containers asked;  /* and those around them: whose events are read */
	struct history_containers around; /* that hold the pack at the present point of the story */
	struct client_log *logs;
	size_t log_count;
	bool asks_anew; /* and takes nothing that is kept */
};

/* --- what to ask for --- */

#define FILTERS_MAX (7u + 2u * HISTORY_CONTAINERS_MAX)

static void put_filter(
    struct history *history, struct client_log_filter *filters, size_t *count, struct contract_topics topics) {
	struct client_log_filter *filter = &filters[(*count)++];
	*filter = (struct client_log_filter){.address = &history->request->home->deployment.medicines};
	memcpy(filter->topics, topics.topics, sizeof filter->topics);
	memcpy(filter->has_topic, topics.has_topic, sizeof filter->has_topic);
}

/* As the node shows them now. */
static enum status ask_node(
    struct history *history, const struct client_log_filter *filters, size_t filter_count, struct err *err) {
	struct actor_request *request = history->request;
	struct client_log **parts = arena_alloc(request->arena, filter_count * sizeof *parts);
	size_t *counts = arena_alloc(request->arena, filter_count * sizeof *counts), all = 0;
	for (size_t i = 0; i < filter_count; i++) {
		TRY(client_logs(request->client, &parts[i], &counts[i], request->arena, &filters[i], err));
		all += counts[i];
	}
	history->logs = arena_alloc(request->arena, (all + 1) * sizeof *history->logs);
	history->log_count = 0;
	for (size_t i = 0; i < filter_count; i++)
		for (size_t n = 0; n < counts[i]; n++) history->logs[history->log_count++] = parts[i][n];
	logs_settle(history->logs, &history->log_count);
	return STATUS_OK;
}

static enum status read_logs(struct history *history, struct err *err) {
	const hash32 *batch = &history->unit->batch.id;
	uint32_t index = history->unit->unit.index;
	struct arena *arena = history->request->arena;
	struct client_log_filter *filters = arena_zalloc(arena, FILTERS_MAX, sizeof *filters);
	size_t count = 0;
	put_filter(history, filters, &count, medicines_batch_opened_event_topics(batch, NULL));
	put_filter(history, filters, &count, medicines_commissioned_event_topics(batch, &history->unit->part.number));
	put_filter(history, filters, &count, medicines_batch_recalled_event_topics(batch, NULL));
	put_filter(history, filters, &count, medicines_alert_event_topics(batch, NULL, NULL));
	put_filter(history, filters, &count, medicines_unit_changed_event_topics(batch, &index, NULL));
	put_filter(history, filters, &count, medicines_stock_moved_event_topics(batch, NULL, NULL));
	put_filter(history, filters, &count, medicines_dispensed_event_topics(batch, &index));
	for (size_t i = 0; i < history->asked.count; i++) {
		const hash32 *id = &history->asked.ids[i];
		struct contract_topics any = {.topics[1] = *id, .has_topic[1] = true};
		put_filter(history, filters, &count, any);
		put_filter(history, filters, &count, medicines_container_packed_event_topics(NULL, id));
	}
	if (!history->asks_anew)
		return client_logs_kept(
		    history->request->client, &history->logs, &history->log_count, arena, filters, count, err);
	return ask_node(history, filters, count, err);
}

/* Containers into which those were packed whose events were read. */
static enum status add_parents(struct history *history, struct err *err) {
	for (size_t i = 0; i < history->log_count; i++) {
		struct medicines_container_packed_event event;
		if (!hash32_equal(&history->logs[i].log.topics[0], &medicines_container_packed_event_topic)) continue;
		TRY(medicines_container_packed_event_read(&event, &history->logs[i].log, err));
		if (has(&history->asked, &event.child) && !add(&history->asked, &event.parent))
			return err_set(
			    err, STATUS_LIMIT, "the pack went through more than %u containers", HISTORY_CONTAINERS_MAX);
	}
	return STATUS_OK;
}

/* --- does an event concern the pack? --- */

static bool is_unit(const struct history *history, const hash32 *batch, uint32_t index) {
	return hash32_equal(batch, &history->unit->batch.id) && index == history->unit->unit.index;
}

/* Containers are followed as they close and open around the pack. */
static bool packs(struct history *history, const struct medicines_units_packed_event *event) {
	if (!hash32_equal(&event->batch, &history->unit->batch.id)) return false;
	return has(&history->known, &event->container) && add(&history->around, &event->container);
}

static bool packs_container(struct history *history, const struct medicines_container_packed_event *event) {
	return has(&history->around, &event->child) && add(&history->around, &event->parent);
}

static bool unpacks_container(struct history *history, const struct medicines_container_unpacked_event *event) {
	if (!has(&history->around, &event->parent) || !has(&history->around, &event->child)) return false;
	del(&history->around, &event->parent);
	return true;
}

/* *container: which one moved, or NULL. */
static bool concerns(struct history *history, const struct medicines_event *event, const hash32 **container) {
	const struct history_containers *around = &history->around;
	*container = NULL;
	switch (event->kind) {
	case MEDICINES_EVENT_BATCH_OPENED:
	case MEDICINES_EVENT_COMMISSIONED:
	case MEDICINES_EVENT_BATCH_RECALLED: return true; /* of this batch: no other was asked for */
	case MEDICINES_EVENT_UNIT_CHANGED:
		return is_unit(history, &event->unit_changed.batch, event->unit_changed.index);
	case MEDICINES_EVENT_DISPENSED: return is_unit(history, &event->dispensed.batch, event->dispensed.index);
	case MEDICINES_EVENT_ALERT: return is_unit(history, &event->alert.batch, event->alert.index);
	case MEDICINES_EVENT_UNITS_PACKED:
		*container = &event->units_packed.container;
		return packs(history, &event->units_packed);
	case MEDICINES_EVENT_UNITS_UNPACKED:
		*container = &event->units_unpacked.container;
		return has(around, *container) && hash32_equal(&event->units_unpacked.batch, &history->unit->batch.id);
	case MEDICINES_EVENT_CONTAINER_PACKED:
		*container = &event->container_packed.parent;
		return packs_container(history, &event->container_packed);
	case MEDICINES_EVENT_CONTAINER_UNPACKED:
		*container = &event->container_unpacked.parent;
		return unpacks_container(history, &event->container_unpacked);
	case MEDICINES_EVENT_CONTAINER_MOVED: return has(around, *container = &event->container_moved.container);
	case MEDICINES_EVENT_STOCK_MOVED: return true;
	case MEDICINES_EVENT_SHIPPED: return has(around, *container = &event->shipped.container);
	case MEDICINES_EVENT_ACCEPTED: return has(around, *container = &event->accepted.container);
	case MEDICINES_EVENT_SHIPPING_ENDED: return has(around, *container = &event->shipping_ended.container);
	case MEDICINES_EVENT_CONTAINER_HELD: return has(around, *container = &event->container_held.container);
	case MEDICINES_EVENT_CAPTURED:
	case MEDICINES_EVENT_CAPTURE_REPEATED:
	case MEDICINES_EVENT_CONTAINER_OPENED:
	case MEDICINES_EVENT_PRODUCT_WITHDRAWN:
	case MEDICINES_EVENT_RECALL_ACKNOWLEDGED: return false;
	}
	return false;
}

/* `logs`: of each entry. */
static enum status tell(struct history *history, struct history_entry *entries, const struct client_log **logs,
    size_t *count, const struct stock *stock, struct err *err) {
	*count = 0;
	for (size_t i = 0; i < history->log_count; i++) {
		const struct client_log *log = &history->logs[i];
		struct history_entry *entry = &entries[*count];
		TRY(medicines_event_read(&entry->event, history->request->arena, &log->log, err));
		if (!concerns(history, &entry->event, &entry->container)) continue;
		entry->code = NULL;
		if (entry->event.kind == MEDICINES_EVENT_DISPENSED)
			TRY(medicines_actor(
			    history->request, &entry->dispenser, medicines_dispenser(&entry->event.dispensed), err));
		if (entry->container) TRY(stock_code(stock, &entry->code, entry->container, err));
		entry->block_number = log->block_number;
		entry->timestamp = log->timestamp;
		entry->tx_hash = log->tx_hash;
		logs[(*count)++] = log;
	}
	return STATUS_OK;
}

static enum status add_known(struct history *history, const hash32 *ids, size_t count, struct err *err) {
	for (size_t i = 0; i < count; i++)
		if (!add(&history->known, &ids[i]))
			return err_set(
			    err, STATUS_LIMIT, "the pack went through more than %u containers", HISTORY_CONTAINERS_MAX);
	return STATUS_OK;
}

/* By documents, and the one that the chain proves it to be in. */
static enum status read_known(struct history *history, const struct stock *stock, struct err *err) {
	const struct medicines_unit place = {history->unit->batch.id, history->unit->unit.index};
	struct medicines_holding holding;
	hash32 *known;
	size_t count;
	TRY(stock_containers_of(stock, &known, &count, &place, err));
	TRY(add_known(history, known, count, err));
	TRY(medicines_holder(history->request, &holding, &place, err));
	return hash32_is_zero(&holding.container) ? STATUS_OK : add_known(history, &holding.container, 1, err);
}

static enum status read_story(struct history *history, struct history_entry **out, size_t *count,
    struct history_end *end, const struct stock *stock, struct err *err) {
	struct arena *arena = history->request->arena;
	size_t before;
	history->asked = history->known;
	history->around.count = 0;
	for (unsigned deep = 0; deep <= PARENTS_DEEP; deep++) {
		before = history->asked.count;
		TRY(read_logs(history, err));
		TRY(add_parents(history, err));
		if (history->asked.count == before) break;
	}
	*out = arena_zalloc(arena, history->log_count + 1, sizeof **out);
	const struct client_log **logs = arena_alloc(arena, (history->log_count + 1) * sizeof *logs);
	TRY(tell(history, *out, logs, count, stock, err));
	TRY(history_prove(history->request, logs, *count, err));
	return history_check_end(history->request, end, *out, *count, history->unit, &history->around, err);
}

enum status history_read(struct actor_request *request, struct history_entry **out, size_t *count,
    struct history_end *end, const struct stock *stock, const struct stock_unit *unit, struct err *err) {
	struct history *history = arena_zalloc(request->arena, 1, sizeof *history);
	struct err why = {0};
	*history = (struct history){.request = request, .unit = unit};
	TRY(read_known(history, stock, err));
	if (read_story(history, out, count, end, stock, &why) == STATUS_OK && end->is_complete) return STATUS_OK;
	history->asks_anew = true;
	return read_story(history, out, count, end, stock, err);
}
