#include "app/serve/lifecycle.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/system.h"

#define TICK_MS 1000u
#define EXIT_NOW 1

struct lifecycle {
	const struct service *service;
	const struct lifecycle_options *options;
	struct notifier notifier;
	struct settings current; /* what holds; `section` NULL: none */
	pthread_t thread;
	atomic_bool ended;                         /* run has returned */
	uint64_t stops_at_ms;                      /* the latest end of the drain; 0: not stopping */
	uint64_t beaten_at_ms;                     /* the last sign of life to the watchdog */
	char condition[LIFECYCLE_CONDITION_BYTES]; /* that was sent last */
};

static const char *from_environment(const char *name) {
	return getenv(name);
}

static uint64_t monotonic_ms(void) {
	return clock_monotonic_ns(&world_clock) / 1000000;
}

/* SIGUSR1 wakes our own thread at the end. */
static sigset_t our_signals(void) {
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	return set;
}

void lifecycle_begin(void) {
	sigset_t set = our_signals();
	BUG_ON(pthread_sigmask(SIG_BLOCK, &set, NULL) != 0);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of write, as a full disk is */
}

/* --- reloading --- */

/* Names what differs; true if a setting of this kind does. */
static void report_changes(const struct lifecycle *life, const struct settings *fresh) {
	for (size_t i = 0; i < fresh->section->count; i++) {
		const struct setting *row = &fresh->section->rows[i];
		const char *before = life->current.values[i].text, *now = fresh->values[i].text;
		bool is_same = before == now || (before && now && strcmp(before, now) == 0);
		if (is_same) continue;
		if (row->flags & SETTING_RELOADS)
			log_info(life->service->name, "reload: %s is now %s", row->name, now ? now : "not given");
		else
			log_warn(life->service->name, "reload: %s changed, and that needs a restart", row->name);
	}
}

static void adopt(struct lifecycle *life, struct settings *fresh) {
	const struct service *service = life->service;
	report_changes(life, fresh);
	if (settings_row(fresh->section, "log-level")) log_set_level(log_level_of(settings_text(fresh, "log-level")));
	if (!service->reload || service->reload(service->context, fresh))
		log_info(service->name, "reloaded");
	else
		log_error(service->name, "reloaded in part: what is named above stays as it was");
	settings_fini(&life->current);
	life->current = *fresh;
}

static void reload(struct lifecycle *life) {
	const char *name = life->service->name;
	if (!life->options->source) return;
	notify_send(&life->notifier, "RELOADING=1\nMONOTONIC_USEC=%llu",
	    (unsigned long long)(clock_monotonic_ns(&world_clock) / 1000));
	struct problems problems;
	struct settings fresh;
	problems_init(&problems);
	settings_load(&fresh, life->options->source, &problems);
	for (size_t i = 0; i < problems_kept(&problems); i++)
		log_error(name, "reload: %s: %s", problems.list[i].where, problems.list[i].what);
	if (problems.count) {
		log_error(name, "reload: nothing was changed, because of %zu mistakes", problems.count);
		settings_fini(&fresh);
	} else {
		adopt(life, &fresh);
	}
	problems_fini(&problems);
	notify_send(&life->notifier, "READY=1");
}

/* --- the thread of signals --- */

static void begin_stop(struct lifecycle *life, int number) {
	const char *name = life->service->name;
	if (life->stops_at_ms) {
		log_warn(name, "a second signal: ending at once");
		_exit(EXIT_NOW);
	}
	log_info(name, "stopping on %s", number == SIGINT ? "SIGINT" : "SIGTERM");
	notify_send(&life->notifier, "STOPPING=1");
	life->stops_at_ms = monotonic_ms() + life->options->drain_ms + LIFECYCLE_GRACE_MS;
	life->service->stop(life->service->context);
}

static void beat(struct lifecycle *life) {
	uint64_t now = monotonic_ms();
	if (life->notifier.watchdog_us == 0) return;
	if (now - life->beaten_at_ms < life->notifier.watchdog_us / 1000 / 3) return;
	if (life->service->is_alive && !life->service->is_alive(life->service->context)) return;
	notify_send(&life->notifier, "WATCHDOG=1");
	life->beaten_at_ms = now;
}

static void tell_condition(struct lifecycle *life) {
	char now[LIFECYCLE_CONDITION_BYTES] = "";
	if (!life->service->condition) return;
	life->service->condition(life->service->context, now);
	if (strcmp(now, life->condition) == 0) return;
	notify_send(&life->notifier, "STATUS=%s", now);
	memcpy(life->condition, now, sizeof now);
}

static uint32_t tick_ms(const struct lifecycle *life) {
	uint64_t third = life->notifier.watchdog_us / 1000 / 3;
	return third && third < TICK_MS ? (uint32_t)third : TICK_MS;
}

static void *watch_signals(void *context) {
	struct lifecycle *life = context;
	sigset_t set = our_signals();
	uint32_t tick = tick_ms(life);
	struct timespec patience = {tick / 1000, (long)(tick % 1000) * 1000000};
	while (!atomic_load(&life->ended)) {
		int number = sigtimedwait(&set, NULL, &patience);
		if (number == SIGTERM || number == SIGINT) begin_stop(life, number);
		if (number == SIGHUP) reload(life);
		beat(life);
		tell_condition(life);
		if (life->stops_at_ms && monotonic_ms() > life->stops_at_ms && !atomic_load(&life->ended)) {
			log_error(life->service->name, "it did not end within its time: ending at once");
			_exit(EXIT_NOW);
		}
	}
	return NULL;
}

enum status lifecycle_run(const struct service *service, const struct lifecycle_options *options, struct err *err) {
	struct lifecycle life = {.service = service, .options = options};
	TRY(notify_open(&life.notifier, from_environment, err));
	if (options->source) { /* read once, without mistakes, by the caller; here to compare with */
		struct problems problems;
		problems_init(&problems);
		settings_load(&life.current, options->source, &problems);
		problems_fini(&problems);
	}
	enum status status = STATUS_OK;
	if (pthread_create(&life.thread, NULL, watch_signals, &life) != 0) {
		status = err_set(err, STATUS_INTERNAL, "cannot start the thread of signals");
	} else {
		notify_send(&life.notifier, "READY=1");
		status = service->run(service->context, err);
		atomic_store(&life.ended, true);
		pthread_kill(life.thread, SIGUSR1);
		pthread_join(life.thread, NULL);
		notify_send(&life.notifier, "STOPPING=1");
	}
	if (options->source) settings_fini(&life.current);
	notify_close(&life.notifier);
	return status;
}
