/* xinglin pack trace: a pack's history (health/trace/history.h), printed. */
#include "app/commands/commands.h"
#include "app/commands/pack.h"
#include "health/trace/history.h"

static void put_transfer(struct cli *cli, const addr20 *from, const addr20 *to) {
	pack_put_actor(cli, "from", from);
	pack_put_actor(cli, "to", to);
}

static void put_details(struct cli *cli, const struct history_entry *entry) {
	const struct medicines_event *event = &entry->event;
	switch (event->kind) {
	case MEDICINES_EVENT_SHIPPED:
		put_transfer(cli, &event->shipped.from, &event->shipped.to);
		cli_put_text(cli, "purpose", medicines_purpose_word(event->shipped.purpose));
		break;
	case MEDICINES_EVENT_ACCEPTED: put_transfer(cli, &event->accepted.from, &event->accepted.to); break;
	case MEDICINES_EVENT_SHIPPING_ENDED:
		put_transfer(cli, &event->shipping_ended.from, &event->shipping_ended.to);
		break;
	case MEDICINES_EVENT_CONTAINER_MOVED:
		put_transfer(cli, &event->container_moved.from, &event->container_moved.to);
		break;
	case MEDICINES_EVENT_STOCK_MOVED: put_transfer(cli, &event->stock_moved.from, &event->stock_moved.to); break;
	case MEDICINES_EVENT_CONTAINER_HELD:
		pack_put_actor(cli, "by", &event->container_held.by);
		cli_put_bool(cli, "held", event->container_held.held);
		break;
	case MEDICINES_EVENT_BATCH_RECALLED:
		pack_put_actor(cli, "by", &event->batch_recalled.by);
		cli_put_bool(cli, "recalled", event->batch_recalled.recalled);
		break;
	case MEDICINES_EVENT_UNIT_CHANGED:
		cli_put_text(cli, "state", medicines_state_name(event->unit_changed.state));
		pack_put_actor(cli, "by", &event->unit_changed.by);
		break;
	case MEDICINES_EVENT_DISPENSED:
		cli_put_text(cli, "state", medicines_state_name(MEDICINES_STATE_DISPENSED));
		pack_put_actor(cli, "by", &entry->dispenser);
		break;
	case MEDICINES_EVENT_ALERT:
		cli_put_text(cli, "code", medicines_code_name(event->alert.code));
		pack_put_actor(cli, "by", &event->alert.by);
		pack_put_actor(cli, "other", &event->alert.other);
		break;
	case MEDICINES_EVENT_UNITS_PACKED:
	case MEDICINES_EVENT_UNITS_UNPACKED:
	case MEDICINES_EVENT_CONTAINER_PACKED:
	case MEDICINES_EVENT_CONTAINER_UNPACKED:
	case MEDICINES_EVENT_BATCH_OPENED:
	case MEDICINES_EVENT_COMMISSIONED:
	case MEDICINES_EVENT_CAPTURED:
	case MEDICINES_EVENT_CAPTURE_REPEATED:
	case MEDICINES_EVENT_CONTAINER_OPENED:
	case MEDICINES_EVENT_PRODUCT_WITHDRAWN:
	case MEDICINES_EVENT_RECALL_ACKNOWLEDGED: break;
	}
}

static void put_entry(struct cli *cli, const struct history_entry *entry) {
	json_object_begin(&cli->writer, NULL);
	cli_put_text(cli, "what", history_word(entry->event.kind));
	cli_put_u64(cli, "block", entry->block_number);
	if (entry->timestamp) cli_put_time(cli, "at", entry->timestamp);
	if (entry->container) cli_put_hex(cli, "container", bytes_make(entry->container->b, 8));
	pack_put_container(cli, entry->code);
	put_details(cli, entry);
	cli_put_hex(cli, "transaction", BYTES_OF(entry->tx_hash));
	json_object_end(&cli->writer);
}

static enum status cmd_pack_trace(struct cli *cli, struct err *err) {
	struct history_entry *entries;
	struct history_end end;
	struct scan scan;
	struct stock stock;
	struct stock_unit unit;
	size_t count;
	bool found;
	TRY(pack_scan(&scan, cli->arguments[0], err));
	TRY(pack_open(cli, &stock, err));
	TRY(stock_unit(&stock, &unit, &found, scan.gtin, scan.serial, err));
	if (!found) return err_set(err, STATUS_NOTFOUND, "no document of this home names this pack");
	TRY(history_read(&cli->request, &entries, &count, &end, &stock, &unit, err));
	cli_put_text(cli, "gtin", unit.batch.gtin);
	cli_put_text(cli, "serial", unit.unit.serial);
	cli_put_text(cli, "lot", unit.batch.lot);
	json_array_begin(&cli->writer, "history");
	for (size_t i = 0; i < count; i++) put_entry(cli, &entries[i]);
	json_array_end(&cli->writer);
	cli_put_bool(cli, "complete", end.is_complete);
	if (end.is_complete) return STATUS_OK;
	cli_put_text(cli, "missing", end.missing);
	cli_say(cli, "not shown: %s. This home has not all documents, or the node leaves events out", end.missing);
	return STATUS_OK;
}

const struct cli_command command_pack_trace = {
    .name = "pack trace",
    .arguments = "SCAN",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "a pack's history: lot, containers, transfers, changes, alerts",
    .teach = "Each event is proved. \"complete\" says whether the history accounts for where the chain proves the\n"
	     "pack to be. SSCCs are shown if a document of this home names them.\n\n"
	     "  xinglin pack trace \"https://id.gs1.org/01/04012345678901/21/12345\" --home maker",
    .needs_home = true,
    .run = cmd_pack_trace,
};
