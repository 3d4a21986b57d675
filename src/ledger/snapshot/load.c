#include "ledger/snapshot/load.h"

#include <stdlib.h>

#include "codec/rlp.h"
#include "crypto/hash.h"
#include "ledger/chain/adopt.h"
#include "ledger/state/load.h"

enum { BATCH_BYTES = 4 << 20 };

struct loaded_code {
	hash32 hash;
	bool is_used;
};

struct snapshot_load {
	struct chain *chain;
	struct store *store;
	struct arena arena; /* of the manifest */
	struct snapshot_manifest manifest;
	size_t next;               /* chunk */
	enum snapshot_kind kind;   /* of the last item; 0: there was none */
	struct store_batch *batch; /* of the state */
	struct store_batch *late;  /* of headers and blocks: nobody finds them before the end */
	struct state_load *state;

	struct header headers[SNAPSHOT_HEADERS]; /* from first_header on */
	hash32 hashes[SNAPSHOT_HEADERS];
	size_t header_count;
	uint64_t first_header, first_block, next_block; /* first_block 0: none came yet */
	struct loaded_code *codes;
	size_t code_count, code_room;
};

/* --- beginning --- */

enum status snapshot_check(struct snapshot_manifest *out, struct arena *arena, const struct chain *chain,
    struct bytes manifest, const hash32 *block, struct err *err) {
	TRY(snapshot_manifest_decode(out, arena, manifest, err));
	if (!hash32_equal(&out->genesis, chain_genesis_hash(chain)))
		return err_set(err, STATUS_INVALID, "the snapshot is of another chain");
	if (!hash32_equal(&out->block, block))
		return err_set(err, STATUS_INVALID, "the snapshot is of another block than was decided");
	if (!u256_is_zero(&out->header.difficulty))
		return err_set(err, STATUS_INVALID, "the snapshot is of a block before the merge");
	return STATUS_OK;
}

enum status snapshot_load_begin(struct snapshot_load **out, struct chain *chain, struct store *store,
    struct bytes manifest, const hash32 *block, struct err *err) {
	struct snapshot_load *load = mem_zalloc(1, sizeof *load);
	load->chain = chain;
	load->store = store;
	arena_init(&load->arena);
	load->batch = store_batch_new();
	load->late = store_batch_new();
	load->state = state_load_new(store);
	enum status status = snapshot_check(&load->manifest, &load->arena, chain, manifest, block, err);
	if (status == STATUS_OK) status = chain_adopt_begin(chain, err);
	if (status != STATUS_OK) {
		snapshot_load_free(load);
		return status;
	}
	const uint64_t number = load->manifest.header.number;
	load->first_header = number >= SNAPSHOT_HEADERS ? number - SNAPSHOT_HEADERS + 1 : 0;
	*out = load;
	return STATUS_OK;
}

const struct snapshot_manifest *snapshot_load_manifest(const struct snapshot_load *load) {
	return &load->manifest;
}

bool snapshot_load_knows(const struct snapshot_load *load, size_t index, struct bytes chunk) {
	if (index != load->next || index >= load->manifest.chunk_count) return false;
	const hash32 hash = sha256(chunk);
	return hash32_equal(&hash, &load->manifest.chunks[index]);
}

/* --- headers --- */

/* Each names the one before it, and the last one is the proved block; so with the last all are the chain's. */
static enum status take_header(struct snapshot_load *load, const struct snapshot_item *item, struct err *err) {
	struct header header;
	const size_t at = load->header_count;
	TRY(header_decode(&header, item->value, err));
	if (at == SNAPSHOT_HEADERS || header.number != load->first_header + at)
		return err_set(
		    err, STATUS_INVALID, "header %llu is not the one that follows", (unsigned long long)header.number);
	if (at > 0 && !hash32_equal(&header.parent_hash, &load->hashes[at - 1]))
		return err_set(err, STATUS_INVALID, "header %llu does not follow the one before it",
		    (unsigned long long)header.number);
	load->headers[at] = header;
	load->hashes[at] = header_hash(&header);
	load->header_count++;
	return STATUS_OK;
}

static enum status end_headers(struct snapshot_load *load, struct err *err) {
	const size_t count = load->header_count;
	if (count == 0 || !hash32_equal(&load->hashes[count - 1], &load->manifest.block))
		return err_set(err, STATUS_INVALID, "the headers do not lead to the snapshot's block");
	if (load->first_header == 0 && !hash32_equal(&load->hashes[0], chain_genesis_hash(load->chain)))
		return err_set(err, STATUS_INVALID, "the headers do not begin with the chain's");
	for (size_t i = load->first_header == 0 ? 1 : 0; i < count; i++)
		chain_adopt_header(load->chain, load->late, &load->headers[i], &load->hashes[i]);
	return STATUS_OK;
}

/* --- blocks --- */

static enum status read_receipts(
    struct receipt **out, size_t *count, struct arena *arena, struct bytes list, size_t expected, struct err *err) {
	struct rlp_cursor outer = rlp_cursor(list), cursor = rlp_enter(&outer);
	struct receipt *receipts = arena_zalloc(arena, expected, sizeof *receipts);
	for (*count = 0; !rlp_at_end(&cursor) && *count < expected; ++*count)
		TRY(receipt_decode(&receipts[*count], arena, rlp_string(&cursor), err));
	rlp_leave(&outer, &cursor);
	*out = receipts;
	return rlp_finish(&outer, err);
}

static enum status read_block(
    struct snapshot_load *load, struct arena *arena, const struct snapshot_item *item, struct err *err) {
	struct block block;
	struct receipt *receipts;
	struct adopted_block adopted = {.block = &block, .hash = load->hashes[item->number - load->first_header]};
	TRY(block_body_decode(&block, arena, item->value, err));
	block.header = load->headers[item->number - load->first_header];
	TRY(read_receipts(&receipts, &adopted.receipt_count, arena, item->more, block.transaction_count, err));
	adopted.receipts = receipts;
	return chain_adopt_block(load->chain, load->late, &adopted, err);
}

static enum status take_block(struct snapshot_load *load, const struct snapshot_item *item, struct err *err) {
	const uint64_t last = load->manifest.header.number;
	const bool is_first = load->first_block == 0;
	if (is_first ? item->number <= load->first_header || item->number > last : item->number != load->next_block)
		return err_set(
		    err, STATUS_INVALID, "block %llu is not the one that follows", (unsigned long long)item->number);
	if (is_first) load->first_block = item->number;
	load->next_block = item->number + 1;
	if (item->number > last) return err_set(err, STATUS_INVALID, "a block after the snapshot's");
	struct arena arena;
	arena_init(&arena);
	const enum status status = read_block(load, &arena, item, err);
	arena_fini(&arena);
	return status;
}

static enum status end_blocks(const struct snapshot_load *load, struct err *err) {
	if (load->next_block == load->manifest.header.number + 1) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "the snapshot's own block is missing");
}

/* --- codes --- */

static enum status take_code(struct snapshot_load *load, const struct snapshot_item *item, struct err *err) {
	const hash32 hash = keccak256(item->value);
	if (load->code_count == SNAPSHOT_CODES_MAX || item->value.len == 0)
		return err_set(err, STATUS_INVALID, "too many codes, or an empty one");
	if (load->code_count > 0 && memcmp(load->codes[load->code_count - 1].hash.b, hash.b, sizeof hash.b) >= 0)
		return err_set(err, STATUS_INVALID, "the hashes of codes do not rise");
	if (load->code_count == load->code_room) {
		load->code_room = load->code_room > 0 ? 2 * load->code_room : 64;
		load->codes = mem_realloc(load->codes, load->code_room * sizeof *load->codes);
	}
	load->codes[load->code_count++] = (struct loaded_code){hash, false};
	store_batch_put(load->batch, load->store, TABLE_CODE, BYTES_OF(hash), item->value);
	return STATUS_OK;
}

static int compare_code(const void *key, const void *code) {
	return memcmp(key, ((const struct loaded_code *)code)->hash.b, sizeof(hash32));
}

static enum status use_code(struct snapshot_load *load, const hash32 *hash, struct err *err) {
	struct loaded_code *code =
	    load->code_count == 0 ? NULL
				  : bsearch(hash, load->codes, load->code_count, sizeof *load->codes, compare_code);
	if (code == NULL) return err_set(err, STATUS_INVALID, "the code of an account is missing");
	code->is_used = true;
	return STATUS_OK;
}

/* --- the state --- */

static enum status take_account(struct snapshot_load *load, const struct snapshot_item *item, struct err *err) {
	struct account account;
	hash32 code;
	bool has_code;
	TRY(state_load_account(load->state, &account, load->batch, &item->key, item->value, err));
	TRY(state_row_code(&has_code, &code, item->value, err));
	return has_code ? use_code(load, &code, err) : STATUS_OK;
}

/* --- items --- */

/* What has to be whole before an item of this kind may come. */
static enum status begin_kind(struct snapshot_load *load, enum snapshot_kind kind, struct err *err) {
	const enum snapshot_kind before = load->kind;
	const bool in_state = before >= SNAPSHOT_ACCOUNT && kind >= SNAPSHOT_ACCOUNT;
	if (kind < before && !in_state)
		return err_set(err, STATUS_INVALID, "an item of kind %u after one of %u", kind, before);
	if (before <= SNAPSHOT_HEADER && kind > SNAPSHOT_HEADER) TRY(end_headers(load, err));
	if (before <= SNAPSHOT_BLOCK && kind > SNAPSHOT_BLOCK) TRY(end_blocks(load, err));
	load->kind = kind;
	return STATUS_OK;
}

static enum status take_item(struct snapshot_load *load, const struct snapshot_item *item, struct err *err) {
	TRY(begin_kind(load, item->kind, err));
	switch (item->kind) {
	case SNAPSHOT_HEADER: return take_header(load, item, err);
	case SNAPSHOT_BLOCK: return take_block(load, item, err);
	case SNAPSHOT_CODE: return take_code(load, item, err);
	case SNAPSHOT_ACCOUNT: return take_account(load, item, err);
	case SNAPSHOT_SLOT: return state_load_slot(load->state, load->batch, &item->key, item->value, err);
	}
	return err_set(err, STATUS_INTERNAL, "an item that nobody takes");
}

static enum status flush(struct snapshot_load *load, size_t from_bytes, struct err *err) {
	if (store_batch_bytes(load->batch) < from_bytes) return STATUS_OK;
	TRY(store_commit(load->store, load->batch, false, err));
	store_batch_clear(load->batch);
	return STATUS_OK;
}

enum status snapshot_load_chunk(struct snapshot_load *load, struct bytes chunk, struct err *err) {
	BUG_ON(!snapshot_load_knows(load, load->next, chunk));
	if (chunk.len == 0) return err_set(err, STATUS_INVALID, "a chunk is empty");
	for (struct bytes rest = chunk; rest.len > 0;) {
		struct snapshot_item item;
		TRY(snapshot_item_take(&item, &rest, err));
		TRY(take_item(load, &item, err));
		TRY(flush(load, BATCH_BYTES, err));
	}
	load->next++;
	return STATUS_OK;
}

bool snapshot_load_is_whole(const struct snapshot_load *load) {
	return load->next == load->manifest.chunk_count;
}

/* --- the end --- */

static enum status check_whole(struct snapshot_load *load, struct err *err) {
	hash32 root;
	BUG_ON(!snapshot_load_is_whole(load));
	TRY(begin_kind(load, SNAPSHOT_SLOT, err)); /* a state may be empty, what comes before it may not */
	for (size_t i = 0; i < load->code_count; i++)
		if (!load->codes[i].is_used) return err_set(err, STATUS_INVALID, "a code is of no account");
	TRY(state_load_finish(load->state, &root, load->batch, err));
	if (!hash32_equal(&root, &load->manifest.header.state_root))
		return err_set(err, STATUS_INVALID, "the state is not the one that block %llu names",
		    (unsigned long long)load->manifest.header.number);
	return STATUS_OK;
}

enum status snapshot_load_finish(
    struct snapshot_load *load, const struct chain_note *notes, size_t note_count, struct err *err) {
	TRY(check_whole(load, err));
	TRY(flush(load, 1, err));
	const struct adopted_head head = {.header = load->manifest.header,
	    .hash = load->manifest.block,
	    .first_block = load->first_block,
	    .notes = notes,
	    .note_count = note_count};
	return chain_adopt_finish(load->chain, load->late, &head, err);
}

enum status snapshot_load_abort(struct snapshot_load *load, struct err *err) {
	struct chain *chain = load->chain;
	snapshot_load_free(load);
	return chain_adopt_abort(chain, err);
}

void snapshot_load_free(struct snapshot_load *load) {
	if (load == NULL) return;
	store_batch_free(load->batch);
	store_batch_free(load->late);
	state_load_free(load->state);
	mem_free(load->codes);
	arena_fini(&load->arena);
	mem_free(load);
}
