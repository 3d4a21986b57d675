/*
 * Bulk export (HL7 Bulk Data Access 2, $export of the system and of all patients): asked for once, counted in steps
 * while its status is polled, then fetched as one file of NDJSON a type. No file is ever written: what is fetched is
 * read from the index as it goes out, for the same asker, in the scopes that its token has then.
 *
 * Jobs are kept in memory for FHIR_EXPORT_KEPT_MS. Threads: any.
 */
#ifndef HEALTH_GATEWAY_FHIR_EXPORT_H
#define HEALTH_GATEWAY_FHIR_EXPORT_H

#include "health/gateway/fhir_call.h"

#define FHIR_EXPORT_JOBS_MAX 64u
#define FHIR_EXPORT_JOBS_OF_ONE_MAX 16u /* of one asker, so that others have places too */
#define FHIR_EXPORT_KEPT_MS 3600000u

struct fhir_exports;
struct fhir_exports *fhir_exports_new(const struct threads *threads);
void fhir_exports_free(struct fhir_exports *exports); /* NULL is allowed */

/* Operations (fhir_operation.h). */
void fhir_export_begin(struct fhir_call *call, const struct json *parameters);
void fhir_export_status(struct fhir_call *call, const struct json *parameters);
void fhir_export_file(struct fhir_call *call, const struct json *parameters);

#endif
