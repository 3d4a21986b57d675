/* Dividing a document among its patients. Threads: pure. */
#ifndef HEALTH_FHIR_PATIENTS_H
#define HEALTH_FHIR_PATIENTS_H

#include "health/fhir/bundle.h"
#include "health/fhir/names.h"

/* Fills document->patients and every resource's `patient`; a reference that fits several resources is an issue.
 * `full_urls` finds resources by fullUrl. */
void fhir_divide(struct fhir_document *document, struct fhir_issues *issues, const struct names *full_urls);

#endif
