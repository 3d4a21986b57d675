/* Inside app/: printing a command's report or its failure. */
#ifndef APP_CLI_REPORT_H
#define APP_CLI_REPORT_H

#include "app/cli/cli.h"

void report_print(struct cli *cli);
void report_failure(struct cli *cli, enum status status, const struct err *err, int exit_code);

#endif
