#include "health/chain/calldata.h"

#include "health/chain/heads_private.h"
#include "health/contracts/cause.h"

enum status verified_input(
    struct verified *verified, struct bytes *out, const hash32 *tx_hash, uint64_t block, struct err *err) {
	const struct json *answer;
	TRY(client_rpc(verified->client, &answer, NULL, verified->arena, "eth_getTransactionByHash",
	    client_hash_param(verified->arena, tx_hash), err));
	if (!json_is(answer, JSON_OBJECT)) {
		err_set(err, STATUS_DENIED, "not proved: the node does not serve a transaction of block %llu",
		    (unsigned long long)block);
		return heads_not_proved(err);
	}
	TRY(client_answer_data(out, verified->arena, json_get(answer, "input"), "transaction's input", err));
	if (out->len <= CONTRACT_CALL_MAX) return STATUS_OK;
	return client_senseless(err, "the node shows a transaction with too much calldata");
}

/* Where calldata may stand: each transaction once, in the chain's order. */
struct places {
	struct place {
		hash32 tx;
		uint64_t block;
	} * all;
	size_t count, cap;
};

static enum status note_place(
    struct verified *verified, struct places *places, const struct client_log *log, struct err *err) {
	if (places->count && hash32_equal(&places->all[places->count - 1].tx, &log->tx_hash)) return STATUS_OK;
	if (places->count == CALLDATA_TRANSACTIONS_MAX)
		return err_set(err, STATUS_LIMIT, "more than %u transactions of one kind up to block %llu",
		    CALLDATA_TRANSACTIONS_MAX, (unsigned long long)log->block_number);
	if (places->count == places->cap) {
		places->cap = places->cap ? 2 * places->cap : 8;
		struct place *more = arena_zalloc(verified->arena, places->cap, sizeof *more);
		if (places->count) memcpy(more, places->all, places->count * sizeof *more);
		places->all = more;
	}
	places->all[places->count++] = (struct place){log->tx_hash, log->block_number};
	return STATUS_OK;
}

static enum status find_places(
    struct verified *verified, struct places *out, const struct calldata_wish *wish, struct err *err) {
	struct logs_walk walk = {.next_block = wish->block, .last_block = wish->block};
	if (wish->block == CALLDATA_ANY_BLOCK) walk.last_block = verified->head.number;
	while (walk.next_block <= walk.last_block) {
		struct client_log *logs;
		size_t count;
		TRY(logs_page(&walk, verified->client, &logs, &count, verified->arena, &wish->query, err));
		for (size_t i = 0; i < count; i++) TRY(note_place(verified, out, &logs[i], err));
	}
	if (out->count) return STATUS_OK;
	if (wish->block == CALLDATA_ANY_BLOCK)
		err_set(err, STATUS_DENIED, "not proved: the node serves no event, where the chain has one");
	else
		err_set(err, STATUS_DENIED,
		    "not proved: the node serves no event in block %llu, where the chain has one",
		    (unsigned long long)wish->block);
	return heads_not_proved(err);
}

struct logs_query calldata_query(const addr20 *contract, const struct contract_topics *topics) {
	struct logs_query query = {.address = contract};
	for (size_t i = 0; i < 4; i++)
		if (topics->has_topic[i]) query.topics[i] = (struct logs_topic){&topics->topics[i], 1};
	return query;
}

enum status verified_statement(struct verified *verified, const struct calldata_wish *wish, struct err *err) {
	struct places places = {0};
	struct err why = {0};
	TRY(find_places(verified, &places, wish, err));
	for (size_t i = 0; i < places.count; i++) {
		const struct place *place = &places.all[wish->oldest_first ? i : places.count - 1 - i];
		struct bytes input;
		TRY(verified_input(verified, &input, &place->tx, place->block, err));
		why = (struct err){0};
		if (wish->read(wish->context, input, &why) == STATUS_OK) return STATUS_OK;
	}
	err_set(err, STATUS_DENIED, "not proved: %s: %s", wish->what, why.message);
	return heads_not_proved(err);
}
