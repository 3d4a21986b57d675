/* Receipts of a block, each proved by its way to receiptsRoot. */
#include "crypto/hash.h"
#include "eth/hash_builder.h"
#include "eth/proof.h"
#include "health/chain/heads_private.h"
#include "health/chain/settled.h"

#define QUESTION_MAX 64u   /* places of one question */
#define NO_METHOD (-32601) /* JSON-RPC 2.0 */

static const char not_the_blocks[] = "the receipts that the node shows are not the block's";

struct reading {
	struct client *client;
	struct arena *arena;
	const struct settled_block *block;
	struct receipt *receipts; /* by place */
	bool *is_needed;
	size_t next; /* the first that may still be needed */
};

static enum status refuse(const struct reading *r, const char *what, struct err *err) {
	return heads_refuse_block(err, r->block->number, what);
}

static enum status decode(const struct reading *r, size_t place, struct bytes encoded, struct err *err) {
	if (receipt_decode(&r->receipts[place], r->arena, encoded, NULL) == STATUS_OK) return STATUS_OK;
	return refuse(r, "a receipt of the block is not one", err);
}

/* --- with their proofs --- */

static size_t next_places(const struct reading *r, size_t places[QUESTION_MAX]) {
	size_t count = 0;
	for (size_t i = r->next; i < r->block->count && count < QUESTION_MAX; i++)
		if (r->is_needed[i]) places[count++] = i;
	return count;
}

static struct bytes params_of(const struct reading *r, const size_t *places, size_t count) {
	struct buf text;
	buf_init(&text, 4096);
	struct json_writer writer = json_writer(&text);
	json_array_begin(&writer, NULL);
	json_put_hex(&writer, NULL, BYTES_OF(r->block->hash));
	json_array_begin(&writer, NULL);
	for (size_t i = 0; i < count; i++) json_put_u64(&writer, NULL, places[i]);
	json_array_end(&writer);
	json_array_end(&writer);
	const struct bytes params = arena_dup(r->arena, buf_view(&text));
	buf_fini(&text);
	return params;
}

static enum status take_proof(const struct reading *r, size_t place, const struct json *list, struct err *err) {
	struct bytes *nodes, receipt;
	size_t count;
	if (heads_proof_nodes(&nodes, &count, r->arena, list, NULL) != STATUS_OK ||
	    proof_ordered(&receipt, &r->block->receipts_root, place, nodes, count, NULL) != STATUS_OK)
		return refuse(r, not_the_blocks, err);
	return decode(r, place, receipt, err);
}

/* A node answers the first ones that fit, one at least. */
static enum status read_proofs(struct reading *r, struct client_error *error, struct err *err) {
	size_t places[QUESTION_MAX], count;
	while ((count = next_places(r, places)) > 0) {
		const struct json *answer;
		size_t i = 0;
		enum status status = client_rpc(
		    r->client, &answer, error, r->arena, "xinglin_receiptProofs", params_of(r, places, count), err);
		if (status == STATUS_DENIED) return refuse(r, error->message, err);
		TRY(status);
		if (!json_is(answer, JSON_ARRAY) || answer->count == 0 || answer->count > count)
			return refuse(r, "the node shows no receipts", err);
		json_foreach (list, answer) TRY(take_proof(r, places[i++], list, err));
		r->next = places[i - 1] + 1;
	}
	return STATUS_OK;
}

/* --- all of them --- */

static enum status read_all(const struct reading *r, struct err *err) {
	const size_t count = r->block->count;
	struct bytes *encoded = arena_zalloc(r->arena, count + 1, sizeof *encoded);
	struct client_error error = {0};
	const struct json *answer;
	size_t i = 0;
	enum status status = client_rpc(r->client, &answer, &error, r->arena, "debug_getRawReceipts",
	    client_hash_param(r->arena, &r->block->hash), err);
	if (status == STATUS_DENIED) return refuse(r, error.message, err);
	TRY(status);
	if (!json_is(answer, JSON_ARRAY) || answer->count != count) return refuse(r, not_the_blocks, err);
	json_foreach (receipt, answer)
		if (client_answer_data(&encoded[i++], r->arena, receipt, "receipt", NULL) != STATUS_OK)
			return refuse(r, "the node shows no receipts", err);
	const hash32 root = ordered_trie_root(encoded, count);
	if (!hash32_equal(&root, &r->block->receipts_root)) return refuse(r, not_the_blocks, err);
	for (i = 0; i < count; i++) TRY(decode(r, i, encoded[i], err));
	return STATUS_OK;
}

/* --- what they say --- */

/* The gas of one is what is used up after it, less what was before. */
static struct client_receipt receipt_at(const struct reading *r, size_t place) {
	const struct settled_block *block = r->block;
	const struct transaction *tx = &block->transactions[place];
	const struct receipt *receipt = &r->receipts[place];
	struct client_receipt out = {.tx_hash = block->hashes[place],
	    .block_hash = block->hash,
	    .block_number = block->number,
	    .gas_used = receipt->cumulative_gas - (place ? r->receipts[place - 1].cumulative_gas : 0),
	    .success = receipt->success,
	    .logs = receipt->logs,
	    .log_count = receipt->log_count};
	addr20 sender;
	if (tx->is_create && receipt->success && transaction_sender(&sender, tx, true, NULL) == STATUS_OK)
		out.created = address_of_create(&sender, tx->nonce);
	return out;
}

enum status settled_receipts(struct client_receipt *out, struct client *client, struct arena *arena,
    const struct settled_block *block, const size_t *places, size_t count, struct err *err) {
	struct client_error error = {0};
	struct reading reading = {.client = client, .arena = arena, .block = block};
	reading.receipts = arena_zalloc(arena, block->count + 1, sizeof *reading.receipts);
	reading.is_needed = arena_zalloc(arena, block->count + 1, sizeof *reading.is_needed);
	for (size_t i = 0; i < count; i++) {
		BUG_ON(places[i] >= block->count);
		reading.is_needed[places[i]] = true;
		if (places[i]) reading.is_needed[places[i] - 1] = true;
	}
	enum status status = read_proofs(&reading, &error, err);
	if (status != STATUS_OK && error.code == NO_METHOD) status = read_all(&reading, err);
	TRY(status);
	for (size_t i = 0; i < count; i++) out[i] = receipt_at(&reading, places[i]);
	return STATUS_OK;
}

/* --- logs --- */

static bool is_same_log(const struct log *a, const struct log *b) {
	return addr20_equal(&a->address, &b->address) && a->topic_count == b->topic_count &&
	       memcmp(a->topics, b->topics, a->topic_count * sizeof *a->topics) == 0 && bytes_equal(a->data, b->data);
}

bool settled_holds(const struct client_receipt *receipt, const struct client_log *log) {
	if (log->block_number != receipt->block_number || !hash32_equal(&log->tx_hash, &receipt->tx_hash)) return false;
	for (size_t i = 0; i < receipt->log_count; i++)
		if (is_same_log(&receipt->logs[i], &log->log)) return true;
	return false;
}
