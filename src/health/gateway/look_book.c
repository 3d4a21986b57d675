#include "health/gateway/look_book.h"

#include "base/log.h"
#include "health/contracts/consent.h"
#include "health/gateway/gateway_private.h"
#include "health/gateway/look_line.h"

#define AT_ONCE 2000u         /* entries of the trail in one step */
#define SETTLE_STEPS 64u      /* at most for one request that waits */
#define HEARTBEAT_MS 3600000u /* an anchor is renewed, so that one that is old says something */
#define AGAIN_MS 60000u       /* what was sent and is not on the chain is sent again */

struct look_book {
	struct gateway *gateway;
	struct look_lists *lists;
	uint32_t anchor_ms;
	struct monitor *following; /* held while the trail is followed */
	struct monitor *lock;      /* of what follows */
	bool knows_chain;
	struct look_lists_anchor on_chain;
	uint64_t anchored_at_s; /* of on_chain */
	uint64_t asked_at_ms, sent_at_ms;
	const char *fault;
};

static uint64_t now_ms(const struct look_book *book) {
	return clock_now_ms(book->gateway->options.clock);
}

static void lock(struct look_book *book) {
	book->gateway->options.threads->lock(book->lock);
}

static void unlock(struct look_book *book) {
	book->gateway->options.threads->unlock(book->lock);
}

static void set_fault(struct look_book *book, const char *fault) {
	lock(book);
	const bool is_new = fault && fault != book->fault;
	book->fault = fault;
	unlock(book);
	if (is_new) log_error("gateway", "looks: %s", fault);
}

const char *look_book_fault(struct look_book *book) {
	lock(book);
	const char *fault = book->fault;
	unlock(book);
	return fault;
}

struct look_lists *look_book_lists(struct look_book *book) {
	return book->lists;
}

struct gateway *look_book_gateway(struct look_book *book) {
	return book->gateway;
}

enum status look_book_open(struct look_book **out, struct gateway *gateway, uint32_t anchor_ms, struct err *err) {
	const struct threads *threads = gateway->options.threads;
	struct look_book *book = mem_zalloc(1, sizeof *book);
	book->gateway = gateway;
	book->anchor_ms = anchor_ms;
	book->following = threads->monitor_new(threads->context);
	book->lock = threads->monitor_new(threads->context);
	enum status status = look_lists_open(&book->lists, actor_home(gateway->options.actor), threads, err);
	if (status == STATUS_OK)
		*out = book;
	else
		look_book_close(book);
	return status;
}

void look_book_close(struct look_book *book) {
	if (!book) return;
	const struct threads *threads = book->gateway->options.threads;
	look_lists_close(book->lists);
	threads->monitor_free(book->following);
	threads->monitor_free(book->lock);
	mem_free(book);
}

/* --- from the trail to the lists --- */

struct gathering {
	struct arena arena;
	struct look_lists_line *lines;
	size_t count, capacity;
};

static void gather(void *context, const struct trail_seen *seen) {
	struct gathering *g = context;
	struct look_lists_line *lines = NULL;
	size_t count;
	look_lines_of(&lines, &count, &g->arena, seen);
	if (g->count + count > g->capacity) {
		g->capacity = 2 * (g->count + count);
		struct look_lists_line *larger = arena_zalloc(&g->arena, g->capacity, sizeof *larger);
		if (g->count) memcpy(larger, g->lines, g->count * sizeof *larger);
		g->lines = larger;
	}
	if (count) memcpy(g->lines + g->count, lines, count * sizeof *lines);
	g->count += count;
}

/* The trail is durable before the lists say that they have it. */
static enum status take_in(struct look_book *book, bool *moved, uint64_t limit, struct err *err) {
	struct trail *trail = book->gateway->options.trail;
	const struct look_lists_place before = look_lists_place(book->lists);
	struct look_lists_place place = before;
	struct gathering g = {.count = 0};
	const uint64_t room = limit > before.count ? limit - before.count : 0;
	*moved = false;
	if (!room) return STATUS_OK;
	arena_init(&g.arena);
	enum status status = trail_follow(trail, &place, room < AT_ONCE ? (size_t)room : AT_ONCE, gather, &g, err);
	if (status == STATUS_OK && place.count > before.count) {
		trail_sync(trail);
		status = look_lists_add(book->lists, g.lines, g.count, &place, err);
		*moved = status == STATUS_OK;
	}
	arena_fini(&g.arena);
	return status;
}

static enum status follow(struct look_book *book, bool *moved, struct err *err) {
	const struct threads *threads = book->gateway->options.threads;
	lock(book);
	const struct look_lists_anchor on_chain = book->on_chain;
	const bool knows_chain = book->knows_chain;
	unlock(book);
	threads->lock(book->following);
	const uint64_t limit = look_lists_limit(book->lists, knows_chain ? &on_chain : NULL);
	enum status status = STATUS_OK;
	if (limit && limit != UINT64_MAX && look_lists_place(book->lists).count > limit)
		status = look_lists_reset(book->lists, err);
	if (status == STATUS_OK) status = take_in(book, moved, limit, err);
	threads->unlock(book->following);
	return status;
}

void look_book_step(struct look_book *book) {
	struct err err = {0};
	bool moved = false;
	if (follow(book, &moved, &err) == STATUS_OK) return;
	log_warn("gateway", "looks: %s", err.message);
	set_fault(book, "the trail cannot be followed");
}

enum status look_book_settle(struct look_book *book, struct err *err) {
	const uint64_t wanted = trail_count(book->gateway->options.trail);
	for (unsigned i = 0; i < SETTLE_STEPS; i++) {
		bool moved = false;
		if (look_lists_place(book->lists).count >= wanted) return STATUS_OK;
		TRY(follow(book, &moved, err));
		if (!moved) break;
	}
	if (look_lists_place(book->lists).count >= wanted) return STATUS_OK;
	return err_set(err, STATUS_BUSY, "looks are still being listed");
}

/* --- anchoring --- */

static enum status ask_chain(struct look_book *book, struct actor_request *request, struct err *err) {
	const addr20 *consent = &request->home->deployment.consent;
	const hash32 slot = consent_anchors_slot(&request->home->account);
	hash32 words[CONSENT_STORED_ANCHOR_SLOTS];
	struct consent_stored_anchor anchor;
	struct verified *verified;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	TRY(verified_struct(verified, words, consent, &slot, CONSENT_STORED_ANCHOR_SLOTS, err));
	TRY(consent_stored_anchor_load(&anchor, words, err));
	lock(book);
	book->on_chain = (struct look_lists_anchor){anchor.root, anchor.count};
	book->anchored_at_s = anchor.time;
	book->knows_chain = true;
	unlock(book);
	return STATUS_OK;
}

/* What is anchored and is not in this trail: somebody cut it, or it is of a backup. */
static void compare(struct look_book *book, const struct look_lists_anchor *frozen) {
	const bool is_short = trail_count(book->gateway->options.trail) < book->on_chain.count;
	const bool is_other =
	    frozen->count == book->on_chain.count && !hash32_equal(&frozen->root, &book->on_chain.root);
	set_fault(book, is_short   ? "the trail has fewer entries than were anchored on the chain"
			: is_other ? "the trail's entries are not those that were anchored on the chain"
				   : NULL);
}

static enum status send(
    struct look_book *book, struct actor_request *request, const struct look_lists_anchor *anchor, struct err *err) {
	struct client_receipt receipt;
	book->sent_at_ms = now_ms(book);
	TRY(request_transact(request, &receipt, &request->home->deployment.consent,
	    consent_anchor_audit_call(request->arena, &anchor->root, anchor->count), err));
	return ask_chain(book, request, err);
}

static enum status anchor_within(struct look_book *book, struct actor_request *request, struct err *err) {
	struct look_lists_anchor frozen;
	bool owed;
	TRY(ask_chain(book, request, err));
	TRY(look_lists_owed(book->lists, &owed, &frozen, &book->on_chain, err));
	compare(book, &frozen);
	const uint64_t now = now_ms(book);
	const bool is_old = book->on_chain.count && now > book->anchored_at_s * 1000 + HEARTBEAT_MS;
	if (!owed && !is_old) return STATUS_OK;
	if (book->fault || now < book->sent_at_ms + AGAIN_MS) return STATUS_OK;
	TRY(send(book, request, owed ? &frozen : &book->on_chain, err));
	book->sent_at_ms = 0;
	return STATUS_OK;
}

static bool is_due(const struct look_book *book) {
	const uint64_t now = now_ms(book);
	if (book->knows_chain && now < book->asked_at_ms + book->anchor_ms) return false;
	if (!book->knows_chain || book->fault) return true;
	if (look_lists_limit(book->lists, &book->on_chain) != UINT64_MAX) return true; /* it is made anew */
	return look_lists_place(book->lists).count != book->on_chain.count ||
	       now > book->anchored_at_s * 1000 + HEARTBEAT_MS;
}

void look_book_anchor(struct look_book *book) {
	struct actor_request request = {0};
	struct arena arena;
	struct err err = {0};
	if (!is_due(book)) return;
	book->asked_at_ms = now_ms(book);
	arena_init(&arena);
	enum status status = gateway_begin(book->gateway, &request, &arena, &err);
	if (status == STATUS_OK) status = anchor_within(book, &request, &err);
	actor_request_end(&request);
	arena_fini(&arena);
	if (status != STATUS_OK) log_warn("gateway", "looks could not be anchored: %s", err.message);
}

struct look_book_counts look_book_counts(struct look_book *book) {
	lock(book);
	const struct look_book_counts counts = {
	    look_lists_place(book->lists).count, book->on_chain.count, book->anchored_at_s};
	unlock(book);
	return counts;
}
