/* read and vread (http.html#read). */
#include "health/gateway/fhir_read.h"

#include <stdio.h>

#include "base/http_reply.h"
#include "health/gateway/fhir_answer.h"
#include "health/gateway/fhir_binary.h"
#include "health/gateway/fhir_looks.h"

static void refuse_gone(struct fhir_call *call, const struct resource_version *version) {
	http_put_header(&call->exchange->response, "ETag", "W/\"%u\"", version->version);
	fhir_call_refuse(call, 410, FHIR_ISSUE_DELETED,
	    "the resource was deleted; its history is still there, and an update (PUT) brings it back");
}

static void refuse_unknown(struct fhir_call *call) {
	const struct fhir_target *target = &call->target;
	fhir_call_refuse(call, 404, FHIR_ISSUE_NOT_FOUND, "there is no %s/%.*s%s%.*s, or not for whom this token names",
	    fhir_type_name(&fhir_r4, target->type), (int)target->id.len, (const char *)target->id.data,
	    target->version.len ? " of version " : "", (int)target->version.len,
	    target->version.len ? (const char *)target->version.data : "");
}

/* Has the client this version already? RFC 9110 §13: If-None-Match counts before If-Modified-Since. */
static bool is_known(struct fhir_call *call, const struct resource_version *version) {
	char etag[24];
	snprintf(etag, sizeof etag, "W/\"%u\"", version->version);
	return http_precondition_of(&call->exchange->request, etag) == HTTP_PRECONDITION_NOT_MODIFIED ||
	       http_is_unmodified(&call->exchange->request, version->at_ms);
}

bool fhir_read_find(struct fhir_call *call, struct resource_version *out) {
	struct resource_scope scope;
	struct err err = {0};
	const struct resource_key key = {call->target.type, call->target.id};
	const bool is_vread = call->target.kind == FHIR_TARGET_VERSION;
	const uint32_t number = is_vread ? fhir_version_number(call->target.version) : 0;
	if (!fhir_call_scope(call, &scope, ASKER_READ, key.type)) return false;
	enum status status = STATUS_NOTFOUND;
	if (!is_vread || number)
		status = resources_get(call->server->resources, out, &call->arena, &scope, &key, number, &err);
	if (status == STATUS_OK) fhir_looks_see(call, &out->folder);
	if (status == STATUS_OK && out->method != RESOURCE_DELETE) return true;
	if (status == STATUS_OK)
		refuse_gone(call, out);
	else if (status == STATUS_NOTFOUND)
		refuse_unknown(call);
	else
		fhir_call_fail(call, status, &err);
	return false;
}

bool fhir_read_tree(struct fhir_call *call, const struct json **out) {
	struct resource_version version;
	struct err err = {0};
	if (!fhir_read_find(call, &version)) return false;
	const enum status status = json_parse(out, &call->arena, version.content, NULL, &err);
	if (status != STATUS_OK) fhir_call_fail(call, STATUS_CORRUPT, &err);
	return status == STATUS_OK;
}

void fhir_read(struct fhir_call *call) {
	struct resource_version version;
	if (!fhir_read_find(call, &version)) return;
	if (is_known(call, &version)) {
		call->exchange->response.status = 304;
		fhir_answer_put_version(call, &version);
		return;
	}
	if (fhir_binary_wants_bytes(call))
		fhir_binary_answer(call, &version);
	else
		fhir_answer_resource(call, 200, &version);
	atomic_fetch_add(&call->server->gateway->records_read, 1);
}
