#include "eth/rlp_u256.h"
#include "eth/types.h"

/* list header, address, topics' header, data's header */
#define LOG_BYTES_MIN (1 + 21 + 1 + 1)

static void encode_log(struct buf *out, const struct log *log) {
	size_t list = rlp_list_begin(out);
	rlp_put_string(out, BYTES_OF(log->address));
	rlp_put_list_header(out, 33u * log->topic_count);
	for (size_t i = 0; i < log->topic_count; i++) rlp_put_string(out, BYTES_OF(log->topics[i]));
	rlp_put_string(out, log->data);
	rlp_list_end(out, list);
}

void receipt_encode(struct buf *out, const struct receipt *receipt) {
	if (receipt->type != TX_LEGACY) buf_byte(out, (uint8_t)receipt->type);
	size_t list = rlp_list_begin(out);
	if (receipt->has_root)
		rlp_put_string(out, BYTES_OF(receipt->root));
	else
		rlp_put_u64(out, receipt->success);
	rlp_put_u64(out, receipt->cumulative_gas);
	rlp_put_string(out, bytes_make(receipt->bloom, BLOOM_BYTES));
	size_t logs = rlp_list_begin(out);
	for (size_t i = 0; i < receipt->log_count; i++) encode_log(out, &receipt->logs[i]);
	rlp_list_end(out, logs);
	rlp_list_end(out, list);
}

static void decode_log(struct log *out, struct rlp_cursor *logs) {
	struct rlp_cursor fields = rlp_enter(logs);
	rlp_fixed(&fields, out->address.b, 20);
	struct rlp_cursor topics = rlp_enter(&fields);
	while (!rlp_at_end(&topics)) {
		if (out->topic_count == 4) {
			rlp_fail(&topics, "log has more than four topics");
			break;
		}
		rlp_fixed(&topics, out->topics[out->topic_count++].b, 32);
	}
	rlp_leave(&fields, &topics);
	out->data = rlp_string(&fields);
	rlp_leave(logs, &fields);
}

/* The first field: a state root before Byzantium, 0 or 1 since (EIP-658). */
static void decode_outcome(struct receipt *out, struct rlp_cursor *fields) {
	struct bytes outcome = rlp_string(fields);
	out->has_root = outcome.len == 32;
	if (out->has_root)
		memcpy(out->root.b, outcome.data, 32);
	else if (outcome.len == 1 && outcome.data[0] == 1)
		out->success = true;
	else if (outcome.len != 0)
		rlp_fail(fields, "receipt's status is neither 0 nor 1 nor a root");
}

enum status receipt_decode(struct receipt *out, struct arena *arena, struct bytes envelope, struct err *err) {
	memset(out, 0, sizeof *out);
	if (envelope.len && envelope.data[0] < 0xc0) {
		if (envelope.data[0] < TX_ACCESS_LIST || envelope.data[0] > TX_SET_CODE)
			return err_set(err, STATUS_INVALID, "receipt: unknown type %u", envelope.data[0]);
		out->type = (enum tx_type)envelope.data[0];
		envelope = bytes_slice(envelope, 1, envelope.len - 1);
	}
	struct rlp_cursor cursor = rlp_cursor(envelope);
	struct rlp_cursor fields = rlp_enter(&cursor);
	decode_outcome(out, &fields);
	out->cumulative_gas = rlp_u64(&fields);
	rlp_fixed(&fields, out->bloom, BLOOM_BYTES);
	struct rlp_cursor logs = rlp_enter(&fields);
	out->log_count = rlp_count(&logs, LOG_BYTES_MIN);
	out->logs = arena_zalloc(arena, out->log_count, sizeof *out->logs);
	for (size_t i = 0; i < out->log_count; i++) decode_log(&out->logs[i], &logs);
	rlp_leave(&fields, &logs);
	rlp_leave(&cursor, &fields);
	enum status status = rlp_finish(&cursor, err);
	return status ? err_prefix(err, status, "receipt") : STATUS_OK;
}
