/* What the commands of folders share. Threads: one. */
#ifndef APP_COMMANDS_FOLDER_H
#define APP_COMMANDS_FOLDER_H

#include "app/cli/cli.h"
#include "health/records/folder.h"

#define ACTION_FILE_MAX ((size_t)192 << 20)

/* The folder's id, the first argument. */
MUST_USE enum status folder_argument(const struct cli *cli, hash32 *out, struct err *err);
/* --glass-minutes N; 0 without the option. */
MUST_USE enum status folder_minutes(const struct cli *cli, uint16_t *out, struct err *err);
/* --trustee-threshold T; 0 without the option. */
MUST_USE enum status folder_threshold(const struct cli *cli, uint8_t *out, struct err *err);
/* How many trustees it takes, and, if one is enough, that it holds the key. */
void folder_put_threshold(struct cli *cli, uint8_t threshold, size_t trustee_count);
/* Who has the new key, and who was left out. */
void folder_put_rotation(struct cli *cli, const struct folder_rotation *rotation);

#endif
