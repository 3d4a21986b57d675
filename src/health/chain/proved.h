/*
 * Inside health/chain: what one home has proved so far, for all of its requests. A contract's words are those of its
 * storage root: if the account that is proved at another head has the same root, so are its words. A memo is what
 * follows from words alone (a folder's key, whose statement was verified once): its key is a hash of all of them.
 *
 * Nothing secret is in it. Tables have a fixed size; what is pushed out is proved again. Threads: any, if it is given
 * `threads`.
 */
#ifndef HEALTH_CHAIN_PROVED_H
#define HEALTH_CHAIN_PROVED_H

#include "base/mem.h"
#include "base/threads.h"

#define PROVED_MEMO_BYTES 216u

struct proved;
struct proved *proved_new(const struct threads *threads);
void proved_free(struct proved *proved); /* NULL is allowed */

/* The storage root of one of the anchor's contracts in the state of a head; its code was checked. */
bool proved_root_get(struct proved *proved, hash32 *root, const hash32 *head, const addr20 *contract);
void proved_root_put(struct proved *proved, const hash32 *head, const addr20 *contract, const hash32 *root);
/* The contracts whose roots were proved at earlier heads, and are not at this one: who asks for one of them will mostly
 * need the others too. Returns how many, at most `max`. */
size_t proved_contracts_behind(struct proved *proved, addr20 *out, size_t max, const hash32 *head);

/* Requests at one head mostly need the same proofs. False: another request was asking for some at this head, and has
 * ended, or took long; look again at what is there. True: the caller asks, and calls proved_asked. */
bool proved_may_ask(struct proved *proved, const hash32 *head);
void proved_asked(struct proved *proved);

/* A word, and the storage root that it was proved under last. */
bool proved_word_get(struct proved *proved, hash32 *word, hash32 *root, const addr20 *contract, const hash32 *slot);
void proved_word_put(
    struct proved *proved, const addr20 *contract, const hash32 *slot, const hash32 *root, const hash32 *word);

/* `size` at most PROVED_MEMO_BYTES, the same for both. */
bool proved_memo_get(struct proved *proved, void *out, size_t size, const hash32 *key);
void proved_memo_put(struct proved *proved, const void *value, size_t size, const hash32 *key);

#endif
