#include "ledger/state/account_cache.h"

#include <pthread.h>

#include "base/mem.h"

enum { PLACES = 4096 }; /* of 152 bytes */

struct place {
	hash32 address_hash;
	struct account account;
	uint64_t commit; /* 0: nobody stands here */
	bool exists;
};

struct account_cache {
	pthread_mutex_t lock; /* of all that follows */
	uint64_t commit;
	struct place places[PLACES];
};

static struct place *place_of(struct account_cache *cache, const hash32 *address_hash) {
	return &cache->places[load_be64(address_hash->b) % PLACES];
}

struct account_cache *account_cache_new(void) {
	struct account_cache *cache = mem_zalloc(1, sizeof *cache);
	pthread_mutex_init(&cache->lock, NULL);
	cache->commit = 1;
	return cache;
}

void account_cache_free(struct account_cache *cache) {
	if (cache == NULL) return;
	pthread_mutex_destroy(&cache->lock);
	mem_free(cache);
}

void account_cache_learn(struct account_cache *cache, const struct state_diff *diff) {
	pthread_mutex_lock(&cache->lock);
	cache->commit++;
	for (size_t i = 0; i < diff->count; i++) {
		const struct account_change *change = &diff->accounts[i];
		*place_of(cache, &change->address_hash) = (struct place){.address_hash = change->address_hash,
		    .account = change->after,
		    .exists = change->exists,
		    .commit = cache->commit};
	}
	pthread_mutex_unlock(&cache->lock);
}

void account_cache_clear(struct account_cache *cache) {
	pthread_mutex_lock(&cache->lock);
	cache->commit++;
	memset(cache->places, 0, sizeof cache->places);
	pthread_mutex_unlock(&cache->lock);
}

uint64_t account_cache_commit(struct account_cache *cache) {
	pthread_mutex_lock(&cache->lock);
	const uint64_t commit = cache->commit;
	pthread_mutex_unlock(&cache->lock);
	return commit;
}

bool account_cache_get(
    struct account_cache *cache, struct account *account, bool *exists, const hash32 *address_hash, uint64_t commit) {
	pthread_mutex_lock(&cache->lock);
	const struct place *place = place_of(cache, address_hash);
	const bool found =
	    place->commit != 0 && place->commit <= commit && hash32_equal(&place->address_hash, address_hash);
	if (found) {
		*account = place->account;
		*exists = place->exists;
	}
	pthread_mutex_unlock(&cache->lock);
	return found;
}
