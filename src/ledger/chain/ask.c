#include "ledger/chain/ask.h"

#include "ledger/exec/exec.h"

struct chain_asker {
	struct chain *chain;
	struct executor *executor;
};

struct chain_asker *chain_asker_new(struct chain *chain) {
	struct chain_asker *asker = mem_zalloc(1, sizeof *asker);
	asker->chain = chain;
	asker->executor = executor_new();
	return asker;
}

void chain_asker_free(struct chain_asker *asker) {
	if (asker == NULL) return;
	executor_free(asker->executor);
	mem_free(asker);
}

static struct transaction call_of(const struct chain_asker *asker, const struct chain_question *question) {
	return (struct transaction){.type = TX_DYNAMIC_FEE,
	    .has_chain_id = true,
	    .chain_id = genesis_chain_id(chain_genesis(asker->chain)),
	    .gas_limit = question->gas,
	    .to = question->to,
	    .value_wei = question->value_wei,
	    .data = question->input};
}

static enum status ask_at(struct chain_asker *asker, bool *succeeded, struct buf *output, const struct chain_head *head,
    const struct chain_question *question, struct err *err) {
	const struct state_source source = state_view_source(head->view);
	struct state *state = state_new(&source, err);
	struct header header = head->header;
	if (header.timestamp < question->now_s) header.timestamp = question->now_s;
	const struct exec_rules rules = chain_rules(asker->chain, &header);
	const struct exec_block_hashes hashes = chain_block_hashes(asker->chain);
	const struct transaction call = call_of(asker, question);
	struct exec_tx_result result = {0};
	executor_begin_calls(asker->executor, state, &rules, &header, &hashes, err);
	const enum status status = executor_call(asker->executor, &result, &call, &question->from);
	if (status == STATUS_OK) {
		*succeeded = result.verdict == TX_VERDICT_OK && result.outcome == EVM_SUCCESS;
		if (*succeeded && output != NULL) buf_append(output, result.output);
		for (size_t i = 0; *succeeded && question->event != NULL && i < result.receipt.log_count; i++)
			question->event(question->context, &result.receipt.logs[i]);
	}
	state_free(state);
	return status;
}

enum status chain_ask(struct chain_asker *asker, bool *succeeded, struct buf *output,
    const struct chain_question *question, struct err *err) {
	*succeeded = false;
	struct chain_head *head = chain_head(asker->chain);
	const enum status status = ask_at(asker, succeeded, output, head, question, err);
	chain_head_release(head);
	return status;
}
