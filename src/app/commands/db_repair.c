/* xinglin db repair: a damaged database, made again of its own blocks. */
#include "app/commands/commands.h"
#include "app/serve/repair.h"

static void put_repair(struct cli *cli, const struct node_repair *done, bool is_dry) {
	const bool is_damaged = done->chain_damage.message[0] != 0;
	if (is_damaged) cli_put_text(cli, "damaged", done->chain_damage.message);
	if (is_damaged) {
		cli_put_bool(cli, "repaired", done->is_rebuilt);
		cli_put_u64(cli, "head", done->chain.head);
		cli_put_hex(cli, "headHash", BYTES_OF(done->chain.head_hash));
		cli_put_u64(cli, "transactions", done->chain.transactions);
	}
	if (done->blob_damage.message[0]) cli_put_text(cli, "damagedBlob", done->blob_damage.message);
	if (done->is_rebuilt)
		cli_say(cli, "the database was made again of its blocks; the damaged one is chaindata.damaged");
	else if (is_damaged && is_dry)
		cli_say(cli, "the database can be made again of its blocks; nothing was changed");
	else if (!is_damaged)
		cli_say(cli, "the database holds together: there is nothing to repair");
	if (done->blob_damage.message[0])
		cli_say(cli,
		    "blobs are not made of blocks: a member's node fetches damaged ones from the others while it "
		    "runs; with one node, a backup has them, or their author puts them again");
}

static enum status cmd_db_repair(struct cli *cli, struct err *err) {
	const char *data;
	struct node_repair done;
	const bool is_dry = cli_flag(cli, "dry-run");
	TRY(cli_need(cli, &data, "data", err));
	TRY(node_repair(&done, data, is_dry, err));
	put_repair(cli, &done, is_dry);
	return STATUS_OK;
}

const struct cli_command command_db_repair = {
    .name = "db repair",
    .arguments = "",
    .summary = "make a stopped node's damaged database again of its own blocks",
    .teach = "State, receipts and every index follow from the blocks. If db verify finds a damage, each block is\n"
	     "executed anew in a folder beside, which is verified whole and takes the damaged one's place in one\n"
	     "step. The damaged one stays as chaindata.damaged. If a block itself is lost, nothing is changed, and\n"
	     "the block is named: then a backup is needed, or the other members. It needs room for a second\n"
	     "database, and as long as an import of all blocks.\n\n"
	     "  xinglin db repair --data node1 --dry-run",
    .options = {{"data", "DIR", "the node's data folder"},
	{"dry-run", NULL, "try all of it, report, and put nothing in place"}},
    .run = cmd_db_repair,
};
