/* Inside trace: small files of a home that are sealed to its own encryption key. */
#ifndef HEALTH_TRACE_HOME_SEAL_H
#define HEALTH_TRACE_HOME_SEAL_H

#include "health/actors/request.h"

/* Makes a folder in the home where it is missing. */
MUST_USE enum status home_seal_folder(struct actor_request *request, const char *name, struct err *err);
MUST_USE enum status home_seal_write(
    struct actor_request *request, const char *relative, const char *type, struct bytes plaintext, struct err *err);
/* In the arena. STATUS_NOTFOUND. */
MUST_USE enum status home_seal_read(
    struct actor_request *request, struct bytes *plaintext, const char *relative, struct err *err);

#endif
