#include "ledger/pool/foreseen.h"

#include "ledger/pool/pool.h"

void foreseen_init(struct foreseen *foreseen) {
	memset(foreseen, 0, sizeof *foreseen);
	BUG_ON(pthread_mutex_init(&foreseen->lock, NULL) != 0);
}

void foreseen_fini(struct foreseen *foreseen) {
	pthread_mutex_destroy(&foreseen->lock);
}

/* Under the lock: a free place, else one whose envelope was read and not asked for since; or NULL. */
static struct foreseen_envelope *find_place(struct foreseen *foreseen) {
	struct foreseen_envelope *read = NULL;
	for (size_t i = 0; i < FORESEEN_MAX; i++) {
		struct foreseen_envelope *place = &foreseen->places[i];
		if (place->len == 0) return place;
		if (place->is_read) read = place;
	}
	return read;
}

bool foreseen_put(struct foreseen *foreseen, struct bytes envelope) {
	if (envelope.len == 0 || envelope.len > FORESEEN_BYTES) return false;
	pthread_mutex_lock(&foreseen->lock);
	struct foreseen_envelope *place = find_place(foreseen);
	if (place != NULL) {
		memcpy(place->bytes, envelope.data, envelope.len);
		place->len = envelope.len;
		place->is_read = false;
	}
	pthread_mutex_unlock(&foreseen->lock);
	return place != NULL;
}

/* Under the lock. */
static void read_all(struct foreseen *foreseen) {
	struct foreseen_envelope *unread[FORESEEN_MAX];
	struct bytes envelopes[FORESEEN_MAX];
	struct pool_reading readings[FORESEEN_MAX];
	struct arena arena;
	size_t count = 0;
	for (size_t i = 0; i < FORESEEN_MAX; i++) {
		struct foreseen_envelope *place = &foreseen->places[i];
		if (place->len == 0 || place->is_read) continue;
		envelopes[count] = bytes_make(place->bytes, place->len);
		unread[count++] = place;
	}
	arena_init(&arena);
	pool_read_many(readings, &arena, envelopes, count);
	for (size_t i = 0; i < count; i++) {
		unread[i]->is_read = true;
		unread[i]->is_good = readings[i].good;
		if (readings[i].good) unread[i]->sender = readings[i].sender;
	}
	arena_fini(&arena);
}

bool foreseen_take(struct foreseen *foreseen, addr20 *sender, struct bytes envelope) {
	bool good = false;
	if (envelope.len == 0) return false;
	pthread_mutex_lock(&foreseen->lock);
	for (size_t i = 0; i < FORESEEN_MAX; i++) {
		struct foreseen_envelope *place = &foreseen->places[i];
		if (!bytes_equal(bytes_make(place->bytes, place->len), envelope)) continue;
		if (!place->is_read) read_all(foreseen);
		good = place->is_good;
		if (good) *sender = place->sender;
		place->len = 0;
		break;
	}
	pthread_mutex_unlock(&foreseen->lock);
	return good;
}
