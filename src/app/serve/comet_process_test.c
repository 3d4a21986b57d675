#include "app/serve/comet_process.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/system.h"
#include "base/files.h"
#include "base/log.h"
#include "tests/unit.h"

#define PATIENCE_MS 20000u

/* What was logged, one line after another. */
static struct log {
	pthread_mutex_t lock;
	char text[1 << 16];
} logged = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void write_log(void *context, const struct log_event *event) {
	(void)context;
	pthread_mutex_lock(&logged.lock);
	const size_t len = strlen(logged.text);
	snprintf(logged.text + len, sizeof logged.text - len, "%c %s\n", "DIWE"[event->level], event -> message);
	pthread_mutex_unlock(&logged.lock);
}

static bool was_logged(const char *part) {
	pthread_mutex_lock(&logged.lock);
	const bool was = strstr(logged.text, part) != NULL;
	pthread_mutex_unlock(&logged.lock);
	return was;
}

#define UNTIL(condition)                                                                                               \
	do {                                                                                                           \
		for (unsigned waited = 0; !(condition); waited += 5) {                                                 \
			if (waited > PATIENCE_MS) fail_msg("never: %s", #condition);                                   \
			world_sleep_ms(NULL, 5);                                                                       \
		}                                                                                                      \
	} while (0)

struct place {
	char folder[64], program[96], home[96], pids[96];
	struct comet_process_options options;
};

static void write_text(const char *path, const char *text) {
	struct err err;
	assert_int_equal(files_write(path, bytes_text(text), &err), STATUS_OK);
}

/* A home of CometBFT, and a program that notes its number in `pids` and then does what `script` says. */
static void lay(struct place *place, const char *script) {
	char path[256], text[1024];
	struct err err;
	snprintf(place->folder, sizeof place->folder, "/tmp/comet-process-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->home, sizeof place->home, "%s/comet", place->folder);
	snprintf(place->program, sizeof place->program, "%s/program", place->folder);
	snprintf(place->pids, sizeof place->pids, "%s/pids", place->folder);
	assert_int_equal(files_make_folder(place->home, &err), STATUS_OK);
	snprintf(path, sizeof path, "%s/config", place->home);
	assert_int_equal(files_make_folder(path, &err), STATUS_OK);
	snprintf(path, sizeof path, "%s/config/genesis.json", place->home);
	write_text(path, "{}");
	snprintf(text, sizeof text, "#!/bin/sh\necho $$ >>%s\n%s\n", place->pids, script);
	write_text(place->program, text);
	assert_int_equal(chmod(place->program, 0700), 0);
	place->options = (struct comet_process_options){
	    .program = place->program, .home = place->home, .app_socket = "/a", .rpc_socket = "/b"};
	pthread_mutex_lock(&logged.lock);
	logged.text[0] = 0;
	pthread_mutex_unlock(&logged.lock);
}

static void clear(const struct place *place) {
	char command[128];
	snprintf(command, sizeof command, "rm -rf %s", place->folder);
	assert_int_equal(system(command), 0);
}

static size_t count_starts(const struct place *place, pid_t *newest) {
	FILE *file = fopen(place->pids, "r");
	if (!file) return 0;
	size_t count = 0;
	for (int pid; fscanf(file, "%d", &pid) == 1; count++) *newest = pid;
	fclose(file);
	return count;
}

static struct comet_process *opened(const struct place *place) {
	struct comet_process *process = NULL;
	struct err err;
	assert_int_equal(comet_process_open(&process, &place->options, &err), STATUS_OK);
	return process;
}

static void it_is_given_its_sockets_and_its_lines_are_logged(void **state) {
	(void)state;
	struct place place;
	pid_t pid = 0;
	lay(&place, "echo \"Iargs $*\"; echo Etrouble >&2; echo panic: oh; exec sleep 1000");
	struct comet_process *process = opened(&place);
	char expected[256];
	snprintf(expected, sizeof expected, "D Iargs start --home %s --proxy_app unix:///a --rpc.laddr unix:///b\n",
	    place.home);
	UNTIL(was_logged(expected) && was_logged("W Etrouble\n") && was_logged("W panic: oh\n"));
	assert_int_equal(count_starts(&place, &pid), 1);
	comet_process_close(process);
	assert_int_equal(kill(pid, 0), -1);
	clear(&place);
}

static void what_ends_is_started_again(void **state) {
	(void)state;
	struct place place;
	pid_t pid = 0;
	lay(&place, "exit 3");
	struct comet_process *process = opened(&place);
	UNTIL(count_starts(&place, &pid) >= 2);
	assert_true(was_logged("W CometBFT ended with code 3; it is started again in 500 ms\n"));
	comet_process_close(process);
	clear(&place);
}

static void what_is_killed_is_started_again(void **state) {
	(void)state;
	struct place place;
	pid_t pid = 0;
	lay(&place, "exec sleep 1000");
	struct comet_process *process = opened(&place);
	UNTIL(count_starts(&place, &pid) == 1);
	kill(pid, SIGKILL);
	UNTIL(count_starts(&place, &pid) == 2);
	assert_true(was_logged("ended by signal 9"));
	comet_process_close(process);
	clear(&place);
}

static void a_restart_is_no_failure(void **state) {
	(void)state;
	struct place place;
	pid_t first = 0, second = 0;
	lay(&place, "exec sleep 1000");
	struct comet_process *process = opened(&place);
	UNTIL(count_starts(&place, &first) == 1);
	comet_process_restart(process);
	UNTIL(count_starts(&place, &second) == 2);
	assert_int_not_equal(first, second);
	assert_false(was_logged("W "));
	comet_process_close(process);
	clear(&place);
}

static void what_does_not_end_is_killed(void **state) {
	(void)state;
	struct place place;
	pid_t pid = 0;
	lay(&place, "trap '' TERM; echo Iready; while :; do sleep 0.05; done");
	struct comet_process *process = opened(&place);
	UNTIL(was_logged("Iready"));
	(void)count_starts(&place, &pid);
	comet_process_close(process);
	assert_int_equal(kill(pid, 0), -1);
	clear(&place);
}

/* The process that would have ended it was killed itself. */
static void it_dies_with_its_parent(void **state) {
	(void)state;
	struct place place;
	pid_t pid = 0;
	lay(&place, "exec sleep 1000");
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	const pid_t parent = fork();
	if (parent == 0) {
		struct comet_process *process = NULL;
		if (comet_process_open(&process, &place.options, NULL) != STATUS_OK) _exit(1);
		for (;;) pause();
	}
	UNTIL(count_starts(&place, &pid) == 1);
	kill(parent, SIGKILL);
	int how = 0;
	assert_int_equal(waitpid(parent, &how, 0), parent);
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
	clear(&place);
}

static void what_cannot_work_is_not_started(void **state) {
	(void)state;
	struct place place;
	pid_t pid = 0;
	struct comet_process *process = NULL;
	struct err err;
	lay(&place, "exec sleep 1000");
	struct comet_process_options other = place.options;
	other.program = "xinglin-no-such-program";
	assert_int_equal(comet_process_open(&process, &other, &err), STATUS_NOTFOUND);
	assert_non_null(strstr(err.message, "tools/cometbft"));
	other.program = place.pids;
	assert_int_equal(comet_process_open(&process, &other, &err), STATUS_NOTFOUND);
	other = place.options;
	other.home = place.folder;
	assert_int_equal(comet_process_open(&process, &other, &err), STATUS_NOTFOUND);
	other = place.options;
	other.app_height = 15;
	assert_int_equal(comet_process_open(&process, &other, &err), STATUS_CORRUPT);
	assert_non_null(strstr(err.message, "height 15"));
	char longer[200] = "/";
	memset(longer + 1, 'x', 107);
	other = place.options;
	other.rpc_socket = longer;
	assert_int_equal(comet_process_open(&process, &other, &err), STATUS_INVALID);
	assert_int_equal(count_starts(&place, &pid), 0);
	clear(&place);
}

static void lay_file(const struct place *place, const char *database, const char *name) {
	char path[256];
	struct err err;
	snprintf(path, sizeof path, "%s/data/%s.db", place->home, database);
	if (!files_exists(path)) assert_int_equal(files_make_folder(path, &err), STATUS_OK);
	snprintf(path, sizeof path, "%s/data/%s.db/%s", place->home, database, name);
	write_text(path, "x");
}

static bool has_file(const struct place *place, const char *database, const char *name) {
	char path[256];
	snprintf(path, sizeof path, "%s/data/%s.db/%s", place->home, database, name);
	return files_exists(path);
}

static void a_database_that_was_never_whole_is_made_anew_and_no_other(void **state) {
	(void)state;
	struct place place;
	struct err err;
	char path[256];
	pid_t pid = 0;
	lay(&place, "exec sleep 1000");
	snprintf(path, sizeof path, "%s/data", place.home);
	assert_int_equal(files_make_folder(path, &err), STATUS_OK);
	static const char *const names[] = {"MANIFEST-000000", "LOCK", "LOG"};
	for (size_t i = 0; i < 3; i++) lay_file(&place, "blockstore", names[i]);
	for (size_t i = 0; i < 3; i++) lay_file(&place, "state", names[i]);
	lay_file(&place, "state", "CURRENT");
	lay_file(&place, "evidence", "MANIFEST-000000");
	lay_file(&place, "evidence", "000001.ldb"); /* it held something, whatever has become of it */
	struct comet_process *process = opened(&place);
	UNTIL(count_starts(&place, &pid) == 1);
	assert_false(has_file(&place, "blockstore", "MANIFEST-000000"));
	assert_true(has_file(&place, "state", "MANIFEST-000000") && has_file(&place, "state", "CURRENT"));
	assert_true(has_file(&place, "evidence", "MANIFEST-000000"));
	comet_process_close(process);
	clear(&place);
}

int main(void) {
	static const struct log_sink sink = {write_log, NULL};
	log_set_sink(&sink, LOG_DEBUG);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_is_given_its_sockets_and_its_lines_are_logged),
	    cmocka_unit_test(what_ends_is_started_again),
	    cmocka_unit_test(what_is_killed_is_started_again),
	    cmocka_unit_test(a_restart_is_no_failure),
	    cmocka_unit_test(what_does_not_end_is_killed),
	    cmocka_unit_test(it_dies_with_its_parent),
	    cmocka_unit_test(what_cannot_work_is_not_started),
	    cmocka_unit_test(a_database_that_was_never_whole_is_made_anew_and_no_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
