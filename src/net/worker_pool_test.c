#include "net/worker_pool.h"

#include "base/route.h"
#include "net/test_server.h"

#include <semaphore.h>

static sem_t begun, go;
static atomic_uint done;

static void wait_for_go(void *argument) {
	(void)argument;
	sem_post(&begun);
	sem_wait(&go);
	done++;
}

static int prepare(void **state) {
	(void)state;
	done = 0;
	return sem_init(&begun, 0, 0) | sem_init(&go, 0, 0);
}

static void a_full_queue_refuses_and_a_close_finishes(void **state) {
	(void)state;
	struct worker_pool *pool;
	struct err err;
	assert_int_equal(
	    worker_pool_open(&pool, &(struct worker_pool_options){.threads = 2, .queue_max = 3}, &err), STATUS_OK);
	const struct workers *workers = worker_pool_workers(pool);
	for (int i = 0; i < 2; i++) {
		assert_true(workers_give(workers, wait_for_go, NULL));
		sem_wait(&begun);
	}
	for (int i = 0; i < 3; i++) assert_true(workers_give(workers, wait_for_go, NULL));
	assert_false(workers_give(workers, wait_for_go, NULL));
	assert_int_equal(worker_pool_running(pool), 2);
	assert_int_equal(worker_pool_waiting(pool), 3);
	for (int i = 0; i < 5; i++) sem_post(&go);
	worker_pool_stop(pool);
	assert_int_equal(done, 5);
	assert_false(workers_give(workers, wait_for_go, NULL));
	assert_int_equal(worker_pool_waiting(pool), 0);
	worker_pool_close(pool);
	assert_int_equal(worker_pool_open(&pool, &(struct worker_pool_options){.threads = 257}, &err), STATUS_INVALID);
}

static void slow(void *context, struct http_exchange *exchange) {
	(void)context;
	wait_for_go(NULL);
	buf_text(&exchange->response.body, "slow");
}

static void quick(void *context, struct http_exchange *exchange) {
	(void)context;
	buf_text(&exchange->response.body, "quick");
}

/* One worker and one place in the queue: a third slow request is answered "come back", and quick ones never wait. */
static void waiting_routes_do_not_hold_up_others(void **state) {
	(void)state;
	static const struct route rows[] = {
	    ROUTE(HTTP_GET, "/slow", slow, "waits", .waits = true), ROUTE(HTTP_GET, "/quick", quick, "does not")};
	const struct route_table table = {rows, 2, NULL};
	static char answer[ANSWER_BYTES];
	struct worker_pool *pool;
	struct served served;
	struct err err;
	assert_int_equal(
	    worker_pool_open(&pool, &(struct worker_pool_options){.threads = 1, .queue_max = 1}, &err), STATUS_OK);
	struct router *router = router_new(&table, 1, worker_pool_workers(pool));
	struct http_service service = router_service(router);
	start_router(&served, service);
	static const char get[] = HEAD_OF("GET", "/slow") "\r\n";
	const int fds[] = {dial(served.port), dial(served.port)};
	put(fds[0], get, sizeof get - 1);
	sem_wait(&begun);
	put(fds[1], get, sizeof get - 1);
	while (worker_pool_waiting(pool) == 0) continue;
	ask(served.port, answer, get, "again");
	assert_non_null(strstr(answer, "HTTP/1.1 503"));
	assert_non_null(strstr(answer, "Retry-After: 1\r\n"));
	ask(served.port, answer, HEAD_OF("GET", "/quick") "\r\n", "quick");
	assert_non_null(strstr(answer, "\r\n\r\nquick"));
	for (int i = 0; i < 2; i++) sem_post(&go);
	for (int i = 0; i < 2; i++) {
		assert_false(hear(fds[i], answer, "\r\n\r\nslow", 1, 2000));
		close(fds[i]);
	}
	stop(&served);
	worker_pool_close(pool);
	router_free(router);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_full_queue_refuses_and_a_close_finishes, prepare),
	    cmocka_unit_test_setup(waiting_routes_do_not_hold_up_others, prepare),
	};
	return cmocka_run_group_tests_name("worker_pool", tests, NULL, NULL);
}
