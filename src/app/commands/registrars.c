/* xinglin registrars, actor standing, actor ask-key: statements that several registrars sign. */
#include "app/commands/commands.h"
#include "app/commands/joint.h"
#include "crypto/hash.h"
#include "health/actors/certified.h"

static const char *const statuses[] = {"none", "active", "suspended", "withdrawn"};

/* --- reports --- */

static void put_addresses(struct cli *cli, const char *name, const addr20 *all, size_t count) {
	json_array_begin(&cli->writer, name);
	for (size_t i = 0; i < count; i++) {
		char text[43];
		address_checksum(text, &all[i]);
		json_put_text(&cli->writer, NULL, text);
	}
	json_array_end(&cli->writer);
}

static void put_key(struct cli *cli, const struct joint_statement *joint) {
	const struct directory_key_change *said = &joint->key;
	const struct p256_public key = p256_public_of_words(&said->key_x, &said->key_y);
	cli_put_address(cli, "actor", &said->actor);
	cli_put_u64(cli, "keyVersion", said->version);
	cli_put_hex(cli, "encryptionKey", bytes_make(key.xy, sizeof key.xy));
	cli_put_bool(cli, "keyBeforeIsStolen", said->stolen);
	cli_put_bool(cli, "accountSigned", joint->account_signed);
	if (!joint->account_signed)
		cli_say(cli, "the account did not sign: the key is in force 48 hours after it is sent, and until then "
			     "the account can replace it");
}

static void put_set(struct cli *cli, const struct directory_registrars *said) {
	cli_put_u64(cli, "set", said->number);
	put_addresses(cli, "registrars", said->registrars, said->registrars_count);
	cli_put_u64(cli, "threshold", said->threshold);
	cli_put_bool(cli, "theft", said->theft);
	if (said->theft) put_addresses(cli, "affirmed", said->affirmed, said->affirmed_count);
}

static void put_standing(struct cli *cli, const struct directory_standing *said) {
	cli_put_address(cli, "actor", &said->actor);
	cli_put_text(cli, "status", statuses[said->status]);
	cli_put_u64(cli, "emergenciesADay", said->emergencies_a_day ? said->emergencies_a_day : 16);
	cli_put_hex(cli, "reason", BYTES_OF(said->reason));
	cli_put_u64(cli, "number", said->number);
}

static void put_tag_holders(struct cli *cli, const struct products_tag_holders *said) {
	cli_put_u64(cli, "number", said->number);
	put_addresses(cli, "holders", said->holders, said->holders_count);
	cli_put_u64(cli, "threshold", said->threshold);
}

void joint_put(struct cli *cli, const struct joint_statement *joint) {
	switch (joint->kind) {
	case JOINT_REGISTRARS: put_set(cli, &joint->registrars); break;
	case JOINT_STANDING: put_standing(cli, &joint->standing); break;
	case JOINT_KEY: put_key(cli, joint); break;
	case JOINT_TAG_HOLDERS: put_tag_holders(cli, &joint->tag_holders); break;
	case JOINT_KINDS: BUG_ON(true);
	}
	cli_put_time(cli, "until", joint_deadline(joint));
	cli_put_u64(cli, "registrarsSigned", joint->registrars_signed);
	cli_put_u64(cli, "registrarsNeeded", joint->registrars_needed);
	if (joint->kind != JOINT_REGISTRARS) return;
	cli_put_u64(cli, "newcomersSigned", joint->newcomers_signed);
	cli_put_u64(cli, "newcomersNeeded", joint->newcomers_needed);
}

enum status joint_write_file(struct cli *cli, const struct joint_statement *joint, const char *path, struct err *err) {
	struct buf text;
	buf_init(&text, JOINT_FILE_MAX);
	enum status status = joint_write(&text, joint, &cli->request.home->deployment, err);
	if (status == STATUS_OK) status = cli_write_file(path, buf_view(&text), err);
	buf_fini(&text);
	TRY(status);
	joint_put(cli, joint);
	cli_put_text(cli, "statement", path);
	return STATUS_OK;
}

static enum status read_statement(struct cli *cli, struct joint_statement *out, struct err *err) {
	struct bytes json;
	TRY(request_check_chain(&cli->request, err));
	TRY(cli_read_file(cli, &json, cli->arguments[0], JOINT_FILE_MAX, err));
	return joint_parse(out, &cli->arena, &cli->request.home->deployment, json, err);
}

/* --- registrars show --- */

static enum status cmd_registrars_show(struct cli *cli, struct err *err) {
	struct verified *verified;
	struct statement_registrars *sets;
	TRY(request_check_chain(&cli->request, err));
	TRY(request_verified(&cli->request, &verified, HEADS_FRESH, err));
	TRY(certified_registrars(verified, cli->request.home, &sets, err));
	const struct statement_set *present = &sets->sets[sets->count - 1];
	cli_put_u64(cli, "set", sets->count - 1);
	put_addresses(cli, "registrars", present->members, present->member_count);
	cli_put_u64(cli, "threshold", present->threshold);
	return STATUS_OK;
}

const struct cli_command command_registrars_show = {
    .name = "registrars show",
    .arguments = "",
    .summary = "who lists actors now",
    .teach = "The sets of registrars follow from the one that this home's deployment names: each is signed by enough\n"
	     "of the one before.\n\n"
	     "  xinglin registrars show --home registrar-1",
    .needs_home = true,
    .run = cmd_registrars_show,
};

/* --- registrars change --- */

static enum status cmd_registrars_change(struct cli *cli, struct err *err) {
	const char *to, *out_path;
	uint64_t threshold;
	struct directory_registrars said = {.theft = cli_flag(cli, "theft")};
	struct joint_statement *joint = arena_zalloc(&cli->arena, 1, sizeof *joint);
	TRY(request_check_chain(&cli->request, err));
	TRY(cli_need(cli, &to, "to", err));
	TRY(cli_need(cli, &out_path, "out", err));
	TRY(cli_addresses(cli, &said.registrars, &said.registrars_count, "to", STATEMENT_REGISTRARS_MAX, err));
	TRY(cli_addresses(cli, &said.affirmed, &said.affirmed_count, "affirm", JOINT_AFFIRMED_MAX, err));
	TRY(cli_u64(cli, &threshold, "threshold", said.registrars_count / 2 + 1, err));
	if (threshold > STATEMENT_REGISTRARS_MAX)
		return err_set(err, STATUS_INVALID, "--threshold takes at most %u", STATEMENT_REGISTRARS_MAX);
	said.threshold = (uint8_t)threshold;
	TRY(joint_of_registrars(&cli->request, joint, &said, err));
	return joint_write_file(cli, joint, out_path, err);
}

const struct cli_command command_registrars_change = {
    .name = "registrars change",
    .arguments = "",
    .summary = "as a registrar: write down who lists actors from now on, for others to sign",
    .teach = "Names the whole new set. As many of the present set as its threshold says have to sign, and everybody\n"
	     "who is new (registrars sign); then anybody sends it (registrars send). Entries of earlier sets count\n"
	     "on. If registrars' keys were stolen, --theft makes all earlier entries count no more but for those\n"
	     "that --affirm names: whoever is left out is listed anew.\n\n"
	     "  xinglin registrars change --to 0x…,0x…,0x… --threshold 2 --out set-1.json --home registrar-1",
    .options = {{"to", "ADDRESS,…", "all registrars from now on, at most 64"},
	{"threshold", "N", "how many of them sign: more than half (the least that is)"},
	{"theft", NULL, "registrars' keys were stolen: earlier entries count no more"},
	{"affirm", "ADDRESS,…", "after a theft: whose entries count on, at most 1024"},
	{"out", "FILE", "where the statement goes"}},
    .needs_home = true,
    .run = cmd_registrars_change,
};

/* --- actor standing --- */

static enum status read_status(struct cli *cli, enum directory_status *out, struct err *err) {
	const char *given = cli_value(cli, "status");
	*out = DIRECTORY_STATUS_NONE;
	if (!given) return STATUS_OK;
	for (size_t i = DIRECTORY_STATUS_ACTIVE; i <= DIRECTORY_STATUS_WITHDRAWN; i++)
		if (strcmp(given, statuses[i]) == 0) *out = (enum directory_status)i;
	if (*out != DIRECTORY_STATUS_NONE) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "--status takes active, suspended or withdrawn");
}

static enum status cmd_actor_standing(struct cli *cli, struct err *err) {
	const char *out_path, *reason = cli_value(cli, "reason");
	uint64_t emergencies;
	struct directory_standing said = {0};
	struct joint_statement *joint = arena_zalloc(&cli->arena, 1, sizeof *joint);
	TRY(request_check_chain(&cli->request, err));
	TRY(cli_address(cli, &said.actor, "address", err));
	TRY(cli_need(cli, &out_path, "out", err));
	TRY(read_status(cli, &said.status, err));
	TRY(cli_u64(cli, &emergencies, "emergencies-a-day", 0, err));
	if (emergencies > UINT16_MAX)
		return err_set(err, STATUS_INVALID, "--emergencies-a-day takes at most %u", UINT16_MAX);
	if (!cli_value(cli, "status") && !cli_value(cli, "emergencies-a-day"))
		return err_set(err, STATUS_INVALID, "--status or --emergencies-a-day says what changes");
	said.emergencies_a_day = (uint16_t)emergencies;
	if (reason) said.reason = sha256(bytes_text(reason));
	TRY(joint_of_standing(&cli->request, joint, &said, !cli_value(cli, "emergencies-a-day"), err));
	return joint_write_file(cli, joint, out_path, err);
}

const struct cli_command command_actor_standing = {
    .name = "actor standing",
    .arguments = "",
    .summary =
	"as a registrar: suspend, withdraw or reactivate an actor, or allow it more emergencies; for others to sign",
    .teach = "A suspended actor reads, writes and changes nothing until it is active again; a withdrawn one never\n"
	     "again. As many registrars as the threshold says sign the file (registrars sign), then anybody sends\n"
	     "it (registrars send). A later statement about the same actor voids all earlier ones.\n\n"
	     "  xinglin actor standing --address 0x… --status suspended --out s.json --home registrar-1",
    .options = {{"address", "ADDRESS", "the actor's account"},
	{"status", "STATUS", "active, suspended, withdrawn (as it is)"},
	{"emergencies-a-day", "N", "how many emergencies it may declare a day; 0: the contract's 16 (as it is)"},
	{"reason", "TEXT", "why: its SHA-256 goes on the chain, the text does not"},
	{"out", "FILE", "where the statement goes"}},
    .needs_home = true,
    .run = cmd_actor_standing,
};

/* --- actor ask-key --- */

static enum status cmd_actor_ask_key(struct cli *cli, struct err *err) {
	const char *out_path;
	addr20 actor = cli->request.home->account;
	struct joint_statement *joint = arena_zalloc(&cli->arena, 1, sizeof *joint);
	TRY(request_check_chain(&cli->request, err));
	TRY(cli_need(cli, &out_path, "out", err));
	if (cli_value(cli, "address")) TRY(cli_address(cli, &actor, "address", err));
	TRY(joint_of_key(&cli->request, joint, &actor, cli_flag(cli, "stolen"), err));
	return joint_write_file(cli, joint, out_path, err);
}

const struct cli_command command_actor_ask_key = {
    .name = "actor ask-key",
    .arguments = "",
    .summary = "ask registrars for a new encryption key, if the one in force is lost",
    .teach = "Writes the change down, with the proof that this home holds the new key. As many registrars as the\n"
	     "threshold says look at it and sign it (registrars sign), then anybody sends it (registrars send). If\n"
	     "the actor's account is lost too, its owner asks from a new home, with --address: then registrars\n"
	     "alone give the key, everybody sees that, and it is in force after 48 hours. With --stolen nobody uses\n"
	     "the key before from the moment on that it is sent, and folders that are wrapped to it owe a rotation.\n\n"
	     "  xinglin actor ask-key --out key.json --home hospital",
    .options = {{"address", "ADDRESS", "the actor whose account is lost (this home's account)"},
	{"stolen", NULL, "the key before was stolen: nobody uses it from now on"},
	{"out", "FILE", "where the statement goes"}},
    .needs_home = true,
    .run = cmd_actor_ask_key,
};

/* --- registrars sign, send --- */

static enum status cmd_registrars_sign(struct cli *cli, struct err *err) {
	struct joint_statement *joint = arena_zalloc(&cli->arena, 1, sizeof *joint);
	const char *out_path = cli_value(cli, "out");
	TRY(read_statement(cli, joint, err));
	if (cli_flag(cli, "look")) {
		TRY(joint_check(&cli->request, joint, err));
		joint_put(cli, joint);
		return STATUS_OK;
	}
	TRY(joint_sign(&cli->request, joint, err));
	return joint_write_file(cli, joint, out_path ? out_path : cli->arguments[0], err);
}

const struct cli_command command_registrars_sign = {
    .name = "registrars sign",
    .arguments = "STATEMENT",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "as a registrar, present or new: sign a change of registrars, an actor's standing or its new key",
    .teach = "Look first (--look): the report says what is signed and who has signed. The signature is added to the\n"
	     "file. A statement that no longer fits the chain, or that a stranger signed, is refused.\n\n"
	     "  xinglin registrars sign set-1.json --home registrar-2",
    .options = {{"look", NULL, "show it and sign nothing"}, {"out", "FILE", "write the signed statement here instead"}},
    .needs_home = true,
    .run = cmd_registrars_sign,
};

static enum status cmd_registrars_send(struct cli *cli, struct err *err) {
	struct joint_statement *joint = arena_zalloc(&cli->arena, 1, sizeof *joint);
	struct client_receipt receipt;
	TRY(read_statement(cli, joint, err));
	TRY(joint_send(&cli->request, &receipt, joint, err));
	joint_put(cli, joint);
	cli_put_receipt(cli, "sent", &receipt);
	return STATUS_OK;
}

const struct cli_command command_registrars_send = {
    .name = "registrars send",
    .arguments = "STATEMENT",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "send a statement that enough registrars have signed",
    .teach = "If this home is a registrar and has not signed yet, it signs first.\n\n"
	     "  xinglin registrars send set-1.json --home registrar-1",
    .needs_home = true,
    .run = cmd_registrars_send,
};
