/* The table below is drawn by hand. */
/* clang-format off */
/*
 * What the tables hold, byte by byte. Numbers are big-endian, so that keys sort by number.
 *
 * | table           | key                                   | value                                                        |
 * |-----------------|---------------------------------------|--------------------------------------------------------------|
 * | META            | "schema"                              | u32: STORE_SCHEMA                                            |
 * |                 | "head"                                | number u64, hash 32                                          |
 * |                 | "genesis"                             | the genesis JSON, as given                                   |
 * |                 | "safe", "finalized"                   | hash 32, or zeros: named by a consensus layer                |
 * |                 | "comet"                               | height u64: the newest one of CometBFT's that is committed   |
 * |                 | "comet", number u64                   | height u64: at which this block was decided                  |
 * |                 | "liar", validator 20                  | height u64: last one with evidence that it signed two things |
 * |                 | "horizon"                             | first block u64, first state u64: what is kept (chain.h)     |
 * |                 | "adopting"                            | empty: a snapshot is being taken in, and is not the chain's  |
 * |                 | "aside", hash 32                      | number u64: HEADER and BODY of a block off the chain         |
 * | HEADER          | number u64, hash 32                   | header RLP                                                   |
 * | CANONICAL       | number u64                            | hash 32                                                      |
 * | NUMBER          | hash 32                               | number u64                                                   |
 * | BODY            | number u64, hash 32                   | transaction count u32, total difficulty (len u8, bytes),     |
 * |                 |                                       | RLP [[], ommers, withdrawals?]                               |
 * | TXS             | number u64, hash 32, first u32        | up to 16 transactions from index `first` on: a group (below) |
 * | RECEIPTS        | number u64, hash 32, first u32        | up to 16 receipts (below) from index `first` on: a group     |
 * | SEAL            | hash 32                               | r 32, s 32, parity u8: the sealer's signature of the hash    |
 * | TIME            | number u64, hash 32                   | milliseconds u64: the decided time of a block made here       |
 * | TX_LOOKUP       | transaction hash 32                   | number u64, index u32                                        |
 * | LOG_INDEX       | fingerprint of an address or topic    | in which transactions of the block it stands: differences of |
 * |                 | u64 (chain/log_index.h), number u64   | indexes, less 1 but for the first, in base 128               |
 * | ACCOUNT         | keccak(address) 32                    | flags u8, then by flag: nonce (len u8, bytes), balance (len  |
 * |                 |                                       | u8, bytes), code hash 32, storage root 32                    |
 * | STORAGE         | keccak(address) 32, keccak(slot) 32   | value, 1 to 32 bytes, no leading zeros                       |
 * | CODE            | code hash 32                          | the code                                                     |
 * | TRIE_ACCOUNT    | nibble path, one a byte, 0 to 63      | branch record (trie/branch.h)                                |
 * | TRIE_STORAGE    | keccak(address) 32, nibble path       | branch record                                                |
 * | CHANGES         | number u64                            | keys that the block changed (below)                          |
 * | ACCOUNT_HISTORY | keccak(address) 32, number u64        | the ACCOUNT value before that block; empty: absent           |
 * | STORAGE_HISTORY | keccak(address) 32, keccak(slot) 32,  | the STORAGE value before that block; empty: zero             |
 * |                 | number u64                            |                                                              |
 * | BLOB            | "i" gate 20, item 32                  | blob 32, size u64, state u8 (blob/blob_room.h)               |
 * |                 | "e" gate 20, item 32                  | empty: erased here, not yet confirmed on the chain           |
 * |                 | "m" gate 20, blob 32, item 32         | empty: the item was named with this blob and awaits it       |
 * |                 | "h"                                   | number u64: events up to this block have taken effect,       |
 * |                 |                                       | count u32: and so many gates' events of the next one         |
 * |                 | "u"                                   | number u64: what was named up to this block is to be learned |
 * |                 | "n" expiry u64, account 20, nonce u64 | empty: a signed request that was served                      |
 * |                 | "b"                                   | in which run of the machine the blobs were open, or "closed" |
 * |                 | "a" list 32, number u64               | offset u64 and length u32 of an audit entry in audit.log,    |
 * |                 |                                       | time u64, the list's head after it 24                        |
 * |                 | "s" hash 32                           | round u64, node 65: of the map of lists (crypto/merkle_map.h) |
 * |                 | "x" round u64, hash 32                | empty: a node that was replaced in this round                |
 * |                 | "A"                                   | end u64, count u64: audit.log has rows up to; round u64, root |
 * |                 |                                       | 32 of the map; root 32 and count u64 of the two frozen last  |
 *
 * ACCOUNT flags: 1 nonce is not zero, 2 balance is not zero, 4 has code, 8 has storage.
 * TXS and RECEIPTS: a group is count u8, end offset u32 each, then the items. A transaction is its envelope (EIP-2718).
 * A receipt: sender 20, gas used u64, index of its first log u32, type u8, status u8 (0, 1; 2: a root follows, 32), cumulative gas
 * u64, log count u32, then each log: address 20, topic count u8, topics, data length u32, data. Its bloom is computed when asked for.
 * RECEIPTS and LOG_INDEX are of the chain's blocks alone, TXS and BODY also of those aside.
 * CHANGES value: account count u32, keccak(address) 32 each; storage group count u32, each: keccak(address) 32, slot count u32,
 * keccak(slot) 32 each. All sorted. The old values stand in the two history tables, so that unwinding, archive queries and audit
 * come from the same rows: the value of a key at block n is in the first history row of it with number > n, else in the flat table.
 */
/* clang-format on */
#ifndef LEDGER_STORE_TABLES_H
#define LEDGER_STORE_TABLES_H

#define STORE_SCHEMA 2u

#endif
