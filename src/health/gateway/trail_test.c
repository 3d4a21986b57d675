#include "health/gateway/trail.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "codec/json.h"
#include "tests/scripted_random.h"
#include "tests/unit.h"

struct fixture {
	char folder[64];
	struct home *home;
	struct scripted_random script;
	struct random_source random;
	struct trail *trail;
};

static void open_trail(struct fixture *f) {
	const struct trail_options options = {.home = f->home, .random = &f->random};
	assert_int_equal(trail_open(&f->trail, &options, NULL), STATUS_OK);
}

static int begin(void **state) {
	struct fixture *f = mem_zalloc(1, sizeof *f);
	const struct home_wallet_options wallet = {.password = BYTES_LITERAL("p"), .light_kdf = true};
	snprintf(f->folder, sizeof f->folder, "/tmp/xinglin-trail-XXXXXX");
	f->random = scripted_random(&f->script);
	if (!mkdtemp(f->folder) || home_create(f->folder, &wallet, &f->random, NULL) != STATUS_OK ||
	    home_open(&f->home, f->folder, wallet.password, NULL) != STATUS_OK)
		return 1;
	open_trail(f);
	*state = f;
	return 0;
}

static int end(void **state) {
	struct fixture *f = *state;
	char command[128];
	trail_close(f->trail);
	home_close(f->home);
	snprintf(command, sizeof command, "rm -rf %s", f->folder);
	int failed = system(command);
	mem_free(f);
	return failed;
}

static void add(struct fixture *f, const char *what) {
	static const struct asker asker = {
	    .name = "app dr-lin", .subject = "Practitioner/p7", .organisation = "ward", .purpose = "TREAT"};
	const struct trail_entry entry = {.at_ms = 1800000000000,
	    .asker = &asker,
	    .request = BYTES_LITERAL("r1"),
	    .method = "GET",
	    .what = bytes_text(what),
	    .status = 200};
	trail_add(f->trail, &entry);
}

struct seen {
	uint64_t count, n;
	char what[700], who[64];
	size_t most; /* entries to look at; 0: all */
};

static bool see(void *context, uint32_t file, uint64_t n, struct bytes entry) {
	struct seen *seen = context;
	struct arena arena;
	const struct json *root;
	(void)file;
	arena_init(&arena);
	assert_int_equal(json_parse(&root, &arena, entry, NULL, NULL), STATUS_OK);
	const struct bytes what = json_string(json_get(root, "what")), who = json_string(json_get(root, "who"));
	snprintf(seen->what, sizeof seen->what, "%.*s", (int)what.len, (const char *)what.data);
	snprintf(seen->who, sizeof seen->who, "%.*s", (int)who.len, (const char *)who.data);
	assert_true(json_string_is(json_get(root, "person"), "Practitioner/p7"));
	assert_true(json_string_is(json_get(root, "organisation"), "ward"));
	assert_true(json_string_is(json_get(root, "purpose"), "TREAT"));
	arena_fini(&arena);
	assert_int_equal(n, seen->n + 1);
	seen->n = n;
	seen->count++;
	return !seen->most || seen->count < seen->most;
}

static enum status read_all(struct fixture *f, struct seen *seen, struct trail_found *found) {
	*seen = (struct seen){0};
	return trail_read(f->home, found, see, seen, NULL);
}

static void file_of(struct fixture *f, unsigned number, char out[128]) {
	snprintf(out, 128, "%s/trail/%08u.log", f->folder, number);
}

static void what_was_added_is_read_also_after_a_restart(void **state) {
	struct fixture *f = *state;
	struct seen seen;
	struct trail_found found;
	assert_int_equal(read_all(f, &seen, &found), STATUS_OK);
	assert_int_equal(found.count, 0);
	add(f, "/fhir/Patient/1");
	add(f, "/fhir/Observation?code");
	trail_sync(f->trail);
	assert_int_equal(read_all(f, &seen, &found), STATUS_OK);
	assert_int_equal(seen.count, 2);
	assert_string_equal(seen.what, "/fhir/Observation?code");
	assert_string_equal(seen.who, "app dr-lin");
	const hash32 head = found.head;
	trail_close(f->trail);
	open_trail(f);
	assert_int_equal(read_all(f, &seen, &found), STATUS_OK);
	assert_true(hash32_equal(&head, &found.head));
	add(f, "/fhir/Patient/3");
	assert_int_equal(read_all(f, &seen, &found), STATUS_OK);
	assert_int_equal(seen.count, 3);
	assert_int_equal(found.last_file, 2);
	assert_string_equal(seen.what, "/fhir/Patient/3");
	assert_true(trail_is_ready(f->trail));
}

static void nothing_of_it_can_be_read_without_the_wallet(void **state) {
	struct fixture *f = *state;
	struct buf text;
	char path[128];
	add(f, "/fhir/Patient/canary");
	file_of(f, 1, path);
	buf_init(&text, TRAIL_FILE_BYTES);
	assert_int_equal(files_read(&text, path, NULL), STATUS_OK);
	assert_null(memmem(text.data, text.len, "canary", 6));
	assert_null(memmem(text.data, text.len, "dr-lin", 6));
	buf_fini(&text);
}

static void flip(struct fixture *f, unsigned number, off_t at) {
	char path[128];
	uint8_t byte;
	file_of(f, number, path);
	int fd = open(path, O_RDWR);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void any_byte_that_was_changed_is_noticed(void **state) {
	struct fixture *f = *state;
	struct seen seen;
	struct trail_found found;
	char path[128];
	struct stat info;
	add(f, "/fhir/Patient/1");
	add(f, "/fhir/Patient/2");
	trail_close(f->trail); /* what it did not need is cut off */
	file_of(f, 1, path);
	assert_int_equal(stat(path, &info), 0);
	open_trail(f);
	add(f, "/fhir/Patient/3"); /* in a second file */
	assert_int_equal(read_all(f, &seen, &found), STATUS_OK);
	for (off_t at = 0; at < info.st_size; at++) {
		flip(f, 1, at);
		assert_int_equal(read_all(f, &seen, &found), STATUS_CORRUPT);
		flip(f, 1, at);
	}
	assert_int_equal(read_all(f, &seen, &found), STATUS_OK);
	assert_int_equal(seen.count, 3);
}

static void a_file_that_is_gone_from_between_is_noticed(void **state) {
	struct fixture *f = *state;
	struct seen seen;
	struct trail_found found;
	char path[128];
	for (unsigned i = 0; i < 3; i++) {
		add(f, "/fhir/Patient/1");
		trail_close(f->trail);
		open_trail(f);
	}
	assert_int_equal(read_all(f, &seen, &found), STATUS_OK);
	assert_int_equal(found.first_file, 1);
	file_of(f, 2, path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(read_all(f, &seen, &found), STATUS_CORRUPT);
	file_of(f, 1, path);
	assert_int_equal(unlink(path), 0); /* the oldest may go: the law's years are over */
	seen.n = 2;
	seen.count = 0;
	assert_int_equal(trail_read(f->home, &found, see, &seen, NULL), STATUS_OK);
	assert_int_equal(found.first_file, 3);
	assert_int_equal(found.count, 1);
}

static void an_entry_that_was_cut_from_an_older_file_is_noticed(void **state) {
	struct fixture *f = *state;
	struct seen seen;
	struct trail_found found;
	struct stat info;
	char path[128];
	add(f, "/fhir/Patient/1");
	add(f, "/fhir/Patient/2");
	trail_close(f->trail);
	open_trail(f);
	add(f, "/fhir/Patient/3");
	file_of(f, 1, path);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(truncate(path, 88 + (info.st_size - 88) / 2), 0); /* one whole entry is left */
	assert_int_equal(read_all(f, &seen, &found), STATUS_CORRUPT);
	assert_int_equal(seen.count, 1);
}

static void a_half_entry_is_cut_off_at_the_next_start(void **state) {
	struct fixture *f = *state;
	struct seen seen;
	struct trail_found found;
	char path[128];
	add(f, "/fhir/Patient/1");
	add(f, "/fhir/Patient/2");
	trail_close(f->trail);
	file_of(f, 1, path);
	struct stat info;
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(truncate(path, info.st_size - 1), 0);
	open_trail(f);
	assert_int_equal(read_all(f, &seen, &found), STATUS_OK);
	assert_int_equal(seen.count, 1);
	add(f, "/fhir/Patient/3");
	assert_int_equal(read_all(f, &seen, &found), STATUS_OK);
	assert_int_equal(seen.count, 2);
}

static void another_homes_trail_is_not_read(void **state) {
	struct fixture *f = *state;
	struct seen seen = {0};
	struct trail_found found;
	add(f, "/fhir/Patient/1");
	struct home other = *f->home;
	const struct home_wallet_options wallet = {.password = BYTES_LITERAL("p"), .light_kdf = true};
	char folder[80];
	struct home *opened;
	snprintf(folder, sizeof folder, "%s/other", f->folder);
	assert_int_equal(home_create(folder, &wallet, &f->random, NULL), STATUS_OK);
	assert_int_equal(home_open(&opened, folder, wallet.password, NULL), STATUS_OK);
	other = *opened;
	other.directory = f->home->directory;
	assert_int_equal(trail_read(&other, &found, see, &seen, NULL), STATUS_CORRUPT);
	assert_int_equal(seen.count, 0);
	home_close(opened);
}

static void files_are_bounded_and_follow_each_other(void **state) {
	struct fixture *f = *state;
	struct seen seen;
	struct trail_found found;
	struct stat info;
	char path[128], what[600];
	memset(what, 'x', sizeof what - 1);
	what[sizeof what - 1] = 0;
	for (unsigned i = 0; i < 20000; i++) add(f, what);
	assert_int_equal(trail_counts(f->trail).added, 20000);
	assert_int_equal(read_all(f, &seen, &found), STATUS_OK);
	assert_int_equal(seen.count, 20000);
	assert_int_equal(found.first_file, 1);
	assert_int_equal(found.last_file, 2);
	file_of(f, 1, path);
	assert_int_equal(stat(path, &info), 0);
	assert_true((size_t)info.st_size <= TRAIL_FILE_BYTES - TRAIL_RESERVE_BYTES + TRAIL_ENTRY_MAX);
}

static void no_room_is_said_and_what_was_asked_meanwhile_is_kept(void **state) {
	struct fixture *f = *state;
	struct seen seen;
	struct trail_found found;
	char path[128], what[600];
	memset(what, 'x', sizeof what - 1);
	what[sizeof what - 1] = 0;
	add(f, "/fhir/Patient/1");
	file_of(f, 2, path);
	assert_int_equal(mkdir(path, 0700), 0); /* the next file cannot be made */
	while (trail_is_ready(f->trail)) add(f, what);
	const uint64_t before = trail_counts(f->trail).added;
	for (unsigned i = 0; i < 1000; i++) add(f, what);
	assert_int_equal(trail_counts(f->trail).added, before + 1000);
	assert_int_equal(trail_counts(f->trail).lost, 0);
	assert_int_equal(rmdir(path), 0);
	trail_sync(f->trail);
	assert_true(trail_is_ready(f->trail));
	assert_int_equal(read_all(f, &seen, &found), STATUS_OK);
	assert_int_equal(seen.count, before + 1000);
}

static void texts_that_grow_are_left_out_and_not_the_entry(void **state) {
	struct fixture *f = *state;
	struct seen seen;
	struct trail_found found;
	char what[601];
	memset(what, 1, sizeof what - 1); /* each is six characters in JSON */
	what[sizeof what - 1] = 0;
	static struct asker asker = {.subject = "Practitioner/p7", .organisation = "ward", .purpose = "TREAT"};
	memset(asker.name, 1, sizeof asker.name - 1);
	const struct trail_entry entry = {
	    .asker = &asker, .method = "GET", .what = bytes_text(what), .made = bytes_text(what), .status = 200};
	trail_add(f->trail, &entry);
	assert_int_equal(trail_counts(f->trail).added, 1);
	assert_int_equal(read_all(f, &seen, &found), STATUS_OK);
	assert_string_equal(seen.what, "(too long)");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
	    TEST(what_was_added_is_read_also_after_a_restart),
	    TEST(nothing_of_it_can_be_read_without_the_wallet),
	    TEST(any_byte_that_was_changed_is_noticed),
	    TEST(a_file_that_is_gone_from_between_is_noticed),
	    TEST(an_entry_that_was_cut_from_an_older_file_is_noticed),
	    TEST(a_half_entry_is_cut_off_at_the_next_start),
	    TEST(another_homes_trail_is_not_read),
	    TEST(files_are_bounded_and_follow_each_other),
	    TEST(no_room_is_said_and_what_was_asked_meanwhile_is_kept),
	    TEST(texts_that_grow_are_left_out_and_not_the_entry),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
