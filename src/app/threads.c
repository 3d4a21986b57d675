#include "app/threads.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/mem.h"

struct monitor {
	pthread_mutex_t mutex;
	pthread_cond_t changed; /* waits by the monotonic clock: a clock that is set delays nobody */
};

static struct monitor *monitor_new(void *context) {
	(void)context;
	struct monitor *monitor = mem_zalloc(1, sizeof *monitor);
	pthread_condattr_t attributes;
	BUG_ON(pthread_mutex_init(&monitor->mutex, NULL) != 0);
	BUG_ON(pthread_condattr_init(&attributes) != 0);
	BUG_ON(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) != 0);
	BUG_ON(pthread_cond_init(&monitor->changed, &attributes) != 0);
	pthread_condattr_destroy(&attributes);
	return monitor;
}

static void monitor_free(struct monitor *monitor) {
	if (!monitor) return;
	pthread_cond_destroy(&monitor->changed);
	pthread_mutex_destroy(&monitor->mutex);
	mem_free(monitor);
}

static void lock(struct monitor *monitor) {
	pthread_mutex_lock(&monitor->mutex);
}

static void unlock(struct monitor *monitor) {
	pthread_mutex_unlock(&monitor->mutex);
}

static void wait_for(struct monitor *monitor, uint32_t timeout_ms) {
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	const int code = pthread_cond_timedwait(&monitor->changed, &monitor->mutex, &until);
	BUG_ON(code != 0 && code != ETIMEDOUT);
}

static void wake_all(struct monitor *monitor) {
	pthread_cond_broadcast(&monitor->changed);
}

const struct threads system_threads = {monitor_new, monitor_free, lock, unlock, wait_for, wake_all, NULL};
