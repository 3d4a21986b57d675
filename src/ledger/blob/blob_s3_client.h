/*
 * An S3 store as this room needs one: objects of one bucket under one prefix, written and read whole. A container is at
 * most 64 MiB, so a single PUT always does; there are no parts that could be left behind.
 *
 * Requests are tried again, with growing pauses, after 5xx, 429, a cut connection and silence, up to about twenty
 * seconds. If that did not help, further requests fail at once for a moment, so that nobody queues behind a store that
 * is down. The client that `open` gives signs (net/http_client.h); what is signed of a body is its SHA-256.
 *
 * Every failure is one of three: STATUS_NOTFOUND: the store says that it has no such key; STATUS_DENIED: the store
 * answered, and will answer so again until somebody changes a setting; STATUS_IO: not now. Threads: any.
 *
 * Source: Amazon S3 API Reference (2006-03-01).
 */
#ifndef LEDGER_BLOB_BLOB_S3_CLIENT_H
#define LEDGER_BLOB_BLOB_S3_CLIENT_H

#include "base/http.h"
#include "base/world.h"

#define S3_KEY_MAX 1024u
#define S3_PREFIX_MAX 256u
#define S3_PAGE_MAX 1000u

struct blob_s3_options {
	const char *url;    /* of the bucket, without '/' at the end: "https://bucket.host" or "https://host/bucket" */
	const char *bucket; /* for messages */
	const char *prefix; /* of all keys: of [A-Za-z0-9._/-]; "" is allowed */
	const char *header; /* of every request: "x-amz-security-token: …"; NULL: none */
	bool takes_puts;    /* false: only what is there already is served and deleted */
	bool begins_anew;   /* what was kept there is lost: the place is marked again */
	MUST_USE enum status (*open)(void *context, struct http_client *out, struct err *err);
	void (*close)(void *context, struct http_client *client);
	void (*sleep_ms)(void *context, uint32_t ms);
	void *context;
	const struct clock_source *clock;
};

struct blob_s3_client;
/* Borrows what the options point to. Sends nothing yet. */
struct blob_s3_client *blob_s3_client_new(const struct blob_s3_options *options);
void blob_s3_client_free(struct blob_s3_client *client); /* NULL is allowed */

/* `key` comes behind the prefix. */
MUST_USE enum status blob_s3_put(struct blob_s3_client *client, const char *key, struct bytes content, struct err *err);
/* Appends; an object of more than `most` bytes is STATUS_CORRUPT. */
MUST_USE enum status blob_s3_get(
    struct blob_s3_client *client, struct buf *out, const char *key, size_t most, struct err *err);
/* Its size, without its content. */
MUST_USE enum status blob_s3_size(struct blob_s3_client *client, uint64_t *out, const char *key, struct err *err);
/* STATUS_OK too if there is none. */
MUST_USE enum status blob_s3_delete(struct blob_s3_client *client, const char *key, struct err *err);
/* Does the bucket keep what is deleted or replaced, now or of earlier? */
MUST_USE enum status blob_s3_keeps_versions(struct blob_s3_client *client, bool *keeps, struct err *err);

struct blob_s3_object {
	struct bytes key; /* behind the prefix */
	uint64_t size_bytes;
};
struct blob_s3_page {
	struct blob_s3_object objects[S3_PAGE_MAX];
	size_t count;
	struct bytes next; /* the token of the next page; empty: this was the last */
};
/* A page behind `token`; empty: the first. Its texts are in the arena. */
MUST_USE enum status blob_s3_list(
    struct blob_s3_client *client, struct blob_s3_page *out, struct arena *arena, struct bytes token, struct err *err);

struct blob_s3_counts {
	uint64_t requests, retries, failures; /* failures: after all retries */
	bool is_up;                           /* the newest answer was one */
	char why[256];                        /* what it said if it is not */
};
struct blob_s3_counts blob_s3_client_counts(struct blob_s3_client *client);

#endif
