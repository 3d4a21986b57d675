/* xinglin import, export: blocks to and from files, one RLP after another, as other clients write them. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "app/commands/commands.h"
#include "app/serve/chain_data.h"
#include "base/files.h"
#include "codec/hex.h"
#include "ledger/chain/branches.h"

#define GENESIS_FILE_MAX ((size_t)64 << 20)
#define FORKCHOICE_FILE_MAX ((size_t)1 << 16)
#define IMPORT_BLOCK_MAX ((size_t)64 << 20)

/* --- import --- */

struct counts {
	uint64_t imported, aside, known, branch_changes;
};

/* The next item of the file, whole; `*ended` where it ends cleanly before one. */
static enum status read_item(struct buf *out, bool *ended, FILE *file, struct err *err) {
	uint8_t head[9];
	buf_clear(out);
	*ended = fread(head, 1, 1, file) == 0 && feof(file);
	if (*ended) return STATUS_OK;
	if (ferror(file)) return err_set(err, STATUS_IO, "cannot be read: %s", strerror(errno));
	if (head[0] < 0xc0) return err_set(err, STATUS_DENIED, "no list begins there");
	size_t length = head[0] - 0xc0u, size_bytes = 0;
	if (head[0] > 0xf7) {
		size_bytes = head[0] - 0xf7u;
		length = 0;
		if (fread(head + 1, 1, size_bytes, file) != size_bytes) length = SIZE_MAX;
		for (size_t i = 0; i < size_bytes && length <= IMPORT_BLOCK_MAX; i++)
			length = length << 8 | head[1 + i];
	}
	if (length > IMPORT_BLOCK_MAX) return err_set(err, STATUS_DENIED, "it ends too early, or is too large");
	buf_append(out, bytes_make(head, 1 + size_bytes));
	uint8_t *at = buf_extend(out, length);
	TRY(buf_status(out, err));
	if (fread(at, 1, length, file) != length) return err_set(err, STATUS_DENIED, "the file ends in it");
	return STATUS_OK;
}

static enum status take_block(struct chain *chain, struct counts *counts, struct bytes block, struct err *err) {
	enum chain_taken taken;
	const enum status status = chain_take(chain, &taken, block, err);
	if (status == STATUS_EXISTS) {
		counts->known++;
		return STATUS_OK;
	}
	if (status != STATUS_OK) return status == STATUS_INVALID ? STATUS_DENIED : status;
	counts->imported++;
	counts->aside += taken == CHAIN_KEPT_ASIDE;
	counts->branch_changes += taken == CHAIN_CHANGED_BRANCH;
	return STATUS_OK;
}

static enum status import_file(struct chain *chain, struct counts *counts, const char *path, struct err *err) {
	struct buf block;
	bool ended = false;
	uint64_t index = 0;
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	if (file == NULL) return err_set(err, STATUS_NOTFOUND, "cannot read %s: %s", path, strerror(errno));
	buf_init(&block, IMPORT_BLOCK_MAX + 9);
	enum status status = STATUS_OK;
	for (; status == STATUS_OK && !ended; index++) {
		status = read_item(&block, &ended, file, err);
		if (status == STATUS_OK && !ended) status = take_block(chain, counts, buf_view(&block), err);
	}
	if (status != STATUS_OK)
		status = err_prefix(err, status, "%s, item %llu", path, (unsigned long long)(index - 1));
	buf_fini(&block);
	if (file != stdin) fclose(file);
	return status;
}

static enum status named_hash(hash32 *out, const struct json *state, const char *name, struct err *err) {
	if (hex_fixed(out->b, sizeof out->b, json_string(json_get(state, name))) == STATUS_OK) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "the forkchoice file has no %s", name);
}

/* A call of engine_forkchoiceUpdated, as the official chains come with: its first parameter counts. */
static enum status apply_forkchoice(struct cli *cli, struct chain *chain, const char *path, struct err *err) {
	struct bytes text;
	const struct json *root;
	struct chain_forkchoice choice;
	TRY(cli_read_file(cli, &text, path, FORKCHOICE_FILE_MAX, err));
	TRY(json_parse(&root, &cli->arena, text, NULL, err));
	const struct json *params = json_get(root, "params");
	const struct json *state = params != NULL ? params->first : root;
	TRY(named_hash(&choice.head, state, "headBlockHash", err));
	TRY(named_hash(&choice.safe, state, "safeBlockHash", err));
	TRY(named_hash(&choice.finalized, state, "finalizedBlockHash", err));
	const enum status status = chain_set_forkchoice(chain, &choice, err);
	return status == STATUS_OK ? status
				   : err_prefix(err, status == STATUS_INVALID ? STATUS_DENIED : status, "%s", path);
}

static void report_import(struct cli *cli, struct chain *chain, const struct counts *counts) {
	struct chain_head *head = chain_head(chain);
	cli_put_u64(cli, "imported", counts->imported);
	cli_put_u64(cli, "known", counts->known);
	cli_put_u64(cli, "keptAside", counts->aside);
	cli_put_u64(cli, "branchChanges", counts->branch_changes);
	cli_put_u64(cli, "head", head->header.number);
	cli_put_hex(cli, "headHash", BYTES_OF(head->hash));
	chain_head_release(head);
}

/* The genesis given, or the folder's. A new folder keeps a copy, so that `xinglin node` runs on it. */
static enum status genesis_of(struct cli *cli, struct bytes *out, const char *data, struct err *err) {
	char own[4096];
	const char *given = cli_value(cli, "genesis");
	if ((size_t)snprintf(own, sizeof own, "%s/genesis.json", data) >= sizeof own)
		return err_set(err, STATUS_INVALID, "the path of the data folder is too long");
	if (given == NULL && access(own, F_OK) != 0)
		return err_set(err, STATUS_INVALID, "--genesis is needed: %s holds none", data);
	return cli_read_file(cli, out, given != NULL ? given : own, GENESIS_FILE_MAX, err);
}

static enum status keep_genesis(const char *data, struct bytes genesis, struct err *err) {
	char own[4096];
	snprintf(own, sizeof own, "%s/genesis.json", data);
	return access(own, F_OK) == 0 ? STATUS_OK : cli_write_file(own, genesis, err);
}

static enum status cmd_import(struct cli *cli, struct err *err) {
	const char *data, *forkchoice = cli_value(cli, "forkchoice");
	struct bytes genesis;
	struct chain_data ledger;
	struct counts counts = {0};
	TRY(cli_need(cli, &data, "data", err));
	TRY(genesis_of(cli, &genesis, data, err));
	enum status status = chain_data_open(&ledger, data, genesis, err);
	if (status == STATUS_OK) status = keep_genesis(data, genesis, err);
	for (int i = 0; i < cli->argument_count && status == STATUS_OK; i++)
		status = import_file(ledger.chain, &counts, cli->arguments[i], err);
	if (status == STATUS_OK && forkchoice != NULL) status = apply_forkchoice(cli, ledger.chain, forkchoice, err);
	if (status == STATUS_OK) report_import(cli, ledger.chain, &counts);
	chain_data_close(&ledger);
	return status;
}

const struct cli_command command_import = {
    .name = "import",
    .arguments = "FILE…",
    .arguments_min = 1,
    .arguments_max = 1 << 20,
    .summary = "import blocks from files of concatenated RLP",
    .teach = "Every block is checked to the letter and executed, but for seals of proof of work. A block of\n"
	     "another branch is kept aside; before the merge the branch of the greatest total difficulty is\n"
	     "followed, after it the head that --forkchoice names. Blocks that are there already are passed over,\n"
	     "so an import can be repeated; at the first invalid one it stops, with exit code 3, and all before it\n"
	     "stay.\n\n"
	     "  xinglin import --data node1 --genesis genesis.json chain.rlp --forkchoice headfcu.json",
    .options = {{"data", "DIR", "the data folder; made where it is not there"},
	{"genesis", "FILE", "the chain's genesis, geth's format (DIR/genesis.json)"},
	{"forkchoice", "FILE", "a call of engine_forkchoiceUpdated: head, safe and finalized block"}},
    .run = cmd_import,
};

/* --- export --- */

static enum status write_block(struct chain *chain, struct files_out *out, uint64_t number, struct err *err) {
	struct arena arena;
	struct block block;
	struct header header;
	struct buf rlp;
	hash32 hash;
	arena_init(&arena);
	buf_init(&rlp, IMPORT_BLOCK_MAX);
	enum status status = chain_header_by_number(chain, &header, &hash, number, err);
	if (status == STATUS_OK) status = chain_block_by_hash(chain, &block, &arena, &hash, err);
	if (status == STATUS_OK) {
		block_encode(&rlp, &block);
		status = buf_status(&rlp, err);
	}
	if (status == STATUS_OK) status = files_append(out, buf_view(&rlp), err);
	buf_fini(&rlp);
	arena_fini(&arena);
	return status;
}

/* "-" is standard output. */
static enum status write_blocks(struct chain *chain, const char *path, uint64_t from, uint64_t to, struct err *err) {
	struct files_out out = {.fd = STDOUT_FILENO, .path = "standard output"};
	const bool is_stdout = strcmp(path, "-") == 0;
	if (!is_stdout) TRY(files_begin(&out, path, err));
	enum status status = STATUS_OK;
	for (uint64_t number = from; number <= to && status == STATUS_OK; number++)
		status = write_block(chain, &out, number, err);
	if (is_stdout) return status;
	if (status == STATUS_OK) return files_finish(&out, err);
	files_abandon(&out);
	return status;
}

static enum status cmd_export(struct cli *cli, struct err *err) {
	const char *data, *path = cli->arguments[0];
	uint64_t from, to;
	struct chain_data ledger;
	TRY(cli_need(cli, &data, "data", err));
	TRY(cli_u64(cli, &from, "from", 0, err));
	TRY(cli_u64(cli, &to, "to", UINT64_MAX, err));
	enum status status = chain_data_open(&ledger, data, (struct bytes){0}, err);
	if (status == STATUS_OK) {
		struct chain_head *head = chain_head(ledger.chain);
		if (cli_value(cli, "to") == NULL) to = head->header.number;
		if (from > to || to > head->header.number)
			status = err_set(
			    err, STATUS_INVALID, "there are blocks 0 to %llu", (unsigned long long)head->header.number);
		chain_head_release(head);
	}
	if (status == STATUS_OK) status = write_blocks(ledger.chain, path, from, to, err);
	chain_data_close(&ledger);
	TRY(status);
	cli->has_reported = strcmp(path, "-") == 0;
	cli_put_u64(cli, "blocks", to - from + 1);
	cli_put_u64(cli, "from", from);
	cli_put_u64(cli, "to", to);
	return STATUS_OK;
}

const struct cli_command command_export = {
    .name = "export",
    .arguments = "FILE",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "write a stopped node's blocks to a file of concatenated RLP",
    .teach = "What xinglin import and other clients read. \"-\" is standard output.\n\n"
	     "  xinglin export --data node1 --from 1 chain.rlp",
    .options = {{"data", "DIR", "the node's data folder"}, {"from", "N", "the first block (0)"},
	{"to", "N", "the last block (the head)"}},
    .run = cmd_export,
};
