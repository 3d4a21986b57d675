/* xinglin access: asking to look, and who looked. */
#include "health/consent/access.h"
#include "app/cli/cli_action.h"
#include "app/commands/commands.h"
#include "health/actors/directory.h"
#include "health/consent/audit.h"

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

static enum status put_read(struct cli *cli, const struct audit_entry *entry, struct err *err) {
	const char *name;
	TRY(directory_name(&cli->request, &name, &entry->who, err));
	json_object_begin(&cli->writer, NULL);
	cli_put_time(cli, "at", entry->at_ms / 1000);
	cli_put_address(cli, "who", &entry->who);
	cli_put_text(cli, "name", name);
	cli_put_u64(cli, "part", entry->part);
	cli_put_text(cli, "outcome", entry->served ? "served" : "refused");
	cli_put_u64(cli, "entry", entry->seq);
	json_object_end(&cli->writer);
	return STATUS_OK;
}

static enum status cmd_access_reads(struct cli *cli, struct err *err) {
	hash32 record;
	struct audit_log log;
	TRY(cli_hash(cli, &record, "record", err));
	TRY(request_check_chain(&cli->request, err));
	TRY(audit_reads(&cli->request, &log, &record, err));
	json_array_begin(&cli->writer, "reads");
	for (size_t i = 0; i < log.count; i++) TRY(put_read(cli, &log.entries[i], err));
	json_array_end(&cli->writer);
	cli_put_u64(cli, "anchored", log.anchors);
	if (log.count == 0) cli_say(cli, "the node has served this record to nobody");
	return STATUS_OK;
}

const struct cli_command command_access_reads = {
    .name = "access reads",
    .arguments = "",
    .summary = "as a patient: what the node served of a record, to whom, and when",
    .teach = "The node seals an entry to the folder's key for each read that it serves or refuses: its operator\n"
	     "keeps the entries and cannot open them. Each holds the hash of the one before, and the newest hash\n"
	     "is anchored on the chain at least every minute; a changed log is reported. Part 0 is the whole\n"
	     "record or its lead; anchored: how many of these very entries stand on the chain with the same hash.\n\n"
	     "  xinglin access reads --home patient --record 0x…",
    .options = {{"record", "ID", "which record"}},
    .needs_home = true,
    .run = cmd_access_reads,
};
