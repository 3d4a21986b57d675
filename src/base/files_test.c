#include "base/files.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit.h"

static char folder[64], path[128];

static int make_folder(void **state) {
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/xinglin-files-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/file", folder);
	return 0;
}

static int remove_folder(void **state) {
	(void)state;
	char command[160];
	unlink(path);
	snprintf(command, sizeof command, "%s/link", folder);
	unlink(command);
	assert_int_equal(rmdir(folder), 0); /* no temporary file is left */
	return 0;
}

static void content_is(const char *expected) {
	struct buf read;
	buf_init(&read, 1 << 20);
	assert_int_equal(files_read(&read, path, NULL), STATUS_OK);
	assert_string_equal(buf_cstr(&read), expected);
	buf_fini(&read);
}

static void a_file_is_replaced_whole_and_only_its_owner_reads_it(void **state) {
	(void)state;
	struct stat info;
	assert_int_equal(files_write(path, BYTES_LITERAL("first, and longer"), NULL), STATUS_OK);
	assert_int_equal(files_write(path, BYTES_LITERAL("second"), NULL), STATUS_OK);
	content_is("second");
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
}

static void what_is_abandoned_changes_nothing(void **state) {
	(void)state;
	struct files_out out;
	assert_int_equal(files_write(path, BYTES_LITERAL("old"), NULL), STATUS_OK);
	assert_int_equal(files_begin(&out, path, NULL), STATUS_OK);
	assert_int_equal(files_append(&out, BYTES_LITERAL("new"), NULL), STATUS_OK);
	content_is("old");
	files_abandon(&out);
	files_abandon(&out);
	content_is("old");
}

static void a_full_device_is_an_error_and_stays_a_device(void **state) {
	(void)state;
	struct stat info;
	struct err err = {0};
	assert_int_equal(files_write("/dev/full", BYTES_LITERAL("text"), &err), STATUS_IO);
	assert_non_null(strstr(err.message, "/dev/full"));
	assert_int_equal(stat("/dev/full", &info), 0);
	assert_true(S_ISCHR(info.st_mode));
	assert_int_equal(files_write("/dev/null", BYTES_LITERAL("text"), &err), STATUS_OK);
	assert_int_equal(stat("/dev/null", &info), 0);
	assert_true(S_ISCHR(info.st_mode));
}

static void a_symbolic_link_stays_and_its_target_is_replaced(void **state) {
	(void)state;
	struct stat info;
	char link[160];
	snprintf(link, sizeof link, "%s/link", folder);
	assert_int_equal(files_write(path, BYTES_LITERAL("old"), NULL), STATUS_OK);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(files_write(link, BYTES_LITERAL("new"), NULL), STATUS_OK);
	assert_int_equal(lstat(link, &info), 0);
	assert_true(S_ISLNK(info.st_mode));
	content_is("new");
}

static void a_file_over_the_buffers_maximum_is_refused(void **state) {
	(void)state;
	struct buf small;
	buf_init(&small, 4);
	assert_int_equal(files_write(path, BYTES_LITERAL("12345"), NULL), STATUS_OK);
	assert_int_equal(files_read(&small, path, NULL), STATUS_LIMIT);
	buf_fini(&small);
	buf_init(&small, 4);
	assert_int_equal(files_read(&small, folder, NULL), STATUS_IO);
	buf_fini(&small);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
	    TEST(a_file_is_replaced_whole_and_only_its_owner_reads_it),
	    TEST(what_is_abandoned_changes_nothing),
	    TEST(a_full_device_is_an_error_and_stays_a_device),
	    TEST(a_symbolic_link_stays_and_its_target_is_replaced),
	    TEST(a_file_over_the_buffers_maximum_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
