/* xinglin pack commission, aggregate, ship, receive, dispense, capture: the life of a pack, step by step. */
#include "app/commands/pack.h"

#include "app/commands/commands.h"
#include "app/system.h"
#include "health/gs1/epc.h"
#include "health/trace/capture.h"

#define COUNT_MAX 100000u /* packs that one command makes */

#define OUT_OPTION                                                                                                     \
	{ "out", "FILE", "where the sealed document goes, for the receivers" }
#define EPCIS_OUT_OPTION                                                                                               \
	{ "epcis-out", "FILE", "also write the EPCIS document in plain" }

/* --- commission --- */

/* 60 random bits, without letters that people or keyboards confuse. */
static const char *random_serial(struct cli *cli) {
	static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRSTUVWX";
	uint8_t bytes[12];
	char *text = arena_alloc(&cli->arena, sizeof bytes + 1);
	random_fill(cli->request.random, bytes, sizeof bytes);
	for (size_t i = 0; i < sizeof bytes; i++) text[i] = alphabet[bytes[i] & 31];
	text[sizeof bytes] = 0;
	return text;
}

static enum status lot_and_expiry(struct cli *cli, struct plan_wish *wish, struct err *err) {
	const char *expiry = cli_value(cli, "expiry");
	wish->this_year = pack_year();
	wish->lot = cli_value(cli, "lot");
	if (expiry && !gs1_date_seconds(&wish->expiry_s, bytes_text(expiry), wish->this_year))
		return err_set(err, STATUS_INVALID, "--expiry takes YYYY-MM-DD or YYMMDD, not \"%s\"", expiry);
	return STATUS_OK;
}

static enum status commission_new(struct cli *cli, struct stock *stock, const struct plan_wish *wish, struct err *err) {
	const char *gtin, *needed;
	char expiry[11];
	uint64_t count;
	struct scan pack = {.form = SCAN_PLAIN_DIGITS};
	TRY(cli_need(cli, &gtin, "gtin", err));
	TRY(cli_need(cli, &needed, "lot", err));
	TRY(cli_need(cli, &needed, "expiry", err));
	TRY(cli_u64(cli, &count, "count", 0, err));
	if (count == 0 || count > COUNT_MAX) return err_set(err, STATUS_INVALID, "--count takes 1 to %u", COUNT_MAX);
	if (!gs1_gtin14(pack.gtin, bytes_text(gtin)))
		return err_set(err, STATUS_INVALID, "--gtin %s has a wrong check digit or length", gtin);
	const char **epcs = arena_zalloc(&cli->arena, count, sizeof *epcs);
	for (uint64_t i = 0; i < count; i++) {
		memcpy(pack.serial, random_serial(cli), 13);
		epcs[i] = pack_epc(cli, &pack);
	}
	gs1_expiry_text(NULL, expiry, wish->expiry_s);
	struct epcis_draft draft = {.kind = EPCIS_OBJECT,
	    .action = EPCIS_ADD,
	    .step = "commissioning",
	    .disposition = "active",
	    .epcs = epcs,
	    .epc_count = count,
	    .lot = wish->lot,
	    .expiry = expiry};
	TRY(pack_step(cli, stock, &draft, wish, err));
	json_array_begin(&cli->writer, "units");
	for (uint64_t i = 0; i < count; i++) json_put_text(&cli->writer, NULL, epcs[i]);
	json_array_end(&cli->writer);
	return STATUS_OK;
}

static enum status cmd_pack_commission(struct cli *cli, struct err *err) {
	const char *path = cli_value(cli, "epcis");
	struct plan_wish wish = {.lot = NULL};
	struct stock stock;
	struct bytes epcis;
	TRY(lot_and_expiry(cli, &wish, err));
	TRY(pack_open(cli, &stock, err));
	if (!path) return commission_new(cli, &stock, &wish, err);
	TRY(cli_read_file(cli, &epcis, path, EPCIS_BYTES_MAX, err));
	return pack_capture(cli, &stock, epcis, &wish, err);
}

const struct cli_command command_pack_commission = {
    .name = "pack commission",
    .arguments = "",
    .summary = "as a manufacturer: bring packs of a lot into being",
    .teach = "Makes random serials, or takes those of an EPCIS 2.0 document (ObjectEvent, ADD, commissioning). A\n"
	     "serial of a product is commissioned once, ever. The report lists the packs' Digital Links: print\n"
	     "them.\n\n"
	     "  xinglin pack commission --gtin 04012345678901 --lot L1 --expiry 2028-06-30 --count 100 --home maker\n"
	     "  xinglin pack commission --epcis commissioning.jsonld --home maker",
    .options = {{"gtin", "DIGITS", "the product's GTIN"}, {"lot", "TEXT", "the lot"},
	{"expiry", "DATE", "YYYY-MM-DD or YYMMDD: the last day"}, {"count", "N", "how many packs to make"},
	{"epcis", "FILE", "take an EPCIS document instead"}, OUT_OPTION, EPCIS_OUT_OPTION},
    .needs_home = true,
    .run = cmd_pack_commission,
};

/* --- aggregate --- */

static enum status container_option(struct cli *cli, const char **epc, struct plan_prints *prints, struct err *err) {
	const char *text;
	struct scan scan;
	TRY(cli_need(cli, &text, "sscc", err));
	size_t len = strlen(text), digits = strspn(text, "0123456789");
	if (digits == len && len != 18 && len != 20) /* 20: behind its application identifier, 00 */
		return err_set(err, STATUS_INVALID, "--sscc: an SSCC has 18 digits, not %zu", len);
	TRY(pack_scan(&scan, text, err));
	if (!scan.sscc[0] && !(scan.gtin[0] && scan.serial[0]))
		return err_set(err, STATUS_INVALID,
		    "--sscc takes an SSCC (18 digits, or a scan of one), or a scan of a case with its GTIN and serial");
	plan_print_scan(prints, &cli->arena, &scan, 0);
	*epc = pack_epc(cli, &scan);
	return STATUS_OK;
}

static enum status cmd_pack_aggregate(struct cli *cli, struct err *err) {
	bool unpacks = cli_flag(cli, "unpack");
	struct epcis_draft draft = {.kind = EPCIS_AGGREGATION,
	    .action = unpacks ? EPCIS_DELETE : EPCIS_ADD,
	    .step = unpacks ? "unpacking" : "packing",
	    .disposition = "in_progress"};
	struct plan_wish wish = {.this_year = pack_year()};
	struct stock stock;
	const char **epcs;
	TRY(pack_open(cli, &stock, err));
	TRY(container_option(cli, &draft.parent, &wish.prints, err));
	TRY(pack_scans(cli, &epcs, &draft.epc_count, &wish.prints, err));
	draft.epcs = epcs;
	return pack_step(cli, &stock, &draft, &wish, err);
}

const struct cli_command command_pack_aggregate = {
    .name = "pack aggregate",
    .arguments = "SCAN…",
    .arguments_min = 1,
    .arguments_max = 1000,
    .summary = "pack units or cases into a container, or unpack them",
    .teach = "SCAN is a pack or a case in any form that a scanner gives, or @FILE with one a line. What is packed\n"
	     "moves only with its container. Cases go into pallets in the same way, at most 8 deep.\n\n"
	     "  xinglin pack aggregate @serials.txt --sscc 340123450000000012 --home maker\n"
	     "  xinglin pack aggregate @serials.txt --sscc 340123450000000012 --unpack --home pharmacy",
    .options = {{"sscc", "DIGITS", "the container"}, {"unpack", NULL, "take them out of it"}, OUT_OPTION,
	EPCIS_OUT_OPTION},
    .needs_home = true,
    .run = cmd_pack_aggregate,
};

/* --- ship --- */

static enum status purpose_option(struct cli *cli, enum medicines_purpose *out, struct err *err) {
	const char *text = cli_value(cli, "purpose");
	*out = MEDICINES_PURPOSE_TRADE;
	for (unsigned i = 0; text && i < MEDICINES_PURPOSE_COUNT; i++)
		if (strcmp(text, medicines_purpose_word(i)) == 0) {
			*out = (enum medicines_purpose)i;
			return STATUS_OK;
		}
	if (!text) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "--purpose takes trade, return, quarantine or destruction");
}

static enum status cmd_pack_ship(struct cli *cli, struct err *err) {
	struct plan_wish wish = {.this_year = pack_year()};
	struct stock stock;
	struct bytes epcis;
	const char *epc, *path = cli_value(cli, "epcis");
	bool voids = cli_flag(cli, "void");
	TRY(pack_open(cli, &stock, err));
	TRY(purpose_option(cli, &wish.purpose, err));
	if (!voids && !path)
		TRY(cli_address(cli, &wish.to, "to", err));
	else
		TRY(pack_address(cli, &wish.to, "to", err));
	if (path) {
		TRY(cli_read_file(cli, &epcis, path, EPCIS_BYTES_MAX, err));
		return pack_capture(cli, &stock, epcis, &wish, err);
	}
	TRY(container_option(cli, &epc, &wish.prints, err));
	struct epcis_draft draft = {.kind = EPCIS_OBJECT,
	    .action = EPCIS_OBSERVE,
	    .step = voids ? "void_shipping" : "shipping",
	    .disposition = voids ? "in_progress" : "in_transit",
	    .epcs = &epc,
	    .epc_count = 1,
	    .source = plan_party(&cli->request, &cli->request.home->account),
	    .destination = voids ? NULL : plan_party(&cli->request, &wish.to)};
	return pack_step(cli, &stock, &draft, &wish, err);
}

const struct cli_command command_pack_ship = {
    .name = "pack ship",
    .arguments = "",
    .summary = "send a container to another actor",
    .teach = "One write, whatever is inside. Custody passes when the receiver accepts (pack receive); until then\n"
	     "it is in transit. Hand the sealed document (--out) to the receiver with the goods.\n\n"
	     "  xinglin pack ship --sscc 340123450000000012 --to 0x… --out shipment.sealed --home maker",
    .options = {{"sscc", "DIGITS", "the outermost container"}, {"to", "ADDRESS", "the receiver"},
	{"purpose", "WORD", "trade (if not given), return, quarantine, destruction"},
	{"epcis", "FILE", "take an EPCIS document (ObjectEvent, shipping) instead"},
	{"void", NULL, "call a shipment back, or refuse one"}, OUT_OPTION, EPCIS_OUT_OPTION},
    .needs_home = true,
    .run = cmd_pack_ship,
};

/* --- receive --- */

/* What to accept: the named container, or all of the document's that wait for this actor; a loose one by its units. */
static enum status waiting(struct cli *cli, const char ***out, size_t *count, const struct document *document,
    const char *named, struct err *err) {
	const char **epcs =
	    arena_zalloc(&cli->arena, document->unit_count + document->container_count + 1, sizeof *epcs);
	*count = 0;
	for (uint32_t c = 0; c < document->container_count; c++) {
		struct medicines_container_view view;
		bool found;
		struct scan scan;
		TRY(medicines_container(&cli->request, &view, &found, &document->containers[c].id, err));
		bool mine = addr20_equal(&view.receiver, &cli->request.home->account) && hash32_is_zero(&view.parent);
		const char *code = document->containers[c].code;
		if (!found || (named ? strcmp(code, named) != 0 : !mine)) continue;
		scan_read(&scan, bytes_text(code));
		if (code[0]) {
			epcs[(*count)++] = pack_epc(cli, &scan);
			continue;
		}
		for (uint32_t i = 0; i < document->unit_count; i++) {
			const struct document_unit *unit = &document->units[i];
			if (unit->container != c || strlen(unit->serial) >= sizeof scan.serial) continue;
			scan = (struct scan){.form = SCAN_PLAIN_DIGITS};
			memcpy(scan.gtin, document->batches[unit->batch].gtin, sizeof scan.gtin);
			memcpy(scan.serial, unit->serial, strlen(unit->serial) + 1);
			epcs[(*count)++] = pack_epc(cli, &scan);
		}
	}
	*out = epcs;
	if (*count) return STATUS_OK;
	return err_set(err, STATUS_DENIED, "NOT_PENDING: nothing in this document waits for this actor");
}

static enum status cmd_pack_receive(struct cli *cli, struct err *err) {
	struct plan_wish wish = {.this_year = pack_year()};
	struct epcis_draft draft = {
	    .kind = EPCIS_OBJECT, .action = EPCIS_OBSERVE, .step = "receiving", .disposition = "in_progress"};
	struct stock stock;
	struct document document;
	struct bytes sealed;
	struct scan scan = {.form = SCAN_PLAIN_DIGITS};
	const char *path, *sscc = cli_value(cli, "sscc"), **epcs;
	char code[EPC_CODE_MAX];
	TRY(pack_open(cli, &stock, err));
	TRY(cli_need(cli, &path, "document", err));
	if (sscc) TRY(pack_scan(&scan, sscc, err));
	plan_print_scan(&wish.prints, &cli->arena, &scan, 0);
	bool is_code = epc_container_code(code, &scan);
	if (sscc && !is_code) return err_set(err, STATUS_INVALID, "--sscc names no container: %s", sscc);
	TRY(cli_read_file(cli, &sealed, path, PACK_FILE_MAX, err));
	TRY(document_open(&cli->request, &document, sealed, err));
	TRY(document_check(&cli->request, &document, err));
	TRY(stock_save(&cli->request, &stock, &document, err));
	stock.beside = &document; /* its containers are meant, whatever others have the same codes */
	pack_put_actor(cli, "from", &document.sender);
	cli_put_u64(cli, "units", document.unit_count);
	if (cli_flag(cli, "keep")) return STATUS_OK;
	TRY(waiting(cli, &epcs, &draft.epc_count, &document, sscc ? code : NULL, err));
	draft.epcs = epcs;
	draft.destination = plan_party(&cli->request, &cli->request.home->account);
	return pack_step(cli, &stock, &draft, &wish, err);
}

const struct cli_command command_pack_receive = {
    .name = "pack receive",
    .arguments = "",
    .summary = "accept a shipment, with the sealed document that came with it",
    .teach = "Opens the document, holds it against the chain (who captured it, what is printed on each pack under\n"
	     "the batch's root), keeps it, and accepts. The whole container moves or nothing does. --keep stores a\n"
	     "document without accepting anything.\n\n"
	     "  xinglin pack receive --document shipment.sealed --home pharmacy",
    .options = {{"document", "FILE", "the sealed document"}, {"sscc", "DIGITS", "accept this container alone"},
	{"keep", NULL, "only check and keep the document"}, OUT_OPTION, EPCIS_OUT_OPTION},
    .needs_home = true,
    .run = cmd_pack_receive,
};

/* --- dispense --- */

static enum status cmd_pack_dispense(struct cli *cli, struct err *err) {
	struct epcis_draft draft = {
	    .kind = EPCIS_OBJECT, .action = EPCIS_OBSERVE, .step = "dispensing", .disposition = "dispensed"};
	struct plan_wish wish = {.this_year = pack_year()};
	struct stock stock;
	const char **epcs;
	TRY(pack_open(cli, &stock, err));
	TRY(pack_beside(cli, &stock, err));
	TRY(pack_scans(cli, &epcs, &draft.epc_count, &wish.prints, err));
	draft.epcs = epcs;
	draft.corrects = cli_flag(cli, "undo");
	if (cli_flag(cli, "partial")) draft.disposition = "partially_dispensed";
	if (draft.corrects && cli_flag(cli, "partial"))
		return err_set(err, STATUS_INVALID, "--undo takes a whole dispense back");
	TRY(pack_step(cli, &stock, &draft, &wish, err));
	if (cli->exit_code == EXIT_REFUSED) cli_say(cli, "do not hand it out: see the alerts");
	return STATUS_OK;
}

const struct cli_command command_pack_dispense = {
    .name = "pack dispense",
    .arguments = "SCAN…",
    .arguments_min = 1,
    .arguments_max = 256,
    .summary = "as a pharmacy or hospital: hand packs out",
    .teach = "A pack is dispensed once. A second time, by anybody, is refused (exit code 3), and an alert with\n"
	     "both actors stands on the chain for ever. Who dispensed a pack can take that back within 10 days\n"
	     "(--undo): the pack is then for the same patient, or goes back, and is never traded again. The same\n"
	     "holds for a pack of which a part was handed out (--partial): the rest is dispensed later. If the lot or\n"
	     "the expiry in print is not the registered one, the pack is refused before anything is sent.\n\n"
	     "  xinglin pack dispense \"]d201040123456789012112345\" --home pharmacy",
    .options = {{"document", "FILE", "a sealed document that names the pack (pack reference)"},
	{"undo", NULL, "take back that they were dispensed"}, {"partial", NULL, "open the packs: a part is handed out"},
	OUT_OPTION, EPCIS_OUT_OPTION},
    .needs_home = true,
    .run = cmd_pack_dispense,
};

/* --- capture --- */

static enum status cmd_pack_capture(struct cli *cli, struct err *err) {
	struct plan_wish wish = {.lot = NULL};
	struct stock stock;
	struct bytes epcis;
	TRY(lot_and_expiry(cli, &wish, err));
	TRY(purpose_option(cli, &wish.purpose, err));
	TRY(pack_address(cli, &wish.to, "to", err));
	TRY(pack_open(cli, &stock, err));
	TRY(cli_read_file(cli, &epcis, cli->arguments[0], EPCIS_BYTES_MAX, err));
	return pack_capture(cli, &stock, epcis, &wish, err);
}

const struct cli_command command_pack_capture = {
    .name = "pack capture",
    .arguments = "EPCIS",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "capture an EPCIS document (2.0 in JSON-LD, 1.0 to 2.0 in XML): all of its events or none",
    .teach = "Events that move nothing on the chain are listed with the reason; one that would move something and\n"
	     "cannot be captured refuses the whole document. The same document again changes nothing.\n\n"
	     "  xinglin pack capture events.jsonld --home maker",
    .options = {{"lot", "TEXT", "if a commissioning names none"}, {"expiry", "DATE", "likewise"},
	{"to", "ADDRESS", "the receiver, if a shipping event names no actor of this chain"},
	{"purpose", "WORD", "of a shipment"}, OUT_OPTION},
    .needs_home = true,
    .run = cmd_pack_capture,
};
