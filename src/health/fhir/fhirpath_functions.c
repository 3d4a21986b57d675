#include "health/fhir/fhirpath_functions.h"

#define FUNCTION_ROW(text, body, min, max, flags)                                                                      \
	{text, min, max, FHIRPATH_##flags == FHIRPATH_T, FHIRPATH_##flags == FHIRPATH_P, fhirpath_fn_##body},
static const struct fhirpath_function functions[] = {FHIRPATH_FUNCTIONS(FUNCTION_ROW)};
#undef FUNCTION_ROW

const struct fhirpath_function *fhirpath_function_find(struct bytes name) {
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		if (bytes_equal(name, bytes_text(functions[i].name))) return &functions[i];
	return NULL;
}
