/* xinglin tag: the key of products' tags, which regulators hold together. */
#include <stdlib.h>

#include "app/commands/commands.h"
#include "app/commands/joint.h"
#include "health/trace/tag_dealing.h"

static void put_holders(struct cli *cli, const addr20 *holders, size_t count) {
	json_array_begin(&cli->writer, "holders");
	for (size_t i = 0; i < count; i++) cli_put_address(cli, NULL, &holders[i]);
	json_array_end(&cli->writer);
}

/* --- tag deal --- */

static int by_account(const void *a, const void *b) {
	return memcmp(a, b, sizeof(addr20));
}

static enum status holders_option(struct cli *cli, addr20 out[STATEMENT_HOLDERS_MAX], size_t *count, struct err *err) {
	const addr20 *named;
	TRY(cli_addresses(cli, &named, count, "holders", STATEMENT_HOLDERS_MAX, err));
	if (*count == 0) return err_set(err, STATUS_INVALID, "--holders names who shall hold the key");
	memcpy(out, named, *count * sizeof *out);
	qsort(out, *count, sizeof *out, by_account);
	for (size_t i = 1; i < *count; i++)
		if (addr20_equal(&out[i - 1], &out[i]))
			return err_set(err, STATUS_INVALID, "--holders names one twice");
	return STATUS_OK;
}

static enum status cmd_tag_deal(struct cli *cli, struct err *err) {
	addr20 holders[STATEMENT_HOLDERS_MAX];
	const char *path;
	size_t count;
	uint64_t threshold;
	struct buf dealing;
	TRY(holders_option(cli, holders, &count, err));
	TRY(cli_u64(cli, &threshold, "threshold", count / 2 + 1, err));
	TRY(cli_need(cli, &path, "out", err));
	if (threshold < 1 || threshold > count)
		return err_set(err, STATUS_INVALID, "--threshold takes 1 to the number of holders");
	TRY(request_check_chain(&cli->request, err));
	buf_init(&dealing, TAG_DEALING_MAX);
	enum status status = tag_dealing_write(&cli->request, &dealing, holders, count, (uint8_t)threshold, err);
	if (status == STATUS_OK) status = cli_write_file(path, buf_view(&dealing), err);
	buf_fini(&dealing);
	TRY(status);
	put_holders(cli, holders, count);
	cli_put_u64(cli, "threshold", threshold);
	cli_put_text(cli, "dealing", path);
	return STATUS_OK;
}

const struct cli_command command_tag_deal = {
    .name = "tag deal",
    .arguments = "",
    .summary = "as a regulator: deal a part of the key of products' tags to those who shall hold it",
    .teach = "One GTIN has one tag on the chain, made with a key that nobody has: regulators hold shares of it, and\n"
	     "--threshold of them must answer for a tag. To found it each of the holders deals, and each gathers all\n"
	     "files (tag gather). Later those who hold it deal again to others, and the key and all tags stay.\n\n"
	     "  xinglin tag deal --holders 0x…,0x…,0x… --threshold 2 --home regulator --out deal-1.json",
    .options = {{"holders", "ADDRESS,…", "regulators who shall hold a share, at most 8"},
	{"threshold", "N", "how many of them have to answer (more than half)"},
	{"out", "FILE", "where the dealing goes: to all holders"}},
    .needs_home = true,
    .run = cmd_tag_deal,
};

/* --- tag gather --- */

static enum status read_dealings(struct cli *cli, struct tag_dealing *dealings, struct err *err) {
	for (int i = 0; i < cli->argument_count; i++) {
		struct bytes json;
		TRY(cli_read_file(cli, &json, cli->arguments[i], TAG_DEALING_MAX, err));
		enum status status = tag_dealing_read(&cli->request, &dealings[i], json, err);
		if (status != STATUS_OK) return err_prefix(err, status, "%s", cli->arguments[i]);
	}
	return STATUS_OK;
}

static enum status cmd_tag_gather(struct cli *cli, struct err *err) {
	struct tag_dealing *dealings = arena_zalloc(&cli->arena, STATEMENT_HOLDERS_MAX, sizeof *dealings);
	struct joint_statement *joint = arena_zalloc(&cli->arena, 1, sizeof *joint);
	struct products_tag_holders said;
	const char *path;
	TRY(cli_need(cli, &path, "out", err));
	TRY(request_check_chain(&cli->request, err));
	TRY(read_dealings(cli, dealings, err));
	TRY(tag_dealings_gather(&cli->request, &said, dealings, (size_t)cli->argument_count, err));
	TRY(joint_of_tag_holders(&cli->request, joint, &said, err));
	return joint_write_file(cli, joint, path, err);
}

const struct cli_command command_tag_gather = {
    .name = "tag gather",
    .arguments = "DEALING…",
    .arguments_min = 1,
    .arguments_max = STATEMENT_HOLDERS_MAX,
    .summary = "as a regulator: keep this home's share of the key of products' tags",
    .teach = "Checks what each dealer dealt to this home, keeps the sum, sealed, and writes the statement that\n"
	     "registrars sign (registrars sign) before it counts (registrars send). Whoever gathers the same files\n"
	     "writes the same statement.\n\n"
	     "  xinglin tag gather deal-1.json deal-2.json deal-3.json --home regulator --out holders.json",
    .options = {{"out", "FILE", "where the statement goes: to the registrars"}},
    .needs_home = true,
    .run = cmd_tag_gather,
};

/* --- tag holders --- */

static enum status cmd_tag_holders(struct cli *cli, struct err *err) {
	struct statement_tag_holders holders;
	struct vss_share share;
	TRY(request_check_chain(&cli->request, err));
	TRY(tag_holders_find(&cli->request, &holders, err));
	cli_put_u64(cli, "number", holders.number);
	cli_put_u64(cli, "threshold", holders.commitments.threshold);
	put_holders(cli, holders.holders, holders.holder_count);
	cli_put_hex(cli, "key", bytes_make(holders.commitments.points[0].xy, VSS_POINT_BYTES));
	const bool is_holder = tag_share_load(&cli->request, &share, holders.number, NULL) == STATUS_OK;
	mem_wipe(&share, sizeof share);
	cli_put_bool(cli, "thisHomeHoldsAShare", is_holder);
	return STATUS_OK;
}

const struct cli_command command_tag_holders = {
    .name = "tag holders",
    .arguments = "",
    .summary = "who holds the key of products' tags, proved",
    .teach = "  xinglin tag holders --home regulator",
    .needs_home = true,
    .run = cmd_tag_holders,
};
