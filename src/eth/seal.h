/*
 * What a chain's sealer, and a witness of the chain, sign (docs/wire-formats.md §7): typed statements in a domain that
 * belongs to one chain alone, {name "xinglin chain", version "1", chainId, salt = the genesis hash}. Never a bare hash.
 *
 *	Seal(uint64 number,bytes32 hash)                                   this block stands at this height
 *	Head(uint64 number,bytes32 hash,uint64 time,bytes32 challenge)     and it was the newest one when I was asked
 *
 * Source: EIP-712. Threads: pure.
 */
#ifndef ETH_SEAL_H
#define ETH_SEAL_H

#include "eth/u256.h"

struct head_statement {
	uint64_t number;
	hash32 hash;
	uint64_t time_s; /* the block's timestamp */
	hash32 challenge;
};

/* The domain's separator. */
hash32 seal_domain(const u256 *chain_id, const hash32 *genesis);
/* The digests that are signed. */
hash32 seal_digest(const hash32 *domain, uint64_t number, const hash32 *hash);
hash32 head_digest(const hash32 *domain, const struct head_statement *head);

#endif
