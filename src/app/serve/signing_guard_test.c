#include "app/serve/signing_guard.h"

#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/files.h"

struct folder {
	char path[64];
};

static void run(const char *format, const char *one, const char *other) {
	char command[256];
	snprintf(command, sizeof command, format, one, other);
	assert_int_equal(system(command), 0);
}

static void put_state(const struct folder *folder, const char *text) {
	char path[128];
	struct err err;
	snprintf(path, sizeof path, "%s/data/priv_validator_state.json", folder->path);
	assert_int_equal(files_write(path, bytes_text(text), &err), STATUS_OK);
}

static void open_folder(struct folder *folder, const char *state) {
	strcpy(folder->path, "/tmp/xinglin-guard-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	run("mkdir %s/data %s/config", folder->path, folder->path);
	run("echo '{\"address\": \"0102\"}' > %s/config/priv_validator_key.json%s", folder->path, "");
	put_state(folder, state);
}

static void close_folder(const struct folder *folder) {
	run("rm -rf -- %s %s-copy", folder->path, folder->path);
}

static bool is_copy(const char *path) {
	bool copy;
	struct err err;
	assert_int_equal(signing_guard_check(path, &copy, &err), STATUS_OK);
	return copy;
}

static uint64_t height_of(const char *path) {
	uint64_t height;
	struct err err;
	assert_int_equal(signing_guard_height(path, &height, &err), STATUS_OK);
	return height;
}

static void what_was_copied_knows_it_and_the_original_does_not(void **state) {
	(void)state;
	struct folder folder;
	char copy[80];
	struct err err;
	open_folder(&folder, "{\"height\": \"0\", \"round\": 0, \"step\": 0}");
	snprintf(copy, sizeof copy, "%s-copy", folder.path);
	assert_false(is_copy(folder.path));
	run("cp -a %s %s", folder.path, copy);
	assert_false(is_copy(copy)); /* it has signed nothing yet: members move their folders to their machines */
	run("rm -r %s%s", copy, "");
	put_state(
	    &folder, "{\"height\": \"7\", \"round\": 1, \"step\": 3, \"signature\": \"AA==\", \"signbytes\": \"00\"}");
	run("cp -a %s %s", folder.path, copy);
	assert_false(is_copy(folder.path));
	assert_true(is_copy(copy));
	assert_int_equal(signing_guard_hold(copy, &err), STATUS_OK);
	assert_true(height_of(copy) > 1ull << 60);
	assert_true(is_copy(copy)); /* also after a crash in between */
	assert_int_equal(signing_guard_release(copy, 12, &err), STATUS_OK);
	assert_int_equal(height_of(copy), 12);
	assert_false(is_copy(copy));
	run("cp -a %s/. %s", folder.path, copy); /* over it */
	assert_true(is_copy(copy));
	assert_int_equal(signing_guard_release(copy, 12, &err), STATUS_OK);
	assert_int_equal(signing_guard_disown(copy, &err), STATUS_OK);
	assert_true(is_copy(copy));
	close_folder(&folder);
}

static void a_validators_address_is_read(void **state) {
	(void)state;
	struct folder folder;
	struct err err;
	char path[128];
	addr20 address;
	open_folder(&folder, "{}");
	snprintf(path, sizeof path, "%s/config/priv_validator_key.json", folder.path);
	assert_int_equal(
	    files_write(path, bytes_text("{\"address\": \"0102030405060708090A0B0C0D0E0F1011121314\"}"), &err),
	    STATUS_OK);
	assert_int_equal(signing_guard_validator(folder.path, &address, &err), STATUS_OK);
	for (size_t i = 0; i < sizeof address.b; i++) assert_int_equal(address.b[i], i + 1);
	assert_int_equal(files_write(path, bytes_text("{\"address\": \"0102\"}"), &err), STATUS_OK);
	assert_int_equal(signing_guard_validator(folder.path, &address, &err), STATUS_INVALID);
	close_folder(&folder);
}

static void a_state_that_names_no_height_is_refused(void **state) {
	(void)state;
	static const char *const bad[] = {
	    "", "{}", "{\"height\": 7}", "{\"height\": \"-1\"}", "{\"height\": \"x\"}", "[]"};
	struct folder folder;
	struct err err;
	uint64_t height;
	bool copy;
	open_folder(&folder, "{}");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		put_state(&folder, bad[i]);
		assert_int_equal(signing_guard_height(folder.path, &height, &err), STATUS_INVALID);
		assert_int_not_equal(signing_guard_check(folder.path, &copy, &err), STATUS_OK);
	}
	close_folder(&folder);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_copied_knows_it_and_the_original_does_not),
	    cmocka_unit_test(a_validators_address_is_read),
	    cmocka_unit_test(a_state_that_names_no_height_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
