/* Inside health/fhir: a document between the operations of a patch. */
#ifndef HEALTH_FHIR_PATCH_WORK_H
#define HEALTH_FHIR_PATCH_WORK_H

#include "codec/json_edit.h"
#include "health/fhir/patch.h"

struct patch_work {
	struct fhir_issues *issues;
	struct buf text, next;
	struct arena arena; /* of one operation */
	const struct json *root;
	size_t number, bytes; /* of the operation at work, from 1; of all documents so far */
};
#define PATCH_SHOWN(view) (view).len < 100 ? (int)(view).len : 100, (view).data ? (const char *)(view).data : ""

enum fhir_patch_verdict patch_begin(struct patch_work *work, struct fhir_issues *issues, struct bytes document);
/* Hands the result over if the verdict is DONE; frees the rest. Returns the verdict. */
enum fhir_patch_verdict patch_end(struct patch_work *work, enum fhir_patch_verdict verdict, struct bytes *out);
/* Adds an issue about the operation at work; returns the verdict. */
enum fhir_patch_verdict patch_refuse(struct patch_work *work, enum fhir_patch_verdict verdict, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Reads `text` anew; what pointed into the tree before is gone. */
enum fhir_patch_verdict patch_parse(struct patch_work *work);
/* Writes the changed document in place of the one at work, and reads it. */
enum fhir_patch_verdict patch_finish(struct patch_work *work, struct json_edit *edit);

#endif
