#include "eth/lists.h"

#include "crypto/hash.h"

static const uint8_t beginning[LIST_HEAD_BYTES];

struct list_state list_load(const hash32 *word) {
	struct list_state list = {.count = load_be64(word->b)};
	memcpy(list.head, word->b + 8, sizeof list.head);
	return list;
}

hash32 list_store(const struct list_state *list) {
	hash32 word;
	store_be64(word.b, list->count);
	memcpy(word.b + 8, list->head, sizeof list->head);
	return word;
}

/* The head after an entry. bytes24 stands at a word's high end. */
static void head_after(uint8_t out[LIST_HEAD_BYTES], const struct list_entry *entry) {
	uint8_t words[128] = {0};
	memcpy(words, entry->before, LIST_HEAD_BYTES);
	store_be64(words + 56, entry->n);
	store_be64(words + 88, entry->time_s);
	memcpy(words + 96, entry->entry.b, 32);
	hash32 hash = keccak256(bytes_make(words, sizeof words));
	memcpy(out, hash.b, LIST_HEAD_BYTES);
}

void list_append(struct list_state *list, uint64_t time_s, const hash32 *entry) {
	struct list_entry next = {.n = list->count + 1, .time_s = time_s, .entry = *entry};
	memcpy(next.before, list->head, LIST_HEAD_BYTES);
	head_after(list->head, &next);
	list->count++;
}

static enum status not_served(struct err *err, uint64_t first, uint64_t last) {
	return err_set(err, STATUS_DENIED, "entries %llu to %llu of the list were not served",
	    (unsigned long long)first, (unsigned long long)last);
}

static enum status other_past(struct err *err, uint64_t count) {
	return err_set(err, STATUS_DENIED, "the first %llu entries of the list are not those that were seen before",
	    (unsigned long long)count);
}

static bool same_head(const struct list_state *a, const struct list_state *b) {
	return memcmp(a->head, b->head, LIST_HEAD_BYTES) == 0;
}

enum status list_fold_begin(
    struct list_fold *fold, const struct list_state *proved, const struct list_state *remembered, struct err *err) {
	*fold = (struct list_fold){*proved, *remembered};
	if (proved->count < remembered->count)
		return err_set(err, STATUS_DENIED, "the list has %llu entries, and had %llu before",
		    (unsigned long long)proved->count, (unsigned long long)remembered->count);
	if (proved->count == remembered->count && !same_head(proved, remembered))
		return other_past(err, remembered->count);
	return STATUS_OK;
}

bool list_fold_is_done(const struct list_fold *fold) {
	return fold->at.count == fold->until.count;
}

enum status list_fold_step(struct list_fold *fold, const struct list_entry *entry, struct err *err) {
	uint8_t head[LIST_HEAD_BYTES];
	if (list_fold_is_done(fold) || entry->n == 0 || entry->n > fold->at.count)
		return err_set(err, STATUS_DENIED, "entry %llu of the list was served twice, or is not one",
		    (unsigned long long)entry->n);
	if (entry->n < fold->at.count)
		return not_served(
		    err, entry->n > fold->until.count ? entry->n + 1 : fold->until.count + 1, fold->at.count);
	head_after(head, entry);
	if (memcmp(head, fold->at.head, LIST_HEAD_BYTES) != 0)
		return err_set(
		    err, STATUS_DENIED, "entry %llu is not the one that the list has", (unsigned long long)entry->n);
	memcpy(fold->at.head, entry->before, LIST_HEAD_BYTES);
	fold->at.count--;
	if (list_fold_is_done(fold) && !same_head(&fold->at, &fold->until)) return other_past(err, fold->until.count);
	return STATUS_OK;
}

enum status list_fold_end(const struct list_fold *fold, struct err *err) {
	if (!list_fold_is_done(fold)) return not_served(err, fold->until.count + 1, fold->at.count);
	return memcmp(fold->at.head, fold->until.count ? fold->until.head : beginning, LIST_HEAD_BYTES) == 0
		   ? STATUS_OK
		   : other_past(err, fold->until.count);
}
