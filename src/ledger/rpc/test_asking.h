/*
 * For tests of rpc/: one dev node whose engine runs beside, two accounts with an ether each, and asking it with ' for
 * ". Include after tests/unit.h. Header-only, since every test is one program.
 */
#ifndef LEDGER_RPC_TEST_ASKING_H
#define LEDGER_RPC_TEST_ASKING_H

#include "ledger/rpc/rpc_call.h"
#include "ledger/rpc/test_node.h"

static hash32 secrets[2];
static addr20 accounts[2];

static struct test_node node;
/* What a test may set before it starts the node: the clock, and whether blocks of one second share its timestamp. */
static uint64_t (*asked_now_ms)(void *context) = test_now_ms;
static bool asked_equal_timestamps;
static bool answered[256]; /* by place in the table: gave a result at least once */

/* --- asking --- */

/* `format` may hold a request with ' for ", as JSON in C is hard to read otherwise. */
static inline const struct json *ask(const char *format, ...) PRINTF_LIKE(1, 2);
static inline const struct json *ask(const char *format, ...) {
	char text[8192];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	for (char *at = text; *at; at++)
		if (*at == '\'') *at = '"';
	return test_node_ask(&node, bytes_text(text));
}

static inline void note_answered(const char *method) {
	for (size_t i = 0; i < rpc_method_count(); i++)
		if (strcmp(rpc_method_info(i).name, method) == 0) answered[i] = true;
}

/* The result of a method; fails on an error. */
static inline const struct json *call(const char *method, const char *format, ...) PRINTF_LIKE(2, 3);
static inline const struct json *call(const char *method, const char *format, ...) {
	char params[8192];
	va_list args;
	va_start(args, format);
	vsnprintf(params, sizeof params, format, args);
	va_end(args);
	const struct json *answer = ask("{'jsonrpc':'2.0','id':1,'method':'%s','params':[%s]}", method, params);
	const struct json *result = json_get(answer, "result");
	if (!result) fail_msg("%s(%s): %.*s", method, params, (int)answer->raw.len, (const char *)answer->raw.data);
	note_answered(method);
	return result;
}

/* The error's code; 0 if there is a result. */
static inline long error_of(const char *method, const char *format, ...) PRINTF_LIKE(2, 3);
static struct bytes error_message;
static inline long error_of(const char *method, const char *format, ...) {
	char params[8192];
	va_list args;
	va_start(args, format);
	vsnprintf(params, sizeof params, format, args);
	va_end(args);
	const struct json *answer = ask("{'jsonrpc':'2.0','id':1,'method':'%s','params':[%s]}", method, params);
	const struct json *error = json_get(answer, "error"), *code = json_get(error, "code");
	error_message = json_string(json_get(error, "message"));
	return code ? strtol(arena_strdup(&node.arena, code->text), NULL, 10) : 0;
}

static inline const char *text_of(const struct json *value) {
	assert_true(json_is(value, JSON_STRING));
	return arena_strdup(&node.arena, json_string(value));
}

#define assert_text(value, expected) assert_string_equal(text_of(value), expected)

static inline const char *member(const struct json *object, const char *name) {
	if (!json_get(object, name))
		fail_msg("no %s in %.*s", name, (int)object->raw.len, (const char *)object->raw.data);
	return text_of(json_get(object, name));
}

static inline bool error_says(const char *part) {
	return memmem(error_message.data, error_message.len, part, strlen(part)) != NULL;
}

static inline uint64_t number_of(const struct json *value) {
	return strtoull(text_of(value) + 2, NULL, 16);
}

static inline const char *hex_of(struct bytes data) {
	struct buf out;
	buf_init(&out, BUF_MAX_DEFAULT);
	struct json_writer writer = json_writer(&out);
	json_put_hex(&writer, NULL, data);
	const char *text = arena_strdup(&node.arena, bytes_make(out.data + 1, out.len - 2));
	buf_fini(&out);
	return text;
}

static inline const char *address(size_t index) {
	return hex_of(BYTES_OF(accounts[index]));
}

static inline const struct json *receipt_of(const char *hash) {
	for (int i = 0; i < 500; i++) {
		const struct json *receipt = call("eth_getTransactionReceipt", "'%s'", hash);
		if (!json_is(receipt, JSON_NULL)) return receipt;
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	fail_msg("no receipt for %s", hash);
	return NULL;
}

/* --- the node --- */

static inline int start(void **state) {
	(void)state;
	static char genesis[4096];
	secrets[0].b[31] = 1;
	secrets[1].b[31] = 2;
	for (size_t i = 0; i < 2; i++)
		if (address_of_secret(&accounts[i], &secrets[i]) != STATUS_OK) return -1;
	arena_init(&node.arena);
	snprintf(genesis, sizeof genesis,
	    "{\"config\":{\"chainId\":31337,\"homesteadBlock\":0,\"eip150Block\":0,\"eip155Block\":0,\"eip158Block\":0,"
	    "\"byzantiumBlock\":0,\"constantinopleBlock\":0,\"petersburgBlock\":0,\"istanbulBlock\":0,\"berlinBlock\":"
	    "0,"
	    "\"londonBlock\":0,\"terminalTotalDifficulty\":0,\"shanghaiTime\":0,\"cancunTime\":0,"
	    "\"xinglin\":{\"equalTimestamps\":%s}},"
	    "\"gasLimit\":\"0x1c9c380\",\"difficulty\":\"0x0\",\"timestamp\":\"0x1\",\"alloc\":{"
	    "\"%s\":{\"balance\":\"0xde0b6b3a7640000\"},\"%s\":{\"balance\":\"0xde0b6b3a7640000\"}}}",
	    asked_equal_timestamps ? "true" : "false", address(0), address(1));
	arena_fini(&node.arena);
	test_node_open(&node, bytes_text(genesis));
	node.clock.now_ms = asked_now_ms;
	node.unhurried = asked_equal_timestamps ? &accounts[0] : NULL;
	test_node_serve(&node, secrets, 2);
	return 0;
}

static inline int stop(void **state) {
	(void)state;
	test_node_close(&node);
	return 0;
}

/* Every method that begins with one of the prefixes (`others`: with none of them) gave a result in this program. */
static inline void assert_answered(const char *const *prefixes, bool others) {
	for (size_t i = 0; i < rpc_method_count(); i++) {
		bool named = false;
		for (const char *const *at = prefixes; *at; at++)
			named |= strncmp(rpc_method_info(i).name, *at, strlen(*at)) == 0;
		if (named != others && !answered[i]) fail_msg("%s was never answered", rpc_method_info(i).name);
	}
}

#endif
