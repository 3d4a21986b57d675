/* Who waits for whom, by a clock that only sleeping moves. */
#include "health/actors/home_lock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "tests/unit.h"

struct scene {
	char directory[32];
	int held; /* another program's, as flock sees it: an open file of its own */
	uint64_t now_ms, given_back_ms;
	unsigned shown;
	struct clock_source clock;
	struct progress progress;
	struct home_lock_wait wait;
};

static uint64_t now_ms(void *context) {
	return ((struct scene *)context)->now_ms;
}

static uint64_t monotonic_ns(void *context) {
	return now_ms(context) * 1000000;
}

static void sleep_ms(void *context, uint32_t ms) {
	struct scene *scene = context;
	scene->now_ms += ms;
	if (scene->given_back_ms && scene->now_ms >= scene->given_back_ms) {
		close(scene->held);
		scene->held = -1;
	}
}

static void show(void *context, const char *what, uint64_t done, uint64_t of) {
	(void)what;
	(void)done;
	(void)of;
	((struct scene *)context)->shown++;
}

static void open_scene(struct scene *scene, const char *holder) {
	char path[64];
	*scene = (struct scene){.directory = "/tmp/home_lock_XXXXXX"};
	assert_non_null(mkdtemp(scene->directory));
	snprintf(path, sizeof path, "%s/lock", scene->directory);
	scene->held = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(flock(scene->held, LOCK_EX), 0);
	assert_int_equal(write(scene->held, holder, strlen(holder)), strlen(holder));
	scene->clock = (struct clock_source){.now_ms = now_ms, .monotonic_ns = monotonic_ns, .context = scene};
	scene->progress = (struct progress){show, scene};
	scene->wait = (struct home_lock_wait){.wait_ms = 10000,
	    .clock = &scene->clock,
	    .sleep_ms = sleep_ms,
	    .sleep_context = scene,
	    .progress = &scene->progress};
}

static void close_scene(struct scene *scene) {
	char path[64];
	if (scene->held >= 0) close(scene->held);
	snprintf(path, sizeof path, "%s/lock", scene->directory);
	unlink(path);
	rmdir(scene->directory);
}

static void a_command_waits_for_a_command_as_long_as_it_takes(void **state) {
	struct scene scene;
	struct err err = {0};
	int lock;
	(void)state;
	open_scene(&scene, "4711\n");
	scene.given_back_ms = 3600000;
	assert_int_equal(home_lock(&lock, scene.directory, &scene.wait, &err), STATUS_OK);
	assert_true(scene.now_ms >= 3600000 && scene.shown > 100);
	home_unlock(lock);
	close_scene(&scene);
}

static void a_service_is_waited_for_shortly_and_named(void **state) {
	struct scene scene;
	struct err err = {0};
	int lock;
	(void)state;
	open_scene(&scene, "4711 service\n");
	scene.given_back_ms = 20000;
	assert_int_equal(home_lock(&lock, scene.directory, &scene.wait, &err), STATUS_BUSY);
	assert_int_equal(lock, -1);
	assert_non_null(strstr(err.message, "the service with process 4711"));
	assert_true(scene.now_ms >= 10000 && scene.now_ms < 10100);
	close_scene(&scene);
}

static void a_service_that_stops_in_time_is_followed(void **state) {
	struct scene scene;
	struct err err = {0};
	int lock;
	(void)state;
	open_scene(&scene, "4711 service\n");
	scene.given_back_ms = 9000;
	assert_int_equal(home_lock(&lock, scene.directory, &scene.wait, &err), STATUS_OK);
	home_unlock(lock);
	close_scene(&scene);
}

static void a_service_waits_shortly_for_a_command(void **state) {
	struct scene scene;
	struct err err = {0};
	int lock;
	(void)state;
	open_scene(&scene, "4711\n");
	scene.wait.is_service = true;
	assert_int_equal(home_lock(&lock, scene.directory, &scene.wait, &err), STATUS_BUSY);
	assert_non_null(strstr(err.message, "by process 4711"));
	close_scene(&scene);
}

static void a_holder_that_does_not_say_who_it_is_is_waited_for_shortly(void **state) {
	struct scene scene;
	struct err err = {0};
	int lock;
	(void)state;
	open_scene(&scene, "");
	assert_int_equal(home_lock(&lock, scene.directory, &scene.wait, &err), STATUS_BUSY);
	close_scene(&scene);
}

static void the_file_says_who_has_it(void **state) {
	struct scene scene;
	struct err err = {0};
	int lock;
	(void)state;
	for (int is_service = 0; is_service < 2; is_service++) {
		char text[40] = "", expected[40];
		open_scene(&scene, "1234567 service of a program that ended\n");
		close(scene.held);
		scene.held = -1;
		scene.wait.is_service = is_service;
		assert_int_equal(home_lock(&lock, scene.directory, &scene.wait, &err), STATUS_OK);
		assert_true(pread(lock, text, sizeof text - 1, 0) > 0);
		snprintf(expected, sizeof expected, "%ld%s\n", (long)getpid(), is_service ? " service" : "");
		assert_string_equal(text, expected);
		home_unlock(lock);
		close_scene(&scene);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_command_waits_for_a_command_as_long_as_it_takes),
	    cmocka_unit_test(a_service_is_waited_for_shortly_and_named),
	    cmocka_unit_test(a_service_that_stops_in_time_is_followed),
	    cmocka_unit_test(a_service_waits_shortly_for_a_command),
	    cmocka_unit_test(a_holder_that_does_not_say_who_it_is_is_waited_for_shortly),
	    cmocka_unit_test(the_file_says_who_has_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
