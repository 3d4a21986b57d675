/* xinglin consortium seal offer, deal, gather, show: the outer seal's key, which a consortium's members share. */
#include <stdio.h>

#include "app/commands/commands.h"
#include "app/serve/comet_home.h"
#include "app/serve/node_files.h"
#include "app/serve/outer_folder.h"
#include "app/system.h"
#include "crypto/hash.h"
#include "eth/held.h"
#include "eth/outer_dealing.h"
#include "health/chain/blobs.h"
#include "health/contracts/members.h"
#include "ledger/consensus/members.h"

#define GENESIS_MAX ((size_t)4 << 20)

/* --- this member, and what the chain says --- */

/* The folder of --member, and its keys of this chain. */
struct sealing {
	const char *folder;
	hash32 genesis;
	struct outer_member member; /* wipe it */
	uint64_t number;            /* of the chain's newest statement; 0: none */
	hash32 statement;           /* its hash */
};

static enum status path_in(char out[FILES_PATH_BYTES], const char *folder, const char *name, struct err *err) {
	if ((size_t)snprintf(out, FILES_PATH_BYTES, "%s/%s", folder, name) < FILES_PATH_BYTES) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "the path %s is too long", folder);
}

static enum status take_member(struct cli *cli, struct sealing *out, struct err *err) {
	char path[FILES_PATH_BYTES];
	struct buf genesis;
	struct comet_key node;
	TRY(cli_need(cli, &out->folder, "member", err));
	TRY(path_in(path, out->folder, "genesis.json", err));
	buf_init(&genesis, GENESIS_MAX);
	enum status status = files_read(&genesis, path, err);
	if (status == STATUS_OK) status = genesis_block_hash(&out->genesis, buf_view(&genesis), err);
	buf_fini(&genesis);
	TRY(status);
	TRY(path_in(path, out->folder, "comet", err));
	TRY(comet_home_node_key(&node, path, err));
	status = outer_member_init(&out->member, &out->genesis, &node.secret);
	mem_wipe(&node, sizeof node);
	return status == STATUS_OK ? status : err_set(err, status, "%s: the node's key is no key", path);
}

static enum status ask_chain(struct cli *cli, struct sealing *out, struct err *err) {
	struct members_seal_of_result said;
	struct bytes output;
	if (!cli->request.client) return err_set(err, STATUS_INVALID, "--rpc URL says which node to ask");
	TRY(request_call(&cli->request, &output, &genesis_members_address, members_seal_of_call(&cli->arena), err));
	TRY(members_seal_of_read(&said, output, err));
	out->number = said.number;
	out->statement = said.statement;
	return STATUS_OK;
}

/* Who holds the key now: from this member's folder, or from the node that --rpc names. */
static enum status find_statement(
    struct cli *cli, struct outer_statement *out, const struct sealing *sealing, struct err *err) {
	const struct blob_asker asker = {.client = cli->request.client, .random = &world_random};
	struct blob_verdict verdict = {.ok = true};
	struct buf bytes;
	buf_init(&bytes, OUTER_STATEMENT_MAX);
	enum status status = outer_folder_statement(&bytes, sealing->folder, sealing->number, err);
	if (status == STATUS_NOTFOUND) status = blobs_get_statement(&asker, &bytes, &verdict, 0, err);
	const hash32 hash = sha256(buf_view(&bytes));
	if (status == STATUS_OK && (!verdict.ok || !hash32_equal(&hash, &sealing->statement) ||
				       outer_statement_read(out, buf_view(&bytes)) != STATUS_OK))
		status = err_set(err, STATUS_NOTFOUND,
		    "the node does not have statement %llu about the outer seal: name one of a holder with --rpc URL",
		    (unsigned long long)sealing->number);
	buf_fini(&bytes);
	return status;
}

static void put_holders(struct cli *cli, const struct outer_statement *statement) {
	cli_put_u64(cli, "number", statement->number);
	cli_put_u64(cli, "threshold", statement->commitments.threshold);
	json_array_begin(&cli->writer, "holders");
	for (size_t i = 0; i < statement->holder_count; i++) cli_put_address(cli, NULL, &statement->holders[i]);
	json_array_end(&cli->writer);
	cli_put_hex(cli, "key", bytes_make(statement->commitments.points[0].xy, VSS_POINT_BYTES));
}

/* --- offer --- */

static enum status cmd_offer(struct cli *cli, struct err *err) {
	struct sealing sealing = {.number = 0};
	uint8_t offer[OUTER_OFFER_BYTES];
	const char *path;
	TRY(cli_need(cli, &path, "out", err));
	enum status status = take_member(cli, &sealing, err);
	if (status == STATUS_OK && outer_offer_write(offer, &sealing.member) != STATUS_OK)
		status = err_set(err, STATUS_INTERNAL, "the node's key does not sign");
	if (status == STATUS_OK) status = cli_write_file(path, bytes_make(offer, sizeof offer), err);
	const addr20 node = held_node_of(&sealing.member.offer.key);
	mem_wipe(&sealing, sizeof sealing);
	TRY(status);
	cli_put_address(cli, "node", &node);
	cli_put_text(cli, "offer", path);
	return STATUS_OK;
}

const struct cli_command command_consortium_seal_offer = {
    .name = "consortium seal offer",
    .arguments = "",
    .summary = "as a member: say under which key this node takes its share of the outer seal's key",
    .teach = "Every member gives its offer to those who deal. It follows from the node's key and stays the same.\n\n"
	     "  xinglin consortium seal offer --member member1 --out offer-1",
    .options = {{"member", "DIR", "the member's folder"}, {"out", "FILE", "where the offer goes: to those who deal"}},
    .run = cmd_offer,
};

/* --- deal --- */

static enum status read_offers(struct cli *cli, struct outer_offer *offers, const hash32 *genesis, struct err *err) {
	for (int i = 0; i < cli->argument_count; i++) {
		struct bytes data;
		TRY(cli_read_file(cli, &data, cli->arguments[i], OUTER_OFFER_BYTES, err));
		const enum status status = outer_offer_read(&offers[i], data, genesis);
		if (status == STATUS_DENIED)
			return err_set(
			    err, status, "%s: its node did not sign it, or for another chain", cli->arguments[i]);
		if (status != STATUS_OK) return err_set(err, status, "%s is no offer", cli->arguments[i]);
	}
	return STATUS_OK;
}

/* A part of a new key, or this member's share of the one that the members hold. */
static enum status secret_to_deal(
    struct cli *cli, struct p256_secret *secret, const struct sealing *sealing, struct err *err) {
	uint8_t seed[32];
	struct p256_public key;
	struct vss_share share;
	if (sealing->number != 0 && !cli_flag(cli, "anew")) {
		const enum status status = outer_folder_share(&share, sealing->folder, sealing->number, err);
		if (status == STATUS_NOTFOUND)
			return err_set(err, status,
			    "this member holds no share of key number %llu: those who do deal it to all members",
			    (unsigned long long)sealing->number);
		*secret = share.value;
		mem_wipe(&share, sizeof share);
		return status;
	}
	random_fill(&world_random, seed, sizeof seed);
	const enum status status = p256_derive_key_pair(secret, &key, bytes_make(seed, sizeof seed));
	mem_wipe(seed, sizeof seed);
	return status;
}

static enum status deal(struct cli *cli, struct buf *out, const struct sealing *sealing, struct err *err) {
	struct outer_offer *offers = arena_zalloc(&cli->arena, OUTER_HOLDERS_MAX, sizeof *offers);
	struct p256_secret secret;
	TRY(read_offers(cli, offers, &sealing->genesis, err));
	TRY(secret_to_deal(cli, &secret, sealing, err));
	const enum status status = outer_deal(
	    out, &sealing->member, sealing->number + 1, &secret, offers, (size_t)cli->argument_count, &world_random);
	mem_wipe(&secret, sizeof secret);
	return status == STATUS_OK ? status : err_set(err, status, "the offers name one node twice");
}

static enum status cmd_deal(struct cli *cli, struct err *err) {
	struct sealing sealing = {.number = 0};
	const char *path;
	struct buf dealing;
	TRY(cli_need(cli, &path, "out", err));
	buf_init(&dealing, OUTER_DEALING_MAX);
	enum status status = ask_chain(cli, &sealing, err);
	if (status == STATUS_OK) status = take_member(cli, &sealing, err);
	if (status == STATUS_OK) status = deal(cli, &dealing, &sealing, err);
	if (status == STATUS_OK) status = cli_write_file(path, buf_view(&dealing), err);
	const uint64_t number = sealing.number + 1;
	mem_wipe(&sealing, sizeof sealing);
	buf_fini(&dealing);
	TRY(status);
	cli_put_u64(cli, "number", number);
	cli_put_u64(cli, "threshold", outer_threshold((size_t)cli->argument_count));
	cli_put_text(cli, "dealing", path);
	return STATUS_OK;
}

const struct cli_command command_consortium_seal_deal = {
    .name = "consortium seal deal",
    .arguments = "OFFER…",
    .arguments_min = 1,
    .arguments_max = OUTER_HOLDERS_MAX,
    .summary = "as a member: deal a part of the outer seal's key to all members",
    .teach = "Records are locked with a key that nobody has: members hold shares of it, and one more of them than may\n"
	     "lie must release a record together. After members changed, those who hold the key deal it to all whose\n"
	     "offers are given (as many as the threshold says, or more), and every member gathers the same dealings\n"
	     "(seal gather); records stay as they are. To found a key, all members deal. --anew founds another one,\n"
	     "under which nothing that was sealed before opens: before contracts are deployed, and never later.\n\n"
	     "  xinglin consortium seal deal offer-1 offer-2 offer-3 offer-4 --member member1 \\\n"
	     "    --home member1/home --rpc http://127.0.0.1:8545 --out dealing-1",
    .options = {{"member", "DIR", "the member's folder"}, {"anew", NULL, "found another key"},
	{"out", "FILE", "where the dealing goes: to all members"}},
    .needs_home = true,
    .run = cmd_deal,
};

/* --- gather --- */

static enum status read_dealings(
    struct cli *cli, struct outer_dealing *dealings, const hash32 *genesis, struct err *err) {
	for (int i = 0; i < cli->argument_count; i++) {
		struct bytes data;
		TRY(cli_read_file(cli, &data, cli->arguments[i], OUTER_DEALING_MAX, err));
		const enum status status = outer_dealing_read(&dealings[i], data, genesis);
		if (status == STATUS_DENIED)
			return err_set(
			    err, status, "%s: its dealer did not sign it, or for another chain", cli->arguments[i]);
		if (status != STATUS_OK) return err_set(err, status, "%s is no dealing", cli->arguments[i]);
	}
	return STATUS_OK;
}

/* Every member of this moment holds a share, and nobody else. */
static enum status check_holders(struct cli *cli, const struct outer_statement *to, struct err *err) {
	const struct members_member *list;
	struct bytes output;
	size_t count;
	TRY(request_call(&cli->request, &output, &genesis_members_address, members_members_of_call(&cli->arena), err));
	TRY(members_members_of_read(&list, &count, &cli->arena, output, err));
	bool are_all = count == to->holder_count;
	for (size_t i = 0; i < count && are_all; i++) {
		addr20 node;
		memcpy(node.b, list[i].node, sizeof node.b);
		are_all = outer_index(to, &node) != 0;
	}
	if (are_all) return STATUS_OK;
	return err_set(err, STATUS_DENIED,
	    "the dealings are to %u nodes, and these are not the %zu members' of now (consortium member list)",
	    to->holder_count, count);
}

/* The statement before the one that these dealings make. That of a vote that is over stands in the folder alone. */
static enum status find_old(
    struct cli *cli, struct outer_statement *out, const struct sealing *sealing, uint64_t number, struct err *err) {
	struct buf bytes;
	if (number == sealing->number) return find_statement(cli, out, sealing, err);
	buf_init(&bytes, OUTER_STATEMENT_MAX);
	enum status status = outer_folder_statement(&bytes, sealing->folder, number, err);
	if (status == STATUS_NOTFOUND)
		status = err_set(err, status,
		    "the vote is over, and this member does not have the statement before: copy another member's "
		    "seal/%llu.statement into %s/seal",
		    (unsigned long long)number, sealing->folder);
	if (status == STATUS_OK) status = outer_statement_read(out, buf_view(&bytes));
	buf_fini(&bytes);
	return status;
}

static enum status check_number(const struct outer_statement *to, const struct sealing *sealing, struct err *err) {
	if (to->number == sealing->number + 1 || to->number == sealing->number) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "the dealings are for number %llu, and the chain has %llu",
	    (unsigned long long)to->number, (unsigned long long)sealing->number);
}

/* If the vote is over, the share is kept only if these are the dealings that the members voted for. */
static enum status gather(
    struct cli *cli, struct outer_statement *out, const struct sealing *sealing, struct err *err) {
	struct outer_dealing *dealings = arena_zalloc(&cli->arena, OUTER_HOLDERS_MAX, sizeof *dealings);
	struct outer_statement *old = arena_zalloc(&cli->arena, 1, sizeof *old);
	struct vss_share share;
	TRY(read_dealings(cli, dealings, &sealing->genesis, err));
	const uint64_t number = dealings->to.number;
	const bool is_new = number == 1 || cli_flag(cli, "anew");
	TRY(check_number(&dealings->to, sealing, err));
	if (!is_new) TRY(find_old(cli, old, sealing, number - 1, err));
	if (number != sealing->number) TRY(check_holders(cli, &dealings->to, err));
	enum status status = outer_gather(
	    out, &share, &sealing->member, dealings, (size_t)cli->argument_count, is_new ? NULL : old, err);
	const hash32 hash = status == STATUS_OK ? outer_statement_hash(out) : (hash32){{0}};
	if (status == STATUS_OK && number == sealing->number && !hash32_equal(&hash, &sealing->statement))
		status = err_set(err, STATUS_DENIED, "these are not the dealings that the members voted for");
	if (status == STATUS_OK) status = outer_folder_write(sealing->folder, out, &share, err);
	mem_wipe(&share, sizeof share);
	return status;
}

static enum status vote(struct cli *cli, const struct outer_statement *statement, struct err *err) {
	struct client_receipt receipt;
	const hash32 hash = outer_statement_hash(statement);
	TRY(request_transact(&cli->request, &receipt, &genesis_members_address,
	    members_state_seal_call(&cli->arena, statement->number, &hash), err));
	cli_put_receipt(cli, "sent", &receipt);
	return STATUS_OK;
}

static enum status cmd_gather(struct cli *cli, struct err *err) {
	struct outer_statement *statement = arena_zalloc(&cli->arena, 1, sizeof *statement);
	struct sealing sealing = {.number = 0};
	enum status status = ask_chain(cli, &sealing, err);
	if (status == STATUS_OK) status = take_member(cli, &sealing, err);
	if (status == STATUS_OK) status = gather(cli, statement, &sealing, err);
	mem_wipe(&sealing.member, sizeof sealing.member);
	TRY(status);
	if (sealing.number != statement->number) TRY(vote(cli, statement, err));
	put_holders(cli, statement);
	TRY(ask_chain(cli, &sealing, err));
	cli_put_bool(cli, "done", sealing.number == statement->number);
	return STATUS_OK;
}

const struct cli_command command_consortium_seal_gather = {
    .name = "consortium seal gather",
    .arguments = "DEALING…",
    .arguments_min = 1,
    .arguments_max = OUTER_HOLDERS_MAX,
    .summary = "as a member: keep this member's share of the outer seal's key, and vote for who holds it",
    .teach =
	"Checks what each dealer dealt to this member, keeps the sum in DIR/seal, and votes. It is done once more\n"
	"than two thirds of the members voted for the same; whoever gathers the same dealings does. The nodes need\n"
	"no new start. Until then the shares before it stay in force. A member that comes after the vote gathers\n"
	"the same dealings, and keeps its share.\n\n"
	"  xinglin consortium seal gather dealing-1 dealing-2 --member member1 \\\n"
	"    --home member1/home --rpc http://127.0.0.1:8545",
    .options = {{"member", "DIR", "the member's folder"}, {"anew", NULL, "the dealings found another key"}},
    .needs_home = true,
    .run = cmd_gather,
};

/* --- show --- */

static enum status cmd_show(struct cli *cli, struct err *err) {
	struct outer_statement *statement = arena_zalloc(&cli->arena, 1, sizeof *statement);
	struct sealing sealing = {.number = 0};
	struct vss_share share;
	TRY(cli_need(cli, &sealing.folder, "member", err));
	TRY(ask_chain(cli, &sealing, err));
	if (sealing.number == 0) return err_set(err, STATUS_NOTFOUND, "the chain has no outer seal");
	TRY(find_statement(cli, statement, &sealing, err));
	put_holders(cli, statement);
	const bool holds = outer_folder_share(&share, sealing.folder, sealing.number, NULL) == STATUS_OK &&
			   vss_share_is_valid(&share, &statement->commitments);
	mem_wipe(&share, sizeof share);
	cli_put_bool(cli, "thisMemberHoldsAShare", holds);
	return STATUS_OK;
}

const struct cli_command command_consortium_seal_show = {
    .name = "consortium seal show",
    .arguments = "",
    .summary = "who holds shares of the outer seal's key",
    .teach = "Asks the node that --rpc names: take your own.\n\n"
	     "  xinglin consortium seal show --member member1 --home member1/home --rpc http://127.0.0.1:8545",
    .options = {{"member", "DIR", "the member's folder"}},
    .needs_home = true,
    .run = cmd_show,
};
