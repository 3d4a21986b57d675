/* xinglin pack check, move; product receiver, admit: what a regulator does about packs. */
#include "app/commands/commands.h"
#include "app/commands/pack.h"
#include "health/contracts/cause.h"
#include "health/contracts/products.h"
#include "health/trace/products.h"
#include "health/trace/stranded.h"
#include "health/trace/tags.h"

/* --- check --- */

static void put_lots(struct cli *cli, const struct document *document) {
	json_array_begin(&cli->writer, "lots");
	for (uint32_t i = 0; i < document->batch_count; i++) {
		uint64_t packs = 0;
		for (uint32_t u = 0; u < document->unit_count; u++) packs += document->units[u].batch == i;
		json_object_begin(&cli->writer, NULL);
		cli_put_text(cli, "gtin", document->batches[i].gtin);
		cli_put_text(cli, "lot", document->batches[i].lot);
		cli_put_u64(cli, "packs", packs);
		json_object_end(&cli->writer);
	}
	json_array_end(&cli->writer);
}

/* What the chain refutes is a finding, and the other documents are looked at all the same. That the node proves nothing
 * is none. */
static enum status check_file(struct cli *cli, const char *path, bool *agrees, struct err *err) {
	struct document document;
	struct bytes sealed;
	struct err why = {0};
	TRY(cli_read_file(cli, &sealed, path, PACK_FILE_MAX, err));
	TRY(document_open(&cli->request, &document, sealed, err));
	const enum status checked = document_check(&cli->request, &document, &why);
	if (checked != STATUS_OK && (checked != STATUS_DENIED || why.cause != CAUSE_NONE)) {
		*err = why;
		return checked;
	}
	*agrees = checked == STATUS_OK;
	json_object_begin(&cli->writer, NULL);
	cli_put_text(cli, "document", path);
	pack_put_actor(cli, "sender", &document.sender);
	put_lots(cli, &document);
	cli_put_bool(cli, "agrees", *agrees);
	if (!*agrees) cli_put_text(cli, "why", why.message);
	json_object_end(&cli->writer);
	return STATUS_OK;
}

static enum status cmd_pack_check(struct cli *cli, struct err *err) {
	TRY(request_check_chain(&cli->request, err));
	json_array_begin(&cli->writer, "documents");
	for (int i = 0; i < cli->argument_count; i++) {
		bool agrees = false;
		enum status status = check_file(cli, cli->arguments[i], &agrees, err);
		if (status != STATUS_OK) return err_prefix(err, status, "%s", cli->arguments[i]);
		if (!agrees) cli->exit_code = EXIT_REFUSED;
	}
	json_array_end(&cli->writer);
	return STATUS_OK;
}

const struct cli_command command_pack_check = {
    .name = "pack check",
    .arguments = "DOCUMENT…",
    .arguments_min = 1,
    .arguments_max = 256,
    .summary = "hold sealed documents against the chain: are a lot's serials those that were commissioned?",
    .teach = "Recomputes each pack's tag from its serial if this home has the product's key (product keep), looks it\n"
	     "up in the product's table, and checks lots, parts and captures. Nothing is kept or sent. Exit code 3:\n"
	     "the chain says otherwise; the report says which document, lot and serial.\n\n"
	     "  xinglin pack check commissioned-*.sealed --home regulator",
    .needs_home = true,
    .run = cmd_pack_check,
};

/* --- move --- */

static enum status cmd_pack_move(struct cli *cli, struct err *err) {
	struct stock stock;
	struct stranded stranded;
	hash32 batch;
	addr20 from, to;
	const char *gtin, *lot;
	size_t sent;
	TRY(cli_address(cli, &from, "from", err));
	TRY(cli_address(cli, &to, "to", err));
	TRY(pack_open(cli, &stock, err));
	TRY(pack_lot(cli, &stock, &batch, &gtin, &lot, err));
	TRY(stranded_find(&cli->request, &stranded, &batch, &from, err));
	if (stranded.units == 0) return err_set(err, STATUS_NOTFOUND, "that account holds no packs of lot %s", lot);
	TRY(stranded_move(&cli->request, &sent, &stranded, &batch, &to, err));
	pack_put_actor(cli, "from", &from);
	pack_put_actor(cli, "to", &to);
	cli_put_u64(cli, "units", stranded.units);
	cli_put_u64(cli, "containers", stranded.container_count);
	cli_put_u64(cli, "transactions", sent);
	return STATUS_OK;
}

const struct cli_command command_pack_move = {
    .name = "pack move",
    .arguments = "",
    .summary = "as a regulator: give packs of a custodian that is suspended or withdrawn to somebody else",
    .teach = "Loose packs of the lot move, and containers with packs of it, whole. An active custodian ships them\n"
	     "itself. Taking the owner's own loose packs closes the lot.\n\n"
	     "  xinglin pack move --gtin 04012345678901 --lot L1 --from 0x… --to 0x… --home regulator",
    .options = {PACK_LOT_OPTIONS, {"from", "ADDRESS", "who holds them now"},
	{"to", "ADDRESS", "an active actor of the trade"}},
    .needs_home = true,
    .run = cmd_pack_move,
};

/* --- receiver --- */

static enum status cmd_product_receiver(struct cli *cli, struct err *err) {
	struct stock stock;
	struct client_receipt receipt;
	addr20 to = {{0}};
	hash32 thing;
	const char *gtin, *lot;
	if (!cli_flag(cli, "nobody")) TRY(cli_address(cli, &to, "to", err));
	TRY(pack_open(cli, &stock, err));
	if (cli_value(cli, "lot"))
		TRY(pack_lot(cli, &stock, &thing, &gtin, &lot, err));
	else
		TRY(pack_product(cli, &thing, err));
	TRY(request_transact(&cli->request, &receipt, &cli->request.home->deployment.products,
	    products_name_receiver_call(&cli->arena, &thing, &to), err));
	pack_put_actor(cli, "receiver", &to);
	cli_put_receipt(cli, "sent", &receipt);
	return STATUS_OK;
}

const struct cli_command command_product_receiver = {
    .name = "product receiver",
    .arguments = "",
    .summary = "as a regulator: name who takes back goods of a product, or of one lot",
    .teach = "Goods that may not be traded go to whom they came from, to a regulator, to the product's owner, or to\n"
	     "whom a regulator names here: one for the product, one for each lot.\n\n"
	     "  xinglin product receiver --gtin 04012345678901 --lot L1 --to 0x… --home regulator",
    .options = {PACK_LOT_OPTIONS, {"to", "ADDRESS", "who takes them back"},
	{"nobody", NULL, "nobody beside the owner any more"}},
    .needs_home = true,
    .run = cmd_product_receiver,
};

/* --- admit --- */

/* Its tag, if this home knows of no pack with this serial, and the product's table has its like. */
static enum status find_like(
    struct cli *cli, const struct scan *scan, hash32 *product_tag, hash32 *tag, struct err *err) {
	struct stock stock;
	struct stock_unit unit;
	struct product product;
	bool found;
	TRY(pack_open(cli, &stock, err));
	TRY(pack_beside(cli, &stock, err));
	TRY(stock_unit(&stock, &unit, &found, scan->gtin, scan->serial, err));
	if (found)
		return err_set(err, STATUS_DENIED,
		    "serial %s was commissioned, in lot %s: a document of this home names it", scan->serial,
		    unit.batch.lot);
	enum status status = product_load(&cli->request, &product, scan->gtin, err);
	if (status == STATUS_NOTFOUND)
		return err_set(
		    err, status, "this home does not have the key of product %s: xinglin product keep", scan->gtin);
	TRY(status);
	*product_tag = product.tag;
	*tag = tag_unit(&product.key, scan->gtin, scan->serial);
	mem_wipe(&product, sizeof product);
	TRY(medicines_serial_is_in(&cli->request, &found, product_tag, serial_fragment(tag), err));
	if (found) return STATUS_OK;
	return err_because(err, CAUSE_CONTRACT + CONTRACT_ERROR_NOTHING_IN_THE_WAY,
	    err_set(err, STATUS_DENIED, "the product's table takes serial %s for no other one", scan->serial));
}

static enum status cmd_product_admit(struct cli *cli, struct err *err) {
	struct scan scan;
	struct client_receipt receipt;
	hash32 product, tag;
	TRY(pack_scan(&scan, cli->arguments[0], err));
	if (!scan.gtin[0] || !scan.serial[0])
		return err_set(err, STATUS_INVALID, "this code names no single pack (GTIN and serial)");
	TRY(find_like(cli, &scan, &product, &tag, err));
	TRY(request_transact(&cli->request, &receipt, &cli->request.home->deployment.products,
	    products_admit_serial_call(&cli->arena, &product, tag.b), err));
	cli_put_text(cli, "gtin", scan.gtin);
	cli_put_text(cli, "serial", scan.serial);
	cli_put_text(cli, "notChecked", "documents that this home does not have may name a pack with this serial");
	cli_put_receipt(cli, "sent", &receipt);
	return STATUS_OK;
}

const struct cli_command command_product_admit = {
    .name = "product admit",
    .arguments = "SCAN",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "as a regulator: admit a sound serial that the product's table takes for another one",
    .teach = "The table keeps 41 bits of each serial, so it refuses one in some million packs that was never\n"
	     "commissioned. What is admitted may be commissioned once, and is never admitted again. Refused if a\n"
	     "document of this home, or the one of --document, names a pack with this serial: make sure that no\n"
	     "document elsewhere does, for a second pack with one serial is what the table is there to refuse.\n\n"
	     "  xinglin product admit \"(01)04012345678901(21)12345\" --home regulator",
    .options = {{"document", "FILE", "a sealed document to look into beside those that this home keeps"}},
    .needs_home = true,
    .run = cmd_product_admit,
};
