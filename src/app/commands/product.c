/* xinglin product: registering medicines. */
#include "app/commands/commands.h"
#include "app/commands/pack.h"
#include "health/trace/product_request.h"

static enum status write_request(
    struct cli *cli, const char *path, const struct product_request *asked, struct err *err) {
	struct buf out;
	buf_init(&out, PRODUCT_REQUEST_MAX);
	product_request_write(&out, &cli->request.home->deployment, asked);
	enum status status = buf_status(&out, err);
	if (status == STATUS_OK) status = cli_write_file(path, buf_view(&out), err);
	buf_fini(&out);
	TRY(status);
	cli_put_u64(cli, "parts", asked->part_count);
	cli_put_u64(cli, "signatures", asked->signature_count);
	cli_put_text(cli, "request", path);
	return STATUS_OK;
}

static enum status read_request(struct cli *cli, struct product_request **out, struct err *err) {
	struct bytes json;
	*out = arena_zalloc(&cli->arena, 1, sizeof **out);
	TRY(request_check_chain(&cli->request, err));
	TRY(cli_read_file(cli, &json, cli->arguments[0], PRODUCT_REQUEST_MAX, err));
	return product_request_read(&cli->request, *out, json, err);
}

/* A product's key never changes: another request for it has the same. */
static enum status find_or_make(struct cli *cli, struct product *product, struct err *err) {
	struct product old;
	enum status status = product_load(&cli->request, &old, product->gtin, NULL);
	if (status != STATUS_OK && status != STATUS_NOTFOUND)
		return err_set(err, status, "the product's key in this home does not open");
	if (status == STATUS_OK) {
		product->key = old.key;
		product->tag = old.tag;
	} else {
		random_fill(cli->request.random, product->key.b, sizeof product->key.b);
	}
	mem_wipe(&old, sizeof old);
	return STATUS_OK;
}

static enum status cmd_product_new(struct cli *cli, struct err *err) {
	struct product product = {.owner = cli->request.home->account};
	struct product_request *asked = arena_zalloc(&cli->arena, 1, sizeof *asked);
	const char *path;
	TRY(request_check_chain(&cli->request, err));
	TRY(cli_need(cli, &path, "out", err));
	TRY(pack_gtin(cli, product.gtin, err));
	TRY(cli_address(cli, &product.regulator, "regulator", err));
	enum status status = find_or_make(cli, &product, err);
	if (status == STATUS_OK) status = product_request_make(&cli->request, asked, &product, err);
	if (status == STATUS_OK) status = product_save(&cli->request, &product, err);
	mem_wipe(&product.key, sizeof product.key);
	TRY(status);
	cli_put_text(cli, "gtin", product.gtin);
	cli_put_u64(cli, "holders", asked->holders);
	return write_request(cli, path, asked, err);
}

const struct cli_command command_product_new = {
    .name = "product new",
    .arguments = "",
    .summary = "as a manufacturer: make a product's key, and ask to have the product registered",
    .teach = "The key blinds every lot and serial on the chain. It stays in this home, sealed; copies go to all\n"
	     "regulators in the request, sealed too. It never changes. What the chain calls the product follows from\n"
	     "the GTIN by a key that regulators hold together (tag holders): give the request to as many of them as\n"
	     "have to answer (product answer), one after the other, until they have signed it; then register it\n"
	     "(product register). A GTIN is registered once, whoever asks.\n\n"
	     "  xinglin product new --home maker --gtin 04012345678901 --regulator 0x… --out product.json",
    .options = {{"gtin", "DIGITS", "the product's GTIN"},
	{"regulator", "ADDRESS", "the regulator to whom documents about it go"},
	{"out", "FILE", "where the request goes: to the holders of the tags' key"}},
    .needs_home = true,
    .run = cmd_product_new,
};

static enum status cmd_product_answer(struct cli *cli, struct err *err) {
	struct product_request *asked;
	struct product product = {.gtin = ""};
	const char *path = cli_value(cli, "out") ? cli_value(cli, "out") : cli->arguments[0];
	bool signed_now = false;
	TRY(read_request(cli, &asked, err));
	TRY(product_request_open(&cli->request, &product, asked, err));
	enum status status = product_request_answer(&cli->request, asked, &product, &signed_now, err);
	mem_wipe(&product.key, sizeof product.key);
	TRY(status);
	cli_put_text(cli, "gtin", product.gtin);
	pack_put_actor(cli, "owner", &asked->owner);
	cli_put_bool(cli, "signed", signed_now);
	if (signed_now) cli_put_hex(cli, "product", BYTES_OF(product.tag));
	TRY(write_request(cli, path, asked, err));
	if (!signed_now) cli_say(cli, "give the request to the next holder, and then back to this home");
	return STATUS_OK;
}

const struct cli_command command_product_answer = {
    .name = "product answer",
    .arguments = "REQUEST",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "as a regulator who holds the tags' key: answer a manufacturer's request",
    .teach = "Opens the product's key, and adds this home's part of the product's tag. Once parts are enough, the tag\n"
	     "is found, and the registration signed: who answered before is asked again for its signature. Sign only\n"
	     "what the manufacturer may register: --json shows the GTIN. What is registered, product keep takes in.\n\n"
	     "  xinglin product answer product.json --home regulator",
    .options = {{"out", "FILE", "where the answered request goes (the same file)"}},
    .needs_home = true,
    .run = cmd_product_answer,
};

static enum status cmd_product_keep(struct cli *cli, struct err *err) {
	struct product_request *asked;
	struct product product = {.gtin = ""};
	TRY(read_request(cli, &asked, err));
	TRY(product_request_open(&cli->request, &product, asked, err));
	product.regulator = cli->request.home->account;
	enum status status = product_request_keep(&cli->request, asked, &product, err);
	if (status == STATUS_OK) status = product_save(&cli->request, &product, err);
	mem_wipe(&product.key, sizeof product.key);
	TRY(status);
	cli_put_text(cli, "gtin", product.gtin);
	pack_put_actor(cli, "owner", &asked->owner);
	cli_put_hex(cli, "product", BYTES_OF(product.tag));
	return STATUS_OK;
}

const struct cli_command command_product_keep = {
    .name = "product keep",
    .arguments = "REQUEST",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "as a regulator: keep the key of a registered product, from its answered request",
    .teach = "Any regulator to whom the request is sealed opens the key, recomputes the product's tag from the\n"
	     "holders' parts, and compares owner and key with what the chain holds. For a regulator who was listed\n"
	     "later the manufacturer makes the request anew (product new): the key stays, and holders answer again.\n\n"
	     "  xinglin product keep product.json --home regulator",
    .needs_home = true,
    .run = cmd_product_keep,
};

static enum status cmd_product_register(struct cli *cli, struct err *err) {
	struct product_request *asked;
	struct product product;
	struct client_receipt receipt;
	struct bytes calldata;
	char gtin[15];
	TRY(read_request(cli, &asked, err));
	TRY(pack_gtin(cli, gtin, err));
	TRY(product_load(&cli->request, &product, gtin, err));
	enum status status = product_request_finish(&cli->request, &calldata, asked, &product, err);
	if (status == STATUS_OK)
		status =
		    request_transact(&cli->request, &receipt, &cli->request.home->deployment.products, calldata, err);
	if (status == STATUS_OK) status = product_save(&cli->request, &product, err);
	mem_wipe(&product.key, sizeof product.key);
	TRY(status);
	cli_put_text(cli, "gtin", gtin);
	cli_put_hex(cli, "product", BYTES_OF(product.tag));
	cli_put_receipt(cli, "registered", &receipt);
	return STATUS_OK;
}

const struct cli_command command_product_register = {
    .name = "product register",
    .arguments = "REQUEST",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "as a manufacturer: register a product whose request enough regulators have answered",
    .teach = "Recomputes the tag from the holders' parts, and sends the registration with their signatures.\n\n"
	     "  xinglin product register product.json --gtin 04012345678901 --home maker",
    .options = {{"gtin", "DIGITS", "the product's GTIN"}},
    .needs_home = true,
    .run = cmd_product_register,
};

#define WITHDRAWN_LOTS 1500u /* of a product, in one call (contracts/src/medicines/MedicinePowers.sol) */

static enum status cmd_product_withdraw(struct cli *cli, struct err *err) {
	struct product product;
	struct client_receipt receipt;
	char gtin[15];
	bool back = cli_flag(cli, "readmit");
	uint64_t lots;
	TRY(request_check_chain(&cli->request, err));
	TRY(pack_gtin(cli, gtin, err));
	TRY(product_load(&cli->request, &product, gtin, err));
	hash32 tag = product.tag;
	mem_wipe(&product, sizeof product);
	TRY(medicines_lots_of(&cli->request, &lots, &tag, err));
	for (uint32_t from = 0; from == 0 || from < lots; from += WITHDRAWN_LOTS)
		TRY(medicines_send(
		    &cli->request, &receipt, medicines_withdraw_product_call(&cli->arena, &tag, !back, from), err));
	cli_put_text(cli, "gtin", gtin);
	cli_put_bool(cli, "withdrawn", !back);
	cli_put_receipt(cli, "sent", &receipt);
	return STATUS_OK;
}

const struct cli_command command_product_withdraw = {
    .name = "product withdraw",
    .arguments = "",
    .summary = "as a regulator: withdraw a product from the market, or readmit it",
    .teach = "Nothing of a withdrawn product is traded or dispensed.\n\n"
	     "  xinglin product withdraw --gtin 04012345678901 --home regulator",
    .options = {{"gtin", "DIGITS", "the product's GTIN"}, {"readmit", NULL, "take a withdrawal back"}},
    .needs_home = true,
    .run = cmd_product_withdraw,
};
