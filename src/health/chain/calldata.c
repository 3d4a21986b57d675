#include "health/chain/calldata.h"

#include "health/chain/cause.h"
#include "health/chain/heads_private.h"

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
	return err_set(err, STATUS_INTERNAL, "the node shows a transaction with too much calldata");
}

static enum status read_inputs(
    struct verified *verified, struct calldata *out, const struct client_log *logs, size_t count, struct err *err) {
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && hash32_equal(&logs[i].tx_hash, &logs[i - 1].tx_hash)) continue;
		const uint64_t block = logs[i].block_number;
		if (out->count == CALLDATA_TRANSACTIONS_MAX)
			return err_set(err, STATUS_LIMIT, "block %llu has too many transactions of one kind",
			    (unsigned long long)block);
		TRY(verified_input(verified, &out->inputs[out->count++], &logs[i].tx_hash, block, err));
	}
	return STATUS_OK;
}

enum status verified_calldata(
    struct verified *verified, struct calldata *out, const struct logs_query *query, uint64_t block, struct err *err) {
	struct logs_walk walk = {.next_block = block, .last_block = block};
	if (block == CALLDATA_ANY_BLOCK) walk.last_block = verified->head.number;
	*out = (struct calldata){0};
	while (walk.next_block <= walk.last_block) {
		struct client_log *logs;
		size_t count;
		TRY(logs_page(&walk, verified->client, &logs, &count, verified->arena, query, err));
		TRY(read_inputs(verified, out, logs, count, err));
	}
	if (out->count) return STATUS_OK;
	if (block == CALLDATA_ANY_BLOCK)
		err_set(err, STATUS_DENIED, "not proved: the node serves no event, where the chain has one");
	else
		err_set(err, STATUS_DENIED,
		    "not proved: the node serves no event in block %llu, where the chain has one",
		    (unsigned long long)block);
	return heads_not_proved(err);
}

struct logs_query calldata_query(const addr20 *contract, const struct contract_topics *topics) {
	struct logs_query query = {.address = contract};
	for (size_t i = 0; i < 4; i++)
		if (topics->has_topic[i]) query.topics[i] = (struct logs_topic){&topics->topics[i], 1};
	return query;
}

enum status verified_statement(struct verified *verified, const struct calldata_wish *wish, struct err *err) {
	struct calldata found;
	struct err why = {0};
	TRY(verified_calldata(verified, &found, &wish->query, wish->block, err));
	for (size_t i = 0; i < found.count; i++) {
		why = (struct err){0};
		if (wish->read(wish->context, found.inputs[i], &why) == STATUS_OK) return STATUS_OK;
	}
	err_set(err, STATUS_DENIED, "not proved: %s: %s", wish->what, why.message);
	return heads_not_proved(err);
}
