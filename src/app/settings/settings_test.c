#include "app/settings/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit.h"

static void no_two_alike(const struct settings *settings, struct problems *problems) {
	if (settings_number(settings, "port") == settings_number(settings, "every-ms"))
		problems_add(problems, settings_place(settings, "port").text, "port and every-ms are alike");
}

static const struct setting toy_rows[] = {
    {.name = "port", .type = SETTING_PORT, .value = "N", .otherwise = "80", .help = "where to listen"},
    {.name = "every-ms",
	.type = SETTING_NUMBER,
	.value = "MS",
	.min = 5,
	.max = 90,
	.otherwise = "10",
	.help = "how often"},
    {.name = "names", .type = SETTING_LIST, .value = "NAME,…", .help = "who may come"},
    {.name = "nodes", .type = SETTING_URLS, .value = "URL,…", .help = "whom to ask"},
    {.name = "loud", .type = SETTING_SWITCH, .help = "says more"},
    {.name = "format",
	.type = SETTING_CHOICE,
	.value = "WORD",
	.choices = "text|json",
	.otherwise = "text",
	.help = "of lines"},
    {.name = "addr", .type = SETTING_ADDRESS, .value = "ADDRESS", .help = "numeric"},
    {.name = "key", .type = SETTING_SECRET, .value = "FILE", .help = "a secret"},
    {.name = "once", .type = SETTING_SWITCH, .flags = SETTING_FLAG_ONLY, .help = "only once"},
};
static const struct settings_section toy = {
    "toy", "A toy.", toy_rows, sizeof toy_rows / sizeof *toy_rows, no_two_alike};
static const struct setting other_rows[] = {
    {.name = "web-port", .type = SETTING_PORT, .value = "N", .otherwise = "81", .help = "where to listen"},
};
static const struct settings_section other = {"other", "Another.", other_rows, 1, NULL};
static const struct settings_section *const sections[] = {&toy, &other, NULL};

struct fixture {
	char folder[64], file[96];
	struct settings settings;
	struct problems problems;
};

static void begin(struct fixture *f, const char *text) {
	snprintf(f->folder, sizeof f->folder, "/tmp/xinglin-settings-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->file, sizeof f->file, "%s/x.conf", f->folder);
	FILE *file = fopen(f->file, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	problems_init(&f->problems);
}

static void end(struct fixture *f) {
	problems_fini(&f->problems);
	unlink(f->file);
	assert_int_equal(rmdir(f->folder), 0);
}

static void load(struct fixture *f, const struct settings_source *more) {
	struct settings_source source = *more;
	source.section = &toy;
	source.sections = sections;
	source.file = f->file;
	settings_load(&f->settings, &source, &f->problems);
}

/* All problems as "line: text", the file's name cut off. */
static const char *problems_text(struct fixture *f, char *out, size_t room) {
	size_t used = 0;
	out[0] = 0;
	for (size_t i = 0; i < problems_kept(&f->problems); i++) {
		const char *where = f->problems.list[i].where;
		if (strncmp(where, f->file, strlen(f->file)) == 0) where += strlen(f->file);
		used += (size_t)snprintf(out + used, room - used, "%s %s\n", where, f->problems.list[i].what);
	}
	return out;
}

static const char *flag_of(const void *context, const char *name) {
	return strcmp(name, context) == 0 ? "22" : NULL;
}

static char *const environment[] = {
    (char[]){"XINGLIN_TOY_EVERY_MS=33"}, (char[]){"XINGLIN_TOY_PORT=34"}, (char[]){"XINGLIN_OTHER_WEB=1"}, NULL};

static void a_flag_wins_over_the_environment_over_the_file_over_the_default(void **state) {
	(void)state;
	struct fixture f;
	begin(&f, "[toy]\nport = 1\nevery-ms = 6\nformat = json\n");
	load(&f, &(struct settings_source){.flag = flag_of, .context = "port", .environment = environment});
	assert_int_equal(f.problems.count, 0);
	assert_int_equal(settings_number(&f.settings, "port"), 22);
	assert_int_equal(settings_number(&f.settings, "every-ms"), 33);
	assert_string_equal(settings_text(&f.settings, "format"), "json");
	assert_null(settings_text(&f.settings, "addr"));
	assert_string_equal(settings_place(&f.settings, "port").text, "--port");
	assert_string_equal(settings_place(&f.settings, "every-ms").text, "XINGLIN_TOY_EVERY_MS");
	assert_true(settings_is_given(&f.settings, "format"));
	settings_fini(&f.settings);
	end(&f);
}

static void every_mistake_is_named_with_its_line(void **state) {
	(void)state;
	struct fixture f;
	char text[4096];
	begin(&f, "port = 1\n"         /* 1 */
		  "[toi]\n"            /* 2 */
		  "[toy]\n"            /* 3 */
		  "# a comment\n"      /* 4 */
		  "every_ms = 5\n"     /* 5 */
		  "every-ms = 4\n"     /* 6 */
		  "nonsense\n"         /* 7 */
		  "loud = perhaps\n"   /* 8 */
		  "format = xml\n"     /* 9 */
		  "addr = localhost\n" /* 10 */
		  "nodes = ftp://x\n"  /* 11 */
		  "port = 70000\n"     /* 12 */
		  "port = 1\n"         /* 13 */
		  "  more\n"           /* 14 */
		  "key = /nowhere\n"   /* 15 */
		  "once = yes\n"       /* 16 */
		  "[other\n");         /* 17 */
	load(&f, &(struct settings_source){0});
	assert_string_equal(problems_text(&f, text, sizeof text),
	    ":1 port stands before the first [section]\n"
	    ":2 there is no section [toi]; did you mean [toy]?\n"
	    ":5 [toy] has no setting every_ms; did you mean every-ms?\n"
	    ":7 the line is not a comment, a [section] or name = value\n"
	    ":13 port is given twice, first in line 12\n"
	    ":14 the line is indented, so it continues port, which takes one value\n"
	    ":16 [toy] has no setting once\n"
	    ":17 a section is [name], alone on its line\n"
	    ":12 port takes 0 to 65535, not 70000\n"
	    ":6 every-ms takes 5 to 90, not 4\n"
	    ":11 nodes takes URLs such as http://127.0.0.1:8545 or https://[::1]:8545, with a port from 1 to 65535 and "
	    "without a query, not \"ftp://x\"\n"
	    ":8 loud takes yes or no, not \"perhaps\"\n"
	    ":9 format takes one of text|json, not \"xml\"\n"
	    ":10 addr takes a numeric address such as 127.0.0.1 or ::1, not \"localhost\"\n"
	    ":15 key: /nowhere cannot be read: No such file or directory\n");
	settings_fini(&f.settings);
	end(&f);
}

static void a_secret_that_others_can_read_is_refused(void **state) {
	(void)state;
	struct fixture f;
	char text[512];
	begin(&f, "");
	struct problems *problems = &f.problems;
	chmod(f.file, 0640);
	assert_false(setting_check(settings_row(&toy, "key"), f.file, NULL, "here", problems));
	assert_non_null(
	    strstr(problems_text(&f, text, sizeof text), "can be read by others than its owner (mode 640)"));
	chmod(f.file, 0600);
	assert_true(setting_check(settings_row(&toy, "key"), f.file, NULL, "here", problems));
	end(&f);
}

static void a_password_in_a_url_is_refused_and_not_repeated(void **state) {
	(void)state;
	struct fixture f;
	char text[512];
	begin(&f, "");
	const char *url = "https://ada:sesame@node.example";
	assert_false(setting_check(settings_row(&toy, "nodes"), url, NULL, "here", &f.problems));
	assert_non_null(strstr(problems_text(&f, text, sizeof text), "nodes takes URLs without a name or a password"));
	assert_null(strstr(text, "sesame"));
	end(&f);
}

static void a_url_that_cannot_be_right_is_refused(void **state) {
	(void)state;
	static const char *const wrong[] = {"http://", "http:///x", "http://[::1", "http://[::1:8545",
	    "http://[nonsense]:1", "http://h:", "http://h:0", "http://h:99999", "http://h:8545x", "http://h:1:2",
	    "http://h/path?x=y", "http://h?x", "http://h/#x", "http://a b", "http://h\x7f", "//h", "HTTP://h",
	    "http://::1"};
	static const char *const right[] = {"http://h", "https://h.example:65535/", "http://127.0.0.1:1",
	    "http://[::1]", "http://[fe80::1]:8545/path/deep", "http://a:1, https://b/x"};
	struct fixture f;
	begin(&f, "");
	const struct setting *row = settings_row(&toy, "nodes");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (setting_check(row, wrong[i], NULL, "here", &f.problems)) fail_msg("%s is taken", wrong[i]);
	for (size_t i = 0; i < sizeof right / sizeof *right; i++)
		if (!setting_check(row, right[i], NULL, "here", &f.problems)) fail_msg("%s is refused", right[i]);
	end(&f);
}

static void a_mistyped_variable_is_a_mistake_with_a_proposal(void **state) {
	(void)state;
	struct fixture f;
	char text[512];
	char *const variables[] = {(char[]){"XINGLIN_TOY_EVERY_MSS=sesame"}, (char[]){"XINGLIN_TOY_ONCE=1"},
	    (char[]){"XINGLIN_TOYS=1"}, (char[]){"XINGLIN_OTHER_X=1"}, NULL};
	begin(&f, "");
	load(&f, &(struct settings_source){.environment = variables});
	assert_string_equal(problems_text(&f, text, sizeof text),
	    "XINGLIN_TOY_EVERY_MSS [toy] has no such setting; did you mean XINGLIN_TOY_EVERY_MS?\n"
	    "XINGLIN_TOY_ONCE [toy] has no such setting\n");
	settings_fini(&f.settings);
	end(&f);
}

static void a_byte_order_mark_is_not_a_mistake(void **state) {
	(void)state;
	struct fixture f;
	begin(&f, "\xef\xbb\xbf[toy]\nport = 7\n");
	load(&f, &(struct settings_source){0});
	assert_int_equal(f.problems.count, 0);
	assert_int_equal(settings_number(&f.settings, "port"), 7);
	settings_fini(&f.settings);
	end(&f);
}

static void a_pipe_a_device_and_a_folder_are_refused_at_once(void **state) {
	(void)state;
	struct fixture f;
	char text[1024];
	begin(&f, "");
	unlink(f.file);
	assert_int_equal(mkfifo(f.file, 0600), 0);
	const char *const paths[] = {f.file, "/dev/zero", f.folder};
	for (size_t i = 0; i < 3; i++) settings_check_file(paths[i], sections, &f.problems);
	assert_int_equal(f.problems.count, 3);
	assert_non_null(strstr(problems_text(&f, text, sizeof text), "/dev/zero it is not a file"));
	end(&f);
}

static void a_list_continues_on_indented_lines(void **state) {
	(void)state;
	struct fixture f;
	begin(&f, "[toy]\nnodes = http://a:1\n\thttps://b/path\nnames = x, y ; a comment\n");
	load(&f, &(struct settings_source){0});
	assert_int_equal(f.problems.count, 0);
	const char *const *nodes = settings_list(&f.settings, "nodes");
	assert_string_equal(nodes[0], "http://a:1");
	assert_string_equal(nodes[1], "https://b/path");
	assert_null(nodes[2]);
	const char *const *names = settings_list(&f.settings, "names");
	assert_string_equal(names[0], "x");
	assert_string_equal(names[1], "y");
	assert_null(names[2]);
	settings_fini(&f.settings);
	end(&f);
}

static void a_line_that_is_too_long_is_named_and_the_next_is_read(void **state) {
	(void)state;
	struct fixture f;
	char content[600], text[512];
	memset(content, 'x', sizeof content);
	memcpy(content, "[toy]\nnames = ", 14);
	snprintf(content + 500, 100, "\nport = 7\n");
	begin(&f, content);
	load(&f, &(struct settings_source){0});
	assert_non_null(strstr(problems_text(&f, text, sizeof text), ":2 the line is longer than"));
	assert_int_equal(f.problems.count, 1);
	assert_int_equal(settings_number(&f.settings, "port"), 7);
	settings_fini(&f.settings);
	end(&f);
}

static void contradictions_and_ports_taken_twice_are_found(void **state) {
	(void)state;
	struct fixture f;
	char text[512];
	begin(&f, "[toy]\nport = 10\n[other]\nweb-port = 10\n");
	settings_check_file(f.file, sections, &f.problems);
	assert_string_equal(problems_text(&f, text, sizeof text),
	    ":2 port and every-ms are alike\n"
	    ":4 web-port of [other] is 10, and so is port of [toy]: a port is taken once\n");
	end(&f);
}

static void a_credential_takes_the_place_of_a_secret_that_is_not_given(void **state) {
	(void)state;
	struct fixture f;
	begin(&f, "");
	char path[128];
	snprintf(path, sizeof path, "%s/key", f.folder);
	assert_int_equal(symlink("x.conf", path), 0);
	char variable[128];
	snprintf(variable, sizeof variable, "CREDENTIALS_DIRECTORY=%s", f.folder);
	load(&f, &(struct settings_source){.environment = (char *const[]){variable, NULL}});
	assert_int_equal(f.problems.count, 0);
	assert_string_equal(settings_text(&f.settings, "key"), path);
	settings_fini(&f.settings);
	unlink(path);
	end(&f);
}

static void a_sample_file_changes_nothing_and_names_all(void **state) {
	(void)state;
	struct fixture f;
	struct buf sample;
	buf_init(&sample, 1 << 16);
	settings_print_sample(&sample, &toy);
	assert_non_null(strstr(buf_cstr(&sample), "# how often (5 to 90; default 10)\n#every-ms = 10\n"));
	assert_null(strstr(buf_cstr(&sample), "once"));
	begin(&f, buf_cstr(&sample));
	load(&f, &(struct settings_source){0});
	assert_int_equal(f.problems.count, 0);
	for (size_t i = 0; i < toy.count; i++) assert_int_equal(f.settings.values[i].origin, FROM_DEFAULT);
	settings_fini(&f.settings);
	buf_fini(&sample);
	end(&f);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_flag_wins_over_the_environment_over_the_file_over_the_default),
	    cmocka_unit_test(every_mistake_is_named_with_its_line),
	    cmocka_unit_test(a_secret_that_others_can_read_is_refused),
	    cmocka_unit_test(a_password_in_a_url_is_refused_and_not_repeated),
	    cmocka_unit_test(a_url_that_cannot_be_right_is_refused),
	    cmocka_unit_test(a_mistyped_variable_is_a_mistake_with_a_proposal),
	    cmocka_unit_test(a_byte_order_mark_is_not_a_mistake),
	    cmocka_unit_test(a_pipe_a_device_and_a_folder_are_refused_at_once),
	    cmocka_unit_test(a_list_continues_on_indented_lines),
	    cmocka_unit_test(a_line_that_is_too_long_is_named_and_the_next_is_read),
	    cmocka_unit_test(contradictions_and_ports_taken_twice_are_found),
	    cmocka_unit_test(a_credential_takes_the_place_of_a_secret_that_is_not_given),
	    cmocka_unit_test(a_sample_file_changes_nothing_and_names_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
