/* Inside app/: opening and closing what a command with a home needs, and the files that it names. */
#ifndef APP_CLI_CLI_REQUEST_H
#define APP_CLI_CLI_REQUEST_H

#include "app/cli/cli.h"

MUST_USE enum status cli_request_open(struct cli *cli, struct err *err);
void cli_request_close(struct cli *cli);
/* The password that opens a wallet, from --password-file, XINGLIN_PASSWORD or the terminal; wipe it. */
MUST_USE enum status cli_password(struct buf *out, const char *password_file, struct err *err);
/* The option --home, or XINGLIN_HOME. STATUS_INVALID: neither. */
MUST_USE enum status cli_home_directory(const struct cli *cli, const char **out, struct err *err);
#endif
