/* xinglin proof, verify: showing one resource to somebody who trusts the chain and nothing else. */
#include "app/commands/commands.h"
#include "app/system.h"
#include "codec/hex.h"
#include "health/consent/consent.h"
#include "health/records/disclosure.h"

#define PROOF_FILE_MAX (2 * FHIR_DOCUMENT_MAX)
#define ANCHOR_FILE_MAX ((size_t)1 << 16)

static enum status cmd_proof(struct cli *cli, struct err *err) {
	const char *path;
	uint64_t index;
	hash32 record;
	struct buf file;
	TRY(cli_need(cli, &path, "index", err));
	TRY(cli_u64(cli, &index, "index", 0, err));
	TRY(cli_need(cli, &path, "out", err));
	if (hex_fixed(record.b, sizeof record.b, bytes_text(cli->arguments[0])) != STATUS_OK)
		return err_set(err, STATUS_INVALID, "\"%s\" is no record's id: it has \"0x\" and 64 hexadecimal digits",
		    cli->arguments[0]);
	if (index < 1 || index > RECORD_RESOURCES_MAX)
		return err_set(err, STATUS_INVALID, "--index takes 1 to %u", RECORD_RESOURCES_MAX);
	TRY(request_check_chain(&cli->request, err));
	buf_init(&file, PROOF_FILE_MAX);
	enum status status =
	    disclosure_make(&cli->request, &file, &record, (uint32_t)index, &consent_released_keys, err);
	if (status == STATUS_OK) status = cli_write_file(path, buf_view(&file), err);
	size_t bytes = file.len;
	buf_wipe(&file);
	TRY(status);
	if (strcmp(path, "-") == 0) return STATUS_OK;
	cli_put_text(cli, "proof", path);
	cli_put_u64(cli, "bytes", bytes);
	cli_say(
	    cli, "the file shows this one resource in plain, and proves its place; give it on with the anchor's name");
	return STATUS_OK;
}

const struct cli_command command_proof = {
    .name = "proof",
    .arguments = "RECORD",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "prove one resource of a record to somebody outside",
    .teach = "Writes one file with the resource and everything that ties it to the chain; the record's other\n"
	     "resources stay hidden. It is checked offline: xinglin verify. Needs what reading the record needs.\n\n"
	     "  xinglin proof 0x… --index 3 --out proof.json --home patient",
    .options = {{"index", "N", "which resource, counted from 1 (see: xinglin record read)"},
	{"out", "FILE", "where to write; \"-\": standard output"}},
    .needs_home = true,
    .run = cmd_proof,
};

static void put_disclosure(struct cli *cli, const struct disclosure *disclosure) {
	cli_put_hex(cli, "record", BYTES_OF(disclosure->record));
	cli_put_address(cli, "author", &disclosure->author);
	cli_put_u64(cli, "epoch", disclosure->epoch);
	cli_put_text(cli, "state", disclosure->erased ? "erased" : "registered");
	cli_put_time(cli, "addedAt", disclosure->added_at);
	cli_put_u64(cli, "block", disclosure->block_number);
	cli_put_time(cli, "blockTime", disclosure->block_timestamp);
	cli_put_hex(cli, "blockHash", BYTES_OF(disclosure->block_hash));
	cli_put_u64(cli, "resourceBytes", disclosure->resource.len);
}

static enum status cmd_verify(struct cli *cli, struct err *err) {
	const char *trust, *out = cli_value(cli, "out");
	struct deployment deployment;
	struct disclosure disclosure;
	struct bytes file, anchor;
	struct err why = {0};
	TRY(cli_need(cli, &trust, "trust", err));
	TRY(cli_read_file(cli, &anchor, trust, ANCHOR_FILE_MAX, err));
	enum status status = deployment_parse(&deployment, anchor, err);
	if (status != STATUS_OK) return err_prefix(err, status, "%s", trust);
	TRY(cli_read_file(cli, &file, cli->arguments[0], PROOF_FILE_MAX, err));
	bool is_proven =
	    disclosure_verify(&disclosure, &cli->arena, file, anchor, clock_now_ms(&world_clock), &why) == STATUS_OK;
	cli_put_bool(cli, "proven", is_proven);
	if (!is_proven) {
		cli_put_text(cli, "reason", why.message);
		cli->exit_code = EXIT_NOT_PROVEN;
		return STATUS_OK;
	}
	put_disclosure(cli, &disclosure);
	if (out) TRY(cli_write_file(out, disclosure.resource, err));
	if (out) cli_put_text(cli, "written", out);
	return STATUS_OK;
}

const struct cli_command command_verify = {
    .name = "verify",
    .arguments = "FILE",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "check a disclosure proof offline, against an anchor (exit code 5: it does not hold)",
    .teach = "Needs no home, no node and no network; only the deployment's description, which must come from a\n"
	     "source that you trust and never from whoever shows the proof. It shows that the author registered\n"
	     "exactly this resource at that time, in a block that the anchor's sealer signed, or that its\n"
	     "validators decided; not that what the resource says is true. A consortium's anchor counts for the\n"
	     "days that it names.\n\n"
	     "  xinglin verify proof.json --trust deployment.json --out resource.json",
    .options = {{"trust", "ANCHOR", "the deployment.json of the chain"},
	{"out", "FILE", "write the proven resource here"}},
    .run = cmd_verify,
};
