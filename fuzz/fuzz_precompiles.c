/* Precompiles: bounded output, pure, and nothing appended where the input is refused. The first two bytes say which,
 * and in which fork. */
#include "fuzz/target.h"
#include "ledger/evm/precompiles.h"

#define GAS_MAX 300000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size < 2) return 0;
	addr20 address = {{0}};
	address.b[19] = data[0] % 0x12;
	if (address.b[19] == 0) address.b[18] = 1; /* P256VERIFY: 0x100 */
	const enum fork fork = (enum fork)(data[1] % FORK_COUNT);
	const struct precompile *precompile = precompile_find(fork, &address);
	const struct bytes input = bytes_make(data + 2, size - 2);
	struct buf first, again;
	if (!precompile) return 0;
	buf_init(&first, input.len + 2 * PRECOMPILE_MODEXP_BYTES_MAX);
	buf_init(&again, input.len + 2 * PRECOMPILE_MODEXP_BYTES_MAX);
	const struct precompile_result one = precompile_run(precompile, &first, fork, input, GAS_MAX);
	const struct precompile_result two = precompile_run(precompile, &again, fork, input, GAS_MAX);
	BUG_ON(one.success != two.success || one.gas_used != two.gas_used || one.gas_used > GAS_MAX);
	BUG_ON(!bytes_equal(buf_view(&first), buf_view(&again)));
	BUG_ON(!one.success && (first.len != 0 || one.gas_used != GAS_MAX));
	buf_fini(&first);
	buf_fini(&again);
	return 0;
}
