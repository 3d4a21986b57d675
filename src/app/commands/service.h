/* Inside app/commands: how a long-running command gets its settings. */
#ifndef APP_COMMANDS_SERVICE_H
#define APP_COMMANDS_SERVICE_H

#include "app/cli/cli.h"
#include "app/serve/sections.h"
#include "net/http_server.h"

/* Flags of this command, its environment, and the file that --config names. Borrows `cli`. */
struct settings_source service_source(const struct cli *cli, const struct settings_section *section);
/* Loads them, prints every mistake to stderr, and sets the log as they say. Before threads; `out` is to be ended also
 * after a failure. */
MUST_USE enum status service_settings(struct settings *out, const struct settings_source *source, struct err *err);
/* tls-cert, tls-key and tls-client-ca; a member is NULL if it is not set. Borrowed from the settings. */
struct tls_files service_tls_files(const struct settings *settings);

#endif
