/*
 * A folder's grants and revocations as they were signed, complete by the folder's proved list (eth/lists.h):
 * the node shows where each stands, and can neither hide one nor invent one.
 *
 * Ownership: the arena of `verified`. Threads: one owner a request.
 */
#ifndef HEALTH_CONSENT_GRANT_LIST_H
#define HEALTH_CONSENT_GRANT_LIST_H

#include "health/chain/verified.h"
#include "health/statements/folder_statements.h"

struct grant_list {
	struct grant_list_entry {
		uint64_t n; /* in the list, from 1 */
		bool is_grant;
		const char *fault; /* why it cannot be read: whom it is about is then the node's word; NULL: it can */
		hash32 record;     /* zeros: the whole folder */
		addr20 grantee, by;
		struct bytes calldata; /* its hash is the list's; whose signature it carries is not checked yet */
	} * entries;                   /* newest first */
	size_t count, cap, fault_count;
};
/* A head was taken. STATUS_DENIED names what is missing. An entry whose calldata is not the statement that the list
 * holds stays in the list, with its fault. */
MUST_USE enum status grant_list_read(
    struct verified *verified, struct grant_list *out, const hash32 *folder, struct err *err);
/* The grant that stands, if the list has no fault; else the proved state of the grant decides whether this is the
 * newest statement (folder_grant_find). It is the newest that can be read about this record and grantee, signed by a
 * controller of the folder or by whom it had given the right to share. STATUS_NOTFOUND: there is none, or it was
 * revoked. STATUS_DENIED: nobody who may has signed it. */
MUST_USE enum status grant_list_find(const struct grant_list *list, struct statement_grant *out,
    const struct statement_folder *folder, const hash32 *record, const addr20 *grantee, struct err *err);

#endif
