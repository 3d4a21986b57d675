/*
 * EPCIS documents, 2.0 in JSON-LD and 1.0 to 2.0 in XML (epcis_xml.h): read strictly into what a capture needs, and
 * written for our own steps.
 *
 * Read: EPCISDocument and EPCISQueryDocument, all five kinds of event (and extension kinds, which are marked as such),
 * with bare CBV words, CBV web URIs or the older URNs for business steps and dispositions. What is read is the event's
 * who, what and why; its exact bytes stay at hand as `raw`. Beyond the JSON Schema it checks times, offsets, actions,
 * and that an event names something.
 *
 * Ownership: everything lives in the arena or views the text. Threads: pure.
 * Sources: EPCIS 2.0 §7, CBV 2.0 §7; ref.gs1.org/standards/epcis.
 */
#ifndef HEALTH_EPCIS_EPCIS_H
#define HEALTH_EPCIS_EPCIS_H

#include "codec/json.h"

#define EPCIS_BYTES_MAX ((size_t)16 << 20)
#define EPCIS_EVENTS_MAX 10000u

enum epcis_kind {
	EPCIS_OBJECT,
	EPCIS_AGGREGATION,
	EPCIS_TRANSACTION,
	EPCIS_TRANSFORMATION,
	EPCIS_ASSOCIATION,
	EPCIS_EXTENSION
};
const char *epcis_kind_name(enum epcis_kind kind);
enum epcis_action { EPCIS_NO_ACTION, EPCIS_ADD, EPCIS_OBSERVE, EPCIS_DELETE };

struct epcis_event {
	enum epcis_kind kind;
	enum epcis_action action;
	const char *step;        /* "shipping"; "" where absent; a word that is not CBV's stays whole */
	const char *disposition; /* likewise */
	bool sets_recalled;      /* persistentDisposition.set has "recalled" */
	bool unsets_recalled;    /* persistentDisposition.unset has it */
	bool corrects;           /* it has an errorDeclaration: what it says did not happen */
	struct bytes *epcs;      /* epcList, or childEPCs of an aggregation */
	size_t epc_count;
	struct bytes *classes; /* epcClass of quantityList or childQuantityList */
	size_t class_count;
	struct bytes parent;              /* empty where absent */
	struct bytes source, destination; /* the possessing or else owning party; empty where absent */
	struct bytes lot, expiry;         /* of ilmd; empty where absent */
	uint64_t latest_ms; /* of eventTime, recordTime and declarationTime; Unix milliseconds, 0 before 1970 */
	struct bytes raw;   /* its exact bytes in the text */
	const struct json *tree;
};
struct epcis_document {
	struct bytes text;
	bool is_xml;
	const struct json *tree; /* of JSON-LD, also if it is XML */
	struct epcis_event *events;
	size_t count;
};
/* STATUS_INVALID names the event (from 1) and what is wrong. */
/* A date, as ilmd has an expiry: xsd:date or xsd:dateTimeStamp, or YYMMDD. Gives the second after that day ends, as
 * gs1_date_seconds does. */
bool epcis_date_seconds(uint64_t *out, struct bytes text, unsigned this_year);
MUST_USE enum status epcis_parse(struct epcis_document *out, struct arena *arena, struct bytes text, struct err *err);
/* The Merkle root over the events in order, each salted, so that nobody confirms a guessed one (docs/wire-formats.md
 * §10); zero if there are none. `salt` is the document's (health/trace/document.h). */
hash32 epcis_root(const struct epcis_document *document, const hash32 *salt);

/* --- writing: a document of one event --- */

struct epcis_draft {
	enum epcis_kind kind; /* OBJECT or AGGREGATION */
	enum epcis_action action;
	const char *step, *disposition;
	uint64_t time_ms;
	const char *const *epcs;
	size_t epc_count;
	const char *const *classes; /* quantityList, by epcClass alone */
	size_t class_count;
	const char *parent;               /* NULL: none */
	const char *source, *destination; /* possessing parties; NULL: none */
	const char *lot, *expiry;         /* ilmd: expiry as "2027-12-31"; NULL: none */
	bool sets_recalled, unsets_recalled;
	bool corrects;
};
void epcis_write(struct buf *out, const struct epcis_draft *draft);

#endif
