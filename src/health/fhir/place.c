#include "health/fhir/place.h"

#include <stdarg.h>
#include <stdio.h>

void place_write(struct buf *out, const struct place *place) {
	if (place->parent) place_write(out, place->parent);
	if (place->name.data)
		buf_printf(
		    out, "%s%.*s", place->parent ? "." : "", (int)place->name.len, (const char *)place->name.data);
	else
		buf_printf(out, "[%zu]", place->index);
}

void place_issue(struct fhir_issues *issues, enum fhir_severity severity, enum fhir_issue_code code,
    const struct place *place, const char *why) {
	struct buf path;
	buf_init(&path, PLACE_TEXT_MAX);
	place_write(&path, place);
	fhir_issues_add(issues, severity, code, buf_cstr(&path), why);
	buf_fini(&path);
}

void place_refuse(
    struct fhir_issues *issues, enum fhir_issue_code code, const struct place *place, const char *format, ...) {
	char why[400];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(why, sizeof why, format, arguments);
	va_end(arguments);
	place_issue(issues, FHIR_ERROR, code, place, why);
}
