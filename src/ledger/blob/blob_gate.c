/* Asking the gate contracts: local calls on the state of the head, with nobody's signature and no fee. */
#include "eth/abi.h"
#include "ledger/blob/blob_room.h"

#define ASK_GAS 10000000u /* over what the calldata of the largest transaction costs (EIP-7623), in blobsOf */

bool blob_gate_is(const struct blob_room *room, const addr20 *gate) {
	for (size_t i = 0; i < room->gate_count; i++)
		if (addr20_equal(&room->gates[i], gate)) return true;
	return false;
}

/* The block that the gate sees: the newest one in the time of the clock, if that is later. Blocks come only when
 * somebody sends; what a contract lets end must end on a chain that rests, too. */
static struct header header_now(const struct blob_room *room, const struct chain_head *head) {
	const uint64_t now_s = clock_now_ms(room->options.clock) / 1000;
	struct header header = head->header;
	if (header.timestamp < now_s) header.timestamp = now_s;
	return header;
}

/* Runs one call from `from` on the head's state; `answer` gets the output where it succeeded. */
static enum status call_locked(struct blob_room *room, bool *succeeded, struct buf *answer,
    const struct chain_head *head, const struct transaction *call, const addr20 *from, struct err *err) {
	struct state_source source = state_view_source(head->view);
	struct state *state = state_new(&source, err);
	const struct header header = header_now(room, head);
	struct exec_rules rules = chain_rules(room->chain, &header);
	struct exec_block_hashes hashes = chain_block_hashes(room->chain);
	struct exec_tx_result result = {0};
	executor_begin_calls(room->executor, state, &rules, &header, &hashes, err);
	enum status status = executor_call(room->executor, &result, call, from);
	if (status == STATUS_OK) {
		*succeeded = result.verdict == TX_VERDICT_OK && result.outcome == EVM_SUCCESS;
		if (*succeeded && answer) buf_append(answer, result.output);
	}
	state_free(state);
	return status;
}

static enum status ask(struct blob_room *room, bool *succeeded, struct buf *answer, const addr20 *gate,
    struct bytes input, const addr20 *from, struct err *err) {
	struct transaction call = {.type = TX_DYNAMIC_FEE, .gas_limit = ASK_GAS, .to = *gate, .data = input};
	call.chain_id = genesis_chain_id(chain_genesis(room->chain));
	call.has_chain_id = true;
	*succeeded = false;
	struct chain_head *head = chain_head(room->chain);
	pthread_mutex_lock(&room->ask_lock);
	enum status status = call_locked(room, succeeded, answer, head, &call, from, err);
	pthread_mutex_unlock(&room->ask_lock);
	chain_head_release(head);
	return status;
}

/* One word that says yes; a revert or anything else says no. */
static enum status ask_bool(
    struct blob_room *room, bool *yes, const addr20 *gate, struct bytes input, struct err *err) {
	struct buf answer;
	buf_init(&answer, 4096);
	bool succeeded;
	addr20 nobody = {{0}};
	enum status status = ask(room, &succeeded, &answer, gate, input, &nobody, err);
	struct abi_reader reader = abi_reader(buf_view(&answer));
	bool said = abi_bool(&reader);
	*yes = status == STATUS_OK && succeeded && abi_finish(&reader, NULL) == STATUS_OK && said;
	buf_fini(&answer);
	return status;
}

static enum status ask_about_item(struct blob_room *room, bool *may, const char *signature, const addr20 *gate,
    const addr20 *who, const hash32 *item, struct err *err) {
	struct buf input;
	buf_init(&input, 256);
	abi_put_selector(&input, signature);
	abi_put_address(&input, who);
	abi_put_hash32(&input, item);
	enum status status = ask_bool(room, may, gate, buf_view(&input), err);
	buf_fini(&input);
	return status;
}

enum status blob_gate_may_get(
    struct blob_room *room, bool *may, const addr20 *gate, const addr20 *who, const hash32 *item, struct err *err) {
	return ask_about_item(room, may, "mayGet(address,bytes32)", gate, who, item, err);
}

enum status blob_gate_may_audit(
    struct blob_room *room, bool *may, const addr20 *gate, const addr20 *who, const hash32 *item, struct err *err) {
	return ask_about_item(room, may, "mayAudit(address,bytes32)", gate, who, item, err);
}

enum status blob_gate_may_put(
    struct blob_room *room, bool *may, const addr20 *gate, const addr20 *who, uint64_t size, struct err *err) {
	struct buf input;
	buf_init(&input, 256);
	abi_put_selector(&input, "mayPut(address,uint256)");
	abi_put_address(&input, who);
	abi_put_u64(&input, size);
	enum status status = ask_bool(room, may, gate, buf_view(&input), err);
	buf_fini(&input);
	return status;
}

enum status blob_gate_audit_key(
    struct blob_room *room, bool *has, uint8_t xy[64], const addr20 *gate, const hash32 *item, struct err *err) {
	struct buf input, answer;
	buf_init(&input, 256);
	buf_init(&answer, 4096);
	abi_put_selector(&input, "auditKey(bytes32)");
	abi_put_hash32(&input, item);
	bool succeeded;
	addr20 nobody = {{0}};
	enum status status = ask(room, &succeeded, &answer, gate, buf_view(&input), &nobody, err);
	struct abi_reader reader = abi_reader(buf_view(&answer));
	hash32 x = abi_hash32(&reader), y = abi_hash32(&reader);
	memcpy(xy, x.b, 32);
	memcpy(xy + 32, y.b, 32);
	*has = status == STATUS_OK && succeeded && abi_finish(&reader, NULL) == STATUS_OK &&
	       !(hash32_is_zero(&x) && hash32_is_zero(&y));
	buf_fini(&input);
	buf_fini(&answer);
	return status;
}

enum status blob_gate_blobs_of(struct blob_room *room, hash32 blobs[BLOB_NAMES_MAX], size_t *count, const addr20 *gate,
    struct bytes input, struct err *err) {
	struct buf call, answer;
	buf_init(&call, input.len + 256);
	buf_init(&answer, 4096);
	abi_put_selector(&call, "blobsOf(bytes)");
	struct abi_row row = abi_row_begin(&call);
	size_t head = abi_reserve(&call);
	abi_tail(&row, head);
	abi_put_bytes(&call, input);
	bool succeeded;
	addr20 nobody = {{0}};
	enum status status = ask(room, &succeeded, &answer, gate, buf_view(&call), &nobody, err);
	struct abi_reader reader = abi_reader(buf_view(&answer));
	struct abi_reader names = abi_array(&reader, count);
	for (size_t i = 0; i < *count && i < BLOB_NAMES_MAX; i++) blobs[i] = abi_hash32(&names);
	if (!succeeded || abi_finish(&reader, NULL) != STATUS_OK) *count = 0;
	buf_fini(&call);
	buf_fini(&answer);
	return status;
}

enum status blob_gate_would_succeed(
    struct blob_room *room, bool *would, const addr20 *gate, struct bytes data, struct err *err) {
	return ask(room, would, NULL, gate, data, &room->options.node, err);
}

void blob_gate_confirm_erased_data(struct buf *out, const hash32 *item) {
	abi_put_selector(out, "confirmErased(bytes32)");
	abi_put_hash32(out, item);
}

void blob_gate_anchor_audit_data(struct buf *out, const hash32 *head, uint64_t count) {
	abi_put_selector(out, "anchorAudit(bytes32,uint64)");
	abi_put_hash32(out, head);
	abi_put_u64(out, count);
}
