/* What the files of the developers' issuer share. */
#ifndef APP_SERVE_DEV_ISSUER_PRIVATE_H
#define APP_SERVE_DEV_ISSUER_PRIVATE_H

#include <pthread.h>

#include "app/serve/dev_issuer.h"
#include "base/http.h"
#include "base/http_uri.h"
#include "crypto/p256.h"
#include "envelope/jwt.h"

#define DEV_TEXT_MAX 512u
#define DEV_SCOPE_MAX 2048u
#define DEV_GRANTS_MAX 256u /* the oldest makes room */
#define DEV_CLIENTS_MAX 32u
#define DEV_CODE_SECONDS 60u
#define DEV_TOKEN_SECONDS 3600u
#define DEV_REFRESH_SECONDS 86400u
#define DEV_SECRET_TEXT 44u /* 32 random bytes as base64url, with its end */

/* What somebody granted to a client: behind a code, or behind a refresh token. */
struct dev_grant {
	hash32 secret; /* SHA-256 of the code or token; zeros: free */
	bool is_code;
	uint64_t until_s;
	char client[DEV_TEXT_MAX], redirect[DEV_TEXT_MAX], challenge[DEV_TEXT_MAX], scope[DEV_SCOPE_MAX];
	char patient[DEV_TEXT_MAX], user[DEV_TEXT_MAX], nonce[DEV_TEXT_MAX];
};
/* A backend service with keys of its own. */
struct dev_client {
	char id[DEV_SECRET_TEXT];
	struct jwk_set *keys; /* NULL: free */
	hash32 seen[64];      /* assertions that were used */
	size_t seen_count;
};

struct dev_issuer {
	struct p256_secret secret;
	struct p256_public key;
	struct jwk_set *keys; /* its own, for introspection */
	char url[128];
	struct dev_grant grants[DEV_GRANTS_MAX];
	size_t grant_next;
	struct dev_client clients[DEV_CLIENTS_MAX];
	struct router *router;
	struct http_server *server;
	pthread_t thread;
	bool has_thread;
};

uint64_t dev_issuer_now_s(void);
/* An error as RFC 6749 §5.2 has it. */
void dev_issuer_refuse(struct http_exchange *exchange, int status, const char *error, const char *why);
void dev_issuer_put_keys(const struct dev_issuer *issuer, struct buf *out);
/* Keeps a grant behind a new secret, whose text is for the client alone. */
void dev_issuer_keep(struct dev_issuer *issuer, const struct dev_grant *grant, char secret[DEV_SECRET_TEXT]);
/* Takes the grant of a secret away, whether or not it is over; NULL: there is none. Valid until the next is kept. */
struct dev_grant *dev_issuer_take(struct dev_issuer *issuer, struct bytes secret, bool is_code);
/* Copies a parameter; false: it is longer than there is room. An absent one is empty. */
bool dev_issuer_parameter(char *out, size_t size, const struct http_query *query, const char *name);
/* Appends a token of these claims (JSON). */
void dev_issuer_sign(const struct dev_issuer *issuer, struct buf *out, struct bytes claims);

/* Handlers; their context is the issuer. */
void dev_issuer_authorize(void *context, struct http_exchange *exchange);
void dev_issuer_approve(void *context, struct http_exchange *exchange);
void dev_issuer_token(void *context, struct http_exchange *exchange);
void dev_issuer_register(void *context, struct http_exchange *exchange);
void dev_issuer_introspect(void *context, struct http_exchange *exchange);

#endif
