/* xinglin folder …, relay: a patient's compartments. */
#include "app/commands/folder.h"
#include "app/cli/cli_action.h"
#include "app/commands/commands.h"
#include "codec/hex.h"
#include "health/consent/consent.h"
#include "health/consent/erasing.h"
#include "health/consent/owed.h"
#include "health/contracts/folders.h"
#include "health/contracts/records.h"
#include "health/records/signer.h"

#define GLASS_MINUTES_MAX 65535u

enum status folder_argument(const struct cli *cli, hash32 *out, struct err *err) {
	if (hex_fixed(out->b, sizeof out->b, bytes_text(cli->arguments[0])) == STATUS_OK) return STATUS_OK;
	return err_set(
	    err, STATUS_INVALID, "\"%s\" is no id: it has \"0x\" and 64 hexadecimal digits", cli->arguments[0]);
}

/* --- folder open --- */

enum status folder_minutes(const struct cli *cli, uint16_t *out, struct err *err) {
	uint64_t minutes;
	TRY(cli_u64(cli, &minutes, "glass-minutes", 0, err));
	if (minutes > GLASS_MINUTES_MAX)
		return err_set(err, STATUS_INVALID, "--glass-minutes takes 0 (never) to %u", GLASS_MINUTES_MAX);
	*out = (uint16_t)minutes;
	return STATUS_OK;
}

enum status folder_threshold(const struct cli *cli, uint8_t *out, struct err *err) {
	uint64_t threshold;
	TRY(cli_u64(cli, &threshold, "trustee-threshold", 0, err));
	if (cli_value(cli, "trustee-threshold") && (threshold < 1 || threshold > FOLDER_TRUSTEES_MAX))
		return err_set(err, STATUS_INVALID, "--trustee-threshold takes 1 to %u", FOLDER_TRUSTEES_MAX);
	*out = (uint8_t)threshold;
	return STATUS_OK;
}

void folder_put_threshold(struct cli *cli, uint8_t threshold, size_t trustee_count) {
	cli_put_u64(cli, "trusteeThreshold", threshold);
	cli_put_bool(cli, "trusteeHoldsKey", threshold == 1);
	if (threshold == 1)
		cli_say(cli,
		    "%s holds this folder's key and could open it alone: keep nothing but an emergency summary in it, or "
		    "name more trustees",
		    trustee_count == 1 ? "the trustee" : "each trustee");
}

static enum status cmd_folder_open(struct cli *cli, struct err *err) {
	struct folder_opening opening = {0};
	struct action action;
	hash32 id;
	TRY(cli_action_options(cli, err));
	TRY(cli_need(cli, &opening.label, "label", err));
	TRY(folder_minutes(cli, &opening.glass_minutes, err));
	TRY(cli_addresses(cli, &opening.trustees, &opening.trustee_count, "trustee", FOLDER_TRUSTEES_MAX, err));
	TRY(folder_threshold(cli, &opening.threshold, err));
	TRY(request_check_chain(&cli->request, err));
	TRY(folder_open_action(&cli->request, &action, &id, &opening, err));
	cli_put_hex(cli, "folder", BYTES_OF(id));
	TRY(cli_action_finish(cli, "action", &action, err));
	folder_put_threshold(cli,
	    opening.threshold ? opening.threshold : folder_threshold_default(opening.trustee_count),
	    opening.trustee_count);
	cli_say(cli, "the label stays in this home; the chain shows the id only");
	return STATUS_OK;
}

const struct cli_command command_folder_open = {
    .name = "folder open",
    .arguments = "",
    .summary = "as a patient: open a folder for records (\"general\", \"mental health\", …)",
    .teach = "Makes the folder's first sealing key, wrapped to a controller key of this wallet. Whoever holds the\n"
	     "wallet's phrase controls the folder. A patient needs no account on the chain: the signed file is\n"
	     "sent by any listed actor (xinglin relay). Each trustee gets a share of the key; --trustee-threshold\n"
	     "of them together give it to an emergency actor for whom the contract opened a window of\n"
	     "--glass-minutes, and fewer know nothing of it. Without minutes nobody can break the glass. A\n"
	     "trustee that is enough alone holds the key.\n\n"
	     "  xinglin folder open --home patient --label general --out open.json\n"
	     "  xinglin relay open.json --home hospital",
    .options = {{"label", "TEXT", "what you call it; never leaves this home"},
	{"glass-minutes", "N", "how long an emergency may look (0: never)"},
	{"trustee", "ADDRESS,…", "listed trustees, at most 8, who get shares of the key for emergencies"},
	{"trustee-threshold", "T", "how many of them it takes (a majority)"}, ACTION_OPTIONS},
    .needs_home = true,
    .run = cmd_folder_open,
};

/* --- folder show, folder list --- */

static enum status put_folder(struct cli *cli, const struct folder *folder, struct err *err) {
	struct own_folder own;
	bool is_own;
	enum status status = own_folder_load(&cli->request, &own, &folder->id, err);
	if (status != STATUS_OK && status != STATUS_NOTFOUND) return status;
	cli_put_hex(cli, "folder", BYTES_OF(folder->id));
	if (status == STATUS_OK) cli_put_text(cli, "label", own.label);
	TRY(folder_is_own(&cli->request, &own, &is_own, folder, err));
	cli_put_bool(cli, "controlledHere", is_own);
	cli_put_address(cli, "controller", &folder->controller);
	cli_put_text(cli, "state", folder->closed ? "forgotten" : "open");
	cli_put_u64(cli, "epoch", folder->epoch);
	cli_put_bool(cli, "rotationOwed", folder->rotation_owed);
	cli_put_u64(cli, "handOvers", folder->said.controller_count - 1);
	cli_put_u64(cli, "glassMinutes", folder->glass_minutes);
	cli_put_u64(cli, "trusteeThreshold", folder->newest.glass.threshold);
	json_array_begin(&cli->writer, "trustees");
	for (size_t i = 0; i < folder->newest.glass.trustees_count; i++) {
		json_object_begin(&cli->writer, NULL);
		cli_put_address(cli, "trustee", &folder->newest.glass.trustees[i]);
		cli_put_bool(cli, "shareRefused", folder->shares_refused >> i & 1);
		json_object_end(&cli->writer);
	}
	json_array_end(&cli->writer);
	cli_put_hex(cli, "sealingKey", bytes_make(folder->key.xy, sizeof folder->key.xy));
	return STATUS_OK;
}

static enum status put_owed(struct cli *cli, const struct folder *folder, struct err *err) {
	struct owed *owed = NULL;
	size_t count = 0;
	if (!folder->closed) TRY(owed_find(&cli->request, &owed, &count, folder, err));
	json_array_begin(&cli->writer, "owes");
	for (size_t i = 0; i < count; i++) {
		json_object_begin(&cli->writer, NULL);
		cli_put_text(cli, "why", owed_why_name(owed[i].why));
		if (!addr20_is_zero(&owed[i].who)) cli_put_address(cli, "who", &owed[i].who);
		if (owed[i].review) cli_put_u64(cli, "review", owed[i].review);
		json_object_end(&cli->writer);
	}
	json_array_end(&cli->writer);
	if (count) cli_say(cli, "it should get a new key: xinglin folder rotate");
	if (folder->shares_refused)
		cli_say(cli, "a trustee says that its share of the key is false: xinglin folder rotate deals new ones");
	return STATUS_OK;
}

static enum status cmd_folder_show(struct cli *cli, struct err *err) {
	struct folder folder;
	hash32 id;
	TRY(folder_argument(cli, &id, err));
	TRY(request_check_chain(&cli->request, err));
	TRY(folder_find(&cli->request, &folder, &id, err));
	TRY(put_folder(cli, &folder, err));
	return put_owed(cli, &folder, err);
}

const struct cli_command command_folder_show = {
    .name = "folder show",
    .arguments = "ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "a folder as the chain shows it",
    .teach = "A new key is owed when somebody who had the present one, or a share of it, has lost the right to it:\n"
	     "`owes` lists each end of a grant, of a licence, of an emergency, and each reader or trustee whose own\n"
	     "key was stolen. shareRefused: the trustee says that its share does not fit what was signed.\n\n"
	     "  xinglin folder show 0x… --home patient",
    .needs_home = true,
    .run = cmd_folder_show,
};

static enum status cmd_folder_list(struct cli *cli, struct err *err) {
	struct own_folder *folders;
	size_t count;
	TRY(request_check_chain(&cli->request, err));
	TRY(own_folders(&cli->request, &folders, &count, err));
	json_array_begin(&cli->writer, "folders");
	for (size_t i = 0; i < count; i++) {
		struct folder folder;
		enum status status = folder_find(&cli->request, &folder, &folders[i].id, err);
		if (status != STATUS_OK && status != STATUS_NOTFOUND) return status;
		json_object_begin(&cli->writer, NULL);
		if (status == STATUS_OK) {
			TRY(put_folder(cli, &folder, err));
		} else {
			cli_put_hex(cli, "folder", BYTES_OF(folders[i].id));
			cli_put_text(cli, "label", folders[i].label);
			cli_put_text(cli, "state", "not on the chain: its opening was not relayed");
		}
		json_object_end(&cli->writer);
	}
	json_array_end(&cli->writer);
	if (count == 0) cli_say(cli, "this home controls no folder; open one: xinglin folder open");
	return STATUS_OK;
}

const struct cli_command command_folder_list = {
    .name = "folder list",
    .arguments = "",
    .summary = "the folders that this home controls",
    .teach = "  xinglin folder list --home patient",
    .needs_home = true,
    .run = cmd_folder_list,
};

static enum status cmd_folder_recover(struct cli *cli, struct err *err) {
	size_t found;
	TRY(request_check_chain(&cli->request, err));
	TRY(folder_recover(&cli->request, &found, err));
	cli_put_u64(cli, "found", found);
	return cmd_folder_list(cli, err);
}

const struct cli_command command_folder_recover = {
    .name = "folder recover",
    .arguments = "",
    .summary = "find this wallet's folders again, from its words",
    .teach = "For a home that was made anew from its 24 words (wallet new --phrase-file, then trust): the chain\n"
	     "says which folders they control, and holds their labels, sealed. Twenty unused controllers in a row\n"
	     "end the search. The node sees which folders are asked for together.\n\n"
	     "  xinglin folder recover --home patient",
    .needs_home = true,
    .run = cmd_folder_recover,
};

/* --- folder forget --- */

/* After an action of this home's or somebody else's was sent: what it left of a folder or record, whoever sent it
 * names for deletion. */
static enum status erase_what_is_left(struct cli *cli, const struct action *action, struct err *err) {
	const struct deployment *deployment = &cli->request.home->deployment;
	struct folders_forget_args forgotten;
	struct records_erase_args erased;
	size_t named = 0;
	if (addr20_equal(&action->to, &deployment->folders) &&
	    folders_forget_call_read(&forgotten, &cli->arena, action->data, NULL) == STATUS_OK)
		TRY(consent_erase_forgotten(&cli->request, &named, &forgotten.statement.folder, err));
	else if (addr20_equal(&action->to, &deployment->records) &&
		 records_erase_call_read(&erased, &cli->arena, action->data, NULL) == STATUS_OK)
		TRY(consent_erase_record(&cli->request, &named, &erased.statement.record, err));
	if (named) cli_put_u64(cli, "erased", named);
	return STATUS_OK;
}

static enum status cmd_folder_forget(struct cli *cli, struct err *err) {
	struct action action;
	hash32 id;
	TRY(cli_action_options(cli, err));
	TRY(folder_argument(cli, &id, err));
	TRY(request_check_chain(&cli->request, err));
	TRY(folder_forget_action(&cli->request, &action, &id, err));
	TRY(cli_action_finish(cli, "action", &action, err));
	if (cli_flag(cli, "send")) TRY(erase_what_is_left(cli, &action, err));
	cli_say(cli, "once it is in a block, nobody gets the folder's keys any more, you neither");
	return STATUS_OK;
}

const struct cli_command command_folder_forget = {
    .name = "folder forget",
    .arguments = "ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "as a patient: forget a folder for good",
    .teach = "Nodes delete every wrap of its keys; nothing in it can be read or added from then on. This cannot be\n"
	     "undone. Records that should be kept must be read before. What authors keep as the law asks stays\n"
	     "theirs.\n\n"
	     "  xinglin folder forget 0x… --home patient --out forget.json",
    .options = {ACTION_OPTIONS},
    .needs_home = true,
    .run = cmd_folder_forget,
};

/* --- folder erase --- */

static enum status cmd_folder_erase(struct cli *cli, struct err *err) {
	size_t named;
	hash32 id;
	TRY(folder_argument(cli, &id, err));
	TRY(request_check_chain(&cli->request, err));
	TRY(consent_erase_forgotten(&cli->request, &named, &id, err));
	cli_put_u64(cli, "erased", named);
	cli_say(cli, "nothing of the folder is left on the chain that a node may give to anybody");
	return STATUS_OK;
}

const struct cli_command command_folder_erase = {
    .name = "folder erase",
    .arguments = "ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "as a listed actor: go on with the deletion of what a forgotten folder held",
    .teach = "Whoever relays the forgetting of a folder names all that was in it for deletion. If that was\n"
	     "interrupted, anybody who is listed goes on with it: what is erased already is passed over, by proof.\n\n"
	     "  xinglin folder erase 0x… --home hospital",
    .needs_home = true,
    .run = cmd_folder_erase,
};

/* --- relay --- */

static enum status cmd_relay(struct cli *cli, struct err *err) {
	struct action action;
	struct statement_call call;
	struct client_receipt receipt;
	struct bytes file;
	TRY(request_check_chain(&cli->request, err));
	TRY(cli_read_file(cli, &file, cli->arguments[0], ACTION_FILE_MAX, err));
	TRY(action_parse(&action, &cli->arena, file, cli->request.home->deployment.chain_id, err));
	TRY(action_check(&cli->request, &call, &action, err));
	cli_put_text(cli, "summary", call.summary);
	cli_put_address(cli, "signedBy", &call.by);
	cli_put_time(cli, "deadline", call.deadline_s);
	TRY(cli_action_confirm(cli, &call, err));
	TRY(action_relay(&cli->request, &receipt, &action, err));
	cli_put_receipt(cli, "relayed", &receipt);
	return erase_what_is_left(cli, &action, err);
}

const struct cli_command command_relay = {
    .name = "relay",
    .arguments = "FILE",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "as a listed actor: send what somebody else has signed",
    .teach = "Puts the file's sealed blob, then sends its transaction. It sends only what a folder's controller or\n"
	     "delegate signs, such as a grant, and only if the signature fits: no file can make it use this\n"
	     "account's own powers. What it says comes from what was signed, and on a terminal it asks before it\n"
	     "sends. The relay can change nothing and reads nothing. A signed action is for one day.\n\n"
	     "  xinglin relay open.json --home hospital",
    .options = {{"yes", NULL, "do not ask, on a terminal too"}},
    .needs_home = true,
    .run = cmd_relay,
};
