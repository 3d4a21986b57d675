/*
 * Who the members of a consortium are: the list that a contract keeps, whose address the genesis names
 * (config.xinglin.members). An engine reads it straight from the state, by the contract's storage layout
 * (contracts/src/Members.sol), so that no execution stands between a block and who decides the next one.
 *
 * Slot 0 has the list's length, and member i three slots from keccak256(uint256(0)) + 3 i on: its account in the low
 * 160 bits and its power in the 64 above; its CometBFT key; and the identifier of its CometBFT node in the low 160
 * bits.
 *
 * Threads: pure.
 */
#ifndef LEDGER_CONSENSUS_MEMBERS_H
#define LEDGER_CONSENSUS_MEMBERS_H

#include "ledger/chain/chain.h"
#include "ledger/consensus/abci.h"

enum { MEMBERS_MAX = 64, MEMBERS_UPDATES_MAX = 2 * MEMBERS_MAX };

struct member {
	addr20 account; /* gets the tips of the blocks that it proposes, and votes on members */
	struct abci_validator validator;
	addr20 node;    /* of CometBFT's node key */
	addr20 address; /* of the validator's key, as CometBFT names a proposer */
};
struct members {
	struct member list[MEMBERS_MAX];
	size_t count;
};

/* STATUS_CORRUPT: the contract's storage is no such list. */
MUST_USE enum status members_read(
    struct members *out, const struct state_source *state, const addr20 *contract, struct err *err);
/* Who holds shares of the outer seal's key (eth/outer.h): slots 4 and 5. number 0: nobody said. */
struct members_seal {
	hash32 statement;
	uint64_t number;
};
MUST_USE enum status members_seal_read(
    struct members_seal *out, const struct state_source *state, const addr20 *contract, struct err *err);
/* Did the contract say, in one of these receipts, that its list changed? */
bool members_changed(const struct receipt *receipts, size_t count, const addr20 *contract);
/* What makes the validators `before` into those of `after`: by key; a power of 0 removes one. Returns how many. */
size_t members_updates(
    struct abci_validator out[MEMBERS_UPDATES_MAX], const struct members *before, const struct members *after);
/* Are these the members' validators, in any order? */
bool members_are(const struct members *members, const struct abci_validator *validators, size_t count);
/* NULL: nobody of that address, or of that node. */
const struct member *members_by_address(const struct members *members, struct bytes address);
const struct member *members_by_node(const struct members *members, const addr20 *node);

#endif
