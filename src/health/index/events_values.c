/* The different values that keys have among the events that somebody may see. */
#include "health/index/events_private.h"

#define LISTED_MAX 2000u /* rows that one list looks at for a party */

/* A row of the terms: all of a key are ordered by value and event. `event` INT64_MAX: behind all of the value. */
struct spot {
	struct bytes value;
	int64_t event;
};

/* The first row of a key behind a spot; *found false: there is none. */
static enum status next_row(struct db *db, struct spot *out, bool *found, struct arena *arena, const char *key,
    const struct spot *behind_it, struct err *err) {
	sqlite3_stmt *statement;
	*out = (struct spot){{NULL, 0}, 0};
	TRY(db_statement(db, &statement,
	    "SELECT value, event FROM term WHERE key = ? AND (value, event) > (?, ?) ORDER BY value, event LIMIT 1",
	    err));
	sqlite3_bind_int64(statement, 1, events_key(bytes_text(key)));
	events_bind_text(statement, 2, behind_it->value);
	sqlite3_bind_int64(statement, 3, behind_it->event);
	enum status status = db_step(db, statement, found, err);
	if (*found) *out = (struct spot){arena_dup(arena, db_column(statement, 0)), sqlite3_column_int64(statement, 1)};
	db_end(statement);
	return status;
}

/* The least of what each key has next. */
static enum status next_of_keys(struct db *db, struct spot *out, bool *found, struct arena *arena,
    const char *const *keys, const struct spot *behind_it, struct err *err) {
	*out = (struct spot){{NULL, 0}, 0};
	*found = false;
	for (; *keys; keys++) {
		struct spot row;
		bool is_there;
		TRY(next_row(db, &row, &is_there, arena, *keys, behind_it, err));
		if (!is_there) continue;
		const int order = *found ? bytes_compare(row.value, out->value) : -1;
		if (order < 0 || (order == 0 && row.event < out->event)) *out = row;
		*found = true;
	}
	return STATUS_OK;
}

static enum status is_of_party(struct db *db, bool *out, int64_t event, struct bytes party, struct err *err) {
	sqlite3_stmt *statement;
	*out = !party.len;
	if (*out) return STATUS_OK;
	TRY(db_statement(db, &statement, "SELECT 1 FROM term WHERE key = ? AND event = ? AND value = ?", err));
	sqlite3_bind_int64(statement, 1, events_key(BYTES_LITERAL(EVENTS_PARTY)));
	sqlite3_bind_int64(statement, 2, event);
	events_bind_text(statement, 3, party);
	enum status status = db_step(db, statement, out, err);
	db_end(statement);
	return status;
}

/* In front of the first value that does not begin as a value that is too long: all that do are too long. */
static struct spot behind_long(struct arena *arena, struct bytes value) {
	return (struct spot){events_behind(arena, bytes_slice(value, 0, EVENTS_VALUE_MAX + 1)), -1};
}

/* *spot becomes the row that was looked at last; *more: others are behind it. */
static enum status list_values(struct db *db, struct bytes *out, size_t *count, size_t room, struct spot *spot,
    bool *more, struct arena *arena, const char *const *keys, struct bytes party, struct err *err) {
	*count = 0;
	*more = true;
	for (size_t looked = 0; looked < LISTED_MAX || !party.len; looked++) {
		struct spot row;
		bool is_shown;
		TRY(next_of_keys(db, &row, more, arena, keys, spot, err));
		if (!*more || *count == room) return STATUS_OK;
		if (row.value.len > EVENTS_VALUE_MAX) {
			*spot = behind_long(arena, row.value);
			continue;
		}
		TRY(is_of_party(db, &is_shown, row.event, party, err));
		if (is_shown) out[(*count)++] = row.value;
		*spot = (struct spot){row.value, is_shown ? INT64_MAX : row.event};
	}
	return STATUS_OK;
}

/* A spot as a place of pages: the event before the value. */
static struct bytes place_of(struct arena *arena, const struct spot *spot) {
	const struct bytes value = spot->value;
	uint8_t *out = arena_alloc(arena, 8 + value.len);
	store_be64(out, (uint64_t)spot->event);
	if (value.len) memcpy(out + 8, value.data, value.len);
	return bytes_make(out, 8 + value.len);
}

enum status events_values(struct events *events, struct bytes *out, size_t *count, size_t room, struct bytes *place,
    struct arena *arena, const char *const *keys, struct bytes party, struct err *err) {
	struct spot spot = {{NULL, 0}, INT64_MAX}; /* behind values that are empty */
	bool more;
	if (place->len >= 8) spot = (struct spot){bytes_slice(*place, 8, place->len), (int64_t)load_be64(place->data)};
	events_lock(events);
	const enum status status = list_values(events->db, out, count, room, &spot, &more, arena, keys, party, err);
	events_unlock(events);
	*place = more ? place_of(arena, &spot) : (struct bytes){NULL, 0};
	return status;
}
