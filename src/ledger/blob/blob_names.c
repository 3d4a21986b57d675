/*
 * A node that began with a snapshot was told no event before it, and the state does not name blobs. The other members
 * know what was named, and they are asked page by page, all for the same part of the list, which is sorted. A name
 * counts once members with a third of the power give it, one of whom is honest. It need not be known if it does not
 * count, and members with a third of the power do not give it. All are known once members with a third of the power
 * gave their whole lists, and no name was left that is neither. What events said since the snapshot is this node's own
 * knowledge, and stands: so what was erased meanwhile does not come back with somebody's older list.
 *
 * The row "u", with the snapshot's block, says that this is not done. Lists of members that have not followed that
 * block are no use. Threads: the fetching one, but for `is_due`.
 */
#include "base/http_reply.h"
#include "base/log.h"
#include "ledger/blob/blob_fetch.h"
#include "ledger/blob/blob_peers.h"
#include "ledger/blob/blob_wire.h"

#define REST_FIRST_MS 500u
#define REST_MAX_MS (15u * 1000)
#define UNSETTLED_MAX 1000u
#define NEEDLESS_MAX 1000u

/* A member's list, in this pass. */
struct lister {
	struct blob_peer *peer; /* NULL: it has not given all of its list up to here */
	uint64_t power;
	struct blob_page page;
	size_t at;       /* of the page's names: those before it are judged */
	size_t needless; /* names of its that need not be known, or are lies */
};

struct blob_names {
	atomic_bool is_due;
	uint64_t block;         /* what was named up to it is not known */
	struct lister *listers; /* of blob_peers_count; NULL between two passes */
	struct blob_name after; /* all names up to this one were judged in this pass */
	uint64_t unsettled;     /* names that did not count, in this pass */
	uint64_t learned;       /* since the start */
	uint32_t rest_ms;
	uint64_t rests_until_ms;
};

struct blob_names *blob_names_new(void) {
	return mem_zalloc(1, sizeof(struct blob_names));
}

void blob_names_free(struct blob_names *names) {
	if (names == NULL) return;
	mem_free(names->listers);
	mem_free(names);
}

enum status blob_names_open(struct blob_room *room, struct err *err) {
	struct store_value value;
	TRY(store_get(room->store, NULL, TABLE_BLOB, &value, BYTES_LITERAL("u"), err));
	if (value.view.len == sizeof room->names->block) room->names->block = load_be64(value.view.data);
	atomic_store(&room->names->is_due, room->peers != NULL && value.view.len == sizeof room->names->block);
	store_value_release(&value);
	return STATUS_OK;
}

void blob_names_owe(struct blob_room *room, struct store_batch *batch, uint64_t block) {
	uint8_t value[8];
	store_be64(value, block);
	store_batch_put(batch, room->store, TABLE_BLOB, BYTES_LITERAL("u"), bytes_make(value, sizeof value));
	room->names->block = block;
	atomic_store(&room->names->is_due, true);
	log_info("blob", "what was named up to block %llu is asked of the other members", (unsigned long long)block);
}

bool blob_names_are_due(struct blob_room *room) {
	return atomic_load(&room->names->is_due);
}

/* --- what this node knows --- */

static enum status list(
    struct blob_room *room, struct blob_page *page, const struct blob_name *after, struct err *err) {
	uint8_t from[1 + 20 + 32] = {'i'};
	memcpy(from + 1, after->gate.b, 20);
	memcpy(from + 21, after->item.b, 32);
	struct store_cursor *cursor = store_cursor_new(room->store, NULL, TABLE_BLOB);
	page->followed = room->followed; /* before the names: they are not older */
	page->is_last = true;
	for (store_cursor_seek(cursor, bytes_make(from, sizeof from)); store_cursor_valid(cursor);
	     store_cursor_next(cursor)) {
		struct blob_item item;
		if (!blob_index_parse(&item, store_cursor_key(cursor), store_cursor_value(cursor))) break;
		const struct blob_name name = {item.gate, item.item, item.blob, item.size_bytes};
		const bool stands = item.state == BLOB_NAMED || item.state == BLOB_MISSING;
		/* A size that no container has: nobody will ever have content of it. */
		if (!stands || name.size_bytes == 0 || name.size_bytes > CONTAINER_BYTES_MAX) continue;
		if (blob_name_compare(after, &name) >= 0) continue;
		page->is_last = page->count < BLOB_PAGE_NAMES;
		if (!page->is_last) break;
		page->names[page->count++] = name;
	}
	const enum status status = store_cursor_status(cursor, err);
	store_cursor_free(cursor);
	return status;
}

void blob_names_wanted(struct blob_room *room, struct http_exchange *exchange) {
	struct http_response *response = &exchange->response;
	struct blob_name after;
	struct err err = {0};
	if (blob_page_asked(&after, exchange->request.body, &err) != STATUS_OK)
		return http_problem(response, 400, "malformed", err.message);
	if (blob_names_are_due(room))
		return http_problem(response, 503, "catching-up", "this node does not know yet what was named");
	struct blob_page *page = mem_zalloc(1, sizeof *page);
	if (list(room, page, &after, &err) == STATUS_OK) {
		response->content_type = "application/octet-stream";
		blob_page_encode(&response->body, page);
	} else {
		log_error("blob", "%s", err.message);
		http_problem(response, 500, "internal", "the node failed; its log says why");
	}
	mem_free(page);
}

/* --- asking --- */

/* True: the lister's page is what comes after the names that were judged. */
static bool ask_page(struct blob_room *room, struct lister *lister, struct blob_peer *peer) {
	struct blob_names *names = room->names;
	struct http_response response;
	struct buf body;
	struct err why = {0};
	bool is_good = false;
	buf_init(&body, BLOB_PAGE_ASK_BYTES);
	blob_page_ask(&body, &names->after);
	http_response_init(&response, BLOB_PAGE_BYTES_MAX);
	const struct blob_peer_request request = {HTTP_POST, BLOB_NAMES_PATH, NULL, buf_view(&body), 0};
	if (blob_peer_ask(room, peer, &response, &request, &why) == STATUS_OK) {
		/* It learns them itself, or this node is no member yet. */
		if (response.status == 503 || response.status == 401) {
			blob_peer_answered(room, peer);
		} else if (response.status != 200) {
			blob_peer_failed(room, peer, "it does not say what was named");
		} else if (blob_page_decode(&lister->page, &names->after, buf_view(&response.body), &why) !=
			   STATUS_OK) {
			blob_peer_failed(room, peer, why.message);
		} else {
			blob_peer_answered(room, peer);
			is_good = lister->page.followed >= names->block;
		}
	}
	http_response_fini(&response);
	buf_fini(&body);
	lister->at = 0;
	return is_good;
}

/* Everybody who gave all before this part is asked for it. */
static void ask_all(struct blob_room *room) {
	struct blob_names *names = room->names;
	const size_t count = blob_peers_count(room);
	const bool is_first = names->listers == NULL;
	if (is_first) names->listers = mem_zalloc(count, sizeof *names->listers);
	for (size_t i = 0; i < count; i++) {
		struct lister *lister = &names->listers[i];
		struct blob_peer *peer = is_first ? blob_peers_at(room, i) : lister->peer;
		lister->peer = peer != NULL && ask_page(room, lister, peer) ? peer : NULL;
	}
}

/* Of those who gave all up to here; powers are those of this moment. */
static enum status count_power(struct blob_room *room, uint64_t *power, uint64_t *all, struct err *err) {
	const addr20 self = blob_peers_self(room);
	uint64_t own;
	*power = 0;
	TRY(blob_peers_power(room, &own, all, &self, err));
	for (size_t i = 0; i < blob_peers_count(room); i++) {
		struct lister *lister = &room->names->listers[i];
		if (lister->peer == NULL) continue;
		const addr20 node = blob_peer_node(lister->peer);
		TRY(blob_peers_power(room, &lister->power, all, &node, err));
		*power += lister->power;
	}
	return STATUS_OK;
}

/* --- judging --- */

static const struct blob_name *next_of(const struct lister *lister) {
	return lister->peer != NULL && lister->at < lister->page.count ? &lister->page.names[lister->at] : NULL;
}

/* Of the names that come next, the first one; NULL: somebody's page is at its end, and more may come before the others'
 * next ones, or all lists are. */
static const struct blob_name *first_name(const struct blob_room *room) {
	const struct blob_name *first = NULL;
	for (size_t i = 0; i < blob_peers_count(room); i++) {
		const struct lister *lister = &room->names->listers[i];
		const struct blob_name *name = next_of(lister);
		if (lister->peer != NULL && name == NULL && !lister->page.is_last) return NULL;
		if (name != NULL && (first == NULL || blob_name_compare(name, first) < 0)) first = name;
	}
	return first;
}

static bool is_same(const struct blob_name *a, const struct blob_name *b) {
	return blob_name_compare(a, b) == 0 && hash32_equal(&a->blob, &b->blob) && a->size_bytes == b->size_bytes;
}

/* The power of those who give this very name. */
static uint64_t support(const struct blob_room *room, const struct blob_name *name) {
	uint64_t power = 0;
	for (size_t i = 0; i < blob_peers_count(room); i++) {
		const struct blob_name *next = next_of(&room->names->listers[i]);
		if (next != NULL && is_same(next, name)) power += room->names->listers[i].power;
	}
	return power;
}

struct judged {
	uint64_t all; /* the power of all members */
	struct blob_item *items;
	size_t count, room;
};

static void add(struct judged *judged, const struct blob_name *name) {
	if (judged->count == judged->room) {
		judged->room = judged->room > 0 ? 2 * judged->room : 256;
		judged->items = mem_realloc(judged->items, judged->room * sizeof *judged->items);
	}
	judged->items[judged->count++] = (struct blob_item){.gate = name->gate,
	    .item = name->item,
	    .blob = name->blob,
	    .size_bytes = name->size_bytes,
	    .state = BLOB_MISSING};
}

/* This lister's name of the item; NULL: it gives none. */
static const struct blob_name *name_of(const struct lister *lister, const struct blob_name *item) {
	const struct blob_name *name = next_of(lister);
	return name != NULL && blob_name_compare(name, item) == 0 ? name : NULL;
}

/* Do members with a third of the power, one of whom is honest, not give this name, though this node has followed as
 * much as they? Then it did not stand there: it was never named, or erased or renamed before, or named since the
 * snapshot. The events of the last three are this node's own to follow. */
static bool is_needless(const struct blob_room *room, const struct judged *judged, const struct blob_name *name) {
	uint64_t power = 0;
	for (size_t i = 0; i < blob_peers_count(room); i++) {
		const struct lister *lister = &room->names->listers[i];
		const struct blob_name *given = name_of(lister, name);
		if (lister->peer == NULL || lister->page.followed > room->followed) continue;
		if (given == NULL || !is_same(given, name)) power += lister->power;
	}
	return 3 * power >= judged->all;
}

/* If this node had followed as much, it would know the item. So whoever has not followed more lies; of the others we do
 * not know, and a list that has too much of it is not read on. */
static void judge_teller(struct blob_room *room, struct lister *lister, const struct blob_name *name) {
	const bool is_lie = lister->page.followed <= room->followed;
	if (is_lie)
		blob_peer_lied(
		    room, lister->peer, &name->item, "it says that the chain names this so, and others do not");
	if (is_lie || ++lister->needless > NEEDLESS_MAX) lister->peer = NULL;
}

/* Too few give this name, and this node does not know the item. */
static void refuse(struct blob_room *room, const struct judged *judged, const struct blob_name *name) {
	const struct blob_name refused = *name;
	if (!is_needless(room, judged, &refused)) {
		room->names->unsettled++;
		return;
	}
	for (size_t i = 0; i < blob_peers_count(room); i++) {
		struct lister *lister = &room->names->listers[i];
		const struct blob_name *given = next_of(lister);
		if (given != NULL && is_same(given, &refused)) judge_teller(room, lister, &refused);
	}
}

/* Names of an item that this node does not know. Two of them may count, if it was renamed while they were asked: this
 * node will follow that itself. */
static void judge_names(struct blob_room *room, struct judged *judged, const struct blob_name *item) {
	const size_t count = blob_peers_count(room), before = judged->count;
	for (size_t i = 0; i < count && judged->count == before; i++) {
		const struct blob_name *name = name_of(&room->names->listers[i], item);
		if (name != NULL && 3 * support(room, name) >= judged->all) add(judged, name);
	}
	for (size_t i = 0; i < count; i++) {
		const struct blob_name *name = name_of(&room->names->listers[i], item);
		if (name != NULL && 3 * support(room, name) < judged->all) refuse(room, judged, name);
	}
}

/* What all who list give of this item, which is the next one of theirs. */
static enum status judge_item(
    struct blob_room *room, struct judged *judged, const struct blob_name *first, struct err *err) {
	const struct blob_name item = *first;
	struct blob_item known;
	const enum status found = blob_index_find(room, &known, &item.gate, &item.item, err);
	if (found != STATUS_OK && found != STATUS_NOTFOUND) return found;
	if (found == STATUS_NOTFOUND && blob_gate_is(room, &item.gate)) judge_names(room, judged, &item);
	for (size_t i = 0; i < blob_peers_count(room); i++) {
		struct lister *lister = &room->names->listers[i];
		lister->at += name_of(lister, &item) != NULL;
	}
	room->names->after = item;
	return STATUS_OK;
}

static enum status judge_pages(struct blob_room *room, struct judged *judged, struct err *err) {
	const struct blob_name *first;
	uint64_t power;
	TRY(count_power(room, &power, &judged->all, err));
	while ((first = first_name(room)) != NULL) TRY(judge_item(room, judged, first, err));
	room->names->learned += judged->count;
	return judged->count > 0 ? blob_index_learn(room, judged->items, judged->count, err) : STATUS_OK;
}

/* --- a pass --- */

static bool is_end(const struct blob_room *room) {
	for (size_t i = 0; i < blob_peers_count(room); i++)
		if (room->names->listers[i].peer != NULL && !room->names->listers[i].page.is_last) return false;
	return true;
}

static enum status settle(struct blob_room *room, struct err *err) {
	struct store_batch *batch = store_batch_new();
	store_batch_del(batch, room->store, TABLE_BLOB, BYTES_LITERAL("u"));
	const enum status status = store_commit(room->store, batch, true, err);
	store_batch_free(batch);
	TRY(status);
	atomic_store(&room->names->is_due, false);
	log_info("blob", "%llu names from before block %llu are known by the word of the other members",
	    (unsigned long long)room->names->learned, (unsigned long long)room->names->block + 1);
	return STATUS_OK;
}

/* Whoever is left gave a whole list. */
static enum status end_pass(struct blob_room *room, struct err *err) {
	struct blob_names *names = room->names;
	uint64_t power, all;
	TRY(count_power(room, &power, &all, err));
	if (3 * power >= all && power > 0 && names->unsettled == 0) TRY(settle(room, err));
	mem_free(names->listers);
	names->listers = NULL;
	names->after = (struct blob_name){.size_bytes = 0};
	names->unsettled = 0;
	names->rest_ms = names->rest_ms == 0 ? REST_FIRST_MS : 2 * names->rest_ms;
	if (names->rest_ms > REST_MAX_MS) names->rest_ms = REST_MAX_MS;
	names->rests_until_ms = clock_now_ms(room->options.clock) + names->rest_ms;
	return STATUS_OK;
}

enum status blob_names_learn(struct blob_room *room, bool *more, struct err *err) {
	struct blob_names *names = room->names;
	if (!blob_names_are_due(room) || blob_peers_count(room) == 0) return STATUS_OK;
	if (clock_now_ms(room->options.clock) < names->rests_until_ms) return STATUS_OK;
	struct judged judged = {.count = 0};
	ask_all(room);
	const enum status status = judge_pages(room, &judged, err);
	mem_free(judged.items);
	TRY(status);
	/* A liar's list may have no end: the next pass asks others, too. */
	if (is_end(room) || names->unsettled > UNSETTLED_MAX) return end_pass(room, err);
	*more = true;
	return STATUS_OK;
}
