#include "app/serve/unlocked.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/front/handover.h"
#include "app/system.h"
#include "base/files.h"

#define BACKLOG 64
#define READ_WAIT_S 5     /* for a caller that does not go on */
#define END_WAIT_MS 10000 /* for the process that is told to end */

/* --- the socket --- */

/* By way of the folder's descriptor: a path of a socket has at most 107 bytes. */
static enum status address_of(struct sockaddr_un *out, int *folder, const char *directory, struct err *err) {
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	*folder = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*folder < 0) return err_set(err, STATUS_NOTFOUND, "cannot open %s: %s", directory, strerror(errno));
	snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/%s", *folder, HANDOVER_SOCKET);
	return STATUS_OK;
}

static int dial(const struct sockaddr_un *address) {
	const struct timeval wait = {.tv_sec = HANDOVER_WAIT_S};
	int line = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (line >= 0) setsockopt(line, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait); /* connecting, too */
	if (line >= 0 && connect(line, (const struct sockaddr *)address, sizeof *address) == 0) return line;
	if (line >= 0) close(line);
	return -1;
}

static bool get_peer(struct ucred *out, int line) {
	socklen_t size = sizeof *out;
	return getsockopt(line, SOL_SOCKET, SO_PEERCRED, out, &size) == 0 && out->uid == geteuid();
}

static enum status bind_at(int *listener, const struct sockaddr_un *address, struct err *err) {
	int line = dial(address);
	if (line >= 0) {
		close(line);
		return err_set(err, STATUS_EXISTS, "this home is unlocked already");
	}
	if (unlink(address->sun_path) != 0 && errno != ENOENT)
		return err_set(err, STATUS_IO, "cannot remove an old socket: %s", strerror(errno));
	*listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const mode_t before = umask(0177); /* nobody else may connect, not for a moment */
	const bool bound = *listener >= 0 && bind(*listener, (const struct sockaddr *)address, sizeof *address) == 0;
	umask(before);
	return bound ? STATUS_OK : err_set(err, STATUS_IO, "cannot make a socket in the home: %s", strerror(errno));
}

enum status unlocked_bind(int *listener, const struct home *home, struct err *err) {
	struct sockaddr_un address;
	int folder;
	*listener = -1;
	TRY(address_of(&address, &folder, home->directory, err));
	enum status status = bind_at(listener, &address, err);
	close(folder);
	if (status != STATUS_OK && *listener >= 0) close(*listener);
	return status;
}

/* Ends it, and waits until it has. */
static bool end_process(pid_t pid) {
	const int process = pidfd_open(pid, 0);
	struct pollfd ending = {.fd = process, .events = POLLIN};
	const bool ended =
	    process >= 0 && pidfd_send_signal(process, SIGTERM, NULL, 0) == 0 && poll(&ending, 1, END_WAIT_MS) == 1;
	if (process >= 0) close(process);
	return ended;
}

enum status unlocked_end(const char *directory, struct err *err) {
	struct sockaddr_un address;
	struct ucred peer;
	int folder;
	TRY(address_of(&address, &folder, directory, err));
	const int line = dial(&address);
	close(folder);
	const bool is_there = line >= 0 && get_peer(&peer, line);
	if (line >= 0) close(line);
	if (!is_there) return err_set(err, STATUS_NOTFOUND, "the home %s is not unlocked", directory);
	if (end_process(peer.pid)) return STATUS_OK;
	return err_set(err, STATUS_IO, "process %ld, which has unlocked the home, does not end", (long)peer.pid);
}

/* --- one command, in its own process --- */

struct command {
	char text[HANDOVER_BYTES_MAX + 1];
	size_t len;
	int argc;
	char **argv, **environment;
};

static bool receive_head(int line, size_t *bytes, int descriptors[HANDOVER_DESCRIPTORS]) {
	const size_t size = sizeof(int) * HANDOVER_DESCRIPTORS;
	struct handover_head head;
	struct iovec part = {&head, sizeof head};
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int) * HANDOVER_DESCRIPTORS)];
	} control;
	struct msghdr message = {
	    .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
	if (recvmsg(line, &message, MSG_WAITALL) != (ssize_t)sizeof head) return false;
	const struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
	const bool has_rights = rights && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS &&
				rights->cmsg_len == CMSG_LEN(size);
	if (!has_rights || memcmp(head.magic, HANDOVER_MAGIC, sizeof head.magic) != 0) return false;
	if (head.bytes > HANDOVER_BYTES_MAX) return false;
	memcpy(descriptors, CMSG_DATA(rights), size);
	*bytes = head.bytes;
	return true;
}

/* Texts from `at` on, at most `most`, ended by NULL. */
static char **split(struct command *command, size_t *at, size_t most) {
	size_t count = 0, room = 0;
	for (size_t i = *at; i < command->len; i++) room += command->text[i] == 0;
	char **out = mem_zalloc((room < most ? room : most) + 1, sizeof *out);
	for (; *at < command->len && count < most; *at += strlen(command->text + *at) + 1)
		out[count++] = command->text + *at;
	return out;
}

/* Only what commands read, and what libcurl does of proxies and certificates. The rest is not for a process that has
 * the wallet: by GCONV_PATH, the C library loads code that the caller names. */
static bool is_for_commands(const char *entry) {
	static const char *const heads[] = {"XINGLIN_", "TERM=", "TMPDIR=", "http_proxy=", "https_proxy=",
	    "HTTPS_PROXY=", "all_proxy=", "ALL_PROXY=", "no_proxy=", "NO_PROXY=", "SSL_CERT_FILE=", "SSL_CERT_DIR="};
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		if (strncmp(entry, heads[i], strlen(heads[i])) == 0) return true;
	return false;
}

static void keep_for_commands(char **environment) {
	char **kept = environment;
	for (char **entry = environment; *entry; entry++)
		if (is_for_commands(*entry)) *kept++ = *entry;
	*kept = NULL;
}

static bool receive(int line, struct command *command, int descriptors[HANDOVER_DESCRIPTORS]) {
	size_t at = sizeof(uint32_t);
	uint32_t count;
	if (!receive_head(line, &command->len, descriptors) || command->len < at) return false;
	if (recv(line, command->text, command->len, MSG_WAITALL) != (ssize_t)command->len) return false;
	memcpy(&count, command->text, sizeof count);
	if (count == 0 || count > command->len || (command->len > at && command->text[command->len - 1] != 0))
		return false;
	command->argv = split(command, &at, count);
	while (command->argv[command->argc]) command->argc++;
	command->environment = split(command, &at, SIZE_MAX);
	keep_for_commands(command->environment);
	return command->argc == (int)count;
}

static bool take_place(const struct command *command, const int descriptors[HANDOVER_DESCRIPTORS]) {
	bool good = fchdir(descriptors[3]) == 0;
	for (int i = 0; i < 3; i++) good = good && dup2(descriptors[i], i) == i;
	for (int i = 0; i < HANDOVER_DESCRIPTORS; i++)
		if (descriptors[i] > 2) close(descriptors[i]);
	environ = command->environment;
	return good;
}

/* A caller that ends, however it does, ends the command: its end of the line closes, and the signal's default follows.
 */
static bool end_with(int line) {
	struct pollfd hangup = {.fd = line, .events = POLLIN};
	return fcntl(line, F_SETOWN, getpid()) == 0 && fcntl(line, F_SETSIG, SIGTERM) == 0 &&
	       fcntl(line, F_SETFL, O_ASYNC) == 0 && poll(&hangup, 1, 0) == 0;
}

_Noreturn static void run_command(int line, const struct home *home, unlocked_runner *run) {
	static struct command command;
	const struct timeval wait = {.tv_sec = READ_WAIT_S};
	int descriptors[HANDOVER_DESCRIPTORS];
	struct ucred peer;
	sigset_t none;
	sigemptyset(&none);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsockopt(line, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	if (!get_peer(&peer, line) || !receive(line, &command, descriptors)) _exit(1);
	const uint8_t taken = HANDOVER_TAKEN;
	if (!take_place(&command, descriptors) || !end_with(line) || send(line, &taken, 1, MSG_NOSIGNAL) != 1) _exit(1);
	const int code = run(command.argc, command.argv, home);
	uint8_t answer[2] = {HANDOVER_DONE, (uint8_t)code};
	if (code == UNLOCKED_NOT_MINE) answer[0] = HANDOVER_NOT_MINE;
	fcntl(line, F_SETFL, 0);
	_exit(send(line, answer, sizeof answer, MSG_NOSIGNAL) == sizeof answer ? 0 : 1);
}

/* --- the process that has the wallet --- */

static volatile sig_atomic_t is_ended;

static void on_signal(int number) {
	if (number != SIGCHLD) is_ended = 1;
}

/* Signals come only while it waits, so that none is missed. */
static void hear_signals(sigset_t *while_waiting) {
	static const int numbers[] = {SIGTERM, SIGINT, SIGCHLD};
	const struct sigaction action = {.sa_handler = on_signal};
	sigset_t held;
	sigemptyset(&held);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaddset(&held, numbers[i]);
	sigprocmask(SIG_BLOCK, &held, while_waiting);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaction(numbers[i], &action, NULL);
	signal(SIGHUP, SIG_IGN); /* of the terminal where it was started */
}

static void take_one(int listener, const struct home *home, unlocked_runner *run) {
	int line = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (line < 0) return;
	const pid_t child = fork();
	if (child == 0) {
		close(listener);
		run_command(line, home, run);
	}
	close(line); /* no process for it: the caller hears that it ended */
}

enum status unlocked_serve(
    int listener, int ready, const struct home *home, uint32_t seconds, unlocked_runner *run, struct err *err) {
	const uint64_t end_ns = clock_monotonic_ns(&world_clock) + (uint64_t)seconds * 1000000000u;
	struct sockaddr_un address;
	sigset_t while_waiting;
	int folder;
	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		return err_set(err, STATUS_IO, "cannot keep others from the process: %s", strerror(errno));
	hear_signals(&while_waiting);
	/* In this process: its id is what unlocked_end sees. */
	if (listen(listener, BACKLOG) != 0)
		return err_set(err, STATUS_IO, "cannot listen in the home: %s", strerror(errno));
	if (ready >= 0) {
		(void)!write(ready, "", 1);
		close(ready);
	}
	while (!is_ended) {
		struct pollfd waiting = {.fd = listener, .events = POLLIN};
		const uint64_t now_ns = clock_monotonic_ns(&world_clock);
		if (now_ns >= end_ns) break;
		const struct timespec left = {
		    (time_t)((end_ns - now_ns) / 1000000000u), (long)((end_ns - now_ns) % 1000000000u)};
		if (ppoll(&waiting, 1, &left, &while_waiting) > 0) take_one(listener, home, run);
		while (waitpid(-1, NULL, WNOHANG) > 0) continue;
	}
	TRY(address_of(&address, &folder, home->directory, err));
	unlink(address.sun_path);
	close(folder);
	close(listener);
	return STATUS_OK;
}
