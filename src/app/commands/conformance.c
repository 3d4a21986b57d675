/* xinglin statetest, blocktest, txtest: the official tests of execution clients, counted. */
#include "app/conformance/conformance.h"
#include "app/commands/commands.h"

typedef enum status runner(struct conformance *run, const char *const *paths, size_t count, struct err *err);

static enum status run_all(struct cli *cli, struct conformance *run, runner *all, struct err *err) {
	run->out = cli->json ? stderr : stdout;
	TRY(all(run, cli->arguments, (size_t)cli->argument_count, err));
	if (run->passed + run->failed + run->skipped == 0)
		return err_set(err, STATUS_NOTFOUND, "no test is there: files end with .json");
	cli->exit_code = run->failed > 0 ? EXIT_FAILED : EXIT_DONE;
	cli->has_reported = !cli->json;
	cli_put_u64(cli, "passed", run->passed);
	cli_put_u64(cli, "failed", run->failed);
	cli_put_u64(cli, "skipped", run->skipped);
	cli_say(cli, "%zu passed, %zu failed, %zu skipped", run->passed, run->failed, run->skipped);
	return STATUS_OK;
}

static enum status cmd_statetest(struct cli *cli, struct err *err) {
	struct conformance run = {0};
	return run_all(cli, &run, conformance_state, err);
}

static enum status cmd_blocktest(struct cli *cli, struct err *err) {
	struct conformance run = {0};
	return run_all(cli, &run, conformance_block, err);
}

static enum status cmd_txtest(struct cli *cli, struct err *err) {
	struct conformance run = {0};
	return run_all(cli, &run, conformance_tx, err);
}

#define PATHS .arguments = "PATH…", .arguments_min = 1, .arguments_max = 1 << 20

const struct cli_command command_statetest = {
    .name = "statetest",
    PATHS,
    .summary = "run official state tests (exit code 1: some failed)",
    .teach =
	"Runs every file below the paths that ends with .json: one transaction a case, in the state that the case\n"
	"describes. A failing case is printed with what differed, account by account if the file lists them. The\n"
	"last line has the counts.\n\n"
	"  xinglin statetest GeneralStateTests/stRandom",
    .run = cmd_statetest,
};

const struct cli_command command_blocktest = {
    .name = "blocktest",
    PATHS,
    .summary = "run official blockchain tests (exit code 1: some failed)",
    .teach =
	"Runs every file below the paths that ends with .json, each case on a chain of its own in a temporary\n"
	"folder (under TMPDIR): every block is taken or refused as the case says, and the chain ends at the block\n"
	"that it names. Seals of proof of work are not checked. The last line has the counts.\n\n"
	"  xinglin blocktest BlockchainTests/InvalidBlocks",
    .run = cmd_blocktest,
};

const struct cli_command command_txtest = {
    .name = "txtest",
    PATHS,
    .summary = "run official transaction tests (exit code 1: some failed)",
    .teach = "Runs every file below the paths that ends with .json: for each fork the transaction's hash, sender and\n"
	     "intrinsic gas, or that it is refused. The last line has the counts.\n\n"
	     "  xinglin txtest TransactionTests",
    .run = cmd_txtest,
};
