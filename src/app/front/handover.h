/*
 * How a command is handed to a home that is unlocked (app/serve/unlocked.h), over a socket in the home's folder that
 * only its own user reaches. One command a connection:
 *
 *	the caller sends   HANDOVER_MAGIC, the length of what follows (u32 of this machine), and with these bytes the
 *	                   descriptors of standard input, output and error and of its working folder; then the number of
 *	                   arguments (u32), the arguments and the environment, each ended by a zero byte
 *	it gets back       HANDOVER_TAKEN before the command begins; then HANDOVER_DONE and the exit code, or
 *	                   HANDOVER_NOT_MINE, and runs the command itself
 *
 * If the caller ends, so does the command. Whatever else answers there, or does not, keeps a caller waiting for
 * HANDOVER_WAIT_S at most; only a command that was taken may run as long as it takes.
 */
#ifndef APP_FRONT_HANDOVER_H
#define APP_FRONT_HANDOVER_H

#include <stdint.h>

#define HANDOVER_SOCKET ".unlocked"
#define HANDOVER_MAGIC "xl2" /* with its zero byte */
#define HANDOVER_WAIT_S 10
#define HANDOVER_BYTES_MAX (1u << 20) /* of arguments and environment */
#define HANDOVER_DESCRIPTORS 4
#define HANDOVER_NONE (-1) /* of handover_try: nothing was begun */

enum handover_answer { HANDOVER_TAKEN = 't', HANDOVER_DONE = 'd', HANDOVER_NOT_MINE = 'n' };

struct handover_head {
	char magic[4];
	uint32_t bytes;
};

/* Before anything else in main: hands the command to the home that it names, if that is unlocked, and gives the exit
 * code of what ran there; HANDOVER_NONE: the caller runs it. */
int handover_try(int argc, char **argv);

#endif
