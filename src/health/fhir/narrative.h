/*
 * The XHTML of a narrative (narrative.html, txt-1 and txt-2): one well-formed <div> of XHTML's name space with the
 * elements of its basic chapters, no scripts, no events, no id twice (the first FHIR_NARRATIVE_IDS_MAX), and something
 * to read or to see. Threads: pure.
 */
#ifndef HEALTH_FHIR_NARRATIVE_H
#define HEALTH_FHIR_NARRATIVE_H

#include "base/bytes.h"

#define FHIR_NARRATIVE_DEPTH_MAX 128u
#define FHIR_NARRATIVE_IDS_MAX 512u

/* False if it is not; `*why` is a sentence without its full stop. True with a `*why` for one that is well-formed and
 * has nothing to read or to see (txt-2), as some of HL7's own examples; NULL otherwise. */
bool fhir_narrative_check(struct bytes div, const char **why);

#endif
