/* Conditional interactions: what a condition finds. */
#include "health/gateway/fhir_job.h"

bool fhir_job_match(struct fhir_job *job, size_t index, uint16_t type, struct bytes condition,
    struct resource_version out[2], size_t *count) {
	(void)type;
	(void)condition;
	(void)out;
	*count = 0;
	fhir_entry_refuse(&job->plan, index, 501, FHIR_ISSUE_NOT_SUPPORTED, "conditions are not served yet");
	return false;
}
