/* xinglin product: registering medicines. */
#include <stdlib.h>

#include "app/commands/commands.h"
#include "app/commands/pack.h"
#include "health/trace/products.h"
#include "health/trace/tags.h"

#define REQUEST_MAX ((size_t)1 << 16)

static enum status gtin_option(const struct cli *cli, char out[15], struct err *err) {
	const char *text;
	TRY(cli_need(cli, &text, "gtin", err));
	if (gs1_gtin14(out, bytes_text(text))) return STATUS_OK;
	return err_set(
	    err, STATUS_INVALID, "--gtin takes 8, 12, 13 or 14 digits with their check digit, not \"%s\"", text);
}

static enum status capacity_option(struct cli *cli, uint32_t *out, struct err *err) {
	uint64_t capacity;
	TRY(cli_u64(cli, &capacity, "capacity", 100000, err));
	if (capacity == 0 || capacity > UINT32_MAX / 2)
		return err_set(err, STATUS_INVALID, "--capacity takes 1 to %u", UINT32_MAX / 2);
	*out = (uint32_t)capacity;
	return STATUS_OK;
}

static enum status cmd_product_new(struct cli *cli, struct err *err) {
	struct product product = {.owner = cli->request.home->account}, old;
	const char *path;
	uint32_t capacity = 0;
	TRY(request_check_chain(&cli->request, err));
	TRY(cli_need(cli, &path, "out", err));
	TRY(gtin_option(cli, product.gtin, err));
	TRY(cli_address(cli, &product.regulator, "regulator", err));
	TRY(capacity_option(cli, &capacity, err));
	enum status status = product_load(&cli->request, &old, product.gtin, NULL);
	if (status == STATUS_OK)
		product.key = old.key; /* a product's key never changes: only the request is written again */
	else if (status == STATUS_NOTFOUND)
		random_fill(cli->request.random, product.key.b, sizeof product.key.b);
	else
		return err_set(err, status, "the product's key in this home does not open");
	product.tag = tag_product(&product.key, product.gtin);
	struct buf request;
	buf_init(&request, REQUEST_MAX);
	status = product_request_write(&cli->request, &request, &product, capacity, err);
	if (status == STATUS_OK) status = product_save(&cli->request, &product, err);
	if (status == STATUS_OK) status = cli_write_file(path, buf_view(&request), err);
	buf_fini(&request);
	hash32 tag = tag_product(&product.key, product.gtin);
	mem_wipe(&product.key, sizeof product.key);
	TRY(status);
	cli_put_text(cli, "gtin", product.gtin);
	cli_put_hex(cli, "product", BYTES_OF(tag));
	cli_put_text(cli, "request", path);
	return STATUS_OK;
}

const struct cli_command command_product_new = {
    .name = "product new",
    .arguments = "",
    .summary = "as a manufacturer: make a product's key, and ask to have the product registered",
    .teach = "The key blinds every GTIN, lot and serial on the chain. It stays in this home, sealed; a copy goes\n"
	     "to the regulator in the request, sealed too. It never changes. The regulator registers the product\n"
	     "(product register).\n\n"
	     "  xinglin product new --home maker --gtin 04012345678901 --regulator 0x… --out product.json",
    .options = {{"gtin", "DIGITS", "the product's GTIN"},
	{"regulator", "ADDRESS", "who registers it and keeps the key"},
	{"capacity", "N", "how many packs to make room for (100,000)"}, {"out", "FILE", "where the request goes"}},
    .needs_home = true,
    .run = cmd_product_new,
};

static enum status cmd_product_register(struct cli *cli, struct err *err) {
	struct bytes json;
	struct product_request request;
	TRY(request_check_chain(&cli->request, err));
	TRY(cli_read_file(cli, &json, cli->arguments[0], REQUEST_MAX, err));
	TRY(product_request_open(&cli->request, &request, json, err));
	request.secret.tag = request.product;
	TRY(product_save(&cli->request, &request.secret, err));
	mem_wipe(&request.secret.key, sizeof request.secret.key);
	cli_put_text(cli, "gtin", request.secret.gtin);
	pack_put_actor(cli, "owner", &request.owner);
	cli_put_hex(cli, "product", BYTES_OF(request.product));
	cli_put_hex(cli, "commitment", BYTES_OF(request.commitment));
	return STATUS_OK;
}

const struct cli_command command_product_register = {
    .name = "product register",
    .arguments = "REQUEST",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "as a regulator: register a manufacturer's product",
    .teach = "Opens the escrowed key, recomputes what stands in the request from it, keeps it, and registers the\n"
	     "product.\n\n"
	     "  xinglin product register product.json --home regulator",
    .needs_home = true,
    .run = cmd_product_register,
};

static enum status cmd_product_withdraw(struct cli *cli, struct err *err) {
	struct product product;
	struct client_receipt receipt;
	char gtin[15];
	bool back = cli_flag(cli, "readmit");
	TRY(request_check_chain(&cli->request, err));
	TRY(gtin_option(cli, gtin, err));
	TRY(product_load(&cli->request, &product, gtin, err));
	hash32 tag = product.tag;
	mem_wipe(&product, sizeof product);
	TRY(medicines_send(&cli->request, &receipt, medicines_withdraw_product_call(&cli->arena, &tag, !back), err));
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
