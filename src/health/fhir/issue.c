#include "health/fhir/issue.h"

#include "codec/json.h"

#define TEXT_OF(name, text) [FHIR_ISSUE_##name] = text,
static const char *const code_texts[FHIR_ISSUE_CODE_COUNT] = {FHIR_ISSUE_CODES(TEXT_OF)};
static const char *const severity_texts[] = {"fatal", "error", "warning", "information"};

const char *fhir_issue_code_text(enum fhir_issue_code code) {
	BUG_ON(code >= FHIR_ISSUE_CODE_COUNT);
	return code_texts[code];
}

void fhir_issues_init(struct fhir_issues *issues, struct arena *arena) {
	*issues = (struct fhir_issues){.arena = arena};
}

void fhir_issues_add(struct fhir_issues *issues, enum fhir_severity severity, enum fhir_issue_code code,
    const char *expression, const char *diagnostics) {
	if (severity <= FHIR_ERROR) issues->has_error = true;
	if (issues->count == FHIR_ISSUES_MAX) {
		issues->dropped++;
		return;
	}
	struct fhir_issue *issue = &issues->list[issues->count++];
	*issue = (struct fhir_issue){.severity = severity, .code = code};
	issue->expression = arena_strdup(issues->arena, bytes_text(expression));
	issue->diagnostics = arena_strdup(issues->arena, bytes_text(diagnostics));
}

enum status fhir_issues_status(const struct fhir_issues *issues, struct err *err) {
	if (!issues->has_error) return STATUS_OK;
	const struct fhir_issue *first = NULL;
	size_t errors = issues->dropped;
	for (size_t i = 0; i < issues->count; i++) {
		if (issues->list[i].severity > FHIR_ERROR) continue;
		if (!first) first = &issues->list[i];
		errors++;
	}
	if (!first) return err_set(err, STATUS_INVALID, "the document has too many issues to show");
	const char *between = *first->expression ? ": " : "";
	if (errors == 1) return err_set(err, STATUS_INVALID, "%s%s%s", first->expression, between, first->diagnostics);
	return err_set(
	    err, STATUS_INVALID, "%s%s%s (and %zu more)", first->expression, between, first->diagnostics, errors - 1);
}

static void write_issue(struct json_writer *writer, const struct fhir_issue *issue) {
	json_object_begin(writer, NULL);
	json_put_text(writer, "severity", severity_texts[issue->severity]);
	json_put_text(writer, "code", code_texts[issue->code]);
	if (*issue->diagnostics) json_put_text(writer, "diagnostics", issue->diagnostics);
	if (*issue->expression) {
		json_array_begin(writer, "expression");
		json_put_text(writer, NULL, issue->expression);
		json_array_end(writer);
	}
	json_object_end(writer);
}

void fhir_operation_outcome(struct buf *out, const struct fhir_issues *issues) {
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "resourceType", "OperationOutcome");
	json_array_begin(&writer, "issue");
	for (size_t i = 0; i < issues->count; i++) write_issue(&writer, &issues->list[i]);
	if (issues->count == 0) {
		json_object_begin(&writer, NULL);
		json_put_text(&writer, "severity", "information");
		json_put_text(&writer, "code", "informational");
		json_object_end(&writer);
	}
	json_array_end(&writer);
	json_object_end(&writer);
}
