/* xinglin pack verify, read, reference, holders, recall, acknowledge, alerts: questions and recalls. */
#include "app/commands/commands.h"
#include "app/commands/pack.h"
#include "crypto/hash.h"
#include "health/gs1/epc.h"
#include "health/trace/alerts.h"

/* --- read --- */

static void put_scan(struct cli *cli, const struct scan *scan) {
	static const char *const forms[] = {
	    "element-string", "bracketed", "digital-link", "epc-urn", "plain-digits", "nmpa"};
	char link[EPC_TEXT_MAX];
	cli_put_text(cli, "form", forms[scan->form]);
	cli_put_text(cli, "fault", scan_fault_name(scan->fault));
	if (scan->advice[0]) cli_put_text(cli, "advice", scan->advice);
	if (scan->gtin[0]) cli_put_text(cli, "gtin", scan->gtin);
	if (scan->serial[0]) cli_put_text(cli, "serial", scan->serial);
	if (scan->lot[0]) cli_put_text(cli, "lot", scan->lot);
	if (scan->expiry[0]) cli_put_text(cli, "expiry", scan->expiry);
	if (scan->sscc[0]) cli_put_text(cli, "sscc", scan->sscc);
	if (scan->gln[0]) cli_put_text(cli, "gln", scan->gln);
	if (scan->nmpa[0]) cli_put_text(cli, "nmpa", scan->nmpa);
	if (scan->fault == SCAN_FAULT_NONE && epc_digital_link(link, scan)) cli_put_text(cli, "digitalLink", link);
}

static enum status cmd_pack_read(struct cli *cli, struct err *err) {
	struct scan scan;
	(void)err;
	scan_read(&scan, bytes_text(cli->arguments[0]));
	put_scan(cli, &scan);
	if (scan.fault != SCAN_FAULT_NONE) cli->exit_code = EXIT_REFUSED;
	return STATUS_OK;
}

const struct cli_command command_pack_read = {
    .name = "pack read",
    .arguments = "SCAN",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "say what a scan means, or what is wrong with it; asks nobody",
    .teach = "SCAN is a GS1 element string (with or without FNC1, \"]d2\" in front or not), bracketed, a Digital\n"
	     "Link, an EPC URN, plain digits, or a 20-digit NMPA code.\n\n"
	     "  xinglin pack read \"(01)04012345678901(21)12345(10)L1(17)280630\"",
    .run = cmd_pack_read,
};

/* --- verify --- */

static void put_known(struct cli *cli, const struct judge_result *result, const struct scan *scan) {
	char last_day[11];
	const struct medicines_unit_view *state = &result->state;
	cli_put_text(cli, "state", medicines_state_name(state->effective));
	cli_put_bool(cli, "saleable", result->is_saleable);
	cli_put_bool(cli, "recalled", state->recalled);
	cli_put_bool(cli, "withdrawn", state->withdrawn);
	cli_put_bool(cli, "expired", state->expired);
	gs1_expiry_text(NULL, last_day, state->expiry);
	cli_put_text(cli, "lastDay", last_day);
	cli_put_text(cli, "batchLot", result->unit.batch.lot);
	if (result->print != JUDGE_PRINT_AGREES)
		cli_put_text(cli, "mismatch", judge_print_text(&cli->arena, result->print, scan->lot));
	if (result->unit.rival) cli_put_text(cli, "dispute", judge_rival_text(&cli->arena, &result->unit));
	if (state->effective == MEDICINES_STATE_DISPENSED)
		cli_put_text(cli, "warning", "this pack was dispensed: whoever still offers this code offers a copy");
}

static void put_unknown(struct cli *cli, const struct judge_result *result) {
	const char *advice = result->advice;
	bool is_foreign = result->verdict == JUDGE_FOREIGN;
	cli_put_text(cli, "state", "UNKNOWN");
	cli_put_bool(cli, "saleable", false);
	if (is_foreign) cli_put_bool(cli, "commissioned", result->is_commissioned);
	if (!advice[0] && is_foreign && !result->is_commissioned)
		advice = "the manufacturer never commissioned this serial";
	if (!advice[0])
		advice = "no document of this home names this pack: ask who supplied it, or a verification service";
	cli_put_text(cli, "advice", advice);
}

static enum status cmd_pack_verify(struct cli *cli, struct err *err) {
	struct scan scan;
	struct stock stock;
	struct judge_result result;
	scan_read(&scan, bytes_text(cli->arguments[0]));
	put_scan(cli, &scan);
	if (scan.fault != SCAN_FAULT_NONE) {
		cli->exit_code = EXIT_REFUSED;
		return STATUS_OK;
	}
	if (!scan.gtin[0] || !scan.serial[0])
		return err_set(err, STATUS_DENIED, "no-serial: this code names no single pack (GTIN and serial)");
	TRY(pack_open(cli, &stock, err));
	TRY(pack_beside(cli, &stock, err));
	TRY(judge_pack(&cli->request, &result, &stock, &scan, pack_year(), err));
	switch (result.verdict) {
	case JUDGE_GOOD: put_known(cli, &result, &scan); break;
	case JUDGE_BAD: put_known(cli, &result, &scan), cli->exit_code = EXIT_REFUSED; break;
	case JUDGE_FOREIGN: put_unknown(cli, &result), cli->exit_code = EXIT_REFUSED; break;
	case JUDGE_UNKNOWN: put_unknown(cli, &result), cli->exit_code = EXIT_NOT_FOUND; break;
	}
	return STATUS_OK;
}

const struct cli_command command_pack_verify = {
    .name = "pack verify",
    .arguments = "SCAN",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "ask for a pack's state: saleable, recalled, expired, dispensed; never whose it is",
    .teach = "Exit code 0: the pack is what it says. 3: do not sell it; the report says why (a bad scan with\n"
	     "advice, a dispensed code that is offered again, a recall, another lot than the manufacturer's). 4:\n"
	     "this home knows nothing of it.\n\n"
	     "  xinglin pack verify \"]d201040123456789012112345\" --home pharmacy",
    .options = {{"document", "FILE", "a sealed document that names the pack (pack reference)"}},
    .needs_home = true,
    .run = cmd_pack_verify,
};

/* --- reference --- */

static enum status cmd_pack_reference(struct cli *cli, struct err *err) {
	struct scan scan;
	struct stock stock;
	struct stock_unit found;
	bool is_known;
	struct document document;
	struct buf sealed;
	addr20 reader;
	const char *path;
	TRY(cli_address(cli, &reader, "for", err));
	TRY(cli_need(cli, &path, "out", err));
	TRY(pack_open(cli, &stock, err));
	document_init(&document, &cli->request, (struct bytes){NULL, 0});
	for (int i = 0; i < cli->argument_count; i++) {
		TRY(pack_scan(&scan, cli->arguments[i], err));
		TRY(stock_unit(&stock, &found, &is_known, scan.gtin, scan.serial, err));
		if (!is_known)
			return err_set(err, STATUS_NOTFOUND, "no document of this home names %s", cli->arguments[i]);
		struct document_unit unit = found.unit;
		struct document_part part = found.part;
		unit.batch = part.batch = document_add_batch(&document, &cli->arena, &found.batch);
		unit.part = document_add_part(&document, &cli->arena, &part);
		document_add_unit(&document, &cli->arena, &unit);
	}
	buf_init(&sealed, PACK_FILE_MAX);
	enum status status = document_seal(&cli->request, &sealed, &document, &reader, 1, err);
	if (status == STATUS_OK) status = cli_write_file(path, buf_view(&sealed), err);
	buf_fini(&sealed);
	TRY(status);
	cli_put_u64(cli, "units", document.unit_count);
	cli_put_text(cli, "reference", path);
	return STATUS_OK;
}

const struct cli_command command_pack_reference = {
    .name = "pack reference",
    .arguments = "SCAN…",
    .arguments_min = 1,
    .arguments_max = 256,
    .summary = "show another actor where a pack stands on the chain",
    .teach = "For somebody who is offered a pack that no document of theirs names: a sealed file with the pack's\n"
	     "batch, index and proof, and nothing of how it travelled. They use it with pack verify or pack\n"
	     "dispense --document.\n\n"
	     "  xinglin pack reference \"]d201040123456789012112345\" --for 0x… --out pack.sealed --home maker",
    .options = {{"for", "ADDRESS", "the account that asks"}, {"out", "FILE", "where the sealed reference goes"}},
    .needs_home = true,
    .run = cmd_pack_reference,
};

/* --- holders and recall --- */

static enum status put_holding(
    struct cli *cli, const struct stock *stock, const struct medicines_holding *row, struct err *err) {
	const char *code;
	TRY(stock_code(stock, &code, &row->container, err));
	json_object_begin(&cli->writer, NULL);
	pack_put_actor(cli, "holder", &row->custodian);
	pack_put_actor(cli, "inTransitTo", &row->receiver);
	cli_put_u64(cli, "units", row->count);
	if (!hash32_is_zero(&row->container)) cli_put_hex(cli, "container", bytes_make(row->container.b, 8));
	pack_put_container(cli, code);
	json_object_end(&cli->writer);
	return STATUS_OK;
}

static enum status put_holders(struct cli *cli, const struct stock *stock, const hash32 *batch, struct err *err) {
	struct judge_holders holders;
	TRY(judge_holders(&cli->request, &holders, batch, err));
	cli_put_u64(cli, "commissioned", holders.batch.commissioned);
	cli_put_u64(cli, "ended", holders.batch.commissioned - holders.live);
	cli_put_bool(cli, "recalled", holders.batch.flags & MEDICINES_LOT_RECALLED);
	json_array_begin(&cli->writer, "holders");
	for (size_t i = 0; i < holders.count; i++) TRY(put_holding(cli, stock, &holders.rows[i], err));
	json_array_end(&cli->writer);
	cli_put_u64(cli, "live", holders.live);
	return STATUS_OK;
}

static enum status put_acknowledgements(struct cli *cli, const hash32 *batch, struct err *err) {
	struct medicines_acknowledgement *rows;
	size_t count;
	TRY(medicines_acknowledgements(&cli->request, &rows, &count, batch, err));
	json_array_begin(&cli->writer, "acknowledged");
	for (size_t i = 0; i < count; i++) {
		json_object_begin(&cli->writer, NULL);
		pack_put_actor(cli, "by", &rows[i].by);
		cli_put_u64(cli, "block", rows[i].block_number);
		json_object_end(&cli->writer);
	}
	json_array_end(&cli->writer);
	return STATUS_OK;
}

static enum status cmd_pack_holders(struct cli *cli, struct err *err) {
	struct stock stock;
	hash32 batch;
	const char *gtin, *lot;
	TRY(pack_open(cli, &stock, err));
	TRY(pack_lot(cli, &stock, &batch, &gtin, &lot, err));
	TRY(put_holders(cli, &stock, &batch, err));
	return put_acknowledgements(cli, &batch, err);
}

const struct cli_command command_pack_holders = {
    .name = "pack holders",
    .arguments = "",
    .summary = "list every present holder of a lot, with counts that add up",
    .teach = "Names come from the directory. Acknowledgements of a recall are listed too.\n\n"
	     "  xinglin pack holders --gtin 04012345678901 --lot L1 --home regulator",
    .options = {PACK_LOT_OPTIONS},
    .needs_home = true,
    .run = cmd_pack_holders,
};

/* Of the packs that are named, or of the whole lot. */
static enum status recall(
    struct cli *cli, struct stock *stock, struct epcis_draft *draft, struct plan_wish *wish, struct err *err) {
	TRY(cli_need(cli, &wish->reason, "reason", err));
	draft->kind = EPCIS_OBJECT;
	draft->action = EPCIS_OBSERVE;
	draft->sets_recalled = !cli_flag(cli, "reverse");
	draft->unsets_recalled = cli_flag(cli, "reverse");
	draft->step = draft->sets_recalled ? "holding" : "inspecting";
	return pack_step(cli, stock, draft, wish, err);
}

static enum status cmd_pack_recall(struct cli *cli, struct err *err) {
	struct plan_wish wish = {.this_year = pack_year()};
	struct stock stock;
	hash32 batch;
	struct scan lot_scan = {.form = SCAN_PLAIN_DIGITS};
	struct epcis_draft draft = {.epc_count = 0};
	const char *gtin, *lot, **epcs;
	TRY(pack_open(cli, &stock, err));
	if (cli->argument_count) {
		if (cli_value(cli, "lot")) return err_set(err, STATUS_INVALID, "name packs, or a lot with --lot");
		TRY(pack_scans(cli, &epcs, &draft.epc_count, &wish.prints, err));
		draft.epcs = epcs;
		return recall(cli, &stock, &draft, &wish, err);
	}
	TRY(pack_lot(cli, &stock, &batch, &gtin, &lot, err));
	if (strlen(lot) >= sizeof lot_scan.lot) return err_set(err, STATUS_INVALID, "a lot has at most 20 characters");
	memcpy(lot_scan.gtin, gtin, 15);
	memcpy(lot_scan.lot, lot, strlen(lot) + 1);
	const char *class = pack_epc(cli, &lot_scan);
	draft.classes = &class;
	draft.class_count = 1;
	TRY(recall(cli, &stock, &draft, &wish, err));
	return put_holders(cli, &stock, &batch, err);
}

const struct cli_command command_pack_recall = {
    .name = "pack recall",
    .arguments = "[SCAN…]",
    .arguments_max = 256,
    .summary = "as the manufacturer or a regulator: recall a lot or single packs, or take that back",
    .teach =
	"From the next block on nothing of it is traded or dispensed. On the chain stands a salted hash of the\n"
	"reason. With a lot the report lists who holds it. Whoever recalled a lot can take that back (--reverse);\n"
	"single packs' recall a regulator takes back. Both stay in the chain's history.\n\n"
	"  xinglin pack recall --gtin 04012345678901 --lot L1 --reason \"glass in vials\" --home maker\n"
	"  xinglin pack recall --gtin 04012345678901 --lot L1 --reverse --reason \"a false alarm\" --home maker",
    .options = {PACK_LOT_OPTIONS, {"reason", "TEXT", "why"}, {"reverse", NULL, "take the recall back"},
	{"out", "FILE", "where the sealed document goes"},
	{"epcis-out", "FILE", "also write the EPCIS document in plain"}},
    .needs_home = true,
    .run = cmd_pack_recall,
};

/* The row of the lot's holders that is this actor's. */
static enum status own_place(struct cli *cli, uint32_t *place, const hash32 *batch, struct err *err) {
	struct judge_holders holders;
	TRY(judge_holders(&cli->request, &holders, batch, err));
	for (size_t i = 0; i < holders.count; i++)
		if (addr20_equal(&holders.rows[i].custodian, &cli->request.home->account)) {
			*place = holders.rows[i].place;
			return STATUS_OK;
		}
	return err_set(err, STATUS_DENIED, "NOT_CUSTODIAN: this account holds no packs of the lot");
}

static enum status cmd_pack_acknowledge(struct cli *cli, struct err *err) {
	struct stock stock;
	struct client_receipt receipt;
	uint32_t place = 0;
	hash32 batch;
	const char *gtin, *lot;
	TRY(pack_open(cli, &stock, err));
	TRY(pack_lot(cli, &stock, &batch, &gtin, &lot, err));
	TRY(own_place(cli, &place, &batch, err));
	TRY(medicines_send(
	    &cli->request, &receipt, medicines_acknowledge_recall_call(&cli->arena, &batch, place), err));
	cli_put_receipt(cli, "acknowledged", &receipt);
	return STATUS_OK;
}

const struct cli_command command_pack_acknowledge = {
    .name = "pack acknowledge",
    .arguments = "",
    .summary = "say that this actor knows of a recall",
    .teach = "Whoever recalled the lot sees it under pack holders.\n\n"
	     "  xinglin pack acknowledge --gtin 04012345678901 --lot L1 --home pharmacy",
    .options = {PACK_LOT_OPTIONS},
    .needs_home = true,
    .run = cmd_pack_acknowledge,
};

/* --- alerts --- */

static enum status cmd_pack_alerts(struct cli *cli, struct err *err) {
	struct stock stock;
	struct medicines_alert *alerts;
	size_t count;
	TRY(pack_open(cli, &stock, err));
	if (cli_flag(cli, "all"))
		TRY(alerts_all(&cli->request, &alerts, &count, err));
	else
		TRY(alerts_own(&cli->request, &alerts, &count, &stock, err));
	json_array_begin(&cli->writer, "alerts");
	for (size_t i = 0; i < count; i++) pack_put_alert(cli, &stock, &alerts[i]);
	json_array_end(&cli->writer);
	return STATUS_OK;
}

const struct cli_command command_pack_alerts = {
    .name = "pack alerts",
    .arguments = "",
    .summary = "list alerts on the chain that concern this actor: second dispenses and other refusals",
    .teach = "Both sides see the same alert: who tried, and who holds or dispensed the pack. Lots of this home's\n"
	     "documents are looked at, and those of which the node shows an alert of this account; with --all\n"
	     "every lot of the chain.\n\n"
	     "  xinglin pack alerts --home pharmacy",
    .options = {{"all", NULL, "everybody's"}},
    .needs_home = true,
    .run = cmd_pack_alerts,
};
