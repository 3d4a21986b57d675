#include "health/index/look_lists.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/merkle_map.h"
#include "tests/unit.h"

struct fixture {
	char folder[64];
	struct home home;
	struct look_lists *lists;
	struct arena arena;
	struct look_lists_place place;
};

static int begin(void **state) {
	struct fixture *f = mem_zalloc(1, sizeof *f);
	snprintf(f->folder, sizeof f->folder, "/tmp/xinglin-looks-XXXXXX");
	if (!mkdtemp(f->folder)) return 1;
	f->home.directory = f->folder;
	arena_init(&f->arena);
	*state = f;
	return look_lists_open(&f->lists, &f->home, NULL, NULL) == STATUS_OK ? 0 : 1;
}

static int end(void **state) {
	struct fixture *f = *state;
	char command[128];
	look_lists_close(f->lists);
	arena_fini(&f->arena);
	snprintf(command, sizeof command, "rm -rf %s", f->folder);
	const int failed = system(command);
	mem_free(f);
	return failed;
}

static hash32 folder_of(unsigned number) {
	hash32 out = {{0xf0}};
	out.b[31] = (uint8_t)number;
	return out;
}

/* Entry n of the trail is a look at one folder. */
static void add(struct fixture *f, unsigned folder, const char *text) {
	const struct look_lists_line line = {folder_of(folder), 1000 + f->place.count, bytes_text(text)};
	f->place.file = 1;
	f->place.offset += 100;
	f->place.count++;
	const struct bytes parts[] = {BYTES_OF(f->place.head), line.text};
	f->place.head = sha256_parts(parts, 2);
	assert_int_equal(look_lists_add(f->lists, &line, 1, &f->place, NULL), STATUS_OK);
}

static struct look_lists_anchor freeze(struct fixture *f, const struct look_lists_anchor *on_chain, bool is_owed) {
	static const struct look_lists_anchor none;
	struct look_lists_anchor out;
	bool owed;
	assert_int_equal(look_lists_owed(f->lists, &owed, &out, on_chain ? on_chain : &none, NULL), STATUS_OK);
	assert_int_equal(owed, is_owed);
	return out;
}

/* What the map has of a folder under this root. */
static struct list_state proved(struct fixture *f, const hash32 *root, const hash32 *folder) {
	struct buf proof;
	hash32 value;
	buf_init(&proof, MERKLE_MAP_PROOF_MAX);
	assert_int_equal(look_lists_prove(f->lists, &proof, root, folder, NULL), STATUS_OK);
	assert_true(merkle_map_verify(&value, root, folder, buf_view(&proof)));
	buf_fini(&proof);
	return list_load(&value);
}

static struct list_state listed(struct fixture *f, unsigned folder) {
	const hash32 id = folder_of(folder);
	const struct look_lists_wish wish = {.folder = &id, .max = 10};
	struct look_lists_page page;
	assert_int_equal(look_lists_page(f->lists, &page, &f->arena, &wish, NULL), STATUS_OK);
	return page.state;
}

static void reopen(struct fixture *f, bool without_file) {
	char command[128];
	look_lists_close(f->lists);
	f->lists = NULL;
	snprintf(command, sizeof command, "rm -f %s/looks.db*", f->folder);
	if (without_file) assert_int_equal(system(command), 0);
	assert_int_equal(look_lists_open(&f->lists, &f->home, NULL, NULL), STATUS_OK);
}

static void add_five(struct fixture *f) {
	add(f, 1, "a"), add(f, 2, "b"), add(f, 1, "c"), add(f, 3, "d"), add(f, 1, "e");
}

static void lines_fold_to_the_state_that_the_root_proves(void **state) {
	struct fixture *f = *state;
	const hash32 id = folder_of(1);
	const struct look_lists_wish wish = {.folder = &id, .max = 10};
	struct look_lists_page page;
	struct list_fold fold;
	add_five(f);
	const struct look_lists_anchor anchor = freeze(f, NULL, true);
	assert_int_equal(anchor.count, 5);
	const struct list_state of_root = proved(f, &anchor.root, &id);
	assert_int_equal(look_lists_page(f->lists, &page, &f->arena, &wish, NULL), STATUS_OK);
	assert_int_equal(page.count, 3);
	assert_memory_equal(&of_root, &page.state, sizeof of_root);
	assert_true(bytes_equal(page.texts[0], BYTES_LITERAL("e")));
	const struct list_state nothing = {.count = 0};
	assert_int_equal(list_fold_begin(&fold, &of_root, &nothing, NULL), STATUS_OK);
	for (size_t i = 0; i < page.count; i++)
		assert_int_equal(list_fold_step(&fold, &page.links[i], NULL), STATUS_OK);
	assert_int_equal(list_fold_end(&fold, NULL), STATUS_OK);
	const hash32 unknown = folder_of(9), whole = look_lists_whole();
	assert_int_equal(proved(f, &anchor.root, &unknown).count, 0);
	assert_int_equal(proved(f, &anchor.root, &whole).count, 5);
	assert_memory_equal(proved(f, &anchor.root, &whole).head, f->place.head.b, LIST_HEAD_BYTES);
}

static void the_root_follows_from_the_entries_alone(void **state) {
	struct fixture *f = *state;
	add_five(f);
	const struct look_lists_anchor first = freeze(f, NULL, true);
	add(f, 2, "f"), add(f, 4, "g");
	const struct look_lists_anchor second = freeze(f, &first, true);
	reopen(f, true);
	f->place = (struct look_lists_place){0};
	assert_int_equal(look_lists_limit(f->lists, NULL), 0);
	assert_int_equal(look_lists_limit(f->lists, &second), 7);
	add_five(f), add(f, 2, "f"), add(f, 4, "g");
	const struct look_lists_anchor again = freeze(f, &second, false);
	assert_memory_equal(&again, &second, sizeof again);
	assert_int_equal(look_lists_limit(f->lists, &second), UINT64_MAX);
}

static void a_root_is_frozen_once_the_one_before_is_on_the_chain(void **state) {
	struct fixture *f = *state;
	const hash32 id = folder_of(1);
	add_five(f);
	const struct look_lists_anchor first = freeze(f, NULL, true);
	add(f, 1, "f");
	const struct look_lists_anchor still = freeze(f, NULL, true);
	assert_memory_equal(&first, &still, sizeof first);
	const struct look_lists_anchor second = freeze(f, &first, true);
	assert_int_equal(proved(f, &first.root, &id).count, 3);
	assert_int_equal(proved(f, &second.root, &id).count, 4);
	reopen(f, false);
	assert_int_equal(look_lists_place(f->lists).count, 6);
	assert_int_equal(listed(f, 1).count, 4);
	add(f, 1, "g");
	const struct look_lists_anchor third = freeze(f, &second, true);
	assert_int_equal(proved(f, &second.root, &id).count, 4);
	assert_int_equal(proved(f, &third.root, &id).count, 5);
	struct buf proof;
	buf_init(&proof, MERKLE_MAP_PROOF_MAX);
	assert_int_equal(look_lists_prove(f->lists, &proof, &first.root, &id, NULL), STATUS_NOTFOUND);
	buf_fini(&proof);
}

static void a_line_that_is_changed_left_out_or_moved_gives_another_root(void **state) {
	static const char *const others[][5] = {{"a", "b", "x", "d", "e"}, {"a", "b", "e", "d", "c"}};
	struct fixture *f = *state;
	static const unsigned folders[] = {1, 2, 1, 3, 1};
	add_five(f);
	const struct look_lists_anchor honest = freeze(f, NULL, true);
	for (size_t i = 0; i < 2; i++) {
		reopen(f, true);
		f->place = (struct look_lists_place){0};
		for (size_t k = 0; k < 5; k++) add(f, folders[k], others[i][k]);
		struct look_lists_anchor forged = freeze(f, &honest, true);
		assert_int_equal(forged.count, honest.count);
		assert_memory_not_equal(forged.root.b, honest.root.b, 32);
	}
	reopen(f, true);
	f->place = (struct look_lists_place){0};
	add(f, 1, "a"), add(f, 2, "b");
	freeze(f, &honest, false); /* fewer than the chain has: there is nothing to anchor */
}

static void damage_is_made_anew(void **state) {
	struct fixture *f = *state;
	char command[128];
	add_five(f);
	look_lists_close(f->lists);
	f->lists = NULL;
	snprintf(
	    command, sizeof command, "head -c 8192 /dev/zero > %s/looks.db; rm -f %s/looks.db-*", f->folder, f->folder);
	assert_int_equal(system(command), 0);
	assert_int_equal(look_lists_open(&f->lists, &f->home, NULL, NULL), STATUS_OK);
	assert_int_equal(look_lists_place(f->lists).count, 0);
}

static void folders_and_lines_are_walked_in_order(void **state) {
	struct fixture *f = *state;
	struct look_lists_folder folders[2];
	struct look_lists_page page;
	size_t count;
	const hash32 id = folder_of(1);
	const struct look_lists_wish wish = {.folder = &id, .rises = true, .after = 1, .max = 10};
	add_five(f);
	assert_int_equal(look_lists_folders(f->lists, folders, &count, 2, 0, NULL), STATUS_OK);
	assert_int_equal(count, 2);
	assert_int_equal(folders[0].count, 3);
	assert_int_equal(look_lists_folders(f->lists, folders, &count, 2, folders[1].number, NULL), STATUS_OK);
	assert_int_equal(count, 1);
	assert_int_equal(look_lists_page(f->lists, &page, &f->arena, &wish, NULL), STATUS_OK);
	assert_int_equal(page.count, 2);
	assert_int_equal(page.links[0].n, 2);
	assert_true(bytes_equal(page.texts[1], BYTES_LITERAL("e")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
	const struct CMUnitTest tests[] = {
	    TEST(lines_fold_to_the_state_that_the_root_proves),
	    TEST(the_root_follows_from_the_entries_alone),
	    TEST(a_root_is_frozen_once_the_one_before_is_on_the_chain),
	    TEST(a_line_that_is_changed_left_out_or_moved_gives_another_root),
	    TEST(damage_is_made_anew),
	    TEST(folders_and_lines_are_walked_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
