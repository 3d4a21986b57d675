/* Inside this room: a signed request for a blob, from its header to the trace that it leaves. Each bool function that
 * answers false has written the answer. Threads: any. */
#ifndef LEDGER_BLOB_BLOB_REQUEST_H
#define LEDGER_BLOB_BLOB_REQUEST_H

#include "eth/outer.h"
#include "eth/sign.h"
#include "ledger/blob/blob_room.h"

enum blob_action { ACTION_PUT, ACTION_GET, ACTION_PART, ACTION_AUDIT, ACTION_RELEASE };

struct blob_request {
	enum blob_action action;
	addr20 gate;
	hash32 name;   /* the blob of a put; else the item */
	uint32_t part; /* of an audit: the page's entries come before this number [0: from the newest on] */
	bool has_root; /* of an audit: which root to prove under; not signed, since it changes no entry */
	hash32 root;
	char release[OUTER_ACTION_BYTES]; /* of a release: what is signed names the whole body */
	uint64_t expiry_s;
	uint64_t nonce;
	addr20 who;
	struct eth_signature signature;
};

/* The answer to what went wrong. */
void blob_request_problem(struct http_response *response, enum status status, const struct err *err);
/* A request to a known gate, signed by the account that it names. The caller has set its action. */
bool blob_request_open(struct blob_room *room, struct blob_request *request, struct http_exchange *exchange);
/* Does the gate let this account read the item (*may), or know it otherwise? A stranger learns nothing, not even what
 * is here, and leaves no trace. */
bool blob_request_judge(
    struct blob_room *room, bool *may, const struct blob_request *request, struct http_response *response);
/* The request counts, once. Called for accounts that the gate knows only: what strangers send is kept nowhere. */
bool blob_request_use(struct blob_room *room, const struct blob_request *request, struct http_response *response);
/* What has no content ends here. */
bool blob_request_item(
    struct blob_room *room, struct blob_item *item, const struct blob_request *request, struct http_response *response);
/* The trace comes first: a read that cannot be logged is not served. */
bool blob_request_log(
    struct blob_room *room, bool may, const struct blob_request *request, struct http_response *response);

/* blob_release.c: routes. */
void blob_release(void *context, struct http_exchange *exchange);
void blob_release_here(void *context, struct http_exchange *exchange);
void blob_member_seal(void *context, struct http_exchange *exchange);

#endif
