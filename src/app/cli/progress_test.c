#include "app/cli/progress.h"

#include <stdlib.h>

#include "tests/unit.h"

struct scene {
	uint64_t now_ms;
	struct clock_source clock;
	char *text;
	size_t len;
	FILE *out;
	struct progress_line line;
};

static uint64_t now_ms(void *context) {
	return ((struct scene *)context)->now_ms;
}

static void begin(struct scene *scene) {
	*scene = (struct scene){.now_ms = 1000};
	scene->clock = (struct clock_source){.now_ms = now_ms, .context = scene};
	scene->out = open_memstream(&scene->text, &scene->len);
	progress_line_init(&scene->line, scene->out, &scene->clock);
}

static void end(struct scene *scene) {
	fclose(scene->out);
	free(scene->text);
}

static void a_line_is_written_over_and_erased_at_the_end(void **state) {
	(void)state;
	struct scene s;
	begin(&s);
	progress_at(&s.line.progress, "sealing", 0, 3);
	s.now_ms += PROGRESS_PAUSE_MS;
	progress_at(&s.line.progress, "sealing", 1, 3);
	progress_line_end(&s.line);
	progress_line_end(&s.line);
	fflush(s.out);
	assert_string_equal(s.text, "sealing: 0 of 3 (0%)\033[K\rsealing: 1 of 3 (33%)\033[K\r\033[K");
	end(&s);
}

static void fast_steps_are_left_out_but_not_new_work_or_the_last_step(void **state) {
	(void)state;
	struct scene s;
	begin(&s);
	for (uint64_t i = 0; i <= 1000; i++) progress_at(&s.line.progress, "reading", i, 1000);
	progress_at(&s.line.progress, "waiting for a block", 0, 0);
	fflush(s.out);
	assert_string_equal(
	    s.text, "reading: 0 of 1000 (0%)\033[K\rreading: 1000 of 1000 (100%)\033[K\rwaiting for a block\033[K\r");
	end(&s);
}

static void a_moment_stands_behind_counted_work_until_that_is_done(void **state) {
	(void)state;
	struct scene s;
	begin(&s);
	progress_at(&s.line.progress, "sending parts", 1, 2);
	progress_at(&s.line.progress, "waiting for a block", 0, 0);
	s.now_ms += PROGRESS_PAUSE_MS;
	progress_at(&s.line.progress, "sending parts", 2, 2);
	progress_at(&s.line.progress, "waiting for a block", 0, 0);
	fflush(s.out);
	assert_string_equal(s.text,
	    "sending parts: 1 of 2 (50%)\033[K\rsending parts: 1 of 2 (50%); waiting for a block\033[K\r"
	    "sending parts: 2 of 2 (100%)\033[K\rwaiting for a block\033[K\r");
	end(&s);
}

static void a_long_line_is_cut(void **state) {
	(void)state;
	static const char long_text[] =
	    "a text that is much longer than a terminal is wide, because somebody wrote a whole story into it";
	struct scene s;
	begin(&s);
	progress_at(&s.line.progress, long_text, 0, 0);
	fflush(s.out);
	assert_memory_equal(s.text, long_text, PROGRESS_COLUMNS);
	assert_string_equal(s.text + PROGRESS_COLUMNS, "\033[K\r");
	end(&s);
}

static void a_file_is_no_terminal(void **state) {
	(void)state;
	FILE *file = tmpfile();
	assert_false(progress_line_is_wanted(file));
	fclose(file);
	progress_at(NULL, "nobody waits", 0, 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_is_written_over_and_erased_at_the_end),
	    cmocka_unit_test(fast_steps_are_left_out_but_not_new_work_or_the_last_step),
	    cmocka_unit_test(a_moment_stands_behind_counted_work_until_that_is_done),
	    cmocka_unit_test(a_long_line_is_cut),
	    cmocka_unit_test(a_file_is_no_terminal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
