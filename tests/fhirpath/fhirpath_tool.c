/*
 * Evaluates expressions for tests: reads lines of JSON, {"expression": "…", "file": "a resource, or absent"}, and
 * writes one line for each: {"values": [{"type": "string", "text": "Peter"}, …]}, or {"refused": "compile" or
 * "evaluate", "why": "…"}.
 */
#include "health/fhir/fhirpath.h"
#include "health/fhir/patch.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE_MAX_BYTES ((size_t)1 << 20)

static struct bytes read_file(struct arena *arena, const char *path) {
	FILE *file = fopen(path, "rb");
	struct buf text;
	char chunk[1 << 14];
	size_t got;
	if (!file) return (struct bytes){NULL, 0};
	buf_init(&text, BUF_MAX_DEFAULT);
	while ((got = fread(chunk, 1, sizeof chunk, file)) > 0) buf_append(&text, bytes_make(chunk, got));
	fclose(file);
	struct bytes out = arena_dup(arena, buf_view(&text));
	buf_fini(&text);
	return out;
}

static void put_refused(struct json_writer *writer, const char *when, const struct err *err) {
	json_put_text(writer, "refused", when);
	json_put_text(writer, "why", err->message);
}

static void put_values(struct json_writer *writer, const struct fhirpath_values *values) {
	json_array_begin(writer, "values");
	for (uint32_t i = 0; i < values->count; i++) {
		struct buf text;
		buf_init(&text, BUF_MAX_DEFAULT);
		fhirpath_write(&text, &fhir_r4, &values->items[i]);
		json_object_begin(writer, NULL);
		json_put_text(writer, "type", fhirpath_type_text(&fhir_r4, &values->items[i]));
		json_put_string(writer, "text", buf_view(&text));
		json_object_end(writer);
		buf_fini(&text);
	}
	json_array_end(writer);
}

static void answer_patch(struct json_writer *writer, struct arena *arena, const struct json *line) {
	const struct json *document = json_get(line, "document"), *patch = json_get(line, "patch");
	struct fhir_issues issues;
	struct bytes patched;
	fhir_issues_init(&issues, arena);
	enum fhir_patch_verdict verdict = json_is(patch, JSON_ARRAY)
					      ? fhir_patch_json(&patched, &issues, document->raw, patch)
					      : fhir_patch_fhirpath(&patched, &issues, &fhir_r4, document->raw, patch);
	if (verdict == FHIR_PATCH_DONE) {
		json_put_raw(writer, "patched", patched);
		return;
	}
	json_put_text(writer, "refused", "patch");
	json_put_text(writer, "why", issues.list[0].diagnostics);
}

static void answer(struct json_writer *writer, struct arena *arena, const struct json *line) {
	const struct json *file = json_get(line, "file"), *resource = NULL;
	const struct fhirpath *path;
	struct fhirpath_values values;
	struct err err = {0};
	if (json_get(line, "document")) {
		answer_patch(writer, arena, line);
		return;
	}
	if (file &&
	    json_parse(&resource, arena, read_file(arena, arena_strdup(arena, file->text)), NULL, &err) != STATUS_OK) {
		put_refused(writer, "file", &err);
		return;
	}
	struct fhirpath_context context = fhirpath_context(&fhir_r4, arena, resource);
	context.now_ms = INT64_C(1796000000000); /* some day in 2026 */
	if (fhirpath_compile(&path, arena, json_string(json_get(line, "expression")), &err) != STATUS_OK)
		put_refused(writer, "compile", &err);
	else if (fhirpath_evaluate(&values, &context, path, &context.resource, &err) != STATUS_OK)
		put_refused(writer, "evaluate", &err);
	else
		put_values(writer, &values);
}

int main(void) {
	char *line = malloc(LINE_MAX_BYTES);
	while (line && fgets(line, (int)LINE_MAX_BYTES, stdin)) {
		struct arena arena;
		struct buf out;
		const struct json *request;
		arena_init(&arena);
		buf_init(&out, BUF_MAX_DEFAULT);
		struct json_writer writer = json_writer(&out);
		json_object_begin(&writer, NULL);
		if (json_parse(&request, &arena, bytes_text(line), NULL, NULL) == STATUS_OK)
			answer(&writer, &arena, request);
		json_object_end(&writer);
		printf("%s\n", buf_cstr(&out));
		fflush(stdout);
		buf_fini(&out);
		arena_fini(&arena);
	}
	free(line);
	return 0;
}
