/* Requests that wait for their receipts: what they cost the node until their block comes. */
#include "tests/unit.h"

#include "ledger/rpc/rpc_late.h"
#include "ledger/rpc/test_asking.h"

enum { WAITERS = 24 };

/* The request is the node's until it is answered, so it lives in the arena, as its body does. */
static struct http_exchange *wait_for_receipt(const char *nonce) {
	const struct json *made =
	    call("eth_signTransaction", "{'from':'%s','to':'%s','gas':'0x5208','gasPrice':'0x12a05f200','nonce':'%s'}",
		address(1), address(0), nonce);
	struct http_exchange *exchange = arena_zalloc(&node.arena, 1, sizeof *exchange);
	http_exchange_init(exchange, BUF_MAX_DEFAULT);
	exchange->request.method = HTTP_POST;
	exchange->request.body = bytes_text(arena_printf(&node.arena,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_sendRawTransactionSync\",\"params\":[\"%s\"]}",
	    member(made, "raw")));
	rpc_handle(node.rpc, exchange);
	assert_true(__atomic_load_n(&exchange->is_deferred, __ATOMIC_ACQUIRE));
	return exchange;
}

static void assert_receipt(struct http_exchange *exchange) {
	while (__atomic_load_n(&exchange->is_deferred, __ATOMIC_ACQUIRE))
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	const struct bytes text = buf_view(&exchange->response.body);
	assert_non_null(memmem(text.data, text.len, "\"status\":\"0x1\"", 14));
	http_exchange_fini(exchange);
}

/* However many wait, and however they come: none is looked for before there is a block, and then each once. */
static void a_receipt_is_looked_for_once_a_block(void **state) {
	struct http_exchange *waiting[WAITERS];
	(void)state;
	call("anvil_setAutomine", "false");
	const uint64_t before = rpc_late_looks(node.rpc);
	for (size_t i = 0; i < WAITERS; i++) waiting[i] = wait_for_receipt(arena_printf(&node.arena, "0x%zx", i));
	assert_int_equal(rpc_late_looks(node.rpc), before);
	call("evm_mine", "%s", "");
	for (size_t i = 0; i < WAITERS; i++) assert_receipt(waiting[i]);
	assert_int_equal(rpc_late_looks(node.rpc), before + WAITERS);
	call("anvil_setAutomine", "true");
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_receipt_is_looked_for_once_a_block)};
	return cmocka_run_group_tests(tests, start, stop);
}
