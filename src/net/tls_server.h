/*
 * Inside net/: the server's side of TLS, by GnuTLS, which is what libmicrohttpd speaks (docs/decisions, "TLS is
 * GnuTLS'"): which certificate and key the server shows, and whose certificates it asks its clients for.
 *
 * An identity is what was read from the files at one time. A connection keeps the identity that it began with, so that
 * a reload drops no connection; new connections get the new one. TLS 1.2 and 1.3, forward secrecy and AEAD ciphers
 * only; no resumption, so that a client is judged by the current authorities at each connection.
 *
 * Threads: tls_server_reload and tls_server_begin from any; the others as the connection they belong to.
 */
#ifndef NET_TLS_SERVER_H
#define NET_TLS_SERVER_H

#include "net/http_server.h"

#include <gnutls/gnutls.h>

#define TLS_PRIORITIES                                                                                                 \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:"                                  \
	"-CIPHER-ALL:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:-MAC-ALL:+AEAD:%SERVER_PRECEDENCE"

struct tls_server;
struct tls_identity;

MUST_USE enum status tls_server_open(struct tls_server **out, const struct tls_files *files, struct err *err);
/* If anything is wrong with the files, the old identity stays. */
MUST_USE enum status tls_server_reload(struct tls_server *tls, const struct tls_files *files, struct err *err);
/* NULL is allowed. */
void tls_server_close(struct tls_server *tls);

/* A new session shows the current identity, and asks the client as it says. The caller gives it back at the end. */
struct tls_identity *tls_server_begin(struct tls_server *tls, gnutls_session_t session);
void tls_identity_release(struct tls_identity *identity);

/* Fills in what the client's verified certificate says, after the handshake; texts are in the arena. */
void tls_describe_peer(struct http_peer *peer, struct arena *arena, gnutls_session_t session);

#endif
