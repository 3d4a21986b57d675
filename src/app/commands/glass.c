/* xinglin break-glass, review, trustee: emergencies. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/cli/cli_action.h"
#include "app/commands/commands.h"
#include "app/serve/lifecycle.h"
#include "app/serve/trustee.h"
#include "health/actors/directory.h"
#include "health/consent/glass.h"
#include "health/consent/trustee.h"

#define WAIT_MAX_SECONDS 86400u
#define SLEEP_STEP_MS 200u
#define DRAIN_MS 60000u /* a round asks a node, which may take its time */

/* --- break-glass --- */

static enum status report_glass(struct cli *cli, const struct glass_event *glass, uint64_t wait, struct err *err) {
	cli_put_bool(cli, "permitted", glass->decision.permitted);
	cli_put_text(cli, "reason", access_reason_name(glass->decision.reason));
	cli_put_text(cli, "why", access_reason_text(glass->decision.reason));
	cli_put_hex(cli, "transaction", BYTES_OF(glass->tx_hash));
	cli_put_u64(cli, "block", glass->block_number);
	if (!glass->decision.permitted) {
		cli_say(cli, "refused: %s. The refusal stands in the patient's log.",
		    access_reason_text(glass->decision.reason));
		cli->exit_code = EXIT_REFUSED;
		return STATUS_OK;
	}
	cli_put_u64(cli, "review", glass->review);
	cli_put_time(cli, "until", glass->until);
	cli_say(cli, "the glass is broken: the patient sees it, and review %llu stays open until it is closed",
	    (unsigned long long)glass->review);
	if (wait == 0) return STATUS_OK;
	enum status status = glass_wait(&cli->request, glass, wait, err);
	if (status != STATUS_OK && status != STATUS_TIMEOUT) return status;
	cli_put_bool(cli, "keyReleased", status == STATUS_OK);
	if (status == STATUS_TIMEOUT) { /* the window is open all the same: its review must not get lost */
		cli_say(cli, "%s", err->message);
		cli->exit_code = EXIT_FAILED;
		return STATUS_OK;
	}
	cli_say(cli, "enough trustees have released their shares of the key; now: xinglin record read");
	return STATUS_OK;
}

static enum status cmd_break_glass(struct cli *cli, struct err *err) {
	hash32 folder;
	const char *reason;
	uint64_t wait;
	struct glass_event glass;
	TRY(cli_hash(cli, &folder, "folder", err));
	TRY(cli_need(cli, &reason, "reason", err));
	TRY(cli_u64(cli, &wait, "wait", 0, err));
	if (wait > WAIT_MAX_SECONDS)
		return err_set(err, STATUS_INVALID, "--wait takes at most %u seconds", WAIT_MAX_SECONDS);
	TRY(request_check_chain(&cli->request, err));
	TRY(glass_break(&cli->request, &glass, &folder, bytes_text(reason), err));
	return report_glass(cli, &glass, wait, err);
}

const struct cli_command command_break_glass = {
    .name = "break-glass",
    .arguments = "",
    .summary = "in an emergency: look without a grant, for a stated reason",
    .teach = "For actors that are listed for emergencies, in folders that allow it. The contract opens a window\n"
	     "for emergency treatment; the reason is sealed to the patient, and its salted hash stands on the\n"
	     "chain. The folder's trustees then release their shares of the key (trustee serve): each is checked\n"
	     "against what the patient signed, and a false one is named on the chain. A review stays open until the\n"
	     "patient or a regulator closes it. Exit code 3: refused, and the refusal is in the patient's log; 1:\n"
	     "the window is open, but too few trustees answered within --wait.\n\n"
	     "  xinglin break-glass --home er --folder 0x… --reason \"unconscious, suspected overdose\" --wait 60",
    .options = {{"folder", "ID", "which folder"}, {"reason", "TEXT", "why; the patient will read it"},
	{"wait", "SECONDS", "wait so long for the trustees' releases (0: do not wait)"}},
    .needs_home = true,
    .run = cmd_break_glass,
};

/* --- review --- */

static enum status put_review(struct cli *cli, const struct glass_event *glass, struct err *err) {
	const char *name;
	uint64_t now = clock_now_ms(cli->request.clock) / 1000;
	TRY(directory_name(&cli->request, &name, &glass->actor, err));
	json_object_begin(&cli->writer, NULL);
	cli_put_u64(cli, "review", glass->review);
	cli_put_time(cli, "at", glass->timestamp);
	cli_put_address(cli, "who", &glass->actor);
	cli_put_text(cli, "name", name);
	cli_put_time(cli, "until", glass->until);
	cli_put_bool(cli, "windowOpen", glass->open && now < glass->until);
	cli_put_text(cli, "state", glass->open ? "open" : glass->justified ? "justified" : "unjustified");
	if (!glass->open) cli_put_address(cli, "closedBy", &glass->closed_by);
	cli_put_u64(cli, "releases", glass->releases);
	cli_put_u64(cli, "falseReleases", glass->false_releases);
	if (glass->reason) cli_put_text(cli, "statedReason", glass->reason);
	cli_put_hex(cli, "reasonHash", BYTES_OF(glass->reason_hash));
	cli_put_hex(cli, "transaction", BYTES_OF(glass->tx_hash));
	cli_put_u64(cli, "block", glass->block_number);
	json_object_end(&cli->writer);
	return STATUS_OK;
}

static enum status cmd_review_list(struct cli *cli, struct err *err) {
	hash32 folder;
	struct glass_event *reviews;
	size_t count;
	TRY(cli_hash(cli, &folder, "folder", err));
	TRY(request_check_chain(&cli->request, err));
	TRY(glass_log(&cli->request, &reviews, &count, &folder, err));
	json_array_begin(&cli->writer, "reviews");
	for (size_t i = 0; i < count; i++) TRY(put_review(cli, &reviews[i], err));
	json_array_end(&cli->writer);
	if (count == 0) cli_say(cli, "the glass of this folder was never broken");
	return STATUS_OK;
}

const struct cli_command command_review_list = {
    .name = "review list",
    .arguments = "",
    .summary = "emergencies in a folder: who, when, why, and whether the review is closed",
    .teach = "The stated reason is shown to the folder's controller alone: it is sealed.\n\n"
	     "  xinglin review list --home patient --folder 0x…",
    .options = {{"folder", "ID", "which folder"}},
    .needs_home = true,
    .run = cmd_review_list,
};

static enum status review_number(const struct cli *cli, uint64_t *out, struct err *err) {
	const char *text = cli->arguments[0];
	char *end;
	errno = 0;
	*out = strtoull(text, &end, 10);
	if (errno == 0 && *end == 0 && text[0] >= '0' && text[0] <= '9') return STATUS_OK;
	return err_set(err, STATUS_INVALID, "ID is a review's number, as review list shows it, not \"%s\"", text);
}

static enum status cmd_review_close(struct cli *cli, struct err *err) {
	uint64_t review;
	struct action action;
	bool justified = cli_flag(cli, "justified");
	TRY(review_number(cli, &review, err));
	TRY(cli_action_options(cli, err));
	if (justified == cli_flag(cli, "unjustified"))
		return err_set(err, STATUS_INVALID, "either --justified or --unjustified is needed");
	TRY(request_check_chain(&cli->request, err));
	TRY(glass_close_action(&cli->request, &action, review, justified, err));
	TRY(cli_action_finish(cli, "closing", &action, err));
	cli_put_u64(cli, "review", review);
	cli_put_bool(cli, "justified", justified);
	return STATUS_OK;
}

const struct cli_command command_review_close = {
    .name = "review close",
    .arguments = "ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "as a patient or a regulator: close the review of an emergency",
    .teach = "Says on the chain whether the emergency was justified, and ends the window if it is still open. A\n"
	     "regulator sends it itself (--send); a patient's is signed and can be relayed.\n\n"
	     "  xinglin review close 7 --justified --home patient --out close.json",
    .options = {{"justified", NULL, "the look was right"}, {"unjustified", NULL, "it was not"}, ACTION_OPTIONS},
    .needs_home = true,
    .run = cmd_review_close,
};

/* --- trustee serve --- */

/* One command that serves: the loop of it, between signals. */
struct serving {
	struct cli *cli;
	uint64_t every_ms, released;
	atomic_bool stopped;
	atomic_ullong limited; /* in the last round */
};

/* In steps, so that a signal is heard soon. */
static void sleep_between(struct serving *serving) {
	const struct client_options *options = client_options_of(serving->cli->request.client);
	for (uint64_t rest_ms = serving->every_ms; rest_ms && !atomic_load(&serving->stopped);) {
		uint32_t step_ms = rest_ms < SLEEP_STEP_MS ? (uint32_t)rest_ms : SLEEP_STEP_MS;
		options->sleep_ms(options->sleep_context, step_ms);
		rest_ms -= step_ms;
	}
}

/* A node that does not answer for a while is no reason to stop serving emergencies. */
static enum status serve(void *context, struct err *err) {
	struct serving *serving = context;
	struct cli *cli = serving->cli;
	struct trustee_round round = {0};
	cli_say(cli, "serving emergencies; Ctrl-C stops it");
	while (!atomic_load(&serving->stopped)) {
		struct arena_mark mark = arena_mark(&cli->arena);
		enum status status = trustee_serve_once(&cli->request, &round, err);
		arena_rewind(&cli->arena, mark);
		if (status != STATUS_OK && status != STATUS_IO && status != STATUS_TIMEOUT) return status;
		if (status != STATUS_OK) fprintf(stderr, "xinglin trustee serve: %s; trying again\n", err->message);
		serving->released += status == STATUS_OK ? round.released : 0;
		atomic_store(&serving->limited, round.limited);
		sleep_between(serving);
	}
	return STATUS_OK;
}

static void stop(void *context) {
	struct serving *serving = context;
	atomic_store(&serving->stopped, true);
}

static void condition(void *context, char out[LIFECYCLE_CONDITION_BYTES]) {
	struct serving *serving = context;
	trustee_condition(out, atomic_load(&serving->limited));
}

static enum status serve_until_stopped(struct cli *cli, uint64_t every_ms, uint64_t *released, struct err *err) {
	struct serving serving = {.cli = cli, .every_ms = every_ms};
	const struct service service = {
	    .name = "trustee", .context = &serving, .run = serve, .stop = stop, .condition = condition};
	lifecycle_begin();
	enum status status = lifecycle_run(&service, &(struct lifecycle_options){.drain_ms = DRAIN_MS}, err);
	*released = serving.released;
	return status;
}

static enum status cmd_trustee_serve(struct cli *cli, struct err *err) {
	uint64_t every_ms, released = 0;
	struct trustee_round round = {0};
	TRY(cli_u64(cli, &every_ms, "every", 1000, err));
	if (every_ms < 50 || every_ms > 3600000)
		return err_set(err, STATUS_INVALID, "--every takes 50 to 3600000 milliseconds");
	TRY(request_check_chain(&cli->request, err));
	if (cli_flag(cli, "once")) {
		TRY(trustee_serve_once(&cli->request, &round, err));
		released = round.released;
		cli_put_u64(cli, "failed", round.failed);
		cli_put_u64(cli, "limited", round.limited);
		cli_put_u64(cli, "refused", round.refused);
		if (round.failed || round.refused) cli->exit_code = EXIT_FAILED;
	} else {
		TRY(serve_until_stopped(cli, every_ms, &released, err));
	}
	cli_put_u64(cli, "released", released);
	return STATUS_OK;
}

const struct cli_command command_trustee_serve = {
    .name = "trustee serve",
    .arguments = "",
    .summary = "as a trustee: release a share of a folder's key when the contract has opened an emergency window",
    .teach = "A patient names trustees when a folder is opened; each is given a share of the folder's key, sealed.\n"
	     "This service checks each share that is dealt to it, and complains on the chain of a false one. It\n"
	     "looks for emergencies, and when the window is proved to be open, it seals its share to the emergency\n"
	     "actor. Each release stands on the chain. `limited` counts emergencies that get no share because\n"
	     "their actor has had as many today as registrars allow: a person must look at them. An error in the\n"
	     "log says so, the service manager's status (systemctl status), and as a gateway's service its\n"
	     "metric trustee_limited.\n\n"
	     "  xinglin trustee serve --home trustee",
    .options = {{"once", NULL, "look once, then end (exit code 1 if a release failed or a share is false)"},
	{"every", "MS", "look again after so many milliseconds (1000)"}},
    .needs_home = true,
    .by_itself = true,
    .run = cmd_trustee_serve,
};
