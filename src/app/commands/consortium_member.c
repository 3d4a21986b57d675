/* xinglin consortium member list, propose, vote: who runs the nodes, by votes in the contract Members. */
#include "app/commands/commands.h"
#include "app/serve/node_files.h"
#include "health/contracts/members.h"

#define POWER_DEFAULT 10u

static enum status read_list(struct cli *cli, const struct members_member **list, size_t *count, struct err *err) {
	struct bytes output;
	if (!cli->request.client) return err_set(err, STATUS_INVALID, "--rpc URL says which node to ask");
	TRY(request_call(&cli->request, &output, &genesis_members_address, members_members_of_call(&cli->arena), err));
	return members_members_of_read(list, count, &cli->arena, output, err);
}

static enum status read_proposal(
    struct cli *cli, struct members_proposal *out, const addr20 *proposer, struct err *err) {
	struct bytes output;
	TRY(request_call(
	    &cli->request, &output, &genesis_members_address, members_proposal_of_call(&cli->arena, proposer), err));
	return members_proposal_of_read(out, output, err);
}

static void put_member(struct cli *cli, const struct members_member *member) {
	cli_put_address(cli, "account", &member->account);
	cli_put_u64(cli, "power", member->power);
	cli_put_hex(cli, "key", BYTES_OF(member->key));
	cli_put_hex(cli, "node", bytes_make(member->node, sizeof member->node));
}

static bool is_nobody(const addr20 *account) {
	static const addr20 nobody;
	return memcmp(account, &nobody, sizeof nobody) == 0;
}

static void put_proposal(struct cli *cli, const struct members_proposal *proposal) {
	cli_put_u64(cli, "number", proposal->number);
	if (!is_nobody(&proposal->leaves)) cli_put_address(cli, "leaves", &proposal->leaves);
	if (!is_nobody(&proposal->joins.account)) {
		json_object_begin(&cli->writer, "joins");
		put_member(cli, &proposal->joins);
		json_object_end(&cli->writer);
	}
	cli_put_u64(cli, "votes", proposal->votes);
}

/* --- list --- */

static enum status cmd_list(struct cli *cli, struct err *err) {
	const struct members_member *list;
	size_t count;
	TRY(read_list(cli, &list, &count, err));
	json_array_begin(&cli->writer, "members");
	for (size_t i = 0; i < count; i++) {
		struct members_proposal proposal;
		TRY(read_proposal(cli, &proposal, &list[i].account, err));
		json_object_begin(&cli->writer, NULL);
		put_member(cli, &list[i]);
		if (proposal.number) {
			json_object_begin(&cli->writer, "proposes");
			put_proposal(cli, &proposal);
			json_object_end(&cli->writer);
		}
		json_object_end(&cli->writer);
	}
	json_array_end(&cli->writer);
	return STATUS_OK;
}

const struct cli_command command_consortium_member_list = {
    .name = "consortium member list",
    .arguments = "",
    .summary = "who runs the nodes of the consortium, and what they propose",
    .teach = "Asks the node that --rpc names: take your own.\n\n"
	     "  xinglin consortium member list --home member1/home --rpc http://127.0.0.1:8545",
    .needs_home = true,
    .run = cmd_list,
};

/* --- propose --- */

static enum status take_joiner(struct cli *cli, struct members_member *out, struct err *err) {
	addr20 node;
	if (!cli_value(cli, "joins")) return STATUS_OK;
	TRY(cli_address(cli, &out->account, "joins", err));
	TRY(cli_hash(cli, &out->key, "key", err));
	TRY(cli_address(cli, &node, "node", err));
	memcpy(out->node, node.b, sizeof out->node);
	return cli_u64(cli, &out->power, "power", POWER_DEFAULT, err);
}

static enum status cmd_propose(struct cli *cli, struct err *err) {
	struct members_member joins = {0};
	struct members_proposal made;
	struct client_receipt receipt;
	addr20 leaves = {0};
	if (!cli->request.client) return err_set(err, STATUS_INVALID, "--rpc URL says which node to ask");
	if (!cli_value(cli, "leaves") && !cli_value(cli, "joins"))
		return err_set(err, STATUS_INVALID, "--leaves, --joins or both say what is to change");
	if (cli_value(cli, "leaves")) TRY(cli_address(cli, &leaves, "leaves", err));
	TRY(take_joiner(cli, &joins, err));
	TRY(request_transact(&cli->request, &receipt, &genesis_members_address,
	    members_propose_call(&cli->arena, &leaves, &joins), err));
	cli_put_receipt(cli, "sent", &receipt);
	TRY(read_proposal(cli, &made, &cli->request.home->account, err));
	/* With one member the first vote is enough, and the proposal is gone. */
	if (made.number)
		put_proposal(cli, &made);
	else
		cli_put_bool(cli, "done", true);
	return STATUS_OK;
}

const struct cli_command command_consortium_member_propose = {
    .name = "consortium member propose",
    .arguments = "",
    .summary = "as a member: propose who joins, who leaves, or who takes whose place",
    .teach = "The proposal is your vote for it too, and replaces your earlier one. With --leaves and --joins the\n"
	     "second takes the place of the first: the same account with other keys, for one. It is carried out\n"
	     "as soon as more than two thirds of the members voted, who hold more than two thirds of the power.\n"
	     "With four or more members nobody gets a third of the power.\n\n"
	     "  xinglin consortium member propose --joins 0x… --key 0x… --node 0x… \\\n"
	     "    --home member1/home --rpc http://127.0.0.1:8545",
    .options = {{"leaves", "ADDRESS", "the account of the member that leaves"},
	{"joins", "ADDRESS", "the account of the one that joins"},
	{"key", "KEY", "the joiner's validator key, 32 bytes (consortium member new prints these)"},
	{"node", "NODE", "the joiner's node, 20 bytes"},
	{"power", "N", "the joiner's power, 1 to 1,000,000,000 (10, as the first members have)"}},
    .needs_home = true,
    .run = cmd_propose,
};

/* --- vote --- */

static enum status cmd_vote(struct cli *cli, struct err *err) {
	struct client_receipt receipt;
	struct members_proposal proposal;
	addr20 proposer;
	uint64_t number;
	if (!cli->request.client) return err_set(err, STATUS_INVALID, "--rpc URL says which node to ask");
	TRY(cli_address(cli, &proposer, "proposer", err));
	TRY(cli_u64(cli, &number, "number", 0, err));
	if (number == 0)
		return err_set(
		    err, STATUS_INVALID, "--number is needed: consortium member list shows what is proposed");
	TRY(request_transact(
	    &cli->request, &receipt, &genesis_members_address, members_vote_call(&cli->arena, &proposer, number), err));
	cli_put_receipt(cli, "sent", &receipt);
	TRY(read_proposal(cli, &proposal, &proposer, err));
	cli_put_bool(cli, "done", proposal.number != number);
	return STATUS_OK;
}

const struct cli_command command_consortium_member_vote = {
    .name = "consortium member vote",
    .arguments = "",
    .summary = "as a member: vote for what another member proposes",
    .teach = "--number is the one that you read (consortium member list): if the proposer has another proposal by\n"
	     "now, or the list has changed, nothing happens. Not voting is voting against it.\n\n"
	     "  xinglin consortium member vote --proposer 0x… --number 3 \\\n"
	     "    --home member2/home --rpc http://127.0.0.1:8545",
    .options = {{"proposer", "ADDRESS", "the account of the member that proposes"},
	{"number", "N", "the number of the proposal"}},
    .needs_home = true,
    .run = cmd_vote,
};
