/* Inside health/records: what sealing and opening share. */
#ifndef HEALTH_RECORDS_SEGMENT_H
#define HEALTH_RECORDS_SEGMENT_H

#include "health/records/seal.h"

/* Of a lead's plaintext: of a document, and of versions of FHIR's REST. */
#define SEGMENT_LEAD_PLAIN 2u
#define SEGMENT_LEAD_VERSIONED 3u

struct segment_secrets {
	uint8_t key[32];
	uint8_t seed[32];
};
/* The key of segment `index`, bound to its place. */
void segment_key(uint8_t out[32], const uint8_t record_key[32], const struct record_place *place, uint32_t index);

#endif
