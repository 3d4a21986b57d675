/*
 * Which organisation shows a client certificate: a file of names. A name is one of the certificate's alternative names
 * (RFC 5280 §4.2.1.6) or the SHA-256 of the certificate itself; the rest of a line is the organisation, as tokens name
 * it too.
 *
 *	# certificate                organisation
 *	DNS:his.ward.example         Organization/ward
 *	sha256:9f86d081884c7d65…     Organization/laboratory
 *
 * Ownership: texts live in the arena. Threads: pure; a table is read-only after parsing.
 */
#ifndef HEALTH_GATEWAY_ORGANISATIONS_H
#define HEALTH_GATEWAY_ORGANISATIONS_H

#include "base/http.h"

#define ORGANISATIONS_MAX 1000u
#define ORGANISATION_NAME_MAX 255u
#define ORGANISATIONS_FILE_MAX ((size_t)1 << 20)

struct organisation {
	struct bytes certificate; /* "DNS:his.ward.example" */
	hash32 sha256;            /* zeros: `certificate` counts */
	struct bytes name;
};
struct organisation_table {
	struct organisation *list;
	size_t count;
};

/* STATUS_INVALID names the line; a certificate twice is refused. STATUS_LIMIT: over ORGANISATIONS_MAX. */
MUST_USE enum status organisations_parse(
    struct organisation_table *out, struct arena *arena, struct bytes text, struct err *err);
/* The first line that fits the peer's verified certificate; empty: none. `peer` may be NULL. */
struct bytes organisation_find(const struct organisation_table *table, const struct http_peer *peer);

#endif
