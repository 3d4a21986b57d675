/*
 * Sealing a document for a folder, and opening what was sealed: docs/wire-formats.md §2, without a chain. The lead
 * carries its author's signature over the record, so that nobody else can make one in its name.
 *
 * Secrets (record keys, seeds, plain text) live in the caller's buffers and are wiped here where they are temporary.
 * Threads: pure but for the random source.
 */
#ifndef HEALTH_RECORDS_SEAL_H
#define HEALTH_RECORDS_SEAL_H

#include "base/world.h"
#include "crypto/merkle.h"
#include "crypto/p256.h"
#include "envelope/container.h"
#include "health/fhir/bundle.h"
#include "health/statements/statement.h"

#define RECORD_RESOURCES_MAX (CONTAINER_PARTS_MAX - 1)

/* Where a record stands; bound into every key and header. */
struct record_place {
	hash32 folder;
	uint32_t epoch;
	hash32 record;
};

/* What a resource is as a version of FHIR's REST (http.html#versioning). */
enum record_method { RECORD_POST, RECORD_PUT, RECORD_PATCH, RECORD_DELETE };
struct record_version {
	uint32_t number; /* from 1; 0: it is a resource of a document, and no version */
	enum record_method method;
	bool has_previous;
	hash32 previous; /* the record that has the version before */
};
struct record_resource {
	struct bytes type;
	struct bytes id; /* may be empty */
	struct bytes raw;
	struct record_version version;
};

/* Who signs it, for the Records of which deployment. */
struct record_author {
	const struct deployment *deployment;
	addr20 address;
	const hash32 *secret;
};
/* What is sealed. */
struct record_draft {
	const struct record_place *place;
	const struct p256_public *folder_key;
	const struct record_author *author;
	const struct record_resource *resources;
	size_t count;   /* at most RECORD_RESOURCES_MAX */
	uint64_t at_ms; /* when its versions came to be, since 1970 in UTC; 0: it has none */
};

struct record_sealed {
	struct buf container;
	hash32 blob;     /* its name */
	hash32 root;     /* the commitment */
	struct buf lead; /* the lead's plaintext, for the author's own copy; secret */
};
/* STATUS_LIMIT: too many or too large resources. record_sealed_fini wipes. */
MUST_USE enum status record_seal(
    struct record_sealed *out, const struct record_draft *draft, const struct random_source *random, struct err *err);
void record_sealed_fini(struct record_sealed *sealed);

/* What a lead holds. */
struct record_lead {
	uint8_t key[32];
	uint8_t seed[32];
	addr20 author;         /* as it says; record_lead_check */
	uint8_t signature[65]; /* its own, over the record (statement.h) */
	struct record_lead_resource {
		struct bytes type, id;
		uint64_t size_bytes;
		struct record_version version;
	} * resources; /* in the arena */
	size_t count;
	uint64_t at_ms; /* as in the draft */
};
/* What the chain says of a record that its author signed too. */
struct record_commitment {
	addr20 author;
	hash32 root, facts;
};
/* STATUS_INVALID: not a lead, or of another place; STATUS_DENIED: this key does not open it. */
MUST_USE enum status record_lead_open(struct record_lead *out, struct arena *arena, const struct record_place *place,
    const struct p256_secret *folder_secret, struct bytes part, struct err *err);
MUST_USE enum status record_lead_parse(
    struct record_lead *out, struct arena *arena, struct bytes plaintext, struct err *err);
/* Did this author sign the record with this commitment? STATUS_DENIED: no, or another did. */
MUST_USE enum status record_lead_check(const struct record_lead *lead, const struct deployment *deployment,
    const struct record_place *place, const struct record_commitment *said, struct err *err);
/* Appends resource `index` (from 1) exactly as it was. A segment of another record or place is refused. */
MUST_USE enum status segment_open(struct buf *out, struct arena *arena, const struct record_place *place,
    const struct record_lead *lead, uint32_t index, struct bytes part, struct err *err);
/* "POST" */
const char *record_method_text(enum record_method method);
/* leaf(salt_i || resource), and its salt. */
hash32 record_leaf(hash32 *salt, const uint8_t seed[32], uint32_t index, struct bytes resource);
/* Do all resources, in order, commit to `root`? */
bool record_matches(const hash32 *root, const struct record_lead *lead, const struct bytes *resources);

#endif
