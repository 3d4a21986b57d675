/* xinglin pack trace: a pack's history, from the chain's events. */
#include "app/commands/commands.h"
#include "app/commands/pack.h"

#define CONTAINERS_MAX 256u

/* Containers that hold the pack at the present point of the history. */
struct around {
	hash32 ids[CONTAINERS_MAX];
	size_t count;
};

static size_t find(const struct around *around, const hash32 *id) {
	size_t i = 0;
	while (i < around->count && !hash32_equal(&around->ids[i], id)) i++;
	return i;
}

static void add(struct around *around, const hash32 *id) {
	if (find(around, id) == around->count && around->count < CONTAINERS_MAX) around->ids[around->count++] = *id;
}

static void del(struct around *around, const hash32 *id) {
	size_t i = find(around, id);
	if (i < around->count) around->ids[i] = around->ids[--around->count];
}

/* What a history calls the events that can concern a pack. */
static const char *const kind_names[] = {
    [MEDICINES_EVENT_BATCH_OPENED] = "opened",
    [MEDICINES_EVENT_COMMISSIONED] = "commissioned",
    [MEDICINES_EVENT_UNITS_PACKED] = "packed",
    [MEDICINES_EVENT_UNITS_UNPACKED] = "unpacked",
    [MEDICINES_EVENT_CONTAINER_PACKED] = "container packed",
    [MEDICINES_EVENT_CONTAINER_UNPACKED] = "container unpacked",
    [MEDICINES_EVENT_SHIPPED] = "shipped",
    [MEDICINES_EVENT_ACCEPTED] = "accepted",
    [MEDICINES_EVENT_SHIPPING_ENDED] = "shipping ended",
    [MEDICINES_EVENT_CONTAINER_HELD] = "container held or released",
    [MEDICINES_EVENT_UNIT_CHANGED] = "changed",
    [MEDICINES_EVENT_ALERT] = "alert",
    [MEDICINES_EVENT_BATCH_RECALLED] = "batch recalled",
};

struct history {
	const struct stock *stock;
	const struct stock_unit *unit;
	hash32 known[CONTAINERS_MAX]; /* that some document puts this unit into */
	size_t known_count;
	struct around around;
};

static void read_known(struct history *out) {
	for (size_t d = 0; d < out->stock->count; d++) {
		const struct document *document = &out->stock->documents[d];
		for (uint32_t i = 0; i < document->unit_count && out->known_count < CONTAINERS_MAX; i++) {
			const struct known_unit *unit = &document->units[i];
			if (unit->container == NO_CONTAINER || !hash32_equal(&unit->tag, &out->unit->unit->tag))
				continue;
			out->known[out->known_count++] = document->containers[unit->container].id;
		}
	}
}

static bool holds_unit(const struct history *history, const hash32 *container) {
	for (size_t i = 0; i < history->known_count; i++)
		if (hash32_equal(&history->known[i], container)) return true;
	return false;
}

static bool is_around(const struct history *history, const hash32 *container) {
	return find(&history->around, container) < history->around.count;
}

static bool is_unit(const struct history *history, const hash32 *batch, uint32_t index) {
	return hash32_equal(batch, &history->unit->batch->id) && index == history->unit->unit->index;
}

/* Containers are followed as they close and open around the pack. */
static bool packs(struct history *history, const struct medicines_units_packed_event *event) {
	if (!hash32_equal(&event->batch, &history->unit->batch->id)) return false;
	if (!holds_unit(history, &event->container)) return false;
	add(&history->around, &event->container);
	return true;
}

static bool packs_container(struct history *history, const struct medicines_container_packed_event *event) {
	if (!is_around(history, &event->child)) return false;
	add(&history->around, &event->parent);
	return true;
}

static bool unpacks_container(struct history *history, const struct medicines_container_unpacked_event *event) {
	if (!is_around(history, &event->parent) || !is_around(history, &event->child)) return false;
	del(&history->around, &event->parent);
	return true;
}

/* Does this event concern the pack? */
static bool concerns(struct history *history, const struct medicines_event *event) {
	const hash32 *batch = &history->unit->batch->id;
	switch (event->kind) {
	case MEDICINES_EVENT_BATCH_OPENED: return hash32_equal(&event->batch_opened.batch, batch);
	case MEDICINES_EVENT_COMMISSIONED: return hash32_equal(&event->commissioned.batch, batch);
	case MEDICINES_EVENT_BATCH_RECALLED: return hash32_equal(&event->batch_recalled.batch, batch);
	case MEDICINES_EVENT_UNIT_CHANGED:
		return is_unit(history, &event->unit_changed.batch, event->unit_changed.index);
	case MEDICINES_EVENT_ALERT: return is_unit(history, &event->alert.batch, event->alert.index);
	case MEDICINES_EVENT_UNITS_PACKED: return packs(history, &event->units_packed);
	case MEDICINES_EVENT_UNITS_UNPACKED:
		return is_around(history, &event->units_unpacked.container) &&
		       hash32_equal(&event->units_unpacked.batch, batch);
	case MEDICINES_EVENT_CONTAINER_PACKED: return packs_container(history, &event->container_packed);
	case MEDICINES_EVENT_CONTAINER_UNPACKED: return unpacks_container(history, &event->container_unpacked);
	case MEDICINES_EVENT_SHIPPED: return is_around(history, &event->shipped.container);
	case MEDICINES_EVENT_ACCEPTED: return is_around(history, &event->accepted.container);
	case MEDICINES_EVENT_SHIPPING_ENDED: return is_around(history, &event->shipping_ended.container);
	case MEDICINES_EVENT_CONTAINER_HELD: return is_around(history, &event->container_held.container);
	case MEDICINES_EVENT_CAPTURED:
	case MEDICINES_EVENT_CAPTURE_REPEATED:
	case MEDICINES_EVENT_CONTAINER_OPENED:
	case MEDICINES_EVENT_PRODUCT_GROWN:
	case MEDICINES_EVENT_PRODUCT_REGISTERED:
	case MEDICINES_EVENT_PRODUCT_WITHDRAWN:
	case MEDICINES_EVENT_RECALL_ACKNOWLEDGED: return false;
	}
	return false;
}

static void put_container(struct cli *cli, const struct history *history, const hash32 *container) {
	const char *sscc = stock_sscc_of(history->stock, container);
	cli_put_hex(cli, "container", bytes_make(container->b, 8));
	if (sscc && sscc[0]) cli_put_text(cli, "sscc", sscc);
}

static void put_transfer(
    struct cli *cli, const struct history *history, const hash32 *container, const addr20 *from, const addr20 *to) {
	put_container(cli, history, container);
	pack_put_actor(cli, "from", from);
	pack_put_actor(cli, "to", to);
}

static void put_details(struct cli *cli, const struct history *history, const struct medicines_event *event) {
	switch (event->kind) {
	case MEDICINES_EVENT_UNITS_PACKED: put_container(cli, history, &event->units_packed.container); break;
	case MEDICINES_EVENT_UNITS_UNPACKED: put_container(cli, history, &event->units_unpacked.container); break;
	case MEDICINES_EVENT_CONTAINER_PACKED: put_container(cli, history, &event->container_packed.parent); break;
	case MEDICINES_EVENT_CONTAINER_UNPACKED: put_container(cli, history, &event->container_unpacked.parent); break;
	case MEDICINES_EVENT_SHIPPED:
		put_transfer(cli, history, &event->shipped.container, &event->shipped.from, &event->shipped.to);
		cli_put_text(cli, "purpose", medicines_purpose_word(event->shipped.purpose));
		break;
	case MEDICINES_EVENT_ACCEPTED:
		put_transfer(cli, history, &event->accepted.container, &event->accepted.from, &event->accepted.to);
		break;
	case MEDICINES_EVENT_SHIPPING_ENDED:
		put_transfer(cli, history, &event->shipping_ended.container, &event->shipping_ended.from,
		    &event->shipping_ended.to);
		break;
	case MEDICINES_EVENT_CONTAINER_HELD:
		put_container(cli, history, &event->container_held.container);
		pack_put_actor(cli, "by", &event->container_held.by);
		cli_put_bool(cli, "held", event->container_held.held);
		break;
	case MEDICINES_EVENT_BATCH_RECALLED: pack_put_actor(cli, "by", &event->batch_recalled.by); break;
	case MEDICINES_EVENT_UNIT_CHANGED:
		cli_put_text(cli, "state", medicines_state_name(event->unit_changed.state));
		pack_put_actor(cli, "by", &event->unit_changed.by);
		break;
	case MEDICINES_EVENT_ALERT:
		cli_put_text(cli, "code", medicines_code_name(event->alert.code));
		pack_put_actor(cli, "by", &event->alert.by);
		pack_put_actor(cli, "other", &event->alert.other);
		break;
	case MEDICINES_EVENT_BATCH_OPENED:
	case MEDICINES_EVENT_COMMISSIONED:
	case MEDICINES_EVENT_CAPTURED:
	case MEDICINES_EVENT_CAPTURE_REPEATED:
	case MEDICINES_EVENT_CONTAINER_OPENED:
	case MEDICINES_EVENT_PRODUCT_GROWN:
	case MEDICINES_EVENT_PRODUCT_REGISTERED:
	case MEDICINES_EVENT_PRODUCT_WITHDRAWN:
	case MEDICINES_EVENT_RECALL_ACKNOWLEDGED: break;
	}
}

static enum status cmd_pack_trace(struct cli *cli, struct err *err) {
	struct client_log_filter filter = {.address = NULL};
	struct client_log *logs;
	size_t count;
	struct scan scan;
	struct stock stock;
	struct stock_unit unit;
	TRY(pack_scan(&scan, cli->arguments[0], err));
	TRY(pack_open(cli, &stock, err));
	if (!stock_find_unit(&unit, &stock, scan.gtin, scan.serial))
		return err_set(err, STATUS_NOTFOUND, "no document of this home names this pack");
	struct history *history = arena_zalloc(&cli->arena, 1, sizeof *history);
	history->stock = &stock;
	history->unit = &unit;
	read_known(history);
	filter.address = &cli->request.home->deployment.medicines;
	TRY(client_logs(cli->request.client, &logs, &count, &cli->arena, &filter, err));
	cli_put_text(cli, "gtin", unit.batch->gtin);
	cli_put_text(cli, "serial", unit.unit->serial);
	cli_put_text(cli, "lot", unit.batch->lot);
	json_array_begin(&cli->writer, "history");
	for (size_t i = 0; i < count; i++) {
		struct medicines_event event;
		TRY(medicines_event_read(&event, &cli->arena, &logs[i].log, err));
		if (!concerns(history, &event)) continue;
		json_object_begin(&cli->writer, NULL);
		cli_put_text(cli, "what", kind_names[event.kind]);
		cli_put_u64(cli, "block", logs[i].block_number);
		if (logs[i].timestamp) cli_put_time(cli, "at", logs[i].timestamp);
		put_details(cli, history, &event);
		cli_put_hex(cli, "transaction", BYTES_OF(logs[i].tx_hash));
		json_object_end(&cli->writer);
	}
	json_array_end(&cli->writer);
	return STATUS_OK;
}

const struct cli_command command_pack_trace = {
    .name = "pack trace",
    .arguments = "SCAN",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "a pack's history: lot, containers, transfers, changes, alerts",
    .teach = "From the chain's events; SSCCs are shown where a document of this home names them.\n\n"
	     "  xinglin pack trace \"https://id.gs1.org/01/04012345678901/21/12345\" --home maker",
    .needs_home = true,
    .run = cmd_pack_trace,
};
