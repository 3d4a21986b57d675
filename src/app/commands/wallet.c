/* xinglin wallet, trust, actor: who somebody is. */
#include "app/cli/cli_request.h"
#include "app/commands/commands.h"
#include "app/serve/node_files.h"
#include "app/system.h"
#include "health/actors/directory.h"

#define SMALL_FILE_MAX ((size_t)1 << 20)

/* --- wallet new --- */

static enum status cmd_wallet_new(struct cli *cli, struct err *err) {
	const char *home, *phrase_file = cli_value(cli, "phrase-file");
	struct home_wallet_options options = {.light_kdf = cli_flag(cli, "light-kdf")};
	struct buf password;
	TRY(cli_need(cli, &home, "home", err));
	if (phrase_file) TRY(cli_read_file(cli, &options.phrase, phrase_file, 512, err));
	while (options.phrase.len && options.phrase.data[options.phrase.len - 1] <= ' ') options.phrase.len--;
	buf_init(&password, 1024);
	enum status status = cli_password(&password, cli_value(cli, "password-file"), err);
	options.password = buf_view(&password);
	if (status == STATUS_OK) status = home_create(home, &options, &world_random, err);
	if (status == STATUS_OK) status = home_open(&cli->request.home, home, options.password, err);
	buf_wipe(&password);
	TRY(status);
	cli_put_text(cli, "home", home);
	cli_put_address(cli, "account", &cli->request.home->account);
	if (!phrase_file) cli_say(cli, "write its 24 words down now: xinglin wallet phrase --home %s", home);
	return STATUS_OK;
}

const struct cli_command command_wallet_new = {
    .name = "wallet new",
    .arguments = "",
    .summary = "make an actor's data folder with a new wallet",
    .teach = "A wallet is 24 words (BIP-39). The folder keeps them, and the account key, as Web3 Secret Storage\n"
	     "that geth, ethers and eth_account open with the password. Whoever has the words has everything: keep\n"
	     "them on paper.\n\n"
	     "  xinglin wallet new --home hospital-a",
    .options = {{"home", "DIR", "the folder to make"}, {"password-file", "FILE", "its first line will open the wallet"},
	{"phrase-file", "FILE", "24 words to restore a wallet from (\"-\": standard input)"},
	{"light-kdf", NULL, "a quick key derivation: for tests and demonstrations"}},
    .run = cmd_wallet_new,
};

static enum status cmd_wallet_show(struct cli *cli, struct err *err) {
	const struct home *home = cli->request.home;
	struct p256_secret secret;
	struct p256_public key;
	TRY(home_encryption_key(home, &secret, &key, 1, err));
	mem_wipe(&secret, sizeof secret);
	cli_put_address(cli, "account", &home->account);
	cli_put_hex(cli, "encryptionKey", bytes_make(key.xy, sizeof key.xy));
	if (home->has_deployment) {
		cli_put_u64(cli, "chainId", home->deployment.chain_id);
		cli_put_text(cli, "rpc", home->deployment.rpc_url);
	}
	return STATUS_OK;
}

const struct cli_command command_wallet_show = {
    .name = "wallet show",
    .arguments = "",
    .summary = "this home's account and public encryption key",
    .teach = "Nothing secret is printed.",
    .needs_home = true,
    .run = cmd_wallet_show,
};

static enum status cmd_wallet_phrase(struct cli *cli, struct err *err) {
	char phrase[256];
	(void)err;
	home_phrase(phrase, cli->request.home);
	cli_put_text(cli, "phrase", phrase);
	mem_wipe(phrase, sizeof phrase);
	return STATUS_OK;
}

const struct cli_command command_wallet_phrase = {
    .name = "wallet phrase",
    .arguments = "",
    .summary = "print the wallet's 24 words",
    .teach = "For writing them down. Whoever reads them can act as this actor.",
    .needs_home = true,
    .by_itself = true,
    .run = cmd_wallet_phrase,
};

/* --- trust --- */

static void put_decides(struct cli *cli, const struct deployment *trusted) {
	if (!deployment_is_consortium(trusted)) {
		if (addr20_is_zero(&trusted->sealer))
			cli_put_u64(cli, "witnesses", trusted->witness_count);
		else
			cli_put_address(cli, "sealer", &trusted->sealer);
		return;
	}
	cli_put_u64(cli, "validators", trusted->validators.validators.count);
	cli_put_u64(cli, "height", trusted->validators.height);
	cli_put_u64(cli, "trustDays", trusted->trust_days);
}

static enum status cmd_trust(struct cli *cli, struct err *err) {
	struct bytes json;
	TRY(cli_read_file(cli, &json, cli->arguments[0], SMALL_FILE_MAX, err));
	TRY(home_trust(cli->request.home, json, err));
	const struct deployment *trusted = &cli->request.home->deployment;
	cli_put_u64(cli, "chainId", trusted->chain_id);
	cli_put_hex(cli, "genesis", BYTES_OF(trusted->genesis));
	put_decides(cli, trusted);
	cli_put_u64(cli, "registrars", trusted->registrar_count);
	cli_put_u64(cli, "threshold", trusted->threshold);
	if (trusted->witness_count) cli_put_u64(cli, "witnesses", trusted->witness_count);
	if (trusted->node_count) cli_put_u64(cli, "nodes", trusted->node_count);
	return STATUS_OK;
}

const struct cli_command command_trust = {
    .name = "trust",
    .arguments = "DEPLOYMENT",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "take a deployment's description as this home's trust anchor",
    .teach =
	"DEPLOYMENT is the file that `xinglin deploy` wrote: the chain's genesis and sealer (or a consortium's\n"
	"validators), the contracts and their code, who lists actors, and witnesses if there are any. All else is\n"
	"proved from it. A home never changes to another deployment; a newer file of the same one, with the\n"
	"validators of a later height or other URLs, is taken. Get it by a way that you trust.\n\n"
	"  xinglin trust deployment.json --home hospital-a",
    .needs_home = true,
    .run = cmd_trust,
};

/* --- handing it on --- */

static enum status cmd_anchor(struct cli *cli, struct err *err) {
	struct deployment *anchor = arena_alloc(&cli->arena, sizeof *anchor);
	struct verified *verified;
	struct heads *heads;
	const char *path;
	struct buf text;
	TRY(cli_need(cli, &path, "out", err));
	TRY(request_verified(&cli->request, &verified, HEADS_FRESH, err)); /* so that it is not of long ago */
	TRY(actor_heads(cli->actor, &heads, err));
	heads_refresh_anchor(heads, anchor);
	buf_init(&text, SMALL_FILE_MAX);
	deployment_write(&text, anchor);
	enum status status = cli_write_file(path, buf_view(&text), err);
	buf_fini(&text);
	if (status != STATUS_OK || strcmp(path, "-") == 0) return status;
	cli_put_text(cli, "anchor", path);
	put_decides(cli, anchor);
	return STATUS_OK;
}

const struct cli_command command_anchor = {
    .name = "anchor",
    .arguments = "",
    .summary = "write this home's trust anchor as it is by now, to hand it on",
    .teach = "The validators that a consortium's anchor names count for some days. A home that is used goes on with\n"
	     "those who took their place, and this file names them; whoever trusts this home's owner can begin from\n"
	     "it, or go on: xinglin trust.\n\n"
	     "  xinglin anchor --out deployment.json --home hospital-a",
    .options = {{"out", "FILE", "where to write; \"-\": standard output"}},
    .needs_home = true,
    .run = cmd_anchor,
};

/* --- actor --- */

static enum status applicant(struct cli *cli, struct directory_applicant *out, struct err *err) {
	const char *path = cli_value(cli, "node-key");
	if (!path) return directory_applicant_of_home(out, cli->request.home, err);
	hash32 secret;
	TRY(node_key_read(&secret, path, err));
	enum status status = directory_applicant_of_secret(out, &secret, err);
	mem_wipe(&secret, sizeof secret);
	return status;
}

static enum status cmd_actor_request(struct cli *cli, struct err *err) {
	const char *name, *roles_given, *out_path;
	uint32_t roles;
	struct directory_applicant who;
	TRY(request_check_chain(&cli->request, err));
	TRY(cli_need(cli, &name, "name", err));
	TRY(cli_need(cli, &roles_given, "roles", err));
	TRY(cli_need(cli, &out_path, "out", err));
	TRY(roles_parse(&roles, bytes_text(roles_given), err));
	TRY(applicant(cli, &who, err));
	struct buf listing;
	buf_init(&listing, SMALL_FILE_MAX);
	enum status status = directory_request(&cli->request, &listing, &who, bytes_text(name), roles, err);
	if (status == STATUS_OK) status = cli_write_file(out_path, buf_view(&listing), err);
	buf_fini(&listing);
	if (status == STATUS_OK) cli_put_address(cli, "actor", &who.account);
	directory_applicant_wipe(&who);
	if (status == STATUS_OK) cli_put_text(cli, "listing", out_path);
	return status;
}

const struct cli_command command_actor_request = {
    .name = "actor request",
    .arguments = "",
    .summary = "ask to be listed in the directory",
    .teach = "Writes a request that this actor has signed, with its encryption key and the proof that it holds it.\n"
	     "Registrars endorse it (actor endorse), and one of them sends it (actor list).\n\n"
	     "roles: hospital, professional, manufacturer, wholesaler, pharmacy, regulator, trustee, emergency,\n"
	     "node, payer, verifier\n\n"
	     "  xinglin actor request --home hospital-a --name \"Hospital A\" --roles hospital,emergency --out a.json",
    .options = {{"name", "TEXT", "the organisation's public name"}, {"roles", "ROLE,…", "what it is"},
	{"out", "FILE", "where the request goes"},
	{"node-key", "FILE", "ask for a node, by its node.key, instead of for this home"}},
    .needs_home = true,
    .run = cmd_actor_request,
};

static enum status cmd_actor_endorse(struct cli *cli, struct err *err) {
	struct bytes json;
	struct buf endorsed;
	const char *out_path = cli_value(cli, "out");
	TRY(request_check_chain(&cli->request, err));
	TRY(cli_read_file(cli, &json, cli->arguments[0], SMALL_FILE_MAX, err));
	buf_init(&endorsed, SMALL_FILE_MAX);
	enum status status = directory_endorse(&cli->request, &endorsed, json, err);
	if (!out_path) out_path = cli->arguments[0];
	if (status == STATUS_OK) status = cli_write_file(out_path, buf_view(&endorsed), err);
	buf_fini(&endorsed);
	if (status == STATUS_OK) cli_put_text(cli, "listing", out_path);
	return status;
}

const struct cli_command command_actor_endorse = {
    .name = "actor endorse",
    .arguments = "LISTING",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "as a registrar: sign a listing request",
    .teach = "Look at the request first: the account, its roles and its name. The signature is added to the file.\n\n"
	     "  xinglin actor endorse a.json --home registrar-1",
    .options = {{"out", "FILE", "write the endorsed request here instead"}},
    .needs_home = true,
    .run = cmd_actor_endorse,
};

static enum status cmd_actor_list(struct cli *cli, struct err *err) {
	struct bytes json;
	struct client_receipt receipt;
	TRY(request_check_chain(&cli->request, err));
	TRY(cli_read_file(cli, &json, cli->arguments[0], SMALL_FILE_MAX, err));
	TRY(directory_list(&cli->request, &receipt, json, err));
	cli_put_receipt(cli, "listed", &receipt);
	return STATUS_OK;
}

const struct cli_command command_actor_list = {
    .name = "actor list",
    .arguments = "LISTING",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "send a listing request that has enough registrars' signatures",
    .teach = "If this home is a registrar and has not signed yet, it signs first.\n\n"
	     "  xinglin actor list a.json --home registrar-2",
    .needs_home = true,
    .run = cmd_actor_list,
};

static enum status cmd_actor_show(struct cli *cli, struct err *err) {
	addr20 address;
	struct directory_listed actor;
	char roles[160];
	TRY(request_check_chain(&cli->request, err));
	TRY(cli_address(cli, &address, "address", err));
	TRY(directory_find(&cli->request, &actor, &address, err));
	const bool key_changed = actor.key_changed;
	if (cli_flag(cli, "accept-key")) TRY(directory_accept_key(&cli->request, &actor, err));
	roles_text(roles, actor.roles);
	static const char *const statuses[] = {"none", "active", "suspended", "withdrawn"};
	cli_put_address(cli, "actor", &actor.address);
	cli_put_text(cli, "name", actor.name);
	cli_put_text(cli, "roles", roles);
	cli_put_text(cli, "status", actor.status < 4 ? statuses[actor.status] : "unknown");
	cli_put_u64(cli, "keyVersion", actor.key_version);
	cli_put_hex(cli, "encryptionKey", bytes_make(actor.key.xy, sizeof actor.key.xy));
	cli_put_bool(cli, "keyChanged", key_changed);
	cli_put_bool(cli, "keyByRegistrarsAlone", actor.key_by_registrars);
	cli_put_time(cli, "keyInForceFrom", actor.key_from);
	if (actor.key_by_registrars)
		cli_say(cli, "keyVersion %u%s", actor.key_version, directory_key_origin(&cli->arena, &actor));
	cli_put_time(cli, "listedAt", actor.listed_at);
	cli_put_time(cli, "mayBreakGlassFrom", actor.emergency_from);
	return STATUS_OK;
}

const struct cli_command command_actor_show = {
    .name = "actor show",
    .arguments = "",
    .summary = "look an actor up in the directory",
    .teach = "Keys that this home has seen are pinned: a changed key is reported here, and a false one is refused.\n\n"
	     "  xinglin actor show --address 0x… --home patient",
    .options = {{"address", "ADDRESS", "the actor's account"},
	{"accept-key", NULL, "pin its present key: after asking whether it changed it"}},
    .needs_home = true,
    .run = cmd_actor_show,
};

static enum status cmd_actor_publish_key(struct cli *cli, struct err *err) {
	struct client_receipt receipt;
	TRY(request_check_chain(&cli->request, err));
	TRY(directory_publish_key(&cli->request, &receipt, cli_flag(cli, "stolen"), err));
	cli_put_receipt(cli, "published", &receipt);
	return STATUS_OK;
}

const struct cli_command command_actor_publish_key = {
    .name = "actor publish-key",
    .arguments = "",
    .summary = "publish this actor's next encryption key",
    .teach = "New wraps go to the new key. The old one stays in the wallet, so that what was wrapped to it can\n"
	     "still be opened. A key that registrars alone gave this account waits 48 hours: in that time this\n"
	     "command replaces it, signed with the key in force. Is that one lost, or the account: actor ask-key.\n\n"
	     "  xinglin actor publish-key --home hospital",
    .options = {{"stolen", NULL, "the key before was stolen: nobody uses it from now on"}},
    .needs_home = true,
    .run = cmd_actor_publish_key,
};
