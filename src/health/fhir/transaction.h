/*
 * Planning a batch or a transaction (http.html#transaction): what each entry asks for, in which order, and how
 * references are rewritten once identities are known. It knows no storage: whoever carries the plan out resolves the
 * conditions.
 *
 * An entry that cannot be carried out has issues; of a transaction that refuses the whole. Bounds: as the JSON parser's
 * and FHIR_TRANSACTION_MAX; names are looked up by their hashes, so that a bundle takes time in proportion to its size.
 * Ownership: views into the Bundle's tree, arrays in the arena. Threads: pure.
 */
#ifndef HEALTH_FHIR_TRANSACTION_H
#define HEALTH_FHIR_TRANSACTION_H

#include "codec/json_edit.h"
#include "health/fhir/issue.h"
#include "health/fhir/names.h"
#include "health/fhir/target.h"

#define FHIR_TRANSACTION_MAX 20000u /* entries */

/* In the order in which a transaction's entries take effect. */
enum fhir_entry_method { FHIR_ENTRY_DELETE, FHIR_ENTRY_POST, FHIR_ENTRY_PUT, FHIR_ENTRY_PATCH, FHIR_ENTRY_GET };

struct fhir_entry {
	enum fhir_entry_method method;
	bool is_head;              /* a GET without its body */
	struct fhir_target target; /* of request.url */
	struct bytes url;          /* as it stands there */
	struct bytes condition;    /* of "Type?…" or of ifNoneExist; data == NULL: none */
	struct bytes full_url, if_match, if_none_match, if_modified_since;
	const struct json *resource; /* NULL: none */
	struct fhir_issues *issues;  /* what is wrong with it; NULL: nothing */
	int status;                  /* which answer that is; 0: none is known yet */
	struct bytes reference;      /* "Patient/1", once it is known; the carrier sets it */
};

struct fhir_transaction {
	bool is_atomic; /* a transaction; else a batch */
	struct fhir_entry *entries;
	size_t count;
	size_t *order; /* indices of the entries, in which they take effect */
	struct arena *arena;
	const struct fhir_definitions *defs;
	struct bytes base;  /* "https://host/fhir", for absolute URLs of this server */
	struct names links; /* fullUrl: the entry that has it */
	struct names named; /* "Patient?identifier=system|value" of resources that are written: the entry */
};

/* False if the Bundle itself is refused, or, for a transaction, one of its entries: `issues` says why. `base` without a
 * "/" at its end. */
MUST_USE bool fhir_transaction_read(struct fhir_transaction *out, struct fhir_issues *issues,
    const struct fhir_definitions *defs, const struct json *bundle, struct bytes base);
/* Adds an error to an entry, and the status that answers it if no earlier one did. */
void fhir_entry_refuse(struct fhir_transaction *transaction, size_t index, int status, enum fhir_issue_code code,
    const char *format, ...) PRINTF_LIKE(5, 6);
/* Do two entries write one identity, as far as it is known (`reference`)? The later one is refused. To be called again
 * when conditions are resolved. False: some do. */
bool fhir_transaction_check_overlap(struct fhir_transaction *transaction);

/*
 * Rewrites what a resource says of others: every element of type uri, url, oid or uuid and every Reference.reference
 * that is an entry's fullUrl, also in contained resources and extensions, and href and src in narratives, becomes that
 * entry's reference; canonicals stay. A conditional reference ("Patient?identifier=…") becomes that of the one entry
 * that has this identifier, or else what `resolve` gives.
 */
struct fhir_reference_resolver {
	/* Also asked about a urn:uuid or urn:oid that no entry has. `several`: entries of the bundle have it too. An
	 * empty view: it is refused, and the resolver said why. */
	struct bytes (*resolve)(void *context, struct bytes text, bool several);
	void *context;
};
/* `full_url`: of the resource's entry; relative references stand on its base (bundle.html#references). False: a
 * conditional reference was refused. */
MUST_USE bool fhir_transaction_rewrite(struct fhir_transaction *transaction, struct json_edit *edit,
    const struct json *resource, struct bytes full_url, const struct fhir_reference_resolver *resolver);
#endif
