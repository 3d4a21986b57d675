/*
 * Hierarchical deterministic wallets: a phrase of English words (BIP-39), its seed, and the keys that grow from it
 * (BIP-32 on secp256k1, BIP-44 paths).
 *
 * Only ASCII phrases and passphrases are taken: for them Unicode normalisation changes nothing, so the seed is the one
 * that every other wallet computes.
 *
 * Ownership: all results are the caller's, who wipes them (buf_wipe, mem_wipe). Threads: pure.
 */
#ifndef ENVELOPE_HD_WALLET_H
#define ENVELOPE_HD_WALLET_H

#include "base/mem.h"

#define HD_HARDENED 0x80000000u
#define HD_DEPTH_MAX 255
#define HD_ENTROPY_MAX 32u

struct hd_entropy {
	uint8_t bytes[HD_ENTROPY_MAX];
	size_t len; /* 16, 20, 24, 28 or 32 */
};

struct hd_seed {
	uint8_t bytes[64];
};

/* A private key that can have children. */
struct hd_key {
	hash32 secret;
	hash32 chain_code;
	uint32_t parent_fingerprint; /* the parent's, as a big-endian number; 0 at the root */
	uint32_t index;              /* of this child; HD_HARDENED set where hardened */
	uint8_t depth;               /* 0 at the root */
};

/* Appends 12 to 24 words with one space between. STATUS_INVALID if the length is not one of the five. */
MUST_USE enum status hd_phrase(struct buf *out, const struct hd_entropy *entropy, struct err *err);

/*
 * Checks a phrase: 12, 15, 18, 21 or 24 words of the list, lower case, one space between, and the checksum. `entropy`
 * may be NULL. STATUS_INVALID names the position of a wrong word, never the word.
 */
MUST_USE enum status hd_phrase_check(struct hd_entropy *entropy, struct bytes phrase, struct err *err);

/* The seed of a phrase that hd_phrase_check accepts. STATUS_INVALID otherwise; STATUS_UNSUPPORTED: passphrase not
 * ASCII. */
MUST_USE enum status hd_seed_of(struct hd_seed *seed, struct bytes phrase, struct bytes passphrase, struct err *err);

/* The root key of a seed of 16 to 64 bytes. */
MUST_USE enum status hd_root(struct hd_key *root, struct bytes seed, struct err *err);

/* One step down. STATUS_INVALID: this index has no key (one in 2^127). STATUS_LIMIT: already at HD_DEPTH_MAX. */
MUST_USE enum status hd_child(struct hd_key *child, const struct hd_key *parent, uint32_t index, struct err *err);

/* Follows "m/44'/60'/0'/0/7"; a step is a decimal number below 2^31 without leading zeros, hardened with "'". "m" is
 * `from`. */
MUST_USE enum status hd_derive(struct hd_key *out, const struct hd_key *from, const char *path, struct err *err);

/* The Ethereum account number `account`: m/44'/60'/0'/0/account. */
MUST_USE enum status hd_account(hash32 *secret, const struct hd_key *root, uint32_t account, struct err *err);

#endif
