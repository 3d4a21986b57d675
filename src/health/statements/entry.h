/*
 * An actor as its statements tell it: the entry that it and its registrars signed, its chain of encryption keys, and
 * its standing.
 *
 * A new key is given in calm: programs that no person watches use it once the chain has had it for 48 hours, and until
 * then the one that was in force before; a person uses it after confirming it. Nobody uses a key that is reported
 * stolen. What registrars alone gave waits 48 hours on the chain, and the account can replace it meanwhile with the key
 * in force.
 *
 * Ownership: statement.h. Threads: one owner. Times are seconds.
 */
#ifndef HEALTH_STATEMENTS_ENTRY_H
#define HEALTH_STATEMENTS_ENTRY_H

#include "crypto/p256.h"
#include "health/contracts/directory.h"
#include "health/statements/registrars.h"

#define STATEMENT_KEY_WAIT_S (48u * 3600)
#define STATEMENT_NAME_BYTES_MAX 128u

/* Whose signatures made a key the actor's. */
enum statement_key_signers {
	STATEMENT_KEY_OF_ENTRY,
	STATEMENT_KEY_BY_KEY,        /* the account and the key in force */
	STATEMENT_KEY_BY_ACCOUNT,    /* the account and registrars: the key before is lost */
	STATEMENT_KEY_BY_REGISTRARS, /* the account is lost: the chain waits 48 hours itself */
};

struct statement_key {
	uint32_t version;
	hash32 fact;
	struct p256_public key;
	hash32 facts_key; /* compressed Baby Jubjub point that signs facts; 0: none */
	enum statement_key_signers signers;
	bool is_stolen;      /* the next one says so */
	uint64_t in_force_s; /* the directory's `keyTimes`, proved by whoever reads them; 0: it never was */
};

struct statement_actor {
	const struct statement_registrars *registrars;
	struct arena *arena;
	addr20 address;
	uint32_t roles;    /* bits: contracts/src/Roles.sol */
	struct bytes name; /* UTF-8, 1 to 128 bytes */
	uint32_t registrar_set;
	struct statement_key *keys; /* from the entry's on */
	size_t key_count, key_cap;
};

/* Of calldata of Directory.list. `version` is the entry's key's: 1, or more if the actor was listed anew. The fact is
 * keys[0].fact. STATUS_DENIED also if a theft of registrars' keys made the entry worthless. */
MUST_USE enum status statement_actor_read(struct statement_actor *out, const struct statement_registrars *registrars,
    uint32_t version, struct bytes calldata, struct err *err);
/* The next key, of calldata of Directory.changeKey. */
MUST_USE enum status statement_actor_next_key(struct statement_actor *actor, struct bytes calldata, struct err *err);
const struct statement_key *statement_actor_newest_key(const struct statement_actor *actor);

/* What a program uses that no person watches: the newest key that the chain has had in force for 48 hours, or the
 * entry's. STATUS_DENIED: that one is reported stolen, and the newer ones are not 48 hours old. */
MUST_USE enum status statement_actor_unattended_key(
    const struct statement_key **out, const struct statement_actor *actor, uint64_t now_s, struct err *err);
/* Must a person confirm the newest key before it is used? `confirmed` is the fact of the key that was used or confirmed
 * last; NULL: none. */
bool statement_actor_must_confirm(const struct statement_actor *actor, const hash32 *confirmed, uint64_t now_s);

/* What registrars said last of the actor. It has no slot of its own: status, number and quota must be the proved ones
 * (number 0: nothing was said, and the status is ACTIVE). */
struct statement_standing {
	addr20 actor;
	enum directory_status status;
	uint16_t emergencies_a_day; /* 0: the contract's own number */
	hash32 reason;
	uint64_t number;
};
/* Of calldata of Directory.setStanding. */
MUST_USE enum status statement_standing_read(struct statement_standing *out,
    const struct statement_registrars *registrars, struct bytes calldata, struct err *err);

#endif
