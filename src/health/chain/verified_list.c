/* Lists: read from a node's logs, newest first, and folded to the slot that the head proves. */
#include <stdio.h>

#include "codec/hex.h"
#include "crypto/hash.h"
#include "health/chain/heads_private.h"
#include "health/chain/verified.h"

#define FIRST_SPAN 16384u /* blocks of the first page, from the head down; each answered page doubles it */
#define FILE_MAX 512u

struct reading {
	struct verified *verified;
	const struct verified_list *list;
	struct list_fold fold;
	uint64_t visited;
	struct arena page; /* its logs */
};

static bool is_enough(const struct reading *reading) {
	return list_fold_is_done(&reading->fold) || (reading->list->max && reading->visited == reading->list->max);
}

/* The node did not say it: the header does. What is wrong in it fails the fold. */
static enum status time_of(uint64_t *out, struct reading *reading, uint64_t block, struct err *err) {
	struct client *client = reading->verified->client;
	const struct json *answer;
	const char *params = arena_printf(&reading->page, "[\"0x%llx\",false]", (unsigned long long)block);
	TRY(client_rpc(client, &answer, NULL, &reading->page, "eth_getBlockByNumber", bytes_text(params), err));
	return client_answer_quantity(out, json_get(answer, "timestamp"), "block's timestamp", err);
}

static enum status take(struct reading *reading, struct client_log *log, struct err *err) {
	const struct verified_list *list = reading->list;
	struct list_entry entry = {0};
	bool is_entry = true;
	if (log->timestamp == 0) TRY(time_of(&log->timestamp, reading, log->block_number, err));
	entry.time_s = log->timestamp;
	TRY(list->entry(list->context, &entry, &is_entry, log, err));
	if (!is_entry) return STATUS_OK;
	entry.time_s = log->timestamp;
	if (list_fold_step(&reading->fold, &entry, err) != STATUS_OK) return heads_not_proved(err);
	reading->visited++;
	return list->visit(list->context, &entry, log, err);
}

/* The logs of one page, the newest first. *span is the page's length, and then the next one's. */
static enum status read_page(struct reading *reading, uint64_t *last, uint64_t *span, struct err *err) {
	const uint64_t first_block = reading->list->first_block;
	const uint64_t first = *last - first_block >= *span ? *last - *span + 1 : first_block;
	struct logs_walk walk = {.next_block = first, .last_block = *last, .span = *last - first + 1};
	struct client_log *logs;
	size_t count;
	struct logs_query query = reading->list->query;
	query.address = reading->list->contract;
	arena_reset(&reading->page);
	TRY(logs_page(&walk, reading->verified->client, &logs, &count, &reading->page, &query, err));
	if (walk.next_block == first) { /* refused: a shorter page */
		*span = walk.span;
		return STATUS_OK;
	}
	for (size_t i = count; i > 0 && !is_enough(reading); i--) TRY(take(reading, &logs[i - 1], err));
	*last = first - 1; /* before block 0 at the end: read_all stops there */
	*span = *span < LOGS_SPAN_MAX ? 2 * *span : *span;
	return STATUS_OK;
}

static enum status read_all(struct reading *reading, struct err *err) {
	const uint64_t first_block = reading->list->first_block;
	uint64_t last = reading->verified->head.number, span = FIRST_SPAN;
	while (!is_enough(reading)) {
		if (last < first_block || last == UINT64_MAX) break;
		TRY(read_page(reading, &last, &span, err));
	}
	if (reading->list->max && reading->visited == reading->list->max) return STATUS_OK;
	return list_fold_end(&reading->fold, err) == STATUS_OK ? STATUS_OK : heads_not_proved(err);
}

enum status verified_list(
    struct verified *verified, const struct verified_list *list, struct list_state *remembered, struct err *err) {
	const struct verified_want want = {list->contract, list->slot};
	struct reading reading = {.verified = verified, .list = list};
	struct list_state until = {0};
	hash32 word;
	if (remembered) until = *remembered;
	TRY(verified_words(verified, &word, &want, 1, err));
	const struct list_state proved = list_load(&word);
	if (list_fold_begin(&reading.fold, &proved, &until, err) != STATUS_OK) return heads_not_proved(err);
	arena_init(&reading.page);
	enum status status = read_all(&reading, err);
	arena_fini(&reading.page);
	TRY(status);
	if (remembered && list_fold_is_done(&reading.fold)) *remembered = proved;
	return STATUS_OK;
}

/* --- between programs --- */

/* lists/ and half of the hash that names the list: a file each. */
static void name_of(char out[64], const addr20 *contract, const hash32 *slot) {
	uint8_t both[sizeof contract->b + sizeof slot->b];
	memcpy(both, contract->b, sizeof contract->b);
	memcpy(both + sizeof contract->b, slot->b, sizeof slot->b);
	const hash32 hash = keccak256(bytes_make(both, sizeof both));
	size_t at = (size_t)snprintf(out, 64, "lists/");
	for (size_t i = 0; i < 16; i++) at += (size_t)snprintf(out + at, 64 - at, "%02x", hash.b[i]);
	snprintf(out + at, 64 - at, ".json");
}

static enum status parse(struct list_state *out, struct bytes text, struct err *err) {
	struct arena arena;
	const struct json *root;
	arena_init(&arena);
	enum status status = json_parse(&root, &arena, text, NULL, err);
	if (status == STATUS_OK && (!json_u64(&out->count, json_get(root, "count")) ||
				       hex_fixed(out->head, sizeof out->head, json_string(json_get(root, "head")))))
		status = STATUS_CORRUPT;
	arena_fini(&arena);
	if (status == STATUS_OK) return STATUS_OK;
	return err_set(err, STATUS_CORRUPT, "what this home remembers of a list is damaged");
}

enum status verified_remembered(
    struct heads *heads, struct list_state *out, const addr20 *contract, const hash32 *slot, struct err *err) {
	const struct head_store *store = heads_store(heads);
	char name[64];
	struct buf text;
	*out = (struct list_state){0};
	name_of(name, contract, slot);
	buf_init(&text, FILE_MAX);
	enum status status = store->get(store->context, &text, name, err);
	if (status == STATUS_OK) status = parse(out, buf_view(&text), err);
	buf_fini(&text);
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

static enum status remember(void *context, struct buf *text, bool *changed, struct err *err) {
	const struct list_state *list = context;
	struct list_state kept = {0};
	if (text->len) TRY(parse(&kept, buf_view(text), err));
	if (text->len && kept.count >= list->count) return STATUS_OK;
	buf_clear(text);
	struct json_writer writer = json_writer(text);
	json_object_begin(&writer, NULL);
	json_put_u64(&writer, "count", list->count);
	json_put_hex(&writer, "head", bytes_make(list->head, sizeof list->head));
	json_object_end(&writer);
	*changed = true;
	return buf_status(text, err);
}

enum status verified_remember(
    struct heads *heads, const struct list_state *list, const addr20 *contract, const hash32 *slot, struct err *err) {
	const struct head_store *store = heads_store(heads);
	struct list_state copy = *list;
	char name[64];
	name_of(name, contract, slot);
	return store->update(store->context, name, remember, &copy, err);
}
