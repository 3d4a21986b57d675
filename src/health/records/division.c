#include "health/records/division.h"

#include "codec/hex.h"

enum status folder_list_parse(struct folder_list *out, struct bytes text, struct err *err) {
	out->count = 0;
	for (struct bytes rest = text; rest.len;) {
		size_t len = 0;
		while (len < rest.len && rest.data[len] != ',') len++;
		if (out->count == RECORD_ADDITIONS_MAX)
			return err_set(err, STATUS_LIMIT, "at most %u folders are taken", RECORD_ADDITIONS_MAX);
		if (hex_fixed(out->ids[out->count++].b, 32, bytes_slice(rest, 0, len)) != STATUS_OK)
			return err_set(err, STATUS_INVALID,
			    "a folder's id has \"0x\" and 64 hexadecimal digits; several have commas between");
		rest = bytes_slice(rest, len + 1, rest.len);
	}
	if (out->count == 0) return err_set(err, STATUS_INVALID, "no folder is named");
	return STATUS_OK;
}

static enum status check(const struct fhir_document *document, const struct folder_list *folders, struct err *err) {
	size_t needed = document->patient_count > 1 ? document->patient_count : 1;
	if (needed > RECORD_ADDITIONS_MAX)
		return err_set(err, STATUS_LIMIT,
		    "it is about %zu patients; the records of at most %u are registered together: divide the document",
		    needed, RECORD_ADDITIONS_MAX);
	if (folders->count != needed)
		return err_set(err, STATUS_INVALID,
		    "it is about %zu patient%s and %zu folder%s given: name a folder for each patient, in the "
		    "document's order, or divide the document",
		    document->patient_count, document->patient_count == 1 ? "" : "s", folders->count,
		    folders->count == 1 ? " is" : "s are");
	for (size_t i = 0; needed > 1 && i < document->resource_count; i++) {
		const struct fhir_resource *resource = &document->resources[i];
		if (resource->patient == SIZE_MAX && !fhir_type_is_shared(resource->type))
			return err_set(err, STATUS_INVALID,
			    "resource %zu (%.*s) does not say whose it is: add its subject, or divide the document",
			    i + 1, (int)resource->type.len, (const char *)resource->type.data);
	}
	return STATUS_OK;
}

/* A patient's resources and the shared ones; all of them if there is only one patient. */
static size_t select_resources(struct record_resource *out, const struct fhir_document *document, size_t patient) {
	size_t count = 0;
	for (size_t i = 0; i < document->resource_count; i++) {
		const struct fhir_resource *resource = &document->resources[i];
		bool is_of_other =
		    document->patient_count > 1 && resource->patient != SIZE_MAX && resource->patient != patient;
		if (!is_of_other)
			out[count++] =
			    (struct record_resource){.type = resource->type, .id = resource->id, .raw = resource->raw};
	}
	return count;
}

enum status record_divide(struct record_addition *out, struct arena *arena, const struct fhir_document *document,
    const struct folder_list *folders, struct err *err) {
	TRY(check(document, folders, err));
	for (size_t i = 0; i < folders->count; i++) {
		struct record_resource *resources = arena_zalloc(arena, document->resource_count, sizeof *resources);
		size_t count = select_resources(resources, document, i);
		out[i] = (struct record_addition){.folder = folders->ids[i], .resources = resources, .count = count};
	}
	return STATUS_OK;
}
