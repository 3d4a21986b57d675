/* The index finds what reading every receipt finds, over random histories, also after blocks were taken back. */
#include "ledger/chain/log_index.h"
#include "ledger/chain/verify.h"

#include "tests/unit.h"

#include "crypto/hash.h"
#include "ledger/chain/chain_private.h"

#include "tests/ledger_world.h"

enum { CONTRACTS = 5, WORDS = 5, BLOCKS = 40, TXS_MAX = 40, QUERIES = 150, FOUND_MAX = 1 << 20 };

struct history {
	struct ledger_world world;
	uint64_t seed, nonce;
};

/* xorshift64*: repeatable. */
static uint64_t draw(struct history *history, uint64_t below) {
	uint64_t x = history->seed;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	history->seed = x;
	return (x * 0x2545f4914f6cdd1d >> 33) % below;
}

static addr20 contract(size_t topics) {
	return (addr20){.b = {0xc0, [19] = (uint8_t)topics}};
}

/* Few values, some alike but for one end, so that topics meet in all places. */
static hash32 word(uint64_t i) {
	hash32 word = {{0}};
	word.b[i % 2 ? 0 : 31] = (uint8_t)(1 + i / 2);
	return word;
}

/* The contract emits one event with as many topics as its number, from the first words of its calldata, and one with
 * the last word; with no calldata, nothing. */
static enum status put_contracts(void *context, struct state *state) {
	(void)context;
	for (size_t topics = 0; topics < CONTRACTS; topics++) {
		uint8_t code[64];
		size_t len = 0;
		const addr20 address = contract(topics);
		const uint8_t head[] = {0x36, 0x60, 0x05, 0x57, 0x00, 0x5b}; /* CALLDATASIZE PUSH1 5 JUMPI STOP */
		memcpy(code, head, sizeof head);
		len += sizeof head;
		for (size_t i = topics; i-- > 0;) {
			code[len++] = 0x60; /* PUSH1 32 i CALLDATALOAD */
			code[len++] = (uint8_t)(32 * i);
			code[len++] = 0x35;
		}
		code[len++] = 0x36; /* CALLDATASIZE PUSH0 LOGn */
		code[len++] = 0x5f;
		code[len++] = (uint8_t)(0xa0 + topics);
		const uint8_t tail[] = {
		    0x60, 0x80, 0x35, 0x5f, 0x5f, 0xa1}; /* PUSH1 128 CALLDATALOAD PUSH0 PUSH0 LOG1 */
		memcpy(code + len, tail, sizeof tail);
		TRY(state_set_code(state, &address, bytes_make(code, len + sizeof tail)));
	}
	return STATUS_OK;
}

static void commit(struct history *history, const struct block_decision *decision) {
	struct pending_block *pending;
	struct ledger_world *world = &history->world;
	assert_done(world, chain_execute(world->chain, &pending, decision, &world->err));
	assert_int_equal(pending->block.transaction_count, decision->tx_count);
	assert_done(world, chain_commit(world->chain, pending, NULL, &world->err));
}

static void add_block(struct history *history) {
	struct ledger_world *world = &history->world;
	const size_t count = draw(history, 4) == 0 ? 0 : draw(history, TXS_MAX);
	struct transaction *txs = arena_zalloc(&world->arena, count, sizeof *txs);
	struct ordered_tx *ordered = arena_zalloc(&world->arena, count, sizeof *ordered);
	for (size_t i = 0; i < count; i++) {
		const addr20 to = contract(draw(history, CONTRACTS));
		uint8_t *data = arena_zalloc(&world->arena, WORDS, 32);
		for (size_t k = 0; k < WORDS; k++) {
			const hash32 value = word(draw(history, 6) + (draw(history, 50) == 0 ? 6 : 0));
			memcpy(data + 32 * k, value.b, 32);
		}
		txs[i] = ledger_transfer(history->nonce++, &to, 0, 0);
		txs[i].gas_limit = 100000;
		if (draw(history, 8) > 0) txs[i].data = bytes_make(data, 32 * WORDS);
		ledger_sign(world, &txs[i], 0);
		ordered[i] = (struct ordered_tx){.tx = &txs[i], .sender = ledger_address(0)};
	}
	commit(history, &(struct block_decision){.txs = ordered, .tx_count = count});
}

static void unwind(struct history *history, uint64_t blocks) {
	struct ledger_world *world = &history->world;
	for (; blocks > 0; blocks--) assert_done(world, chain_unwind_head(world->chain, &world->err));
	struct chain_head *head = chain_head(world->chain);
	struct account account;
	bool exists;
	const addr20 sender = ledger_address(0);
	assert_done(world, state_view_account(head->view, &account, &exists, &sender, &world->err));
	chain_head_release(head);
	history->nonce = account.nonce;
}

static void begin(struct history *history, uint64_t seed) {
	*history = (struct history){.seed = seed};
	ledger_open(&history->world, true);
	const struct block_orders orders = {.edit = put_contracts};
	commit(history, &(struct block_decision){.orders = &orders});
}

/* --- asking --- */

struct found {
	size_t count;
	struct buf all;
};

static void keep(void *context, const struct found_log *log) {
	struct found *found = context;
	const uint64_t places[] = {log->block_number, log->block_timestamp, log->tx_index, log->log_index};
	buf_append(&found->all, bytes_make(places, sizeof places));
	buf_append(&found->all, BYTES_OF(log->block_hash));
	buf_append(&found->all, BYTES_OF(log->tx_hash));
	buf_append(&found->all, BYTES_OF(log->log->address));
	for (size_t i = 0; i < log->log->topic_count; i++) buf_append(&found->all, BYTES_OF(log->log->topics[i]));
	buf_append(&found->all, log->log->data);
	found->count++;
}

typedef enum status search(struct chain *chain, const struct log_filter *filter, size_t limit,
    void (*visit)(void *context, const struct found_log *log), void *context, struct err *err);

static struct found ask(struct history *history, search *look, const struct log_filter *filter, size_t limit) {
	struct found found = {0};
	struct ledger_world *world = &history->world;
	buf_init(&found.all, BUF_MAX_DEFAULT);
	const enum status status = look(world->chain, filter, limit, keep, &found, &world->err);
	if (status != STATUS_LIMIT) assert_done(world, status);
	assert_int_equal(status == STATUS_LIMIT, found.count == limit);
	return found;
}

static size_t assert_same(struct history *history, const struct log_filter *filter, size_t limit) {
	struct found by_index = ask(history, chain_logs, filter, limit),
		     by_scan = ask(history, chain_logs_by_scan, filter, limit);
	assert_int_equal(by_index.count, by_scan.count);
	assert_true(bytes_equal(buf_view(&by_index.all), buf_view(&by_scan.all)));
	buf_fini(&by_index.all);
	buf_fini(&by_scan.all);
	return by_index.count;
}

static size_t ask_at_random(struct history *history) {
	addr20 addresses[3];
	hash32 topics[4][3];
	struct log_filter filter = {.from = draw(history, BLOCKS), .to = draw(history, BLOCKS + 10)};
	filter.addresses = addresses;
	filter.address_count = draw(history, 2) * (1 + draw(history, 3));
	for (size_t i = 0; i < filter.address_count; i++) addresses[i] = contract(draw(history, CONTRACTS + 1));
	filter.topic_count = draw(history, 5);
	for (size_t place = 0; place < filter.topic_count; place++) {
		filter.topics[place].any_of = topics[place];
		filter.topics[place].count = draw(history, 2) * (1 + draw(history, 3));
		for (size_t i = 0; i < filter.topics[place].count; i++) topics[place][i] = word(draw(history, 13));
	}
	return assert_same(history, &filter, FOUND_MAX);
}

static void the_index_finds_what_is_there(void **state) {
	(void)state;
	struct history history;
	struct chain_verification found;
	size_t hits = 0;
	begin(&history, 0x5eed);
	for (size_t round = 0; round < 4; round++) {
		for (size_t i = 0; i < BLOCKS / 4; i++) add_block(&history);
		for (size_t i = 0; i < QUERIES; i++) hits += ask_at_random(&history);
		unwind(&history, draw(&history, BLOCKS / 6));
		for (size_t i = 0; i < QUERIES; i++) hits += ask_at_random(&history);
		assert_done(&history.world, chain_verify(history.world.chain, &found, 1000, &history.world.err));
	}
	assert_true(hits > 10000);
	assert_true(found.log_rows > 300);
	ledger_close(&history.world);
}

static void a_limit_ends_the_search(void **state) {
	(void)state;
	struct history history;
	const addr20 one = contract(1);
	struct log_filter filter = {.to = UINT64_MAX, .addresses = &one, .address_count = 1};
	begin(&history, 0x11317);
	for (size_t i = 0; i < 5; i++) add_block(&history);
	const size_t all = assert_same(&history, &filter, FOUND_MAX);
	assert_true(all > 4);
	assert_int_equal(assert_same(&history, &filter, all - 1), all - 1);
	struct found whole = {0};
	buf_init(&whole.all, BUF_MAX_DEFAULT);
	assert_done(&history.world, chain_logs(history.world.chain, &filter, all, keep, &whole, &history.world.err));
	assert_int_equal(whole.count, all);
	buf_fini(&whole.all);
	ledger_close(&history.world);
}

static size_t count_rows(struct ledger_world *world, enum store_table table) {
	size_t count = 0;
	struct store_cursor *cursor = store_cursor_new(world->store, NULL, table);
	for (store_cursor_seek(cursor, (struct bytes){0}); store_cursor_valid(cursor); store_cursor_next(cursor))
		count++;
	store_cursor_free(cursor);
	return count;
}

static void unwinding_leaves_nothing(void **state) {
	(void)state;
	struct history history;
	begin(&history, 0xb10c);
	for (size_t i = 0; i < 6; i++) add_block(&history);
	assert_true(count_rows(&history.world, TABLE_LOG_INDEX) > 0);
	unwind(&history, 7);
	assert_int_equal(count_rows(&history.world, TABLE_LOG_INDEX), 0);
	assert_int_equal(count_rows(&history.world, TABLE_RECEIPTS), 0);
	assert_int_equal(count_rows(&history.world, TABLE_TXS), 0);
	assert_int_equal(count_rows(&history.world, TABLE_BODY), 1);
	ledger_close(&history.world);
}

/* --- rows --- */

static void a_row_comes_back(void **state) {
	(void)state;
	static const uint32_t txs[] = {0, 1, 127, 128, 300, 70000};
	static const uint8_t row[] = {0, 0, 125, 0, 0xab, 0x01, 0xc3, 0xa0, 0x04};
	struct log_index_reader reader = log_index_reader(bytes_make(row, sizeof row));
	uint32_t tx;
	for (size_t i = 0; i < sizeof txs / sizeof *txs; i++) {
		assert_true(log_index_next(&reader, &tx));
		assert_int_equal(tx, txs[i]);
	}
	assert_false(log_index_next(&reader, &tx));
	assert_false(reader.failed);
}

static void a_malformed_row_is_told(void **state) {
	(void)state;
	static const struct {
		uint8_t bytes[12];
		size_t len;
	} bad[] = {{{0}, 0}, {{0x80}, 1}, {{5, 0xff}, 2}, {{0x80, 0x80, 0x80, 0x80, 0x80, 0}, 6},
	    {{0xff, 0xff, 0xff, 0xff, 0x0f, 0}, 6}, {{0xff, 0xff, 0xff, 0xff, 0x7f}, 5}};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct log_index_reader reader = log_index_reader(bytes_make(bad[i].bytes, bad[i].len));
		uint32_t tx;
		while (log_index_next(&reader, &tx)) continue;
		assert_true(reader.failed);
	}
}

/* Small differences in any byte give other fingerprints, and so does another place. */
static void fingerprints_differ(void **state) {
	(void)state;
	hash32 topic = {{0}};
	const addr20 none = {{0}};
	uint64_t seen[32 * 8 * 4 + 1];
	size_t count = 0;
	for (size_t i = 0; i < 32; i++)
		for (int bit = 0; bit < 8; bit++) {
			topic.b[i] = (uint8_t)(1 << bit);
			for (size_t place = 0; place < 4; place++) seen[count++] = log_index_topic(&topic, place);
			topic.b[i] = 0;
		}
	seen[count++] = log_index_address(&none);
	for (size_t i = 0; i < count; i++)
		for (size_t k = i + 1; k < count; k++) assert_true(seen[i] != seen[k]);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_index_finds_what_is_there),
	    cmocka_unit_test(a_limit_ends_the_search),
	    cmocka_unit_test(unwinding_leaves_nothing),
	    cmocka_unit_test(a_row_comes_back),
	    cmocka_unit_test(a_malformed_row_is_told),
	    cmocka_unit_test(fingerprints_differ),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
