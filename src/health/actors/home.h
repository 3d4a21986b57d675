/*
 * An actor's own data folder, its keys, and the deployment that it trusts. One process, one actor, one folder:
 *
 *	home/
 *	  deployment.json      the trust anchor and contract addresses (docs/wire-formats.md §7)
 *	  wallet/phrase.json   Web3 Secret Storage v3 of the BIP-39 entropy (32 bytes, 24 words)
 *	  wallet/account.json  Web3 Secret Storage v3 of the account key, as geth, ethers and eth_account open it
 *	  folders/<id>.json    what a controller knows of its folders: salt, label, index — no key
 *	  records/NNNNNNNN.seg        an author's legal records: containers, their leads sealed to the author
 *	                       (envelope/segments.h); of older homes records/<id>.xlc, one a file
 *	  products/, documents/  a trading partner's product keys and sealed documents (health/trace)
 *	  head.json            the newest block that was believed (health/chain/heads.h)
 *	  evidence.json        only if two signed blocks of one height were seen
 *	  lists/<hash>.json    which entries of a list were seen (health/chain/verified.h)
 *	  pins.json            directory keys seen so far: a change is reported
 *	  counts.json          the next index of a folder's controller key
 *	  requests/            a gateway's idempotency keys and late refusals (health/gateway/outcome.h)
 *	  hooks/               how far Subscriptions are, and in whose name (health/gateway/fhir_hooks.h)
 *	  trail/               who asked a gateway for what (health/gateway/trail.h)
 *	  resources.db         what a gateway finds, made anew if it is lost (health/index/resources.h)
 *	  events.db            EPCIS events that a gateway finds, and its capture jobs (health/index/events.h)
 *	  fhir-open.json, fhir-erased.json  where it goes on (health/gateway/fhir_foreign.h, fhir_erased.h)
 *	  outbox.journal       what was accepted and is in no block yet (health/chain/outbox.h)
 *	  restored             only until a home from a backup has asked the chain
 *	  lock, files.lock     home_lock.h
 *
 * Files are written whole (temporary name, fsync, rename), mode 0600. Secrets are wiped when the home is closed.
 * Threads: one owner.
 */
#ifndef HEALTH_ACTORS_HOME_H
#define HEALTH_ACTORS_HOME_H

#include "base/world.h"
#include "crypto/p256.h"
#include "envelope/hd_wallet.h"
#include "envelope/segments.h"
#include "health/chain/blobs.h"
#include "health/chain/deployment.h"

#define HOME_OUTBOX "outbox.journal"

struct home {
	char *directory;
	struct deployment deployment;
	bool has_deployment;
	/* the open wallet */
	uint8_t entropy[32];
	struct hd_key root;    /* of all keys; finding it takes 2,048 hashes */
	hash32 account_secret; /* m/44'/60'/0'/0/0 */
	addr20 account;
	/* Of records/, for whoever sends (actor_outbox opens it with the home's lock held); NULL: nobody writes. */
	struct segments *records;
};

/* Makes the folder and a new wallet (or one of `phrase`, 24 words). STATUS_EXISTS if one is there; of several programs
 * that do this at once one succeeds. */
struct home_wallet_options {
	struct bytes password;
	struct bytes phrase; /* empty: a new one */
	bool light_kdf;      /* scrypt n = 4,096 instead of 262,144 */
};
MUST_USE enum status home_create(const char *directory, const struct home_wallet_options *options,
    const struct random_source *random, struct err *err);
/* The folders that every home has; those that are there stay. */
MUST_USE enum status home_make_folders(const char *directory, struct err *err);
/* STATUS_DENIED: the password does not open it. */
MUST_USE enum status home_open(struct home **out, const char *directory, struct bytes password, struct err *err);
/* Another one with the same open wallet; its files are read anew. */
MUST_USE enum status home_open_unlocked(struct home **out, const struct home *unlocked, struct err *err);
void home_close(struct home *home);
/* The phrase, NUL-terminated, at most 24 words; wipe it. */
void home_phrase(char out[256], const struct home *home);
/* Stores the trust anchor; another one than before is refused (STATUS_EXISTS). */
MUST_USE enum status home_trust(struct home *home, struct bytes deployment_json, struct err *err);

/* docs/wire-formats.md §4. */
MUST_USE enum status home_encryption_key(
    const struct home *home, struct p256_secret *secret, struct p256_public *key, uint32_t version, struct err *err);
MUST_USE enum status home_controller(
    const struct home *home, hash32 *secret, addr20 *address, uint32_t index, struct err *err);
MUST_USE enum status home_controller_key(
    const struct home *home, struct p256_secret *secret, struct p256_public *key, uint32_t index, struct err *err);
/* What nodes note of reads in the controller's folders is sealed to this key. */
MUST_USE enum status home_audit_key(
    const struct home *home, struct p256_secret *secret, struct p256_public *key, uint32_t index, struct err *err);

/* Small whole files under the home. STATUS_NOTFOUND. */
MUST_USE enum status home_read(const struct home *home, struct buf *out, const char *relative, struct err *err);
MUST_USE enum status home_write(const struct home *home, const char *relative, struct bytes content, struct err *err);
/* Appends to records/; durable after home_records_sync. Only where `records` is open. */
MUST_USE enum status home_records_append(const struct home *home, struct segments_place *out,
    const struct segments_label *label, struct bytes content, struct err *err);
MUST_USE enum status home_records_sync(const struct home *home, struct err *err);
/* Those of the home, or opened to read: `*opened` is the caller's to close, and NULL if they are the home's. */
MUST_USE enum status home_records_open(
    const struct home *home, const struct segments **out, struct segments **opened, struct err *err);
/* A change that reads before it writes: no other program changes the home's files between the two. In between, home_put
 * writes; home_write would wait for itself. */
MUST_USE enum status home_change_begin(const struct home *home, int *lock, struct err *err);
void home_change_end(int lock);
MUST_USE enum status home_put(const struct home *home, const char *relative, struct bytes content, struct err *err);
/* Best effort: an absent file is fine. */
void home_remove(const struct home *home, const char *relative);
/* Removes what programs that were killed in a write left behind (NAME.XXXXXX.part), in the home and its folders. The
 * caller holds the home's lock (home_lock.h). Best effort: it takes as long as listing the home does. */
void home_sweep(const struct home *home);
/* Names in a folder under the home, sorted, in the arena. */
MUST_USE enum status home_list(
    const struct home *home, char ***names, size_t *count, struct arena *arena, const char *relative, struct err *err);

/* A home that came from a backup (backup.h) has this mark until it has asked the chain what happened since. */
#define HOME_RESTORED "restored"
bool home_is_restored(const struct home *home);
MUST_USE enum status home_restored_done(const struct home *home, struct err *err);

#endif
