/*
 * Lists of looks, one for each folder, as they follow from a gateway's trail (docs/wire-formats.md §6, §12): what a
 * patient is shown of the looks at a folder. A sparse Merkle map leads from each folder to its list, and from
 * look_lists_whole to the whole trail; roots of it are frozen, to be anchored on the chain.
 *
 * Everything stands in one encrypted SQLite file in the home, `looks.db`, and follows from the trail alone: the root
 * after the first N entries is the same whenever it is made. A file that is lost or damaged is made anew.
 *
 * A root is frozen only once the chain shows the one before it, so what the chain shows can be proved under: the two
 * newest roots that were frozen are kept.
 *
 * Ownership: what is returned lives in the caller's arena. Threads: any, with `threads`; one without.
 */
#ifndef HEALTH_INDEX_LOOK_LISTS_H
#define HEALTH_INDEX_LOOK_LISTS_H

#include "base/threads.h"
#include "eth/lists.h"
#include "health/actors/home.h"

struct look_lists;
/* `home` is borrowed until it returns; `threads` may be NULL. */
MUST_USE enum status look_lists_open(
    struct look_lists **out, const struct home *home, const struct threads *threads, struct err *err);
void look_lists_close(struct look_lists *lists); /* NULL is allowed */

/* Behind which entry of the trail: number of its file, bytes in it, entries in all files, and the chain's head. Zeros:
 * before the first. */
struct look_lists_place {
	uint32_t file;
	uint64_t offset, count;
	hash32 head;
};
struct look_lists_place look_lists_place(struct look_lists *lists);

struct look_lists_line {
	hash32 folder;
	uint64_t time_s;
	struct bytes text;
};
/* All of them, and where the lists stand then; or nothing. */
MUST_USE enum status look_lists_add(struct look_lists *lists, const struct look_lists_line *lines, size_t count,
    const struct look_lists_place *place, struct err *err);

/* Forgets everything: it follows from the trail again. */
MUST_USE enum status look_lists_reset(struct look_lists *lists, struct err *err);

/* The key of the whole trail in the map. Its list's head is the first 24 bytes of the trail's. */
hash32 look_lists_whole(void);

struct look_lists_anchor {
	hash32 root;
	uint64_t count; /* entries of the trail */
};
/* Freezes what there is, if the chain shows what was frozen before. *owed: `out` is to be anchored. */
MUST_USE enum status look_lists_owed(struct look_lists *lists, bool *owed, struct look_lists_anchor *out,
    const struct look_lists_anchor *on_chain, struct err *err);
/*
 * Up to how many entries of the trail may be added now. Lists that were made anew stop where the chain's anchor is, to
 * be frozen there; so nothing may be added to them before that is known (`on_chain` NULL). If they stand beyond it
 * already, look_lists_reset.
 */
uint64_t look_lists_limit(struct look_lists *lists, const struct look_lists_anchor *on_chain);
/* Appends the proof of the folder's list under a frozen root. STATUS_NOTFOUND: it is not one of the newest two. */
MUST_USE enum status look_lists_prove(
    struct look_lists *lists, struct buf *proof, const hash32 *root, const hash32 *folder, struct err *err);

struct look_lists_page {
	struct list_state state; /* of the whole list */
	struct list_entry *links;
	struct bytes *texts; /* links[i].entry is the Keccak-256 of texts[i] */
	size_t count;
};
struct look_lists_wish {
	const hash32 *folder;
	uint64_t before; /* entries below this number, the newest first; 0: from the newest on */
	uint64_t after;  /* else, if `rises`: entries above this number, the oldest first */
	bool rises;
	size_t max;
};
MUST_USE enum status look_lists_page(struct look_lists *lists, struct look_lists_page *out, struct arena *arena,
    const struct look_lists_wish *wish, struct err *err);
/* Folders that have looks, in the order in which they were first looked at, behind number `after`: of each its number,
 * its name and how many it has. */
struct look_lists_folder {
	int64_t number;
	hash32 folder;
	uint64_t count;
};
MUST_USE enum status look_lists_folders(
    struct look_lists *lists, struct look_lists_folder *out, size_t *count, size_t max, int64_t after, struct err *err);

#endif
