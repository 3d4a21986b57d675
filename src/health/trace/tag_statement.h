/*
 * The statement that makes regulators the holders of the tags' key, on its way: gathered by a holder, signed by
 * registrars, one after the other, and sent by anybody who is listed (docs/wire-formats.md §10).
 * Ownership: the arena of the request. Threads: as the request.
 */
#ifndef HEALTH_TRACE_TAG_STATEMENT_H
#define HEALTH_TRACE_TAG_STATEMENT_H

#include "eth/sign.h"
#include "health/trace/tag_holders.h"

#define TAG_STATEMENT_MAX ((size_t)1 << 16) /* bytes of a file */

struct tag_signature {
	addr20 registrar;
	struct eth_signature signature;
};
struct tag_statement {
	struct statement_tag_holders said;
	uint64_t deadline_s;
	struct tag_signature signatures[STATEMENT_REGISTRARS_MAX];
	size_t signature_count;
};

void tag_statement_write(struct buf *out, const struct deployment *deployment, const struct tag_statement *statement);
/* Its form only. STATUS_DENIED: it is for another chain. */
MUST_USE enum status tag_statement_read(
    struct actor_request *request, struct tag_statement *out, struct bytes json, struct err *err);
/* Adds the signature of this home's account, or renews it. */
MUST_USE enum status tag_statement_sign(
    struct actor_request *request, struct tag_statement *statement, struct err *err);
/* The calldata, with the signatures that hold, in order. Whether they are enough the contract says. */
MUST_USE enum status tag_statement_call(
    struct actor_request *request, struct bytes *calldata, const struct tag_statement *statement, struct err *err);

#endif
