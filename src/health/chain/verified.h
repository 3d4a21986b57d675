/*
 * Verified reads: what the chain says, proved. This is the one room that asks an unverified client (client.h) for facts
 * and the one door through which the others get them: a head that is believed (heads.h), words of the anchor's
 * contracts proved in its state, and lists that are complete.
 *
 *	struct verified verified;
 *	verified_begin(&verified, heads, client, arena);
 *	TRY(verified_head(&verified, HEADS_FRESH, err));            // to seal, wrap, release
 *	struct verified_want wants[] = {{&anchor->folders, slot}, …};
 *	TRY(verified_words(&verified, words, wants, count, err));   // one question for all of them
 *
 * Everything in one `struct verified` stands at one head. Absence is a word of zeros. STATUS_DENIED with the cause
 * CAUSE_NOT_PROVED names the fact that was not believed; the node's failures are STATUS_IO, _TIMEOUT, _INTERNAL.
 *
 * Ownership: all in the arena. Threads: one owner, as the client; the heads may be shared. Sources: EIP-1186, EIP-1898.
 */
#ifndef HEALTH_CHAIN_VERIFIED_H
#define HEALTH_CHAIN_VERIFIED_H

#include "eth/lists.h"
#include "health/chain/heads.h"
#include "health/chain/logs.h"

#define VERIFIED_WORDS_MAX 1024u /* of one question */

struct verified_account;
struct verified_word;

struct verified {
	struct heads *heads;
	struct client *client;
	struct arena *arena;
	bool has_head;
	struct head head;
	/* what is proved at this head already */
	struct verified_account *accounts;
	struct verified_word **words; /* a table by slot, each row a chain */
	size_t word_count, word_rows;
};

void verified_begin(struct verified *out, struct heads *heads, struct client *client, struct arena *arena);
/* Takes a head of at most this age, unless the one that is there is young enough; with another head all words are
 * proved anew. See heads_take. */
MUST_USE enum status verified_head(struct verified *verified, uint32_t max_age_s, struct err *err);

struct verified_want {
	const addr20 *contract; /* one of the anchor's, or deployment_members of a consortium */
	hash32 slot;
};
/* A head was taken. Words that are proved already are not asked for again, nor those that this home proved at an
 * earlier head, if the contract's storage root is the same. STATUS_LIMIT: too many. */
MUST_USE enum status verified_words(
    struct verified *verified, hash32 *words, const struct verified_want *wants, size_t count, struct err *err);
/* `count` consecutive slots of one contract: a struct. */
MUST_USE enum status verified_struct(struct verified *verified, hash32 *words, const addr20 *contract,
    const hash32 *slot, size_t count, struct err *err);

/* What was found out before from the same proved words, and from nothing else that may change: `key` is a hash of what
 * it is and of all these words. Public facts of a fixed size only, at most VERIFIED_MEMO_BYTES; one may be forgotten at
 * any time. */
#define VERIFIED_MEMO_BYTES 216u
bool verified_memo_get(const struct verified *verified, void *out, size_t size, const hash32 *key);
void verified_memo_put(const struct verified *verified, const void *value, size_t size, const hash32 *key);

/* Seconds: the clock's, never behind the head's. */
uint64_t verified_now_s(const struct verified *verified);

/* A list, and how its entries are found among the node's logs. */
struct verified_list {
	const addr20 *contract; /* one of the anchor's */
	hash32 slot;
	struct logs_query query; /* lets through every log that makes an entry; its address is the contract */
	uint64_t first_block;    /* no entry is older */
	uint64_t max;            /* stop after so many entries, the newest; 0: read all */
	/* The entry that a log makes (its time is filled in already). *is_entry false: it makes none. What it refuses
	 * ends the reading. */
	MUST_USE enum status (*entry)(
	    void *context, struct list_entry *out, bool *is_entry, const struct client_log *log, struct err *err);
	/* Each entry, newest first, once it is proved. The log's data are valid during the call. */
	MUST_USE enum status (*visit)(
	    void *context, const struct list_entry *entry, const struct client_log *log, struct err *err);
	void *context;
};
/*
 * Visits the entries down to `*remembered` (NULL or zeros: all) and sets it to the state that was proved, if all were
 * shown. STATUS_DENIED: an entry is not the list's, or "entries n1 to n2 were not served"; what was visited before is
 * still right, and is not all.
 */
MUST_USE enum status verified_list(
    struct verified *verified, const struct verified_list *list, struct list_state *remembered, struct err *err);
/* What the home remembers of a list between programs; zeros: nothing. */
MUST_USE enum status verified_remembered(
    struct heads *heads, struct list_state *out, const addr20 *contract, const hash32 *slot, struct err *err);
/* Never to fewer entries than are remembered already. */
MUST_USE enum status verified_remember(
    struct heads *heads, const struct list_state *list, const addr20 *contract, const hash32 *slot, struct err *err);

#endif
