/*
 * How a command is handed to a home that is unlocked (app/serve/unlocked.h), over a socket in the home's folder that
 * only its own user reaches. One command a connection:
 *
 *	the front sends    HANDOVER_MAGIC, the length of what follows (u32 of this machine), and with these bytes the
 *	                   descriptors of standard input, output and error and of its working folder; then the number of
 *	                   arguments (u32), the arguments and the environment, each ended by a zero byte
 *	it gets back       HANDOVER_DONE and the exit code; or HANDOVER_NOT_MINE, and runs the command itself
 *
 * If the front ends, so does the command.
 */
#ifndef APP_FRONT_HANDOVER_H
#define APP_FRONT_HANDOVER_H

#include <stdint.h>

#define HANDOVER_SOCKET ".unlocked"
#define HANDOVER_MAGIC "xl1"          /* with its zero byte */
#define HANDOVER_BYTES_MAX (1u << 20) /* of arguments and environment */
#define HANDOVER_DESCRIPTORS 4
#define HANDOVER_PROGRAM "xinglin-main" /* what the front executes: beside it, or in the folder for such programs */

enum handover_answer { HANDOVER_DONE = 'd', HANDOVER_NOT_MINE = 'n' };

struct handover_head {
	char magic[4];
	uint32_t bytes;
};

#endif
