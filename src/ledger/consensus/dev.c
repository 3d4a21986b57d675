#include "ledger/consensus/dev.h"

#include <pthread.h>

struct dev {
	const struct clock_source *clock;
	addr20 unhurried[DEV_UNHURRIED_MAX];
	size_t unhurried_count;
	pthread_mutex_t lock; /* of all below */
	int64_t shift_s;      /* of the blocks' time before the clock; within ± DEV_TIMESTAMP_MAX */
	uint64_t next_timestamp, timestamp_interval_s, gas_limit; /* 0: none */
	bool has_next_base_fee, has_next_randao, has_coinbase;
	u256 next_base_fee_wei;
	hash32 next_randao;
	addr20 coinbase;
	struct dev_pace pace;
};

struct dev *dev_new(const struct clock_source *clock) {
	struct dev *dev = mem_zalloc(1, sizeof *dev);
	dev->clock = clock;
	dev->pace.automine = true;
	pthread_mutex_init(&dev->lock, NULL);
	return dev;
}

void dev_leave_unhurried(struct dev *dev, const addr20 *account) {
	BUG_ON(dev->unhurried_count == DEV_UNHURRIED_MAX);
	dev->unhurried[dev->unhurried_count++] = *account;
}

void dev_free(struct dev *dev) {
	if (dev == NULL) return;
	pthread_mutex_destroy(&dev->lock);
	mem_free(dev);
}

void dev_lock(struct dev *dev) {
	pthread_mutex_lock(&dev->lock);
}

void dev_unlock(struct dev *dev) {
	pthread_mutex_unlock(&dev->lock);
}

/* --- time --- */

static uint64_t least_of(uint64_t a, uint64_t b) {
	return a < b ? a : b;
}

static int64_t clock_s(const struct dev *dev) {
	return (int64_t)(clock_now_ms(dev->clock) / 1000);
}

/* The blocks' time by the clock, in milliseconds. */
static uint64_t shifted_ms(const struct dev *dev) {
	const int64_t now = (int64_t)clock_now_ms(dev->clock) + dev->shift_s * 1000;
	return now < 0 ? 0 : (uint64_t)now;
}

static void put_shift(struct dev *dev, int64_t seconds) {
	const int64_t max = (int64_t)DEV_TIMESTAMP_MAX;
	dev->shift_s = seconds > max ? max : seconds < -max ? -max : seconds;
}

void dev_increase_time(struct dev *dev, const struct header *newest, uint64_t seconds) {
	const int64_t newest_s = (int64_t)least_of(newest->timestamp, DEV_TIMESTAMP_MAX), now_s = clock_s(dev);
	dev_lock(dev);
	const int64_t used_s = newest_s > now_s + dev->shift_s ? newest_s - now_s : dev->shift_s;
	put_shift(dev, used_s + (int64_t)seconds);
	dev_unlock(dev);
}

int64_t dev_time_shift(struct dev *dev) {
	dev_lock(dev);
	const int64_t seconds = dev->shift_s;
	dev_unlock(dev);
	return seconds;
}

void dev_set_time_shift(struct dev *dev, int64_t seconds) {
	dev_lock(dev);
	put_shift(dev, seconds);
	dev->next_timestamp = 0;
	dev_unlock(dev);
}

void dev_set_next_timestamp(struct dev *dev, uint64_t timestamp) {
	dev_lock(dev);
	dev->next_timestamp = least_of(timestamp, DEV_TIMESTAMP_MAX);
	dev_unlock(dev);
}

void dev_set_timestamp_interval(struct dev *dev, uint64_t seconds) {
	dev_lock(dev);
	dev->timestamp_interval_s = least_of(seconds, DEV_TIMESTAMP_MAX);
	dev_unlock(dev);
}

/* --- what blocks are like --- */

void dev_set_next_base_fee(struct dev *dev, const u256 *base_fee_wei) {
	dev_lock(dev);
	dev->next_base_fee_wei = *base_fee_wei;
	dev->has_next_base_fee = true;
	dev_unlock(dev);
}

void dev_set_next_randao(struct dev *dev, const hash32 *randao) {
	dev_lock(dev);
	dev->next_randao = *randao;
	dev->has_next_randao = true;
	dev_unlock(dev);
}

void dev_set_gas_limit(struct dev *dev, uint64_t gas_limit) {
	dev_lock(dev);
	dev->gas_limit = gas_limit;
	dev_unlock(dev);
}

void dev_set_coinbase(struct dev *dev, const addr20 *coinbase) {
	dev_lock(dev);
	dev->coinbase = *coinbase;
	dev->has_coinbase = true;
	dev_unlock(dev);
}

/* --- when they come --- */

struct dev_pace dev_pace(struct dev *dev) {
	dev_lock(dev);
	const struct dev_pace pace = dev->pace;
	dev_unlock(dev);
	return pace;
}

void dev_set_automine(struct dev *dev, bool automine) {
	dev_lock(dev);
	dev->pace.automine = automine;
	dev_unlock(dev);
}

void dev_set_interval(struct dev *dev, uint32_t interval_ms) {
	dev_lock(dev);
	dev->pace.interval_ms = interval_ms;
	dev_unlock(dev);
}

/* --- for the engine --- */

static bool is_unhurried(const struct dev *dev, const addr20 *account) {
	for (size_t i = 0; i < dev->unhurried_count; i++)
		if (addr20_equal(&dev->unhurried[i], account)) return true;
	return false;
}

/* Must this block be at least a second after its parent? */
static bool is_second_apart(const struct dev *dev, const struct block_decision *decision) {
	size_t unhurried = 0;
	for (size_t i = 0; i < decision->tx_count; i++) unhurried += is_unhurried(dev, &decision->txs[i].sender);
	return unhurried == 0 || unhurried < decision->tx_count;
}

/* 0: as the clock says. One that the chain has passed meanwhile is not refused: the next that is possible comes. */
static uint64_t ordered_timestamp(const struct dev *dev, uint64_t parent, bool second_apart) {
	const uint64_t least = parent + second_apart;
	uint64_t ordered = dev->next_timestamp;
	if (ordered == 0 && dev->timestamp_interval_s == 0) return 0;
	if (ordered == 0) ordered = parent + dev->timestamp_interval_s;
	return ordered < least ? least : ordered;
}

void dev_decide(
    const struct dev *dev, struct block_decision *decision, struct block_orders *orders, const struct header *parent) {
	const bool second_apart = is_second_apart(dev, decision);
	*orders = (struct block_orders){.timestamp = ordered_timestamp(dev, parent->timestamp, second_apart),
	    .spacing = second_apart ? SPACING_SECOND : SPACING_OF_CHAIN,
	    .has_base_fee = dev->has_next_base_fee,
	    .has_randao = dev->has_next_randao,
	    .base_fee_wei = dev->next_base_fee_wei,
	    .randao = dev->next_randao,
	    .gas_limit = dev->gas_limit};
	decision->time_ms = shifted_ms(dev);
	if (dev->has_coinbase) decision->proposer = dev->coinbase;
	decision->orders = orders;
}

void dev_sealed(struct dev *dev, uint64_t timestamp) {
	if (dev->next_timestamp != 0) put_shift(dev, (int64_t)timestamp - clock_s(dev));
	dev->next_timestamp = 0;
	dev->has_next_base_fee = dev->has_next_randao = false;
}
