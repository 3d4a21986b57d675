/* xinglin db verify: does a data folder's database hold together? */
#include <stdio.h>

#include "app/commands/commands.h"
#include "app/commands/service.h"
#include "app/serve/chain_data.h"
#include "app/serve/object_store.h"
#include "app/serve/sections.h"
#include "ledger/blob/blob.h"
#include "ledger/chain/verify.h"

static void put_verification(
    struct cli *cli, const struct chain_verification *found, const struct blob_verification *blobs) {
	cli_put_u64(cli, "head", found->head);
	cli_put_u64(cli, "firstBlock", found->first_block);
	cli_put_hex(cli, "stateRoot", BYTES_OF(found->state_root));
	cli_put_u64(cli, "rows", found->rows);
	cli_put_u64(cli, "accounts", found->accounts);
	cli_put_u64(cli, "storageSlots", found->slots);
	cli_put_u64(cli, "codes", found->codes);
	cli_put_u64(cli, "blocks", found->blocks);
	cli_put_u64(cli, "transactions", found->transactions);
	cli_put_u64(cli, "logs", found->logs);
	cli_put_u64(cli, "items", blobs->items);
	cli_put_u64(cli, "itemBytes", blobs->bytes);
	cli_put_u64(cli, "erasedItems", blobs->erased);
	cli_put_u64(cli, "unseenItems", blobs->unseen);
}

/* With a configuration also what is in the object store that it names. */
static enum status verify_blobs(
    struct cli *cli, struct store *store, const char *data, struct blob_verification *out, struct err *err) {
	char folder[4096];
	snprintf(folder, sizeof folder, "%s/blobs", data);
	if (!cli_value(cli, "config")) return blob_verify(store, folder, NULL, out, err);
	struct settings settings;
	struct object_store *objects = NULL;
	struct settings_source source = service_source(cli, &node_section);
	source.flag = NULL;
	enum status status = service_settings(&settings, &source, err);
	const struct object_store_settings named =
	    status == STATUS_OK ? object_store_settings(&settings) : (struct object_store_settings){.is_used = false};
	if (status == STATUS_OK) status = object_store_open(&objects, &named, err);
	if (status == STATUS_OK) status = blob_verify(store, folder, object_store_options(objects), out, err);
	object_store_close(objects);
	settings_fini(&settings);
	return status;
}

static enum status cmd_db_verify(struct cli *cli, struct err *err) {
	const char *data;
	uint64_t blocks;
	struct chain_data ledger;
	struct chain_verification found = {0};
	struct blob_verification blobs = {0};
	TRY(cli_need(cli, &data, "data", err));
	TRY(cli_u64(cli, &blocks, "blocks", 1000, err));
	enum status status = chain_data_open(&ledger, data, (struct bytes){0}, err);
	if (status == STATUS_NOTFOUND && ledger.store != NULL) status = STATUS_CORRUPT; /* a row that must be there */
	if (status == STATUS_OK) status = chain_verify(ledger.chain, &found, blocks, err);
	if (status == STATUS_OK) status = verify_blobs(cli, ledger.store, data, &blobs, err);
	chain_data_close(&ledger);
	TRY(status);
	put_verification(cli, &found, &blobs);
	cli_say(cli, "the database holds together");
	return STATUS_OK;
}

const struct cli_command command_db_verify = {
    .name = "db verify",
    .arguments = "",
    .summary = "check a stopped node's database (exit code 1: it is damaged)",
    .teach = "Makes the state root again from every account and storage slot, and compares it with the newest\n"
	     "header; so too each stored branch record and code. Of the newest blocks: header, links, body,\n"
	     "receipts, lookups. All other rows are read, and the sealed container of every item. Changes nothing.\n"
	     "The node must be stopped: one process a folder.\n\n"
	     "  xinglin db verify --data node1 --blocks 100000",
    .options = {{"data", "DIR", "the node's data folder"},
	{"blocks", "N", "how many of the newest blocks are read again (1000)"},
	{"config", "FILE", "the node's settings: contents in its object store are read, too"}},
    .run = cmd_db_verify,
};
