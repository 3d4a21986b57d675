#include "health/chain/validators.h"

#include "codec/hex.h"
#include "health/chain/validators_private.h"
#include "health/contracts/cause.h"

#define FILE_NAME "validators.json"
#define FILE_MAX ((size_t)128 << 10)
#define MOVE_EVERY_S 3600              /* what is trusted moves on so often, if the validators stay the same */
#define WRITE_EVERY_MS UINT64_C(60000) /* who decided the newest head is on the disk at the latest so long after it */

/* A light block that was believed, in its shortest form. */
struct seen {
	uint64_t height;
	hash32 hash, app;
	struct buf bytes;
};

struct validators {
	struct heads_options options;
	char chain_id[COMET_CHAIN_ID_SIZE];
	struct monitor *monitor; /* of what follows; NULL: one thread */
	struct comet_trusted trusted;
	struct buf trusted_block; /* empty: it is the anchor's */
	struct seen seen[2];      /* of the last two heads, the newer one last */
	bool is_changed;          /* since it was written */
	uint64_t written_ms;
};

static void enter(struct validators *validators) {
	if (validators->monitor) validators->options.threads->lock(validators->monitor);
}

static void leave(struct validators *validators) {
	if (validators->monitor) validators->options.threads->unlock(validators->monitor);
}

static void keep_bytes(struct buf *out, const struct comet_light_block *block) {
	buf_clear(out);
	comet_light_block_encode(out, block);
	BUG_ON(out->overflow);
}

static void see(struct seen *out, const struct comet_light_block *block) {
	out->height = block->header.height;
	out->hash = block->header.hash;
	memcpy(out->app.b, block->header.app.data, sizeof out->app.b);
	keep_bytes(&out->bytes, block);
}

static void trust(struct validators *validators, const struct comet_light_block *block) {
	validators->trusted = comet_trusted_of(block);
	keep_bytes(&validators->trusted_block, block);
}

/* --- what is kept --- */

struct kept {
	bool has_trusted, has_newest;
	struct comet_light_block trusted, newest; /* views into the arena */
};

static enum status read_file(struct kept *out, struct arena *arena, struct bytes text, struct err *err) {
	const struct json *root, *trusted, *newest;
	uint64_t version;
	*out = (struct kept){0};
	enum status status = json_parse(&root, arena, text, NULL, err);
	if (status == STATUS_OK && (!json_u64(&version, json_get(root, "v")) || version != 1))
		status = err_set(err, STATUS_CORRUPT, "it is not of version 1");
	trusted = status == STATUS_OK ? json_get(root, "trusted") : NULL;
	newest = status == STATUS_OK ? json_get(root, "newest") : NULL;
	if (trusted) status = validators_block_read(&out->trusted, arena, json_string(trusted), err);
	if (newest && status == STATUS_OK)
		status = validators_block_read(&out->newest, arena, json_string(newest), err);
	out->has_trusted = trusted != NULL;
	out->has_newest = newest != NULL;
	return status == STATUS_OK ? status : err_prefix(err, STATUS_CORRUPT, "%s", FILE_NAME);
}

/* Takes over what is further than what this program has. */
static void take_kept(struct validators *validators, const struct kept *kept) {
	if (kept->has_trusted && kept->trusted.header.height > validators->trusted.height)
		trust(validators, &kept->trusted);
	if (kept->has_newest && kept->newest.header.height > validators->seen[1].height)
		see(&validators->seen[1], &kept->newest);
}

/* With the store's lock and ours: another program's may be further. */
static enum status write_file(void *context, struct buf *text, bool *changed, struct err *err) {
	struct validators *validators = context;
	struct kept *kept = mem_alloc(sizeof *kept);
	struct arena arena;
	arena_init(&arena);
	enum status status = text->len ? read_file(kept, &arena, buf_view(text), err) : STATUS_OK;
	if (text->len && status == STATUS_OK) take_kept(validators, kept);
	arena_fini(&arena);
	mem_free(kept);
	TRY(status);
	struct json_writer writer = json_writer(text);
	buf_clear(text);
	json_object_begin(&writer, NULL);
	json_put_u64(&writer, "v", 1);
	if (validators->trusted_block.len) json_put_hex(&writer, "trusted", buf_view(&validators->trusted_block));
	if (validators->seen[1].bytes.len) json_put_hex(&writer, "newest", buf_view(&validators->seen[1].bytes));
	json_object_end(&writer);
	*changed = true;
	return buf_status(text, err);
}

/* With the lock. */
static enum status save(struct validators *validators, struct err *err) {
	const struct head_store *store = validators->options.store;
	TRY(store->update(store->context, FILE_NAME, write_file, validators, err));
	validators->is_changed = false;
	validators->written_ms = clock_now_ms(validators->options.clock);
	return STATUS_OK;
}

static enum status load(struct validators *validators, struct err *err) {
	const struct head_store *store = validators->options.store;
	struct kept *kept = mem_alloc(sizeof *kept);
	struct arena arena;
	struct buf text;
	arena_init(&arena);
	buf_init(&text, FILE_MAX);
	enum status status = store->get(store->context, &text, FILE_NAME, err);
	if (status == STATUS_OK) {
		status = read_file(kept, &arena, buf_view(&text), err);
		if (status == STATUS_OK) take_kept(validators, kept);
	} else if (status == STATUS_NOTFOUND) {
		status = STATUS_OK;
	}
	buf_fini(&text);
	arena_fini(&arena);
	mem_free(kept);
	return status;
}

enum status validators_open(struct validators **out, const struct heads_options *options, struct err *err) {
	struct validators *validators = mem_zalloc(1, sizeof *validators);
	validators->options = *options;
	validators->trusted = options->anchor->validators;
	comet_chain_id(validators->chain_id, &options->anchor->genesis);
	buf_init(&validators->trusted_block, COMET_LIGHT_BLOCK_MAX);
	for (size_t i = 0; i < 2; i++) buf_init(&validators->seen[i].bytes, COMET_LIGHT_BLOCK_MAX);
	enum status status = load(validators, err);
	if (status != STATUS_OK) {
		validators_close(validators);
		return status;
	}
	if (options->threads) validators->monitor = options->threads->monitor_new(options->threads->context);
	*out = validators;
	return STATUS_OK;
}

void validators_close(struct validators *validators) {
	if (!validators) return;
	if (validators->is_changed) (void)save(validators, NULL);
	if (validators->monitor) validators->options.threads->monitor_free(validators->monitor);
	buf_fini(&validators->trusted_block);
	for (size_t i = 0; i < 2; i++) buf_fini(&validators->seen[i].bytes);
	mem_free(validators);
}

void validators_refresh(struct validators *validators, struct deployment *anchor) {
	*anchor = *validators->options.anchor;
	enter(validators);
	anchor->validators = validators->trusted;
	leave(validators);
}

/* --- believing --- */

/* Who is trusted after this block: those who decide it, if they changed, or if it is time. With the lock. */
static bool move_on(
    struct validators *validators, const struct comet_trusted *reached, const struct comet_light_block *block) {
	const struct comet_header *header = &block->header;
	if (header->height <= validators->trusted.height) return false;
	const bool is_same = hash32_equal(&validators->trusted.validators.hash, &block->validators.hash) &&
			     bytes_equal(header->next_validators, BYTES_OF(validators->trusted.next_validators)) &&
			     reached->height <= validators->trusted.height;
	const bool is_due = header->time.s - validators->trusted.time.s >= MOVE_EVERY_S;
	if (is_same && !is_due && validators->trusted_block.len) return false;
	trust(validators, block);
	return true;
}

/* With the lock. */
static bool is_to_save(struct validators *validators, const struct comet_trusted *reached,
    const struct comet_light_block *block, uint64_t now_ms) {
	return move_on(validators, reached, block) ||
	       (validators->is_changed && now_ms - validators->written_ms >= WRITE_EVERY_MS);
}

/* With the lock. STATUS_CORRUPT: another block of this height was believed. */
static enum status remember(struct validators *validators, const struct comet_light_block *block, struct err *err) {
	struct seen *seen = validators->seen;
	bool is_other = false;
	for (size_t i = 0; i < 2; i++)
		is_other |= seen[i].height == block->header.height && !hash32_equal(&seen[i].hash, &block->header.hash);
	const bool is_of_this_head = bytes_equal(block->header.app, BYTES_OF(seen[1].app));
	if (is_of_this_head && !is_other && block->header.height <= seen[1].height) return STATUS_OK;
	if (!is_of_this_head || is_other) {
		const struct seen oldest = seen[0];
		seen[0] = seen[1];
		seen[1] = oldest;
	}
	see(&seen[1], block);
	validators->is_changed = true;
	if (!is_other) return STATUS_OK;
	err_set(err, STATUS_CORRUPT, "its validators decided two blocks of height %llu",
	    (unsigned long long)block->header.height);
	return err_because(err, CAUSE_TWO_BLOCKS, STATUS_CORRUPT);
}

static enum status believe(struct validators *validators, const struct comet_light_block *block,
    const struct head_shown *shown, struct err *err) {
	const struct deployment *anchor = validators->options.anchor;
	const uint64_t now_ms = clock_now_ms(validators->options.clock);
	struct validators_asking asking = {.client = shown->client, .arena = shown->arena};
	const struct comet_source source = {validators_ask, &asking};
	struct comet_trusted *reached = mem_alloc(sizeof *reached);
	char chain_id[COMET_CHAIN_ID_SIZE];
	const struct comet_rules rules = deployment_rules(anchor, chain_id, now_ms, HEADS_AHEAD_S);
	enter(validators);
	*reached = validators->trusted;
	leave(validators);
	enum status status = validators_follow(reached, block, &rules, &source, err);
	if (status == STATUS_OK) {
		enter(validators);
		status = remember(validators, block, err);
		if (status == STATUS_OK && is_to_save(validators, reached, block, now_ms))
			status = save(validators, err);
		leave(validators);
	}
	mem_free(reached);
	return status;
}

static enum status check(void *context, struct head *head, const struct head_shown *shown, struct err *err) {
	struct comet_light_block *block = mem_alloc(sizeof *block);
	enum status status =
	    validators_block_read(block, shown->arena, json_string(json_get(shown->answer, "commit")), err);
	if (status != STATUS_OK)
		status = STATUS_DENIED;
	else if (!bytes_equal(block->header.app, BYTES_OF(head->hash)))
		status = err_set(err, STATUS_DENIED, "the light block is of another head");
	else
		status = believe(context, block, shown, err);
	if (status == STATUS_DENIED) err_prefix(err, status, "the node's head is not believed");
	head->known_ms = comet_time_ms(&block->header.time);
	mem_free(block);
	return status;
}

static void put_evidence(void *context, struct json_writer *writer) {
	struct validators *validators = context;
	json_array_begin(writer, "blocks");
	enter(validators);
	for (size_t i = 0; i < 2; i++)
		if (validators->seen[i].bytes.len) json_put_hex(writer, NULL, buf_view(&validators->seen[i].bytes));
	leave(validators);
	json_array_end(writer);
}

struct head_authority validators_authority(struct validators *validators) {
	return (struct head_authority){check, put_evidence, validators};
}
