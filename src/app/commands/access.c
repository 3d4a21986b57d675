/* xinglin access: asking to look, and who looked. */
#include "health/consent/access.h"
#include "app/cli/cli_action.h"
#include "app/commands/commands.h"
#include "codec/hex.h"
#include "eth/types.h"
#include "health/actors/directory.h"
#include "health/consent/audit.h"
#include "health/records/record.h"

/* --- access ask --- */

static void put_decision(struct cli *cli, const struct access_event *event) {
	cli_put_bool(cli, "permitted", event->permitted);
	cli_put_text(cli, "reason", access_reason_name(event->reason));
	cli_put_text(cli, "why", access_reason_text(event->reason));
	cli_put_text(cli, "purpose", purpose_code(event->purpose));
	if (event->permitted) cli_put_time(cli, "until", event->until);
	cli_put_hex(cli, "transaction", BYTES_OF(event->tx_hash));
	cli_put_u64(cli, "block", event->block_number);
}

static enum status cmd_access_ask(struct cli *cli, struct err *err) {
	hash32 folder, record = {{0}};
	const char *code;
	enum purpose purpose;
	struct access_event event;
	TRY(cli_hash(cli, &folder, "folder", err));
	if (cli_value(cli, "record")) TRY(cli_hash(cli, &record, "record", err));
	TRY(cli_need(cli, &code, "purpose", err));
	TRY(purpose_parse(&purpose, bytes_text(code), err));
	TRY(request_check_chain(&cli->request, err));
	TRY(access_ask(&cli->request, &event, &folder, &record, purpose, err));
	put_decision(cli, &event);
	if (event.permitted) {
		cli_say(cli, "permitted: %s; now: xinglin record read", access_reason_text(event.reason));
	} else {
		cli_say(cli, "refused: %s. The refusal stands in the patient's log.", access_reason_text(event.reason));
		cli->exit_code = EXIT_REFUSED;
	}
	return STATUS_OK;
}

const struct cli_command command_access_ask = {
    .name = "access ask",
    .arguments = "",
    .summary = "ask the contract to look at a folder or a record, for a purpose",
    .teach = "The contract decides and writes its decision, permitted or refused, into a log that the patient\n"
	     "sees. A permission opens a window of at most 30 minutes in which nodes serve the records. Exit code\n"
	     "3: refused.\n\n"
	     "  xinglin access ask --home hospital-a --folder 0x… --purpose TREAT",
    .options = {{"folder", "ID", "which folder"}, {"record", "ID", "one record of it"},
	{"purpose", "CODE", "TREAT, ETREAT, HPAYMT, HOPERAT, HRESCH, PUBHLTH or PATRQT"}},
    .needs_home = true,
    .run = cmd_access_ask,
};

/* --- access log --- */

static enum status put_event(struct cli *cli, const struct access_event *event, struct err *err) {
	const char *name;
	TRY(directory_name(&cli->request, &name, &event->actor, err));
	json_object_begin(&cli->writer, NULL);
	cli_put_u64(cli, "entry", event->n);
	cli_put_time(cli, "at", event->timestamp);
	cli_put_address(cli, "who", &event->actor);
	cli_put_text(cli, "name", name);
	if (!hash32_is_zero(&event->record)) cli_put_hex(cli, "record", BYTES_OF(event->record));
	put_decision(cli, event);
	json_object_end(&cli->writer);
	return STATUS_OK;
}

static enum status cmd_access_log(struct cli *cli, struct err *err) {
	hash32 folder;
	struct access_event *events;
	struct access_page page;
	size_t count;
	TRY(cli_hash(cli, &folder, "folder", err));
	TRY(cli_u64(cli, &page.before, "before", 0, err));
	TRY(cli_u64(cli, &page.max, "limit", 0, err));
	TRY(request_check_chain(&cli->request, err));
	TRY(access_log(&cli->request, &events, &count, &folder, &page, err));
	json_array_begin(&cli->writer, "accesses");
	for (size_t i = 0; i < count; i++) TRY(put_event(cli, &events[i], err));
	json_array_end(&cli->writer);
	if (count == 0 && !page.before) cli_say(cli, "nobody has asked to look at this folder");
	return STATUS_OK;
}

const struct cli_command command_access_log = {
    .name = "access log",
    .arguments = "",
    .summary = "who asked to look at a folder, when, for what, and what the contract said",
    .teach = "From the chain, newest first: permitted and refused alike, with the reason, the transaction and the\n"
	     "block. The log is proved to be complete, or the command says which entries the node left out. What\n"
	     "was then read is in: xinglin access reads.\n\n"
	     "  xinglin access log --home patient --folder 0x… --limit 20",
    .options = {{"folder", "ID", "which folder"}, {"limit", "N", "the newest N (all)"},
	{"before", "ENTRY", "go on below this entry"}},
    .needs_home = true,
    .run = cmd_access_log,
};

/* --- access reads --- */

#define NODES_MAX 256u

/* "0x…=http://…,…" */
static enum status read_addresses(struct cli *cli, struct audit_wish *wish, struct err *err) {
	struct bytes one, rest = bytes_text(cli_value(cli, "node") ? cli_value(cli, "node") : "");
	struct audit_address *addresses = arena_zalloc(&cli->arena, NODES_MAX, sizeof *addresses);
	wish->addresses = addresses;
	while (cli_next_part(&one, &rest)) {
		if (wish->address_count == NODES_MAX)
			return err_set(err, STATUS_LIMIT, "--node takes %u nodes at most", NODES_MAX);
		struct audit_address *address = &addresses[wish->address_count++];
		if (one.len < 44 || one.data[42] != '=' ||
		    hex_fixed(address->node.b, 20, bytes_slice(one, 0, 42)) != STATUS_OK)
			return err_set(err, STATUS_INVALID, "--node takes ADDRESS=URL, with commas between");
		address->url = arena_strdup(&cli->arena, bytes_slice(one, 43, one.len));
	}
	return STATUS_OK;
}

/* The folder, or that of the record. */
static enum status read_wish(struct cli *cli, struct audit_wish *wish, hash32 *record, struct err *err) {
	struct record_registration registration;
	*wish = (struct audit_wish){.max = 0};
	TRY(cli_u64(cli, &wish->max, "limit", 0, err));
	TRY(read_addresses(cli, wish, err));
	TRY(request_check_chain(&cli->request, err));
	if (!cli_value(cli, "record")) return cli_hash(cli, &wish->folder, "folder", err);
	TRY(cli_hash(cli, record, "record", err));
	TRY(record_find(&cli->request, &registration, record, err));
	wish->folder = registration.folder;
	return STATUS_OK;
}

static const char *gate_name(const struct deployment *deployment, const addr20 *gate) {
	if (addr20_equal(gate, &deployment->records)) return "record";
	if (addr20_equal(gate, &deployment->folders)) return "keys";
	return "grant or emergency";
}

static enum status put_read(
    struct cli *cli, const struct audit_log *log, const struct audit_entry *entry, struct err *err) {
	const char *name;
	TRY(directory_name(&cli->request, &name, &entry->who, err));
	json_object_begin(&cli->writer, NULL);
	cli_put_time(cli, "at", entry->at_ms / 1000);
	cli_put_address(cli, "who", &entry->who);
	cli_put_text(cli, "name", name);
	cli_put_text(cli, "what", gate_name(&cli->request.home->deployment, &entry->gate));
	cli_put_hex(cli, "item", BYTES_OF(entry->item));
	if (entry->released)
		cli_put_bool(cli, "released", true);
	else if (!entry->whole)
		cli_put_u64(cli, "part", entry->part);
	cli_put_text(cli, "outcome", entry->served ? "served" : "refused");
	cli_put_bool(cli, "anchored", entry->anchored);
	cli_put_u64(cli, "entry", entry->n);
	cli_put_address(cli, "node", &log->nodes[entry->node].node);
	json_object_end(&cli->writer);
	return STATUS_OK;
}

/* A look through an organisation's gateway, as its line says it. */
static enum status put_look(
    struct cli *cli, const struct audit_log *log, const struct audit_entry *entry, struct err *err) {
	static const char *const texts[] = {"who", "person", "organisation", "purpose", "method", "what", "made"};
	const struct json *line;
	const char *name;
	const addr20 *gateway = &log->nodes[entry->node].node;
	uint64_t status = 0;
	TRY(json_parse(&line, &cli->arena, entry->line, NULL, err));
	TRY(directory_name(&cli->request, &name, gateway, err));
	(void)json_u64(&status, json_get(line, "status"));
	json_object_begin(&cli->writer, NULL);
	cli_put_time(cli, "at", entry->at_ms / 1000);
	cli_put_text(cli, "name", name);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		const struct bytes text = json_string(json_get(line, texts[i]));
		if (text.len) cli_put_bytes(cli, texts[i], text);
	}
	cli_put_u64(cli, "status", status);
	cli_put_text(cli, "outcome", entry->served ? "served" : "refused");
	cli_put_bool(cli, "anchored", entry->anchored);
	cli_put_u64(cli, "entry", entry->n);
	cli_put_address(cli, "gateway", gateway);
	json_object_end(&cli->writer);
	return STATUS_OK;
}

static void put_node(struct cli *cli, const struct audit_node *node) {
	json_object_begin(&cli->writer, NULL);
	cli_put_address(cli, node->is_gateway ? "gateway" : "node", &node->node);
	if (node->url) cli_put_text(cli, "url", node->url);
	cli_put_bool(cli, "proved", node->is_proved);
	cli_put_u64(cli, "entries", node->proved);
	if (node->anchored_at_s) cli_put_time(cli, "anchored", node->anchored_at_s);
	if (node->of_former) cli_put_u64(cli, "ofFormerController", node->of_former);
	if (node->fault) cli_put_text(cli, "fault", node->fault);
	json_object_end(&cli->writer);
	if (!node->fault) return;
	char text[43];
	address_checksum(text, &node->node);
	cli_say(
	    cli, "what %s %s says cannot be relied on: %s", node->is_gateway ? "gateway" : "node", text, node->fault);
}

static enum status cmd_access_reads(struct cli *cli, struct err *err) {
	hash32 record = {{0}};
	struct audit_wish wish;
	struct audit_log log;
	TRY(read_wish(cli, &wish, &record, err));
	TRY(audit_reads(&cli->request, &log, &wish, err));
	json_array_begin(&cli->writer, "reads");
	for (size_t i = 0; i < log.count; i++) {
		if (log.entries[i].line.len) continue;
		if (!hash32_is_zero(&record) && !hash32_equal(&log.entries[i].item, &record)) continue;
		TRY(put_read(cli, &log, &log.entries[i], err));
	}
	json_array_end(&cli->writer);
	json_array_begin(&cli->writer, "looks");
	for (size_t i = 0; i < log.count; i++)
		if (log.entries[i].line.len) TRY(put_look(cli, &log, &log.entries[i], err));
	json_array_end(&cli->writer);
	for (unsigned is_gateway = 0; is_gateway < 2; is_gateway++) {
		json_array_begin(&cli->writer, is_gateway ? "gateways" : "nodes");
		for (size_t i = 0; i < log.node_count; i++)
			if (log.nodes[i].is_gateway == (bool)is_gateway) put_node(cli, &log.nodes[i]);
		json_array_end(&cli->writer);
	}
	cli_put_bool(cli, "complete", log.is_complete);
	if (!log.is_complete) cli->exit_code = EXIT_REFUSED;
	return STATUS_OK;
}

const struct cli_command command_access_reads = {
    .name = "access reads",
    .arguments = "",
    .summary = "as a patient: what nodes and gateways showed of a folder, to whom, and when",
    .teach = "A node seals an entry to the controller's audit key for each read that it serves or refuses: its\n"
	     "operator keeps the entries and cannot open them. Each holds the request that the reader signed. Every\n"
	     "minute with reads in it, the node anchors on the chain how many entries each folder has; so what it\n"
	     "shows is complete up to then, or the report names the node and what it left out, and the exit code\n"
	     "is 3. Reads with \"anchored\": false came since then and stand on the node's word. Every node that the\n"
	     "directory lists is asked, where the deployment says that it is, or --node. Reads from\n"
	     "before a folder was handed over are counted: only its controller of that time can open them.\n\n"
	     "Looks are what organisations showed of the folder through their gateways, to which person and for\n"
	     "which purpose; each gateway anchors them alike. Those are asked that --node names, or the deployment;\n"
	     "one whose organisation wrote into the folder or asked to look, and has anchored looks, has to be\n"
	     "asked. An anchor older than two hours is a fault: an honest gateway renews it every hour.\n\n"
	     "  xinglin access reads --home patient --folder 0x… --limit 20",
    .options = {{"folder", "ID", "which folder"}, {"record", "ID", "reads of this record alone"},
	{"limit", "N", "the newest N entries of each node (all)"},
	{"node", "ADDRESS=URL,…", "where nodes and gateways are that the deployment does not name"}},
    .needs_home = true,
    .run = cmd_access_reads,
};
