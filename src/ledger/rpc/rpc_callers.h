/*
 * Who asks JSON-RPC, and how much of it. With keys, only a bearer token (RFC 6750) opens it: a JWT of an issuer whose
 * JWK set the node has (envelope/jwt.h), for its audience; or one that was made with a secret of 32 bytes that both
 * sides hold, as between the two halves of an Ethereum client. A claim `methods`, an array of names as rpc_options.only
 * has them, narrows what its caller may ask.
 *
 * A caller is a token's subject (`sub`), else its address (of IPv6 the first 64 bits). It has two buckets, of requests
 * and of gas that calls used. Each fills at its rate and holds CALLERS_BURST_SECONDS of it. A batch costs as many
 * requests as it has members. Who has a whole request left is served, and may owe something afterwards; who owes waits.
 * So a large batch is possible, and no caller gets more than its rate for long.
 *
 * The last CALLERS_MAX callers, about, are known. Who is forgotten begins anew with full buckets.
 *
 * Threads: any. Ownership: clock and random are borrowed.
 */
#ifndef LEDGER_RPC_RPC_CALLERS_H
#define LEDGER_RPC_RPC_CALLERS_H

#include "base/http.h"
#include "base/world.h"

#define CALLERS_BURST_SECONDS 10u
#define CALLERS_MAX 4096u
#define CALLERS_RATE_MAX ((uint64_t)100000000000)
#define CALLER_METHODS_BYTES ((size_t)4096)

struct rpc_callers_options {
	uint64_t requests_a_second, gas_a_second; /* of each caller, to CALLERS_RATE_MAX; 0: without limit */
	const struct clock_source *clock;
	const struct random_source *random;
};

/* All are texts of the caller's, which are copied. */
struct rpc_caller_keys {
	struct bytes text;             /* a JWK set; or 64 hexadecimal digits, also behind 0x: the shared secret */
	const char *issuer, *audience; /* of a JWK set: what iss and aud have to be */
};

struct rpc_caller {
	uint64_t id;
	bool is_narrow;       /* asks `methods` alone: names with spaces between */
	struct bytes methods; /* in the arena of rpc_callers_find */
	uint64_t lasts_ms;    /* from now until its token is taken no more; 0: the token says no end */
};

struct rpc_caller_counts {
	uint64_t unknown;     /* requests without a token that opens anything */
	uint64_t limited;     /* messages that came too soon */
	uint64_t gas_limited; /* calls, for their caller's gas */
};

struct rpc_callers;
struct rpc_callers *rpc_callers_new(const struct rpc_callers_options *options);
void rpc_callers_free(struct rpc_callers *callers); /* NULL is allowed */
/* In place of those before; if it fails, those stay. STATUS_INVALID: they are no keys, or a JWK set comes without its
 * issuer and its audience. */
MUST_USE enum status rpc_callers_set_keys(
    struct rpc_callers *callers, const struct rpc_caller_keys *keys, struct err *err);
/* Who sends this request. STATUS_DENIED: nobody whom the keys know; `err` is for the sender too, and names no secret.
 */
MUST_USE enum status rpc_callers_find(struct rpc_callers *callers, struct rpc_caller *out, struct arena *arena,
    const struct http_request *request, struct err *err);

/* Takes so many requests. Not 0: it took none, and after so many seconds there will be one. */
MUST_USE uint32_t rpc_callers_take(struct rpc_callers *callers, const struct rpc_caller *caller, size_t requests);
/* The same without taking anything. */
MUST_USE uint32_t rpc_callers_wait(struct rpc_callers *callers, const struct rpc_caller *caller);
/* Has it gas left? False is counted. */
MUST_USE bool rpc_callers_have_gas(struct rpc_callers *callers, const struct rpc_caller *caller);
void rpc_callers_spend_gas(struct rpc_callers *callers, const struct rpc_caller *caller, uint64_t gas);
/* Does its token allow this method? */
bool rpc_caller_may(const struct rpc_caller *caller, const char *method);
struct rpc_caller_counts rpc_callers_count(struct rpc_callers *callers);

#endif
