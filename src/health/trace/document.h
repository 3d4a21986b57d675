/*
 * Sealed documents (docs/wire-formats.md §10): an EPCIS document together with what its recipients need to find the
 * units that it names on the chain: batches and their parts (what was commissioned at once), containers, and each
 * unit's index, tag and path to its part's root.
 *
 * The same value is what a home knows of its packs: it keeps each document that it sent or received. Ownership:
 * everything is in the arena that it was parsed or built in. Threads: as the request.
 */
#ifndef HEALTH_TRACE_DOCUMENT_H
#define HEALTH_TRACE_DOCUMENT_H

#include "crypto/merkle.h"
#include "health/actors/request.h"
#include "health/trace/places.h"

#define DOCUMENT_BYTES_MAX ((size_t)64 << 20)
#define DOCUMENT_RECIPIENTS_MAX 16u

struct document_batch {
	const char *gtin, *lot;
	uint64_t expiry_s; /* exclusive */
	addr20 owner;      /* the manufacturer */
	addr20 regulator;  /* who holds the product's key in escrow; gets every document */
	hash32 id;
};
struct document_part {
	uint32_t batch;  /* in the document's batches */
	uint32_t number; /* of the batch's parts, from 0 */
	uint32_t first;  /* index of its first unit in the batch */
	uint32_t count;  /* of its units, whether the document names them or not */
	hash32 root;     /* over their leaves: what the chain must hold */
};
struct document_container {
	const char *code; /* of epc_container_code; "" for a loose transfer */
	addr20 opener;
	hash32 salt; /* with code and opener it gives the id, so nobody gives a container another code */
	hash32 id;
};
#define DOCUMENT_NO_CONTAINER UINT32_MAX
#define DOCUMENT_NO_PART UINT32_MAX
struct document_unit {
	const char *serial;
	uint32_t batch; /* in the document's batches */
	uint32_t part;  /* in the document's parts, or DOCUMENT_NO_PART: it is not on the chain yet */
	uint32_t index; /* in the batch */
	hash32 tag;
	uint32_t container; /* in the document's containers, or DOCUMENT_NO_CONTAINER */
	const hash32 *path; /* from its leaf to the part's root */
	size_t path_len;
};
struct document {
	hash32 salt; /* secret of the sender and the recipients, so that nobody confirms a guessed document */
	hash32 hash; /* what the chain holds of it: of the salt and the EPCIS text */
	addr20 sender;
	struct bytes epcis;
	struct document_batch *batches;
	struct document_part *parts;
	struct document_container *containers;
	struct document_unit *units;
	uint32_t batch_count, part_count, container_count, unit_count;
	uint32_t batch_room, part_room, container_room, unit_room;
	struct places batch_places, part_places, container_places; /* of those that are there */
};
/* Sets the id from the rest. */
void document_name_container(struct document_container *container);
/* The same EPCIS text from the same home has the same salt and hash again; a reference, whose text is empty, never. */
void document_init(struct document *out, struct actor_request *request, struct bytes epcis);
/* Each gives the place of an equal entry that is there, or of a new copy. */
uint32_t document_add_batch(struct document *document, struct arena *arena, const struct document_batch *batch);
uint32_t document_add_part(struct document *document, struct arena *arena, const struct document_part *part);
uint32_t document_add_container(
    struct document *document, struct arena *arena, const struct document_container *container);
/* The place of a container that the document has. */
uint32_t document_container_at(const struct document *document, const hash32 *id);
void document_add_unit(struct document *document, struct arena *arena, const struct document_unit *unit);
/* A pack's leaf in its part, to which its maker commits: of all that is printed on it, and its tag, which is secret and
 * so keeps it from being guessed. Nobody who holds the document gives a pack another name. The GTIN has 14 digits, lot
 * and serial at most 20 characters. */
hash32 document_leaf(const struct document_batch *batch, const struct document_unit *unit);
/* Sets the root and its units' paths of a part from those units and what `proof` says of the others
 * (crypto/merkle.h). False: it does not add up. */
bool document_prove_part(
    struct document *document, struct arena *arena, uint32_t part, const hash32 *proof, size_t proof_len);

void document_write(struct buf *out, const struct document *document, const struct actor_request *request);
/* STATUS_INVALID says what is wrong; STATUS_DENIED: of another chain. */
MUST_USE enum status document_parse(
    struct document *out, struct actor_request *request, struct bytes json, struct err *err);

/* One whose packs may be on the chain in part only: those name their batch alone. For a plan that is kept. */
MUST_USE enum status document_parse_unfinished(
    struct document *out, struct actor_request *request, struct bytes json, struct err *err);

/* To each recipient's directory key; addresses that occur twice or are zero count once or not at all. */
MUST_USE enum status document_seal(struct actor_request *request, struct buf *sealed, const struct document *document,
    const addr20 *recipients, size_t count, struct err *err);
/* STATUS_DENIED: not sealed to this home, or changed since. */
MUST_USE enum status document_open(
    struct actor_request *request, struct document *out, struct bytes sealed, struct err *err);

/* Captured by its sender, or one unit that it dispensed alone: by proof, but for a document of one unit that is not the
 * last that dispensed from its row, of which the node tells. */
MUST_USE enum status document_is_captured(
    struct actor_request *request, bool *out, const struct document *document, struct err *err);
/* document_check.c. Does the chain bear it out: captured by its sender, batches with their owner, a regulator that is
 * one, each part's root, and that its serials are those that were commissioned? STATUS_DENIED says what does not hold.
 * Whoever holds the product's key sees also that lot and tags are those of the GTIN. */
MUST_USE enum status document_check(struct actor_request *request, const struct document *document, struct err *err);

#endif
