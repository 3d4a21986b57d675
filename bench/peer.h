/*
 * Another EVM, to be measured beside ours: a shared library that bench_evm opens (`--peer LIBRARY`). One message call
 * of London, without other accounts, again and again; preparing the code is not part of a run.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct peer_call {
	const uint8_t *code, *input; /* must outlive the peer */
	size_t code_len, input_len;
	uint8_t sender[20], recipient[20];
	int64_t gas;
};

struct peer;
struct peer *peer_new(const struct peer_call *call);
/* The gas used; -1 where the call neither succeeds nor reverts. */
int64_t peer_run(struct peer *peer);
void peer_free(struct peer *peer);

#ifdef __cplusplus
}
#endif
#endif
