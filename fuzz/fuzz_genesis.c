/* A genesis that is taken gives a header, rules for any block, and a state that can be filled. */
#include "fuzz/target.h"
#include "ledger/chain/genesis.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct genesis *genesis;
	struct err err;
	if (genesis_parse(&genesis, bytes_make(data, size), &err) != STATUS_OK) return 0;
	addr20 sealer, gates[BLOB_GATES_MAX];
	struct dao_fork dao;
	struct buf out;
	const struct header header = genesis_header(genesis);
	const uint64_t far[] = {0, 1, header.number, header.timestamp, UINT32_MAX, UINT64_MAX};
	buf_init(&out, 1 << 20);
	header_encode(&out, &header);
	for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
		const struct exec_rules rules = genesis_rules(genesis, far[i], far[i], i % 2 == 0);
		BUG_ON((unsigned)rules.fork >= FORK_COUNT);
		BUG_ON(header_field_count(rules.fork) < 15);
	}
	BUG_ON(genesis_blob_gates(genesis, gates) > BLOB_GATES_MAX);
	(void)genesis_sealer(genesis, &sealer), (void)genesis_admission(genesis, &sealer),
	    (void)genesis_members(genesis, &sealer), (void)genesis_dao_fork(genesis, &dao);
	BUG_ON(!bytes_equal(genesis_json(genesis), bytes_make(data, size)));
	struct state *state = state_new(NULL, &err);
	const enum status status = genesis_fill_state(genesis, state, &err);
	BUG_ON(status != STATUS_OK && err.message[0] == 0);
	state_free(state);
	genesis_free(genesis);
	buf_fini(&out);
	return 0;
}
