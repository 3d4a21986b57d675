/* xinglin consortium init, member new: the folders of the members of a consortium. */
#include <stdio.h>
#include <stdlib.h>

#include "app/cli/cli_request.h"
#include "app/commands/commands.h"
#include "app/commands/node_command.h"
#include "app/serve/joining.h"
#include "app/serve/member_folder.h"
#include "app/serve/outer_folder.h"
#include "app/system.h"
#include "codec/hex.h"
#include "ledger/consensus/members.h"

#define COMET_GENESIS_MAX ((size_t)64 << 10)
#define URL_CHARACTERS "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:/_[]"
#define POWER 10u /* of each first member */
#define P2P_PORT 26656u
#define HTTP_PORT 8545u

/* --- options --- */

static enum status take_wallet(struct cli *cli, struct member_wallet *out, struct buf *password, struct err *err) {
	buf_init(password, 1024);
	TRY(cli_password(password, cli_value(cli, "password-file"), err));
	*out = (struct member_wallet){.password = buf_view(password), .light_kdf = cli_flag(cli, "light-kdf")};
	return STATUS_OK;
}

static enum status take_host(struct member_folder *member, struct bytes host, struct err *err) {
	snprintf(member->host, sizeof member->host, "%.*s", (int)host.len, (const char *)host.data);
	if (host.len < sizeof member->host && member_host_is_valid(member->host)) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "--host takes names or IPv4 addresses, with commas between");
}

/* One for all, or one for each. */
static enum status take_hosts(struct cli *cli, struct member_folder *members, size_t count, struct err *err) {
	const char *text = cli_value(cli, "host");
	struct bytes part, rest = bytes_text(text ? text : "127.0.0.1");
	size_t given = 0;
	while (cli_next_part(&part, &rest)) {
		if (given == count) return err_set(err, STATUS_INVALID, "--host names more hosts than members");
		TRY(take_host(&members[given++], part, err));
	}
	if (given == 1)
		for (; given < count; given++) memcpy(members[given].host, members[0].host, sizeof members[0].host);
	if (given == count) return STATUS_OK;
	return err_set(
	    err, STATUS_INVALID, "--host names %zu hosts for %zu members: give one, or one for each", given, count);
}

/* From --base-port on, two for each member; on loopback free ones; else each host has the usual two. */
static enum status take_ports(struct cli *cli, struct member_folder *members, size_t count, struct err *err) {
	uint16_t free_ports[2 * MEMBERS_MAX];
	uint64_t base;
	TRY(cli_u64(cli, &base, "base-port", 0, err));
	if (base > 65535 - 2 * count) return err_set(err, STATUS_INVALID, "--base-port is too large");
	const bool is_loopback = member_host_is_loopback(members[0].host);
	if (!base && is_loopback) TRY(member_free_ports(free_ports, 2 * count, err));
	for (size_t i = 0; i < count; i++) {
		const bool is_chosen = base || is_loopback;
		const size_t at = 2 * i;
		members[i].p2p_port = (uint16_t)(!is_chosen ? P2P_PORT : base ? base + at : free_ports[at]);
		members[i].http_port = (uint16_t)(!is_chosen ? HTTP_PORT : base ? base + at + 1 : free_ports[at + 1]);
	}
	return STATUS_OK;
}

/* --- what all share --- */

struct network {
	char path[FILES_PATH_BYTES]; /* of the whole consortium */
	struct member_folder *members;
	size_t count;
	struct buf genesis, comet_genesis, peers, blob_peers;
	hash32 block, seal;
	uint64_t chain_id;
	const struct comet_state_sync *state_sync; /* of who joins; NULL: none */
};

static void network_init(struct network *network) {
	buf_init(&network->genesis, GENESIS_OUT_MAX);
	buf_init(&network->comet_genesis, COMET_GENESIS_MAX);
	buf_init(&network->peers, MEMBER_PEERS_MAX);
	buf_init(&network->blob_peers, MEMBER_PEERS_MAX);
}

static void network_fini(struct network *network) {
	for (size_t i = 0; i < network->count; i++) mem_wipe(&network->members[i], sizeof network->members[i]);
	buf_fini(&network->genesis);
	buf_fini(&network->comet_genesis);
	buf_fini(&network->peers);
	buf_fini(&network->blob_peers);
}

static enum status network_file(char out[FILES_PATH_BYTES], const char *folder, const char *name, struct err *err) {
	if ((size_t)snprintf(out, FILES_PATH_BYTES, "%s/%s", folder, name) < FILES_PATH_BYTES) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "the path %s is too long", folder);
}

static enum status write_network(const struct network *network, struct err *err) {
	char folder[FILES_PATH_BYTES], path[FILES_PATH_BYTES];
	const struct {
		const char *name;
		const struct buf *content;
	} files[] = {{"genesis.json", &network->genesis}, {"comet-genesis.json", &network->comet_genesis},
	    {"peers", &network->peers}, {"blob-peers", &network->blob_peers}};
	TRY(network_file(folder, network->path, "network", err));
	TRY(files_make_folder(folder, err));
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		TRY(buf_status(files[i].content, err));
		TRY(network_file(path, folder, files[i].name, err));
		TRY(files_write(path, buf_view(files[i].content), err));
	}
	return STATUS_OK;
}

/* May it stand in a configuration? */
static bool is_list(const struct buf *text) {
	for (size_t i = 0; i < text->len; i++)
		if (text->data[i] <= ' ' || text->data[i] == '"' || text->data[i] == '\\' || text->data[i] > '~')
			return false;
	return true;
}

static enum status read_network(struct network *network, const char *folder, struct err *err) {
	char path[FILES_PATH_BYTES];
	const struct {
		const char *name;
		struct buf *content;
	} files[] = {{"genesis.json", &network->genesis}, {"comet-genesis.json", &network->comet_genesis},
	    {"peers", &network->peers}, {"blob-peers", &network->blob_peers}};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		TRY(network_file(path, folder, files[i].name, err));
		TRY(files_read(files[i].content, path, err));
	}
	if (!is_list(&network->peers) || !is_list(&network->blob_peers))
		return err_set(err, STATUS_CORRUPT, "%s: peers or blob-peers is no list of peers", folder);
	return STATUS_OK;
}

static enum status join(
    const struct network *network, const struct member_folder *member, struct cli *cli, struct err *err) {
	const struct member_network shared = {.genesis = buf_view(&network->genesis),
	    .comet_genesis = buf_view(&network->comet_genesis),
	    .peers = buf_cstr((struct buf *)&network->peers),
	    .blob_peers = buf_cstr((struct buf *)&network->blob_peers),
	    .program = cli_value(cli, "comet-program"),
	    .state_sync = network->state_sync};
	return member_folder_join(member, &shared, err);
}

/* --- consortium init --- */

static enum status make_members(struct cli *cli, struct network *network, struct err *err) {
	struct buf password;
	struct member_wallet wallet;
	enum status status = take_wallet(cli, &wallet, &password, err);
	for (size_t i = 0; status == STATUS_OK && i < network->count; i++) {
		struct member_folder *member = &network->members[i];
		snprintf(member->name, sizeof member->name, "member%zu", i + 1);
		status = network_file(member->path, network->path, member->name, err);
		if (status == STATUS_OK) status = member_folder_make(member, &wallet, &world_random, err);
	}
	buf_wipe(&password);
	return status;
}

static int by_node(const void *a, const void *b) {
	return memcmp(a, b, sizeof(addr20));
}

/* Each member's part of it is in its own folder; the key itself is forgotten here. */
static enum status found_seal(struct network *network, struct err *err) {
	struct outer_statement statement = {.number = 1, .holder_count = (uint8_t)network->count};
	struct vss_share shares[OUTER_HOLDERS_MAX];
	struct p256_secret secret;
	struct p256_public key;
	uint8_t seed[32];
	random_fill(&world_random, seed, sizeof seed);
	enum status status = p256_derive_key_pair(&secret, &key, bytes_make(seed, sizeof seed));
	for (size_t i = 0; i < network->count; i++) statement.holders[i] = network->members[i].node.address;
	qsort(statement.holders, network->count, sizeof *statement.holders, by_node);
	if (status == STATUS_OK)
		status = vss_deal(&statement.commitments, shares, &secret, outer_threshold(network->count),
		    statement.holder_count, &world_random);
	if (status != STATUS_OK) (void)!err_set(err, status, "the outer seal's key cannot be founded");
	for (size_t i = 0; i < network->count && status == STATUS_OK; i++) {
		const struct member_folder *member = &network->members[i];
		const uint8_t index = outer_index(&statement, &member->node.address);
		status = outer_folder_write(member->path, &statement, &shares[index - 1], err);
	}
	network->seal = outer_statement_hash(&statement);
	mem_wipe(seed, sizeof seed);
	mem_wipe(&secret, sizeof secret);
	mem_wipe(shares, sizeof shares);
	return status;
}

static enum status take_plan(
    struct cli *cli, struct genesis_plan *plan, const struct network *network, struct err *err) {
	plan->timestamp = clock_now_ms(&world_clock) / 1000;
	plan->zero_base_fee = !cli_flag(cli, "base-fee");
	plan->listed_only = cli_flag(cli, "listed-only");
	plan->deployer = network->members[0].account;
	if (cli_value(cli, "deployer")) TRY(cli_address(cli, &plan->deployer, "deployer", err));
	TRY(cli_u64(cli, &plan->chain_id, "chain-id", 0, err));
	TRY(cli_u64(cli, &plan->gas_limit, "gas-limit", BLOCK_GAS_DEFAULT, err));
	TRY(cli_addresses(cli, &plan->funded, &plan->funded_count, "fund", SIZE_MAX, err));
	while (plan->chain_id == 0) {
		uint8_t random[4];
		random_fill(&world_random, random, sizeof random);
		plan->chain_id = load_be32(random) & 0x7fffffff;
	}
	return STATUS_OK;
}

static enum status make_genesis(struct cli *cli, struct network *network, struct err *err) {
	struct genesis_member laid[MEMBERS_MAX];
	struct comet_genesis_validator validators[MEMBERS_MAX];
	struct genesis_plan plan = {.members = laid, .member_count = network->count, .seal = network->seal};
	for (size_t i = 0; i < network->count; i++) {
		const struct member_folder *member = &network->members[i];
		laid[i] = (struct genesis_member){.account = member->account,
		    .power = POWER,
		    .key = member->validator.key,
		    .node = member->node.address};
		validators[i] = (struct comet_genesis_validator){member->name, member->validator.key, POWER};
		if (i) buf_byte(&network->peers, ',');
		if (i) buf_byte(&network->blob_peers, ',');
		member_folder_put_peer(&network->peers, member);
		member_folder_put_blob_peer(&network->blob_peers, member);
	}
	TRY(take_plan(cli, &plan, network, err));
	network->chain_id = plan.chain_id;
	genesis_write(&network->genesis, &plan);
	TRY(buf_status(&network->genesis, err));
	TRY(genesis_block_hash(&network->block, buf_view(&network->genesis), err));
	const struct comet_genesis comet = {.block = network->block,
	    .timestamp = plan.timestamp,
	    .validators = validators,
	    .validator_count = network->count};
	comet_genesis_write(&network->comet_genesis, &comet);
	return write_network(network, err);
}

static void put_member(struct cli *cli, const struct member_folder *member) {
	char text[MEMBER_HOST_BYTES + 16], path[FILES_PATH_BYTES + 16];
	snprintf(path, sizeof path, "%s/xinglin.conf", member->path);
	cli_put_text(cli, "config", path);
	cli_put_address(cli, "account", &member->account);
	cli_put_hex(cli, "key", BYTES_OF(member->validator.key));
	cli_put_hex(cli, "node", BYTES_OF(member->node.address));
	snprintf(text, sizeof text, "%s:%u", member->host, member->p2p_port);
	cli_put_text(cli, "peer", text);
	snprintf(text, sizeof text, "http://127.0.0.1:%u", member->http_port);
	cli_put_text(cli, "rpc", text);
}

static void report(struct cli *cli, const struct network *network) {
	cli_put_u64(cli, "chainId", network->chain_id);
	cli_put_hex(cli, "genesis", BYTES_OF(network->block));
	json_array_begin(&cli->writer, "members");
	for (size_t i = 0; i < network->count; i++) {
		json_object_begin(&cli->writer, NULL);
		put_member(cli, &network->members[i]);
		json_object_end(&cli->writer);
	}
	json_array_end(&cli->writer);
}

static const char readme_format[] =
    "A consortium of %zu members, made by `xinglin consortium init`.\n"
    "\n"
    "  member1 …  the folder of one member each: move it to that member's machine, and delete it here.\n"
    "             There:  xinglin node --config PATH/member1/xinglin.conf\n"
    "             (the paths in xinglin.conf and the ports are this machine's: see what fits there)\n"
    "  network    nothing secret: the two genesis files and the first members' addresses. Whoever joins later\n"
    "             is given a copy (xinglin consortium member new).\n"
    "\n"
    "Whoever made these folders has seen all keys. So each member replaces its own, once the network runs:\n"
    "xinglin consortium member new, then member propose --leaves and --joins, and the others vote. And before\n"
    "contracts are deployed, the members found the outer seal's key anew (xinglin consortium seal deal --anew).\n"
    "\n"
    "%zu of the %zu members may fail or lie at a time. A member's comet/data is never restored from an old backup:\n"
    "it would sign a second time what it has signed.\n";

static enum status write_readme(const struct network *network, struct err *err) {
	char path[FILES_PATH_BYTES], text[2048];
	TRY(network_file(path, network->path, "README", err));
	snprintf(text, sizeof text, readme_format, network->count, (network->count - 1) / 3, network->count);
	return files_write(path, bytes_text(text), err);
}

static enum status init(struct cli *cli, struct network *network, struct err *err) {
	const char *out;
	TRY(cli_need(cli, &out, "out", err));
	TRY(take_hosts(cli, network->members, network->count, err));
	TRY(take_ports(cli, network->members, network->count, err));
	if (files_exists(out)) return err_set(err, STATUS_EXISTS, "%s is there already", out);
	TRY(files_make_folder(out, err));
	snprintf(network->path, sizeof network->path, "%s", out);
	TRY(make_members(cli, network, err));
	TRY(found_seal(network, err));
	TRY(make_genesis(cli, network, err));
	for (size_t i = 0; i < network->count; i++) TRY(join(network, &network->members[i], cli, err));
	TRY(write_readme(network, err));
	report(cli, network);
	return STATUS_OK;
}

static enum status cmd_consortium_init(struct cli *cli, struct err *err) {
	struct network network = {0};
	uint64_t count;
	TRY(cli_u64(cli, &count, "members", 4, err));
	if (count == 0 || count > MEMBERS_MAX)
		return err_set(err, STATUS_INVALID, "--members takes 1 to %d", MEMBERS_MAX);
	network.count = (size_t)count;
	network.members = arena_zalloc(&cli->arena, network.count, sizeof *network.members);
	network_init(&network);
	const enum status status = init(cli, &network, err);
	network_fini(&network);
	return status;
}

const struct cli_command command_consortium_init = {
    .name = "consortium init",
    .arguments = "",
    .summary = "make the folders of a consortium: genesis, keys and configuration of every member",
    .teach = "A consortium's nodes agree on each block by CometBFT: fewer than a third of them may fail or lie. Each\n"
	     "member's folder has its wallet, its keys and its configuration, and `xinglin node` starts CometBFT\n"
	     "beside itself. On one machine the members get free ports. Members join, leave and are replaced by\n"
	     "votes (consortium member propose).\n\n"
	     "  xinglin consortium init --members 4 --out grove --password-file password\n"
	     "  xinglin node --config grove/member1/xinglin.conf",
    .options = {{"members", "N", "how many, 1 to 64 (4)"}, {"out", "DIR", "the folder to make"},
	{"host", "HOST,…", "where the others reach each member: one for all, or one for each (127.0.0.1)"},
	{"base-port", "PORT", "the first of two ports for each member (free ones on loopback, else 26656 and 8545)"},
	{"deployer", "ADDRESS", "who will deploy the contracts (the first member's account)"},
	{"chain-id", "N", "the chain's id (a random one)"}, {"gas-limit", "N", "gas of a block (1,000,000,000)"},
	{"base-fee", NULL, "fees as on mainnet; without it the base fee is pinned to zero"},
	{"listed-only", NULL,
	    "take transactions of the directory's active actors, the registrars and the deployer only"},
	{"fund", "ADDRESS,…", "accounts that get 10,000 ether each"},
	{"comet-program", "FILE", "CometBFT itself, for the configurations (cometbft, looked up on the PATH)"},
	{"password-file", "FILE", "whose first line will open the members' wallets"},
	{"light-kdf", NULL, "a quick key derivation: for tests and demonstrations"}},
    .run = cmd_consortium_init,
};

/* --- consortium member new, follower --- */

#define STATE_SYNC_SERVERS_MAX ((size_t)4 << 10)

struct newcomer {
	struct joining joining;
	struct joining_found found;
	struct comet_state_sync state_sync;
	struct buf servers;
	bool has_nodes; /* --from was given */
};

static enum status take_nodes(struct cli *cli, struct newcomer *newcomer, struct err *err) {
	const char **urls = arena_zalloc(&cli->arena, JOINING_NODES_MAX + 1, sizeof *urls);
	const char *text = cli_value(cli, "from");
	struct bytes part, rest = bytes_text(text ? text : "");
	size_t count = 0;
	while (text && cli_next_part(&part, &rest)) {
		if (count == JOINING_NODES_MAX)
			return err_set(err, STATUS_INVALID, "--from names more than %u nodes", JOINING_NODES_MAX);
		urls[count] = arena_strdup(&cli->arena, part);
		if (strspn(urls[count], URL_CHARACTERS) != part.len || strncmp(urls[count], "http", 4) != 0)
			return err_set(
			    err, STATUS_INVALID, "--from takes http:// and https:// URLs, with commas between");
		count++;
	}
	newcomer->joining.urls = urls;
	newcomer->has_nodes = count > 0;
	return STATUS_OK;
}

/* "HEIGHT:HASH" */
static enum status take_trust(struct cli *cli, struct newcomer *newcomer, struct err *err) {
	const char *text = cli_value(cli, "trust");
	struct json number = {.type = JSON_NUMBER};
	if (!text) return STATUS_OK;
	number.text = bytes_make((const uint8_t *)text, strcspn(text, ":"));
	const char *hash = text + number.text.len + (text[number.text.len] == ':');
	if (number.text.len > 0 && json_u64(&newcomer->joining.height, &number) && newcomer->joining.height > 0 &&
	    hex_fixed(newcomer->joining.hash.b, sizeof(hash32), bytes_text(hash)) == STATUS_OK)
		return STATUS_OK;
	return err_set(err, STATUS_INVALID, "--trust takes HEIGHT:0xHASH of a block of CometBFT's");
}

static void plan_state_sync(struct newcomer *newcomer) {
	const char *const *urls = newcomer->joining.urls;
	for (size_t i = 0; urls[i] || i < 2; i++) {
		const char *url = urls[i] ? urls[i] : urls[0];
		const size_t len = strlen(url), used = len - (url[len - 1] == '/');
		if (i) buf_byte(&newcomer->servers, ',');
		buf_append(&newcomer->servers, bytes_make((const uint8_t *)url, used));
		buf_text(&newcomer->servers, "/comet");
	}
	newcomer->state_sync = (struct comet_state_sync){.servers = buf_cstr(&newcomer->servers),
	    .height = newcomer->found.height,
	    .hash = newcomer->found.hash,
	    .trust_s = JOINING_TRUST_DAYS * 86400u};
}

/* What nodes that run know more than the network's folder. */
static enum status ask_nodes(struct cli *cli, struct newcomer *newcomer, struct network *network, struct err *err) {
	TRY(take_nodes(cli, newcomer, err));
	TRY(take_trust(cli, newcomer, err));
	if (!newcomer->has_nodes) return STATUS_OK;
	newcomer->joining.comet_genesis = buf_view(&network->comet_genesis);
	newcomer->joining.now_ms = clock_now_ms(&world_clock);
	TRY(joining_find(&newcomer->found, &network->peers, &network->blob_peers, &newcomer->joining, err));
	if (newcomer->found.snapshot > 0) plan_state_sync(newcomer);
	return buf_status(&newcomer->servers, err);
}

static void put_newcomer(struct cli *cli, const struct newcomer *newcomer, const struct network *network) {
	if (network->members->is_follower) {
		char path[FILES_PATH_BYTES + 16];
		snprintf(path, sizeof path, "%s/xinglin.conf", network->members->path);
		cli_put_text(cli, "config", path);
		cli_put_hex(cli, "node", BYTES_OF(network->members->node.address));
		snprintf(path, sizeof path, "http://127.0.0.1:%u", network->members->http_port);
		cli_put_text(cli, "rpc", path);
	} else {
		put_member(cli, network->members);
	}
	if (newcomer->found.snapshot == 0) return;
	cli_put_u64(cli, "snapshot", newcomer->found.snapshot);
	cli_put_u64(cli, "trustHeight", newcomer->found.height);
	cli_put_hex(cli, "trustHash", BYTES_OF(newcomer->found.hash));
}

static enum status make_folder(struct cli *cli, struct network *network, struct err *err) {
	struct member_wallet wallet = {0};
	struct buf password = {0};
	struct member_folder *member = network->members;
	enum status status = STATUS_OK;
	if (!member->is_follower) status = take_wallet(cli, &wallet, &password, err);
	if (status == STATUS_OK) status = member_folder_make(member, &wallet, &world_random, err);
	buf_wipe(&password);
	return status;
}

static enum status make_newcomer(struct cli *cli, struct newcomer *newcomer, struct network *network, struct err *err) {
	const char *from, *out;
	struct member_folder *member = network->members;
	TRY(cli_need(cli, &from, "network", err));
	TRY(cli_need(cli, &out, "out", err));
	TRY(take_hosts(cli, member, 1, err));
	TRY(take_ports(cli, member, 1, err));
	TRY(read_network(network, from, err));
	TRY(ask_nodes(cli, newcomer, network, err));
	snprintf(member->path, sizeof member->path, "%s", out);
	snprintf(member->name, sizeof member->name, "%s", member->is_follower ? "follower" : "newcomer");
	TRY(make_folder(cli, network, err));
	network->state_sync = newcomer->found.snapshot > 0 ? &newcomer->state_sync : NULL;
	TRY(join(network, member, cli, err));
	put_newcomer(cli, newcomer, network);
	return STATUS_OK;
}

static enum status run_newcomer(struct cli *cli, bool is_follower, struct err *err) {
	struct network network = {.count = 1};
	struct newcomer newcomer = {0};
	network.members = arena_zalloc(&cli->arena, 1, sizeof *network.members);
	network.members->is_follower = is_follower;
	network_init(&network);
	buf_init(&newcomer.servers, STATE_SYNC_SERVERS_MAX);
	const enum status status = make_newcomer(cli, &newcomer, &network, err);
	buf_fini(&newcomer.servers);
	network_fini(&network);
	return status;
}

static enum status cmd_member_new(struct cli *cli, struct err *err) {
	return run_newcomer(cli, false, err);
}

static enum status cmd_follower(struct cli *cli, struct err *err) {
	return run_newcomer(cli, true, err);
}

// clang-format off
#define NEWCOMER_OPTIONS                                                                                               \
	{"network", "DIR", "the network's folder, as `consortium init` made it"},                                      \
	{"out", "DIR", "the folder to make"},                                                                          \
	{"from", "URL,…", "nodes that run: where all peers are by now, and a snapshot to begin with"},                 \
	{"trust", "HEIGHT:HASH", "a block that you trust, if the genesis is older than two weeks"},                    \
	{"host", "HOST", "where the others reach it (127.0.0.1)"},                                                     \
	{"base-port", "PORT", "the first of its two ports (free ones on loopback, else 26656 and 8545)"},              \
	{"comet-program", "FILE", "CometBFT itself, for the configuration (cometbft, looked up on the PATH)"}
// clang-format on

const struct cli_command command_consortium_member_new = {
    .name = "consortium member new",
    .arguments = "",
    .summary = "make the folder of somebody who wants to join a consortium",
    .teach = "Makes a wallet and keys of its own, and a configuration that reaches the members. With --from, nodes\n"
	     "that run are asked where all of them are, and if they have a snapshot the new node begins with it; what\n"
	     "they say of the chain is checked by the votes of the network's first validators. A member then\n"
	     "proposes the printed account, key and node (consortium member propose), and others vote. The node is\n"
	     "started when they have: before, nobody takes it as a peer.\n\n"
	     "  xinglin consortium member new --network network --out member5 --password-file password \\\n"
	     "    --from http://a.example:8545,http://b.example:8545",
    .options = {NEWCOMER_OPTIONS, {"password-file", "FILE", "whose first line will open its wallet"},
	{"light-kdf", NULL, "a quick key derivation: for tests and demonstrations"}},
    .run = cmd_member_new,
};

const struct cli_command command_consortium_follower = {
    .name = "consortium follower",
    .arguments = "",
    .summary = "make the folder of a node that follows a consortium without a vote",
    .teach = "A follower has all blocks, executes them itself, and serves JSON-RPC; there may be as many as are\n"
	     "wanted, and none of them slows the members down. Members take it as a peer once the printed node stands\n"
	     "in their configuration: followers = NODE. It may have followers of its own in the same way.\n\n"
	     "  xinglin consortium follower --network network --out follower1 --from http://a.example:8545",
    .options = {NEWCOMER_OPTIONS},
    .run = cmd_follower,
};
