/* What the files of this room share; nobody else includes it. */
#ifndef HEALTH_STATEMENTS_PRIVATE_H
#define HEALTH_STATEMENTS_PRIVATE_H

#include "health/statements/statement.h"

#define STATEMENT_ADDRESS_BYTES 43

/* "0x…" of an address, and of a hash's first 8 digits, for errors. */
void statement_address_text(char out[STATEMENT_ADDRESS_BYTES], const addr20 *address);
#define STATEMENT_ID_BYTES 11
void statement_id_text(char out[STATEMENT_ID_BYTES], const hash32 *id);

/* The account that signed, as the contracts recover it: 65 bytes r || s || v, low s, v 27 or 28. */
bool statement_signer(addr20 *out, struct bytes signature, const hash32 *digest);
/* Never true of account 0. */
bool statement_is_signed_by(const addr20 *account, struct bytes signature, const hash32 *digest);
/* A point of P-256, as two words. */
bool statement_is_point(const hash32 *x, const hash32 *y);

#endif
