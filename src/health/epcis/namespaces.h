/*
 * Prefixed names of EPCIS in JSON-LD: "example:part" is the namespace that the @context gives to "example", and "part".
 * Prefixes that EPCIS's own context has (cbv, cbvmda, gs1, epcis, rdfs, xsd, owl) are known without one.
 *
 * Ownership: answers are views. Threads: pure. Source: EPCIS 2.0 §10 (JSON-LD context), JSON-LD 1.1 §4.1.5.
 */
#ifndef HEALTH_EPCIS_NAMESPACES_H
#define HEALTH_EPCIS_NAMESPACES_H

#include "codec/json.h"

/* The namespace of "prefix:local"; *local then becomes what follows the colon. A name without a prefix that is known
 * has a NULL one, and *local stays. `context` may be NULL. */
struct bytes epcis_namespace_of(const struct json *context, struct bytes *local);

#endif
