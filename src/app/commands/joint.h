/* Inside app/: what the commands about statements that several sign share (registrars.c). */
#ifndef APP_COMMANDS_JOINT_H
#define APP_COMMANDS_JOINT_H

#include "app/cli/cli.h"
#include "health/actors/joint.h"

/* Reports what is signed, and who has signed. */
void joint_put(struct cli *cli, const struct joint_statement *joint);
/* Writes the file, and reports it too. */
MUST_USE enum status joint_write_file(
    struct cli *cli, const struct joint_statement *joint, const char *path, struct err *err);

#endif
