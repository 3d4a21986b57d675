/*
 * A module of PKCS #11 and the one key in it that is asked for: loading, finding, logging in. Inside token/.
 * Threads: one at a time.
 */
#ifndef TOKEN_TOKEN_MODULE_H
#define TOKEN_TOKEN_MODULE_H

#include <p11-kit/pkcs11.h>

#include "token/token.h"
#include "token/token_place.h"

struct token_session {
	CK_FUNCTION_LIST *module; /* NULL: none is loaded */
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;
	bool is_begun; /* the module is initialised */
	bool is_pin_refused;
	uint8_t public_key[64]; /* as signing_key's */
};

/* The status and the words for what a module answered. */
enum status token_failure(struct err *err, CK_RV answer, const char *doing);
MUST_USE enum status token_module_load(struct token_session *out, const struct token_place *place, struct err *err);
/* From a loaded module to the key. After a failure it is as token_session_end leaves it. */
MUST_USE enum status token_session_begin(
    struct token_session *session, const struct token_place *place, enum token_key kind, struct err *err);
void token_session_end(struct token_session *session);
void token_module_unload(struct token_session *session);

#endif
