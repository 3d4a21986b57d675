/* A request of ABCI is read or refused; what is read lies within the message, and every answer to it is well-formed. */
#include "codec/protobuf.h"
#include "fuzz/target.h"
#include "ledger/consensus/abci.h"

static void check_within(struct bytes part, struct bytes whole) {
	if (part.len == 0) return;
	BUG_ON(part.data < whole.data || part.data + part.len > whole.data + whole.len);
}

static void check_block(const struct abci_block *block, struct bytes input) {
	size_t bytes = 0;
	for (size_t i = 0; i < block->tx_count; i++) {
		check_within(block->txs[i], input);
		bytes += block->txs[i].len;
	}
	BUG_ON(bytes > input.len);
	check_within(block->hash, input);
	check_within(block->proposer, input);
}

static void check_request(const struct abci_request *request, struct bytes input) {
	switch (request->kind) {
	case ABCI_ECHO: check_within(request->echo, input); break;
	case ABCI_INFO: check_within(request->version, input); break;
	case ABCI_INIT_CHAIN:
		check_within(request->init.chain_id, input);
		BUG_ON(request->init.validator_count > ABCI_VALIDATORS_MAX);
		break;
	case ABCI_QUERY:
		check_within(request->query.path, input);
		check_within(request->query.data, input);
		break;
	case ABCI_CHECK_TX: check_within(request->check_tx, input); break;
	case ABCI_PREPARE_PROPOSAL:
	case ABCI_PROCESS_PROPOSAL:
	case ABCI_FINALIZE_BLOCK: check_block(&request->block, input); break;
	case ABCI_OFFER_SNAPSHOT:
		check_within(request->offer.snapshot.hash, input);
		check_within(request->offer.snapshot.manifest, input);
		check_within(request->offer.app_hash, input);
		break;
	case ABCI_APPLY_SNAPSHOT_CHUNK:
		check_within(request->chunk.content, input);
		check_within(request->chunk.sender, input);
		break;
	case ABCI_FLUSH:
	case ABCI_COMMIT:
	case ABCI_LIST_SNAPSHOTS:
	case ABCI_LOAD_SNAPSHOT_CHUNK: break;
	}
}

/* What was proposed comes back from our own answer as it was. */
static void answer_block(const struct abci_block *block) {
	struct buf out;
	struct protobuf_field answer, field;
	buf_init(&out, 1 << 26);
	abci_put_prepared(&out, block->txs, block->tx_count);
	struct protobuf_cursor cursor = protobuf_cursor(buf_view(&out));
	BUG_ON(!protobuf_next(&cursor, &answer) || answer.number != ABCI_PREPARE_PROPOSAL + 1);
	struct protobuf_cursor txs = protobuf_cursor(answer.bytes);
	for (size_t i = 0; i < block->tx_count; i++)
		BUG_ON(!protobuf_next(&txs, &field) || !bytes_equal(field.bytes, block->txs[i]));
	BUG_ON(protobuf_finish(&txs, NULL) != STATUS_OK || protobuf_finish(&cursor, NULL) != STATUS_OK);
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const struct bytes input = bytes_make(data, size);
	struct abci_request request;
	struct arena arena;
	struct err err;
	arena_init(&arena);
	if (abci_request_decode(&request, &arena, input, &err) == STATUS_OK) {
		check_request(&request, input);
		if (request.kind == ABCI_PREPARE_PROPOSAL) answer_block(&request.block);
	}
	arena_fini(&arena);
	return 0;
}
