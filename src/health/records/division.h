/*
 * From a FHIR document to what is added: one record a patient, each in a folder of its own, since a record never holds
 * two people's data. Threads: pure.
 */
#ifndef HEALTH_RECORDS_DIVISION_H
#define HEALTH_RECORDS_DIVISION_H

#include "health/fhir/bundle.h"
#include "health/records/record.h"

struct folder_list {
	hash32 ids[RECORD_ADDITIONS_MAX];
	size_t count;
};
/* "0x…,0x…". STATUS_INVALID; STATUS_LIMIT: more than RECORD_ADDITIONS_MAX. */
MUST_USE enum status folder_list_parse(struct folder_list *out, struct bytes text, struct err *err);

/*
 * Fills `out[0 … folders->count)`: a folder for each patient in the document's order, or one for a document of one or
 * none. Shared resources (Organization, Practitioner, …) go into every record. STATUS_INVALID: the folders do not fit
 * the patients, or a resource of several patients' document does not say whose it is. Arrays are in the arena.
 */
MUST_USE enum status record_divide(struct record_addition *out, struct arena *arena,
    const struct fhir_document *document, const struct folder_list *folders, struct err *err);

#endif
