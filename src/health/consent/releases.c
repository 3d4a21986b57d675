#include "health/consent/releases.h"

#include "codec/hex.h"
#include "codec/json.h"

#define FILE_NAME "trustee.json"
#define DAY_S 86400u
#define TEXT_MAX ((size_t)64 << 10)

struct kept {
	uint64_t next, block, day;
	struct released {
		uint64_t review;
		addr20 actor;
	} released[RELEASES_MAX];
	size_t count;
};

static enum status damaged(struct err *err) {
	return err_set(err, STATUS_CORRUPT, "%s of this home makes no sense", FILE_NAME);
}

static enum status parse_into(struct kept *out, struct arena *arena, struct bytes text, struct err *err) {
	const struct json *root;
	uint64_t version;
	TRY(json_parse(&root, arena, text, NULL, err));
	const struct json *released = json_get(root, "released");
	if (!json_u64(&version, json_get(root, "v")) || version != 2 || !json_u64(&out->next, json_get(root, "next")) ||
	    !json_u64(&out->block, json_get(root, "block")) || !json_u64(&out->day, json_get(root, "day")) ||
	    !json_is(released, JSON_ARRAY) || released->count > RELEASES_MAX)
		return damaged(err);
	json_foreach (entry, released) {
		struct released *one = &out->released[out->count++];
		if (hex_fixed(one->actor.b, 20, json_string(json_get(entry, "actor"))) != STATUS_OK ||
		    !json_u64(&one->review, json_get(entry, "review")))
			return damaged(err);
	}
	return STATUS_OK;
}

/* Empty: nothing is remembered. */
static enum status parse(struct kept *out, struct bytes text, struct err *err) {
	struct arena arena;
	*out = (struct kept){.next = 1};
	if (text.len == 0) return STATUS_OK;
	arena_init(&arena);
	enum status status = parse_into(out, &arena, text, err);
	arena_fini(&arena);
	return status == STATUS_OK ? STATUS_OK : damaged(err);
}

static enum status write(struct buf *out, const struct kept *kept, struct err *err) {
	buf_clear(out);
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_u64(&writer, "v", 2);
	json_put_u64(&writer, "next", kept->next);
	json_put_u64(&writer, "block", kept->block);
	json_put_u64(&writer, "day", kept->day);
	json_array_begin(&writer, "released");
	for (size_t i = 0; i < kept->count; i++) {
		json_object_begin(&writer, NULL);
		json_put_u64(&writer, "review", kept->released[i].review);
		json_put_hex(&writer, "actor", BYTES_OF(kept->released[i].actor));
		json_object_end(&writer);
	}
	json_array_end(&writer);
	json_object_end(&writer);
	return buf_status(out, err);
}

static enum status load(struct heads *heads, struct kept *kept, struct err *err) {
	const struct head_store *store = heads_store(heads);
	struct buf text;
	*kept = (struct kept){.next = 1};
	buf_init(&text, TEXT_MAX);
	enum status status = store->get(store->context, &text, FILE_NAME, err);
	if (status == STATUS_OK) status = parse(kept, buf_view(&text), err);
	buf_fini(&text);
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

enum status releases_next(struct heads *heads, uint64_t *next, struct err *err) {
	struct kept kept;
	enum status status = load(heads, &kept, err);
	*next = kept.next;
	return status;
}

enum status releases_checked_to(struct heads *heads, uint64_t *block, struct err *err) {
	struct kept kept;
	enum status status = load(heads, &kept, err);
	*block = kept.block;
	return status;
}

/* Where it goes on: each only forward. */
struct progress_made {
	uint64_t next, block;
};

static enum status change(void *context, struct buf *text, bool *changed, struct err *err) {
	const struct progress_made *made = context;
	struct kept kept;
	TRY(parse(&kept, buf_view(text), err));
	*changed = made->next > kept.next || made->block > kept.block;
	if (!*changed) return STATUS_OK;
	if (made->next > kept.next) kept.next = made->next;
	if (made->block > kept.block) kept.block = made->block;
	return write(text, &kept, err);
}

static enum status advance(struct heads *heads, struct progress_made made, struct err *err) {
	const struct head_store *store = heads_store(heads);
	return store->update(store->context, FILE_NAME, change, &made, err);
}

enum status releases_set_next(struct heads *heads, uint64_t next, struct err *err) {
	return advance(heads, (struct progress_made){.next = next}, err);
}

enum status releases_set_checked_to(struct heads *heads, uint64_t block, struct err *err) {
	return advance(heads, (struct progress_made){.block = block}, err);
}

/* --- a day's number --- */

struct taking {
	const struct releases_wish *wish;
	bool allowed;
};

/* A clock that goes back begins no new day. */
static void begin_day(struct kept *kept, uint64_t day) {
	if (day <= kept->day) return;
	kept->day = day;
	kept->count = 0;
}

static enum status take(void *context, struct buf *text, bool *changed, struct err *err) {
	struct taking *taking = context;
	const struct releases_wish *wish = taking->wish;
	struct kept kept;
	size_t of_actor = 0;
	TRY(parse(&kept, buf_view(text), err));
	begin_day(&kept, wish->now_s / DAY_S);
	for (size_t i = 0; i < kept.count; i++) {
		if (!addr20_equal(&kept.released[i].actor, &wish->actor)) continue;
		of_actor++;
		taking->allowed = taking->allowed || kept.released[i].review == wish->review;
	}
	if (taking->allowed) return STATUS_OK; /* once more, after a failure */
	taking->allowed = of_actor < wish->a_day && kept.count < RELEASES_MAX;
	if (!taking->allowed) return STATUS_OK;
	kept.released[kept.count++] = (struct released){wish->review, wish->actor};
	*changed = true;
	return write(text, &kept, err);
}

enum status releases_take(struct heads *heads, bool *allowed, const struct releases_wish *wish, struct err *err) {
	const struct head_store *store = heads_store(heads);
	struct taking taking = {wish, false};
	enum status status = store->update(store->context, FILE_NAME, take, &taking, err);
	*allowed = status == STATUS_OK && taking.allowed;
	return status;
}
