#include "health/fhir/patch_work.h"

#include <stdarg.h>
#include <stdio.h>

enum fhir_patch_verdict patch_refuse(
    struct patch_work *work, enum fhir_patch_verdict verdict, const char *format, ...) {
	char why[300], text[360];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(why, sizeof why, format, arguments);
	va_end(arguments);
	snprintf(text, sizeof text, "operation %zu: %s", work->number, why);
	bool is_malformed = verdict == FHIR_PATCH_MALFORMED;
	fhir_issues_add(work->issues, FHIR_ERROR, is_malformed ? FHIR_ISSUE_STRUCTURE : FHIR_ISSUE_NOT_FOUND, "", text);
	return verdict;
}

enum fhir_patch_verdict patch_parse(struct patch_work *work) {
	struct err err;
	arena_reset(&work->arena);
	work->bytes += work->text.len;
	if (work->bytes > FHIR_PATCH_BYTES_MAX)
		return patch_refuse(
		    work, FHIR_PATCH_REFUSED, "the patch takes more work than is allowed; send the whole resource");
	if (json_parse(&work->root, &work->arena, buf_view(&work->text), NULL, &err) != STATUS_OK)
		return patch_refuse(work, FHIR_PATCH_REFUSED, "%s", err.message);
	return FHIR_PATCH_DONE;
}

enum fhir_patch_verdict patch_finish(struct patch_work *work, struct json_edit *edit) {
	struct err err;
	buf_clear(&work->next);
	if (json_edit_write(edit, &work->next, &err) != STATUS_OK)
		return patch_refuse(work, FHIR_PATCH_REFUSED, "%s", err.message);
	struct buf done = work->text;
	work->text = work->next;
	work->next = done;
	return patch_parse(work);
}

enum fhir_patch_verdict patch_begin(struct patch_work *work, struct fhir_issues *issues, struct bytes document) {
	*work = (struct patch_work){.issues = issues};
	buf_init(&work->text, BUF_MAX_DEFAULT);
	buf_init(&work->next, BUF_MAX_DEFAULT);
	arena_init(&work->arena);
	buf_append(&work->text, document);
	return patch_parse(work);
}

enum fhir_patch_verdict patch_end(struct patch_work *work, enum fhir_patch_verdict verdict, struct bytes *out) {
	if (verdict == FHIR_PATCH_DONE) *out = arena_dup(work->issues->arena, buf_view(&work->text));
	arena_fini(&work->arena);
	buf_fini(&work->next);
	buf_fini(&work->text);
	return verdict;
}
