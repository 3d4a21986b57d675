/*
 * Content that other members have and this node has not: named items that await it are asked for, batch by batch, of
 * one member after another. What is missing is a row of the table (blob_index.c), so a restart forgets nothing. And a
 * slow look through what is here: what was lost is found soon after a start, what was changed within a day, and both
 * become missing.
 */
#include "ledger/blob/blob_fetch.h"
#include "base/log.h"
#include "ledger/blob/blob_peers.h"
#include "ledger/blob/blob_wire.h"

#define REST_FIRST_MS 200u
#define REST_MAX_MS (60u * 1000)
#define LOOK_EVERY_MS 1000u
#define LOOK_AT_ONCE 64u
#define LOOK_BYTES ((size_t)1 << 20) /* read at most, each time */
#define PASS_EVERY_MS (24u * 60 * 60 * 1000)

struct blob_fetch {
	/* Through what is missing. */
	struct blob_awaited after;
	uint64_t seen; /* in this pass */
	bool has_gained;
	uint32_t rest_ms;
	uint64_t rests_until_ms;
	/* Through what is here: the first pass asks only whether it is there. */
	struct blob_kept looked;
	bool was_counted;
	uint64_t look_at_ms;
};

struct blob_fetch *blob_fetch_new(void) {
	return mem_zalloc(1, sizeof(struct blob_fetch));
}

void blob_fetch_free(struct blob_fetch *fetch) {
	mem_free(fetch);
}

/* --- fetching --- */

/* Items that are asked for together, and which of them are still wanted. */
struct batch {
	struct blob_item items[BLOB_WISHES_MAX];
	bool has[BLOB_WISHES_MAX];
	size_t count, wanted;
	/* Who said that it has not what another one had. */
	struct blob_peer *absent_at[BLOB_WISHES_MAX];
};

bool blob_is_content_of(const struct blob_item *item, struct bytes content) {
	struct container container;
	if (content.len != item->size_bytes || container_decode(&container, content, NULL) != STATUS_OK) return false;
	const hash32 name = container_name(&container);
	return hash32_equal(&name, &item->blob);
}

static enum status take(struct blob_room *room, struct batch *batch, const size_t *asked, size_t count,
    const struct blob_answer *answers, struct blob_peer *peer, struct err *err) {
	for (size_t i = 0; i < count; i++) {
		const size_t at = asked[i];
		const struct blob_item *item = &batch->items[at];
		if (answers[i].found == BLOB_ABSENT) batch->absent_at[at] = peer;
		if (answers[i].found != BLOB_GIVEN) continue;
		if (!blob_is_content_of(item, answers[i].content)) {
			blob_peer_lied(room, peer, &item->item, "its content has another name or size");
			return STATUS_OK;
		}
		TRY(blob_content_fill(room, item, answers[i].content, err));
		blob_peer_gave(room, peer);
		if (batch->absent_at[at] != NULL) blob_peer_lacked(room, batch->absent_at[at]);
		batch->has[at] = true;
		batch->wanted--;
	}
	return STATUS_OK;
}

static enum status read_answers(struct blob_room *room, struct blob_answer answers[BLOB_WISHES_MAX], size_t count,
    struct blob_peer *peer, const struct http_response *response) {
	struct err why = {0};
	enum status status = STATUS_OK;
	if (response->status != 200)
		status = err_set(&why, STATUS_IO, "it answers with HTTP status %d", response->status);
	if (status == STATUS_OK) status = blob_answers_decode(answers, count, buf_view(&response->body), &why);
	if (status == STATUS_OK)
		blob_peer_answered(room, peer);
	else
		blob_peer_failed(room, peer, why.message);
	return status;
}

/* A failure of the member is its own; one that is returned is this node's. */
static enum status ask(struct blob_room *room, struct batch *batch, struct blob_peer *peer, struct err *err) {
	struct blob_wish wishes[BLOB_WISHES_MAX];
	struct blob_answer answers[BLOB_WISHES_MAX];
	size_t asked[BLOB_WISHES_MAX], count = 0;
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->has[i]) continue;
		wishes[count] = (struct blob_wish){batch->items[i].gate, batch->items[i].item, batch->items[i].blob};
		asked[count++] = i;
	}
	struct buf body;
	struct http_response response;
	buf_init(&body, BLOB_WISHES_BYTES_MAX);
	blob_wishes_encode(&body, wishes, count);
	http_response_init(&response, BLOB_ANSWER_MAX);
	const struct blob_peer_request request = {HTTP_POST, BLOB_MEMBERS_PATH, NULL, buf_view(&body), 0};
	enum status status = STATUS_OK;
	if (blob_peer_ask(room, peer, &response, &request, NULL) == STATUS_OK &&
	    read_answers(room, answers, count, peer, &response) == STATUS_OK)
		status = take(room, batch, asked, count, answers, peer, err);
	http_response_fini(&response);
	buf_fini(&body);
	return status;
}

static enum status ask_all(struct blob_room *room, struct batch *batch, struct err *err) {
	const size_t first = blob_peers_turn(room), count = blob_peers_count(room);
	batch->wanted = batch->count;
	for (size_t i = 0; i < count && batch->wanted > 0; i++) {
		struct blob_peer *peer = blob_peers_at(room, first + i);
		if (peer != NULL) TRY(ask(room, batch, peer, err));
	}
	return STATUS_OK;
}

/* At the end of a pass: without any gain the next one waits, longer each time. What is named meanwhile ends the rest.
 */
static void end_pass(struct blob_room *room, uint64_t now_ms) {
	struct blob_fetch *fetch = room->fetch;
	atomic_store(&room->missing, fetch->seen);
	if (fetch->has_gained || fetch->seen == 0 || fetch->rest_ms == 0)
		fetch->rest_ms = REST_FIRST_MS;
	else if ((fetch->rest_ms *= 2) > REST_MAX_MS)
		fetch->rest_ms = REST_MAX_MS;
	fetch->rests_until_ms = now_ms + fetch->rest_ms;
	fetch->has_gained = false;
	fetch->seen = 0;
}

static enum status fetch_some(struct blob_room *room, bool *more, struct err *err) {
	static const struct blob_awaited begin;
	struct blob_fetch *fetch = room->fetch;
	const uint64_t now_ms = clock_now_ms(room->options.clock);
	if (atomic_exchange(&room->has_more_missing, false)) fetch->rests_until_ms = 0;
	if (now_ms < fetch->rests_until_ms) return STATUS_OK;
	struct batch *batch = mem_zalloc(1, sizeof *batch);
	enum status status = blob_index_missing(room, batch->items, &batch->count, BLOB_WISHES_MAX, &fetch->after, err);
	const bool is_end = memcmp(&fetch->after, &begin, sizeof begin) == 0;
	if (status == STATUS_OK && batch->count > 0) status = ask_all(room, batch, err);
	fetch->has_gained |= batch->wanted < batch->count;
	fetch->seen += batch->wanted;
	*more |= !is_end;
	if (is_end || status != STATUS_OK) end_pass(room, now_ms);
	mem_free(batch);
	return status;
}

/* --- looking through what is here --- */

static enum status look_at(struct blob_room *room, const struct blob_item *item, size_t *read_bytes, struct err *err) {
	bool is_good;
	TRY(blob_content_has(room, &is_good, &item->gate, &item->item, err));
	if (is_good && room->fetch->was_counted) {
		struct buf content;
		buf_init(&content, CONTAINER_BYTES_MAX);
		const enum status status = blob_content_read(room, &content, &item->gate, &item->item, true, 0, err);
		is_good = status == STATUS_OK && blob_is_content_of(item, buf_view(&content));
		*read_bytes += content.len;
		buf_fini(&content);
		if (status == STATUS_IO) return status; /* maybe for the moment */
	}
	return is_good ? STATUS_OK : blob_damaged(room, item, err);
}

enum status blob_damaged(struct blob_room *room, const struct blob_item *item, struct err *err) {
	struct blob_item now;
	if (room->peers == NULL) return STATUS_OK;
	/* It may have been erased, or named anew, while it was read. */
	if (blob_index_find(room, &now, &item->gate, &item->item, NULL) != STATUS_OK || now.state != BLOB_NAMED ||
	    !hash32_equal(&now.blob, &item->blob))
		return STATUS_OK;
	log_warn("blob", "the content of an item was lost or changed: it is fetched again");
	return blob_index_lost(room, item, err);
}

static enum status look_through_some(struct blob_room *room, bool *more, struct err *err) {
	static const struct blob_kept begin;
	struct blob_fetch *fetch = room->fetch;
	const uint64_t now_ms = clock_now_ms(room->options.clock);
	if (now_ms < fetch->look_at_ms) return STATUS_OK;
	struct blob_item items[LOOK_AT_ONCE];
	size_t count, read_bytes = 0;
	TRY(blob_index_named(room, items, &count, LOOK_AT_ONCE, &fetch->looked, err));
	const bool is_end = memcmp(&fetch->looked, &begin, sizeof begin) == 0;
	for (size_t i = 0; i < count; i++) {
		const enum status status = look_at(room, &items[i], &read_bytes, err);
		if (status != STATUS_OK) fetch->look_at_ms = now_ms + REST_MAX_MS; /* a disk, or a store that is down */
		TRY(status);
		if (read_bytes < LOOK_BYTES || i + 1 == count) continue;
		memcpy(fetch->looked.b, items[i].gate.b, 20); /* on from here the next time */
		memcpy(fetch->looked.b + 20, items[i].item.b, 32);
		fetch->look_at_ms = now_ms + LOOK_EVERY_MS;
		return STATUS_OK;
	}
	*more |= !fetch->was_counted && !is_end;
	fetch->look_at_ms = !fetch->was_counted ? 0 : now_ms + (is_end ? PASS_EVERY_MS : LOOK_EVERY_MS);
	fetch->was_counted |= is_end;
	return STATUS_OK;
}

enum status blob_fetch(struct blob_room *room, bool *more, struct err *err) {
	*more = false;
	if (room->peers == NULL) return STATUS_OK;
	TRY(blob_names_learn(room, more, err));
	TRY(blob_current_look(room, err));
	TRY(look_through_some(room, more, err));
	return fetch_some(room, more, err);
}
