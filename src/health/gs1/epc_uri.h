/*
 * Every kind of EPC in its two spellings: "urn:epc:id:grai:4012345.00022.334455" and its canonical GS1 Digital Link
 * "https://id.gs1.org/8003/04012345000221334455". epc.h has those kinds that medicines' steps need, judged strictly;
 * this is for events of any kind, which may name anything: what is no EPC, or is malformed, is left as it is.
 *
 * Source: EPC Tag Data Standard 2.0 §6 and §7, GS1 Digital Link URI Syntax 1.4 §5, CBV 2.0 §8.9.2. Threads: pure.
 */
#ifndef HEALTH_GS1_EPC_URI_H
#define HEALTH_GS1_EPC_URI_H

#include "base/mem.h"

/* Appends the canonical Digital Link of an EPC URN, of a class or pattern URN whose last field is "*", or of a Digital
 * Link of any domain, whose query, and what qualifies an EPC no further, is left out. False, and nothing is appended:
 * the text is none of these. */
bool epc_uri_canonical(struct buf *out, struct bytes text);

/*
 * What the canonical Digital Links that a pattern ("urn:epc:idpat:sgtin:4012345.*.*") matches begin with, one behind
 * the other: several, since an indicator stands in front of a company prefix. `*count` of them, each NUL-terminated, in
 * the arena; NULL: the text is no pattern. Source: Tag Data Standard 2.0 §6.4.
 */
#define EPC_URI_STARTS_MAX 10u
const char *const *epc_uri_pattern(struct arena *arena, size_t *count, struct bytes text);

#endif
