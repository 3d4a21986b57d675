/* Operations about folders of others: which are granted, asking for a window, giving it up. */
#include "codec/hex.h"
#include "health/gateway/fhir_answer.h"
#include "health/gateway/fhir_foreign.h"
#include "health/gateway/fhir_operation.h"

/* Whoever makes the organisation look at a folder, or learns which there are, acts for all of it: patient/ scopes are
 * not enough, whichever type they name. */
static bool is_for_all(struct fhir_call *call) {
	const struct smart_scopes *scopes = &call->asker.scopes;
	struct resource_scope scope;
	if (!fhir_call_scope(call, &scope, ASKER_SEARCH, FHIR_NONE)) return false;
	for (size_t i = 0; i < scopes->count; i++)
		if (scopes->list[i].context != SMART_SCOPE_PATIENT && (scopes->list[i].rights & ASKER_SEARCH))
			return true;
	fhir_call_refuse(call, 403, FHIR_ISSUE_FORBIDDEN,
	    "a token of one patient's compartment opens no folders: use one with a user/ or system/ scope");
	return false;
}

/* A look that the patient sees, in the organisation's name: a token that may only read asks for none, and closes none
 * for everybody. */
static bool may_open(struct fhir_call *call) {
	const struct smart_scopes *scopes = &call->asker.scopes;
	const uint16_t consent = fhir_definitions_resource(&fhir_r4, BYTES_LITERAL("Consent"));
	if (!is_for_all(call)) return false;
	for (size_t i = 0; i < scopes->count; i++) {
		const struct smart_scope *scope = &scopes->list[i];
		if (scope->context != SMART_SCOPE_PATIENT && (scope->rights & ASKER_CREATE) && !scope->search.len &&
		    (scope->type == FHIR_NONE || scope->type == consent))
			return true;
	}
	fhir_call_refuse(call, 403, FHIR_ISSUE_FORBIDDEN,
	    "folders are opened and closed with a user/ or system/ scope that may create a Consent: user/Consent.c");
	return false;
}

/* --- writing Parameters --- */

static void put_value(struct json_writer *w, const char *name, const char *kind, const char *value) {
	json_object_begin(w, NULL);
	json_put_text(w, "name", name);
	json_put_text(w, kind, value);
	json_object_end(w);
}

static void put_hash(struct json_writer *w, struct fhir_call *call, const char *name, const hash32 *hash) {
	struct buf text;
	buf_init(&text, 80);
	hex_put(&text, BYTES_OF(*hash), true);
	put_value(w, name, "valueString", arena_strdup(&call->arena, buf_view(&text)));
	buf_fini(&text);
}

static void put_instant(struct json_writer *w, const char *name, uint64_t at_s) {
	char instant[FHIR_ANSWER_INSTANT_BYTES];
	fhir_answer_instant(instant, (int64_t)at_s * 1000);
	put_value(w, name, "valueInstant", instant);
}

static void begin(struct json_writer *w) {
	json_object_begin(w, NULL);
	json_put_text(w, "resourceType", "Parameters");
	json_array_begin(w, "parameter");
}

static void answer(struct fhir_call *call, struct json_writer *w, struct buf *body) {
	json_array_end(w);
	json_object_end(w);
	fhir_answer_json(call, 200, buf_view(body));
}

/* --- $shared-folders --- */

static void put_grant(struct json_writer *w, struct fhir_call *call, const struct fhir_foreign_grant *grant) {
	json_object_begin(w, NULL);
	json_put_text(w, "name", "grant");
	json_array_begin(w, "part");
	put_hash(w, call, "folder", &grant->folder);
	if (!hash32_is_zero(&grant->record)) put_hash(w, call, "record", &grant->record);
	for (unsigned i = 0; i < PURPOSE_COUNT; i++)
		if (grant->purposes >> i & 1) put_value(w, "purpose", "valueCode", purpose_code(i));
	put_instant(w, "from", grant->from_s);
	put_instant(w, "until", grant->until_s);
	for (unsigned i = 0; i < PURPOSE_COUNT; i++)
		if (grant->window_s[i] && strcmp(purpose_code(i), call->asker.purpose) == 0)
			put_instant(w, "open-until", grant->window_s[i]);
	json_array_end(w);
	json_object_end(w);
}

void fhir_operation_shared_folders(struct fhir_call *call, const struct json *parameters) {
	struct actor_request request = {0};
	struct fhir_foreign_grant *grants;
	struct err err = {0};
	struct buf body;
	size_t count = 0;
	(void)parameters;
	if (!is_for_all(call)) return;
	buf_init(&body, BUF_MAX_DEFAULT);
	struct json_writer w = json_writer(&body);
	enum status status = gateway_begin(call->server->gateway, &request, &call->arena, &err);
	if (status == STATUS_OK)
		status = fhir_foreign_granted(call->server->foreign, &request, &grants, &count, NULL, &err);
	actor_request_end(&request);
	begin(&w);
	for (size_t i = 0; i < count; i++) put_grant(&w, call, &grants[i]);
	if (status == STATUS_OK)
		answer(call, &w, &body);
	else
		fhir_call_fail(call, status, &err);
	buf_fini(&body);
}

/* --- $open-folder and $close-folder --- */

static bool read_folder(struct fhir_call *call, hash32 *out, const struct json *parameters) {
	const struct bytes text = fhir_operation_parameter(call, parameters, "folder");
	if (text.data && hex_fixed(out->b, sizeof out->b, text) == STATUS_OK) return true;
	fhir_call_refuse(call, 400, FHIR_ISSUE_VALUE,
	    "the parameter folder names a folder: 0x and 64 hexadecimal digits, as $shared-folders lists them");
	return false;
}

/* The token's; a parameter may only say the same. */
static bool read_purpose(struct fhir_call *call, enum purpose *out, const struct json *parameters) {
	const struct bytes said = fhir_operation_parameter(call, parameters, "purpose");
	if (said.data && !bytes_equal(said, bytes_text(call->asker.purpose)))
		fhir_call_refuse(call, 403, FHIR_ISSUE_FORBIDDEN,
		    "the token is for the purpose %s, and a window is asked for in no other", call->asker.purpose);
	else if (purpose_parse(out, bytes_text(call->asker.purpose), NULL) != STATUS_OK)
		fhir_call_refuse(
		    call, 403, FHIR_ISSUE_FORBIDDEN, "the contract has no purpose %s", call->asker.purpose);
	else
		return true;
	return false;
}

static void answer_opened(struct fhir_call *call, const struct fhir_foreign_opened *opened, enum purpose purpose) {
	struct buf body;
	if (!opened->permitted) {
		fhir_call_refuse(call, 403, FHIR_ISSUE_FORBIDDEN, "no window for %s: %s (%s)", purpose_code(purpose),
		    access_reason_text(opened->reason), access_reason_name(opened->reason));
		return;
	}
	buf_init(&body, BUF_MAX_DEFAULT);
	struct json_writer w = json_writer(&body);
	begin(&w);
	put_value(&w, "purpose", "valueCode", purpose_code(purpose));
	put_instant(&w, "until", opened->until_s);
	json_object_begin(&w, NULL);
	json_put_text(&w, "name", "records");
	json_put_u64(&w, "valueInteger", opened->records);
	json_object_end(&w);
	answer(call, &w, &body);
	buf_fini(&body);
}

void fhir_operation_open_folder(struct fhir_call *call, const struct json *parameters) {
	struct actor_request request = {0};
	struct fhir_foreign_opened opened;
	struct err err = {0};
	enum purpose purpose;
	hash32 folder;
	if (!may_open(call) || !read_folder(call, &folder, parameters) || !read_purpose(call, &purpose, parameters))
		return;
	enum status status = gateway_begin(call->server->gateway, &request, &call->arena, &err);
	if (status == STATUS_OK)
		status = fhir_foreign_ask(call->server->foreign, &request, &folder, purpose, &opened, &err);
	actor_request_end(&request);
	if (status == STATUS_OK)
		answer_opened(call, &opened, purpose);
	else
		fhir_call_fail(call, status, &err);
}

void fhir_operation_close_folder(struct fhir_call *call, const struct json *parameters) {
	hash32 folder;
	if (!may_open(call) || !read_folder(call, &folder, parameters)) return;
	if (!fhir_foreign_end(call->server->foreign, &folder)) {
		fhir_call_refuse(call, 404, FHIR_ISSUE_NOT_FOUND, "nothing of that folder is open here");
		return;
	}
	fhir_issues_add(&call->issues, FHIR_INFORMATION, FHIR_ISSUE_INFORMATIONAL, "",
	    "nothing of the folder is kept here any more");
	fhir_call_answer_issues(call, 200);
}
