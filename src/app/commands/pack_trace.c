/* xinglin pack trace: a pack's history, from the chain's events. */
#include "app/commands/commands.h"
#include "app/commands/pack.h"
#include "eth/abi.h"

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

static const struct {
	const char *name, *signature;
} kinds[] = {
    {"opened", "BatchOpened(bytes32,bytes32,uint40,bytes32,uint32)"},
    {"commissioned", "Commissioned(bytes32,uint32,uint32,bool)"},
    {"packed", "UnitsPacked(bytes32,bytes32,uint32)"},
    {"unpacked", "UnitsUnpacked(bytes32,bytes32,uint32)"},
    {"container packed", "ContainerPacked(bytes32,bytes32)"},
    {"container unpacked", "ContainerUnpacked(bytes32,bytes32)"},
    {"shipped", "Shipped(bytes32,address,address,uint8)"},
    {"accepted", "Accepted(bytes32,address,address)"},
    {"shipping ended", "ShippingEnded(bytes32,address,address,address)"},
    {"container held or released", "ContainerHeld(bytes32,address,bool)"},
    {"changed", "UnitChanged(bytes32,uint32,uint8,address)"},
    {"alert", "Alert(bytes32,uint32,uint8,address,address)"},
    {"batch recalled", "BatchRecalled(bytes32,address,bytes32,uint32,uint32)"},
};
enum kind {
	OPENED,
	COMMISSIONED,
	PACKED,
	UNPACKED,
	NESTED,
	UNNESTED,
	SHIPPED,
	ACCEPTED,
	ENDED,
	HELD,
	CHANGED,
	ALERT,
	RECALLED,
	KIND_COUNT
};

static enum kind kind_of(const struct log *log) {
	for (unsigned i = 0; i < KIND_COUNT; i++) {
		hash32 topic = abi_topic(kinds[i].signature);
		if (log->topic_count > 0 && hash32_equal(&log->topics[0], &topic)) return (enum kind)i;
	}
	return KIND_COUNT;
}

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

/* Does this event concern the pack? Follows containers as they close and open around it. */
static bool concerns(struct history *history, enum kind kind, const struct log *log) {
	const hash32 *first = &log->topics[1], *second = &log->topics[2], *batch = &history->unit->batch->id;
	bool inside = find(&history->around, first) < history->around.count;
	hash32 index = {{0}};
	store_be32(index.b + 28, history->unit->unit->index);
	switch (kind) {
	case OPENED:
	case COMMISSIONED:
	case RECALLED: return hash32_equal(first, batch);
	case CHANGED: return hash32_equal(first, batch) && hash32_equal(second, &index);
	case ALERT:
		return hash32_equal(first, batch) && log->data.len >= 32 && memcmp(log->data.data, index.b, 32) == 0;
	case PACKED:
		if (!hash32_equal(second, batch) || !holds_unit(history, first)) return false;
		add(&history->around, first);
		return true;
	case UNPACKED: return inside && hash32_equal(second, batch);
	case NESTED:
		if (find(&history->around, second) == history->around.count) return false;
		add(&history->around, first);
		return true;
	case UNNESTED:
		if (!inside || find(&history->around, second) == history->around.count) return false;
		del(&history->around, first);
		return true;
	case SHIPPED:
	case ACCEPTED:
	case ENDED:
	case HELD: return inside;
	case KIND_COUNT: return false;
	}
	return false;
}

static void put_topic_actor(struct cli *cli, const char *name, const hash32 *topic) {
	addr20 actor;
	memcpy(actor.b, topic->b + 12, 20);
	pack_put_actor(cli, name, &actor);
}

static void put_details(struct cli *cli, const struct history *history, enum kind kind, const struct log *log) {
	struct abi_reader reader = abi_reader(log->data);
	if (kind >= PACKED && kind <= HELD) {
		const char *sscc = stock_sscc_of(history->stock, &log->topics[1]);
		cli_put_hex(cli, "container", bytes_make(log->topics[1].b, 8));
		if (sscc && sscc[0]) cli_put_text(cli, "sscc", sscc);
	}
	if (kind == SHIPPED || kind == ACCEPTED || kind == ENDED) {
		put_topic_actor(cli, "from", &log->topics[2]);
		put_topic_actor(cli, "to", &log->topics[3]);
	}
	if (kind == SHIPPED) cli_put_text(cli, "purpose", medicines_purpose_name((unsigned)abi_u64(&reader)));
	if (kind == HELD) put_topic_actor(cli, "by", &log->topics[2]);
	if (kind == HELD) cli_put_bool(cli, "held", abi_bool(&reader));
	if (kind == RECALLED) put_topic_actor(cli, "by", &log->topics[2]);
	if (kind == CHANGED) {
		cli_put_text(cli, "state", medicines_state_name((unsigned)abi_u64(&reader)));
		put_topic_actor(cli, "by", &log->topics[3]);
	}
	struct medicines_alert alert;
	if (kind == ALERT && medicines_read_alert(&alert, log)) {
		cli_put_text(cli, "code", medicines_code_name(alert.code));
		pack_put_actor(cli, "by", &alert.by);
		pack_put_actor(cli, "other", &alert.other);
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
		enum kind kind = kind_of(&logs[i].log);
		if (!concerns(history, kind, &logs[i].log)) continue;
		json_object_begin(&cli->writer, NULL);
		cli_put_text(cli, "what", kinds[kind].name);
		cli_put_u64(cli, "block", logs[i].block_number);
		if (logs[i].timestamp) cli_put_time(cli, "at", logs[i].timestamp);
		put_details(cli, history, kind, &logs[i].log);
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
