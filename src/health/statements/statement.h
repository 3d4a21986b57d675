/*
 * Statements: what actors and patients have signed, verified from the bytes alone (docs/wire-formats.md §9).
 *
 * A statement is an EIP-712 struct. It stands with its signatures in the calldata of the transaction that made it,
 * which any node can serve and no node can make. Its struct hash, the fact, is one slot of the chain. A signature
 * proves that a thing was said once, the proved slot that it stands; what lets a program seal, wrap, release or show
 * needs both at one head. This room does the first half and gives the fact for the second (statement_is_proved):
 *
 *	statement      signed by                                     fact is held by (contract, variable)
 *	Registrars     m of the set before, and each newcomer        Directory.registrars
 *	Entry          the actor, and m of the set that it names     Directory.actors[].entry
 *	KeyChange      the account and the key before; or the        Directory.actors[].key
 *	               account and m registrars; or m registrars
 *	               alone
 *	Standing       m registrars                                  Directory.actors[] (status, number)
 *	Open           the controller, to whom the folder's id       Folders.epochs[][1]
 *	               commits
 *	HandOver       the controller before, and the new one        Folders.heads[].handOverFact
 *	Rotate         the controller, or a holder of the right      Folders.epochs[][]
 *	               to rotate
 *	Grant, Revoke  the controller, or a holder of the right      Consent.grants[].fact
 *	               to share
 *	Record         the record's author (in the sealed lead)      none: Records.registrations holds its values
 *	Emergency      the emergency actor                           Consent.reviews[].fact
 *
 * What is checked here: signatures, chains of statements back to the anchor or to the folder's id, and that nobody
 * gives more or longer than he has. What only the chain can say is checked by the contracts and believed with the
 * proof: deadlines, the order of blocks, that a delegate's grant held at the time, possession of a new key, numbers
 * used up.
 *
 * Errors: STATUS_INVALID if calldata is not the one encoding of a sound statement, STATUS_DENIED if it is not believed;
 * the message begins with the fact that was not believed ("the entry of 0x…: …").
 *
 * Ownership: values point into the calldata, the anchor and the arena, which outlive them. Threads: pure. No network,
 * no files, and no clock: if time counts it is an argument, in seconds.
 */
#ifndef HEALTH_STATEMENTS_STATEMENT_H
#define HEALTH_STATEMENTS_STATEMENT_H

#include "health/chain/deployment.h"
#include "health/contracts/contract.h"

#define STATEMENT_REGISTRARS_MAX 64u

/* Does the proved slot hold this fact? `what` is "the entry of 0x…", for the error. */
MUST_USE enum status statement_is_proved(const hash32 *fact, const hash32 *proved, const char *what, struct err *err);
/* Is it one of them? */
bool statement_has_address(const addr20 *all, size_t count, const addr20 *who);

/* --- a record: its author's signature, which stands in the sealed lead --- */

struct statement_record {
	hash32 record, folder;
	uint32_t epoch;
	hash32 root, facts;
};
/* What the author signs. */
hash32 statement_record_digest(const struct deployment *anchor, const struct statement_record *record);
/* Is `signature` (65 bytes) of this author? */
MUST_USE enum status statement_record_check(const struct deployment *anchor, const struct statement_record *record,
    const addr20 *author, struct bytes signature, struct err *err);

/* --- an emergency --- */

struct statement_emergency {
	hash32 folder;
	addr20 actor;
	hash32 reason_hash, reason; /* SHA-256 of the reason; the blob that holds it sealed */
	uint32_t reason_bytes;
	hash32 fact;
};
/* Of calldata of Consent.breakGlass. */
MUST_USE enum status statement_emergency_read(struct statement_emergency *out, struct arena *arena,
    const struct deployment *anchor, struct bytes calldata, struct err *err);

#endif
