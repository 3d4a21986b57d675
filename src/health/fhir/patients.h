/* Inside health/fhir: dividing a document among its patients. */
#ifndef HEALTH_FHIR_PATIENTS_H
#define HEALTH_FHIR_PATIENTS_H

#include "health/fhir/bundle.h"
#include "health/fhir/names.h"

/* Fills document->patients and every resource's `patient`. `full_urls` finds resources by fullUrl. */
MUST_USE enum status fhir_divide(
    struct fhir_document *document, struct arena *arena, const struct names *full_urls, struct err *err);

#endif
