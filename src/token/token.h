/*
 * Keys that a PKCS #11 token holds and never gives away. A PKCS #11 URI (RFC 7512) says where a key is:
 *
 *	pkcs11:token=member;object=consensus?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/pin
 *
 * It names the token (token, serial, manufacturer or model), the key (object, id, or both), the module, and the file
 * whose first line is the PIN. A PIN itself is refused in it.
 *
 * A signature is checked before it is given out. A token that is pulled is looked for again at each signature and each
 * token_look, and is used again once it is back. A PIN that the token refused is never tried again by this process,
 * since a token locks itself after some wrong ones; nor is a PIN tried if the token says that one try is left.
 *
 * Threads: any; one signature at a time. Sources: PKCS #11 v2.40 and v3.0 (EdDSA), RFC 7512.
 */
#ifndef TOKEN_TOKEN_H
#define TOKEN_TOKEN_H

#include "crypto/signing_key.h"

#define TOKEN_SCHEME "pkcs11:"
#define TOKEN_DETAIL_BYTES 160u

enum token_key { TOKEN_ED25519, TOKEN_SECP256K1 };

/* A URI of a token, and not the path of a file? */
bool token_is_uri(const char *text);

struct token;
/* STATUS_INVALID: the URI. STATUS_NOTFOUND: the module, the token, the key or the PIN's file. STATUS_DENIED: the PIN.
 * STATUS_UNSUPPORTED: the token does not sign so, or the key is of another kind. STATUS_IO: the token fails. */
MUST_USE enum status token_open(struct token **out, const char *uri, enum token_key kind, struct err *err);
/* Signs with the token's key; the token outlives it. */
struct signing_key token_signing_key(struct token *token);
/* Looks for a token that is gone. Is it there? `detail` says so for a person. */
bool token_look(struct token *token, char detail[TOKEN_DETAIL_BYTES]);
void token_close(struct token *token); /* NULL is allowed */

#endif
