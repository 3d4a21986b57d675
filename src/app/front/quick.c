/*
 * xinglin-quick: the same commands as xinglin, for scanners and scripts that run many. It stands on the C library
 * alone, so that it begins in half a millisecond: it hands the command to the home that it names, if that is unlocked,
 * and else becomes xinglin.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/front/handover.h"

#define PROGRAM "xinglin" /* beside it, or in the folder for programs */

static void become(const char *folder, size_t len, char **argv) {
	char path[PATH_MAX];
	if ((size_t)snprintf(path, sizeof path, "%.*s/%s", (int)len, folder, PROGRAM) < sizeof path) execv(path, argv);
}

int main(int argc, char **argv) {
	int code = handover_try(argc, argv);
	if (code != HANDOVER_NONE) return code;
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
	self[len > 0 ? len : 0] = 0;
	const char *slash = strrchr(self, '/');
	if (slash) become(self, (size_t)(slash - self), argv);
	become(PROGRAM_FOLDER, strlen(PROGRAM_FOLDER), argv);
	fprintf(stderr, "xinglin-quick: %s is neither beside this program nor in %s\n", PROGRAM, PROGRAM_FOLDER);
	return EXIT_FAILURE;
}
