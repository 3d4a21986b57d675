/* Inside health/fhir: are two JSON values the same: members in any order, numbers by value. As deep as they are nested,
 * which their parser bounds. Threads: pure. */
#ifndef HEALTH_FHIR_SAME_H
#define HEALTH_FHIR_SAME_H

#include "codec/json.h"

bool same_json(const struct json *a, const struct json *b);

#endif
