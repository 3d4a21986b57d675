/*
 * A PKCS #11 URI (RFC 7512), read strictly: what it must name, and nothing else. Inside token/.
 * Ownership: token_place_fini releases what token_place_read took. Threads: pure, but for the PIN's file.
 */
#ifndef TOKEN_TOKEN_PLACE_H
#define TOKEN_TOKEN_PLACE_H

#include <p11-kit/uri.h>

#include "base/mem.h"

#define TOKEN_URI_MAX 2048u
#define TOKEN_PIN_MAX 256u

struct token_place {
	P11KitUri *uri;
	const char *module;   /* an absolute path; of the URI */
	const char *pin_file; /* of the URI; NULL: the token wants no PIN */
};
/* STATUS_INVALID says what is wrong, and never repeats a PIN. */
MUST_USE enum status token_place_read(struct token_place *out, const char *text, struct err *err);
void token_place_fini(struct token_place *place);
/* The first line of the PIN's file; whoever called wipes it. STATUS_NOTFOUND: there is no file. */
MUST_USE enum status token_place_pin(struct buf *pin, const struct token_place *place, struct err *err);

#endif
