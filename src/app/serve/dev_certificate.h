/*
 * A certificate for a development server: it signs itself, names localhost, 127.0.0.1 and ::1, and is trusted only by
 * a client that is given its file. X.509 v3 in DER (RFC 5280), ECDSA over P-256 with SHA-256 (RFC 5758), PEM (RFC 7468,
 * the key as RFC 5915). Threads: pure but for the disk.
 */
#ifndef APP_SERVE_DEV_CERTIFICATE_H
#define APP_SERVE_DEV_CERTIFICATE_H

#include "base/mem.h"
#include "base/world.h"

#define DEV_CERTIFICATE_DAYS 397u

/* Makes a new key and writes both files, mode 0600; what stood there goes. Valid from an hour before now. */
MUST_USE enum status dev_certificate_write(const char *cert_path, const char *key_path,
    const struct random_source *random, const struct clock_source *clock, struct err *err);

#endif
