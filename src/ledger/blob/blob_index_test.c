/* What events of a gate do to items, their content, and what waits: of files, and of an object store. */
#include "ledger/blob/blob_room.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/unit.h"

#include "base/files.h"
#include "codec/hex.h"
#include "eth/abi.h"
#include "tests/ledger_world.h"
#include "tests/memory_s3.h"
#include "tests/scripted_random.h"

/*
 * The gate: 128 bytes of calldata are an event of three topics and one word, 64 bytes one of two topics; anything else
 * is answered with 1.
 *
 *	CALLDATASIZE PUSH1 128 EQ PUSH1 three JUMPI CALLDATASIZE PUSH1 64 EQ PUSH1 two JUMPI
 *	PUSH1 1 PUSH0 MSTORE PUSH1 32 PUSH0 RETURN
 *	three: word 3 to memory; LOG3 of it with words 0, 1 and 2; STOP
 *	two: LOG2 with words 0 and 1; STOP
 */
#define GATE_CODE                                                                                                      \
	"3660801460165736604014602957"                                                                                 \
	"60015f5260205ff3"                                                                                             \
	"5b6060355f526040356020355f3560205fa300"                                                                       \
	"5b6020355f355f5fa200"
#define GATE_AT "0x00000000000000000000000000000000000000aa"

static const addr20 gate = {{[19] = 0xaa}};
static const hash32 item = {{0x77}}, other_item = {{0x78}};

struct scene {
	struct ledger_world world;
	struct blob_room *room;
	char blobs[80];
	uint64_t nonces[LEDGER_ACCOUNTS];
	struct scripted_random script;
	struct random_source random;
	struct memory_s3 s3;
};

static bool is_remote; /* the tests that run: contents are in an object store */

static uint64_t now_ms(void *context) {
	(void)context;
	return 0x64000000ull * 1000;
}
static const struct clock_source scripted_clock = {.now_ms = now_ms};

static enum status send_nothing(void *context, const addr20 *to, struct bytes data, struct err *err) {
	(void)context;
	(void)to;
	(void)data;
	(void)err;
	return STATUS_OK;
}

static void start_room(struct scene *scene) {
	const struct blob_options options = {.directory = scene->blobs,
	    .clock = &scripted_clock,
	    .random = &scene->random,
	    .send = send_nothing,
	    .s3 = is_remote ? &scene->s3.options : NULL};
	assert_done(&scene->world,
	    blob_open(&scene->room, scene->world.chain, scene->world.store, &options, &scene->world.err));
	const struct chain_observer observer = blob_observer(scene->room);
	chain_observe(scene->world.chain, &observer);
}

static void open_scene(struct scene *scene) {
	*scene = (struct scene){0};
	scene->random = scripted_random(&scene->script);
	memory_s3_init(&scene->s3, &scripted_clock);
	ledger_open_by(&scene->world,
	    (struct ledger_rules){.zero_base_fee = true,
		.settings = ",\"blobGates\":[\"" GATE_AT "\"]",
		.alloc =
		    "\"00000000000000000000000000000000000000aa\":{\"balance\":\"0\",\"code\":\"0x" GATE_CODE "\"},"});
	snprintf(scene->blobs, sizeof scene->blobs, "%s/blobs", scene->world.directory);
	start_room(scene);
}

static void restart(struct scene *scene) {
	blob_close(scene->room);
	ledger_end(&scene->world);
	ledger_start(&scene->world);
	start_room(scene);
}

static void close_scene(struct scene *scene) {
	blob_close(scene->room);
	ledger_close(&scene->world);
	memory_s3_fini(&scene->s3);
}

/* --- what happens --- */

static struct bytes frame_of(struct scene *scene, const char *text, hash32 *blob) {
	struct buf frame;
	struct container container;
	const struct bytes part = bytes_text(text);
	buf_init(&frame, 4096);
	assert_done(&scene->world, container_encode(&frame, &part, 1, &scene->world.err));
	const struct bytes kept = arena_dup(&scene->world.arena, buf_view(&frame));
	buf_fini(&frame);
	assert_done(&scene->world, container_decode(&container, kept, &scene->world.err));
	*blob = container_name(&container);
	return kept;
}

static void put(struct scene *scene, size_t account, const char *text) {
	struct blob_waiting waiting = {.gate = gate, .putter = ledger_address(account)};
	const struct bytes frame = frame_of(scene, text, &waiting.blob);
	uint64_t waiting_bytes;
	assert_int_equal(
	    blob_account_waits(scene->room, &waiting_bytes, &gate, &waiting.putter, blob_charge_bytes(frame.len)),
	    STATUS_OK);
	assert_done(&scene->world, blob_content_put(scene->room, &waiting, frame, &scene->world.err));
}

static void send(struct scene *scene, size_t account, const hash32 *words, size_t count) {
	hash32 hash;
	enum tx_verdict verdict;
	struct transaction tx = ledger_transfer(scene->nonces[account]++, &gate, 0, 0);
	tx.gas_limit = 100000;
	tx.data = arena_dup(&scene->world.arena, bytes_make(words, count * sizeof *words));
	assert_int_equal(ledger_add(&scene->world, &hash, ledger_sign(&scene->world, &tx, account), &verdict), POOL_OK);
}

/* A transaction that names the text's blob as the item's, with a size that is `off` from the true one. */
static void name(struct scene *scene, size_t account, const hash32 *of, const char *text, uint64_t off) {
	hash32 words[4] = {abi_topic("BlobNamed(bytes32,bytes32,uint256)"), *of};
	const struct bytes frame = frame_of(scene, text, &words[2]);
	store_be64(words[3].b + 24, frame.len + off);
	send(scene, account, words, 4);
}

static void erase(struct scene *scene, const hash32 *of) {
	const hash32 words[2] = {abi_topic("BlobErased(bytes32)"), *of};
	send(scene, 7, words, 2);
}

static void seal(struct scene *scene, size_t transactions) {
	assert_int_equal(ledger_seal(&scene->world, 0), transactions);
}

/* --- what follows --- */

static enum blob_state state_of(struct scene *scene, const hash32 *of) {
	struct blob_item found;
	assert_done(&scene->world, blob_index_find(scene->room, &found, &gate, of, &scene->world.err));
	return found.state;
}

static void assert_content(struct scene *scene, const hash32 *of, const char *text) {
	struct buf out;
	hash32 blob;
	buf_init(&out, 4096);
	assert_int_equal(state_of(scene, of), BLOB_NAMED);
	assert_done(&scene->world, blob_content_read(scene->room, &out, &gate, of, true, 0, &scene->world.err));
	assert_true(bytes_equal(buf_view(&out), frame_of(scene, text, &blob)));
	buf_fini(&out);
}

static void assert_no_content(struct scene *scene, const hash32 *of, enum blob_state state) {
	struct buf out;
	buf_init(&out, 4096);
	assert_int_equal(state_of(scene, of), state);
	assert_int_equal(blob_content_read(scene->room, &out, &gate, of, true, 0, NULL), STATUS_NOTFOUND);
	buf_fini(&out);
}

static void assert_counts(struct scene *scene, uint64_t items, uint64_t waiting) {
	const struct blob_counts counts = blob_counts(scene->room);
	assert_int_equal(counts.items, items);
	assert_int_equal(counts.waiting, waiting);
	assert_int_equal(counts.bytes == 0, items == 0);
	assert_int_equal(counts.waiting_bytes, waiting * BLOB_BLOCK_BYTES);
}

/* How many items a late put of this text would fill; it fills them. */
static size_t put_late(struct scene *scene, const char *text) {
	struct blob_item awaiting[8];
	size_t count;
	hash32 blob;
	const struct bytes frame = frame_of(scene, text, &blob);
	assert_done(&scene->world,
	    blob_index_awaiting(scene->room, awaiting, &count, 8, &gate, &blob, frame.len, &scene->world.err));
	for (size_t i = 0; i < count; i++)
		assert_done(&scene->world, blob_content_fill(scene->room, &awaiting[i], frame, &scene->world.err));
	return count;
}

/* --- tests --- */

static void what_its_sender_put_becomes_the_items_content(void **state) {
	(void)state;
	struct scene scene;
	open_scene(&scene);
	put(&scene, 0, "one");
	assert_counts(&scene, 0, 1);
	name(&scene, 0, &item, "one", 0);
	seal(&scene, 1);
	assert_content(&scene, &item, "one");
	assert_counts(&scene, 1, 0);
	put(&scene, 1, "two"); /* of another account than the one that names it */
	name(&scene, 0, &other_item, "two", 0);
	seal(&scene, 1);
	assert_no_content(&scene, &other_item, BLOB_MISSING);
	restart(&scene);
	assert_content(&scene, &item, "one");
	assert_no_content(&scene, &other_item, BLOB_MISSING);
	assert_counts(&scene, 1, 1);
	close_scene(&scene);
}

/* 8 MiB that were registered with a size of 1 were served, and charged to no quota. */
static void content_of_another_size_than_was_said_is_none(void **state) {
	(void)state;
	struct scene scene;
	open_scene(&scene);
	put(&scene, 0, "one");
	name(&scene, 0, &item, "one", 1);
	name(&scene, 0, &other_item, "one", UINT64_MAX - 5);
	seal(&scene, 2);
	assert_no_content(&scene, &item, BLOB_MISSING);
	assert_no_content(&scene, &other_item, BLOB_MISSING);
	assert_int_equal(put_late(&scene, "one"), 0);
	assert_no_content(&scene, &item, BLOB_MISSING);
	close_scene(&scene);
}

/* A wrap that was replaced went on being served, since a second naming was ignored. */
static void a_second_naming_replaces_the_first(void **state) {
	(void)state;
	struct scene scene;
	open_scene(&scene);
	put(&scene, 0, "one");
	put(&scene, 0, "two");
	name(&scene, 0, &item, "one", 0);
	seal(&scene, 1);
	name(&scene, 0, &item, "two", 0);
	seal(&scene, 1);
	assert_content(&scene, &item, "two");
	assert_counts(&scene, 1, 0);
	name(&scene, 0, &item, "two", 0); /* the same again changes nothing */
	seal(&scene, 1);
	assert_content(&scene, &item, "two");
	name(&scene, 0, &item, "three", 0); /* and what was not put is not here: the old one is not served for it */
	seal(&scene, 1);
	assert_no_content(&scene, &item, BLOB_MISSING);
	assert_int_equal(put_late(&scene, "two"), 0);
	assert_int_equal(put_late(&scene, "three"), 1);
	assert_content(&scene, &item, "three");
	restart(&scene);
	assert_content(&scene, &item, "three");
	assert_counts(&scene, 1, 0);
	close_scene(&scene);
}

static void events_of_one_block_take_effect_in_their_order(void **state) {
	(void)state;
	struct scene scene;
	open_scene(&scene);
	put(&scene, 0, "one");
	put(&scene, 0, "two");
	name(&scene, 0, &item, "one", 0);
	name(&scene, 0, &item, "two", 0);
	name(&scene, 0, &other_item, "two", 0); /* its content is the first item's by now */
	seal(&scene, 3);
	assert_content(&scene, &item, "two");
	assert_no_content(&scene, &other_item, BLOB_MISSING);
	close_scene(&scene);
}

static void what_nobody_put_in_time_can_be_put_later(void **state) {
	(void)state;
	struct scene scene;
	open_scene(&scene);
	name(&scene, 0, &item, "one", 0);
	name(&scene, 1, &other_item, "one", 0);
	seal(&scene, 2);
	restart(&scene);
	assert_int_equal(put_late(&scene, "two"), 0);
	assert_int_equal(put_late(&scene, "one"), 2);
	assert_content(&scene, &item, "one");
	assert_content(&scene, &other_item, "one");
	assert_int_equal(put_late(&scene, "one"), 0);
	assert_counts(&scene, 2, 0);
	close_scene(&scene);
}

static void what_was_erased_is_not_put_later(void **state) {
	(void)state;
	struct scene scene;
	open_scene(&scene);
	name(&scene, 0, &item, "one", 0);
	seal(&scene, 1);
	erase(&scene, &item);
	seal(&scene, 1);
	assert_int_equal(put_late(&scene, "one"), 0);
	assert_no_content(&scene, &item, BLOB_ERASED);
	assert_counts(&scene, 0, 0);
	/* Nor by a put that was judged before the erasure and written after it. */
	struct blob_item judged = {.gate = gate, .item = item};
	const struct bytes frame = frame_of(&scene, "one", &judged.blob);
	assert_done(&scene.world, blob_content_fill(scene.room, &judged, frame, &scene.world.err));
	assert_counts(&scene, 0, 0);
	assert_no_content(&scene, &item, BLOB_ERASED);
	close_scene(&scene);
}

static void what_is_named_again_after_its_erasure_is_there_again(void **state) {
	(void)state;
	struct scene scene;
	struct blob_item owed[4];
	size_t count;
	open_scene(&scene);
	put(&scene, 0, "one");
	name(&scene, 0, &item, "one", 0);
	erase(&scene, &item);
	put(&scene, 0, "two");
	seal(&scene, 2);
	assert_no_content(&scene, &item, BLOB_ERASED);
	assert_done(&scene.world, blob_index_unconfirmed(scene.room, owed, &count, 4, &scene.world.err));
	assert_int_equal(count, 1);
	name(&scene, 0, &item, "two", 0);
	seal(&scene, 1);
	assert_content(&scene, &item, "two");
	assert_done(&scene.world, blob_index_unconfirmed(scene.room, owed, &count, 4, &scene.world.err));
	assert_int_equal(count, 0); /* nothing to confirm: it stands */
	close_scene(&scene);
}

/* A node that was away for some blocks, or was killed in the middle of one, goes on where it was. */
static void events_are_caught_up_with(void **state) {
	(void)state;
	struct scene scene;
	open_scene(&scene);
	put(&scene, 0, "one");
	put(&scene, 0, "two");
	put(&scene, 0, "three");
	blob_close(scene.room);
	ledger_end(&scene.world);
	ledger_start(&scene.world); /* nobody follows */
	name(&scene, 0, &item, "one", 0);
	name(&scene, 0, &item, "two", 0);
	seal(&scene, 2);
	name(&scene, 0, &other_item, "three", 0);
	seal(&scene, 1);
	start_room(&scene);
	assert_content(&scene, &item, "two");
	assert_content(&scene, &other_item, "three");
	assert_counts(&scene, 2, 0);
	/* As a crash leaves it behind the first of the block's two events: the first is not taken for a new one. */
	uint8_t progress[12] = {[11] = 1};
	struct store_batch *batch = store_batch_new();
	store_batch_put(
	    batch, scene.world.store, TABLE_BLOB, BYTES_LITERAL("h"), bytes_make(progress, sizeof progress));
	assert_done(&scene.world, store_commit(scene.world.store, batch, true, &scene.world.err));
	store_batch_free(batch);
	restart(&scene);
	assert_content(&scene, &item, "two");
	assert_content(&scene, &other_item, "three");
	close_scene(&scene);
}

static void a_chain_that_is_unwound_is_followed(void **state) {
	(void)state;
	struct scene scene;
	open_scene(&scene);
	put(&scene, 0, "one");
	name(&scene, 0, &item, "one", 0);
	seal(&scene, 1);
	assert_done(&scene.world, chain_unwind_head(scene.world.chain, &scene.world.err));
	scene.nonces[1] = 0;
	put(&scene, 1, "two");
	name(&scene, 1, &item, "two", 0);
	ledger_seal(&scene.world, 0);
	assert_int_equal(scene.room->followed, 1);
	close_scene(&scene);
}

/* --- files --- */

static void read_store(struct scene *scene, struct buf *out) {
	char path[120];
	bool more = true;
	if (!is_remote) {
		snprintf(path, sizeof path, "%s/segments/00000001.seg", scene->blobs);
		assert_done(&scene->world, files_read(out, path, &scene->world.err));
		return;
	}
	while (more) assert_done(&scene->world, blob_store_duties(scene->room, &more, &scene->world.err));
	for (size_t i = 0; i < scene->s3.count; i++) buf_append(out, buf_view(&scene->s3.objects[i].content));
}

/* How often the text stands in the folder's segments, or in the store. */
static size_t occurrences(struct scene *scene, const char *text) {
	struct buf file;
	size_t count = 0;
	buf_init(&file, 1 << 20);
	read_store(scene, &file);
	for (const uint8_t *at = file.data; (at = memmem(at, file.len - (size_t)(at - file.data), text, strlen(text)));
	     at++)
		count++;
	buf_fini(&file);
	return count;
}

static void what_was_erased_or_replaced_or_dropped_is_in_no_file(void **state) {
	(void)state;
	struct scene scene;
	open_scene(&scene);
	put(&scene, 0, "a text to erase");
	name(&scene, 0, &item, "a text to erase", 0);
	put(&scene, 0, "a text to replace");
	name(&scene, 0, &other_item, "a text to replace", 0);
	seal(&scene, 2);
	put(&scene, 0, "a text that takes its place");
	name(&scene, 0, &other_item, "a text that takes its place", 0);
	put(&scene, 0, "a text that nobody names");
	assert_int_equal(occurrences(&scene, "a text "), 4);
	erase(&scene, &item);
	seal(&scene, 2);
	assert_int_equal(occurrences(&scene, "a text to"), 0);
	struct blob_waiting waiting = {.gate = gate, .putter = ledger_address(0)};
	(void)frame_of(&scene, "a text that nobody names", &waiting.blob);
	blob_content_drop(scene.room, &waiting);
	assert_int_equal(occurrences(&scene, "a text "), 1);
	restart(&scene);
	assert_content(&scene, &other_item, "a text that takes its place");
	assert_counts(&scene, 1, 0);
	close_scene(&scene);
}

/* Of items that await one blob each has its own: erasing one leaves the other. */
static void an_items_content_is_its_own(void **state) {
	(void)state;
	struct scene scene;
	open_scene(&scene);
	name(&scene, 0, &item, "put later", 0);
	name(&scene, 1, &other_item, "put later", 0);
	seal(&scene, 2);
	assert_int_equal(put_late(&scene, "put later"), 2);
	erase(&scene, &item);
	seal(&scene, 1);
	assert_int_equal(occurrences(&scene, "put later"), 1);
	assert_content(&scene, &other_item, "put later");
	put(&scene, 2, "put later"); /* what waits is another's, too */
	erase(&scene, &other_item);
	seal(&scene, 1);
	assert_int_equal(occurrences(&scene, "put later"), 1);
	assert_counts(&scene, 0, 1);
	close_scene(&scene);
}

/* Rows are not synced: after a power loss the events take effect once more, on what is found in the segments. */
static void rows_that_a_power_loss_took_are_made_again(void **state) {
	(void)state;
	struct scene scene;
	uint8_t row[53] = {'i'};
	memcpy(row + 1, gate.b, 20);
	memcpy(row + 21, item.b, 32);
	open_scene(&scene);
	put(&scene, 0, "one");
	put(&scene, 0, "two");
	name(&scene, 0, &item, "one", 0);
	seal(&scene, 1);
	const uint8_t progress[12] = {0};
	struct store_batch *batch = store_batch_new();
	store_batch_del(batch, scene.world.store, TABLE_BLOB, BYTES_LITERAL("S"));
	store_batch_del(batch, scene.world.store, TABLE_BLOB, bytes_make(row, sizeof row));
	store_batch_put(
	    batch, scene.world.store, TABLE_BLOB, BYTES_LITERAL("h"), bytes_make(progress, sizeof progress));
	assert_done(&scene.world, store_commit(scene.world.store, batch, true, &scene.world.err));
	store_batch_free(batch);
	restart(&scene);
	assert_content(&scene, &item, "one");
	assert_counts(&scene, 1, 1);
	close_scene(&scene);
}

/* The sweep notes where what waits begins; what is an item's by then is no more looked at. */
static void what_waits_is_found_behind_the_place_that_was_noted(void **state) {
	(void)state;
	struct scene scene;
	open_scene(&scene);
	put(&scene, 0, "one");
	put(&scene, 0, "two");
	name(&scene, 0, &item, "one", 0);
	seal(&scene, 1);
	assert_done(&scene.world, blob_content_sweep(scene.room, 1000, &scene.world.err));
	put(&scene, 0, "three");
	restart(&scene);
	assert_counts(&scene, 1, 2);
	assert_content(&scene, &item, "one");
	name(&scene, 0, &other_item, "three", 0);
	seal(&scene, 1);
	assert_content(&scene, &other_item, "three");
	close_scene(&scene);
}

static void write_file(struct scene *scene, const char *folder, const char *name, struct bytes content) {
	char path[320];
	snprintf(path, sizeof path, "%s/%s", scene->blobs, folder);
	assert_done(&scene->world, files_make_folder(path, &scene->world.err));
	if (!name) return;
	snprintf(path, sizeof path, "%s/%s/%s", scene->blobs, folder, name);
	assert_done(&scene->world, files_write(path, content, &scene->world.err));
}

static const char *hex_of(struct scene *scene, struct bytes data) {
	struct buf text;
	buf_init(&text, 128);
	hex_put(&text, data, false);
	const char *copy = arena_strdup(&scene->world.arena, buf_view(&text));
	buf_fini(&text);
	return copy;
}

/* As nodes before segments kept them. */
static void an_older_nodes_files_are_read_and_erased(void **state) {
	(void)state;
	struct scene scene;
	hash32 one, two;
	uint8_t row[53] = {'i'}, value[41];
	open_scene(&scene);
	const struct bytes first = frame_of(&scene, "one", &one), second = frame_of(&scene, "two", &two);
	const addr20 putter = ledger_address(0);
	write_file(&scene, "items", NULL, first);
	write_file(&scene, "items/77",
	    arena_printf(&scene.world.arena, "%s-%s", hex_of(&scene, BYTES_OF(gate)), hex_of(&scene, BYTES_OF(item))),
	    first);
	write_file(&scene, "pending",
	    arena_printf(&scene.world.arena, "%s-%s-%s", hex_of(&scene, BYTES_OF(gate)), hex_of(&scene, BYTES_OF(two)),
		hex_of(&scene, BYTES_OF(putter))),
	    second);
	write_file(&scene, "pending", "what a write that did not end has left", first);
	memcpy(row + 1, gate.b, 20);
	memcpy(row + 21, item.b, 32);
	memcpy(value, one.b, 32);
	store_be64(value + 32, first.len);
	value[40] = BLOB_NAMED;
	struct store_batch *batch = store_batch_new();
	store_batch_put(
	    batch, scene.world.store, TABLE_BLOB, bytes_make(row, sizeof row), bytes_make(value, sizeof value));
	assert_done(&scene.world, store_commit(scene.world.store, batch, true, &scene.world.err));
	store_batch_free(batch);
	restart(&scene);
	assert_content(&scene, &item, "one");
	assert_counts(&scene, 1, 1);
	name(&scene, 0, &other_item, "two", 0);
	erase(&scene, &item);
	seal(&scene, 2);
	assert_content(&scene, &other_item, "two");
	assert_no_content(&scene, &item, BLOB_ERASED);
	restart(&scene);
	assert_counts(&scene, 1, 0);
	char path[320];
	snprintf(path, sizeof path, "%s/pending", scene.blobs);
	assert_false(files_exists(path));
	snprintf(path, sizeof path, "rmdir %s/items/77", scene.blobs);
	assert_int_equal(system(path), 0);
	close_scene(&scene);
}

static void verifying_reads_every_items_content(void **state) {
	(void)state;
	struct scene scene;
	struct blob_verification found;
	char path[120];
	uint8_t byte;
	open_scene(&scene);
	put(&scene, 0, "one");
	put(&scene, 0, "waits");
	name(&scene, 0, &item, "one", 0);
	seal(&scene, 1);
	assert_done(&scene.world, blob_verify(scene.world.store, scene.blobs, NULL, &found, &scene.world.err));
	assert_int_equal(found.items, 1);
	snprintf(path, sizeof path, "%s/segments/00000001.seg", scene.blobs);
	const int fd = open(path, O_RDWR);
	for (off_t at = 0; at < 110; at += 15) {
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= 1;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		assert_int_equal(blob_verify(scene.world.store, scene.blobs, NULL, &found, NULL), STATUS_CORRUPT);
		byte ^= 1;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	close(fd);
	assert_done(&scene.world, blob_verify(scene.world.store, scene.blobs, NULL, &found, &scene.world.err));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(blob_verify(scene.world.store, scene.blobs, NULL, &found, NULL), STATUS_CORRUPT);
	close_scene(&scene);
}

static int use_files(void **state) {
	(void)state;
	is_remote = false;
	return 0;
}

static int use_objects(void **state) {
	(void)state;
	is_remote = true;
	return 0;
}

int main(void) {
	const struct CMUnitTest of_files[] = {
	    cmocka_unit_test(verifying_reads_every_items_content),
	    cmocka_unit_test(an_older_nodes_files_are_read_and_erased),
	};
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_erased_or_replaced_or_dropped_is_in_no_file),
	    cmocka_unit_test(an_items_content_is_its_own),
	    cmocka_unit_test(rows_that_a_power_loss_took_are_made_again),
	    cmocka_unit_test(what_waits_is_found_behind_the_place_that_was_noted),
	    cmocka_unit_test(what_its_sender_put_becomes_the_items_content),
	    cmocka_unit_test(content_of_another_size_than_was_said_is_none),
	    cmocka_unit_test(a_second_naming_replaces_the_first),
	    cmocka_unit_test(events_of_one_block_take_effect_in_their_order),
	    cmocka_unit_test(what_nobody_put_in_time_can_be_put_later),
	    cmocka_unit_test(what_was_erased_is_not_put_later),
	    cmocka_unit_test(what_is_named_again_after_its_erasure_is_there_again),
	    cmocka_unit_test(events_are_caught_up_with),
	    cmocka_unit_test(a_chain_that_is_unwound_is_followed),
	};
	return cmocka_run_group_tests(of_files, use_files, NULL) + cmocka_run_group_tests(tests, use_files, NULL) +
	       cmocka_run_group_tests(tests, use_objects, NULL);
}
