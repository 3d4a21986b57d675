/*
 * What a home knows of packs: the documents that it sent or received lie in it, sealed to itself
 * (docs/wire-formats.md §10).
 *
 * A stock answers what the documents say of packs, lots and containers. Behind it is a source: the home's index
 * (health/index), which answers by key however many documents there are; or documents in memory, its plain twin.
 *
 * Ownership: answers live in the stock's arena. Threads: as the request.
 */
#ifndef HEALTH_TRACE_STOCK_H
#define HEALTH_TRACE_STOCK_H

#include "health/gs1/scan.h"
#include "health/trace/document.h"
#include "health/trace/medicines.h"

/* A pack as a document names it. The numbers `unit.batch`, `unit.part`, `unit.container` and
 * `part.batch` mean nothing here. */
struct stock_unit {
	struct document_unit unit;
	struct document_part part;
	struct document_batch batch;
	const struct document_batch
	    *rival; /* of another pack that documents name by the same GTIN and serial; or NULL */
};

#define STOCK_CONTAINERS_MAX 64u /* of one code */
/* *found false: no document says it. Lists may be empty. */
struct stock_source {
	MUST_USE enum status (*unit)(void *context, struct stock_unit *out, bool *found, struct arena *arena,
	    const char *gtin, const char *serial, struct err *err);
	MUST_USE enum status (*unit_at)(void *context, struct stock_unit *out, bool *found, struct arena *arena,
	    const struct medicines_unit *ref, struct err *err);
	MUST_USE enum status (*lot)(void *context, struct document_batch *out, bool *found, struct arena *arena,
	    const char *gtin, const char *lot, struct err *err);
	MUST_USE enum status (*containers)(void *context, struct document_container *out, size_t *count,
	    struct arena *arena, const char *code, struct err *err); /* room for STOCK_CONTAINERS_MAX */
	MUST_USE enum status (*container_at)(void *context, struct document_container *out, bool *found,
	    struct arena *arena, const hash32 *id, struct err *err);
	MUST_USE enum status (*units_in)(void *context, struct stock_unit **out, size_t *count, struct arena *arena,
	    const hash32 *container, struct err *err);
	MUST_USE enum status (*containers_of)(void *context, hash32 **out, size_t *count, struct arena *arena,
	    const struct medicines_unit *ref, struct err *err);
	MUST_USE enum status (*lots)(void *context, hash32 **out, size_t *count, struct arena *arena, struct err *err);
	MUST_USE enum status (*count)(void *context, size_t *out, const char *gtin, struct err *err);
	/* A document that the home keeps from now on. */
	MUST_USE enum status (*take)(void *context, const struct document *document, struct err *err);
};

struct stock {
	const struct stock_source *source;
	void *context;
	struct arena *arena;
	const struct document *beside; /* shown for this request alone; NULL: none */
};

/* A pack by its GTIN and serial, or by its place on the chain. By the former, the first that a document named; if there
 * is another one, some maker committed to a GTIN that is not its own: the answer has its lot as `rival`. */
MUST_USE enum status stock_unit(const struct stock *stock, struct stock_unit *out, bool *found, const char *gtin,
    const char *serial, struct err *err);
MUST_USE enum status stock_unit_at(
    const struct stock *stock, struct stock_unit *out, bool *found, const struct medicines_unit *ref, struct err *err);
MUST_USE enum status stock_lot(const struct stock *stock, struct document_batch *out, bool *found, const char *gtin,
    const char *lot, struct err *err);
/* Containers by their code (epc_container_code), the newest first, those of the document beside before all: whoever
 * opens one chooses its code, so that several may have the same, and the chain says whose each is. */
MUST_USE enum status stock_containers(const struct stock *stock, struct document_container out[STOCK_CONTAINERS_MAX],
    size_t *count, const char *code, struct err *err);
/* A container by its id on the chain; and its code alone: NULL if no document names it. */
MUST_USE enum status stock_container_at(
    const struct stock *stock, struct document_container *out, bool *found, const hash32 *id, struct err *err);
MUST_USE enum status stock_code(const struct stock *stock, const char **out, const hash32 *container, struct err *err);
/* Packs that some document put into the container, and containers that some document put the pack into: where they are
 * now, the chain says. */
MUST_USE enum status stock_units_in(
    const struct stock *stock, struct stock_unit **out, size_t *count, const hash32 *container, struct err *err);
MUST_USE enum status stock_containers_of(
    const struct stock *stock, hash32 **out, size_t *count, const struct medicines_unit *ref, struct err *err);
/* The batches of all lots that some document names, each once. */
MUST_USE enum status stock_lots(const struct stock *stock, hash32 **out, size_t *count, struct err *err);
/* How many packs of a product documents name, each once. */
MUST_USE enum status stock_count(const struct stock *stock, size_t *out, const char *gtin, struct err *err);
/* Why a scan that is well formed names no unit known here: a serial of the other case, Y and Z swapped, a separator
 * dropped. Empty if nothing similar is known. */
MUST_USE enum status stock_diagnose(const struct stock *stock, char out[256], const struct scan *scan, struct err *err);

/* For a source: a document names `other` by the GTIN and serial of `first`. If it is another pack, it is its rival. */
void stock_note_rival(struct stock_unit *first, const struct stock_unit *other, struct arena *arena);

/* Seals the document into the home, then hands it to the source. */
MUST_USE enum status stock_save(
    struct actor_request *request, const struct stock *stock, const struct document *document, struct err *err);
/* The home's sealed documents by name, "<hash>.jwe", sorted; and one of them. */
MUST_USE enum status stock_names(struct actor_request *request, char ***names, size_t *count, struct err *err);
MUST_USE enum status stock_read(struct actor_request *request, struct document *out, const char *name, struct err *err);
/* One by its hash. STATUS_NOTFOUND: the home does not keep it. */
MUST_USE enum status stock_find_document(
    struct actor_request *request, struct document *out, const hash32 *hash, struct err *err);

/* Documents in memory. */
struct stock_documents {
	const struct document *documents;
	size_t count;
};
extern const struct stock_source stock_documents_source;

#endif
