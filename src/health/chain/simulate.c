/* Transactions tried one after another before any of them is sent (eth_simulateV1). */
#include <stdio.h>

#include "health/chain/client_private.h"
#include "health/chain/outbox.h"

#define TX_GAS 21000u
#define REFUND_PART 4u  /* used is what is left after a refund of at most a fifth (EIP-3529) */
#define RESERVE_PART 8u /* for 64ths that calls keep back (EIP-150), and for what others change meanwhile */

static void put_call(struct json_writer *writer, const addr20 *from, const addr20 *to, struct bytes data) {
	json_object_begin(writer, NULL);
	json_put_hex(writer, "from", BYTES_OF(*from));
	json_put_hex(writer, "to", BYTES_OF(*to));
	json_put_hex(writer, "data", data);
	json_put_text(writer, "gas", "0x1000000"); /* OUTBOX_GAS_MAX */
	json_object_end(writer);
}

static void put_params(
    struct json_writer *writer, const addr20 *from, const addr20 *to, const struct bytes *calls, size_t count) {
	json_array_begin(writer, NULL);
	json_object_begin(writer, NULL);
	json_array_begin(writer, "blockStateCalls");
	json_object_begin(writer, NULL);
	json_array_begin(writer, "calls");
	for (size_t i = 0; i < count; i++) put_call(writer, from, to, calls[i]);
	json_array_end(writer);
	json_object_end(writer);
	json_array_end(writer);
	json_put_bool(writer, "omitStateRoot", true); /* half of the work; nodes that do not know it pass over it */
	json_object_end(writer);
	json_put_text(writer, NULL, "latest");
	json_array_end(writer);
}

static enum status read_one(
    struct client_simulated *out, struct arena *arena, const struct json *call, struct err *err) {
	uint64_t succeeded, used, most;
	struct client_error error;
	*out = (struct client_simulated){.verdict = {.ok = true}};
	TRY(client_answer_quantity(&succeeded, json_get(call, "status"), "simulated status", err));
	TRY(client_answer_quantity(&used, json_get(call, "gasUsed"), "simulated gas", err));
	if (succeeded != 1) {
		client_read_error(&error, arena, json_get(call, "error"));
		client_verdict_of_error(&out->verdict, &error);
		return STATUS_OK;
	}
	most = used < OUTBOX_GAS_MAX ? used + used / REFUND_PART : used;
	if (json_get(call, "maxUsedGas"))
		TRY(client_answer_quantity(&most, json_get(call, "maxUsedGas"), "simulated gas", err));
	if (used < TX_GAS || used > OUTBOX_GAS_MAX || most < used)
		return client_senseless(
		    err, "the node's simulation says that a transaction used %llu gas", (unsigned long long)used);
	out->used_gas = used;
	out->limit_gas = most < OUTBOX_GAS_MAX ? most + most / RESERVE_PART : most;
	if (out->limit_gas > OUTBOX_GAS_MAX) out->limit_gas = OUTBOX_GAS_MAX;
	return STATUS_OK;
}

enum status client_simulate(struct client *client, struct client_simulated *out, struct arena *arena,
    const addr20 *from, const addr20 *to, const struct bytes *calls, size_t count, struct err *err) {
	const struct json *result;
	struct buf params;
	size_t n = 0;
	buf_init(&params, CLIENT_ANSWER_MAX);
	struct json_writer writer = json_writer(&params);
	put_params(&writer, from, to, calls, count);
	enum status status = client_rpc(client, &result, NULL, arena, "eth_simulateV1", buf_view(&params), err);
	buf_fini(&params);
	if (status == STATUS_DENIED) return STATUS_UNSUPPORTED;
	TRY(status);
	const struct json *block = json_is(result, JSON_ARRAY) && result->count == 1 ? result->first : NULL;
	const struct json *answers = json_get(block, "calls");
	if (!json_is(answers, JSON_ARRAY) || answers->count != count)
		return client_senseless(err, "the node simulates other transactions than it was asked to");
	json_foreach (call, answers) TRY(read_one(&out[n++], arena, call, err));
	return STATUS_OK;
}
