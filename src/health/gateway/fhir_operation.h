/*
 * Operations of the FHIR server (operations.html): what there is stands in one table, from which the
 * CapabilityStatement is made too. Threads: a worker.
 */
#ifndef HEALTH_GATEWAY_FHIR_OPERATION_H
#define HEALTH_GATEWAY_FHIR_OPERATION_H

#include "health/gateway/fhir_call.h"

enum fhir_operation_level { FHIR_OPERATION_SYSTEM = 1, FHIR_OPERATION_TYPE = 2, FHIR_OPERATION_INSTANCE = 4 };

struct fhir_operation {
	const char *name;       /* without "$" */
	const char *type;       /* "Patient"; NULL: every type */
	unsigned levels;        /* enum fhir_operation_level */
	bool changes_nothing;   /* GET will do */
	bool writes;            /* POST alone; carry_out ends the call, maybe on another thread */
	const char *definition; /* its OperationDefinition; NULL: it is a part of another one */
	/* Writes the answer. `parameters`: a Parameters resource, or the resource that was posted; NULL: a GET. */
	void (*carry_out)(struct fhir_call *call, const struct json *parameters);
};
extern const struct fhir_operation fhir_operations[];
extern const size_t fhir_operation_count;

/* Writes the answer. True: the caller ends the call. False: it has been handed on, and is not the caller's any more. */
MUST_USE bool fhir_operation_serve(struct fhir_call *call);

/* A parameter by its name, of the query or of Parameters: the text of its value; data == NULL: it is not there. */
struct bytes fhir_operation_parameter(const struct fhir_call *call, const struct json *parameters, const char *name);
/* All its values, in `out`, with commas between. */
void fhir_operation_values(
    const struct fhir_call *call, const struct json *parameters, const char *name, struct buf *out);
/* The resource that a Parameters resource names so, or the posted resource itself. */
const struct json *fhir_operation_resource(const struct json *parameters, const char *name);

/* Each in a file of its own. */
void fhir_operation_validate(struct fhir_call *call, const struct json *parameters);
void fhir_operation_meta(struct fhir_call *call, const struct json *parameters);
void fhir_operation_meta_add(struct fhir_call *call, const struct json *parameters);
void fhir_operation_meta_delete(struct fhir_call *call, const struct json *parameters);
void fhir_operation_hook_secret(struct fhir_call *call, const struct json *parameters);
void fhir_operation_everything(struct fhir_call *call, const struct json *parameters);
void fhir_operation_lastn(struct fhir_call *call, const struct json *parameters);
void fhir_operation_shared_folders(struct fhir_call *call, const struct json *parameters);
void fhir_operation_open_folder(struct fhir_call *call, const struct json *parameters);
void fhir_operation_close_folder(struct fhir_call *call, const struct json *parameters);
void fhir_operation_match(struct fhir_call *call, const struct json *parameters);

#endif
