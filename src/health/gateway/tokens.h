/*
 * Bearer tokens (RFC 6750) of a gateway: a file of names, rights and hashes. The tokens themselves are nowhere: one is
 * shown once, when it is made, and has 256 random bits, so one SHA-256 of it is enough.
 *
 *	# name        rights        SHA-256 of the token
 *	ward-system   read,write    9f86d081884c7d65…
 *
 * Threads: pure; a table is read-only after parsing.
 */
#ifndef HEALTH_GATEWAY_TOKENS_H
#define HEALTH_GATEWAY_TOKENS_H

#include "base/mem.h"
#include "base/world.h"

#define TOKENS_MAX 1000u
#define TOKEN_NAME_MAX 64u
#define TOKEN_TEXT_MAX 80u /* with its end */
#define TOKENS_FILE_MAX ((size_t)256 << 10)

enum token_right { TOKEN_READ = 1, TOKEN_WRITE = 2, TOKEN_METRICS = 4, TOKEN_ALL = 7 };

struct token {
	char name[TOKEN_NAME_MAX + 1]; /* letters, digits, '-', '_', '.' */
	unsigned rights;
	hash32 hash;
};
struct token_table {
	struct token *list;
	size_t count;
};

/* In the arena. STATUS_INVALID names the line; STATUS_LIMIT: over TOKENS_MAX. A name or a token twice is refused. */
MUST_USE enum status tokens_parse(struct token_table *out, struct arena *arena, struct bytes text, struct err *err);
/* The token that an Authorization field's value presents; NULL: none, or an unknown one. */
const struct token *tokens_find(const struct token_table *table, struct bytes authorization);

/* "read,write", "all". */
MUST_USE enum status token_rights_parse(unsigned *out, struct bytes text, struct err *err);
bool token_name_is_valid(struct bytes name);
/* A new one: `text` is for its holder alone, wipe it; `line` is the file's, with its end. */
void token_make(
    char text[TOKEN_TEXT_MAX], struct buf *line, const char *name, unsigned rights, const struct random_source *random);

#endif
