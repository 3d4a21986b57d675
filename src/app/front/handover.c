/* It takes nothing from anybody: the socket must be answered by a process of its own user. */
#include "app/front/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define EXIT_FAILED 1

/* The home of a command that may be handed over; NULL: none, or a password is named, which is to be tried. */
static const char *home_of(int argc, char **argv) {
	const char *home = getenv("XINGLIN_HOME");
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--password-file") == 0 || strcmp(argv[i], "--help") == 0) return NULL;
		if (strcmp(argv[i], "--home") == 0 && i + 1 < argc) home = argv[i + 1];
	}
	return home;
}

static void wait_at_most(int line, int option, time_t seconds) {
	const struct timeval wait = {.tv_sec = seconds};
	setsockopt(line, SOL_SOCKET, option, &wait, sizeof wait);
}

/* By way of the folder's descriptor: a path of a socket has at most 107 bytes. */
static int dial(const char *home) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct ucred peer;
	socklen_t size = sizeof peer;
	int folder = open(home, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0) return -1;
	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder, HANDOVER_SOCKET);
	int line = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (line >= 0) wait_at_most(line, SO_SNDTIMEO, HANDOVER_WAIT_S); /* connecting and sending */
	if (line >= 0) wait_at_most(line, SO_RCVTIMEO, HANDOVER_WAIT_S);
	bool good = line >= 0 && connect(line, (struct sockaddr *)&address, sizeof address) == 0 &&
		    getsockopt(line, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
	close(folder);
	if (good) return line;
	if (line >= 0) close(line);
	return -1;
}

/* --- handing over --- */

struct text {
	char bytes[HANDOVER_BYTES_MAX];
	size_t len;
	bool overflows;
};

static void put(struct text *text, const void *data, size_t len) {
	text->overflows |= len > sizeof text->bytes - text->len;
	if (text->overflows) return;
	memcpy(text->bytes + text->len, data, len);
	text->len += len;
}

static void write_command(struct text *text, int argc, char **argv) {
	const uint32_t count = (uint32_t)argc;
	put(text, &count, sizeof count);
	for (int i = 0; i < argc; i++) put(text, argv[i], strlen(argv[i]) + 1);
	for (char **entry = environ; *entry; entry++)
		if (strncmp(*entry, "XINGLIN_PASSWORD=", 17) != 0) put(text, *entry, strlen(*entry) + 1);
}

static bool send_head(int line, size_t bytes, int folder) {
	struct handover_head head = {HANDOVER_MAGIC, (uint32_t)bytes};
	struct iovec part = {&head, sizeof head};
	const int descriptors[HANDOVER_DESCRIPTORS] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, folder};
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof descriptors)];
	} control = {{0}};
	struct msghdr message = {
	    .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof descriptors);
	memcpy(CMSG_DATA(rights), descriptors, sizeof descriptors);
	return sendmsg(line, &message, MSG_NOSIGNAL) == (ssize_t)sizeof head;
}

/* It may begin as soon as this one looks away: so it is not run here as well. */
static int not_answered(const char *home) {
	fprintf(stderr,
	    "xinglin: what listens at %s/%s does not answer; nothing was done. xinglin home lock ends it, or remove that file\n",
	    home, HANDOVER_SOCKET);
	return EXIT_FAILED;
}

/* The exit code, or HANDOVER_NONE: nothing was begun. */
static int hand_over(int line, const char *home, int argc, char **argv) {
	static struct text text;
	unsigned char taken, answer[2];
	write_command(&text, argc, argv);
	int folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool sent = folder >= 0 && !text.overflows && send_head(line, text.len, folder);
	for (size_t at = 0; sent && at < text.len;) {
		ssize_t some = send(line, text.bytes + at, text.len - at, MSG_NOSIGNAL);
		sent = some > 0;
		at += sent ? (size_t)some : 0;
	}
	if (folder >= 0) close(folder);
	if (!sent) return HANDOVER_NONE;
	const ssize_t got = recv(line, &taken, 1, 0);
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return not_answered(home);
	if (got != 1 || taken != HANDOVER_TAKEN) return HANDOVER_NONE;
	wait_at_most(line, SO_RCVTIMEO, 0); /* without end */
	if (recv(line, answer, sizeof answer, MSG_WAITALL) != sizeof answer) {
		fputs("xinglin: the unlocked home's process of this command ended before the command did\n", stderr);
		return EXIT_FAILED;
	}
	return answer[0] == HANDOVER_DONE ? answer[1] : HANDOVER_NONE;
}

int handover_try(int argc, char **argv) {
	const char *home = home_of(argc, argv);
	int line = home ? dial(home) : -1, code = line >= 0 ? hand_over(line, home, argc, argv) : HANDOVER_NONE;
	if (line >= 0) close(line);
	return code;
}
