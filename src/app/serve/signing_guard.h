/*
 * What keeps a member from signing twice if its folder comes out of a backup. CometBFT remembers in
 * data/priv_validator_state.json what its key signed last; an older copy of that file has forgotten some of it. So the
 * folder knows itself: data/place names the folder's own inode and birth, which no copy has, and when the key's file
 * was last changed, which a copy over it changes. A copy signs nothing until it has caught up with the other members,
 * and then nothing at the heights for which the original may have voted.
 *
 * Files that were put back one by one show once
 * a block has a vote that the key does not remember (comet.h).
 * Source: CometBFT v0.38, privval/file.go (CheckHRS); statx(2). Threads: one at a time, while no CometBFT runs on the
 * folder.
 */
#ifndef APP_SERVE_SIGNING_GUARD_H
#define APP_SERVE_SIGNING_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

/* Is it a copy of a folder whose key has signed? One that has signed nothing, or names no place, becomes its own. */
MUST_USE enum status signing_guard_check(const char *comet_home, bool *is_copy, struct err *err);
/* It counts as a copy from now on. */
MUST_USE enum status signing_guard_disown(const char *comet_home, struct err *err);
/* From now on its key signs nothing. */
MUST_USE enum status signing_guard_hold(const char *comet_home, struct err *err);
/* Its key signs above this height, and the folder is its own. */
MUST_USE enum status signing_guard_release(const char *comet_home, uint64_t height, struct err *err);
/* The newest height for which the key remembers to have signed. STATUS_INVALID: the file is malformed. */
MUST_USE enum status signing_guard_height(const char *comet_home, uint64_t *height, struct err *err);
/* Whose key it is: the validator's address. */
MUST_USE enum status signing_guard_validator(const char *comet_home, addr20 *address, struct err *err);

#endif
