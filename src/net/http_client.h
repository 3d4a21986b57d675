/*
 * `struct http_client` (base/http.h) over libcurl: keep-alive, http and https only, no redirects, no proxies or
 * credentials from the environment or files. TLS (1.2 and later) certificates and names are verified, against the
 * system's store or ca_file. An IPv6 address stands in brackets in a URL.
 *
 * Answers are bounded by the response's own body maximum (STATUS_LIMIT) and by the timeouts (STATUS_TIMEOUT).
 * A client with a `reach` asks of the very address that it connects to, so a name that resolves elsewhere a moment
 * later leads nowhere.
 *
 * An answer's content_type is a view into the client, valid until its next exchange; `headers` gets every field of the
 * answer. Threads: one at a time a client.
 */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include "base/http.h"
#include "net/http_reach.h"

/*
 * Signs each request by AWS Signature Version 4, for the service "s3". libcurl 7.88 signs every line that the caller
 * gives, an empty one too, which it does not send; and it neither makes x-amz-content-sha256 nor sorts a query. So the
 * caller gives that line itself, and a query that is sorted, escaped, and has '=' behind every name. libcurl keeps a
 * copy of the secret until the client is closed, and does not wipe it.
 */
struct http_sigv4 {
	const char *region;
	const char *access_key, *secret_key;
};

/* Zero means the default in brackets. */
struct http_client_options {
	uint32_t connect_timeout_ms;    /* [10,000] */
	uint32_t timeout_ms;            /* of a whole exchange [60,000] */
	const char *ca_file;            /* PEM: authorities for https, in place of the system's [NULL] */
	const char *cert_file;          /* PEM: the client's certificate, for servers that ask for one [NULL] */
	const char *key_file;           /* PEM: its key [NULL] */
	enum http_reach reach;          /* of the address itself, after a name was resolved [any] */
	const char *unix_socket;        /* a path: every exchange goes there, whatever host its URL names [NULL] */
	const struct http_sigv4 *sigv4; /* [NULL: nothing is signed] */
};

/* Once before threads. */
void http_client_global_init(void);
MUST_USE enum status http_client_open(
    struct http_client *out, const struct http_client_options *options, struct err *err);
/* A zeroed client is allowed. */
void http_client_close(struct http_client *client);

#endif
