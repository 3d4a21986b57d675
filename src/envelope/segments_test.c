/* What is acknowledged survives a tail that was torn at any byte; what is erased is in no file. */
#include "envelope/segments.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "tests/unit.h"

#define ENTRY_BYTES(len) (104 + (uint64_t)(len))

static char folder[64];
static struct segments *segments;

static struct segments *open_with(uint64_t file_bytes, bool only_reads) {
	struct segments *opened;
	const struct segments_options options = {
	    .directory = folder, .file_bytes = file_bytes, .only_reads = only_reads};
	assert_int_equal(segments_open(&opened, &options, NULL), STATUS_OK);
	return opened;
}

static void again(uint64_t file_bytes) {
	segments_close(segments);
	segments = open_with(file_bytes, false);
}

static int make_folder(void **state) {
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/xinglin-segments-XXXXXX");
	assert_non_null(mkdtemp(folder));
	segments = open_with(0, false);
	return 0;
}

static int remove_folder(void **state) {
	char command[96];
	(void)state;
	segments_close(segments);
	snprintf(command, sizeof command, "rm -r %s", folder);
	assert_int_equal(system(command), 0);
	return 0;
}

static struct segments_label label_of(uint8_t of) {
	struct segments_label label;
	memset(label.b, of, sizeof label.b);
	return label;
}

static struct segments_place append(uint8_t of, const char *text) {
	struct segments_place place;
	const struct segments_label label = label_of(of);
	assert_int_equal(segments_append(segments, &place, &label, bytes_text(text), NULL), STATUS_OK);
	assert_int_equal(segments_sync(segments, NULL), STATUS_OK);
	return place;
}

static enum status status_of(const struct segments_place *place) {
	struct buf out;
	buf_init(&out, 1 << 20);
	const enum status status = segments_read(segments, &out, place, NULL);
	buf_fini(&out);
	return status;
}

static void assert_text(const struct segments_place *place, const char *text) {
	struct buf out;
	buf_init(&out, 1 << 20);
	assert_int_equal(segments_read(segments, &out, place, NULL), STATUS_OK);
	assert_string_equal(buf_cstr(&out), text);
	buf_fini(&out);
}

static const char *file_of(uint32_t segment) {
	static char path[96];
	snprintf(path, sizeof path, "%s/%08x.seg", folder, segment);
	return path;
}

static uint64_t size_of(uint32_t segment) {
	struct stat info;
	assert_int_equal(stat(file_of(segment), &info), 0);
	return (uint64_t)info.st_size;
}

static enum status note(
    void *context, const struct segments_place *place, const struct segments_label *label, struct err *err) {
	char *noted = context;
	(void)place;
	(void)err;
	const size_t len = strlen(noted);
	noted[len] = (char)label->b[SEGMENTS_LABEL_BYTES - 1];
	noted[len + 1] = 0;
	return STATUS_OK;
}

static void assert_walk(const char *expected, const struct segments_place *from) {
	static const struct segments_place first;
	char noted[64] = "";
	assert_int_equal(segments_walk(segments, from ? from : &first, note, noted, NULL), STATUS_OK);
	assert_string_equal(noted, expected);
}

static void what_was_written_is_read_and_found_by_walking(void **state) {
	(void)state;
	const struct segments_place a = append('a', "first"), b = append('b', ""), c = append('c', "third");
	assert_text(&a, "first");
	assert_text(&b, "");
	assert_text(&c, "third");
	assert_walk("abc", NULL);
	assert_walk("bc", &b);
	again(0);
	assert_text(&a, "first");
	const struct segments_place d = append('d', "after a restart");
	assert_text(&d, "after a restart");
	assert_walk("abcd", NULL);
	assert_int_equal(segments_end(segments).at, size_of(1));
}

static void a_tail_cut_at_any_byte_takes_only_what_it_cuts(void **state) {
	(void)state;
	append('a', "stays");
	const uint64_t whole = size_of(1);
	const struct segments_place first = {1, 5, 0};
	append('b', "is torn at each of its bytes");
	const uint64_t size = size_of(1);
	for (uint64_t cut = size - 1; cut >= whole; cut--) {
		assert_int_equal(truncate(file_of(1), (off_t)cut), 0);
		again(0);
		assert_int_equal(size_of(1), whole);
		assert_text(&first, "stays");
		assert_walk("a", NULL);
		const struct segments_place next = append('c', "is torn at each of its bytes");
		assert_int_equal(next.at, whole);
		assert_text(&next, "is torn at each of its bytes");
	}
}

/* After a power loss the file may have its length and not its bytes. */
static void a_tail_of_zeros_takes_only_itself(void **state) {
	(void)state;
	append('a', "stays");
	const uint64_t whole = size_of(1);
	const struct segments_place first = {1, 5, 0};
	for (uint64_t zeros = 1; zeros < 300; zeros += 13) {
		assert_int_equal(truncate(file_of(1), (off_t)(whole + zeros)), 0);
		again(0);
		assert_int_equal(size_of(1), whole);
		assert_text(&first, "stays");
	}
	const struct segments_place torn = append('b', "its bytes are lost, and its header is not");
	segments_close(segments);
	assert_int_equal(truncate(file_of(1), (off_t)(torn.at + ENTRY_BYTES(0))), 0);
	assert_int_equal(truncate(file_of(1), (off_t)(torn.at + ENTRY_BYTES(torn.len))), 0);
	segments = open_with(0, false);
	assert_int_equal(status_of(&torn), STATUS_NOTFOUND);
	const struct segments_place next = append('c', "comes behind");
	assert_text(&next, "comes behind");
	assert_text(&first, "stays");
}

static void flip(uint64_t at) {
	uint8_t byte;
	const int fd = open(file_of(1), O_RDWR);
	assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
	byte ^= 0x40;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
	close(fd);
}

static void damage_inside_is_reported_and_takes_nothing_else(void **state) {
	(void)state;
	const struct segments_place a = append('a', "damaged"), b = append('b', "whole");
	for (uint64_t at = 0; at < ENTRY_BYTES(a.len); at += 7) {
		flip(at);
		assert_int_equal(status_of(&a), STATUS_CORRUPT);
		assert_text(&b, "whole");
		flip(at);
	}
	flip(3); /* in the first header: nothing says where the second begins, and yet it stays */
	again(0);
	assert_text(&b, "whole");
	const struct segments_place c = append('c', "in a new file");
	assert_int_equal(c.segment, 2);
	assert_walk("c", NULL);
	again(0);
	assert_text(&b, "whole");
	assert_text(&c, "in a new file");
}

static void what_is_erased_is_in_no_file(void **state) {
	(void)state;
	static char large[200001];
	memset(large, 'x', sizeof large - 1);
	const char *texts[] = {"a short secret", large, "another secret"};
	const struct segments_place before = append('a', "neighbour before");
	struct segments_place places[3];
	for (size_t i = 0; i < 3; i++) places[i] = append('s', texts[i]);
	const struct segments_place after = append('b', "neighbour after");
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(segments_erase(segments, &places[i], NULL), STATUS_OK);
		assert_int_equal(segments_erase(segments, &places[i], NULL), STATUS_OK);
		assert_int_equal(status_of(&places[i]), STATUS_NOTFOUND);
	}
	assert_text(&before, "neighbour before");
	assert_text(&after, "neighbour after");
	struct buf file;
	buf_init(&file, 1 << 20);
	assert_int_equal(files_read(&file, file_of(1), NULL), STATUS_OK);
	assert_null(memmem(file.data, file.len, "secret", 6));
	assert_null(memmem(file.data, file.len, "xx", 2));
	buf_fini(&file);
	struct stat info;
	assert_int_equal(stat(file_of(1), &info), 0);
	assert_true((uint64_t)info.st_blocks * 512 < 100000); /* the room was given back */
	again(0);
	assert_walk("asssb", NULL);
}

static bool is_labelled(const void *context, const struct segments_label *label) {
	return label->b[0] == *(const uint8_t *)context;
}

static void the_newest_of_a_label_is_found(void **state) {
	(void)state;
	struct segments_place found;
	again(300);
	append('a', "an older one of this label");
	append('b', "another");
	const struct segments_place newer = append('a', "a newer one of this label");
	for (unsigned i = 0; i < 6; i++) append('c', "and many of others behind it");
	assert_int_equal(segments_find_last(segments, &found, is_labelled, "a", NULL), STATUS_OK);
	assert_memory_equal(&found, &newer, sizeof found);
	assert_int_equal(segments_find_last(segments, &found, is_labelled, "d", NULL), STATUS_NOTFOUND);
}

static void a_full_file_is_followed_by_the_next(void **state) {
	(void)state;
	again(300);
	struct segments_place places[6];
	for (uint8_t i = 0; i < 6; i++) places[i] = append((uint8_t)('a' + i), "about a hundred bytes with its header");
	assert_int_equal(places[5].segment, 2);
	again(300);
	for (uint8_t i = 0; i < 6; i++) assert_text(&places[i], "about a hundred bytes with its header");
	assert_walk("abcdef", NULL);
	segments_remove(segments, 1);
	segments_remove(segments, 2); /* the newest one stays */
	assert_walk("def", NULL);
	assert_int_equal(status_of(&places[0]), STATUS_NOTFOUND);
}

static void a_reader_changes_nothing_and_sees_what_is_whole(void **state) {
	(void)state;
	const struct segments_place a = append('a', "read by another");
	assert_int_equal(truncate(file_of(1), (off_t)(size_of(1) + 50)), 0);
	struct segments *reader = open_with(0, true), *writer = segments;
	segments = reader;
	assert_text(&a, "read by another");
	assert_walk("a", NULL);
	segments = writer;
	segments_close(reader);
	assert_int_equal(size_of(1), ENTRY_BYTES(a.len) + 50);
}

static void a_full_disk_is_a_refusal_and_leaves_the_file_whole(void **state) {
	(void)state;
	const struct segments_place a = append('a', "fits");
	const struct segments_label label = label_of('b');
	struct rlimit old, small;
	struct segments_place place;
	struct err err = {0};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	for (rlim_t more = 1; more < 130; more += 16) {
		small = (struct rlimit){size_of(1) + more, old.rlim_max};
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
		const enum status status =
		    segments_append(segments, &place, &label, BYTES_LITERAL("does not fit on the disk"), &err);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
		if (more < 128) assert_int_equal(status, STATUS_IO);
		if (more < 128) assert_int_equal(size_of(1), ENTRY_BYTES(a.len));
	}
	signal(SIGXFSZ, SIG_DFL);
	assert_text(&a, "fits");
	const struct segments_place c = append('c', "there is room again");
	assert_text(&c, "there is room again");
}

static void a_place_says_whose_it_is(void **state) {
	(void)state;
	const struct segments_label label = {{7}};
	struct segments_label found;
	struct segments_place place;
	assert_int_equal(segments_append(segments, &place, &label, BYTES_LITERAL("content"), NULL), STATUS_OK);
	assert_int_equal(segments_label_at(segments, &found, &place, NULL), STATUS_OK);
	assert_memory_equal(&found, &label, sizeof found);
	struct segments_place others[3] = {place, place, place};
	others[0].at++;
	others[1].len++;
	others[2].segment++;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(segments_label_at(segments, &found, &others[i], NULL), STATUS_NOTFOUND);
	assert_int_equal(segments_erase(segments, &place, NULL), STATUS_OK);
	assert_int_equal(segments_label_at(segments, &found, &place, NULL), STATUS_OK);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_place_says_whose_it_is, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(what_was_written_is_read_and_found_by_walking, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(a_tail_cut_at_any_byte_takes_only_what_it_cuts, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(a_tail_of_zeros_takes_only_itself, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		damage_inside_is_reported_and_takes_nothing_else, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(what_is_erased_is_in_no_file, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(the_newest_of_a_label_is_found, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(a_full_file_is_followed_by_the_next, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		a_reader_changes_nothing_and_sees_what_is_whole, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		a_full_disk_is_a_refusal_and_leaves_the_file_whole, make_folder, remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
