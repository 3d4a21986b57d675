/*
 * What travels on an Ethereum chain: transactions, headers, blocks, receipts, logs (Yellow Paper §4; EIP-155, 2718,
 * 2930, 1559, 4844, 4895, 4788, 7685, 7702). Decoding is strict; what decodes re-encodes to the same bytes.
 *
 * Ownership: decoded values hold views into the input bytes and arrays in the caller's arena; both must outlive them.
 * Threads: pure.
 */
#ifndef ETH_TYPES_H
#define ETH_TYPES_H

#include "base/mem.h"
#include "eth/u256.h"

enum tx_type { TX_LEGACY = 0, TX_ACCESS_LIST = 1, TX_DYNAMIC_FEE = 2, TX_BLOB = 3, TX_SET_CODE = 4 };

struct access_entry {
	addr20 address;
	const hash32 *slots;
	size_t slot_count;
};

/* EIP-7702. `authority` is filled by whoever recovers it. */
struct authorization {
	u256 chain_id;
	addr20 address;
	uint64_t nonce;
	u256 y_parity; /* as on the wire; only 0 and 1 can be valid */
	u256 r, s;
};

struct transaction {
	enum tx_type type;
	bool has_chain_id; /* false: legacy before EIP-155 */
	u256 chain_id;
	uint64_t nonce;
	u256 max_priority_fee_wei; /* = gas price for types 0 and 1 */
	u256 max_fee_wei;          /* = gas price for types 0 and 1 */
	uint64_t gas_limit;
	bool is_create; /* `to` is empty */
	addr20 to;
	u256 value_wei;
	struct bytes data;
	const struct access_entry *access_list;
	size_t access_count;
	u256 max_blob_fee_wei;
	const hash32 *blob_hashes;
	size_t blob_count;
	const struct authorization *authorizations;
	size_t authorization_count;
	u256 v, r, s;     /* as on the wire: v is 27/28, 35+2c/36+2c, or the parity */
	uint8_t y_parity; /* derived from v */
	struct bytes raw; /* the EIP-2718 envelope that it was decoded from (no sidecar), or empty */
};

/* An envelope: 0x01…0x04 || rlp, or a legacy list. Type 3 is accepted with or without its pool sidecar (EIP-4844
 * §networking; EIP-7594): `sidecar` then views the wrapper's remaining items, `raw` the transaction re-encoded in the
 * arena without them. A NULL `sidecar` refuses the wrapper, as blocks do. STATUS_INVALID for anything but the one
 * canonical form. */
MUST_USE enum status transaction_decode(
    struct transaction *out, struct bytes *sidecar, struct arena *arena, struct bytes envelope, struct err *err);
void transaction_encode(struct buf *out, const struct transaction *tx);
hash32 transaction_hash(const struct transaction *tx);
/* What is signed: keccak of the envelope without v, r, s (with chain id, 0, 0 for EIP-155). */
hash32 transaction_signing_hash(const struct transaction *tx);
/* STATUS_INVALID: r, s out of range, s high (EIP-2; accepted where !homestead), or no key fits. */
MUST_USE enum status transaction_sender(addr20 *out, const struct transaction *tx, bool homestead, struct err *err);
/* The same for many, which is cheaper (crypto/secp256k1_many.h). */
void transaction_senders(
    addr20 *out, enum status *statuses, const struct transaction *const *txs, size_t count, bool homestead);
/* Fills v, r, s, y_parity, and `raw` in the arena. */
MUST_USE enum status transaction_sign(
    struct transaction *tx, struct arena *arena, const hash32 *secret, struct err *err);
/* EIP-7702: the signer of keccak(0x05 || rlp(chain id, address, nonce)). STATUS_INVALID if no key fits. */
MUST_USE enum status authorization_authority(addr20 *out, const struct authorization *authorization);
/* Fills y_parity, r and s. STATUS_INVALID for a secret out of range. */
MUST_USE enum status authorization_sign(struct authorization *authorization, const hash32 *secret);

#define BLOOM_BYTES 256

struct header {
	hash32 parent_hash;
	hash32 ommers_hash;
	addr20 beneficiary;
	hash32 state_root;
	hash32 transactions_root;
	hash32 receipts_root;
	uint8_t logs_bloom[BLOOM_BYTES];
	u256 difficulty;
	uint64_t number;
	uint64_t gas_limit;
	uint64_t gas_used;
	uint64_t timestamp; /* seconds */
	uint8_t extra_data[32];
	uint8_t extra_data_len; /* [0, 32] */
	hash32 mix_hash;        /* prevRandao since the merge */
	uint8_t nonce[8];
	/* Present up to `field_count` items of the RLP list: 15 frontier, 16 base fee, 17 withdrawals root, 19 blob gas
	 * (used, excess), 20 beacon root, 21 requests hash. */
	uint8_t field_count;
	u256 base_fee_wei;
	hash32 withdrawals_root;
	uint64_t blob_gas_used;
	uint64_t excess_blob_gas;
	hash32 parent_beacon_root;
	hash32 requests_hash;
};

enum { HEADER_FRONTIER = 15, HEADER_LONDON = 16, HEADER_SHANGHAI = 17, HEADER_CANCUN = 20, HEADER_PRAGUE = 21 };

/* extraData over 32 bytes is refused. */
MUST_USE enum status header_decode(struct header *out, struct bytes rlp, struct err *err);
void header_encode(struct buf *out, const struct header *header);
hash32 header_hash(const struct header *header);

struct withdrawal {
	uint64_t index;
	uint64_t validator_index;
	addr20 address;
	uint64_t amount_gwei;
};

struct block {
	struct header header;
	struct transaction *transactions;
	size_t transaction_count;
	struct header *ommers;
	size_t ommer_count;
	bool has_withdrawals;
	struct withdrawal *withdrawals;
	size_t withdrawal_count;
	size_t rlp_size; /* of what it was decoded from (EIP-7934) */
};

/* Refused also where the body has withdrawals and the header none, or the other way round (EIP-4895). */
MUST_USE enum status block_decode(struct block *out, struct arena *arena, struct bytes rlp, struct err *err);
void block_encode(struct buf *out, const struct block *block);
/* The body alone: [transactions, ommers, withdrawals?], as geth stores it. */
MUST_USE enum status block_body_decode(struct block *out, struct arena *arena, struct bytes rlp, struct err *err);
void block_body_encode(struct buf *out, const struct block *block);

struct log {
	addr20 address;
	hash32 topics[4];
	uint8_t topic_count; /* [0, 4] */
	struct bytes data;
};

struct receipt {
	enum tx_type type;
	bool has_root; /* before Byzantium */
	hash32 root;
	bool success;
	uint64_t cumulative_gas;
	uint8_t bloom[BLOOM_BYTES];
	struct log *logs;
	size_t log_count;
};

/* Consensus encoding (EIP-2718 envelope). */
void receipt_encode(struct buf *out, const struct receipt *receipt);
MUST_USE enum status receipt_decode(struct receipt *out, struct arena *arena, struct bytes envelope, struct err *err);
void bloom_add(uint8_t bloom[BLOOM_BYTES], struct bytes item);
void bloom_add_log(uint8_t bloom[BLOOM_BYTES], const struct log *log);
bool bloom_may_contain(const uint8_t bloom[BLOOM_BYTES], struct bytes item);

/* keccak(rlp([])) and the like, for headers. */
extern const hash32 empty_ommers_hash;
extern const hash32 empty_trie_root;
extern const hash32 empty_code_hash;     /* keccak("") */
extern const hash32 empty_requests_hash; /* sha256("") (EIP-7685) */

addr20 address_of_public_key(const uint8_t xy[64]);
MUST_USE enum status address_of_secret(addr20 *out, const hash32 *secret);
addr20 address_of_create(const addr20 *sender, uint64_t nonce);
addr20 address_of_create2(const addr20 *sender, const hash32 *salt, const hash32 *init_code_hash);
/* EIP-55, "0x" + 40 digits + NUL. */
void address_checksum(char out[43], const addr20 *address);

#endif
