/*
 * The profile packages that an operator names: NPM tarballs, as packages.fhir.org serves them. Threads: one owner until
 * they are read.
 */
#ifndef APP_SERVE_PROFILE_FILES_H
#define APP_SERVE_PROFILE_FILES_H

#include "health/fhir/profiles.h"

/* *out NULL: `files` (paths, NULL-terminated) is NULL or empty. The error names the file. */
MUST_USE enum status profile_files_read(struct fhir_profiles **out, const char *const *files, struct err *err);

#endif
