/*
 * The object store that a node's settings name (blob-store = s3): where it is, with which keys, and clients for it.
 *
 * The keys come from a file that only its owner can read, as the usual tools write it,
 *
 *	[default]
 *	aws_access_key_id = …
 *	aws_secret_access_key = …
 *	aws_session_token = …            (only if the keys are temporary)
 *
 * or, without that setting, from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. They are read once.
 *
 * Threads: the options' callbacks any; the rest belongs to the thread that owns the node.
 */
#ifndef APP_SERVE_OBJECT_STORE_H
#define APP_SERVE_OBJECT_STORE_H

#include "app/settings/settings.h"
#include "ledger/blob/blob_s3_client.h"

struct object_store_settings {
	bool is_used, takes_puts; /* it is named; blob-store = s3 */
	const char *endpoint, *region, *bucket, *prefix, *credentials, *ca_file;
	bool path_style, begins_anew;
};
/* Of the section `node`. */
struct object_store_settings object_store_settings(const struct settings *settings);
/* What is missing or malformed. */
void object_store_check(const struct settings *settings, struct problems *problems);

struct object_store;
/* *out is NULL if none is used. STATUS_INVALID: there are no keys, or their file is malformed. */
MUST_USE enum status object_store_open(
    struct object_store **out, const struct object_store_settings *settings, struct err *err);
void object_store_close(struct object_store *store); /* after the room is closed; NULL is allowed */
/* For blob_options; lives as long as the store. NULL gives NULL. */
const struct blob_s3_options *object_store_options(const struct object_store *store);

#endif
