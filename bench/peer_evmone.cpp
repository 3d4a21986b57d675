/* evmone's baseline interpreter as a peer, over the host of EVMC's own tests. Built by bench/build-evmone. */
#include "peer.h"

#include <evmc/mocked_host.hpp>
#include <evmone/baseline.hpp>
#include <evmone/evmone.h>
#include <evmone/vm.hpp>

#include <cstring>

struct peer {
	evmc::VM vm{evmc_create_evmone()};
	evmc::MockedHost host;
	evmone::baseline::CodeAnalysis code;
	evmc_message message{};
};

struct peer *peer_new(const struct peer_call *call) {
	auto *made = new peer{.code = evmone::baseline::analyze({call->code, call->code_len}, false)};
	made->message.kind = EVMC_CALL;
	made->message.gas = call->gas;
	std::memcpy(made->message.sender.bytes, call->sender, sizeof call->sender);
	std::memcpy(made->message.recipient.bytes, call->recipient, sizeof call->recipient);
	made->message.code_address = made->message.recipient;
	made->message.input_data = call->input;
	made->message.input_size = call->input_len;
	return made;
}

int64_t peer_run(struct peer *peer) {
	auto &vm = *static_cast<evmone::VM *>(peer->vm.get_raw_pointer());
	const evmc::Result result{evmone::baseline::execute(
	    vm, peer->host.get_interface(), peer->host.to_context(), EVMC_LONDON, peer->message, peer->code)};
	if (result.status_code != EVMC_SUCCESS && result.status_code != EVMC_REVERT) return -1;
	return peer->message.gas - result.gas_left;
}

void peer_free(struct peer *peer) {
	delete peer;
}
