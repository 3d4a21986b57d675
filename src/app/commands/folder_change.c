/* xinglin folder rotate, take-over, hand-over: a folder's next key, and its next controller. */
#include "app/cli/cli_action.h"
#include "app/commands/commands.h"
#include "app/commands/folder.h"
#include "codec/hex.h"
#include "health/consent/consent.h"

/* --- folder rotate --- */

static void put_left_out(struct cli *cli, const struct folder_left_out *left_out) {
	const char *name = "";
	char text[43];
	address_checksum(text, &left_out->account);
	if (directory_name(&cli->request, &name, &left_out->account, NULL) != STATUS_OK) name = "";
	json_object_begin(&cli->writer, NULL);
	cli_put_address(cli, "account", &left_out->account);
	cli_put_text(cli, "name", name);
	cli_put_text(cli, "as", left_out->is_trustee ? "trustee" : "reader");
	cli_put_text(cli, "why", left_out->why);
	json_object_end(&cli->writer);
	cli_say(cli, "%s %s (%s) does not get %s: %s", left_out->is_trustee ? "the trustee" : "the reader", text,
	    *name ? name : "its name is not known", left_out->is_trustee ? "a share of the new key" : "the new key",
	    left_out->why);
}

static void put_accounts(struct cli *cli, const char *name, const addr20 *accounts, size_t count) {
	json_array_begin(&cli->writer, name);
	for (size_t i = 0; i < count; i++) cli_put_address(cli, NULL, &accounts[i]);
	json_array_end(&cli->writer);
}

static void put_lost(struct cli *cli, const struct folder_rotation *rotation) {
	json_array_begin(&cli->writer, "lostEpochs");
	for (size_t i = 0; i < rotation->lost_count; i++) {
		json_put_u64(&cli->writer, NULL, rotation->lost[i]);
		cli_say(cli, "this home has no key of epoch %u: the new key does not open the records of that epoch",
		    rotation->lost[i]);
	}
	json_array_end(&cli->writer);
}

void folder_put_rotation(struct cli *cli, const struct folder_rotation *rotation) {
	const size_t trustees = rotation->kept_trustee_count;
	put_accounts(cli, "trustees", rotation->kept, trustees);
	folder_put_threshold(cli, rotation->kept_threshold, trustees);
	put_accounts(cli, "readers", rotation->kept + trustees, rotation->kept_reader_count);
	json_array_begin(&cli->writer, "leftOut");
	for (size_t i = 0; i < rotation->left_out_count; i++) put_left_out(cli, &rotation->left_out[i]);
	json_array_end(&cli->writer);
	put_lost(cli, rotation);
}

/* The folder's key out of a hand-over's file. */
static enum status handed_key(struct cli *cli, struct bytes *out, struct err *err) {
	const char *path = cli_value(cli, "handed");
	struct action action;
	struct bytes file;
	if (!path) return STATUS_OK;
	TRY(cli_read_file(cli, &file, path, ACTION_FILE_MAX, err));
	TRY(action_parse(&action, &cli->arena, file, cli->request.home->deployment.chain_id, err));
	if (action.key.len == 0)
		return err_set(
		    err, STATUS_INVALID, "%s holds no folder's key: folder hand-over writes one that does", path);
	*out = action.key;
	return STATUS_OK;
}

static enum status cmd_folder_rotate(struct cli *cli, struct err *err) {
	struct folder_rotation rotation = {.sets_trustees = cli_value(cli, "trustee") || cli_flag(cli, "no-trustee"),
	    .sets_minutes = cli_value(cli, "glass-minutes"),
	    .without_link = cli_flag(cli, "without-link")};
	struct action action;
	hash32 id;
	TRY(cli_action_options(cli, err));
	TRY(folder_argument(cli, &id, err));
	if (cli_value(cli, "trustee") && cli_flag(cli, "no-trustee"))
		return err_set(err, STATUS_INVALID, "--trustee and --no-trustee exclude each other");
	TRY(cli_addresses(cli, &rotation.trustees, &rotation.trustee_count, "trustee", FOLDER_TRUSTEES_MAX, err));
	TRY(folder_threshold(cli, &rotation.threshold, err));
	TRY(folder_minutes(cli, &rotation.glass_minutes, err));
	TRY(request_check_chain(&cli->request, err));
	TRY(handed_key(cli, &rotation.handed_key, err));
	TRY(consent_rotate_action(&cli->request, &action, &id, &rotation, NULL, err));
	TRY(cli_action_finish(cli, "action", &action, err));
	folder_put_rotation(cli, &rotation);
	return STATUS_OK;
}

const struct cli_command command_folder_rotate = {
    .name = "folder rotate",
    .arguments = "ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "as a patient: give a folder a new sealing key, and new trustees",
    .teach = "The new key goes to those whose grants over the whole folder still hold; they find older keys\n"
	     "through links back. Whoever lost its grant never has the new key. Records stay as they are. Each\n"
	     "trustee gets a new share. Trustees stay as they were, unless others are named. One who is no active\n"
	     "trustee any more is left out, and so is a reader whose grant cannot be read: the report names them.\n"
	     "It names the epochs, too, that somebody who may rotate left without a good key: the new key leads\n"
	     "past them, and what was sealed within them is lost to those who did not have that key.\n"
	     "If fewer trustees than the threshold are left, all are left out. Whoever was granted the right to\n"
	     "rotate may rotate too, with the trustees as they are.\n\n"
	     "  xinglin folder rotate 0x… --home patient --out rotate.json\n"
	     "  xinglin folder rotate 0x… --home patient --trustee 0x… --glass-minutes 30 --out rotate.json",
    .options = {{"trustee", "ADDRESS,…", "from now on these hold shares of the key for emergencies"},
	{"trustee-threshold", "T", "how many of them it takes (as before; of new trustees a majority)"},
	{"no-trustee", NULL, "from now on nobody holds any"},
	{"glass-minutes", "N", "how long an emergency may look from now on (as before; 0: never)"},
	{"handed", "FILE", "the first time after a hand-over: its file, which holds a key before"},
	{"without-link", NULL, "this home has no key of the folder: the new one leads back to none"}, ACTION_OPTIONS},
    .needs_home = true,
    .run = cmd_folder_rotate,
};

/* --- folder take-over --- */

static enum status cmd_folder_take_over(struct cli *cli, struct err *err) {
	const char *label, *path;
	struct action asking;
	struct folder_asking asked;
	hash32 id;
	TRY(folder_argument(cli, &id, err));
	TRY(cli_need(cli, &label, "label", err));
	TRY(cli_need(cli, &path, "out", err));
	TRY(request_check_chain(&cli->request, err));
	TRY(folder_take_over_action(&cli->request, &asking, &id, label, err));
	TRY(folder_asking_read(&cli->request, &asked, &asking, err));
	TRY(cli_action_write(cli, "asking", &asking, path, err));
	cli_put_hex(cli, "folder", BYTES_OF(id));
	cli_put_address(cli, "controller", &asked.controller);
	cli_put_time(cli, "deadline", asked.deadline_s);
	cli_say(
	    cli, "give the file to whoever controls the folder, and tell them the controller's address by another way");
	return STATUS_OK;
}

const struct cli_command command_folder_take_over = {
    .name = "folder take-over",
    .arguments = "ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "ask for a folder that somebody else controls: a child's, a ward's",
    .teach = "Makes a controller key of this wallet for the folder and writes the asking, signed with it.\n"
	     "Whoever controls the folder answers it (folder hand-over), any listed actor relays the answer, and\n"
	     "then this home gives the folder a new key, with the key before from the answer's file. An asking is\n"
	     "for one day.\n\n"
	     "  xinglin folder take-over 0x… --label general --home heir --out asking.json\n"
	     "  xinglin folder hand-over asking.json --home parent --out given.json\n"
	     "  xinglin relay given.json --home hospital\n"
	     "  xinglin folder rotate 0x… --handed given.json --home heir --out rotate.json",
    .options = {{"label", "TEXT", "what you call it; never leaves this home"},
	{"out", "FILE", "write the asking here"}},
    .needs_home = true,
    .run = cmd_folder_take_over,
};

/* --- folder hand-over --- */

static enum status confirm(struct cli *cli, const struct folder_asking *asked, struct err *err) {
	char address[43];
	struct buf id;
	address_checksum(address, &asked->controller);
	buf_init(&id, 128);
	hex_put(&id, BYTES_OF(asked->folder), true);
	const struct statement_call call = {
	    .summary = arena_printf(&cli->arena, "have the folder %s for good, as the controller %s; you lose it",
		arena_strdup(&cli->arena, buf_view(&id)), address)};
	buf_fini(&id);
	return cli_action_confirm(cli, &call, err);
}

static enum status cmd_folder_hand_over(struct cli *cli, struct err *err) {
	const char *path;
	struct action asking, action;
	struct folder_asking asked;
	struct bytes file;
	TRY(cli_need(cli, &path, "out", err));
	TRY(request_check_chain(&cli->request, err));
	TRY(cli_read_file(cli, &file, cli->arguments[0], ACTION_FILE_MAX, err));
	TRY(action_parse(&asking, &cli->arena, file, cli->request.home->deployment.chain_id, err));
	TRY(folder_asking_read(&cli->request, &asked, &asking, err));
	TRY(confirm(cli, &asked, err));
	TRY(folder_hand_over_action(&cli->request, &action, &asking, err));
	TRY(cli_action_write(cli, "action", &action, path, err));
	cli_put_hex(cli, "folder", BYTES_OF(asked.folder));
	cli_put_address(cli, "controller", &asked.controller);
	cli_put_time(cli, "deadline", asked.deadline_s);
	cli_say(cli,
	    "any listed actor relays it; the new controller needs the file too. Grants stand until the new controller "
	    "revokes them");
	return STATUS_OK;
}

const struct cli_command command_folder_hand_over = {
    .name = "folder hand-over",
    .arguments = "FILE",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "as a patient: let somebody else control a folder from now on",
    .teach = "Answers an asking (folder take-over) with this home's own signature, and seals the folder's key to\n"
	     "the new controller alone. Once it is in a block, this home can do nothing about the folder any more,\n"
	     "and everything that it signed before is void. Grants stand; the new controller gives the folder a\n"
	     "new key at once, names who has it, and may revoke. Compare the controller's address with the one\n"
	     "that the asker told you.\n\n"
	     "  xinglin folder hand-over asking.json --home parent --out given.json",
    .options = {{"out", "FILE", "write the signed hand-over here; any listed actor sends it: xinglin relay FILE"},
	{"yes", NULL, "do not ask, on a terminal too"}},
    .needs_home = true,
    .run = cmd_folder_hand_over,
};
