/*
 * What nodes served of a folder (docs/wire-formats.md §6). Each node keeps a list of sealed entries for each folder,
 * and anchors on the chain, every minute with reads in it, the root of a map from folders to their lists. So each
 * node's answer is held to what the chain proves: presence, and then all entries up to the anchor are there or named as
 * missing; or absence. Each entry holds the reader's own signed request: no node invents a read.
 *
 * Ownership: lists and texts live in the request's arena. Threads: one owner a request.
 */
#ifndef HEALTH_CONSENT_AUDIT_H
#define HEALTH_CONSENT_AUDIT_H

#include "eth/lists.h"
#include "eth/outer.h"
#include "eth/sign.h"
#include "health/actors/request.h"

struct audit_entry {
	uint64_t n; /* from 1, in the node's list of this folder */
	addr20 who;
	addr20 gate; /* the contract whose item it is: the record's id at Records */
	hash32 item;
	bool whole;    /* the container; false: `part` of it, 0 is its lead */
	bool released; /* neither: a member's part of the outer seal's key */
	uint32_t part;
	bool served;
	bool anchored; /* proved by the chain; false: added since the newest anchor, as the node says */
	uint64_t at_ms;
	size_t node; /* index in `nodes` */
	/* Of a gateway: its line (docs/wire-formats.md §6), and no more than n, served, anchored, at_ms, node. Else
	 * empty. */
	struct bytes line;
};
/* A node, what the chain proves of it, and what it answered. */
struct audit_node {
	addr20 node;
	const char *url;        /* NULL: it is not known where to ask it */
	uint64_t anchored_at_s; /* of its newest anchor; 0: it never anchored anything */
	uint64_t proved;        /* entries of this folder under that anchor; 0: none, which is proved */
	uint64_t of_former;     /* entries from before the folder was handed over, sealed to who controlled it then */
	bool is_proved;         /* its answer holds; else `fault` says what is missing or wrong */
	const char *fault;      /* NULL: none */
	bool is_gateway;        /* an organisation's: its lines are its own word, but none can be taken back */
	bool is_sure;           /* of a gateway: it was named, or has to be asked */
};
struct audit_log {
	struct audit_entry *entries; /* by node, the newest first */
	size_t count;
	struct audit_node *nodes;
	size_t node_count;
	bool is_complete; /* every node's answer holds */
};
/* An anchor is renewed every hour at least; one that is older says nothing of what came since. */
#define AUDIT_STALE_S 7200u
bool audit_is_stale(const struct audit_node *node, uint64_t now_s);

/* Where nodes and gateways are, beside the deployment's own; from whoever asks. */
struct audit_address {
	addr20 node;
	const char *url;
};
struct audit_wish {
	hash32 folder;
	uint64_t max; /* entries of each node; 0: all */
	const struct audit_address *addresses;
	size_t address_count;
};
/*
 * By the folder's controller: asks every node that the directory proves; and the gateways of the organisations that are
 * named, and of those that wrote into the folder or asked to look and have anchored anything. What a node leaves out or
 * makes up is its fault in `nodes`, and what it showed before is still right. STATUS_DENIED: the chain's own answer is
 * not believed.
 */
MUST_USE enum status audit_reads(
    struct actor_request *request, struct audit_log *out, const struct audit_wish *wish, struct err *err);

/* A gateway's line. STATUS_INVALID. */
MUST_USE enum status audit_gateway_line_parse(
    struct audit_entry *out, struct arena *arena, struct bytes plaintext, struct err *err);

/* --- the parts of it that need no chain --- */

struct audit_sealed {
	struct list_entry link; /* `entry` is the hash of the JWE */
	struct bytes jwe;
};
/* One answer of a node. */
struct audit_page {
	struct list_state state; /* of the whole list, as the node says */
	bool has_proof;
	struct bytes proof; /* crypto/merkle_map.h */
	bool is_gateways;   /* its entries are lines of looks */
	struct audit_sealed *entries;
	size_t count;
};
/* STATUS_INVALID. */
MUST_USE enum status audit_page_parse(struct audit_page *out, struct arena *arena, struct bytes text, struct err *err);

/* An opened entry, with the request that its reader signed. */
struct audit_line {
	struct audit_entry entry;
	char action[OUTER_ACTION_BYTES]; /* as it was signed */
	uint64_t expiry_s, nonce;
	struct eth_signature signature;
};
/* STATUS_INVALID. */
MUST_USE enum status audit_line_parse(
    struct audit_line *out, struct arena *arena, struct bytes plaintext, struct err *err);
/* Did the reader sign it, for this node, at about that time? STATUS_DENIED: no. `time_s` is the list's. */
MUST_USE enum status audit_line_check(const struct audit_line *line, const struct deployment *deployment,
    const addr20 *node, uint64_t time_s, struct err *err);

#endif
