#include "base/workers.h"

#include "base/http_reply.h"

struct handling {
	http_handler *handle;
	void *context;
	struct http_exchange *exchange;
};

static void run_handling(void *argument) {
	struct handling handling = *(struct handling *)argument;
	mem_free(argument);
	if (http_is_wanted(handling.exchange)) handling.handle(handling.context, handling.exchange);
	http_answer(handling.exchange);
}

static void refuse(struct http_exchange *exchange) {
	http_put_header(&exchange->response, "Retry-After", "1");
	http_problem(&exchange->response, 503, "busy", "too many requests are being worked on: try again");
}

void workers_handle(
    const struct workers *workers, http_handler *handle, void *context, struct http_exchange *exchange) {
	if (!http_defer(exchange)) {
		refuse(exchange);
		return;
	}
	struct handling *handling = mem_alloc(sizeof *handling);
	*handling = (struct handling){handle, context, exchange};
	if (workers_give(workers, run_handling, handling)) return;
	mem_free(handling);
	refuse(exchange);
	http_answer(exchange);
}
