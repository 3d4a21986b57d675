/* The audit log's lists and their map: what was anchored is proved, over growth, restarts and damage. */
#include "ledger/blob/blob_audit.h"

#include "tests/unit.h"

#include "crypto/hash.h"
#include "crypto/merkle_map.h"
#include "tests/blob_world.h"

#define LISTS 40u

static hash32 list_of(uint32_t number) {
	hash32 list = {{0x77}};
	store_be32(list.b + 28, number);
	return list;
}

#define TOGETHER 7u

/* One more read of each of these lists; some are written together. */
static void read_all(struct blob_world *world, uint32_t first, uint32_t last) {
	for (uint32_t at = first; at <= last; at += TOGETHER) {
		char sealed[TOGETHER][40];
		struct audit_addition entries[TOGETHER] = {{.next = NULL}};
		for (uint32_t i = 0; i < TOGETHER && at + i <= last; i++) {
			snprintf(
			    sealed[i], sizeof sealed[i], "entry %u at %llu", at + i, (unsigned long long)world->now_s);
			entries[i].list = list_of(at + i);
			entries[i].time_s = world->now_s;
			entries[i].sealed = bytes_text(sealed[i]);
			if (i > 0) entries[i - 1].next = &entries[i];
		}
		pthread_mutex_lock(&world->room->audit_lock);
		assert_done(world, blob_audit_append(world->room, entries, &world->err));
		pthread_mutex_unlock(&world->room->audit_lock);
	}
	world->now_s++;
}

/* What is to be sent once the chain has `on_chain`. */
static struct blob_anchor owed(struct blob_world *world, const struct blob_anchor *on_chain, bool expected) {
	struct blob_anchor anchor;
	bool is_owed;
	assert_done(world, blob_audit_owed(world->room, &is_owed, &anchor, on_chain, &world->err));
	assert_int_equal(is_owed, expected);
	return anchor;
}

static enum status prove(struct blob_world *world, struct list_state *out, const hash32 *root, uint32_t number) {
	const hash32 list = list_of(number);
	struct buf proof;
	hash32 value = {{0}};
	buf_init(&proof, MERKLE_MAP_PROOF_MAX);
	const enum status status = blob_audit_prove(world->room, &proof, root, &list, &world->err);
	if (status == STATUS_OK) assert_true(merkle_map_verify(&value, root, &list, buf_view(&proof)));
	buf_fini(&proof);
	*out = list_load(&value);
	return status;
}

static void assert_counts(struct blob_world *world, const hash32 *root, uint64_t first_half, uint64_t second_half) {
	for (uint32_t i = 1; i <= LISTS + 5; i++) {
		struct list_state state;
		assert_done(world, prove(world, &state, root, i));
		assert_int_equal(state.count, i > LISTS ? 0 : i <= LISTS / 2 ? first_half : second_half);
	}
}

static size_t rows_of(struct blob_world *world, uint8_t letter) {
	struct store_cursor *cursor = store_cursor_new(world->store, NULL, TABLE_BLOB);
	size_t count = 0;
	store_cursor_seek(cursor, bytes_make(&letter, 1));
	for (; store_cursor_valid(cursor) && store_cursor_key(cursor).data[0] == letter; count++)
		store_cursor_next(cursor);
	store_cursor_free(cursor);
	return count;
}

static void delete_rows(struct blob_world *world, uint8_t letter, size_t count) {
	struct store_batch *batch = store_batch_new();
	struct store_cursor *cursor = store_cursor_new(world->store, NULL, TABLE_BLOB);
	store_cursor_seek(cursor, bytes_make(&letter, 1));
	for (; count > 0; count--, store_cursor_next(cursor))
		store_batch_del(batch, world->store, TABLE_BLOB, store_cursor_key(cursor));
	assert_done(world, store_commit(world->store, batch, true, &world->err));
	store_cursor_free(cursor);
	store_batch_free(batch);
}

static void what_was_anchored_is_proved_while_the_log_grows(void **state) {
	(void)state;
	struct blob_world world;
	const struct blob_anchor none = {.count = 0};
	blob_world_open(&world);
	(void)owed(&world, &none, false); /* no reads, no transaction */
	read_all(&world, 1, LISTS);
	const struct blob_anchor first = owed(&world, &none, true);
	assert_int_equal(first.count, LISTS);
	read_all(&world, 1, LISTS / 2);
	const struct blob_anchor still = owed(&world, &none, true); /* not on the chain yet: the same again */
	assert_true(hash32_equal(&still.root, &first.root) && still.count == first.count);
	assert_counts(&world, &first.root, 1, 1);
	const struct blob_anchor second = owed(&world, &first, true);
	assert_int_equal(second.count, LISTS + LISTS / 2);
	(void)owed(&world, &second, false);
	assert_done(&world, blob_audit_sweep(world.room, &world.err));
	read_all(&world, 1, LISTS);
	assert_counts(&world, &first.root, 1, 1); /* of the one before, a reader may still ask */
	assert_counts(&world, &second.root, 2, 1);
	blob_world_close(&world);
}

static void what_no_root_needs_is_deleted(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_anchor newest = {.count = 0};
	struct list_state proved;
	blob_world_open(&world);
	read_all(&world, 1, LISTS);
	const size_t nodes = rows_of(&world, 's');
	const struct blob_anchor first = newest = owed(&world, &newest, true);
	for (unsigned i = 0; i < 10; i++) {
		read_all(&world, 1, LISTS);
		newest = owed(&world, &newest, true);
		assert_done(&world, blob_audit_sweep(world.room, &world.err));
	}
	assert_int_equal(prove(&world, &proved, &first.root, 1), STATUS_NOTFOUND);
	assert_true(rows_of(&world, 's') <= 3 * nodes);
	assert_counts(&world, &newest.root, 11, 11);
	blob_world_close(&world);
}

static void it_is_the_same_after_a_restart(void **state) {
	(void)state;
	struct blob_world world;
	const struct blob_anchor none = {.count = 0};
	blob_world_open(&world);
	read_all(&world, 1, LISTS);
	const struct blob_anchor first = owed(&world, &none, true);
	read_all(&world, 1, LISTS / 2);
	blob_world_end(&world);
	blob_world_start(&world);
	assert_int_equal(blob_audit_count(world.room), LISTS + LISTS / 2);
	assert_counts(&world, &first.root, 1, 1);
	const struct blob_anchor second = owed(&world, &first, true);
	assert_counts(&world, &second.root, 2, 1);
	blob_world_close(&world);
}

/* All rows that begin so go while the room is closed; then one more read, which notices what is not noticed before. */
static void lose(struct blob_world *world, uint8_t letter) {
	blob_world_end(world);
	const struct store_options small = {.memory_bytes = 16 << 20};
	assert_done(world, store_open(&world->store, world->directory, &small, &world->err));
	delete_rows(world, letter, rows_of(world, letter));
	store_close(world->store);
	blob_world_start(world);
	read_all(world, 1, 1);
}

static void rows_that_are_lost_are_made_again_from_the_file(void **state) {
	(void)state;
	static const uint8_t letters[] = {'A', 's'};
	struct blob_world world, other;
	const struct blob_anchor none = {.count = 0};
	blob_world_open(&world);
	blob_world_open(&other);
	read_all(&world, 1, LISTS);
	read_all(&other, 1, LISTS);
	for (size_t i = 0; i < sizeof letters; i++) {
		lose(&world, letters[i]);
		read_all(&other, 1, 1);
	}
	const struct blob_anchor again = owed(&world, &none, true), never_lost = owed(&other, &none, true);
	assert_int_equal(again.count, LISTS + 2);
	assert_true(hash32_equal(&again.root, &never_lost.root));
	blob_world_close(&world);
	blob_world_close(&other);
}

static void a_file_that_is_no_log_is_left_alone(void **state) {
	(void)state;
	struct blob_world world;
	char path[80];
	static const uint8_t junk[AUDIT_TOGETHER_BYTES + 1] = {0xff};
	blob_world_open(&world);
	blob_close(world.room);
	snprintf(path, sizeof path, "%s/audit.log", world.blobs);
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(junk, 1, sizeof junk, file), sizeof junk);
	assert_int_equal(fclose(file), 0);
	const struct blob_options options = {
	    .directory = world.blobs, .clock = &world.clock, .random = &world.random, .send = blob_world_send};
	assert_int_equal(blob_open(&world.room, world.chain, world.store, &options, &world.err), STATUS_CORRUPT);
	assert_non_null(strstr(world.err.message, "what is no entry, from byte 0 on"));
	world.room = NULL;
	blob_world_close(&world);
}

static void a_page_folds_to_its_head(void **state) {
	(void)state;
	struct blob_world world;
	struct list_state head;
	struct buf page;
	const hash32 list = list_of(7);
	const struct blob_audit_page whole = {.before = 0}, lower = {.before = 3};
	blob_world_open(&world);
	for (unsigned i = 0; i < 4; i++) read_all(&world, 7, 8);
	assert_done(&world, blob_audit_state(world.room, &head, &list, &world.err));
	assert_int_equal(head.count, 4);
	buf_init(&page, 1 << 20);
	assert_done(&world, blob_audit_list(world.room, &page, &list, &whole, &world.err));
	assert_non_null(strstr(buf_cstr(&page), "{\"count\":4,\"head\":\"0x"));
	assert_non_null(strstr(buf_cstr(&page), "\"entries\":[{\"n\":4,"));
	assert_non_null(strstr(buf_cstr(&page), "\"before\":\"0x000000000000000000000000000000000000000000000000\""));
	buf_clear(&page);
	assert_done(&world, blob_audit_list(world.room, &page, &list, &lower, &world.err));
	assert_non_null(strstr(buf_cstr(&page), "\"entries\":[{\"n\":2,"));
	buf_fini(&page);
	blob_world_close(&world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_anchored_is_proved_while_the_log_grows),
	    cmocka_unit_test(what_no_root_needs_is_deleted),
	    cmocka_unit_test(it_is_the_same_after_a_restart),
	    cmocka_unit_test(rows_that_are_lost_are_made_again_from_the_file),
	    cmocka_unit_test(a_file_that_is_no_log_is_left_alone),
	    cmocka_unit_test(a_page_folds_to_its_head),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
