/*
 * A snapshot is the same on every node, leads to the same chain, and every byte of it counts. Over the store's twin in
 * memory (store/memory_disk.h), so that thousands of liars are tried in seconds.
 */
#include "ledger/snapshot/snapshots.h"

#include "base/files.h"
#include "crypto/hash.h"
#include "ledger/chain/verify.h"
#include "ledger/snapshot/load.h"
#include "ledger/snapshot/make.h"
#include "ledger/store/memory_disk.h"

#include "tests/unit.h"

#include "tests/ledger_world.h"

enum { BLOCKS = 2, GWEI = 1000000000, HEIGHT = 77 };

/* Stores 7 in the slot of the block's number whenever it is called, and logs nothing much. */
static const uint8_t contract[] = {0x69, 0x60, 0x07, 0x43, 0x55, 0x60, 0x00, 0x60, 0x00, 0xa0, 0x00, /* PUSH10 */
    0x60, 0x00, 0x52, 0x60, 0x09, 0x60, 0x01, 0x55,                                                  /* slot 1 is 9 */
    0x60, 0x0a, 0x60, 0x16, 0xf3};

struct machine {
	struct memory_disk *disk;
	struct ledger_world world; /* its store, chain and arena alone */
	uint64_t nonce;
};

static void start(struct machine *machine) {
	const struct store_options options = {.create_if_missing = true};
	const struct chain_options chain = {
	    .genesis_json = ledger_genesis(&machine->world.arena, &machine->world.rules)};
	memory_disk_path(machine->world.directory, machine->disk);
	assert_done(&machine->world,
	    store_open(&machine->world.store, machine->world.directory, &options, &machine->world.err));
	assert_done(
	    &machine->world, chain_open(&machine->world.chain, machine->world.store, &chain, &machine->world.err));
}

static void stop(struct machine *machine) {
	chain_close(machine->world.chain);
	store_close(machine->world.store);
	machine->world.chain = NULL;
	machine->world.store = NULL;
}

static void open_machine(struct machine *machine) {
	*machine = (struct machine){.disk = memory_disk_new()};
	arena_init(&machine->world.arena);
	start(machine);
}

static void close_machine(struct machine *machine) {
	stop(machine);
	memory_disk_free(machine->disk);
	arena_fini(&machine->world.arena);
}

static struct header head_of(struct machine *machine, hash32 *hash) {
	struct chain_head *head = chain_head(machine->world.chain);
	const struct header header = head->header;
	*hash = head->hash;
	chain_head_release(head);
	return header;
}

/* The next block of the one history: the contract is made, then called. */
static hash32 make_block(struct machine *machine) {
	hash32 hash;
	struct pending_block *pending;
	const addr20 sender = ledger_address(0), callee = address_of_create(&sender, 0);
	struct transaction tx = ledger_transfer(machine->nonce, &callee, 0, 20 * (uint64_t)GWEI);
	tx.gas_limit = 200000;
	tx.is_create = machine->nonce == 0;
	if (tx.is_create) tx.data = bytes_make(contract, sizeof contract);
	machine->nonce++;
	ledger_sign(&machine->world, &tx, 0);
	const struct ordered_tx ordered = {.tx = &tx, .sender = sender};
	const struct block_decision decision = {.txs = &ordered, .tx_count = 1, .time_ms = 1700000000000};
	assert_done(&machine->world, chain_execute(machine->world.chain, &pending, &decision, &machine->world.err));
	assert_int_equal(pending->block.transaction_count, 1);
	assert_true(pending->receipts[0].success);
	hash = pending->hash;
	assert_done(&machine->world, chain_commit(machine->world.chain, pending, NULL, &machine->world.err));
	return hash;
}

/* --- snapshots in memory --- */

struct taken {
	struct bytes manifest, chunk; /* these are small: there is one chunk */
};

static struct bytes read_file(struct arena *arena, const char *folder, const char *name) {
	char path[FILES_PATH_BYTES];
	struct buf out;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	buf_init(&out, BUF_MAX_DEFAULT);
	assert_int_equal(files_read(&out, path, NULL), STATUS_OK);
	const struct bytes content = arena_dup(arena, buf_view(&out));
	buf_fini(&out);
	return content;
}

static struct taken take_snapshot(struct machine *machine, uint64_t height) {
	char folder[] = "/tmp/xinglin-snapshot-XXXXXX", inside[64], command[96];
	hash32 hash;
	struct store_snapshot *view = store_snapshot_new(machine->world.store);
	const struct snapshot_source source = {.chain = machine->world.chain,
	    .store = machine->world.store,
	    .view = view,
	    .number = head_of(machine, &hash).number,
	    .height = height};
	assert_non_null(mkdtemp(folder));
	snprintf(inside, sizeof inside, "%s/making", folder);
	assert_done(&machine->world, snapshot_make(&source, inside, &machine->world.err));
	store_snapshot_free(machine->world.store, view);
	const struct taken taken = {
	    read_file(&machine->world.arena, inside, "manifest"), read_file(&machine->world.arena, inside, "0")};
	snprintf(command, sizeof command, "rm -rf -- '%s'", folder);
	assert_int_equal(system(command), 0);
	return taken;
}

static enum status load(struct machine *machine, const struct taken *taken, const hash32 *block) {
	struct snapshot_load *load;
	struct err *err = &machine->world.err;
	TRY(snapshot_load_begin(&load, machine->world.chain, machine->world.store, taken->manifest, block, err));
	enum status status = STATUS_DENIED;
	if (snapshot_load_knows(load, 0, taken->chunk)) status = snapshot_load_chunk(load, taken->chunk, err);
	if (status == STATUS_OK && !snapshot_load_is_whole(load)) status = STATUS_NOTFOUND;
	if (status == STATUS_OK) status = snapshot_load_finish(load, NULL, 0, err);
	if (status == STATUS_OK)
		snapshot_load_free(load);
	else
		assert_int_equal(snapshot_load_abort(load, NULL), STATUS_OK);
	return status;
}

/* The manifest that a liar would make for this chunk. */
static struct bytes forge(struct machine *machine, const struct taken *taken, struct bytes chunk) {
	struct snapshot_manifest manifest;
	struct arena *arena = &machine->world.arena;
	struct buf out;
	const hash32 hash = sha256(chunk);
	assert_int_equal(snapshot_manifest_decode(&manifest, arena, taken->manifest, NULL), STATUS_OK);
	manifest.chunks = &hash;
	buf_init(&out, BUF_MAX_DEFAULT);
	snapshot_manifest_encode(&out, &manifest);
	const struct bytes forged = arena_dup(arena, buf_view(&out));
	buf_fini(&out);
	return forged;
}

static void assert_same_bytes(struct bytes a, struct bytes b) {
	assert_true(bytes_equal(a, b));
}

/* --- what is tested --- */

struct scene {
	struct machine origin, joiner;
	hash32 block;
	struct taken taken;
};

static void open_scene(struct scene *scene) {
	open_machine(&scene->origin);
	open_machine(&scene->joiner);
	for (uint64_t i = 0; i < BLOCKS; i++) scene->block = make_block(&scene->origin);
	scene->taken = take_snapshot(&scene->origin, HEIGHT);
}

static void close_scene(struct scene *scene) {
	close_machine(&scene->origin);
	close_machine(&scene->joiner);
}

static void a_node_goes_on_from_a_snapshot_as_the_others_do(void **state) {
	(void)state;
	struct scene scene;
	struct chain_verification found;
	hash32 hash;
	open_scene(&scene);
	struct machine *joiner = &scene.joiner;
	assert_done(&joiner->world, load(joiner, &scene.taken, &scene.block));
	assert_int_equal(head_of(joiner, &hash).number, BLOCKS);
	assert_true(hash32_equal(&hash, &scene.block));
	assert_done(&joiner->world, chain_verify(joiner->world.chain, &found, 1000, &joiner->world.err));
	joiner->nonce = scene.origin.nonce;
	for (uint64_t i = 0; i < 3; i++) {
		const hash32 theirs = make_block(&scene.origin), ours = make_block(joiner);
		assert_true(hash32_equal(&theirs, &ours));
	}
	stop(joiner);
	start(joiner);
	assert_int_equal(head_of(joiner, &hash).number, BLOCKS + 3);
	assert_done(&joiner->world, chain_verify(joiner->world.chain, &found, 1000, &joiner->world.err));
	close_scene(&scene);
}

static void a_node_that_joined_makes_the_same_snapshot_as_the_others(void **state) {
	(void)state;
	struct scene scene;
	open_scene(&scene);
	assert_done(&scene.joiner.world, load(&scene.joiner, &scene.taken, &scene.block));
	scene.joiner.nonce = scene.origin.nonce;
	make_block(&scene.origin);
	make_block(&scene.joiner);
	const struct taken theirs = take_snapshot(&scene.origin, HEIGHT + 2);
	const struct taken ours = take_snapshot(&scene.joiner, HEIGHT + 2);
	assert_same_bytes(theirs.manifest, ours.manifest);
	assert_same_bytes(theirs.chunk, ours.chunk);
	close_scene(&scene);
}

static void what_is_before_a_snapshot_is_pruned_and_not_unknown(void **state) {
	(void)state;
	struct scene scene;
	struct state_view *view;
	struct header header;
	struct err err;
	open_scene(&scene);
	struct chain *chain = scene.joiner.world.chain;
	assert_done(&scene.joiner.world, load(&scene.joiner, &scene.taken, &scene.block));
	assert_int_equal(chain_view_at(chain, &view, BLOCKS - 1, &err), STATUS_PRUNED);
	assert_non_null(strstr(err.message, "pruned history unavailable"));
	assert_int_equal(chain_header_by_number(chain, &header, NULL, 0, &err), STATUS_OK);
	assert_int_equal(chain_header_by_number(chain, &header, NULL, BLOCKS + 1, &err), STATUS_NOTFOUND);
	assert_int_equal(chain_horizon(chain).first_state, BLOCKS);
	assert_int_equal(chain_view_at(chain, &view, BLOCKS, &err), STATUS_OK);
	state_view_close(view);
	close_scene(&scene);
}

/* Is this one refused, with nothing left of it? The chain behind it is as new. */
static void assert_refused(struct scene *scene, const struct taken *taken) {
	hash32 hash;
	const enum status status = load(&scene->joiner, taken, &scene->block);
	if (status != STATUS_INVALID && status != STATUS_DENIED) fail_msg("%s", status_text(status));
	assert_int_equal(head_of(&scene->joiner, &hash).number, 0);
}

static void every_byte_of_a_manifest_counts(void **state) {
	(void)state;
	struct scene scene;
	open_scene(&scene);
	struct bytes good = scene.taken.manifest;
	for (size_t i = 0; i < good.len; i++) {
		const struct bytes changed = arena_dup(&scene.origin.world.arena, good);
		((uint8_t *)changed.data)[i] ^= 1;
		struct snapshot_manifest manifest;
		struct arena arena;
		arena_init(&arena);
		const bool is_read = snapshot_check(&manifest, &arena, scene.joiner.world.chain, changed, &scene.block,
					 NULL) == STATUS_OK;
		const bool is_other_height = is_read && manifest.height != HEIGHT; /* CometBFT compares it */
		arena_fini(&arena);
		if (!is_other_height) assert_refused(&scene, &(struct taken){changed, scene.taken.chunk});
	}
	for (size_t len = 0; len < good.len; len++)
		assert_refused(&scene, &(struct taken){bytes_make(good.data, len), scene.taken.chunk});
	close_scene(&scene);
}

/* Are these the bytes that the manifest names? */
static bool is_named(struct scene *scene, struct bytes chunk) {
	struct snapshot_manifest manifest;
	const hash32 hash = sha256(chunk);
	assert_int_equal(
	    snapshot_manifest_decode(&manifest, &scene->origin.world.arena, scene->taken.manifest, NULL), STATUS_OK);
	return hash32_equal(&hash, &manifest.chunks[0]);
}

static void every_byte_of_a_chunk_counts(void **state) {
	(void)state;
	struct scene scene;
	open_scene(&scene);
	const struct bytes good = scene.taken.chunk;
	assert_refused(&scene, &(struct taken){scene.taken.manifest, bytes_make(good.data, good.len - 1)});
	for (size_t i = 0; i < good.len; i++) {
		const struct bytes changed = arena_dup(&scene.origin.world.arena, good);
		((uint8_t *)changed.data)[i] ^= 1;
		assert_false(is_named(&scene, changed));
		assert_refused(&scene, &(struct taken){forge(&scene.origin, &scene.taken, changed), changed});
	}
	assert_done(&scene.joiner.world, load(&scene.joiner, &scene.taken, &scene.block));
	close_scene(&scene);
}

static void a_chunk_that_ends_early_is_refused_wherever_it_ends(void **state) {
	(void)state;
	struct scene scene;
	open_scene(&scene);
	for (size_t len = 0; len < scene.taken.chunk.len; len++) {
		const struct bytes cut = bytes_make(scene.taken.chunk.data, len);
		assert_refused(&scene, &(struct taken){forge(&scene.origin, &scene.taken, cut), cut});
	}
	close_scene(&scene);
}

static void what_is_superfluous_or_out_of_its_place_is_refused(void **state) {
	(void)state;
	struct scene scene;
	static const uint8_t value[] = {7};
	const struct snapshot_item more[] = {
	    {.kind = SNAPSHOT_SLOT, .key = {{0xff, 0xff}}, .value = bytes_make(value, 1)},
	    {.kind = SNAPSHOT_ACCOUNT, .key = {{0xff, 0xff}}, .value = bytes_make(value, 1)},
	    {.kind = SNAPSHOT_CODE, .value = bytes_make(value, 1)},
	    {.kind = SNAPSHOT_HEADER, .value = bytes_make(value, 1)},
	    {.kind = SNAPSHOT_BLOCK, .number = BLOCKS + 1, .value = bytes_make(value, 1)},
	};
	open_scene(&scene);
	for (size_t i = 0; i < sizeof more / sizeof *more; i++)
		for (int before = 0; before < 2; before++) {
			struct buf out;
			buf_init(&out, BUF_MAX_DEFAULT);
			if (before) snapshot_item_put(&out, &more[i]);
			buf_append(&out, scene.taken.chunk);
			if (!before) snapshot_item_put(&out, &more[i]);
			const struct bytes chunk = buf_view(&out);
			assert_refused(&scene, &(struct taken){forge(&scene.origin, &scene.taken, chunk), chunk});
			buf_fini(&out);
		}
	close_scene(&scene);
}

/* Where the first account begins. */
static size_t first_account(struct bytes chunk) {
	struct bytes rest = chunk, before = chunk;
	struct snapshot_item item = {0};
	while (item.kind != SNAPSHOT_ACCOUNT) {
		before = rest;
		assert_int_equal(snapshot_item_take(&item, &rest, NULL), STATUS_OK);
	}
	return chunk.len - before.len;
}

/* Of so many some have a hash that would be in its place. */
static void a_code_that_no_account_names_is_refused(void **state) {
	(void)state;
	struct scene scene;
	open_scene(&scene);
	const struct bytes good = scene.taken.chunk;
	const size_t at = first_account(good);
	for (int i = 0; i < 64; i++) {
		const uint8_t code[] = {0xfe, (uint8_t)i};
		const struct snapshot_item item = {.kind = SNAPSHOT_CODE, .value = bytes_make(code, sizeof code)};
		struct buf out;
		buf_init(&out, BUF_MAX_DEFAULT);
		buf_append(&out, bytes_make(good.data, at));
		snapshot_item_put(&out, &item);
		buf_append(&out, bytes_slice(good, at, good.len));
		assert_refused(
		    &scene, &(struct taken){forge(&scene.origin, &scene.taken, buf_view(&out)), buf_view(&out)});
		buf_fini(&out);
	}
	close_scene(&scene);
}

static void a_snapshot_is_for_an_empty_chain_and_for_its_own(void **state) {
	(void)state;
	struct scene scene;
	struct machine other = {.disk = memory_disk_new(), .world.rules.zero_base_fee = true};
	open_scene(&scene);
	assert_int_equal(load(&scene.origin, &scene.taken, &scene.block), STATUS_EXISTS);
	arena_init(&other.world.arena);
	start(&other);
	assert_int_equal(load(&other, &scene.taken, &scene.block), STATUS_INVALID);
	assert_non_null(strstr(other.world.err.message, "another chain"));
	const hash32 wrong = {{1}};
	assert_int_equal(load(&scene.joiner, &scene.taken, &wrong), STATUS_INVALID);
	close_machine(&other);
	close_scene(&scene);
}

static void a_crash_while_a_snapshot_is_loaded_leads_back_to_block_0(void **state) {
	(void)state;
	struct scene scene;
	struct chain_verification found;
	struct snapshot_load *loading;
	hash32 hash;
	open_scene(&scene);
	for (size_t keep = 0; keep < 20; keep++) {
		struct machine *joiner = &scene.joiner;
		assert_done(&joiner->world, snapshot_load_begin(&loading, joiner->world.chain, joiner->world.store,
						scene.taken.manifest, &scene.block, &joiner->world.err));
		assert_done(&joiner->world, snapshot_load_chunk(loading, scene.taken.chunk, &joiner->world.err));
		snapshot_load_free(loading);
		stop(joiner);
		const size_t unsynced = memory_disk_unsynced(joiner->disk);
		memory_disk_crash(joiner->disk, keep < unsynced ? keep : unsynced);
		start(joiner);
		assert_int_equal(head_of(joiner, &hash).number, 0);
		assert_done(&joiner->world, chain_verify(joiner->world.chain, &found, 1000, &joiner->world.err));
	}
	assert_done(&scene.joiner.world, load(&scene.joiner, &scene.taken, &scene.block));
	close_scene(&scene);
}

/* --- the folder of snapshots --- */

static size_t list(struct snapshots *snapshots, struct snapshot_info out[SNAPSHOTS_KEPT_MAX], struct machine *machine) {
	return snapshots_list(snapshots, out, &machine->world.arena, UINT64_MAX);
}

/* Waits until there is one of this height. */
static void await(struct snapshots *snapshots, struct machine *machine, uint64_t height) {
	struct snapshot_info info[SNAPSHOTS_KEPT_MAX];
	while (list(snapshots, info, machine) == 0 || info[0].height != height) usleep(1000);
}

static void a_node_keeps_the_newest_snapshots_and_serves_none_that_the_disk_changed(void **state) {
	(void)state;
	struct machine machine;
	struct snapshots *snapshots;
	struct snapshot_info info[SNAPSHOTS_KEPT_MAX];
	char folder[] = "/tmp/xinglin-snapshots-XXXXXX", path[96], command[128];
	struct buf chunk;
	open_machine(&machine);
	assert_non_null(mkdtemp(folder));
	const struct snapshots_options options = {
	    .chain = machine.world.chain, .store = machine.world.store, .directory = folder, .every = 2, .keep = 2};
	assert_done(&machine.world, snapshots_open(&snapshots, &options, &machine.world.err));
	for (uint64_t number = 1; number <= 6; number++) {
		make_block(&machine);
		snapshots_committed(snapshots, 10 * number, number);
		if (number % 2 == 0) await(snapshots, &machine, 10 * number);
	}
	assert_int_equal(list(snapshots, info, &machine), 2);
	assert_int_equal(info[0].height, 60);
	assert_int_equal(info[1].height, 40);
	assert_int_equal(snapshots_oldest(snapshots), 40);
	assert_int_equal(snapshots_list(snapshots, info, &machine.world.arena, 59), 1);
	snapshots_close(snapshots);
	assert_done(&machine.world, snapshots_open(&snapshots, &options, &machine.world.err));
	assert_int_equal(list(snapshots, info, &machine), 2);
	buf_init(&chunk, BUF_MAX_DEFAULT);
	assert_done(&machine.world, snapshots_read(snapshots, &chunk, 60, 0, &machine.world.err));
	assert_int_equal(snapshots_read(snapshots, &chunk, 60, 1, &machine.world.err), STATUS_NOTFOUND);
	assert_int_equal(snapshots_read(snapshots, &chunk, 50, 0, &machine.world.err), STATUS_NOTFOUND);
	snprintf(path, sizeof path, "%s/60/0", folder);
	chunk.data[chunk.len / 2] ^= 1;
	assert_int_equal(files_write(path, buf_view(&chunk), NULL), STATUS_OK);
	buf_clear(&chunk);
	assert_int_equal(snapshots_read(snapshots, &chunk, 60, 0, &machine.world.err), STATUS_CORRUPT);
	buf_fini(&chunk);
	snapshots_close(snapshots);
	snprintf(command, sizeof command, "rm -rf -- '%s'", folder);
	assert_int_equal(system(command), 0);
	close_machine(&machine);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_node_goes_on_from_a_snapshot_as_the_others_do),
	    cmocka_unit_test(a_node_that_joined_makes_the_same_snapshot_as_the_others),
	    cmocka_unit_test(what_is_before_a_snapshot_is_pruned_and_not_unknown),
	    cmocka_unit_test(every_byte_of_a_manifest_counts),
	    cmocka_unit_test(every_byte_of_a_chunk_counts),
	    cmocka_unit_test(a_chunk_that_ends_early_is_refused_wherever_it_ends),
	    cmocka_unit_test(what_is_superfluous_or_out_of_its_place_is_refused),
	    cmocka_unit_test(a_code_that_no_account_names_is_refused),
	    cmocka_unit_test(a_snapshot_is_for_an_empty_chain_and_for_its_own),
	    cmocka_unit_test(a_crash_while_a_snapshot_is_loaded_leads_back_to_block_0),
	    cmocka_unit_test(a_node_keeps_the_newest_snapshots_and_serves_none_that_the_disk_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
