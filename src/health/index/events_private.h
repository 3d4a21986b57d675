/* What the files of health/index that keep events share. */
#ifndef HEALTH_INDEX_EVENTS_PRIVATE_H
#define HEALTH_INDEX_EVENTS_PRIVATE_H

#include "health/index/db.h"
#include "health/index/events.h"

struct events {
	const struct threads *threads;
	struct monitor *monitor; /* held around each use of `db`; NULL: one thread */
	struct db *db;
	char *path;
	uint8_t cursor_key[32];
};
void events_lock(struct events *events);
void events_unlock(struct events *events);

/* The number under which a key's terms stand. */
int64_t events_key(struct bytes key);
/* Texts are blobs, numbers are reals: SQLite orders each among its own. */
void events_bind_text(sqlite3_stmt *statement, int place, struct bytes text);

/* The bytes that stand behind all texts that begin so: the last one higher by one. */
struct bytes events_behind(struct arena *arena, struct bytes start);

/* A body as it is stored, and back. */
struct bytes events_pack(struct arena *arena, struct bytes body);
MUST_USE enum status events_unpack(struct bytes *out, struct arena *arena, struct bytes packed, struct err *err);

#endif
