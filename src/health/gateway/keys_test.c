#include "health/gateway/keys.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "tests/unit.h"

static uint64_t now_ms, monotonic_ns;

static uint64_t fake_now(void *context) {
	(void)context;
	return now_ms;
}

static uint64_t fake_monotonic(void *context) {
	(void)context;
	return monotonic_ns;
}

static const struct clock_source fake_clock = {fake_now, fake_monotonic, NULL};

struct fixture {
	char folder[64];
	struct home home;
	struct outcomes *files;
	struct keys *keys;
	struct arena arena;
};

/* As after a start. */
static void open_keys(struct fixture *f) {
	f->files = outcomes_new(&f->home, &fake_clock);
	f->keys = keys_new(f->files, NULL);
}

static void die(struct fixture *f) {
	keys_free(f->keys);
	outcomes_free(f->files);
}

static int begin(void **state) {
	struct fixture *f = mem_zalloc(1, sizeof *f);
	struct stat info;
	snprintf(f->folder, sizeof f->folder, "/tmp/xinglin-keys-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	assert_int_equal(stat(f->folder, &info), 0);
	now_ms = (uint64_t)info.st_mtime * 1000; /* files are as old as the system's clock says */
	monotonic_ns = 1;
	f->home.directory = f->folder;
	arena_init(&f->arena);
	open_keys(f);
	*state = f;
	return 0;
}

static int end(void **state) {
	struct fixture *f = *state;
	char path[FILES_PATH_BYTES];
	die(f);
	arena_fini(&f->arena);
	now_ms += 1000ull * (OUTCOME_KEPT_SECONDS + 1000);
	struct outcomes *files = outcomes_new(&f->home, &fake_clock);
	outcomes_forget(files);
	outcomes_free(files);
	snprintf(path, sizeof path, "%s/requests", f->folder);
	assert_int_equal(rmdir(path), 0);
	snprintf(path, sizeof path, "%s/files.lock", f->folder);
	unlink(path);
	assert_int_equal(rmdir(f->folder), 0);
	mem_free(f);
	return 0;
}

static struct key_claim claim_of(const char *key, uint8_t request) {
	struct key_claim claim = {.name = key_name("ward", bytes_text(key))};
	claim.request.b[0] = request;
	return claim;
}

static enum key_state claim(struct fixture *f, struct key_claim *claim, struct key_answer *answer) {
	enum key_state state;
	assert_int_equal(keys_claim(f->keys, &state, claim, answer, &f->arena, NULL), STATUS_OK);
	return state;
}

static const struct key_record records[] = {{{{1}}, {{2}}, 3}, {{{4}}, {{5}}, 600}};

static void a_key_is_free_until_its_records_are_named(void **state) {
	struct fixture *f = *state;
	struct key_answer answer;
	struct key_claim first = claim_of("k", 1), second = claim_of("k", 1);
	assert_int_equal(claim(f, &first, &answer), KEY_NEW);
	assert_int_equal(claim(f, &second, &answer), KEY_RUNNING);
	die(f); /* killed while it was sealed: nothing was handed over */
	open_keys(f);
	assert_int_equal(claim(f, &second, &answer), KEY_NEW);
}

static void after_a_kill_a_key_leads_to_the_records_that_were_named(void **state) {
	struct fixture *f = *state;
	struct key_answer answer;
	struct key_claim first = claim_of("k", 1), again = claim_of("k", 1), other = claim_of("k", 2);
	assert_int_equal(claim(f, &first, &answer), KEY_NEW);
	assert_int_equal(keys_put_records(f->keys, &first, records, 2, NULL), STATUS_OK);
	die(f);
	open_keys(f);
	assert_int_equal(claim(f, &other, &answer), KEY_OTHER);
	assert_int_equal(claim(f, &again, &answer), KEY_NAMED);
	assert_true(again.is_held);
	assert_int_equal(answer.record_count, 2);
	assert_memory_equal(answer.records, records, sizeof records);
	keys_finish(f->keys, &again, 201, BYTES_LITERAL("{\"x\":1}"));
	assert_int_equal(claim(f, &first, &answer), KEY_ANSWERED);
	assert_int_equal(answer.status, 201);
	assert_true(bytes_equal(answer.body, BYTES_LITERAL("{\"x\":1}")));
}

static void a_refusal_leaves_the_key_free_and_a_release_leaves_what_was_named(void **state) {
	struct fixture *f = *state;
	struct key_answer answer;
	struct key_claim key = claim_of("k", 1);
	assert_int_equal(claim(f, &key, &answer), KEY_NEW);
	assert_int_equal(keys_put_records(f->keys, &key, records, 1, NULL), STATUS_OK);
	keys_release(f->keys, &key);
	assert_int_equal(claim(f, &key, &answer), KEY_NAMED);
	keys_drop(f->keys, &key);
	assert_int_equal(claim(f, &key, &answer), KEY_NEW);
}

static void a_file_that_makes_no_sense_is_damage(void **state) {
	struct fixture *f = *state;
#define HEAD "{\"request\":\"0x0100000000000000000000000000000000000000000000000000000000000000\""
	static const char *const texts[] = {"", "{", "[]", "{}", "{\"request\":\"0x01\"}", HEAD "}",
	    HEAD ",\"records\":[]}", HEAD ",\"records\":{}}", HEAD ",\"records\":[{\"record\":\"0x00\"}]}",
	    HEAD ",\"status\":99,\"body\":\"\"}"};
	struct key_claim key = claim_of("k", 1);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		enum key_state found;
		struct key_answer answer;
		assert_int_equal(outcome_key_write(f->files, &key.name, bytes_text(texts[i]), NULL), STATUS_OK);
		assert_int_equal(keys_claim(f->keys, &found, &key, &answer, &f->arena, NULL), STATUS_CORRUPT);
		assert_false(key.is_held);
	}
}

static void a_refusal_is_remembered_by_its_error(void **state) {
	struct fixture *f = *state;
	enum contract_error error = CONTRACT_ERROR_NONE;
	const hash32 record = {{7}};
	assert_int_equal(outcome_refusal_read(f->files, &error, &record, NULL), STATUS_NOTFOUND);
	for (int i = 0; i < CONTRACT_ERROR_COUNT; i++) {
		assert_int_equal(outcome_refusal_write(f->files, &record, (enum contract_error)i, NULL), STATUS_OK);
		assert_int_equal(outcome_refusal_read(f->files, &error, &record, NULL), STATUS_OK);
		assert_int_equal(error, i);
	}
}

static bool is_kept(const struct fixture *f, uint8_t name) {
	struct buf text;
	buf_init(&text, OUTCOME_FILE_MAX);
	const hash32 key = {{name}};
	enum status status = outcome_key_read(f->files, &text, &key, NULL);
	buf_fini(&text);
	return status == STATUS_OK;
}

static void put_file(const struct fixture *f, uint8_t name, uint64_t age_s) {
	char path[FILES_PATH_BYTES];
	const hash32 key = {{name}};
	struct timespec times[2] = {
	    {.tv_sec = (time_t)(now_ms / 1000 - age_s)}, {.tv_sec = (time_t)(now_ms / 1000 - age_s)}};
	assert_int_equal(outcome_key_write(f->files, &key, BYTES_LITERAL("{}"), NULL), STATUS_OK);
	snprintf(path, sizeof path, "%s/requests/%02x%062d.json", f->folder, name, 0);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void what_is_over_its_time_is_forgotten_while_it_runs(void **state) {
	struct fixture *f = *state;
	put_file(f, 1, OUTCOME_KEPT_SECONDS + 1);
	put_file(f, 2, OUTCOME_KEPT_SECONDS - 60);
	outcomes_forget(f->files);
	assert_false(is_kept(f, 1));
	assert_true(is_kept(f, 2));
	put_file(f, 3, OUTCOME_KEPT_SECONDS + 1);
	outcomes_forget(f->files); /* the next pass is in an hour */
	assert_true(is_kept(f, 3));
	monotonic_ns += OUTCOME_FORGET_EVERY_SECONDS * 1000000000ull;
	outcomes_forget(f->files);
	assert_false(is_kept(f, 3));
}

static void one_step_looks_at_a_bounded_number_of_files(void **state) {
	struct fixture *f = *state;
	char path[FILES_PATH_BYTES];
	unsigned left = 0;
	for (unsigned i = 0; i < OUTCOME_FORGET_STEP + 50; i++) {
		snprintf(path, sizeof path, "%s/requests/%u", f->folder, i);
		int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		close(fd);
	}
	now_ms += 1000ull * (OUTCOME_KEPT_SECONDS + 10);
	outcomes_forget(f->files);
	for (unsigned i = 0; i < OUTCOME_FORGET_STEP + 50; i++) {
		snprintf(path, sizeof path, "%s/requests/%u", f->folder, i);
		left += files_exists(path);
	}
	assert_in_range(left, 50, 60); /* "." and ".." count too */
	outcomes_forget(f->files);
	snprintf(path, sizeof path, "%s/requests", f->folder);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(files_make_folder(path, NULL), STATUS_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
	const struct CMUnitTest tests[] = {
	    TEST(a_key_is_free_until_its_records_are_named),
	    TEST(after_a_kill_a_key_leads_to_the_records_that_were_named),
	    TEST(a_refusal_leaves_the_key_free_and_a_release_leaves_what_was_named),
	    TEST(a_file_that_makes_no_sense_is_damage),
	    TEST(a_refusal_is_remembered_by_its_error),
	    TEST(what_is_over_its_time_is_forgotten_while_it_runs),
	    TEST(one_step_looks_at_a_bounded_number_of_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
