#include "app/serve/comet_process.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/system.h"
#include "base/files.h"
#include "base/log.h"

#define LINE_MAX_BYTES 1024u /* of its log; the rest of a longer line is left out */
#define PAUSE_FIRST_MS 500u
#define PAUSE_MOST_MS 30000u
#define RAN_WELL_MS 60000u /* after so long the next pause is the first one again */
#define PATIENCE_MS 5000u  /* between SIGTERM and SIGKILL */
#define SOCKET_PATH_MAX 107u

struct comet_process {
	char program[PATH_MAX], home[PATH_MAX];
	char app[SOCKET_PATH_MAX + 16], rpc[SOCKET_PATH_MAX + 16]; /* "unix://…" */
	pthread_t keeper;
	int wake; /* an eventfd: the keeper has to look at what is wanted */
	atomic_bool is_closing, wants_restart;
	void (*failed)(void *context, const char *line);
	void *context;
	pthread_mutex_t lock; /* of pid and pidfd, which the keeper alone changes */
	pid_t pid;
	int pidfd; /* -1: there is no process */
	/* The keeper's own. */
	int output;
	char line[LINE_MAX_BYTES];
	size_t line_len;
};

/* --- before it starts --- */

static bool is_program(const char *path) {
	return access(path, X_OK) == 0;
}

static enum status find_program(char out[PATH_MAX], const char *name, struct err *err) {
	if (strchr(name, '/')) {
		snprintf(out, PATH_MAX, "%s", name);
		if (is_program(out)) return STATUS_OK;
	} else {
		const char *path = getenv("PATH");
		for (const char *at = path ? path : ""; *at;) {
			const size_t len = strcspn(at, ":");
			snprintf(out, PATH_MAX, "%.*s/%s", (int)len, at, name);
			if (len && is_program(out)) return STATUS_OK;
			at += len + (at[len] == ':');
		}
	}
	return err_set(err, STATUS_NOTFOUND,
	    "CometBFT's program %s is not here: build it with tools/cometbft, and name it with --comet-program", name);
}

/* CometBFT itself would only say that hashes differ. */
static enum status check_home(const struct comet_process_options *options, struct err *err) {
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/config/genesis.json", options->home);
	if (!files_exists(path))
		return err_set(
		    err, STATUS_NOTFOUND, "%s is no home of CometBFT: it has no config/genesis.json", options->home);
	snprintf(path, sizeof path, "%s/data/blockstore.db", options->home);
	if (options->app_height > 0 && !files_exists(path))
		return err_set(err, STATUS_CORRUPT,
		    "the node is at height %llu, and %s/data has no block: CometBFT's data was lost. Remove the "
		    "node's chaindata too, and both come again from the other members; keep priv_validator_state.json",
		    (unsigned long long)options->app_height, options->home);
	return STATUS_OK;
}

/* --- what an interrupted first start leaves --- */

/* Whoever is killed while it makes a database leaves one that CometBFT does not open again: with a manifest, and
 * without the file CURRENT, which comes before anything is written to it. So it is empty, and is removed. */
static bool is_half_made(const char *path) {
	DIR *folder = opendir(path);
	bool has_manifest = false, has_more = false;
	if (folder == NULL) return false;
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		const char *name = entry->d_name;
		const bool is_manifest = strcmp(name, "MANIFEST-000000") == 0;
		has_manifest |= is_manifest;
		has_more |= !is_manifest && name[0] != '.' && strcmp(name, "LOCK") != 0 && strcmp(name, "LOG") != 0 &&
			    strcmp(name, "LOG.old") != 0;
	}
	closedir(folder);
	return has_manifest && !has_more;
}

static void remove_half_made(const struct comet_process *process) {
	static const char *const names[] = {"blockstore", "state", "evidence"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char database[PATH_MAX + 32], manifest[sizeof database + 32];
		snprintf(database, sizeof database, "%s/data/%s.db", process->home, names[i]);
		snprintf(manifest, sizeof manifest, "%s/MANIFEST-000000", database);
		if (is_half_made(database) && unlink(manifest) == 0) /* without the manifest it is made anew */
			log_info("comet", "CometBFT was ended while it made %s: it does so anew", database);
	}
}

static enum status take_options(
    struct comet_process *process, const struct comet_process_options *options, struct err *err) {
	if (strlen(options->app_socket) > SOCKET_PATH_MAX || strlen(options->rpc_socket) > SOCKET_PATH_MAX)
		return err_set(err, STATUS_INVALID, "the path of a socket has more than %u bytes: %s", SOCKET_PATH_MAX,
		    options->app_socket);
	TRY(check_home(options, err));
	TRY(find_program(process->program, options->program, err));
	process->failed = options->failed;
	process->context = options->context;
	snprintf(process->home, sizeof process->home, "%s", options->home);
	snprintf(process->app, sizeof process->app, "unix://%s", options->app_socket);
	snprintf(process->rpc, sizeof process->rpc, "unix://%s", options->rpc_socket);
	return STATUS_OK;
}

/* --- the child --- */

/* Between fork and exec of a process with threads: only what signal-safety(7) allows. */
static _Noreturn void become(const struct comet_process *process, pid_t parent, int output) {
	char *const arguments[] = {(char *)process->program, "start", "--home", (char *)process->home, "--proxy_app",
	    (char *)process->app, "--rpc.laddr", (char *)process->rpc, NULL};
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	setpgid(0, 0); /* Ctrl-C at a terminal is for the node, which then ends it */
	/* The keeper's thread is the parent that the kernel watches, and it lives as long as the process does. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) _exit(127);
	const int nothing = open("/dev/null", O_RDWR);
	dup2(nothing, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	close_range(STDERR_FILENO + 1, ~0u, 0);
	execv(process->program, arguments);
	_exit(127);
}

static enum status start(struct comet_process *process, struct err *err) {
	int ends[2];
	remove_half_made(process);
	if (pipe2(ends, O_CLOEXEC) != 0) return err_set(err, STATUS_IO, "cannot make a pipe: %s", strerror(errno));
	const pid_t parent = getpid();
	unlink(
	    process->rpc + strlen("unix://")); /* one that was killed leaves its socket, and the next would not start */
	pthread_mutex_lock(&process->lock);
	process->pid = fork();
	if (process->pid == 0) become(process, parent, ends[1]);
	process->pidfd = process->pid < 0 ? -1 : pidfd_open(process->pid, 0);
	pthread_mutex_unlock(&process->lock);
	close(ends[1]);
	process->output = ends[0];
	process->line_len = 0;
	if (process->pid < 0) {
		close(ends[0]);
		return err_set(err, STATUS_IO, "cannot start CometBFT: %s", strerror(errno));
	}
	BUG_ON(process->pidfd < 0);
	fcntl(process->output, F_SETFL, O_NONBLOCK);
	log_info("comet", "CometBFT is started: process %d", (int)process->pid);
	return STATUS_OK;
}

/* Its lines begin with a letter, I, E or D, or are a panic's. What was an error is a warning of ours: the node itself
 * goes on. */
static void put_line(struct comet_process *process) {
	const bool is_error = process->line[0] != 'I' && process->line[0] != 'D';
	process->line[process->line_len] = 0;
	if (process->line_len == 0) return;
	if (is_error)
		log_warn("comet", "%s", process->line);
	else
		log_debug("comet", "%s", process->line);
	if (strstr(process->line, "does not match AppHash"))
		log_error("comet",
		    "CometBFT's data and the node's are not of one chain, or not of one age: remove both, and they "
		    "come again from the other members; keep priv_validator_state.json");
	const bool has_failed = strstr(process->line, "CONSENSUS FAILURE") || strncmp(process->line, "panic: ", 7) == 0;
	if (has_failed && process->failed) process->failed(process->context, process->line);
	process->line_len = 0;
}

static void take_output(struct comet_process *process) {
	char chunk[4096];
	for (ssize_t got; (got = read(process->output, chunk, sizeof chunk)) > 0;)
		for (ssize_t i = 0; i < got; i++) {
			if (chunk[i] == '\n')
				put_line(process);
			else if (process->line_len + 1 < sizeof process->line)
				process->line[process->line_len++] = chunk[i];
		}
}

/* --- the keeper --- */

static uint64_t now_ms(void) {
	return clock_monotonic_ns(&world_clock) / 1000000;
}

/* Waits for one of: output, the end of the child, a wish. False: the time is over. */
static bool wait_for_any(struct comet_process *process, uint64_t ms) {
	struct pollfd fds[] = {{process->wake, POLLIN, 0}, {process->output, POLLIN, 0}, {process->pidfd, POLLIN, 0}};
	const bool any = poll(fds, 3, ms > INT_MAX ? -1 : (int)ms) > 0;
	uint64_t count;
	if (fds[0].revents && read(process->wake, &count, sizeof count) < 0) return any;
	if (fds[1].revents) take_output(process);
	/* An end of file would wake us for ever; the child's end is what counts. */
	if (fds[1].revents & POLLHUP) {
		close(process->output);
		process->output = -1;
	}
	return any;
}

static bool has_ended(struct comet_process *process, int *how) {
	return waitpid(process->pid, how, WNOHANG) == process->pid;
}

/* Returns when the child is gone. */
static void watch(struct comet_process *process, int *how) {
	uint64_t kill_at = UINT64_MAX;
	while (!has_ended(process, how)) {
		const bool is_unwanted = atomic_load(&process->is_closing) || atomic_load(&process->wants_restart);
		const uint64_t now = now_ms();
		if (is_unwanted && kill_at == UINT64_MAX) {
			kill(process->pid, SIGTERM);
			kill_at = now + PATIENCE_MS;
		}
		if (now >= kill_at) kill(process->pid, SIGKILL);
		(void)wait_for_any(process, kill_at == UINT64_MAX ? UINT64_MAX : now >= kill_at ? 100 : kill_at - now);
	}
	if (process->output >= 0) {
		take_output(process);
		close(process->output);
	}
	put_line(process);
	process->output = -1;
	pthread_mutex_lock(&process->lock);
	close(process->pidfd);
	process->pidfd = -1;
	pthread_mutex_unlock(&process->lock);
}

static void say_how_it_ended(int how, uint64_t pause_ms) {
	if (WIFSIGNALED(how))
		log_warn("comet", "CometBFT was ended by signal %d; it is started again in %llu ms", WTERMSIG(how),
		    (unsigned long long)pause_ms);
	else
		log_warn("comet", "CometBFT ended with code %d; it is started again in %llu ms", WEXITSTATUS(how),
		    (unsigned long long)pause_ms);
}

static void pause_for(struct comet_process *process, uint64_t ms) {
	const uint64_t until = now_ms() + ms;
	for (uint64_t now; !atomic_load(&process->is_closing) && (now = now_ms()) < until;)
		(void)wait_for_any(process, until - now);
}

static void *keep(void *context) {
	struct comet_process *process = context;
	uint64_t pause_ms = PAUSE_FIRST_MS;
	while (!atomic_load(&process->is_closing)) {
		const uint64_t began = now_ms();
		struct err err;
		int how = 0;
		if (start(process, &err) == STATUS_OK)
			watch(process, &how);
		else
			log_error("comet", "%s", err.message);
		if (atomic_load(&process->is_closing)) break;
		if (atomic_exchange(&process->wants_restart, false)) continue;
		if (now_ms() - began >= RAN_WELL_MS) pause_ms = PAUSE_FIRST_MS;
		say_how_it_ended(how, pause_ms);
		pause_for(process, pause_ms);
		pause_ms = pause_ms * 2 < PAUSE_MOST_MS ? pause_ms * 2 : PAUSE_MOST_MS;
	}
	return NULL;
}

/* --- cutting --- */

/* Is it a TCP connection with this address? IPv4 may be spelled within IPv6. */
static bool is_with(int fd, const char *ip) {
	struct sockaddr_storage address;
	socklen_t size = sizeof address;
	char text[INET6_ADDRSTRLEN] = "";
	if (getpeername(fd, (struct sockaddr *)&address, &size) != 0) return false;
	if (address.ss_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)&address)->sin_addr, text, sizeof text);
	else if (address.ss_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)&address)->sin6_addr, text, sizeof text);
	return strcmp(strncmp(text, "::ffff:", 7) == 0 ? text + 7 : text, ip) == 0;
}

/* The connection is the other process' too, so that its end is CometBFT's end of it. */
static enum status cut_one(int pidfd, int number, const char *ip, size_t *count, struct err *err) {
	const int fd = pidfd_getfd(pidfd, number, 0);
	if (fd < 0 && (errno == EPERM || errno == ENOSYS))
		return err_set(
		    err, STATUS_UNSUPPORTED, "the system does not let a node end a connection of its CometBFT");
	if (fd < 0) return STATUS_OK; /* it was closed meanwhile */
	if (is_with(fd, ip)) *count += shutdown(fd, SHUT_RDWR) == 0;
	close(fd);
	return STATUS_OK;
}

static enum status cut(const struct comet_process *process, const char *ip, size_t *count, struct err *err) {
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/fd", (int)process->pid);
	DIR *folder = opendir(path);
	if (folder == NULL) return err_set(err, STATUS_UNSUPPORTED, "cannot read %s: %s", path, strerror(errno));
	enum status status = STATUS_OK;
	for (struct dirent *entry; status == STATUS_OK && (entry = readdir(folder)) != NULL;)
		if (entry->d_name[0] != '.')
			status = cut_one(process->pidfd, (int)strtol(entry->d_name, NULL, 10), ip, count, err);
	closedir(folder);
	return status;
}

enum status comet_process_cut(struct comet_process *process, const char *ip, size_t *count, struct err *err) {
	*count = 0;
	pthread_mutex_lock(&process->lock);
	const enum status status = process->pidfd < 0 ? STATUS_OK : cut(process, ip, count, err);
	pthread_mutex_unlock(&process->lock);
	return status;
}

/* --- its life --- */

static void wake(struct comet_process *process) {
	const uint64_t one = 1;
	/* It fails only if the counter is full, and then the keeper wakes anyway. */
	if (write(process->wake, &one, sizeof one) < 0) return;
}

enum status comet_process_open(
    struct comet_process **out, const struct comet_process_options *options, struct err *err) {
	struct comet_process *process = mem_zalloc(1, sizeof *process);
	process->output = process->pidfd = -1;
	pthread_mutex_init(&process->lock, NULL);
	process->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	enum status status = process->wake < 0 ? err_set(err, STATUS_IO, "cannot make an event: %s", strerror(errno))
					       : take_options(process, options, err);
	if (status == STATUS_OK && pthread_create(&process->keeper, NULL, keep, process) != 0)
		status = err_set(err, STATUS_INTERNAL, "cannot start the thread that keeps CometBFT");
	if (status == STATUS_OK) {
		*out = process;
		return STATUS_OK;
	}
	if (process->wake >= 0) close(process->wake);
	pthread_mutex_destroy(&process->lock);
	mem_free(process);
	return status;
}

void comet_process_restart(struct comet_process *process) {
	atomic_store(&process->wants_restart, true);
	wake(process);
}

void comet_process_pause(struct comet_process *process, bool is_paused) {
	pthread_mutex_lock(&process->lock);
	if (process->pidfd >= 0) pidfd_send_signal(process->pidfd, is_paused ? SIGSTOP : SIGCONT, NULL, 0);
	pthread_mutex_unlock(&process->lock);
}

void comet_process_close(struct comet_process *process) {
	if (!process) return;
	atomic_store(&process->is_closing, true);
	wake(process);
	pthread_join(process->keeper, NULL);
	close(process->wake);
	pthread_mutex_destroy(&process->lock);
	mem_free(process);
}
