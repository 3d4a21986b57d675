#include "health/chain/calldata.h"

#include "health/chain/cause.h"
#include "health/chain/heads_private.h"
#include "health/contracts/contract.h"

static enum status read_input(
    struct verified *verified, struct bytes *out, const hash32 *tx_hash, uint64_t block, struct err *err) {
	const struct json *answer;
	struct buf params;
	buf_init(&params, 128);
	struct json_writer writer = json_writer(&params);
	json_array_begin(&writer, NULL);
	json_put_hex(&writer, NULL, BYTES_OF(*tx_hash));
	json_array_end(&writer);
	enum status status = client_rpc(
	    verified->client, &answer, NULL, verified->arena, "eth_getTransactionByHash", buf_view(&params), err);
	buf_fini(&params);
	TRY(status);
	if (!json_is(answer, JSON_OBJECT)) {
		err_set(err, STATUS_DENIED, "not proved: the node does not serve a transaction of block %llu",
		    (unsigned long long)block);
		return not_proved(err);
	}
	TRY(client_answer_data(out, verified->arena, json_get(answer, "input"), "transaction's input", err));
	if (out->len <= CONTRACT_CALL_MAX) return STATUS_OK;
	return err_set(err, STATUS_INTERNAL, "the node shows a transaction with too much calldata");
}

enum status verified_calldata(
    struct verified *verified, struct calldata *out, const struct logs_query *query, uint64_t block, struct err *err) {
	struct logs_walk walk = {.next_block = block, .last_block = block};
	struct client_log *logs;
	size_t count;
	*out = (struct calldata){0};
	TRY(logs_page(&walk, verified->client, &logs, &count, verified->arena, query, err));
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && hash32_equal(&logs[i].tx_hash, &logs[i - 1].tx_hash)) continue;
		if (out->count == CALLDATA_TRANSACTIONS_MAX)
			return err_set(err, STATUS_LIMIT, "block %llu has too many transactions of one kind",
			    (unsigned long long)block);
		TRY(read_input(verified, &out->inputs[out->count++], &logs[i].tx_hash, block, err));
	}
	if (out->count) return STATUS_OK;
	err_set(err, STATUS_DENIED, "not proved: the node serves no event in block %llu, where the chain has one",
	    (unsigned long long)block);
	return not_proved(err);
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
	return not_proved(err);
}
