/* xinglin share, revoke: what a patient lets others see, and takes back. */
#include "app/cli/cli_action.h"
#include "app/commands/commands.h"
#include "app/commands/folder.h"
#include "health/consent/consent.h"
#include "health/consent/grants.h"
#include "health/consent/purpose.h"

#define DAY_SECONDS 86400u
#define DAYS_MAX 36500u

/* A record's id, or zero for the whole folder. */
static enum status optional_record(struct cli *cli, hash32 *record, struct err *err) {
	*record = (hash32){{0}};
	return cli_value(cli, "record") ? cli_hash(cli, record, "record", err) : STATUS_OK;
}

/* From the earlier of the two clocks, so that the grant holds in the next block; --not-before puts it off. */
static enum status period(struct cli *cli, struct grant_terms *sharing, struct err *err) {
	uint64_t days, begin, now = clock_now_ms(cli->request.clock) / 1000;
	struct verified *verified;
	const char *given;
	TRY(cli_need(cli, &given, "days", err));
	TRY(cli_u64(cli, &days, "days", 0, err));
	TRY(cli_u64(cli, &begin, "not-before", 0, err));
	if (days == 0 || days > DAYS_MAX) return err_set(err, STATUS_INVALID, "--days takes 1 to %u", DAYS_MAX);
	TRY(request_verified(&cli->request, &verified, HEADS_FRESH, err));
	const uint64_t of_chain = verified->head.time_s;
	sharing->from = begin ? begin : now < of_chain ? now : of_chain;
	sharing->until = (begin > now ? begin : now) + days * DAY_SECONDS;
	return STATUS_OK;
}

static enum status say_who_made_the_key(struct cli *cli, const addr20 *grantee, struct err *err) {
	struct directory_listed actor;
	TRY(directory_find(&cli->request, &actor, grantee, err));
	if (actor.key_changed && actor.key_by_registrars)
		cli_say(cli, "the key of %s is accepted%s", actor.name, directory_key_origin(&cli->arena, &actor));
	return STATUS_OK;
}

static enum status cmd_share(struct cli *cli, struct err *err) {
	struct grant_terms sharing = {.accept_changed_key = cli_flag(cli, "accept-changed-key")};
	const char *rights = cli_value(cli, "rights"), *purposes = cli_value(cli, "purpose");
	struct action action;
	TRY(cli_action_options(cli, err));
	TRY(cli_hash(cli, &sharing.folder, "folder", err));
	TRY(cli_address(cli, &sharing.grantee, "with", err));
	TRY(optional_record(cli, &sharing.record, err));
	TRY(rights_parse(&sharing.rights, bytes_text(rights ? rights : "read"), err));
	if (sharing.rights & RIGHT_READ) TRY(cli_need(cli, &purposes, "purpose", err));
	if (purposes) TRY(purposes_parse(&sharing.purposes, bytes_text(purposes), err));
	TRY(request_check_chain(&cli->request, err));
	TRY(period(cli, &sharing, err));
	if (sharing.accept_changed_key) TRY(say_who_made_the_key(cli, &sharing.grantee, err));
	TRY(grant_action(&cli->request, &action, &sharing, err));
	TRY(cli_action_finish(cli, "grant", &action, err));
	cli_put_hex(cli, "folder", BYTES_OF(sharing.folder));
	cli_put_address(cli, "with", &sharing.grantee);
	cli_put_time(cli, "from", sharing.from);
	cli_put_time(cli, "until", sharing.until);
	return STATUS_OK;
}

const struct cli_command command_share = {
    .name = "share",
    .arguments = "",
    .summary = "as a patient: let somebody see a folder, or one record, for a purpose and a time",
    .teach = "Signs a grant with the folder's controller key. With the right to read goes a wrap: the folder's\n"
	     "key, sealed to the grantee; with --record, that record's key alone. Each look still has to be asked\n"
	     "for (access ask), and stands in the log (access log). What was read cannot be called back: revoke\n"
	     "ends the future, not the past. Whoever was granted the right to share may share too, within what it\n"
	     "was granted itself.\n\n"
	     "purposes: TREAT treatment, ETREAT emergency treatment, HPAYMT payment, HOPERAT operations, HRESCH\n"
	     "research, PUBHLTH public health, PATRQT patient requested\n\n"
	     "  xinglin share --home patient --folder 0x… --with 0x… --purpose TREAT --days 30 --out grant.json\n"
	     "  xinglin share --home patient --folder 0x… --with 0x… --rights write --days 365 --out grant.json",
    .options = {{"folder", "ID", "which folder"}, {"with", "ADDRESS", "whose account: a listed actor"},
	{"record", "ID", "this one record of it only"}, {"purpose", "CODE,…", "what for (needed for reading)"},
	{"days", "N", "for how long"}, {"not-before", "SECONDS", "it begins at this Unix time (now)"},
	{"rights", "RIGHT,…", "read, write, share, rotate (read)"},
	{"accept-changed-key", NULL, "go on although the grantee has another key than before"}, ACTION_OPTIONS},
    .needs_home = true,
    .run = cmd_share,
};

/* --- revoke --- */

/* What a revocation is made with. */
struct taking_back {
	struct action revocation;
	hash32 folder;
	const addr20 *leaving;
	bool keep_key;
};

static enum status rotate(struct cli *cli, struct action *action, const struct taking_back *back,
    struct folder_rotation *rotation, struct err *err) {
	*rotation = (struct folder_rotation){0};
	enum status status = consent_rotate_action(&cli->request, action, &back->folder, rotation, back->leaving, err);
	if (status == STATUS_OK) return status;
	return err_prefix(err, status, "the folder's new key (--keep-key leaves it for later)");
}

/* Where the second file goes: "r.json" → "r.json.rotate". */
static enum status write_both(struct cli *cli, const struct taking_back *back, struct err *err) {
	const char *path = cli_value(cli, "out");
	struct folder_rotation rotation;
	struct action second;
	if (!back->keep_key) TRY(rotate(cli, &second, back, &rotation, err));
	TRY(cli_action_write(cli, "revocation", &back->revocation, path, err));
	if (back->keep_key) return STATUS_OK;
	TRY(cli_action_write(cli, "rotation", &second, arena_printf(&cli->arena, "%s.rotate", path), err));
	folder_put_rotation(cli, &rotation);
	cli_say(cli, "relay both, the revocation first: it is void once the rotation is on the chain");
	return STATUS_OK;
}

static enum status send_both(struct cli *cli, const struct taking_back *back, struct err *err) {
	struct folder_rotation rotation;
	struct action second;
	TRY(cli_action_send(cli, "revocation", &back->revocation, err));
	if (back->keep_key) return STATUS_OK;
	enum status status = rotate(cli, &second, back, &rotation, err);
	if (status == STATUS_OK) status = cli_action_send(cli, "rotation", &second, err);
	if (status != STATUS_OK)
		return err_prefix(
		    err, status, "the grant is revoked, but the folder has no new key yet (xinglin folder rotate)");
	folder_put_rotation(cli, &rotation);
	return STATUS_OK;
}

static enum status cmd_revoke(struct cli *cli, struct err *err) {
	struct taking_back back = {.keep_key = cli_flag(cli, "keep-key")};
	hash32 record;
	addr20 from;
	TRY(cli_action_options(cli, err));
	TRY(cli_hash(cli, &back.folder, "folder", err));
	TRY(cli_address(cli, &from, "from", err));
	TRY(optional_record(cli, &record, err));
	TRY(request_check_chain(&cli->request, err));
	TRY(grant_revoke_action(&cli->request, &back.revocation, &back.folder, &record, &from, err));
	back.leaving = hash32_is_zero(&record) ? &from : NULL; /* whoever loses one record may hold the folder */
	if (cli_value(cli, "out"))
		TRY(write_both(cli, &back, err));
	else
		TRY(send_both(cli, &back, err));
	if (back.keep_key) cli_say(cli, "the folder's key is the same: rotate it soon (xinglin folder rotate)");
	return STATUS_OK;
}

const struct cli_command command_revoke = {
    .name = "revoke",
    .arguments = "",
    .summary = "as a patient: take a grant back, and give the folder a new key",
    .teach = "Two signed actions: the first ends the grant and its open window at once; the second starts a new\n"
	     "epoch, so that records from then on are sealed to a key that the revoked never had. With --out they\n"
	     "are FILE and FILE.rotate, to be relayed in this order. What was read before cannot be called back.\n"
	     "Whoever was granted the right to share takes back what it shared itself; without the right to rotate\n"
	     "it needs --keep-key.\n\n"
	     "  xinglin revoke --home patient --folder 0x… --from 0x… --out revoke.json",
    .options = {{"folder", "ID", "which folder"}, {"from", "ADDRESS", "whose grant"},
	{"record", "ID", "the grant over this one record, not the folder's"},
	{"keep-key", NULL, "only revoke; the folder stays marked: rotation owed"}, ACTION_OPTIONS},
    .needs_home = true,
    .run = cmd_revoke,
};
